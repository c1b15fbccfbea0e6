/* What a validation takes from model files: weights for logs that were recorded without them,
 * and layers that are run alone. */
#ifndef XR_MODELS_H
#define XR_MODELS_H

#include "compare/compare.h"
#include "isolate/constants.h"

#include <exray/validate.h>

/* One side's model file, and the log that borrows of it. */
typedef struct xr_lender {
    void *bytes; /* the file's; NULL: none was named */
    size_t size;
    exray_log *log; /* the caller's, opened again: a borrowing log is not the caller's any more */
    xr_loan loan;
    char remark[400]; /* why nothing is taken of it; "" where something is */
} xr_lender;

/* `*log` becomes the one that borrows; `path` may be NULL, then nothing happens. */
exray_status xr_lender_open(xr_lender *lender, exray_side side, const char *path, const exray_log **log,
                            exray_error *error);
/* After what compares the log is gone; a zeroed one is fine. */
void xr_lender_close(xr_lender *lender);

/* Whether the options go together. */
exray_status xr_isolation_check(const exray_validation_options *o, exray_error *error);
/* Runs wrong layers alone, if `o->engine` is set; `remark` says what could not be, or "". */
exray_status xr_isolation_run(const exray_validation_options *o, const xr_lender *reference,
                              exray_comparison *comparison, char remark[480], exray_error *error);

#endif
