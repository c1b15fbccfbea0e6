/* Sorts what the walk found into frames. */
#include "log/index/index_frames.h"

#include "log/index/frame_records.h"

#include <stdlib.h>
#include <string.h>

/* While the log is walked, first_record is the order in which frames came. */
static int compare_frames(const void *a, const void *b)
{
    const exray_frame *x = &((const xr_frame_entry *)a)->frame, *y = &((const xr_frame_entry *)b)->frame;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return (x->first_record > y->first_record) - (x->first_record < y->first_record);
}

/* The first frame of that index or above. */
static size_t lower_bound(const xr_builder *b, uint64_t index)
{
    size_t low = 0, high = b->frame_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (b->frames[middle].frame.index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The frame of that index, or NULL.  *near is where the last one was found: most often, this is the same
 * one or the next. */
static xr_frame_entry *find_frame(const xr_builder *b, uint64_t index, size_t *near)
{
    const size_t count = b->frame_count;
    if (*near + 1 < count && b->frames[*near + 1].frame.index == index)
        ++*near;
    else if (*near >= count || b->frames[*near].frame.index != index)
        *near = lower_bound(b, index);
    return *near < count && b->frames[*near].frame.index == index ? &b->frames[*near] : NULL;
}

/* Most logs' frames are in order: qsort would take a copy of them. */
static void sort_frame_list(xr_frame_entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (compare_frames(&entries[i - 1], &entries[i]) > 0) {
            qsort(entries, count, sizeof *entries, compare_frames);
            return;
        }
}

static void sort_frames(xr_builder *b)
{
    if (b->frame_count == 0)
        return;
    for (size_t i = 0; i < b->frame_count; i++)
        b->frames[i].frame.first_record = i;
    sort_frame_list(b->frames, b->frame_count);
    size_t kept = 1;
    for (size_t i = 1; i < b->frame_count; i++) {
        if (b->frames[i].frame.index == b->frames[kept - 1].frame.index)
            xr_index_damage(b); /* a second /frame of one index: the first counts */
        else
            b->frames[kept++] = b->frames[i];
    }
    b->frame_count = kept;
}

static uint64_t frame_of(const xr_builder *b, size_t i)
{
    return xr_entry_frame(&b->log->entries, &b->log->entries.entry[i]);
}

static bool is_constant(const xr_builder *b, size_t i)
{
    return xr_entry_is_constant(&b->log->entries, &b->log->entries.entry[i]);
}

/* A message without a frame, or outside its frame's time, may owe that to a
 * flipped bit: then it is worth the time to check its chunk.  Drops the messages
 * of chunks that are damaged. */
static void drop_odd_entries(xr_builder *b)
{
    xr_entries *e = &b->log->entries;
    size_t kept = 0, near = 0;
    for (size_t i = 0; i < e->count; i++) {
        const xr_entry entry = e->entry[i];
        bool odd = false;
        if (!is_constant(b, i)) {
            const xr_frame_entry *of = find_frame(b, frame_of(b, i), &near);
            odd = !of || entry.log_time < of->frame.begin_ns || entry.log_time > of->frame.end_ns;
        }
        if (!odd || xr_chunk_is_good(b->log, entry.chunk))
            e->entry[kept++] = entry;
    }
    e->count = kept;
}

/* A frame whose /frame message is missing (the process died) is made of its
 * messages: its index, and the times they span. */
static bool add_missing_frames(xr_builder *b)
{
    const xr_entries *e = &b->log->entries;
    const size_t known = b->frame_count;
    size_t near = 0;
    for (size_t i = 0; i < e->count; i++) {
        const uint64_t index = frame_of(b, i);
        const xr_frame_entry missing = {
            .frame = {.index = index, .source = "", .begin_ns = UINT64_MAX, .first_record = i}};
        if ((b->frame_count > known && b->frames[b->frame_count - 1].frame.index == index))
            continue;
        const size_t all = b->frame_count;
        b->frame_count = known; /* these are in order */
        const bool found = find_frame(b, index, &near) != NULL;
        b->frame_count = all;
        if (!found && !xr_index_add_frame(b, &missing))
            return false;
    }
    if (b->frame_count == known)
        return true;
    sort_frame_list(b->frames, b->frame_count);
    size_t kept = 0;
    for (size_t i = 0; i < b->frame_count; i++)
        if (kept == 0 || b->frames[i].frame.index != b->frames[kept - 1].frame.index)
            b->frames[kept++] = b->frames[i];
    b->frame_count = kept;
    near = 0;
    for (size_t i = 0; i < e->count; i++) {
        const uint64_t log_time = e->entry[i].log_time;
        xr_frame_entry *of = find_frame(b, frame_of(b, i), &near);
        if (!of || of->frame.complete)
            continue;
        if (log_time < of->frame.begin_ns)
            of->frame.begin_ns = log_time;
        if (log_time > of->frame.end_ns)
            of->frame.end_ns = log_time;
    }
    return true;
}

/* Makes the records of the constants, wherever they stand in a log: they are of no frame. */
static bool take_constants(xr_builder *b)
{
    exray_log *log = b->log;
    xr_entries *e = &log->entries;
    size_t count = 0, kept = 0, records = 0;
    for (size_t i = 0; i < e->count; i++)
        count += is_constant(b, i);
    xr_entry *constants = xr_arena_take(&b->scratch, count * sizeof *constants);
    if (!constants)
        return false;
    count = 0;
    for (size_t i = 0; i < e->count; i++) {
        if (is_constant(b, i))
            constants[count++] = e->entry[i];
        else
            e->entry[kept++] = e->entry[i];
    }
    e->count = kept;
    records = xr_entries_records(log, constants, count);
    exray_record *made = xr_arena_take(&log->arena, records * sizeof *made);
    exray_record *spare = xr_arena_take(&b->scratch, records / 2 * sizeof *spare);
    if (!made || !spare)
        return false;
    log->constants = made;
    log->constant_count = xr_settle_records(log, constants, count, made, spare, true);
    return true;
}

/* Fills the frames' first_record, the position of their first entry; *in_order: they are so already. */
static void count_entries(xr_builder *b, bool *in_order)
{
    const size_t count = b->log->entries.count;
    size_t near = 0, last = 0, first = 0;
    *in_order = true;
    for (size_t i = 0; i < b->frame_count; i++)
        b->frames[i].frame.record_count = 0;
    for (size_t i = 0; i < count; i++) {
        find_frame(b, frame_of(b, i), &near)->frame.record_count++;
        *in_order = *in_order && near >= last;
        last = near;
    }
    for (size_t i = 0; i < b->frame_count; i++) {
        b->frames[i].frame.first_record = first;
        first += b->frames[i].frame.record_count;
    }
}

/* Frame by frame, each in the log's order. */
static bool reorder_entries(xr_builder *b)
{
    xr_entries *e = &b->log->entries;
    xr_entry *ordered = malloc(e->count * sizeof *ordered);
    size_t near = 0;
    if (!ordered)
        return false;
    for (size_t i = 0; i < e->count; i++)
        ordered[find_frame(b, frame_of(b, i), &near)->frame.first_record++] = e->entry[i];
    for (size_t i = 0; i < b->frame_count; i++)
        b->frames[i].frame.first_record -= b->frames[i].frame.record_count;
    free(e->entry);
    e->entry = ordered;
    e->capacity = e->count;
    return true;
}

/* Makes each frame's records once, to count them. */
static bool count_records(xr_builder *b)
{
    exray_log *log = b->log;
    size_t most = 0, count, left = 0;
    for (size_t i = 0; i < log->frame_count; i++) {
        const xr_entry *entry = xr_frame_entries(log, i, &count);
        const size_t records = xr_entries_records(log, entry, count);
        if (records > most)
            most = records;
    }
    exray_record *made = xr_arena_take(&b->scratch, (most + most / 2) * sizeof *made);
    if (!made)
        return false;
    for (size_t i = 0; i < log->frame_count; i++) {
        const xr_entry *entry = xr_frame_entries(log, i, &count);
        count = xr_settle_records(log, entry, count, made, made + most, true);
        log->frames[i].frame.record_count = count;
        log->unchecked += xr_log_count_unchecked(log, made, count);
        if (count > left)
            left = count;
    }
    return xr_log_expect_records(log, left);
}

/* Without the room at its end, where that can be given back. */
static void *trimmed(void *items, size_t size)
{
    void *smaller = size ? realloc(items, size) : NULL;
    return smaller ? smaller : items;
}

bool xr_index_frames(xr_builder *b)
{
    exray_log *log = b->log;
    xr_entries *e = &log->entries;
    bool in_order;
    sort_frames(b);
    drop_odd_entries(b);
    if (!take_constants(b) || !add_missing_frames(b))
        return false;
    count_entries(b, &in_order);
    if (!in_order && !reorder_entries(b))
        return false;
    log->frame_count = b->frame_count;
    log->frames = trimmed(b->frames, b->frame_count * sizeof *b->frames);
    b->frames = NULL;
    e->entry = trimmed(e->entry, e->count * sizeof *e->entry);
    e->sizes = trimmed(e->sizes, e->sizes_count);
    return count_records(b);
}
