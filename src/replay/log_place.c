#define _POSIX_C_SOURCE 200809L
#include "replay/log_place.h"

#include "base/error.h"
#include "base/file.h"
#include "core/host/sink_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_NAMES = 9999 };

static bool is_beside(const xr_log_place *place)
{
    return *place->path && strcmp(place->path, place->written) != 0;
}

/* What is no log is somebody's file. */
static exray_status may_replace(const char *path, exray_error *error)
{
    uint8_t first[XR_MCAP_MAGIC_SIZE];
    const size_t size = xr_file_begin(path, first, sizeof first);
    if (size == 0 || memcmp(first, XR_MCAP_MAGIC, size) == 0)
        return EXRAY_OK;
    return xr_error_set(error, EXRAY_E_IO,
                        "%.200s is there and is no log: it is not overwritten; give -o another name", path);
}

exray_status xr_log_place_choose(xr_log_place *place, const char *wanted, bool numbered, exray_error *error)
{
    struct stat there;
    *place = (xr_log_place){"", ""};
    char behind[XR_LOG_PATH - sizeof XR_BESIDE - 16];
    if (strlen(wanted) >= sizeof behind)
        return xr_error_set(error, EXRAY_E_ARGUMENT, "cannot write %.200s...: the path is too long", wanted);
    if (!xr_file_behind_links(wanted, behind, sizeof behind))
        return xr_error_set(error, EXRAY_E_IO, "cannot write %.200s: %s", wanted, strerror(errno));
    wanted = behind;
    strcpy(place->written, wanted);
    if (numbered || xr_log_has(wanted, 't') || xr_log_has(wanted, 'n') ||
        (stat(wanted, &there) == 0 && !S_ISREG(there.st_mode)))
        return EXRAY_OK;
    strcpy(place->path, wanted);
    for (uint32_t i = 2; i < MOST_NAMES && xr_log_file_is_unclosed(place->path); i++) {
        char suffix[16];
        snprintf(suffix, sizeof suffix, "-%" PRIu32, i);
        xr_log_insert(wanted, suffix, place->path);
    }
    strcpy(place->written, place->path);
    strcat(place->written, XR_BESIDE);
    return may_replace(place->written, error);
}

static exray_status in_use(const xr_log_place *place, exray_error *error)
{
    return xr_error_set(
        error, EXRAY_E_IO,
        "cannot write %.200s: another run is writing it; wait for that, or give -o another name",
        place->written);
}

exray_status xr_log_place_clear(const xr_log_place *place, exray_error *error)
{
    int reason;
    if (!is_beside(place) || !xr_log_file_is_unclosed(place->written))
        return EXRAY_OK;
    /* Cut to nothing, not removed: another run that has it open keeps its lock on it, and is seen. */
    const int handle = xr_port_open(place->written, &reason);
    if (handle < 0 && reason == xr_port_in_use())
        return in_use(place, error);
    if (handle < 0)
        return xr_error_set(error, EXRAY_E_IO, "cannot write %.200s: %s", place->written, strerror(reason));
    xr_port_close(handle);
    return EXRAY_OK;
}

exray_status xr_log_place_taken(const xr_log_place *place, const char *opened, exray_error *error)
{
    if (!is_beside(place) || strcmp(opened, place->written) == 0)
        return EXRAY_OK;
    unlink(opened);
    return in_use(place, error);
}

exray_status xr_log_place_settle(const xr_log_place *place, bool whole, exray_error *error)
{
    if (!is_beside(place))
        return EXRAY_OK;
    if (!whole) {
        unlink(place->written);
        return EXRAY_OK;
    }
    if (rename(place->written, place->path) == 0)
        return EXRAY_OK;
    const int reason = errno;
    unlink(place->written);
    return xr_error_set(error, EXRAY_E_IO, "cannot write %.200s: %s", place->path, strerror(reason));
}
