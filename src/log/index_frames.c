/* Sorts what the walk found into frames. */
#include "log/index_frames.h"

#include <stdlib.h>
#include <string.h>

/* While the log is walked, first_record is the order in which frames came. */
static int compare_entries(const void *a, const void *b)
{
    const exray_frame *x = &((const xr_frame_entry *)a)->frame, *y = &((const xr_frame_entry *)b)->frame;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return (x->first_record > y->first_record) - (x->first_record < y->first_record);
}

/* The first entry of that index or above. */
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

/* The entry of that index, or NULL.  *near is where the last one was found: most often, this is the same
 * one or the next. */
static xr_frame_entry *find_entry(const xr_builder *b, uint64_t index, size_t *near)
{
    const size_t count = b->frame_count;
    if (*near + 1 < count && b->frames[*near + 1].frame.index == index)
        ++*near;
    else if (*near >= count || b->frames[*near].frame.index != index)
        *near = lower_bound(b, index);
    return *near < count && b->frames[*near].frame.index == index ? &b->frames[*near] : NULL;
}

/* Most logs' frames are in order: qsort would take a copy of them. */
static void sort_entries(xr_frame_entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (compare_entries(&entries[i - 1], &entries[i]) > 0) {
            qsort(entries, count, sizeof *entries, compare_entries);
            return;
        }
}

static void sort_frames(xr_builder *b)
{
    if (b->frame_count == 0)
        return;
    for (size_t i = 0; i < b->frame_count; i++)
        b->frames[i].frame.first_record = i;
    sort_entries(b->frames, b->frame_count);
    size_t kept = 1;
    for (size_t i = 1; i < b->frame_count; i++) {
        if (b->frames[i].frame.index == b->frames[kept - 1].frame.index)
            xr_index_damage(b); /* a second /frame of one index: the first counts */
        else
            b->frames[kept++] = b->frames[i];
    }
    b->frame_count = kept;
}

static bool is_constant(const exray_record *record)
{
    return record->message == EXRAY_MESSAGE_TENSOR && record->kind == EXRAY_KIND_CONSTANT;
}

/* Whether the record's chunk is sound; checks its CRC if that was not done yet. */
static bool chunk_is_good(xr_builder *b, const exray_record *record)
{
    if (record->chunk == EXRAY_NO_INDEX)
        return true;
    xr_chunk *chunk = &b->log->chunks[record->chunk];
    if (atomic_load(&chunk->state) == XR_CHUNK_UNKNOWN)
        xr_file_map_used(&b->log->map, chunk->size);
    return xr_chunk_check(b->log, chunk, b->log->map.base + chunk->records);
}

/* A record without a frame, or outside its frame's time, may owe that to a
 * flipped bit: then it is worth the time to check its chunk.  Drops the records
 * of chunks that are damaged. */
static void drop_odd_records(xr_builder *b)
{
    size_t kept = 0, near = 0;
    for (size_t i = 0; i < b->record_count; i++) {
        const exray_record *r = &b->records[i];
        const xr_frame_entry *entry = is_constant(r) ? NULL : find_entry(b, r->frame, &near);
        bool odd = is_constant(r)
                       ? false
                       : !entry || r->log_time < entry->frame.begin_ns || r->log_time > entry->frame.end_ns;
        if (!odd || chunk_is_good(b, r))
            b->records[kept++] = *r;
    }
    b->record_count = kept;
}

/* A frame whose /frame message is missing (the process died) is made of its
 * records: its index, and the times they span. */
static bool add_missing_frames(xr_builder *b)
{
    const size_t known = b->frame_count;
    size_t near = 0;
    for (size_t i = 0; i < b->record_count; i++) {
        const exray_record *r = &b->records[i];
        const xr_frame_entry missing = {
            .frame = {.index = r->frame, .source = "", .begin_ns = UINT64_MAX, .first_record = i}};
        if ((b->frame_count > known && b->frames[b->frame_count - 1].frame.index == r->frame))
            continue;
        const size_t all = b->frame_count;
        b->frame_count = known; /* these are in order */
        const bool found = find_entry(b, r->frame, &near) != NULL;
        b->frame_count = all;
        if (!found && !xr_index_add_frame(b, &missing))
            return false;
    }
    if (b->frame_count == known)
        return true;
    sort_entries(b->frames, b->frame_count);
    size_t kept = 0;
    for (size_t i = 0; i < b->frame_count; i++)
        if (kept == 0 || b->frames[i].frame.index != b->frames[kept - 1].frame.index)
            b->frames[kept++] = b->frames[i];
    b->frame_count = kept;
    near = 0;
    for (size_t i = 0; i < b->record_count; i++) {
        const exray_record *r = &b->records[i];
        xr_frame_entry *entry = find_entry(b, r->frame, &near);
        if (!entry || entry->frame.complete)
            continue;
        if (r->log_time < entry->frame.begin_ns)
            entry->frame.begin_ns = r->log_time;
        if (r->log_time > entry->frame.end_ns)
            entry->frame.end_ns = r->log_time;
    }
    return true;
}

static int compare_records(const exray_record *a, const exray_record *b)
{
    if (a->message != b->message)
        return a->message < b->message ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->index != b->index)
        return a->index < b->index ? -1 : 1;
    if (a->output != b->output)
        return a->output < b->output ? -1 : 1;
    return (a->occurrence > b->occurrence) - (a->occurrence < b->occurrence);
}

/* Merge sort: stable, so that equal records stay in the log's order, and quick
 * where they are sorted already.  `spare` has room for count records. */
static void sort_records(exray_record *records, exray_record *spare, size_t count)
{
    if (count < 2)
        return;
    size_t half = count / 2;
    sort_records(records, spare, half);
    sort_records(records + half, spare, count - half);
    if (compare_records(&records[half - 1], &records[half]) <= 0)
        return;
    memcpy(spare, records, half * sizeof *records);
    size_t left = 0, right = half, out = 0;
    while (left < half && right < count)
        records[out++] =
            compare_records(&spare[left], &records[right]) <= 0 ? spare[left++] : records[right++];
    while (left < half)
        records[out++] = spare[left++];
}

/* How much a tensor's record keeps of it. */
static int richness(const exray_record *record)
{
    return record->has_data ? 2 : record->has_sketch;
}

static bool is_tensor_of(const exray_record *a, const exray_record *b)
{
    return a->message == EXRAY_MESSAGE_TENSOR && compare_records(a, b) == 0;
}

/* Two records of one name in one frame: one of them may be another tensor's, by a flipped bit.  Returns
 * how many are left. */
static size_t drop_false_twins(xr_builder *b, exray_record *records, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool tensor = records[i].message == EXRAY_MESSAGE_TENSOR;
        bool twin = tensor && ((i > 0 && compare_records(&records[i - 1], &records[i]) == 0 &&
                                records[i - 1].topic == records[i].topic) ||
                               (i + 1 < count && compare_records(&records[i], &records[i + 1]) == 0 &&
                                records[i].topic == records[i + 1].topic));
        /* Decided before anything moves: the neighbors' keys are still there,
         * since `kept` never passes i. */
        if (twin && !chunk_is_good(b, &records[i]))
            continue;
        /* A layer whose statistics are there already has them twice. */
        if (kept && (records[i].position | records[kept - 1].position) & XR_RECORD_GATHERED &&
            is_tensor_of(&records[kept - 1], &records[i]) &&
            richness(&records[kept - 1]) == richness(&records[i]))
            xr_index_damage(b);
        else
            records[kept++] = records[i];
    }
    return kept;
}

/* A flight recorder writes a layer's data behind the statistics that were written at once: they are one
 * record of it, the richer one.  Returns how many are left. */
static size_t drop_poorer_twins(exray_record *records, size_t count)
{
    size_t kept = 0;
    for (size_t first = 0, end; first < count; first = end) {
        int most = richness(&records[first]);
        for (end = first + 1; end < count && records[end].topic == records[first].topic &&
                              compare_records(&records[first], &records[end]) == 0;
             end++)
            if (richness(&records[end]) > most)
                most = richness(&records[end]);
        for (size_t i = first; i < end; i++)
            if (records[i].message != EXRAY_MESSAGE_TENSOR || richness(&records[i]) == most)
                records[kept++] = records[i];
    }
    return kept;
}

/* What one name in one frame has is in order, and there once; returns how many records are left. */
static size_t settle_records(xr_builder *b, exray_record *records, exray_record *spare, size_t count)
{
    sort_records(records, spare, count);
    count = drop_false_twins(b, records, count);
    return drop_poorer_twins(records, count);
}

/* Moves the constants out of the records: wherever they stand in a log, they are of no frame. */
static bool take_constants(xr_builder *b)
{
    exray_log *log = b->log;
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < b->record_count; i++)
        count += is_constant(&b->records[i]);
    exray_record *constants = xr_arena_take(&log->arena, count * sizeof *constants);
    exray_record *spare = xr_arena_take(&b->scratch, count / 2 * sizeof *spare);
    if (!constants || !spare)
        return false;
    count = 0;
    for (size_t i = 0; i < b->record_count; i++) {
        if (is_constant(&b->records[i]))
            constants[count++] = b->records[i];
        else
            b->records[kept++] = b->records[i];
    }
    b->record_count = kept;
    log->constants = constants;
    log->constant_count = settle_records(b, constants, spare, count);
    return true;
}

/* Fills the frames' numbers of records, and whether these are in the frames' order already; returns the
 * largest number. */
static size_t count_records(xr_builder *b, bool *in_order)
{
    size_t most = 0, near = 0, last = 0, first = 0;
    *in_order = true;
    for (size_t i = 0; i < b->frame_count; i++)
        b->frames[i].frame.record_count = 0;
    for (size_t i = 0; i < b->record_count; i++) {
        exray_frame *frame = &find_entry(b, b->records[i].frame, &near)->frame;
        if (++frame->record_count > most)
            most = frame->record_count;
        *in_order = *in_order && near >= last;
        last = near;
    }
    for (size_t i = 0; i < b->frame_count; i++) {
        b->frames[i].frame.first_record = first;
        first += b->frames[i].frame.record_count;
    }
    return most;
}

/* Frame by frame, each in the log's order. */
static bool reorder_records(xr_builder *b)
{
    exray_record *ordered = malloc(b->record_count * sizeof *ordered);
    size_t near = 0;
    if (!ordered)
        return false;
    for (size_t i = 0; i < b->record_count; i++)
        ordered[find_entry(b, b->records[i].frame, &near)->frame.first_record++] = b->records[i];
    for (size_t i = 0; i < b->frame_count; i++)
        b->frames[i].frame.first_record -= b->frames[i].frame.record_count;
    free(b->records);
    b->records = ordered;
    return true;
}

/* Puts the records into the frames' order: most logs have them so, and then no copy is made. */
static bool place_records(xr_builder *b)
{
    bool in_order;
    const size_t most = count_records(b, &in_order);
    exray_record *spare = xr_arena_take(&b->scratch, most / 2 * sizeof *spare);
    if (!spare || (!in_order && !reorder_records(b)))
        return false;
    for (size_t i = 0; i < b->frame_count; i++) {
        exray_frame *frame = &b->frames[i].frame;
        frame->record_count = settle_records(b, b->records + frame->first_record, spare, frame->record_count);
    }
    return true;
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
    sort_frames(b);
    drop_odd_records(b);
    if (!take_constants(b) || !add_missing_frames(b) || !place_records(b))
        return false;
    log->frame_count = b->frame_count;
    log->frames = trimmed(b->frames, b->frame_count * sizeof *b->frames);
    log->record_count = b->record_count;
    log->records = trimmed(b->records, b->record_count * sizeof *b->records);
    b->frames = NULL;
    b->records = NULL;
    return true;
}
