/* What the user was told in a frame, and its truth. */
#include "base/error.h"
#include "log/told/read_joined.h"

exray_status exray_log_read_told(const exray_log *log, size_t frame, exray_message which, exray_slot *slot,
                                 exray_result *out, exray_error *error)
{
    if (frame >= exray_log_frame_count(log) ||
        (which != EXRAY_MESSAGE_RESULT && which != EXRAY_MESSAGE_TRUTH))
        return xr_error_set(error, EXRAY_E_ARGUMENT, "%s has no frame %zu, or no such message",
                            exray_log_path(log), frame);
    size_t count, total = 0, found = 0;
    const exray_record *records = exray_log_records_in(log, frame, slot, &count), *last = NULL;
    if (!records && exray_log_frame(log, frame)->record_count)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory while reading %s", exray_log_path(log));
    for (size_t i = 0; records && i < count; i++)
        if (records[i].message == which) {
            last = &records[i];
            total += (size_t)records[i].size;
            found++;
        }
    if (!last)
        return EXRAY_E_STATE;
    if (found == 1)
        return exray_log_read_result(log, last, slot, out, error);
    return xr_read_joined(log, records, count, which, total, slot, out, error);
}
