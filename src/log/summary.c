#include "log/summary.h"

#include <errno.h>
#include <exray/codecs.h>
#include <stdlib.h>
#include <string.h>

/* ---- Bytes that grow ---------------------------------------------------------- */

static void append(xr_writer *w, xr_bytes *bytes, const void *data, size_t size)
{
    if (size > bytes->capacity - bytes->size) {
        size_t capacity = bytes->capacity ? bytes->capacity : 4096;
        while (capacity - bytes->size < size)
            capacity *= 2;
        uint8_t *grown = realloc(bytes->data, capacity);
        if (!grown) {
            w->no_memory = true;
            return;
        }
        bytes->data = grown;
        bytes->capacity = capacity;
    }
    if (size)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static void append_number(xr_writer *w, xr_bytes *bytes, uint64_t value, size_t size)
{
    uint8_t little[8];
    for (size_t i = 0; i < size; i++)
        little[i] = (uint8_t)(value >> (8 * i));
    append(w, bytes, little, size);
}

static void append_text(xr_writer *w, xr_bytes *bytes, xr_text text)
{
    append_number(w, bytes, text.size, 4);
    append(w, bytes, text.data, text.size);
}

static void append_record(xr_writer *w, xr_bytes *bytes, uint8_t opcode, const void *content, size_t size)
{
    append_number(w, bytes, opcode, 1);
    append_number(w, bytes, size, 8);
    append(w, bytes, content, size);
}

/* ---- Records ------------------------------------------------------------------- */

void xr_writer_begin(xr_writer *w, FILE *file)
{
    memset(w, 0, sizeof *w);
    w->file = file;
    w->first_time = UINT64_MAX;
}

void xr_writer_free(xr_writer *w)
{
    xr_arena_free(&w->arena);
    free(w->summary.data);
    free(w->chunk_indexes.data);
    free(w->attachment_indexes.data);
    free(w->metadata_indexes.data);
}

bool xr_writer_good(const xr_writer *w)
{
    return !w->failed && !w->no_memory && !w->arena.failed;
}

void xr_writer_raw(xr_writer *w, const void *data, size_t size)
{
    if (!w->failed && size && fwrite(data, 1, size, w->file) != size)
        w->failed = errno ? errno : EIO;
    w->at += size;
}

static void put_header(xr_writer *w, uint8_t opcode, uint64_t size)
{
    uint8_t header[XR_MCAP_RECORD_HEADER] = {opcode};
    for (size_t i = 0; i < 8; i++)
        header[1 + i] = (uint8_t)(size >> (8 * i));
    xr_writer_raw(w, header, sizeof header);
}

void xr_writer_record(xr_writer *w, uint8_t opcode, const void *content, size_t size)
{
    put_header(w, opcode, size);
    xr_writer_raw(w, content, size);
}

static bool know(xr_writer *w, xr_id_map *map, const uint8_t *content, size_t size)
{
    uint16_t id = xr_load16(content);
    if (xr_id_get(map, id))
        return true;
    xr_known *known = xr_arena_take(&w->arena, sizeof *known);
    char *copy = xr_arena_take(&w->arena, size);
    if (!known || !copy)
        return false;
    memcpy(copy, content, size);
    known->content = (xr_text){copy, size};
    return xr_id_set(map, &w->arena, id, known);
}

bool xr_writer_know_schema(xr_writer *w, const uint8_t *content, size_t size)
{
    return know(w, &w->schemas, content, size);
}

bool xr_writer_know_channel(xr_writer *w, const uint8_t *content, size_t size)
{
    return know(w, &w->channels, content, size);
}

static int compare_entries(const void *a, const void *b)
{
    const xr_index_entry *x = a, *y = b;
    if (x->channel != y->channel)
        return x->channel < y->channel ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Writes the message indexes of a chunk's sorted entries, and adds (channel,
 * offset) of each to `where`. */
static void put_message_indexes(xr_writer *w, const xr_chunk_out *chunk, xr_bytes *where)
{
    xr_bytes content = {0};
    for (size_t i = 0; i < chunk->count;) {
        uint16_t channel = chunk->entries[i].channel;
        size_t end = i;
        while (end < chunk->count && chunk->entries[end].channel == channel)
            end++;
        append_number(w, where, channel, 2);
        append_number(w, where, w->at, 8);
        content.size = 0;
        append_number(w, &content, channel, 2);
        append_number(w, &content, (end - i) * 16, 4);
        xr_known *known = xr_id_get(&w->channels, channel);
        if (known)
            known->messages += end - i;
        for (; i < end; i++) {
            append_number(w, &content, chunk->entries[i].log_time, 8);
            append_number(w, &content, chunk->entries[i].offset, 8);
        }
        xr_writer_record(w, XR_MCAP_MESSAGE_INDEX, content.data, content.size);
    }
    free(content.data);
}

void xr_writer_chunk(xr_writer *w, const xr_chunk_out *chunk)
{
    uint64_t first = chunk->count ? UINT64_MAX : 0, last = 0, start = w->at;
    for (size_t i = 0; i < chunk->count; i++) {
        uint64_t time = chunk->entries[i].log_time;
        first = time < first ? time : first;
        last = time > last ? time : last;
    }
    xr_text compression = {chunk->compression, strlen(chunk->compression)};
    xr_bytes head = {0}, where = {0}, index = {0};
    append_number(w, &head, first, 8);
    append_number(w, &head, last, 8);
    append_number(w, &head, chunk->size, 8);
    append_number(w, &head, chunk->crc, 4);
    append_text(w, &head, compression);
    append_number(w, &head, chunk->stored_size, 8);
    put_header(w, XR_MCAP_CHUNK, head.size + chunk->stored_size);
    xr_writer_raw(w, head.data, head.size);
    xr_writer_raw(w, chunk->stored, chunk->stored_size);
    uint64_t length = w->at - start;
    if (chunk->count)
        qsort(chunk->entries, chunk->count, sizeof *chunk->entries, compare_entries);
    put_message_indexes(w, chunk, &where);

    append_number(w, &index, first, 8);
    append_number(w, &index, last, 8);
    append_number(w, &index, start, 8);
    append_number(w, &index, length, 8);
    append_text(w, &index, (xr_text){(const char *)where.data, where.size});
    append_number(w, &index, w->at - start - length, 8);
    append_text(w, &index, compression);
    append_number(w, &index, chunk->stored_size, 8);
    append_number(w, &index, chunk->size, 8);
    append_record(w, &w->chunk_indexes, XR_MCAP_CHUNK_INDEX, index.data, index.size);
    free(head.data);
    free(where.data);
    free(index.data);

    w->chunks++;
    w->messages += chunk->count;
    if (chunk->count) {
        w->first_time = first < w->first_time ? first : w->first_time;
        w->last_time = last > w->last_time ? last : w->last_time;
    }
}

void xr_writer_attachment(xr_writer *w, const uint8_t *content, size_t size)
{
    xr_cursor c = xr_cursor_begin(content, size);
    uint64_t log_time = xr_cursor_u64(&c), create_time = xr_cursor_u64(&c);
    xr_text name = xr_cursor_text(&c), media_type = xr_cursor_text(&c);
    uint64_t data_size = xr_cursor_u64(&c);
    xr_bytes index = {0};
    append_number(w, &index, w->at, 8);
    append_number(w, &index, XR_MCAP_RECORD_HEADER + size, 8);
    append_number(w, &index, log_time, 8);
    append_number(w, &index, create_time, 8);
    append_number(w, &index, data_size, 8);
    append_text(w, &index, name);
    append_text(w, &index, media_type);
    append_record(w, &w->attachment_indexes, XR_MCAP_ATTACHMENT_INDEX, index.data, index.size);
    free(index.data);
    xr_writer_record(w, XR_MCAP_ATTACHMENT, content, size);
    w->attachments++;
}

void xr_writer_metadata(xr_writer *w, const uint8_t *content, size_t size)
{
    xr_cursor c = xr_cursor_begin(content, size);
    xr_text name = xr_cursor_text(&c);
    xr_bytes index = {0};
    append_number(w, &index, w->at, 8);
    append_number(w, &index, XR_MCAP_RECORD_HEADER + size, 8);
    append_text(w, &index, name);
    append_record(w, &w->metadata_indexes, XR_MCAP_METADATA_INDEX, index.data, index.size);
    free(index.data);
    xr_writer_record(w, XR_MCAP_METADATA, content, size);
    w->metadata++;
}

/* ---- The end ------------------------------------------------------------------- */

static void append_statistics(xr_writer *w, uint16_t schemas, uint32_t channels)
{
    xr_bytes content = {0}, counts = {0};
    append_number(w, &content, w->messages, 8);
    append_number(w, &content, schemas, 2);
    append_number(w, &content, channels, 4);
    append_number(w, &content, w->attachments, 4);
    append_number(w, &content, w->metadata, 4);
    append_number(w, &content, w->chunks, 4);
    append_number(w, &content, w->messages ? w->first_time : 0, 8);
    append_number(w, &content, w->last_time, 8);
    for (uint32_t id = 0; id <= UINT16_MAX; id++) {
        const xr_known *known = xr_id_get(&w->channels, (uint16_t)id);
        if (known && known->messages) {
            append_number(w, &counts, id, 2);
            append_number(w, &counts, known->messages, 8);
        }
    }
    append_text(w, &content, (xr_text){(const char *)counts.data, counts.size});
    append_record(w, &w->summary, XR_MCAP_STATISTICS, content.data, content.size);
    free(content.data);
    free(counts.data);
}

/* Closes a group of the summary that began at `start`. */
static void end_group(xr_writer *w, xr_bytes *offsets, uint8_t opcode, size_t start, uint64_t base)
{
    if (w->summary.size == start)
        return;
    uint8_t content[17] = {opcode};
    uint64_t numbers[2] = {base + start, w->summary.size - start};
    for (size_t i = 0; i < 16; i++)
        content[1 + i] = (uint8_t)(numbers[i / 8] >> (8 * (i % 8)));
    append_record(w, offsets, XR_MCAP_SUMMARY_OFFSET, content, sizeof content);
}

/* All known contents as records of the summary; returns how many. */
static uint32_t append_known(xr_writer *w, xr_bytes *offsets, uint8_t opcode, const xr_id_map *map,
                             uint64_t base)
{
    size_t start = w->summary.size;
    uint32_t count = 0;
    for (uint32_t id = 0; id <= UINT16_MAX; id++) {
        const xr_known *known = xr_id_get(map, (uint16_t)id);
        if (!known)
            continue;
        append_record(w, &w->summary, opcode, known->content.data, known->content.size);
        count++;
    }
    end_group(w, offsets, opcode, start, base);
    return count;
}

static void append_group(xr_writer *w, xr_bytes *offsets, uint8_t opcode, const xr_bytes *records,
                         uint64_t base)
{
    size_t start = w->summary.size;
    append(w, &w->summary, records->data, records->size);
    end_group(w, offsets, opcode, start, base);
}

void xr_writer_end(xr_writer *w)
{
    static const uint8_t no_crc[4] = {0};
    xr_writer_record(w, XR_MCAP_DATA_END, no_crc, sizeof no_crc);
    uint64_t base = w->at;
    xr_bytes offsets = {0};
    uint32_t schemas = append_known(w, &offsets, XR_MCAP_SCHEMA, &w->schemas, base);
    uint32_t channels = append_known(w, &offsets, XR_MCAP_CHANNEL, &w->channels, base);
    size_t start = w->summary.size;
    append_statistics(w, (uint16_t)schemas, channels);
    end_group(w, &offsets, XR_MCAP_STATISTICS, start, base);
    append_group(w, &offsets, XR_MCAP_CHUNK_INDEX, &w->chunk_indexes, base);
    append_group(w, &offsets, XR_MCAP_ATTACHMENT_INDEX, &w->attachment_indexes, base);
    append_group(w, &offsets, XR_MCAP_METADATA_INDEX, &w->metadata_indexes, base);
    uint64_t offset_start = base + w->summary.size;
    append(w, &w->summary, offsets.data, offsets.size);
    free(offsets.data);
    /* The CRC covers the footer's first two fields too. */
    append_number(w, &w->summary, XR_MCAP_FOOTER, 1);
    append_number(w, &w->summary, XR_MCAP_FOOTER_SIZE, 8);
    append_number(w, &w->summary, base, 8);
    append_number(w, &w->summary, offset_start, 8);
    uint32_t crc = w->no_memory ? 0 : exray_codec_default()->crc32(0, w->summary.data, w->summary.size);
    append_number(w, &w->summary, crc, 4);
    append(w, &w->summary, XR_MCAP_MAGIC, XR_MCAP_MAGIC_SIZE);
    xr_writer_raw(w, w->summary.data, w->summary.size);
}
