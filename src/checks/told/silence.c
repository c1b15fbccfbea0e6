#include "checks/told/silence.h"

/* The frame's record of that message, or NULL. */
static const exray_record *find(const exray_log *log, size_t frame, exray_message message, exray_slot *slot)
{
    size_t count;
    const exray_record *record = exray_log_records_in(log, frame, slot, &count);
    for (size_t i = 0; i < count; i++)
        if (record[i].message == message)
            return &record[i];
    return NULL;
}

bool xr_result_says(const exray_result *r)
{
    return (r->text && *r->text) || r->class_count || r->box_count || r->keypoint_count || r->vector_count ||
           r->mask;
}

static void note_result(const exray_log *log, size_t frame, int side, exray_slot *slot, xr_silence *out)
{
    exray_error error;
    exray_result result;
    if (!find(log, frame, EXRAY_MESSAGE_RESULT, slot))
        return;
    out->told[side]++;
    /* Boxes and a text beside them may be messages of their own. */
    if (exray_log_read_told(log, frame, EXRAY_MESSAGE_RESULT, slot, &result, &error) != EXRAY_OK)
        return;
    bool *what = out->what[side];
    out->says[side] = out->says[side] || xr_result_says(&result);
    what[XR_TOLD_CLASSES] = what[XR_TOLD_CLASSES] || result.class_count > 0;
    what[XR_TOLD_BOXES] = what[XR_TOLD_BOXES] || result.box_count > 0;
    what[XR_TOLD_TEXT] = what[XR_TOLD_TEXT] || (result.text && *result.text);
}

/* The last /system record counts all that was dropped before it. */
static bool dropped_any(const exray_log *log, exray_slot *slot)
{
    exray_error error;
    for (size_t f = exray_log_frame_count(log); f > 0; f--) {
        exray_system system;
        const exray_record *record = find(log, f - 1, EXRAY_MESSAGE_SYSTEM, slot);
        if (record && exray_log_read_system(log, record, slot, &system, &error) == EXRAY_OK &&
            system.has_dropped)
            return system.dropped_records > 0;
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
    xr_silence silence = {.told = {0, 0}};
    exray_slot *slot = exray_slot_new();
    for (int s = 0; s < 2; s++) {
        const exray_log *log = exray_comparison_log(comparison, (exray_side)s);
        for (size_t f = 0; slot && f < exray_comparison_frame_count(comparison); f++)
            note_result(log, exray_comparison_frame(comparison, f).frame[s], s, slot, &silence);
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

bool xr_tells_otherwise(const xr_silence *silence, xr_told_what what)
{
    for (int s = 0; s < 2; s++) {
        bool any = false;
        for (int k = 0; k < XR_TOLD_KINDS; k++)
            any = any || silence->what[s][k];
        if (any && !silence->what[s][what])
            return true;
    }
    return false;
}

bool xr_one_side_records(const xr_silence *silence)
{
    return (silence->told[0] == 0) != (silence->told[1] == 0);
}
