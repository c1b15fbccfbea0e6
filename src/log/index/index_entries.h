/* What the index keeps of messages: 32 bytes of each, and two of each statistic within a message of all
 * layers.  Records are made of them when a frame's are asked for (frame_records.h). */
#ifndef XR_INDEX_ENTRIES_H
#define XR_INDEX_ENTRIES_H

#include <exray/log.h>

/* In exray_record.position: at it lies a TensorStats of a LayerStats message. */
#define XR_RECORD_GATHERED (UINT64_C(1) << 63)

/* A message.  What does not fit into these widths is kept as a record of its own (xr_entries.wide). */
typedef struct xr_entry {
    uint64_t position; /* where the message lies; of gathered statistics: the first of them */
    uint64_t log_time;
    uint32_t frame;
    uint32_t size;  /* of the message; of gathered statistics: where their sizes are in xr_entries.sizes */
    uint32_t chunk; /* EXRAY_NO_INDEX: none */
    uint32_t what;  /* index_entries.c */
} xr_entry;

/* What all records of a topic have in common. */
typedef struct xr_record_form {
    exray_message message;
    exray_kind kind;
    uint32_t index, output;
    const char *topic, *name;
} xr_record_form;

/* Which layers or constants a LayerStats message has: those of most frames are the same. */
typedef struct xr_gathering {
    exray_kind kind;
    uint32_t count;
    const uint32_t *index;
    const char *const *topic;
} xr_gathering;

/* Zero it before use. */
typedef struct xr_entries {
    xr_entry *entry; /* in the log's order, later frame by frame */
    size_t count, capacity;
    exray_record *wide;
    size_t wide_count, wide_capacity;
    uint8_t *sizes; /* of gathered statistics, as varints */
    size_t sizes_count, sizes_capacity;
    xr_record_form *form;
    size_t form_count, form_capacity;
    xr_gathering *gathering;
    size_t gathering_count, gathering_capacity;
    size_t records; /* that all entries have */
    size_t most;    /* records of all entries that are allowed */
} xr_entries;

void xr_entries_free(xr_entries *entries);

/* How far the entries have come, to go back to. */
typedef struct xr_entries_mark {
    size_t count, wide_count, sizes_count, records;
} xr_entries_mark;
xr_entries_mark xr_entries_at(const xr_entries *entries);
void xr_entries_back(xr_entries *entries, xr_entries_mark mark);

/* Adds a record.  *form is 0 with the first record of a topic, and is kept by the caller for the next ones.
 * False: out of memory, or too many. */
bool xr_entries_add(xr_entries *entries, const exray_record *record, uint32_t *form);

/* The number of a gathering of the same indices, or EXRAY_NO_INDEX.  `near`: the one to look at first. */
uint32_t xr_entries_find_gathering(const xr_entries *entries, const xr_gathering *gathering, uint32_t near);
/* Adds one, whose arrays are borrowed; returns its number, or EXRAY_NO_INDEX: out of memory. */
uint32_t xr_entries_add_gathering(xr_entries *entries, const xr_gathering *gathering);
/* Adds a message with statistics of these sizes, which lie behind one another as protobuf writes them;
 * `record` is the first one's.  False: out of memory, or too many. */
bool xr_entries_add_gathered(xr_entries *entries, uint32_t gathering, const exray_record *record,
                             const uint32_t *size);
/* Whether such a message can be kept so: its numbers fit. */
bool xr_entries_can_gather(const xr_entries *entries, const exray_record *record);

bool xr_entry_is_constant(const xr_entries *entries, const xr_entry *entry);
uint64_t xr_entry_frame(const xr_entries *entries, const xr_entry *entry);
/* How many records it has. */
size_t xr_entry_count(const xr_entries *entries, const xr_entry *entry);
/* Writes them; returns their number. */
size_t xr_entry_records(const xr_entries *entries, const xr_entry *entry, exray_record *out);

#endif
