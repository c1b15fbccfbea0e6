#include "log/index/frame_records.h"

#include <stdlib.h>
#include <string.h>

bool xr_chunk_is_good(const exray_log *log, uint32_t number)
{
    if (number == EXRAY_NO_INDEX)
        return true;
    xr_chunk *chunk = &log->chunks[number];
    if (xr_chunk_is_unchecked(chunk))
        xr_file_map_used(&log->map, chunk->size);
    return xr_chunk_check(log, chunk, log->map.base + chunk->records);
}

/* ---- In order, each name once -------------------------------------------------- */

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
 * where they are sorted already.  `spare` has room for half of them. */
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
static size_t drop_false_twins(const exray_log *log, exray_record *records, size_t count, bool count_damage)
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
        if (twin && !xr_chunk_is_good(log, records[i].chunk))
            continue;
        /* A layer whose statistics are there already has them twice. */
        if (kept && (records[i].position | records[kept - 1].position) & XR_RECORD_GATHERED &&
            is_tensor_of(&records[kept - 1], &records[i]) &&
            richness(&records[kept - 1]) == richness(&records[i])) {
            if (count_damage)
                xr_log_damage(log);
        } else {
            records[kept++] = records[i];
        }
    }
    return kept;
}

/* A flight recorder writes a tensor's data behind the statistics that were written at once: they are one
 * record of it, the richer one.  Several pictures of a sensor in one frame are several records, though: one
 * that is poorer than those before it, and has no richer one behind it, is a picture of its own.  Returns how
 * many are left. */
static size_t drop_poorer_twins(exray_record *records, size_t count)
{
    enum { RICHNESSES = 3 };
    size_t kept = 0;
    for (size_t first = 0, end; first < count; first = end) {
        size_t last[RICHNESSES] = {0}; /* where the last of each is, counted from 1 */
        for (end = first; end < count && records[end].topic == records[first].topic &&
                          compare_records(&records[first], &records[end]) == 0;
             end++)
            last[richness(&records[end])] = end + 1;
        const bool sensor = records[first].kind == EXRAY_KIND_SENSOR;
        for (size_t i = first; i < end; i++) {
            bool poorer = false;
            for (int r = richness(&records[i]) + 1; r < RICHNESSES; r++)
                poorer = poorer || last[r] > (sensor ? i : 0);
            if (records[i].message != EXRAY_MESSAGE_TENSOR || !poorer)
                records[kept++] = records[i];
        }
    }
    return kept;
}

size_t xr_entries_records(const exray_log *log, const xr_entry *entry, size_t count)
{
    size_t records = 0;
    for (size_t i = 0; i < count; i++)
        records += xr_entry_count(&log->entries, &entry[i]);
    return records;
}

size_t xr_settle_records(const exray_log *log, const xr_entry *entry, size_t count, exray_record *out,
                         exray_record *spare, bool count_damage)
{
    size_t records = 0;
    for (size_t i = 0; i < count; i++)
        records += xr_entry_records(&log->entries, &entry[i], out + records);
    sort_records(out, spare, records);
    records = drop_false_twins(log, out, records, count_damage);
    return drop_poorer_twins(out, records);
}

const exray_record xr_no_record = {.message = EXRAY_MESSAGE_OTHER,
                                   .kind = EXRAY_KIND_COUNT,
                                   .index = EXRAY_NO_INDEX,
                                   .topic = "",
                                   .name = "",
                                   .chunk = EXRAY_NO_INDEX};

/* ---- Of a log ---------------------------------------------------------------- */

const xr_entry *xr_frame_entries(const exray_log *log, size_t frame, size_t *count)
{
    const size_t first = log->frames[frame].frame.first_record;
    const size_t end =
        frame + 1 < log->frame_count ? log->frames[frame + 1].frame.first_record : log->entries.count;
    *count = end - first;
    return log->entries.entry + first;
}

bool xr_log_expect_records(exray_log *log, size_t most)
{
    log->made = calloc(log->frame_count + 1, sizeof *log->made);
    log->no_records = malloc((most + 1) * sizeof *log->no_records);
    if (!log->made || !log->no_records)
        return false;
    for (size_t i = 0; i <= most; i++)
        log->no_records[i] = xr_no_record;
    return true;
}

uint64_t xr_log_count_unchecked(const exray_log *log, const exray_record *records, size_t of)
{
    uint64_t count = 0;
    for (size_t i = 0; i < of; i++) {
        uint32_t chunk = records[i].chunk;
        count += (chunk == EXRAY_NO_INDEX && !log->checked) ||
                 (chunk < log->chunk_count && log->chunks[chunk].crc == 0);
    }
    return count;
}
