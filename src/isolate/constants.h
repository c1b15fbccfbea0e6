/* Constants of a model file for a log that was recorded without their data. */
#ifndef XR_CONSTANTS_H
#define XR_CONSTANTS_H

#include "log/attached_constants.h"
#include "models/model_file.h"

/* What a log borrows; lives as long as the log is open. */
typedef struct xr_loan {
    xr_model_file file;
    xr_lent_constant *list;
    size_t count; /* 0: nothing was missing, or nothing is in the file */
} xr_loan;

/* Reads a model file's bytes (borrowed until free) and lends its constants to the log, where that has none of
 * their data: those of the same name, type and shape.  `why` (240 bytes) says what speaks against it, "" if
 * nothing does: no model in the log, or another file by its sha256; then nothing is lent.  Errors: it is no
 * model. */
exray_status xr_loan_make(exray_log *log, const void *bytes, size_t size, xr_loan *loan, char why[240],
                          exray_error *error);
/* After the log is closed; a zeroed loan is fine. */
void xr_loan_free(xr_loan *loan);

#endif
