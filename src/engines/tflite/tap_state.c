#include "engines/tflite/tap_state.h"

#include <stdlib.h>

void xr_tap_fail(xr_tap *tap, exray_status status, const char *message)
{
    atomic_store(&tap->live, false);
    exray_recorder_fail(tap->recorder, status, message);
}

void xr_tap_free_tables(xr_tap_tables *tables)
{
    if (tables)
        xr_tap_free(&tables->blocks);
    free(tables);
}
