#include "cli/export/export.h"

void xr_export_skip(const exray_error *error, uint64_t *skipped)
{
    if (error->status == EXRAY_E_MEMORY) /* no fault of the log's: the command fails, and says so itself */
        return;
    /* The first few by name: a damaged log may have thousands. */
    enum { NAMED = 5 };
    if ((*skipped)++ < NAMED)
        fprintf(stderr, "exray: %s\n", error->message);
}
