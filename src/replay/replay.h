/* The loop of `record` and `replay`: items → pipeline → engine → log. */
#ifndef XR_RUN_H
#define XR_RUN_H

#include "engines/engine.h"
#include "pipeline/steps.h"
#include "replay/items.h"

/* Callbacks of a run; every function may be NULL. */
typedef struct xr_run_listener {
    void *user;
    void (*progress)(void *user, size_t done, size_t total);
    /* An item that could not be used: which, and why. */
    void (*skipped)(void *user, const char *source, const char *why);
    /* Called once per text. */
    void (*warning)(void *user, const char *text);
    /* Asked before each frame; true: the run ends, and the log with it. */
    bool (*stopped)(void *user);
} xr_run_listener;

typedef struct xr_run_options {
    const xr_engine *engine;
    const char *model;            /* path */
    const char *pipeline;         /* path; may be NULL only when every item is a model input */
    xr_pipeline *read;            /* that file's, where it was read already; xr_run frees it.  Or NULL */
    const char *kernels;          /* NULL: default */
    unsigned threads;             /* 0: 1 */
    const char *library;          /* NULL: found */
    const char *delegate;         /* "LIB[:KEY:VALUE;...]"; NULL: none */
    uint64_t max_frames;          /* 0: all */
    unsigned jobs;                /* threads that decode and pre-process ahead of the runs; 0 and 1: none */
    unsigned repeat;              /* times that each item is run, a frame each; 0: 1 */
    const char *out;              /* path of the log; written beside it until it is whole (log_place.h) */
    exray_recorder_config config; /* capture, filters, role; task and metadata are filled in here */
    xr_run_listener listener;
} xr_run_options;

typedef struct xr_run_report {
    size_t frames;    /* written */
    size_t skipped;   /* could not be read */
    uint64_t dropped; /* records that the recorder dropped */
    uint64_t bytes;   /* of the log */
    bool stopped;     /* the listener ended the run before its end */
    char path[4096];  /* and its file, the last one of several */
} xr_run_report;

/* Runs every item.  EXRAY_OK where at least one frame was written; otherwise
 * error says why not, and `out` is as it was.  A run that the listener stopped is EXRAY_OK, too. */
exray_status xr_run(const xr_run_options *options, xr_items *items, xr_run_report *report,
                    exray_error *error);

#endif
