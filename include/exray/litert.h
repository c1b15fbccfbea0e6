/* An application's own compiled model of LiteRT, observed: its layers, inputs, outputs and times.
 *
 *     exray_litert_open(&recorder, "edge.mcap", NULL, options, "model.tflite");
 *     LiteRtCreateCompiledModel(environment, model, options, &compiled);
 *     ...
 *     exray_litert_run(&recorder, compiled, 0, 1, inputs, 1, outputs);
 *
 * exray_litert_run takes the place of LiteRtRunCompiledModel: the same arguments, the same result, and the
 * same outputs, bit by bit.  Each run is a frame: it goes into the recorder's open frame, or begins one
 * where that had its run already.
 *
 * What it costs.  LiteRT gives access to a model's outputs and to no other tensor.  Where the capture level
 * keeps layers (STATS and above), the model is compiled a second time, with every tensor an output: that
 * takes the model's memory once more.  In the first three frames it runs after the application's model, on
 * the same inputs.  Where it returned the same, bit by bit, it takes the application's place from then on,
 * and a frame costs one run: its outputs are copied into the application's buffers.  In every 16th frame both
 * run again and are compared; where they differ, or a run fails, both run in each frame from then on, and an
 * event says so.  Models with state or random numbers run twice in each frame, and so does any model with
 * `own_model_only`.  A model that already has its layers among its outputs (`exray expose`) needs none of it:
 * they are taken from the application's outputs.  Frames that a filter leaves out (every_nth) are plain runs.
 *
 * inference_ns and the latencies of nodes (from LiteRT's profiler) are those of the application's own model:
 * frames that the second one served have none.  The log says how many frames were compared, how far the two
 * were apart ("observer") and how many were served, in the metadata record exray.observation; `validate`
 * reports a difference beyond noise as log.perturbed: then the layers are not those of the deployed model.  A
 * model that is random by itself is reported so, too.
 *
 * Between begin and end of a frame this library allocates no memory and prints nothing; what LiteRT does in
 * its runs is its own affair.
 *
 * Not observed: runs by other functions (LiteRtRunCompiledModelAsync), signatures other than the one of the
 * whole main graph, what IF and WHILE run inside; layers of runs on resized inputs.
 *
 * LiteRT is the application's: its functions are looked up at run time, in the shared libraries of the
 * program (in the program itself, where it is linked statically and exports its symbols: -rdynamic), or in
 * `library`. The library does not tell its version, and functions changed between versions: only known
 * builds (2.3.0 for x86-64 and arm64) are used, and those for which `version` states it. */
#ifndef EXRAY_LITERT_H
#define EXRAY_LITERT_H

#include <exray/recorder.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* As LiteRT's headers declare them: LiteRtOptions, LiteRtCompiledModel and LiteRtTensorBuffer are pointers
 * to these. */
struct LiteRtOptionsT;
struct LiteRtCompiledModelT;
struct LiteRtTensorBufferT;

/* The model and what it is compiled with.  Begin with EXRAY_LITERT_CONFIG_INIT and name the model; a zero
 * field means the default.  Since 0.1.0. */
typedef struct exray_litert_config {
    uint32_t size;          /* sizeof(exray_litert_config).  Since 0.2.0 */
    const char *model_file; /* the .tflite file that is compiled; read during attach */
    const void *model_data; /* [model_size] or its bytes; borrowed until the recorder's close */
    size_t model_size;
    void *library;       /* a handle of dlopen; NULL: the program and what it is linked with */
    const char *version; /* "2.3.0": states the version of a build that is not known; NULL: it must be known,
                            or the environment has EXRAY_LITERT_VERSION */
    const char *kernels; /* what the application's options choose: "default" (NULL; XNNPACK), "xnnpack",
                            "builtin"; the second model uses the same */
    uint32_t threads;    /* how many threads they choose; 0: 1 */
    bool no_constants;   /* leave out the model's weights */
    bool own_model_only; /* every output is the application's own model's, at the cost of two runs a frame.
                            Since 0.2.0 */
} exray_litert_config;

/* exray_litert_config config = EXRAY_LITERT_CONFIG_INIT;  Since 0.2.0. */
#define EXRAY_LITERT_CONFIG_INIT                                                                             \
    {                                                                                                        \
        sizeof(exray_litert_config), NULL, NULL, 0, NULL, NULL, NULL, 0, false, false                        \
    }

/* Observes the runs of the model that is compiled with `options` next: call it after the application's own
 * settings, before LiteRtCreateCompiledModel.  Adds LiteRT's profiler to the options; where `options` is
 * NULL it does not, and the log has latencies of nodes only if the application asked for the profiler
 * itself.  Writes /model and /constant: call it before the first frame.  On failure the recorder holds the
 * error, which is returned, `options` are unchanged, and exray_litert_run runs the model unobserved.
 * EXRAY_E_ENGINE: no LiteRT, or an unknown build; EXRAY_E_ARGUMENT, EXRAY_E_IO and EXRAY_E_FORMAT (a model
 * that cannot be read), EXRAY_E_STATE (the recorder observes a model already), EXRAY_E_MEMORY, or the error
 * that the recorder has already.  One recorder observes one compiled model, which may be destroyed before or
 * after the recorder is closed; the library is unloaded after both.  All calls come on the recorder's
 * thread.  Since 0.1.0. */
exray_status exray_litert_attach(exray_recorder *recorder, struct LiteRtOptionsT *options,
                                 const exray_litert_config *config);

/* exray_recorder_open_file and exray_litert_attach in one call.  Since 0.1.0. */
static inline exray_status exray_litert_open(exray_recorder *recorder, const char *path,
                                             const exray_recorder_config *config,
                                             struct LiteRtOptionsT *options, const char *model_file)
{
    exray_litert_config tap = EXRAY_LITERT_CONFIG_INIT;
    tap.model_file = model_file;
    exray_recorder_open_file(recorder, path, config);
    return exray_litert_attach(recorder, options, &tap);
}

/* LiteRtRunCompiledModel(compiled, signature, ...), recorded.  Returns what that returned (a LiteRtStatus; 0
 * is success), or -1 where there is no such function: exray_litert_attach was not told the `library`. A
 * failure to observe is the recorder's error, never the application's.  Where the recorder is closed or
 * failed, or the run is of another model, it is LiteRtRunCompiledModel and nothing more.  Since 0.1.0. */
int exray_litert_run(exray_recorder *recorder, struct LiteRtCompiledModelT *compiled, size_t signature,
                     size_t input_count, struct LiteRtTensorBufferT **inputs, size_t output_count,
                     struct LiteRtTensorBufferT **outputs);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
