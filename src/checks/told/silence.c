#include "checks/told/silence.h"

static bool has_result(const exray_log *log, size_t frame)
{
    const exray_record *record = exray_log_records(log, frame);
    for (size_t i = 0; i < exray_log_frame(log, frame)->record_count; i++)
        if (record[i].message == EXRAY_MESSAGE_RESULT)
            return true;
    return false;
}

static bool dropped_any(const exray_log *log, exray_slot *slot)
{
    size_t frames = exray_log_frame_count(log);
    exray_error error;
    for (size_t f = frames; f > 0; f--) {
        const exray_record *record = exray_log_records(log, f - 1);
        for (size_t i = 0; i < exray_log_frame(log, f - 1)->record_count; i++) {
            exray_system system;
            if (record[i].message == EXRAY_MESSAGE_SYSTEM &&
                exray_log_read_system(log, &record[i], slot, &system, &error) == EXRAY_OK &&
                system.has_dropped)
                return system.dropped_records > 0;
        }
    }
    return false;
}

static bool lost_any(const exray_log *log)
{
    for (size_t i = 0; i < exray_log_event_count(log); i++) {
        const exray_event *event = exray_log_event(log, i);
        if (event->kind == EXRAY_EVENT_GAP || (event->has_records_lost && event->records_lost))
            return true;
    }
    return exray_log_lost(log) > 0 || exray_log_damaged(log) > 0 || exray_log_truncated(log);
}

xr_silence xr_silence_of(const exray_comparison *comparison)
{
    xr_silence silence = {{0, 0}, {false, false}};
    exray_slot *slot = exray_slot_new();
    for (int s = 0; s < 2; s++) {
        const exray_log *log = exray_comparison_log(comparison, (exray_side)s);
        for (size_t f = 0; f < exray_comparison_frame_count(comparison); f++)
            silence.told[s] += has_result(log, exray_comparison_frame(comparison, f).frame[s]);
        silence.lossy[s] = lost_any(log) || !slot || dropped_any(log, slot);
    }
    exray_slot_free(slot);
    return silence;
}

bool xr_may_compare_results(const xr_silence *silence, const bool has[2])
{
    if (has[0] == has[1])
        return has[0];
    int silent = has[0] ? 1 : 0;
    return silence->told[silent] > 0 && !silence->lossy[silent];
}

bool xr_one_side_records(const xr_silence *silence)
{
    return (silence->told[0] == 0) != (silence->told[1] == 0);
}
