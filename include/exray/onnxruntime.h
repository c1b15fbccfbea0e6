/* An application's own ONNX Runtime session, observed: the graph that really runs, its layers, inputs,
 * outputs and times.
 *
 *     exray_ort_open(&recorder, "edge.mcap", NULL, OrtGetApiBase(), session, "model.onnx");
 *     ...
 *     exray_ort_run(&recorder, api, session, NULL, names, inputs, 1, names_out, 1, outputs);
 *
 * exray_ort_run takes the place of api->Run: the same arguments, the same result, and the same outputs, bit
 * by bit.  Each run is a frame: it goes into the recorder's open frame, or begins one where that had its run
 * already.
 *
 * What it costs.  ONNX Runtime gives access to a session's outputs and to no other tensor.
 *
 *   layers (capture STATS and above)  a second session, of the graph as ONNX Runtime optimized it, with every
 *                                     tensor an output: the model's memory once more.  At STATS it is the
 *                                     graph of the session's own level; its tensors get the names of the
 *                                     graph of level "extended", which is the one in the log; tensors that
 *                                     exist only within a fused kernel are missing.  At SKETCH and FULL it is
 *                                     the graph of level "extended", which is slower and runs besides
 *   latencies (every level but OFF)   the application's session runs once more with ONNX Runtime's
 *                                     profiler, which writes a file to TMPDIR: that takes as long as
 *                                     several runs, so it is done in the first three frames and in every
 *                                     32nd; `no_latency` saves it
 *
 * In the first three frames the second session runs after the application's, on the same inputs.  Where it
 * returned the same, bit by bit, it takes the application's place from then on, and a frame costs one run:
 * outputs that the application left to ONNX Runtime are its own to release, as ever; its own are filled.  In
 * every 16th frame both run again and are compared; where they differ, or a run fails, both run in each frame
 * from then on, and an event says so.  Both run in each frame, too, where the graph draws random numbers or
 * has inner graphs or operators of other domains, the call has run options, the outputs lie over the inputs,
 * or `own_model_only` is set.  A model that already has its layers among its outputs (`exray expose`) needs
 * none of it: they are taken from the application's outputs.  Frames that a filter leaves out (every_nth) are
 * plain runs.
 *
 * inference_ns is that of the application's own session: frames that the second one served have none.  The
 * log says how many frames were compared, how far the two were apart ("observer") and how many were served,
 * in the metadata record exray.observation; `validate` reports a difference beyond noise as log.perturbed:
 * then the layers are not those of the deployed model.  A model that is random by itself is reported so, too.
 *
 * Between begin and end of a frame this library allocates no memory and prints nothing, except for the file
 * of latencies, which ONNX Runtime offers in no other way; ONNX Runtime allocates memory for each question
 * about a value.
 *
 * Not observed: runs by other functions (RunWithBinding, RunAsync), tensors inside If and Loop, values
 * outside the processor's memory; the layers of a run that writes its outputs over its inputs.
 *
 * Needs ONNX Runtime 1.29 or newer (tested: 1.32.0), the application's own: nothing is linked or loaded
 * here, all calls go through `base` and `api`. */
#ifndef EXRAY_ONNXRUNTIME_H
#define EXRAY_ONNXRUNTIME_H

#include <exray/recorder.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* As onnxruntime_c_api.h declares them. */
struct OrtApiBase;
struct OrtApi;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtStatus;
struct OrtValue;

/* The model and what the session was made with.  Begin with EXRAY_ORT_CONFIG_INIT and name the model; a zero
 * field means the default.  Since 0.1.0. */
typedef struct exray_ort_config {
    uint32_t size;          /* sizeof(exray_ort_config).  Since 0.2.0 */
    const char *model_file; /* the .onnx file that the session was made of; read during attach */
    const void *model_data; /* [model_size] or its bytes; borrowed until the recorder's close */
    size_t model_size;
    /* The options that the session was made with: execution providers, custom operators, free dimensions.
     * Cloned; borrowed during attach.  NULL: the processor, `threads` threads. */
    const struct OrtSessionOptions *options;
    const char *kernels; /* the session's graph optimization: "default" (NULL; all), "extended", "none" */
    uint32_t threads;    /* the session's intra-op threads; 0: what `options` have, else 1 */
    bool no_constants;   /* leave out the model's weights */
    bool no_latency;     /* no profiled run, no latencies of nodes */
    bool own_model_only; /* every output is the application's own session's, at the cost of two runs a frame.
                            Since 0.2.0 */
} exray_ort_config;

/* exray_ort_config config = EXRAY_ORT_CONFIG_INIT;  Since 0.2.0. */
#define EXRAY_ORT_CONFIG_INIT                                                                                \
    {                                                                                                        \
        sizeof(exray_ort_config), NULL, NULL, 0, NULL, NULL, 0, false, false, false                          \
    }

/* Observes the session's runs from now on.  `base` is what OrtGetApiBase returns.  Writes /model and
 * /constant: call it before the first frame.  On failure the recorder holds the error, which is returned,
 * and exray_ort_run runs the model unobserved.  EXRAY_E_ENGINE: ONNX Runtime is too old, or reported a
 * failure; EXRAY_E_ARGUMENT, EXRAY_E_IO and EXRAY_E_FORMAT (a model that cannot be read, or is not the
 * session's), EXRAY_E_STATE (the recorder observes a session already), EXRAY_E_MEMORY, or the error that the
 * recorder has already.  One recorder observes one session, which may be released before or after the
 * recorder is closed; the library is unloaded after both.  All calls come on the recorder's thread.
 * Since 0.1.0. */
exray_status exray_ort_attach(exray_recorder *recorder, const struct OrtApiBase *base,
                              struct OrtSession *session, const exray_ort_config *config);

/* exray_recorder_open_file and exray_ort_attach in one call.  Since 0.1.0. */
static inline exray_status exray_ort_open(exray_recorder *recorder, const char *path,
                                          const exray_recorder_config *config, const struct OrtApiBase *base,
                                          struct OrtSession *session, const char *model_file)
{
    exray_ort_config tap = EXRAY_ORT_CONFIG_INIT;
    tap.model_file = model_file;
    exray_recorder_open_file(recorder, path, config);
    return exray_ort_attach(recorder, base, session, &tap);
}

/* api->Run(session, options, ...), recorded.  Returns what that returned: NULL (success), or a status that
 * the caller releases.  A failure to observe is the recorder's error, never the application's.  Where the
 * recorder is closed, failed, or attached to another session, it is api->Run and nothing more.  `outputs` as
 * for Run: an entry that is NULL is a value that ONNX Runtime makes.  Since 0.1.0. */
struct OrtStatus *exray_ort_run(exray_recorder *recorder, const struct OrtApi *api,
                                struct OrtSession *session, const struct OrtRunOptions *options,
                                const char *const *input_names, const struct OrtValue *const *inputs,
                                size_t input_count, const char *const *output_names, size_t output_count,
                                struct OrtValue **outputs);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
