#include "log/mcap_writer.h"

#include <errno.h>
#include <exray/codecs.h>
#include <exray/exray.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 1 << 20,   /* messages are gathered up to this; */
    ALONE = CHUNK / 4, /* from this size on they are a chunk of their own */
};

/* ---- Contents of records ------------------------------------------------------- */

static void append_text(xr_buffer *bytes, const void *text, size_t size)
{
    xr_buffer_add_number(bytes, size, 4);
    xr_buffer_add(bytes, text, size);
}

static void append_string(xr_buffer *bytes, const char *text)
{
    append_text(bytes, text, strlen(text));
}

static void append_record(xr_buffer *bytes, uint8_t opcode, const void *content, size_t size)
{
    xr_buffer_add_number(bytes, opcode, 1);
    xr_buffer_add_number(bytes, size, 8);
    xr_buffer_add(bytes, content, size);
}

/* Frees a buffer that was needed for a while. */
static void finish(xr_mcap_writer *w, xr_buffer *bytes)
{
    w->no_memory = w->no_memory || bytes->failed;
    xr_buffer_free(bytes);
}

bool xr_index_entries_add(xr_index_entries *entries, const uint8_t *content, uint64_t offset)
{
    xr_index_entry *grown =
        xr_array_grow(entries->entry, entries->count, &entries->capacity, sizeof *entries->entry);
    if (!grown)
        return false;
    entries->entry = grown;
    entries->entry[entries->count] = (xr_index_entry){.log_time = xr_load64(content + 6),
                                                      .offset = offset,
                                                      .order = (uint32_t)entries->count,
                                                      .channel = xr_load16(content)};
    entries->count++;
    return true;
}

/* ---- Records ------------------------------------------------------------------- */

void xr_mcap_writer_begin(xr_mcap_writer *w, FILE *file)
{
    memset(w, 0, sizeof *w);
    w->file = file;
    w->first_time = UINT64_MAX;
}

void xr_mcap_writer_free(xr_mcap_writer *w)
{
    xr_buffer *buffers[] = {
        &w->record, &w->chunk, &w->summary, &w->chunk_indexes, &w->attachment_indexes, &w->metadata_indexes};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        xr_buffer_free(buffers[i]);
    free(w->entries.entry);
    xr_arena_free(&w->arena);
}

bool xr_mcap_writer_good(const xr_mcap_writer *w)
{
    return !w->failed && !w->no_memory && !w->arena.failed && !w->record.failed && !w->chunk.failed &&
           !w->summary.failed && !w->chunk_indexes.failed && !w->attachment_indexes.failed &&
           !w->metadata_indexes.failed;
}

void xr_mcap_writer_raw(xr_mcap_writer *w, const void *data, size_t size)
{
    if (!w->failed && size && fwrite(data, 1, size, w->file) != size)
        w->failed = errno ? errno : EIO;
    w->at += size;
    w->crc = exray_codec_default()->crc32(w->crc, data, size);
}

static void put_header(xr_mcap_writer *w, uint8_t opcode, uint64_t size)
{
    uint8_t header[XR_MCAP_RECORD_HEADER] = {opcode};
    for (size_t i = 0; i < 8; i++)
        header[1 + i] = (uint8_t)(size >> (8 * i));
    xr_mcap_writer_raw(w, header, sizeof header);
}

static void put_check(xr_mcap_writer *w)
{
    if (!w->checks || w->at == w->checked)
        return;
    uint8_t number[8];
    for (size_t i = 0; i < 8; i++)
        number[i] = (uint8_t)(w->checked >> (8 * i));
    put_header(w, XR_MCAP_CHECK, XR_MCAP_CHECK_SIZE);
    xr_mcap_writer_raw(w, number, 8);
    for (size_t i = 0; i < 4; i++)
        number[i] = (uint8_t)(w->crc >> (8 * i));
    xr_mcap_writer_raw(w, number, 4);
    w->checked = w->at;
}

/* What has no CRC of its own shares its span with nothing else: damage to that is not its damage. */
static void begin_record(xr_mcap_writer *w, bool loose)
{
    if (loose != w->loose)
        put_check(w);
    w->loose = loose;
}

void xr_mcap_writer_check_all(xr_mcap_writer *w)
{
    w->checks = true;
    put_check(w);
}

void xr_mcap_writer_record(xr_mcap_writer *w, uint8_t opcode, const void *content, size_t size)
{
    begin_record(w, opcode != XR_MCAP_MESSAGE_INDEX && opcode != XR_MCAP_ATTACHMENT);
    put_header(w, opcode, size);
    xr_mcap_writer_raw(w, content, size);
}

static bool know(xr_mcap_writer *w, xr_id_map *map, const uint8_t *content, size_t size)
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

bool xr_mcap_writer_know_schema(xr_mcap_writer *w, const uint8_t *content, size_t size)
{
    return know(w, &w->schemas, content, size);
}

bool xr_mcap_writer_know_channel(xr_mcap_writer *w, const uint8_t *content, size_t size)
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
static void put_message_indexes(xr_mcap_writer *w, const xr_mcap_chunk *chunk, xr_buffer *where)
{
    xr_buffer content = {0};
    for (size_t i = 0; i < chunk->count;) {
        uint16_t channel = chunk->entries[i].channel;
        size_t end = i;
        while (end < chunk->count && chunk->entries[end].channel == channel)
            end++;
        xr_buffer_add_number(where, channel, 2);
        xr_buffer_add_number(where, w->at, 8);
        content.size = 0;
        xr_buffer_add_number(&content, channel, 2);
        xr_buffer_add_number(&content, (end - i) * 16, 4);
        xr_known *known = xr_id_get(&w->channels, channel);
        if (known)
            known->messages += end - i;
        for (; i < end; i++) {
            xr_buffer_add_number(&content, chunk->entries[i].log_time, 8);
            xr_buffer_add_number(&content, chunk->entries[i].offset, 8);
        }
        xr_mcap_writer_record(w, XR_MCAP_MESSAGE_INDEX, content.data, content.size);
    }
    finish(w, &content);
}

static void write_chunk(xr_mcap_writer *w, const xr_mcap_chunk *chunk)
{
    uint64_t first = chunk->count ? UINT64_MAX : 0, last = 0, start;
    for (size_t i = 0; i < chunk->count; i++) {
        uint64_t time = chunk->entries[i].log_time;
        first = time < first ? time : first;
        last = time > last ? time : last;
    }
    xr_buffer head = {0}, where = {0}, index = {0};
    xr_buffer_add_number(&head, first, 8);
    xr_buffer_add_number(&head, last, 8);
    xr_buffer_add_number(&head, chunk->size, 8);
    xr_buffer_add_number(&head, chunk->crc, 4);
    append_string(&head, chunk->compression);
    xr_buffer_add_number(&head, chunk->stored_size, 8);
    begin_record(w, false);
    start = w->at;
    put_header(w, XR_MCAP_CHUNK, head.size + chunk->stored_size);
    xr_mcap_writer_raw(w, head.data, head.size);
    xr_mcap_writer_raw(w, chunk->stored, chunk->stored_size);
    uint64_t length = w->at - start;
    if (chunk->count)
        qsort(chunk->entries, chunk->count, sizeof *chunk->entries, compare_entries);
    put_message_indexes(w, chunk, &where);

    xr_buffer_add_number(&index, first, 8);
    xr_buffer_add_number(&index, last, 8);
    xr_buffer_add_number(&index, start, 8);
    xr_buffer_add_number(&index, length, 8);
    append_text(&index, where.data, where.size);
    xr_buffer_add_number(&index, w->at - start - length, 8);
    append_string(&index, chunk->compression);
    xr_buffer_add_number(&index, chunk->stored_size, 8);
    xr_buffer_add_number(&index, chunk->size, 8);
    append_record(&w->chunk_indexes, XR_MCAP_CHUNK_INDEX, index.data, index.size);
    finish(w, &head);
    finish(w, &where);
    finish(w, &index);

    w->chunks++;
    w->messages += chunk->count;
    if (chunk->count) {
        w->first_time = first < w->first_time ? first : w->first_time;
        w->last_time = last > w->last_time ? last : w->last_time;
    }
}

static void write_new_chunk(xr_mcap_writer *w, const uint8_t *records, size_t size, xr_index_entry *entries,
                            size_t count)
{
    const xr_mcap_chunk chunk = {.stored = records,
                                 .stored_size = size,
                                 .size = size,
                                 .crc = exray_codec_default()->crc32(0, records, size),
                                 .compression = "",
                                 .entries = entries,
                                 .count = count};
    write_chunk(w, &chunk);
}

static void flush_messages(xr_mcap_writer *w)
{
    if (w->entries.count && !w->chunk.failed)
        write_new_chunk(w, w->chunk.data, w->chunk.size, w->entries.entry, w->entries.count);
    w->entries.count = 0;
    w->chunk.size = 0;
}

void xr_mcap_writer_flush(xr_mcap_writer *w)
{
    flush_messages(w);
    if (!w->failed && fflush(w->file))
        w->failed = errno ? errno : EIO;
}

void xr_mcap_writer_chunk(xr_mcap_writer *w, const xr_mcap_chunk *chunk)
{
    flush_messages(w);
    write_chunk(w, chunk);
}

void xr_mcap_writer_message(xr_mcap_writer *w, const uint8_t *record, size_t size)
{
    const uint8_t *content = record + XR_MCAP_RECORD_HEADER;
    if (size >= ALONE || w->chunk.size + size > CHUNK)
        flush_messages(w);
    if (size >= ALONE) {
        xr_index_entry entry = {.log_time = xr_load64(content + 6), .channel = xr_load16(content)};
        write_new_chunk(w, record, size, &entry, 1);
        return;
    }
    if (xr_index_entries_add(&w->entries, content, w->chunk.size))
        xr_buffer_add(&w->chunk, record, size);
    else
        w->no_memory = true;
}

void xr_mcap_writer_attachment(xr_mcap_writer *w, const uint8_t *content, size_t size)
{
    xr_cursor c = xr_cursor_begin(content, size);
    uint64_t log_time = xr_cursor_u64(&c), create_time = xr_cursor_u64(&c);
    begin_record(w, false);
    xr_text name = xr_cursor_text(&c), media_type = xr_cursor_text(&c);
    uint64_t data_size = xr_cursor_u64(&c);
    xr_buffer index = {0};
    xr_buffer_add_number(&index, w->at, 8);
    xr_buffer_add_number(&index, XR_MCAP_RECORD_HEADER + size, 8);
    xr_buffer_add_number(&index, log_time, 8);
    xr_buffer_add_number(&index, create_time, 8);
    xr_buffer_add_number(&index, data_size, 8);
    append_text(&index, name.data, name.size);
    append_text(&index, media_type.data, media_type.size);
    append_record(&w->attachment_indexes, XR_MCAP_ATTACHMENT_INDEX, index.data, index.size);
    finish(w, &index);
    xr_mcap_writer_record(w, XR_MCAP_ATTACHMENT, content, size);
    w->attachments++;
}

void xr_mcap_writer_metadata(xr_mcap_writer *w, const uint8_t *content, size_t size)
{
    begin_record(w, true);
    xr_cursor c = xr_cursor_begin(content, size);
    xr_text name = xr_cursor_text(&c);
    xr_buffer index = {0};
    xr_buffer_add_number(&index, w->at, 8);
    xr_buffer_add_number(&index, XR_MCAP_RECORD_HEADER + size, 8);
    append_text(&index, name.data, name.size);
    append_record(&w->metadata_indexes, XR_MCAP_METADATA_INDEX, index.data, index.size);
    finish(w, &index);
    xr_mcap_writer_record(w, XR_MCAP_METADATA, content, size);
    w->metadata++;
}

/* ---- New records ------------------------------------------------------------------ */

void xr_mcap_writer_add_header(xr_mcap_writer *w, const char *profile)
{
    char library[64];
    snprintf(library, sizeof library, "exray %s", exray_version());
    xr_mcap_writer_raw(w, XR_MCAP_MAGIC, XR_MCAP_MAGIC_SIZE);
    w->record.size = 0;
    append_string(&w->record, profile);
    append_string(&w->record, library);
    xr_mcap_writer_record(w, XR_MCAP_HEADER, w->record.data, w->record.size);
}

void xr_mcap_writer_add_schema(xr_mcap_writer *w, uint16_t id, const char *name, const char *encoding,
                               const void *data, size_t size)
{
    xr_buffer *record = &w->record;
    record->size = 0;
    xr_buffer_add_number(record, id, 2);
    append_string(record, name);
    append_string(record, encoding);
    append_text(record, data, size);
    if (!record->failed && xr_mcap_writer_know_schema(w, record->data, record->size))
        xr_mcap_writer_record(w, XR_MCAP_SCHEMA, record->data, record->size);
}

static bool is_channel(const xr_known *known, const char *topic, uint16_t schema)
{
    xr_cursor c = xr_cursor_begin(known->content.data, known->content.size);
    xr_cursor_u16(&c); /* its id */
    return xr_cursor_u16(&c) == schema && xr_text_is(xr_cursor_text(&c), topic);
}

bool xr_mcap_writer_add_channel_as(xr_mcap_writer *w, uint16_t id, const char *topic, uint16_t schema,
                                   const char *encoding)
{
    const xr_known *known = xr_id_get(&w->channels, id);
    if (known)
        return is_channel(known, topic, schema);
    xr_buffer *record = &w->record;
    record->size = 0;
    xr_buffer_add_number(record, id, 2);
    xr_buffer_add_number(record, schema, 2);
    append_string(record, topic);
    append_string(record, encoding);
    append_string(record, ""); /* metadata */
    if (record->failed || !xr_mcap_writer_know_channel(w, record->data, record->size))
        return false;
    /* At once, before the chunk in which the channel's messages are gathered. */
    xr_mcap_writer_record(w, XR_MCAP_CHANNEL, record->data, record->size);
    return true;
}

uint16_t xr_mcap_writer_add_channel(xr_mcap_writer *w, const char *topic, uint16_t schema,
                                    const char *encoding)
{
    for (uint32_t id = 1; id <= w->made_channels; id++)
        if (is_channel(xr_id_get(&w->channels, (uint16_t)id), topic, schema))
            return (uint16_t)id;
    if (w->made_channels == UINT16_MAX)
        return 0;
    const uint16_t id = (uint16_t)(w->made_channels + 1);
    if (!xr_mcap_writer_add_channel_as(w, id, topic, schema, encoding))
        return 0;
    w->made_channels = id;
    return id;
}

void xr_mcap_writer_add_metadata(xr_mcap_writer *w, const char *name, const exray_key_value *pairs,
                                 size_t count)
{
    xr_buffer map = {0}, content = {0};
    for (size_t i = 0; i < count; i++) {
        append_string(&map, pairs[i].key);
        append_string(&map, pairs[i].value);
    }
    append_string(&content, name);
    append_text(&content, map.data, map.size);
    if (!map.failed && !content.failed)
        xr_mcap_writer_metadata(w, content.data, content.size);
    finish(w, &map);
    finish(w, &content);
}

void xr_mcap_writer_add_message(xr_mcap_writer *w, uint16_t channel, uint64_t time, const xr_buffer *head,
                                const void *data, size_t size)
{
    xr_known *known = xr_id_get(&w->channels, channel);
    xr_buffer *record = &w->record;
    w->no_memory = w->no_memory || head->failed;
    if (head->failed || !known)
        return;
    record->size = 0;
    xr_buffer_add_number(record, XR_MCAP_MESSAGE, 1);
    xr_buffer_add_number(record, XR_MCAP_MESSAGE_HEADER + head->size + size, 8);
    xr_buffer_add_number(record, channel, 2);
    xr_buffer_add_number(record, known->sequence++, 4);
    xr_buffer_add_number(record, time, 8); /* logged */
    xr_buffer_add_number(record, time, 8); /* published */
    xr_buffer_add(record, head->data, head->size);
    xr_buffer_add(record, data, size);
    if (!record->failed)
        xr_mcap_writer_message(w, record->data, record->size);
}

/* ---- The end ------------------------------------------------------------------- */

static void append_statistics(xr_mcap_writer *w, uint16_t schemas, uint32_t channels)
{
    xr_buffer content = {0}, counts = {0};
    xr_buffer_add_number(&content, w->messages, 8);
    xr_buffer_add_number(&content, schemas, 2);
    xr_buffer_add_number(&content, channels, 4);
    xr_buffer_add_number(&content, w->attachments, 4);
    xr_buffer_add_number(&content, w->metadata, 4);
    xr_buffer_add_number(&content, w->chunks, 4);
    xr_buffer_add_number(&content, w->messages ? w->first_time : 0, 8);
    xr_buffer_add_number(&content, w->last_time, 8);
    for (uint32_t id = 0; id <= UINT16_MAX; id++) {
        const xr_known *known = xr_id_get(&w->channels, (uint16_t)id);
        if (known && known->messages) {
            xr_buffer_add_number(&counts, id, 2);
            xr_buffer_add_number(&counts, known->messages, 8);
        }
    }
    append_text(&content, counts.data, counts.size);
    append_record(&w->summary, XR_MCAP_STATISTICS, content.data, content.size);
    finish(w, &content);
    finish(w, &counts);
}

/* Closes a group of the summary that began at `start`. */
static void end_group(xr_mcap_writer *w, xr_buffer *offsets, uint8_t opcode, size_t start, uint64_t base)
{
    if (w->summary.size == start)
        return;
    uint8_t content[17] = {opcode};
    uint64_t numbers[2] = {base + start, w->summary.size - start};
    for (size_t i = 0; i < 16; i++)
        content[1 + i] = (uint8_t)(numbers[i / 8] >> (8 * (i % 8)));
    append_record(offsets, XR_MCAP_SUMMARY_OFFSET, content, sizeof content);
}

/* All known contents as records of the summary; returns how many. */
static uint32_t append_known(xr_mcap_writer *w, xr_buffer *offsets, uint8_t opcode, const xr_id_map *map,
                             uint64_t base)
{
    size_t start = w->summary.size;
    uint32_t count = 0;
    for (uint32_t id = 0; id <= UINT16_MAX; id++) {
        const xr_known *known = xr_id_get(map, (uint16_t)id);
        if (!known)
            continue;
        append_record(&w->summary, opcode, known->content.data, known->content.size);
        count++;
    }
    end_group(w, offsets, opcode, start, base);
    return count;
}

static void append_group(xr_mcap_writer *w, xr_buffer *offsets, uint8_t opcode, const xr_buffer *records,
                         uint64_t base)
{
    size_t start = w->summary.size;
    xr_buffer_add(&w->summary, records->data, records->size);
    end_group(w, offsets, opcode, start, base);
}

bool xr_mcap_writer_end(xr_mcap_writer *w)
{
    flush_messages(w);
    put_check(w);
    uint8_t data_crc[4];
    for (size_t i = 0; i < 4; i++)
        data_crc[i] = (uint8_t)(w->crc >> (8 * i));
    put_header(w, XR_MCAP_DATA_END, sizeof data_crc);
    xr_mcap_writer_raw(w, data_crc, sizeof data_crc);
    uint64_t base = w->at;
    xr_buffer offsets = {0};
    uint32_t schemas = append_known(w, &offsets, XR_MCAP_SCHEMA, &w->schemas, base);
    uint32_t channels = append_known(w, &offsets, XR_MCAP_CHANNEL, &w->channels, base);
    size_t start = w->summary.size;
    append_statistics(w, (uint16_t)schemas, channels);
    end_group(w, &offsets, XR_MCAP_STATISTICS, start, base);
    append_group(w, &offsets, XR_MCAP_CHUNK_INDEX, &w->chunk_indexes, base);
    append_group(w, &offsets, XR_MCAP_ATTACHMENT_INDEX, &w->attachment_indexes, base);
    append_group(w, &offsets, XR_MCAP_METADATA_INDEX, &w->metadata_indexes, base);
    uint64_t offset_start = base + w->summary.size;
    xr_buffer_add(&w->summary, offsets.data, offsets.size);
    finish(w, &offsets);
    /* The CRC covers the footer's first two fields too. */
    xr_buffer_add_number(&w->summary, XR_MCAP_FOOTER, 1);
    xr_buffer_add_number(&w->summary, XR_MCAP_FOOTER_SIZE, 8);
    xr_buffer_add_number(&w->summary, base, 8);
    xr_buffer_add_number(&w->summary, offset_start, 8);
    uint32_t crc = w->summary.failed ? 0 : exray_codec_default()->crc32(0, w->summary.data, w->summary.size);
    xr_buffer_add_number(&w->summary, crc, 4);
    xr_buffer_add(&w->summary, XR_MCAP_MAGIC, XR_MCAP_MAGIC_SIZE);
    xr_mcap_writer_raw(w, w->summary.data, w->summary.size);
    if (fflush(w->file) != 0 && !w->failed)
        w->failed = errno;
    return xr_mcap_writer_good(w);
}
