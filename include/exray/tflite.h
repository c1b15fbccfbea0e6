/* Every layer of a TensorFlow Lite model, without a change to the model: an observer delegate that claims no
 * node, and a telemetry profiler.
 *
 *     TfLiteInterpreterOptions *options = TfLiteInterpreterOptionsCreate();
 *     exray_tflite_open(&recorder, "edge.mcap", NULL, options, "model.tflite");
 *     TfLiteInterpreter *interpreter = TfLiteInterpreterCreate(model, options);
 *
 * From then on each TfLiteInterpreterInvoke logs inputs, layers, outputs and latencies into the recorder's
 * open frame; a second one within the same frame begins a frame of its own.
 *
 * Delegates (XNNPACK, ...) are added to the options before the tap: a part of the graph that one runs is
 * then logged as one node, with the tensors that leave it.  One that is added later is an error of the
 * recorder's, not of the application's, which runs on unobserved.
 *
 * Needs a TensorFlow Lite C library with opaque delegates and telemetry (2.14 or newer; tested: 2.17.1,
 * 2.20.0).  Its functions are looked up at run time: in the shared libraries of the program (in the program
 * itself, where it is linked statically and exports its symbols: -rdynamic), or in `library`.
 * */
#ifndef EXRAY_TFLITE_H
#define EXRAY_TFLITE_H

#include <exray/recorder.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* As TensorFlow Lite's header declares it. */
struct TfLiteInterpreterOptions;

/* What the tap is told of the model and the engine.  Begin with EXRAY_TFLITE_CONFIG_INIT; a zero field means
 * the default.  Strings and arrays are borrowed during the call.  Since 0.1.0. */
typedef struct exray_tflite_config {
    uint32_t size;          /* sizeof(exray_tflite_config).  Since 0.2.0 */
    const char *model_file; /* for its SHA-256 and name; NULL: unknown */
    const void *model_data; /* [model_size] the model's bytes instead of a file */
    size_t model_size;
    void *library;       /* a handle of dlopen; NULL: the program and what it is linked with */
    const char *kernels; /* what the log says: "builtin" (NULL), "xnnpack" */
    uint32_t threads;    /* what the log says; 0: 1 */
    bool no_constants;   /* leave out the model's weights */
} exray_tflite_config;

/* exray_tflite_config config = EXRAY_TFLITE_CONFIG_INIT;  Since 0.2.0. */
#define EXRAY_TFLITE_CONFIG_INIT                                                                             \
    {                                                                                                        \
        sizeof(exray_tflite_config), NULL, NULL, 0, NULL, NULL, 0, false                                     \
    }

/* Adds the tap to `options`; call it before TfLiteInterpreterCreate.  `config` may be NULL.  On failure the
 * recorder holds the error, which is returned, and `options` is unchanged: the application runs on
 * unobserved.  EXRAY_E_ENGINE: the library is too old (the message names the missing symbol);
 * EXRAY_E_ARGUMENT, EXRAY_E_MEMORY, or the error that the recorder has already.  A model file that cannot be
 * read, or is not that of the model that runs (other operators or tensors), is an event of kind error in the
 * log, which then has neither its hash nor the operators' attributes.  Where no interpreter was created with
 * `options` afterwards, nothing can be observed: EXRAY_E_STATE, from exray_tflite_run_begin or the recorder's
 * close on.  The recorder may be closed before or after the interpreter is deleted; an Invoke after its close
 * is a plain one.  One tap observes one interpreter; it works on the thread that invokes.  Since 0.1.0. */
exray_status exray_tflite_attach(exray_recorder *recorder, struct TfLiteInterpreterOptions *options,
                                 const exray_tflite_config *config);

/* exray_recorder_open_file and exray_tflite_attach in one call.  `model_file` may be NULL.  Since 0.1.0. */
static inline exray_status exray_tflite_open(exray_recorder *recorder, const char *path,
                                             const exray_recorder_config *config,
                                             struct TfLiteInterpreterOptions *options, const char *model_file)
{
    exray_tflite_config tap = EXRAY_TFLITE_CONFIG_INIT;
    tap.model_file = model_file;
    exray_recorder_open_file(recorder, path, config);
    return exray_tflite_attach(recorder, options, &tap);
}

/* Tells that TfLiteInterpreterInvoke is called next; on the thread that calls it, right before.  TensorFlow
 * Lite reports when a node begins, but not when a delegate does: where one runs the model's first nodes,
 * their latency and Frame.inference_ns are known only by this call (or, of XNNPACK, by its own report), else
 * absent.  Never fails; does nothing for a recorder without a tap.  Since 0.1.0. */
void exray_tflite_run_begin(exray_recorder *recorder);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
