/* Sensor records of texts: linked only where they are called. */
#include "core/events/events.h"
#include "core/recorder_error.h"

exray_status exray_recorder_log_text(exray_recorder *recorder, const char *name, const char *text,
                                     size_t size)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    if (!text && size)
        return xr_refuse_call(r, EXRAY_E_ARGUMENT, 1, "exray_recorder_log_text", ": ", "text is NULL");
    const exray_media media = {.format = "utf8"};
    const int64_t bytes[1] = {(int64_t)size};
    return exray_recorder_log_tensor(
        recorder,
        &(exray_tensor){.kind = EXRAY_KIND_SENSOR,
                        .info = {.name = name, .dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = bytes},
                        .data = text ? text : "",
                        .size = size,
                        .media = &media});
}
