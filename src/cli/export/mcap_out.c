#include "cli/export/mcap_out.h"

#include <errno.h>
#include <exray/codecs.h>
#include <exray/exray.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 20 }; /* messages are gathered up to this; a larger one is a chunk of its own */

/* ---- Bytes that grow --------------------------------------------------------------- */

void xr_growing_put(xr_growing *bytes, const void *data, size_t size)
{
    if (size > bytes->capacity - bytes->size) {
        size_t capacity = bytes->capacity ? bytes->capacity : 4096;
        while (capacity - bytes->size < size && capacity <= SIZE_MAX / 2)
            capacity *= 2;
        uint8_t *grown =
            bytes->failed || capacity - bytes->size < size ? NULL : realloc(bytes->data, capacity);
        if (!grown) {
            bytes->failed = true;
            return;
        }
        bytes->data = grown;
        bytes->capacity = capacity;
    }
    if (size)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void xr_growing_number(xr_growing *bytes, uint64_t value, size_t size)
{
    uint8_t little[8];
    for (size_t i = 0; i < size; i++)
        little[i] = (uint8_t)(value >> (8 * i));
    xr_growing_put(bytes, little, size);
}

void xr_growing_text(xr_growing *bytes, const char *text, size_t size)
{
    xr_growing_number(bytes, size, 4);
    xr_growing_put(bytes, text, size);
}

void xr_growing_free(xr_growing *bytes)
{
    free(bytes->data);
    *bytes = (xr_growing){0};
}

/* ---- Records ------------------------------------------------------------------------- */

static void put_string(xr_growing *bytes, const char *text)
{
    xr_growing_text(bytes, text, strlen(text));
}

void xr_mcap_out_begin(xr_mcap_out *out, FILE *file)
{
    memset(out, 0, sizeof *out);
    xr_writer_begin(&out->writer, file);
    xr_writer_raw(&out->writer, XR_MCAP_MAGIC, XR_MCAP_MAGIC_SIZE);
    char library[64];
    snprintf(library, sizeof library, "exray %s", exray_version());
    put_string(&out->record, ""); /* of no profile: it is no log of exray's */
    put_string(&out->record, library);
    xr_writer_record(&out->writer, XR_MCAP_HEADER, out->record.data, out->record.size);
}

void xr_mcap_out_schema(xr_mcap_out *out, uint16_t id, const char *name, const char *encoding,
                        const void *data, size_t size)
{
    xr_growing *record = &out->record;
    record->size = 0;
    xr_growing_number(record, id, 2);
    put_string(record, name);
    put_string(record, encoding);
    xr_growing_text(record, data, size);
    if (!record->failed && xr_writer_know_schema(&out->writer, record->data, record->size))
        xr_writer_record(&out->writer, XR_MCAP_SCHEMA, record->data, record->size);
}

/* Written at once, before the chunk that the channel's messages are gathered in. */
static void put_channel(xr_mcap_out *out, uint16_t id, const xr_out_channel *channel, const char *encoding)
{
    xr_growing *record = &out->record;
    record->size = 0;
    xr_growing_number(record, id, 2);
    xr_growing_number(record, channel->schema, 2);
    put_string(record, channel->topic);
    put_string(record, encoding);
    put_string(record, ""); /* metadata */
    if (!record->failed && xr_writer_know_channel(&out->writer, record->data, record->size))
        xr_writer_record(&out->writer, XR_MCAP_CHANNEL, record->data, record->size);
}

uint16_t xr_mcap_out_channel(xr_mcap_out *out, const char *topic, uint16_t schema, const char *encoding)
{
    for (size_t i = 0; i < out->channel_count; i++)
        if (out->channels[i].schema == schema && strcmp(out->channels[i].topic, topic) == 0)
            return (uint16_t)(i + 1);
    if (out->channel_count == UINT16_MAX)
        return 0;
    if (out->channel_count == out->channel_capacity) {
        size_t capacity = out->channel_capacity ? out->channel_capacity * 2 : 16;
        xr_out_channel *grown = realloc(out->channels, capacity * sizeof *grown);
        if (!grown) {
            out->failed = true;
            return 0;
        }
        out->channels = grown;
        out->channel_capacity = capacity;
    }
    xr_out_channel *channel = &out->channels[out->channel_count++];
    *channel = (xr_out_channel){.topic = topic, .schema = schema};
    put_channel(out, (uint16_t)out->channel_count, channel, encoding);
    return (uint16_t)out->channel_count;
}

/* ---- Messages -------------------------------------------------------------------------- */

static void flush_chunk(xr_mcap_out *out)
{
    if (out->count && !out->chunk.failed) {
        xr_chunk_out chunk = {.stored = out->chunk.data,
                              .stored_size = out->chunk.size,
                              .size = out->chunk.size,
                              .crc = exray_codec_default()->crc32(0, out->chunk.data, out->chunk.size),
                              .compression = "",
                              .entries = out->entries,
                              .count = out->count};
        xr_writer_chunk(&out->writer, &chunk);
    }
    out->chunk.size = 0;
    out->count = 0;
}

static bool add_entry(xr_mcap_out *out, uint16_t channel, uint64_t time)
{
    if (out->count == out->capacity) {
        size_t capacity = out->capacity ? out->capacity * 2 : 64;
        xr_index_entry *grown = realloc(out->entries, capacity * sizeof *grown);
        if (!grown) {
            out->failed = true;
            return false;
        }
        out->entries = grown;
        out->capacity = capacity;
    }
    out->entries[out->count] = (xr_index_entry){
        .log_time = time, .offset = out->chunk.size, .order = (uint32_t)out->count, .channel = channel};
    out->count++;
    return true;
}

void xr_mcap_out_message(xr_mcap_out *out, uint16_t channel, uint64_t time, const xr_growing *head,
                         const void *data, size_t size)
{
    if (head->failed || channel == 0 || channel > out->channel_count) {
        out->failed = out->failed || head->failed;
        return;
    }
    if (out->chunk.size + head->size + size > CHUNK)
        flush_chunk(out);
    if (!add_entry(out, channel, time))
        return;
    xr_growing *chunk = &out->chunk;
    xr_growing_number(chunk, XR_MCAP_MESSAGE, 1);
    xr_growing_number(chunk, XR_MCAP_MESSAGE_HEADER + head->size + size, 8);
    xr_growing_number(chunk, channel, 2);
    xr_growing_number(chunk, out->channels[channel - 1].sequence++, 4);
    xr_growing_number(chunk, time, 8); /* logged */
    xr_growing_number(chunk, time, 8); /* published */
    xr_growing_put(chunk, head->data, head->size);
    xr_growing_put(chunk, data, size);
}

bool xr_mcap_out_end(xr_mcap_out *out)
{
    flush_chunk(out);
    xr_writer_end(&out->writer);
    if (fflush(out->writer.file) != 0 && !out->writer.failed)
        out->writer.failed = errno;
    return xr_writer_good(&out->writer) && !out->failed && !out->chunk.failed && !out->record.failed;
}

void xr_mcap_out_free(xr_mcap_out *out)
{
    xr_writer_free(&out->writer);
    xr_growing_free(&out->chunk);
    xr_growing_free(&out->record);
    free(out->entries);
    free(out->channels);
}
