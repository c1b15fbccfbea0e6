/* A whole validation in one call: two logs are compared, the assertions run, and a
 * verdict comes of it.  What `exray validate` does.
 *
 *     exray_validation *validation = exray_validation_run(edge, reference, NULL, &error);
 *     puts(exray_validation_text(validation, &error));
 *     exray_validation_free(validation);
 *
 * Threads: a validation belongs to one thread at a time; different ones are
 * independent, over the same logs too. */
#ifndef EXRAY_VALIDATE_H
#define EXRAY_VALIDATE_H

#include <exray/assertion.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

typedef enum exray_verdict {
    EXRAY_VERDICT_PASS,
    EXRAY_VERDICT_FAIL,
    EXRAY_VERDICT_INCONCLUSIVE
} exray_verdict;

/* Begin with EXRAY_VALIDATION_OPTIONS_INIT; a zero field means the default. */
typedef struct exray_validation_options {
    uint32_t size;          /* sizeof(exray_validation_options) */
    const char *assertions; /* comma-separated names, or PREFIX*; NULL: all */
    const char *const *set; /* "NAME.OPTION=VALUE" */
    size_t set_count;
    const char *const *plugin; /* shared libraries with assertions (docs/assertions.md) */
    size_t plugin_count;
    double plugin_seconds; /* what each of a plug-in's assertions may take; 0: 60 */
    /* The caller's own assertions: NULL-terminated, or NULL.  They run in this process and on
     * this thread; those of plug-ins run in one of their own. */
    const exray_assertion *const *own;
    double min_coverage;            /* share of the edge's layers that must have a counterpart; 0: 0.8;
                                       negative: none need to */
    bool fail_on_perf, fail_on_log; /* let warnings of these kinds fail */
    /* Told now and then how many of `total` frames are compared; or NULL. */
    void (*progress)(void *user, size_t done, size_t total);
    void *user;
    const char *html; /* a file to write the report for browsers to; or NULL */
    /* Model files; or NULL.  Weights that a log was recorded without are read from its side's
     * (each log is then opened a second time). */
    const char *edge_model, *reference_model;
    /* "tflite", "litert", "onnxruntime": each wrong layer is run alone by this engine, cut out of
     * `reference_model`, on the inputs that the edge recorded (docs/causes-layer.md); or NULL. */
    const char *engine;
    const char *kernels;        /* the engine's, by name; NULL: "default" */
    const char *engine_library; /* the engine's shared library; NULL: found */
    const char *repro;          /* a folder to write the first layer to that is wrong by itself: the cut-out
                                   model, its inputs, both outputs; or NULL */
} exray_validation_options;
#define EXRAY_VALIDATION_OPTIONS_INIT                                                                        \
    {                                                                                                        \
        sizeof(exray_validation_options), NULL, NULL, 0, NULL, 0, 0, NULL, 0, false, false, NULL, NULL,      \
            NULL, NULL, NULL, NULL, NULL, NULL, NULL                                                         \
    }

typedef struct exray_validation exray_validation;

/* Compares and judges.  The logs are borrowed until exray_validation_free; `options`
 * (may be NULL) until the call returns, but for the tables of `own`, which reports name.
 * NULL on failure, error filled: EXRAY_E_ARGUMENT (an assertion or an option that
 * there is not, `engine` without `reference_model`; the message says which), EXRAY_E_IO
 * (`html` or `repro` cannot be written, a plug-in or a model cannot be read), EXRAY_E_FORMAT
 * (a plug-in, a model, a damaged log), EXRAY_E_ENGINE (the engine cannot be used),
 * EXRAY_E_MEMORY.
 * That something is wrong with the edge is no failure but a verdict. */
exray_validation *exray_validation_run(const exray_log *edge, const exray_log *reference,
                                       const exray_validation_options *options, exray_error *error);

/* NULL is allowed. */
void exray_validation_free(exray_validation *validation);

exray_verdict exray_validation_verdict(const exray_validation *validation);

/* What was compared; lives as long as the validation. */
const exray_comparison *exray_validation_comparison(const exray_validation *validation);

/* The report as JSON ("exray-validation", version 1) and as text for a terminal
 * without colours: UTF-8, made once, the validation's.  NULL: out of memory, error
 * filled. */
const char *exray_validation_json(exray_validation *validation, exray_error *error);
const char *exray_validation_text(exray_validation *validation, exray_error *error);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
