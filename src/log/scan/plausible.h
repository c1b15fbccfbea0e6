/* What may be a record, by its bytes alone: for going on behind damage. */
#ifndef XR_LOG_PLAUSIBLE_H
#define XR_LOG_PLAUSIBLE_H

#include "log/wire.h"

/* Whether a record of a data section may stand at `at`: its header fits into what is there, and its length
 * is one that such a record can have.  Reads a few bytes. */
bool xr_may_be_record(const uint8_t *at, const uint8_t *end);

/* Whether records of that opcode stand in our data sections. */
bool xr_is_known_opcode(uint8_t opcode);

/* Whether it is a record of a known opcode in which one bit was changed. */
bool xr_has_changed_opcode(const xr_mcap_record *record);

/* Whether the record's content has the form of its opcode in all lengths; of a message, that it is protobuf.
 */
bool xr_has_form(const xr_mcap_record *record);

/* Whether no CRC in it covers a chunk or an attachment: it has none, or another form than ours. */
bool xr_has_no_crc(const xr_mcap_record *record);

/* Whether a chunk stands at `at` that ends behind `end`, by all of its lengths. */
bool xr_is_cut_chunk(const uint8_t *at, const uint8_t *end);

/* The first place from `from` on where a record stands that cannot be there by chance: chunks, and
 * attachments with a CRC, by their lengths; with `loose` also messages (their two times are equal, and a
 * record follows), schemas, channels and metadata.  They end at `end` at the latest.  A chunk's own lengths
 * count, where its record's is wrong.  NULL: there is none.  Looks at each byte once. */
const uint8_t *xr_find_record(const uint8_t *from, const uint8_t *end, bool loose, xr_mcap_record *record);

#endif
