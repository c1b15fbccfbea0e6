#include "checks/input/frames/frame_words.h"

#include "checks/input/frames/frame_list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 32, NAME_SIZE = 64 };

/* ---- Readings that separate -------------------------------------------------------------------- */

/* The range of a reading's first value in the chosen frames and in the others. */
typedef struct reading_range {
    char name[NAME_SIZE], unit[16];
    double low[2], high[2]; /* by chosen */
    size_t count[2];
} reading_range;

static reading_range *range_of(reading_range *list, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    if (*count == NAMES || strlen(name) >= NAME_SIZE)
        return NULL;
    reading_range *r = &list[(*count)++];
    *r = (reading_range){.low = {INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY}};
    snprintf(r->name, sizeof r->name, "%s", name);
    return r;
}

static void add_readings(const exray_log *log, size_t frame, bool chosen, exray_slot *slot,
                         reading_range *list, size_t *count)
{
    size_t record_count;
    const exray_record *records = exray_log_records_in(log, frame, slot, &record_count);
    for (size_t i = 0; i < record_count; i++) {
        exray_reading reading;
        exray_error error;
        if (records[i].message != EXRAY_MESSAGE_READING ||
            exray_log_read_reading(log, &records[i], slot, &reading, &error) != EXRAY_OK ||
            reading.count == 0 || !isfinite(reading.value[0]))
            continue;
        const char *slash = strrchr(records[i].topic, '/');
        reading_range *r = range_of(list, count, slash ? slash + 1 : records[i].topic);
        if (!r)
            continue;
        snprintf(r->unit, sizeof r->unit, "%.15s", reading.unit);
        r->low[chosen] = fmin(r->low[chosen], reading.value[0]);
        r->high[chosen] = fmax(r->high[chosen], reading.value[0]);
        r->count[chosen]++;
    }
}

/* How many deviations apart the two ranges are; 0: they overlap, or a side has too few values. */
static double gap_of(const reading_range *r, const size_t frames[2])
{
    double gap = fmax(r->low[1] - r->high[0], r->low[0] - r->high[1]);
    double within = (r->high[0] - r->low[0]) + (r->high[1] - r->low[1]);
    if (r->count[0] < frames[0] || r->count[1] < frames[1] || !(gap > 0))
        return 0;
    return gap / (within + 1e-9 * (1 + fabs(r->high[0]) + fabs(r->high[1])));
}

static void say_reading(const exray_comparison *comparison, const bool *chosen, exray_finding *finding)
{
    reading_range list[NAMES];
    size_t count = 0, best = NAMES, frames[2] = {0, 0};
    double most = 0;
    exray_slot *slot = exray_slot_new();
    for (size_t f = 0; slot && f < exray_comparison_frame_count(comparison); f++) {
        exray_frame_pair pair = exray_comparison_frame(comparison, f);
        frames[chosen[f]]++;
        add_readings(exray_comparison_log(comparison, EXRAY_SIDE_EDGE), pair.frame[EXRAY_SIDE_EDGE],
                     chosen[f], slot, list, &count);
    }
    exray_slot_free(slot);
    for (size_t i = 0; i < count; i++) {
        double gap = gap_of(&list[i], frames);
        if (gap > most) {
            most = gap;
            best = i;
        }
    }
    if (best == NAMES)
        return;
    const reading_range *r = &list[best];
    const char *blank = *r->unit ? " " : "";
    char range[2][64];
    for (int k = 0; k < 2; k++)
        if (r->low[k] < r->high[k])
            snprintf(range[k], sizeof range[k], "%g to %g", r->low[k], r->high[k]);
        else
            snprintf(range[k], sizeof range[k], "%g", r->low[k]);
    exray_finding_detail(finding,
                         "The reading %s separates them: %s%s%s in these frames, %s%s%s in the others.",
                         r->name, range[1], blank, r->unit, range[0], blank, r->unit);
    exray_finding_text(finding, "separating_reading", r->name);
}

void xr_say_frames(const exray_comparison *comparison, const bool *chosen, exray_finding *finding)
{
    char list[256];
    size_t count = 0, frames = exray_comparison_frame_count(comparison);
    for (size_t f = 0; f < frames; f++)
        count += chosen[f];
    xr_list_frames(comparison, chosen, list, sizeof list);
    exray_finding_detail(finding, "This is so in %zu of %zu frames only: %s.", count, frames, list);
    exray_finding_text(finding, "frame_list", list);
    exray_finding_number(finding, "frames_affected", (double)count);
    say_reading(comparison, chosen, finding);
}
