#include "checks/perf/system_series.h"

size_t xr_system_series_of(const exray_log *log, const size_t *frame, size_t frames, xr_system_value *take,
                           double *out)
{
    exray_slot *slot = exray_slot_new();
    size_t count = 0;
    for (size_t i = 0; slot && i < frames; i++) {
        size_t records;
        const exray_record *record = exray_log_records_in(log, frame ? frame[i] : i, slot, &records);
        for (size_t k = 0; k < records; k++) {
            exray_system s;
            exray_error error;
            if (record[k].message != EXRAY_MESSAGE_SYSTEM ||
                exray_log_read_system(log, &record[k], slot, &s, &error) != EXRAY_OK)
                continue;
            count += take(&s, &out[count]);
            break;
        }
    }
    exray_slot_free(slot);
    return count;
}

size_t xr_system_series(const exray_log *log, xr_system_value *take, double *out)
{
    return xr_system_series_of(log, NULL, exray_log_frame_count(log), take, out);
}
