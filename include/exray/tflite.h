/* Every layer of a TensorFlow Lite model, without a change to the model: an
 * observer delegate that claims no node, and a telemetry profiler.
 *
 *     TfLiteInterpreterOptions *options = TfLiteInterpreterOptionsCreate();
 *     exray_tflite_open(&recorder, "edge.mcap", NULL, options, "model.tflite");
 *     TfLiteInterpreter *interpreter = TfLiteInterpreterCreate(model, options);
 *
 * From then on each TfLiteInterpreterInvoke logs inputs, layers, outputs and
 * latencies into the recorder's open frame; a second one within the same frame
 * begins a frame of its own.
 *
 * Delegates (XNNPACK, ...) are added to the options before the tap: a part of
 * the graph that one runs is then logged as one node, with the tensors that leave
 * it.  One that is added later is an error of the recorder's, not of the
 * application's: it runs on unobserved.
 *
 * Needs a TensorFlow Lite C library with opaque delegates and telemetry (2.14 or
 * newer; tried: 2.17.1, 2.20.0).  Its functions are looked up at run time: in the
 * shared libraries of the program (in the program itself, where it is linked
 * statically and exports its symbols: -rdynamic), or in `library`. */
#ifndef EXRAY_TFLITE_H
#define EXRAY_TFLITE_H

#include <exray/exray.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

struct TfLiteInterpreterOptions;

/* Begin with EXRAY_TFLITE_CONFIG_INIT; a zero field means the default. */
typedef struct exray_tflite_config {
    uint32_t size;          /* sizeof(exray_tflite_config) */
    const char *model_file; /* for its sha256 and name; may be NULL */
    const void *model_data; /* the model's bytes instead of a file; borrowed during the call */
    size_t model_size;
    void *library;       /* a dlopen handle; NULL: the program and what it is linked with */
    const char *kernels; /* what the log says: "builtin" (default), "xnnpack" */
    uint32_t threads;    /* what the log says; 0: 1 */
    bool no_constants;   /* leave out the model's weights */
} exray_tflite_config;
#define EXRAY_TFLITE_CONFIG_INIT                                                                             \
    {                                                                                                        \
        sizeof(exray_tflite_config), NULL, NULL, 0, NULL, NULL, 0, false                                     \
    }

/* Adds the tap to `options`; call it before TfLiteInterpreterCreate.  On
 * failure (a library too old: the message names the missing symbol) the
 * recorder holds the error and `options` is unchanged: the application runs on
 * unobserved.  The recorder may be closed before or after the interpreter is
 * deleted, but no Invoke may follow its close.  One tap observes one
 * interpreter; calls come on the thread that invokes. */
exray_status exray_tflite_attach(exray_recorder *recorder, struct TfLiteInterpreterOptions *options,
                                 const exray_tflite_config *config);

/* exray_recorder_open_file and exray_tflite_attach in one call. */
static inline exray_status exray_tflite_open(exray_recorder *recorder, const char *path,
                                             const exray_recorder_config *config,
                                             struct TfLiteInterpreterOptions *options, const char *model_file)
{
    exray_tflite_config tap = EXRAY_TFLITE_CONFIG_INIT;
    tap.model_file = model_file;
    exray_recorder_open_file(recorder, path, config);
    return exray_tflite_attach(recorder, options, &tap);
}

/* Says that TfLiteInterpreterInvoke is called next; on the thread that calls it, right before.
 * TensorFlow Lite tells of a node's begin, but not of a delegate's: where one runs the model's
 * first nodes, their latency and Frame.inference_ns are known only so (or, of XNNPACK, as it
 * reports them itself), else absent.  Never fails; does nothing for a recorder without a tap. */
void exray_tflite_run_begin(exray_recorder *recorder);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
