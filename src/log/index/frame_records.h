/* The records of a frame, made of the index's entries. */
#ifndef XR_FRAME_RECORDS_H
#define XR_FRAME_RECORDS_H

#include "log/log_file.h"

/* The entries of the frame at a position. */
const xr_entry *xr_frame_entries(const exray_log *log, size_t frame, size_t *count);

/* How many records entries have, before any is left out. */
size_t xr_entries_records(const exray_log *log, const xr_entry *entry, size_t count);

/* Writes the records of entries, in order, each name once; returns how many are left.  `out` and `spare` have
 * room for xr_entries_records of them, and half as many.  `count_damage`: what is left out is counted. */
size_t xr_settle_records(const exray_log *log, const xr_entry *entry, size_t count, exray_record *out,
                         exray_record *spare, bool count_damage);

/* Whether the record's chunk is sound; checks its CRC if that was not done yet.  `chunk`: EXRAY_NO_INDEX, or
 * of the log. */
bool xr_chunk_is_good(const exray_log *log, uint32_t chunk);

/* Of no message. */
extern const exray_record xr_no_record;

/* How many of the records no checksum covers. */
uint64_t xr_log_count_unchecked(const exray_log *log, const exray_record *records, size_t count);
/* Room for what exray_log_records makes; `most`: records of a frame.  False: out of memory. */
bool xr_log_expect_records(exray_log *log, size_t most);

#endif
