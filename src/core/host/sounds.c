/* Sensor records of sounds: linked only where they are called. */
#include "core/events/events.h"
#include "core/recorder_error.h"

static exray_status bad_argument(xr_recorder *r, const char *what)
{
    return xr_refuse_call(r, EXRAY_E_ARGUMENT, 1, "exray_recorder_log_sound", ": ", what);
}

exray_status exray_recorder_log_sound(exray_recorder *recorder, const char *name, const exray_media *media,
                                      const void *data, size_t size)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    const char *format = media && media->format ? media->format : "";
    if (strcmp(format, "wav") == 0)
        return exray_recorder_log_encoded(recorder, name, format, data, size);
    const bool whole = strcmp(format, "s16") == 0;
    if (!whole && strcmp(format, "f32") != 0)
        return bad_argument(r, "media.format is none of \"s16\", \"f32\", \"wav\"");
    const uint32_t channels = media->channels ? media->channels : 1;
    const size_t each = (size_t)channels * (whole ? 2 : 4);
    if (channels > INT16_MAX || size % each)
        return bad_argument(r, "size is no multiple of the channels' samples");
    if (!data)
        return bad_argument(r, "data is NULL");
    const exray_media told = {.format = format, .sample_rate = media->sample_rate, .channels = channels};
    const int64_t shape[2] = {(int64_t)(size / each), channels};
    return exray_recorder_log_tensor(
        recorder, &(exray_tensor){.kind = EXRAY_KIND_SENSOR,
                                  .info = {.name = name,
                                           .dtype = whole ? EXRAY_DTYPE_INT16 : EXRAY_DTYPE_FLOAT32,
                                           .rank = 2,
                                           .shape = shape},
                                  .data = data,
                                  .size = size,
                                  .media = &told});
}
