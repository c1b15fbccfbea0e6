/* What the taps share that an application calls for each run (LiteRT, ONNX Runtime). */
#ifndef XR_ATTACHMENT_H
#define XR_ATTACHMENT_H

#include <exray/exray.h>

typedef struct xr_attachment {
    exray_recorder *recorder;
    bool live;              /* false: runs go on unobserved */
    const char *model_path; /* NULL: not told; the application's, not read after attach */
    const void *model_data; /* what it names, or the application's bytes */
    size_t model_size;
    void *own_data; /* to be freed; NULL: the bytes are the application's */
    bool has_run;
    uint64_t last_frame;   /* index of the last run's frame */
    uint64_t failed_runs;  /* the engine said no */
    uint64_t foreign_runs; /* of another model than the one attached to */
} xr_attachment;

/* A whole file in malloc'd memory; NULL: error says why. */
void *xr_read_file(const char *path, size_t *size, exray_error *error);

/* A path's last part; NULL for NULL. */
const char *xr_base_name(const char *path);

/* Takes the model's bytes: `data` where given, else the file's.  EXRAY_E_ARGUMENT where
 * there is neither. */
exray_status xr_attachment_read(xr_attachment *a, const char *path, const void *data, size_t size,
                                exray_error *error);

/* A frame is one run: begins a new one where the open frame had its run already, or none
 * is open. */
void xr_attachment_begin(xr_attachment *a);

/* The run is over: `ok` as the engine says. */
void xr_attachment_end(xr_attachment *a, bool ok);

/* Makes the error the recorder's, and stops observing. */
void xr_attachment_fail(xr_attachment *a, const exray_error *error);

/* At close: says what was not observed, frees the bytes. */
void xr_attachment_close(xr_attachment *a);

#endif
