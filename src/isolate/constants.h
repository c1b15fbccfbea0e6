/* Constants of a model file for a log that was recorded without their data. */
#ifndef XR_CONSTANTS_H
#define XR_CONSTANTS_H

#include "log/attached_constants.h"
#include "models/model_file.h"

/* What is attached to a log; it must live as long as the log is open. */
typedef struct xr_constants {
    xr_model_file file;
    xr_attached_constant *list;
    size_t count; /* 0: nothing was missing, or nothing is in the file */
} xr_constants;

/* Reads a model file's bytes (borrowed until release) and attaches its constants to the log where that has no
 * data of them: those of the same name, type and shape.  `why` (240 bytes) says why nothing is attached: the
 * log has no model, or was recorded with another file by its sha256; "" otherwise.  Error: it is no model. */
exray_status xr_constants_attach(exray_log *log, const void *bytes, size_t size, xr_constants *constants,
                                 char why[240], exray_error *error);
/* After the log is closed; zeroed ones are fine. */
void xr_constants_release(xr_constants *constants);

#endif
