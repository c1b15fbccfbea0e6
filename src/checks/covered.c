#include "checks/covered.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- Frames ----------------------------------------------------------------------------- */

static uint64_t index_at(const exray_log *log, size_t i)
{
    return exray_log_frame(log, i)->index;
}

/* A frame of which a record of /system alone is there says how far the run went, and is not covered. */
static bool is_covered(const exray_log *log, size_t i)
{
    const exray_frame *frame = exray_log_frame(log, i);
    if (frame->complete)
        return true;
    const exray_record *record = exray_log_records(log, i);
    bool other = false;
    for (size_t k = 0; k < frame->record_count && !other; k++)
        other = record[k].message != EXRAY_MESSAGE_SYSTEM;
    return other;
}

size_t xr_frame_ranges(const exray_log *log, xr_frame_range *range, size_t most)
{
    size_t ranges = 0;
    xr_frame_range now = {1, 0}; /* none yet */
    for (size_t i = 0; i < exray_log_frame_count(log); i++) {
        const uint64_t index = index_at(log, i);
        if (!is_covered(log, i))
            continue;
        const bool follows = ranges && index - now.last <= 1;
        now = (xr_frame_range){follows ? now.first : index, index};
        ranges += !follows;
        if (ranges <= most)
            range[ranges - 1] = now;
    }
    return ranges;
}

uint64_t xr_frames_ran(const exray_log *log)
{
    const size_t count = exray_log_frame_count(log);
    uint64_t ran = count ? index_at(log, count - 1) + 1 : 0;
    for (size_t i = 0; i < exray_log_event_count(log); i++) {
        const exray_event *event = exray_log_event(log, i);
        /* Gaps, errors and resets between two frames name the next one, which may not come. */
        const bool began = event->kind == EXRAY_EVENT_LEVEL || event->kind == EXRAY_EVENT_TRIGGER ||
                           event->kind == EXRAY_EVENT_USER;
        if (!event->has_frame || event->frame == UINT64_MAX)
            continue;
        const uint64_t told = event->frame + began;
        ran = told > ran ? told : ran;
    }
    return ran;
}

/* ---- Words ------------------------------------------------------------------------------ */

typedef struct line {
    char *text;
    size_t size, used;
} line;

__attribute__((format(printf, 2, 3))) static void add(line *l, const char *format, ...)
{
    va_list arguments;
    if (l->used + 1 >= l->size)
        return;
    va_start(arguments, format);
    const int n = vsnprintf(l->text + l->used, l->size - l->used, format, arguments);
    va_end(arguments);
    if (n > 0)
        l->used = (size_t)n < l->size - l->used ? l->used + (size_t)n : l->size - 1;
}

/* A text of the log: a part of it, without what steers a terminal, and with whole characters. */
static void add_text(line *l, const char *text)
{
    enum { MOST = 160 };
    char part[MOST + 4];
    size_t n = 0;
    for (; text[n] && n < MOST; n++)
        part[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7F ? '?' : text[n];
    const bool cut = text[n] != 0;
    while (cut && n && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    memcpy(part + n, "...", 4);
    if (!cut)
        part[n] = 0;
    if (l->used + strlen(part) < l->size)
        add(l, "%s", part);
}

static void add_frames(line *l, const exray_log *log, size_t most)
{
    enum { ROOM = 16 };
    xr_frame_range range[ROOM];
    const size_t all = xr_frame_ranges(log, range, most < ROOM ? most : ROOM);
    const size_t shown = all < most ? all : most < ROOM ? most : ROOM;
    for (size_t i = 0; i < shown; i++) {
        const char *before = i == 0 ? "" : i + 1 == all ? " and " : ", ";
        add(l, "%s%" PRIu64, before, range[i].first);
        if (range[i].last != range[i].first)
            add(l, "-%" PRIu64, range[i].last);
    }
    if (all > shown)
        add(l, " and %zu more range%s", all - shown, all - shown == 1 ? "" : "s");
}

void xr_frame_words(const exray_log *log, size_t most, char *text, size_t size)
{
    line l = {text, size, 0};
    *text = 0;
    add_frames(&l, log, most);
}

/* ---- Events ----------------------------------------------------------------------------- */

/* What happened after the last frame decides what is behind it. */
static void after_frames(const exray_event *event, xr_told *out)
{
    static const char off[] = "capture off";
    if (event->kind == EXRAY_EVENT_ROTATE)
        out->goes_on = true;
    if (event->kind == EXRAY_EVENT_LEVEL)
        out->turned_off = strncmp(event->text, off, sizeof off - 1) == 0;
}

void xr_told_by(const exray_log *log, xr_told *out)
{
    const size_t frames = exray_log_frame_count(log);
    const uint64_t end = frames ? exray_log_frame(log, frames - 1)->end_ns : 0;
    *out = (xr_told){0};
    for (size_t i = 0; i < exray_log_event_count(log); i++) {
        const exray_event *event = exray_log_event(log, i);
        const uint64_t lost = event->has_records_lost ? event->records_lost : 0;
        if (event->kind == EXRAY_EVENT_GAP) {
            out->gap = out->gaps++ ? out->gap : event->text;
            out->gap_records += lost;
        } else if (event->kind == EXRAY_EVENT_ERROR) {
            out->error = out->errors++ ? out->error : event->text;
            out->error_records += lost;
        } else if (event->kind == EXRAY_EVENT_LEVEL) {
            out->levels++;
            out->level = event->text;
        }
        if (frames && event->log_time >= end)
            after_frames(event, out);
    }
}

const char *xr_file_number(const exray_log *log)
{
    const char *name;
    const exray_key_value *pairs;
    for (size_t i = 0;; i++) {
        const size_t count = exray_log_metadata_at(log, i, &name, &pairs);
        if (!name)
            return NULL;
        for (size_t k = 0; strcmp(name, "exray.file") == 0 && k < count; k++)
            if (strcmp(pairs[k].key, "number") == 0)
                return pairs[k].value;
    }
}

/* "; 3 gaps, 120 records lost: ..." */
static void add_events(line *l, const char *what, size_t count, uint64_t records, const char *text)
{
    if (!count)
        return;
    add(l, "; %zu %s%s", count, what, count == 1 ? "" : "s");
    if (records)
        add(l, ", %" PRIu64 " record%s lost", records, records == 1 ? "" : "s");
    if (text && *text) {
        add(l, ": ");
        add_text(l, text);
    }
}

void xr_covered_words(const exray_log *log, char *text, size_t size)
{
    enum { RANGES = 4 };
    line l = {text, size, 0};
    xr_told told;
    xr_frame_range first;
    const size_t ranges = xr_frame_ranges(log, &first, 1);
    const uint64_t ran = xr_frames_ran(log);
    const bool all = ranges == 0 ? ran == 0 : ranges == 1 && first.first == 0 && first.last + 1 == ran;
    const char *number = xr_file_number(log);
    *text = 0;
    xr_told_by(log, &told);
    if (all && !told.gaps && !told.errors && !told.levels && !number)
        return;
    if (ranges) {
        add(&l, "frame%s ", ranges == 1 && first.first == first.last ? "" : "s");
        add_frames(&l, log, RANGES);
        if (!all)
            add(&l, " of %" PRIu64, ran);
    } else {
        add(&l, "no frames");
    }
    if (number) {
        add(&l, "; file ");
        add_text(&l, number);
        add(&l, " of the recording%s", told.goes_on ? ", which goes on in the next" : "");
    }
    add_events(&l, "gap", told.gaps, told.gap_records, told.gap);
    add_events(&l, "error", told.errors, told.error_records, told.error);
    if (told.levels) {
        add(&l, "; ");
        if (told.levels > 1)
            add(&l, "%zu changes of the level, the last: ", told.levels);
        add_text(&l, told.level);
    }
}
