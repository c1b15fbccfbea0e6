/* The records of a frame, when they are asked for. */
#include "log/find_in.h"
#include "log/index/frame_records.h"
#include "log/slot_room.h"

#include <stdlib.h>
#include <string.h>

/* The frame's records at `out`, which has room for all that its entries have, and half of it more. */
static void make_records(const exray_log *log, size_t frame, const xr_entry *entry, size_t entries,
                         size_t room, exray_record *out)
{
    /* The file may be another one by now (a chunk's checksum is what counts): no more than there were. */
    const size_t was = log->frames[frame].frame.record_count;
    size_t count = xr_settle_records(log, entry, entries, out, out + room, false);
    for (; count < was; count++)
        out[count] = xr_no_record;
}

const exray_record *exray_log_records_in(const exray_log *log, size_t frame, exray_slot *slot, size_t *count)
{
    *count = log->frames[frame].frame.record_count;
    const exray_record *has = atomic_load_explicit(&log->made[frame], memory_order_acquire);
    if (!has)
        has = xr_slot_has_records(slot, log, frame);
    if (has)
        return has;
    size_t entries;
    const xr_entry *entry = xr_frame_entries(log, frame, &entries);
    const size_t room = xr_entries_records(log, entry, entries);
    exray_record *records = xr_slot_records(slot, log, frame, room + room / 2);
    *count = records ? *count : 0;
    if (records)
        make_records(log, frame, entry, entries, room, records);
    return records;
}

const exray_record *exray_log_records(const exray_log *log, size_t frame)
{
    _Atomic(exray_record *) *made = &log->made[frame];
    exray_record *records = atomic_load_explicit(made, memory_order_acquire);
    if (records)
        return records;
    size_t entries;
    const xr_entry *entry = xr_frame_entries(log, frame, &entries);
    const size_t room = xr_entries_records(log, entry, entries);
    records = malloc((room + room / 2 + 1) * sizeof *records);
    if (!records)
        return log->no_records; /* as many, that hold nothing; the failure is counted (base/memory.h) */
    make_records(log, frame, entry, entries, room, records);
    exray_record *smaller = realloc(records, (log->frames[frame].frame.record_count + 1) * sizeof *records);
    if (smaller)
        records = smaller;
    exray_record *other = NULL; /* another thread may have been quicker */
    if (atomic_compare_exchange_strong(made, &other, records))
        return records;
    free(records);
    return other;
}

static const exray_record *find(const exray_record *records, size_t count, exray_kind kind, uint32_t index,
                                uint32_t output, const char *name)
{
    /* Sorted by message, kind and index: skip what is below by halves. */
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const exray_record *r = &records[middle];
        bool below = r->message == EXRAY_MESSAGE_TENSOR &&
                     (r->kind < kind || (r->kind == kind && !name && r->index < index));
        if (below)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i < count; i++) {
        const exray_record *r = &records[i];
        if (r->message != EXRAY_MESSAGE_TENSOR || r->kind != kind || (!name && r->index != index))
            return NULL;
        if (r->output == output && r->occurrence == 0 && (!name || strcmp(r->name, name) == 0))
            return r;
    }
    return NULL;
}

const exray_record *exray_log_find(const exray_log *log, size_t frame, exray_kind kind, uint32_t index,
                                   uint32_t output, const char *name)
{
    if (kind == EXRAY_KIND_CONSTANT)
        return find(log->constants, log->constant_count, kind, index, output, name);
    if (frame >= log->frame_count)
        return NULL;
    return find(exray_log_records(log, frame), log->frames[frame].frame.record_count, kind, index, output,
                name);
}

const exray_record *xr_log_find_in(const exray_log *log, size_t frame, exray_kind kind, uint32_t index,
                                   uint32_t output, const char *name, exray_slot *slot)
{
    size_t count;
    if (kind == EXRAY_KIND_CONSTANT || frame >= log->frame_count)
        return exray_log_find(log, frame, kind, index, output, name);
    const exray_record *records = exray_log_records_in(log, frame, slot, &count);
    return records ? find(records, count, kind, index, output, name) : NULL;
}
