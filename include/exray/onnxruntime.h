/* An application's own ONNX Runtime session, observed: the graph that really runs, its layers,
 * inputs, outputs and times.
 *
 *     exray_ort_open(&recorder, "edge.mcap", NULL, OrtGetApiBase(), session, "model.onnx");
 *     ...
 *     exray_ort_run(&recorder, api, session, NULL, names, inputs, 1, names_out, 1, outputs);
 *
 * exray_ort_run takes the place of api->Run: the same arguments, the same result, and the same
 * outputs, bit by bit.  Each run is a frame: it goes into the recorder's open frame, or begins
 * one where that had its run already.
 *
 * What it costs.  ONNX Runtime shows a session's outputs and nothing else, so what is beyond them
 * comes from runs of its own, on the application's very inputs, after the application's run:
 *
 *   layers (capture STATS and above)  a second session, of the graph as ONNX Runtime optimized it,
 *                                     every tensor an output: the model's memory once more, and
 *                                     one run more, slower than its own.  A model that has its layers
 *                                     among its outputs already (`exray expose`) needs none: they
 *                                     are taken from the application's own outputs
 *   latencies (every level but OFF)   the application's session runs once more with ONNX Runtime's
 *                                     profiler, by way of a file in TMPDIR: as long as several
 *                                     runs; `no_latency` spares it
 *
 * inference_ns and /output are those of the application's run.  In every frame with layers, its
 * outputs are compared with the second session's; the log says how far they are apart ("observer" in
 * the metadata record exray.observation), and `validate` reports what goes beyond noise as
 * log.perturbed: then the layers are not those of the deployed model.  Models that are random by
 * themselves are reported so, too.
 *
 * Between begin and end of a frame this library takes no memory and prints nothing, but for the file
 * of latencies, which ONNX Runtime gives in no other way; ONNX Runtime takes memory for each question
 * about a value.
 *
 * Not seen: runs by other functions (RunWithBinding, RunAsync), tensors inside If and Loop, values
 * outside the processor's memory; the layers of a run that writes its outputs over its inputs.
 *
 * Needs ONNX Runtime 1.29 or newer (tried: 1.32.0), the application's own: nothing is linked or
 * loaded here, all calls go through `base` and `api`. */
#ifndef EXRAY_ONNXRUNTIME_H
#define EXRAY_ONNXRUNTIME_H

#include <exray/exray.h>

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

/* Begin with EXRAY_ORT_CONFIG_INIT and name the model; a zero field means the default. */
typedef struct exray_ort_config {
    uint32_t size;          /* sizeof(exray_ort_config) */
    const char *model_file; /* the .onnx file that the session was made of; read during attach */
    const void *model_data; /* or its bytes; borrowed until the recorder's close */
    size_t model_size;
    /* The options that the session was made with: execution providers, custom operators, free
     * dimensions.  Cloned; borrowed during attach.  NULL: the processor, `threads` threads. */
    const struct OrtSessionOptions *options;
    const char *kernels; /* the session's graph optimization: "default" (NULL; all), "extended", "none" */
    uint32_t threads;    /* the session's intra-op threads; 0: what `options` have, else 1 */
    bool no_constants;   /* leave out the model's weights */
    bool no_latency;     /* no profiled run, no latencies of nodes */
} exray_ort_config;
#define EXRAY_ORT_CONFIG_INIT                                                                                \
    {                                                                                                        \
        sizeof(exray_ort_config), NULL, NULL, 0, NULL, NULL, 0, false, false                                 \
    }

/* Observes the session's runs from now on.  `base` is what OrtGetApiBase returns.  Writes /model and
 * /constant; call it before the first frame.  On failure (ONNX Runtime too old, a model that cannot
 * be read or is none of the session's) the recorder holds the error, and exray_ort_run runs the model
 * unobserved.  One recorder observes one session; the session may be released before the recorder
 * is closed or after, the library outlives both.  Calls come on the recorder's thread. */
exray_status exray_ort_attach(exray_recorder *recorder, const struct OrtApiBase *base,
                              struct OrtSession *session, const exray_ort_config *config);

/* exray_recorder_open_file and exray_ort_attach in one call. */
static inline exray_status exray_ort_open(exray_recorder *recorder, const char *path,
                                          const exray_recorder_config *config, const struct OrtApiBase *base,
                                          struct OrtSession *session, const char *model_file)
{
    exray_ort_config tap = EXRAY_ORT_CONFIG_INIT;
    tap.model_file = model_file;
    exray_recorder_open_file(recorder, path, config);
    return exray_ort_attach(recorder, base, session, &tap);
}

/* api->Run(session, options, ...), recorded.  Returns what that returned: NULL, or a status that the
 * caller releases.  Failures to observe are the recorder's errors, never the application's.  Where
 * the recorder is closed, failed, or attached to another session, it is api->Run and no more.
 * `outputs` as for Run: NULL where ONNX Runtime is to make the value. */
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
