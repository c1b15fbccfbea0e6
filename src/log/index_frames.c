/* Sorts what the walk found into frames. */
#include "log/index_frames.h"

#include <stdlib.h>
#include <string.h>

static int compare_entries(const void *a, const void *b)
{
    const xr_frame_entry *x = a, *y = b;
    if (x->frame.index != y->frame.index)
        return x->frame.index < y->frame.index ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static xr_frame_entry *entries(const xr_builder *b)
{
    return b->frames.items;
}

/* The first entry of that index or above. */
static size_t lower_bound(const xr_builder *b, uint64_t index)
{
    size_t low = 0, high = b->frames.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entries(b)[middle].frame.index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static xr_frame_entry *find_entry(const xr_builder *b, uint64_t index)
{
    size_t i = lower_bound(b, index);
    return i < b->frames.count && entries(b)[i].frame.index == index ? &entries(b)[i] : NULL;
}

static void sort_frames(xr_builder *b)
{
    if (b->frames.count == 0)
        return;
    qsort(b->frames.items, b->frames.count, sizeof(xr_frame_entry), compare_entries);
    size_t kept = 1;
    for (size_t i = 1; i < b->frames.count; i++) {
        if (entries(b)[i].frame.index == entries(b)[kept - 1].frame.index)
            xr_index_damage(b); /* a second /frame of one index: the first counts */
        else
            entries(b)[kept++] = entries(b)[i];
    }
    b->frames.count = kept;
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
    size_t kept = 0;
    for (size_t i = 0; i < b->record_count; i++) {
        const exray_record *r = &b->records[i];
        const xr_frame_entry *entry = is_constant(r) ? NULL : find_entry(b, r->frame);
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
    xr_list missing = {0};
    for (size_t i = 0; i < b->record_count; i++) {
        const exray_record *r = &b->records[i];
        if (is_constant(r) || find_entry(b, r->frame))
            continue;
        xr_frame_entry *last = missing.count ? &((xr_frame_entry *)missing.items)[missing.count - 1] : NULL;
        if (last && last->frame.index == r->frame)
            continue;
        xr_frame_entry *entry = xr_list_add(&missing, &b->scratch, sizeof *entry);
        if (!entry)
            return false;
        entry->frame = (exray_frame){.index = r->frame, .source = "", .begin_ns = UINT64_MAX};
    }
    if (missing.count == 0)
        return true;
    if (!xr_list_reserve(&b->frames, &b->scratch, sizeof(xr_frame_entry), missing.count))
        return false;
    qsort(missing.items, missing.count, sizeof(xr_frame_entry), compare_entries);
    const xr_frame_entry *sorted = missing.items;
    for (size_t i = 0; i < missing.count; i++)
        if (i == 0 || sorted[i].frame.index != sorted[i - 1].frame.index)
            entries(b)[b->frames.count++] = sorted[i];
    qsort(b->frames.items, b->frames.count, sizeof(xr_frame_entry), compare_entries);
    for (size_t i = 0; i < b->record_count; i++) {
        const exray_record *r = &b->records[i];
        xr_frame_entry *entry = is_constant(r) ? NULL : find_entry(b, r->frame);
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

/* Moves the records into the log's table: frame by frame, constants last. */
static bool place_records(xr_builder *b)
{
    exray_log *log = b->log;
    size_t frames = b->frames.count;
    size_t *start = xr_arena_take(&b->scratch, (frames + 2) * sizeof *start);
    log->records = xr_arena_take(&log->arena, b->record_count * sizeof *log->records);
    if (!start || !log->records)
        return false;
    for (size_t i = 0; i < b->record_count; i++) {
        const exray_record *r = &b->records[i];
        start[(is_constant(r) ? frames : lower_bound(b, r->frame)) + 1]++;
    }
    for (size_t i = 0; i <= frames; i++)
        start[i + 1] += start[i];
    for (size_t i = 0; i < frames; i++)
        entries(b)[i].frame.first_record = start[i];
    log->first_constant = start[frames];
    for (size_t i = 0; i < b->record_count; i++) {
        const exray_record *r = &b->records[i];
        log->records[start[is_constant(r) ? frames : lower_bound(b, r->frame)]++] = *r;
    }
    /* Now start[i] is where frame i ends, and b->records is free for use as scratch. */
    for (size_t i = 0; i <= frames; i++) {
        size_t first = i < frames ? entries(b)[i].frame.first_record : log->first_constant;
        size_t count = start[i] - first;
        sort_records(log->records + first, b->records, count);
        count = drop_false_twins(b, log->records + first, count);
        count = drop_poorer_twins(log->records + first, count);
        if (i < frames)
            entries(b)[i].frame.record_count = count;
        else
            log->record_count = first + count;
    }
    return true;
}

bool xr_index_frames(xr_builder *b)
{
    exray_log *log = b->log;
    sort_frames(b);
    drop_odd_records(b);
    if (!add_missing_frames(b) || !place_records(b))
        return false;
    log->frame_count = b->frames.count;
    log->frames = xr_arena_take(&log->arena, log->frame_count * sizeof *log->frames);
    log->extras = xr_arena_take(&log->arena, log->frame_count * sizeof *log->extras);
    if (!log->frames || !log->extras)
        return false;
    for (size_t i = 0; i < log->frame_count; i++) {
        log->frames[i] = entries(b)[i].frame;
        log->extras[i] = entries(b)[i].extra;
    }
    return true;
}
