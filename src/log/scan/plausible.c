#include "log/scan/plausible.h"

#include <string.h>

enum { HEADER = XR_MCAP_RECORD_HEADER };

/* The least content that a record of that opcode has; UINT64_MAX: it is not in a data section. */
static uint64_t least_size(uint8_t opcode)
{
    switch (opcode) {
    case XR_MCAP_SCHEMA:
        return 2 + 4 + 4 + 4;
    case XR_MCAP_CHANNEL:
        return 2 + 2 + 4 + 4 + 4;
    case XR_MCAP_MESSAGE:
        return XR_MCAP_MESSAGE_HEADER;
    case XR_MCAP_CHUNK:
        return 8 + 8 + 8 + 4 + 4 + 8;
    case XR_MCAP_MESSAGE_INDEX:
        return 2 + 4;
    case XR_MCAP_ATTACHMENT:
        return 8 + 8 + 4 + 4 + 8 + 4;
    case XR_MCAP_METADATA:
        return 4 + 4;
    case 0:
    case XR_MCAP_HEADER:
    case XR_MCAP_FOOTER:
    case XR_MCAP_CHUNK_INDEX:
    case XR_MCAP_ATTACHMENT_INDEX:
    case XR_MCAP_STATISTICS:
    case XR_MCAP_METADATA_INDEX:
    case XR_MCAP_SUMMARY_OFFSET:
        return UINT64_MAX;
    default: /* DataEnd, Check, and what we do not know */
        return 0;
    }
}

bool xr_may_be_record(const uint8_t *at, const uint8_t *end)
{
    uint64_t left = (uint64_t)(end - at);
    if (left < HEADER)
        return false;
    uint64_t size = xr_load64(at + 1);
    if (size > left - HEADER || size < least_size(*at))
        return false;
    switch (*at) {
    case XR_MCAP_MESSAGE_INDEX:
        return xr_load32(at + HEADER + 2) == size - 6 && (size - 6) % 16 == 0;
    case XR_MCAP_DATA_END:
        return size == 4;
    case XR_MCAP_CHECK:
        return size == XR_MCAP_CHECK_SIZE;
    default:
        return true;
    }
}

/* ---- Form ------------------------------------------------------------------- */

/* Whether the fields take all of a record: numbers of so many bytes, texts and data ('t', 'd': their length
 * of 32 or 64 bits stands before them). */
static bool fields_fit(const uint8_t *content, uint64_t size, const char *fields)
{
    xr_cursor c = xr_cursor_begin(content, (size_t)size);
    for (; *fields; fields++) {
        if (*fields == 't')
            xr_cursor_text(&c);
        else if (*fields == 'd')
            xr_cursor_bytes(&c, xr_cursor_u64(&c));
        else
            xr_cursor_bytes(&c, (uint64_t)(*fields - '0'));
    }
    return !c.bad && c.at == c.end;
}

static bool is_protobuf(const uint8_t *data, size_t size)
{
    xr_wire wire = xr_wire_begin(data, size);
    for (xr_field field; xr_wire_next(&wire, &field);)
        ;
    return !wire.bad;
}

bool xr_has_form(const xr_mcap_record *record)
{
    const uint8_t *at = record->data;
    switch (record->opcode) {
    case XR_MCAP_SCHEMA:
        return fields_fit(at, record->size, "2ttt");
    case XR_MCAP_CHANNEL:
        return fields_fit(at, record->size, "22ttt");
    case XR_MCAP_METADATA:
        return fields_fit(at, record->size, "tt");
    case XR_MCAP_ATTACHMENT:
        return fields_fit(at, record->size, "88ttd4");
    case XR_MCAP_CHUNK:
        return fields_fit(at, record->size, "8884td");
    case XR_MCAP_DATA_END:
        return record->size == 4;
    case XR_MCAP_MESSAGE_INDEX:
        return record->size >= 6 && xr_load32(at + 2) == record->size - 6 && (record->size - 6) % 16 == 0;
    case XR_MCAP_MESSAGE:
        return record->size >= XR_MCAP_MESSAGE_HEADER &&
               is_protobuf(at + XR_MCAP_MESSAGE_HEADER, record->size - XR_MCAP_MESSAGE_HEADER);
    default:
        return true;
    }
}

bool xr_is_known_opcode(uint8_t opcode)
{
    uint64_t least = least_size(opcode);
    return (least && least != UINT64_MAX) || opcode == XR_MCAP_DATA_END || opcode == XR_MCAP_CHECK;
}

bool xr_has_changed_opcode(const xr_mcap_record *record)
{
    enum { LOW = 0x0F };
    const xr_mcap_record was = {record->opcode & LOW, record->data, record->size};
    uint8_t bits = record->opcode & ~LOW;
    return bits && (bits & (bits - 1)) == 0 && xr_is_known_opcode(was.opcode) &&
           record->size >= least_size(was.opcode) && xr_has_form(&was);
}

bool xr_has_no_crc(const xr_mcap_record *record)
{
    enum { CHUNK_CRC = 24 };
    if (!xr_has_form(record)) /* what its CRC covers cannot be told */
        return true;
    bool chunk = record->opcode == XR_MCAP_CHUNK;
    return xr_load32(record->data + (chunk ? CHUNK_CRC : record->size - 4)) == 0;
}

/* ---- Search ----------------------------------------------------------------- */

/* What a chunk says of itself. */
typedef struct chunk_lengths {
    const uint8_t *records;
    uint64_t stored, left; /* bytes that it has, and that are there */
} chunk_lengths;

static bool read_chunk(const uint8_t *at, const uint8_t *end, chunk_lengths *out)
{
    if (end - at <= HEADER)
        return false;
    xr_cursor c = xr_cursor_begin(at + HEADER, (size_t)(end - at) - HEADER);
    xr_cursor_u64(&c);
    xr_cursor_u64(&c);
    uint64_t size = xr_cursor_u64(&c);
    xr_cursor_u32(&c);
    xr_text compression = xr_cursor_text(&c);
    uint64_t stored = xr_cursor_u64(&c);
    bool plain = xr_text_is(compression, "");
    if (c.bad || size == 0 || (plain && stored != size) ||
        (!plain && !xr_text_is(compression, "lz4") && !xr_text_is(compression, "zstd")))
        return false;
    *out = (chunk_lengths){c.at, stored, (uint64_t)(c.end - c.at)};
    return true;
}

/* A chunk, by the lengths in it. */
static bool is_chunk(const uint8_t *at, const uint8_t *end, xr_mcap_record *record)
{
    chunk_lengths chunk;
    if (!read_chunk(at, end, &chunk) || chunk.stored > chunk.left)
        return false;
    *record = (xr_mcap_record){*at, at + HEADER, (size_t)(chunk.records + chunk.stored - at) - HEADER};
    return true;
}

bool xr_is_cut_chunk(const uint8_t *at, const uint8_t *end)
{
    chunk_lengths chunk;
    return *at == XR_MCAP_CHUNK && read_chunk(at, end, &chunk) && chunk.stored > chunk.left &&
           xr_load64(at + 1) == (uint64_t)(chunk.records - at) - HEADER + chunk.stored;
}

static bool follows(const uint8_t *at, const uint8_t *end)
{
    return at == end || xr_may_be_record(at, end);
}

/* Two equal times, or (of another program) three records in a row. */
static bool is_message(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *next = at + HEADER + xr_load64(at + 1);
    if (!follows(next, end))
        return false;
    uint64_t time = xr_load64(at + HEADER + 6);
    if (time && time == xr_load64(at + HEADER + 14))
        return true;
    if (next == end)
        return false;
    next += HEADER + xr_load64(next + 1);
    return follows(next, end);
}

static bool stands_at(const uint8_t *at, const uint8_t *end, bool loose, xr_mcap_record *record)
{
    if (*at == XR_MCAP_CHUNK)
        return is_chunk(at, end, record) && (loose || !xr_has_no_crc(record));
    if (!xr_may_be_record(at, end))
        return false;
    *record = (xr_mcap_record){*at, at + HEADER, (size_t)xr_load64(at + 1)};
    switch (*at) {
    case XR_MCAP_ATTACHMENT:
        return loose ? xr_has_form(record) : !xr_has_no_crc(record);
    case XR_MCAP_MESSAGE:
        return loose && is_message(at, end);
    case XR_MCAP_SCHEMA:
    case XR_MCAP_CHANNEL:
    case XR_MCAP_METADATA:
        return loose && xr_has_form(record) && follows(record->data + record->size, end);
    default:
        return false;
    }
}

const uint8_t *xr_find_record(const uint8_t *from, const uint8_t *end, bool loose, xr_mcap_record *record)
{
    for (; end - from >= HEADER; from++)
        if (*from >= XR_MCAP_SCHEMA && *from <= XR_MCAP_METADATA && stands_at(from, end, loose, record))
            return from;
    return NULL;
}
