/* A whole validation in one call: two logs are compared, the assertions run, and the verdict is formed, as
 * `exray validate` does it.
 *
 *     exray_validation *validation = exray_validation_run(edge, reference, NULL, &error);
 *     puts(exray_validation_text(validation, &error));
 *     exray_validation_free(validation);
 *
 * Threads: a validation belongs to one thread at a time; different ones are independent, over the same logs
 * too. */
#ifndef EXRAY_VALIDATE_H
#define EXRAY_VALIDATE_H

#include <exray/assertion.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* What the findings amount to.  Since 0.1.0 (enumerators by these names: 0.2.0). */
typedef enum exray_verdict {
    EXRAY_VERDICT_PASS = 0,         /* nothing is wrong */
    EXRAY_VERDICT_FAIL = 1,         /* something is */
    EXRAY_VERDICT_INCONCLUSIVE = 2, /* it cannot be told: too little was recorded, or an assertion failed */
} exray_verdict;

/* What is checked and how.  Begin with EXRAY_VALIDATION_OPTIONS_INIT; a zero field means the default.  All
 * strings and arrays are borrowed during the call; the assertions of `own` until the validation is freed.
 * Since 0.2.0. */
typedef struct exray_validation_options {
    uint32_t size;          /* sizeof(exray_validation_options) */
    const char *assertions; /* comma-separated names, or PREFIX*; NULL: all */
    const char *const *set; /* [set_count] "NAME.OPTION=VALUE" */
    size_t set_count;
    const char *const *plugin; /* [plugin_count] shared libraries with assertions (docs/assertions.md) */
    size_t plugin_count;
    double plugin_seconds; /* how long each assertion of a plug-in may take; 0: 60 */
    /* The caller's own assertions: NULL-terminated; or NULL.  They run in this process and on this thread;
     * those of plug-ins run in a process of their own. */
    const exray_assertion *const *own;
    double min_coverage; /* share of frames, and of the edge's layers, that must have a counterpart; 0: 0.8;
                            negative: none need to */
    bool fail_on_perf, fail_on_log; /* warnings of these kinds make the verdict FAIL */
    /* Called from time to time, on this thread: `done` of `total` frames are compared; or NULL. */
    void (*progress)(void *user, size_t done, size_t total);
    void *user;
    const char *html; /* a file to write the report for browsers to; or NULL */
    /* Model files; or NULL.  Weights that were not recorded are read from the model of that side (each log is
     * then opened a second time). */
    const char *edge_model, *reference_model;
    /* "tflite", "litert", "onnxruntime": each wrong layer is cut out of `reference_model` and run alone by
     * this engine, on the inputs that the edge recorded (docs/causes-layer.md); or NULL. */
    const char *engine;
    const char *kernels;        /* which kernels the engine uses, by name; NULL: "default" */
    const char *engine_library; /* the engine's shared library; NULL: it is searched for.  Without `engine`:
                                   that of the reference's engine */
    const char *repro;          /* a folder to write the first layer to that is wrong by itself: the cut-out
                                   model, its inputs, both outputs; or NULL */
    /* Findings that were accepted: a YAML list of {cause, where, reason, expires} (docs/ci.md).  They are
     * reported as known and do not fail; entries that have expired, or accept nothing, are said.  And a file
     * to write such a list to that accepts what fails now ("-": standard output).  Or NULL. */
    const char *known, *write_known;
    /* What measures must reach, "top1>=0.7,agreement>=0.98": the verdict is FAIL where one does not, and at
     * best INCONCLUSIVE where it is not known; or NULL. */
    const char *require;
    /* Without `engine`, wrong layers are run alone all the same, for at most 10 s, where the file that the
     * reference ran is at hand (`reference_model`, or in the folder of the reference's log under the name
     * that it recorded, with the same SHA-256) and an engine for it is found; models with a memory are run
     * again likewise, whole, to tell what they remembered.  True: they are not. */
    bool no_isolate;
    unsigned jobs; /* threads that compare layers and search for causes; 0: as many as this process may use
                      processors.  The result does not depend on it */
} exray_validation_options;

/* exray_validation_options options = EXRAY_VALIDATION_OPTIONS_INIT;  Since 0.2.0. */
#define EXRAY_VALIDATION_OPTIONS_INIT                                                                        \
    {                                                                                                        \
        sizeof(exray_validation_options), NULL, NULL, 0, NULL, 0, 0, NULL, 0, false, false, NULL, NULL,      \
            NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, 0                             \
    }

/* A validation that was run.  Since 0.1.0. */
typedef struct exray_validation exray_validation;

/* Compares two logs and judges.  The logs are borrowed until exray_validation_free; `options` may be NULL.
 * The caller frees the result with exray_validation_free.  That something is wrong with the edge is not a
 * failure but a verdict.  NULL on failure, with `error` filled; the message says what exactly:
 * EXRAY_E_ARGUMENT (an assertion or an option that does not exist, `engine` without `reference_model`,
 * options that cannot be read), EXRAY_E_IO (`html`, `write_known` or `repro` cannot be written, a plug-in, a
 * model or `known` cannot be read), EXRAY_E_FORMAT (an invalid plug-in, model or `known`, a damaged log),
 * EXRAY_E_UNSUPPORTED (a plug-in for another version), EXRAY_E_ENGINE (the engine cannot be used),
 * EXRAY_E_MEMORY.  Since 0.2.0. */
exray_validation *exray_validation_run(const exray_log *edge, const exray_log *reference,
                                       const exray_validation_options *options, exray_error *error);

/* Frees it.  NULL is allowed.  Since 0.1.0. */
void exray_validation_free(exray_validation *validation);

/* The verdict.  Since 0.1.0. */
exray_verdict exray_validation_verdict(const exray_validation *validation);

/* What was compared; valid until the validation is freed.  Since 0.1.0. */
const exray_comparison *exray_validation_comparison(const exray_validation *validation);

/* The report as JSON ("exray-validation", version 1), and as text for a terminal without colors: UTF-8, made
 * at the first call, valid until the validation is freed.  NULL: out of memory, `error` filled.
 * Since 0.1.0.
 * */
const char *exray_validation_json(exray_validation *validation, exray_error *error);
const char *exray_validation_text(exray_validation *validation, exray_error *error);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
