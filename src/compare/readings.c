/* Readings of peripheral sensors along the matched frames. */
#include "compare/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_READINGS = 64, MOST_WIDTH = 16, LONGEST_NAME = 128 };
static const char topic[] = "/reading/";

/* The reading of that name, of that side, which is added where it is new; NULL: there are too many, or the
 * other side has it. */
static xr_reading_kept *reading_of(exray_comparison *c, exray_side side, const char *name,
                                   const exray_reading *first)
{
    for (size_t i = 0; i < c->reading_count; i++)
        if (strcmp(c->reading[i].name, name) == 0)
            return c->reading[i].shown.side == side ? &c->reading[i] : NULL;
    if (c->reading_count == MOST_READINGS || strlen(name) >= LONGEST_NAME || first->count == 0)
        return NULL;
    xr_reading_kept *grown = realloc(c->reading, (c->reading_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    c->reading = grown;
    xr_reading_kept *r = &grown[c->reading_count];
    *r = (xr_reading_kept){.shown = {.side = side}};
    r->shown.width = first->count < MOST_WIDTH ? first->count : MOST_WIDTH;
    r->value = malloc((c->frame_count * r->shown.width + 1) * sizeof *r->value);
    if (!r->value)
        return NULL;
    for (size_t i = 0; i < c->frame_count * r->shown.width; i++)
        r->value[i] = NAN;
    memcpy(r->name, name, strlen(name) + 1);
    strncpy(r->unit, first->unit ? first->unit : "", sizeof r->unit - 1);
    c->reading_count++;
    return r;
}

static void read_frame(exray_comparison *c, exray_side side, size_t frame, exray_slot *slot)
{
    const exray_log *log = c->log[side];
    size_t count;
    const exray_record *record = exray_log_records_in(log, c->frame[frame].frame[side], slot, &count);
    for (size_t i = 0; i < count; i++) {
        exray_reading reading;
        exray_error ignored;
        if (record[i].message != EXRAY_MESSAGE_READING ||
            strncmp(record[i].topic, topic, sizeof topic - 1) != 0 ||
            exray_log_read_reading(log, &record[i], slot, &reading, &ignored) != EXRAY_OK)
            continue;
        xr_reading_kept *r = reading_of(c, side, record[i].topic + sizeof topic - 1, &reading);
        for (size_t k = 0; r && k < r->shown.width && k < reading.count; k++)
            r->value[frame * r->shown.width + k] = reading.value[k];
    }
}

bool xr_readings_load(exray_comparison *c)
{
    exray_slot *slot = exray_slot_new();
    for (int s = 0; slot && s < 2; s++)
        for (size_t f = 0; f < c->frame_count; f++)
            read_frame(c, (exray_side)s, f, slot);
    for (size_t i = 0; i < c->reading_count; i++) { /* they have stopped moving */
        c->reading[i].shown.name = c->reading[i].name;
        c->reading[i].shown.unit = c->reading[i].unit;
        c->reading[i].shown.value = c->reading[i].value;
    }
    bool ok = slot != NULL;
    exray_slot_free(slot);
    return ok;
}

void xr_readings_free(exray_comparison *c)
{
    for (size_t i = 0; i < c->reading_count; i++)
        free(c->reading[i].value);
    free(c->reading);
}

size_t exray_comparison_reading_count(const exray_comparison *comparison)
{
    return comparison->reading_count;
}

const exray_reading_series *exray_comparison_reading(const exray_comparison *comparison, size_t i)
{
    return i < comparison->reading_count ? &comparison->reading[i].shown : NULL;
}
