/* The run state of the taps that an application calls for each run (LiteRT, ONNX Runtime). */
#ifndef XR_RUN_STATE_H
#define XR_RUN_STATE_H

#include <exray/exray.h>

typedef struct xr_run_state {
    exray_recorder *recorder;
    bool live;              /* false: runs go on unobserved */
    const char *model_path; /* the application's string, not read after attach; NULL: not given */
    const void *model_data; /* the bytes of that file, or the application's */
    size_t model_size;
    void *own_data; /* to be freed; NULL: the bytes are the application's */
    bool has_run;
    uint64_t last_frame;   /* index of the last run's frame */
    uint64_t failed_runs;  /* the engine returned an error */
    uint64_t foreign_runs; /* of another model than the one attached to */
} xr_run_state;

/* Takes the model's bytes: `data` where given, else the file's.  EXRAY_E_ARGUMENT: neither is given. */
exray_status xr_run_state_read_model(xr_run_state *state, const char *path, const void *data, size_t size,
                                     exray_error *error);

/* Ends attaching: `status` and `error` say how far it came.  From now on the recorder calls `on_close` with
 * `tap`, and runs are observed; on failure the recorder has the error, and the tap is to be freed. */
exray_status xr_run_state_attach(xr_run_state *state, exray_status status, const exray_error *error,
                                 void (*on_close)(void *tap), void *tap);

/* A frame is one run: begins a new one if the open frame had its run already, or none is open. */
void xr_run_state_begin(xr_run_state *state);

/* The run is over: `ok` is what the engine returned. */
void xr_run_state_end(xr_run_state *state, bool ok);

/* Makes the error the recorder's, and stops observing. */
void xr_run_state_fail(xr_run_state *state, const exray_error *error);

/* At close: records how many runs were not observed (an event where that is all of them), frees the bytes. */
void xr_run_state_close(xr_run_state *state);

#endif
