#include "log/recover.h"

#include "core/encode/sink.h"
#include "log/mcap_writer.h"
#include "log/scan/scan.h"
#include "log/sound_records.h"

#include <errno.h>
#include <exray/codecs.h>
#include <stdlib.h>
#include <string.h>

typedef struct recovery {
    xr_file_map map;
    xr_scan scan;
    xr_arena scratch;
    xr_mcap_writer *w;
    xr_recovery *result;
    uint8_t *buffer; /* a decompressed chunk */
    size_t buffer_size;
    uint64_t decompressed;     /* bytes so far */
    xr_index_entries entries;  /* of the chunk at hand */
    const xr_rewrite *rewrite; /* NULL: all is kept */
    xr_buffer rewritten;       /* a record */
    char topic[1024];          /* or another name, of the record at hand */
} recovery;

static bool is_sound_message(const recovery *r, const xr_mcap_record *record)
{
    return record->size >= XR_MCAP_MESSAGE_HEADER && xr_id_get(&r->w->channels, xr_load16(record->data));
}

/* A topic or another name as a string; NULL: it is longer than any of ours. */
static const char *string_of(recovery *r, xr_text text)
{
    if (text.size >= sizeof r->topic)
        return NULL;
    if (text.size)
        memcpy(r->topic, text.data, text.size);
    r->topic[text.size] = '\0';
    return r->topic;
}

static bool keeps_topic(recovery *r, xr_text topic)
{
    const char *string = r->rewrite ? string_of(r, topic) : NULL;
    return !r->rewrite || (string && r->rewrite->topic(r->rewrite->context, string));
}

/* ---- Schemas and channels --------------------------------------------------------- */

typedef enum verdict {
    KEEP,   /* as it is */
    MENDED, /* a channel whose schema is lost: the writer's copy has none */
    DROP,
    LEFT_OUT, /* by the rewrite: nothing is lost */
} verdict;

static verdict judge_schema(recovery *r, const xr_mcap_record *record)
{
    uint16_t id;
    if (!xr_schema_is_sound(record, &id))
        return DROP;
    const xr_known *known = xr_id_get(&r->w->schemas, id);
    if (known) {
        xr_text old = known->content;
        return old.size == record->size && memcmp(old.data, record->data, old.size) == 0 ? KEEP : DROP;
    }
    return xr_mcap_writer_know_schema(r->w, record->data, record->size) ? KEEP : DROP;
}

static verdict judge_channel(recovery *r, const xr_mcap_record *record)
{
    uint16_t id, schema;
    xr_text topic;
    if (!xr_channel_is_sound(record, &id, &schema, &topic))
        return DROP;
    if (!keeps_topic(r, topic))
        return LEFT_OUT;
    /* Where its schema is lost, its messages can still be had without one. */
    bool has_schema = schema == 0 || xr_id_get(&r->w->schemas, schema);
    verdict v = has_schema ? KEEP : MENDED;
    const xr_known *known = xr_id_get(&r->w->channels, id);
    if (known) {
        const uint8_t *other = (const uint8_t *)known->content.data;
        bool same = known->content.size == record->size &&
                    xr_load16(other + 2) == (has_schema ? schema : 0) &&
                    memcmp(other + 4, record->data + 4, record->size - 4) == 0;
        return same ? v : DROP;
    }
    if (has_schema)
        return xr_mcap_writer_know_channel(r->w, record->data, record->size) ? v : DROP;
    uint8_t *mended = xr_arena_take(&r->scratch, record->size);
    if (!mended)
        return DROP;
    memcpy(mended, record->data, record->size);
    mended[2] = mended[3] = 0;
    return xr_mcap_writer_know_channel(r->w, mended, record->size) ? v : DROP;
}

/* Of a message of a topic that is kept, or of one whose channel is not there. */
static verdict judge_message(const recovery *r, const xr_mcap_record *record)
{
    if (is_sound_message(r, record))
        return KEEP;
    /* Its channel's record was left out, or is lost: who rewrites a log cannot tell what it holds. */
    return r->rewrite && record->size >= XR_MCAP_MESSAGE_HEADER ? LEFT_OUT : DROP;
}

static verdict judge(recovery *r, const xr_mcap_record *record)
{
    switch (record->opcode) {
    case XR_MCAP_SCHEMA:
        return judge_schema(r, record);
    case XR_MCAP_CHANNEL:
        return judge_channel(r, record);
    case XR_MCAP_MESSAGE:
        return judge_message(r, record);
    default:
        return KEEP;
    }
}

/* ---- Records of the file ------------------------------------------------------------- */

static void save(recovery *r, uint64_t size)
{
    r->result->saved_bytes += size;
}

static void lose(recovery *r, uint64_t size)
{
    r->result->lost_bytes += size;
    r->result->damaged++;
}

static void write_message(recovery *r, const uint8_t *record, size_t size)
{
    xr_mcap_writer_message(r->w, record, size);
    r->result->messages++;
}

/* The message as the rewrite has it. */
static void rewrite_message(recovery *r, const xr_mcap_record *record)
{
    const xr_known *channel = xr_id_get(&r->w->channels, xr_load16(record->data));
    xr_cursor c = xr_cursor_begin(channel->content.data, channel->content.size);
    xr_cursor_u16(&c); /* id */
    xr_cursor_u16(&c); /* schema */
    const char *topic = string_of(r, xr_cursor_text(&c));
    xr_buffer *out = &r->rewritten;
    out->size = 0;
    xr_buffer_add(out, record->data - XR_MCAP_RECORD_HEADER, XR_MCAP_RECORD_HEADER + XR_MCAP_MESSAGE_HEADER);
    xr_fate fate = r->rewrite->message(r->rewrite->context, topic, record->data + XR_MCAP_MESSAGE_HEADER,
                                       record->size - XR_MCAP_MESSAGE_HEADER, out);
    if (fate == XR_FATE_KEEP) {
        write_message(r, record->data - XR_MCAP_RECORD_HEADER, record->size + XR_MCAP_RECORD_HEADER);
    } else if (fate == XR_FATE_REPLACE && !out->failed) {
        xr_store_u64(out->data + 1, out->size - XR_MCAP_RECORD_HEADER);
        write_message(r, out->data, out->size);
    }
    r->w->no_memory = r->w->no_memory || out->failed;
}

/* Bytes that cannot be kept; of a record that was found behind damage, the scan looks for others in them. */
static void lose_record(recovery *r, const xr_mcap_record *record)
{
    if (!xr_scan_reject(&r->scan, record))
        lose(r, record->size + XR_MCAP_RECORD_HEADER);
}

/* A schema, a channel or a message that stands by itself. */
static void copy_single(recovery *r, const xr_mcap_record *record)
{
    uint64_t size = record->size + XR_MCAP_RECORD_HEADER;
    verdict v = judge(r, record);
    if (v == DROP) {
        lose(r, size);
        return;
    }
    save(r, size);
    if (v == LEFT_OUT) {
        if (record->opcode == XR_MCAP_MESSAGE)
            r->rewrite->dropped(r->rewrite->context, 1);
        return;
    }
    if (record->opcode == XR_MCAP_MESSAGE) {
        /* The record's header stands before its data, in the file or in the chunk. */
        if (r->rewrite)
            rewrite_message(r, record);
        else
            write_message(r, record->data - XR_MCAP_RECORD_HEADER, record->size + XR_MCAP_RECORD_HEADER);
        return;
    }
    const void *content = record->data;
    if (v == MENDED) {
        const xr_known *mended = xr_id_get(&r->w->channels, xr_load16(record->data));
        content = mended->content.data;
    }
    xr_mcap_writer_record(r->w, record->opcode, content, record->size);
}

/* Message by message, where a chunk cannot stay as it is. */
static void copy_singles(recovery *r, const uint8_t *bytes, size_t size)
{
    xr_cursor cursor = xr_cursor_begin(bytes, size);
    const uint8_t *end = bytes;
    for (xr_mcap_record record; xr_mcap_next(&cursor, &record); end = cursor.at)
        if (record.opcode == XR_MCAP_SCHEMA || record.opcode == XR_MCAP_CHANNEL ||
            record.opcode == XR_MCAP_MESSAGE)
            copy_single(r, &record);
    if (cursor.bad)
        lose(r, (uint64_t)(bytes + size - end));
}

/* The same of a chunk.  What its records take is counted as their share of the chunk's bytes in the file,
 * which are fewer where it is compressed. */
static void copy_chunk_singles(recovery *r, const xr_chunk *chunk, const uint8_t *bytes)
{
    xr_recovery *result = r->result;
    const uint64_t saved = result->saved_bytes, lost = result->lost_bytes;
    copy_singles(r, bytes, (size_t)chunk->size);
    if (!chunk->compression || !chunk->size)
        return;
    const double share = (double)chunk->stored / (double)chunk->size;
    result->saved_bytes = saved + (uint64_t)(share * (double)(result->saved_bytes - saved));
    result->lost_bytes = lost + (uint64_t)(share * (double)(result->lost_bytes - lost));
}

/* Whether the chunk can be copied as it is; lists its messages. */
static bool list_messages(recovery *r, const uint8_t *bytes, size_t size)
{
    xr_cursor cursor = xr_cursor_begin(bytes, size);
    r->entries.count = 0;
    for (xr_mcap_record record; xr_mcap_next(&cursor, &record);) {
        if (judge(r, &record) != KEEP)
            return false;
        if (record.opcode == XR_MCAP_MESSAGE &&
            !xr_index_entries_add(&r->entries, record.data,
                                  (uint64_t)(record.data - bytes) - XR_MCAP_RECORD_HEADER)) {
            r->w->no_memory = true;
            return false;
        }
    }
    return !cursor.bad;
}

/* The chunk's records, decompressed and checked, or NULL. */
static const uint8_t *sound_bytes(recovery *r, const xr_chunk *chunk, const uint8_t *stored)
{
    const uint8_t *bytes = stored;
    if (chunk->compression) {
        r->decompressed += chunk->size;
        if (xr_chunk_too_much(r->decompressed, r->map.size))
            return NULL;
        if (chunk->size > r->buffer_size) {
            free(r->buffer);
            r->buffer = malloc((size_t)chunk->size);
            r->buffer_size = r->buffer ? (size_t)chunk->size : 0;
            r->w->no_memory = r->w->no_memory || !r->buffer;
        }
        const exray_status status =
            r->buffer ? exray_codec_decompress(chunk->compression, r->buffer, (size_t)chunk->size, stored,
                                               (size_t)chunk->stored)
                      : EXRAY_E_MEMORY;
        r->w->no_memory = r->w->no_memory || status == EXRAY_E_MEMORY;
        if (status)
            return NULL;
        bytes = r->buffer;
    }
    bool good = !chunk->crc || exray_codec_default()->crc32(0, bytes, (size_t)chunk->size) == chunk->crc;
    return good ? bytes : NULL;
}

static const char *compression_name(exray_compression how)
{
    return how == EXRAY_COMPRESSION_LZ4 ? "lz4" : how == EXRAY_COMPRESSION_ZSTD ? "zstd" : "";
}

static void copy_chunk(recovery *r, const xr_mcap_record *record, bool cut)
{
    uint64_t whole = record->size + XR_MCAP_RECORD_HEADER;
    xr_chunk chunk;
    if (!xr_chunk_parse(record->data, record->size, cut, &chunk)) {
        lose_record(r, record);
        return;
    }
    const uint8_t *stored = record->data + chunk.records;
    if (cut) {
        copy_singles(r, stored, (size_t)chunk.stored);
        save(r, whole - chunk.stored);
        return;
    }
    const uint8_t *bytes = sound_bytes(r, &chunk, stored);
    if (!bytes) {
        lose_record(r, record);
        return;
    }
    if (r->rewrite || !list_messages(r, bytes, (size_t)chunk.size)) {
        copy_chunk_singles(r, &chunk, bytes);
        save(r, whole - chunk.stored);
        return;
    }
    xr_mcap_chunk out = {.stored = stored,
                         .stored_size = (size_t)chunk.stored,
                         .size = chunk.size,
                         .crc = chunk.crc ? chunk.crc
                                          : exray_codec_default()->crc32(0, bytes, (size_t)chunk.size),
                         .compression = compression_name(chunk.compression),
                         .entries = r->entries.entry,
                         .count = r->entries.count};
    xr_mcap_writer_chunk(r->w, &out);
    r->result->messages += r->entries.count;
    save(r, whole);
}

/* False: it is damaged. */
static bool copy_attachment(recovery *r, const xr_mcap_record *record)
{
    xr_text name;
    if (!xr_attachment_is_sound(record, &name))
        return false;
    const char *string = string_of(r, name);
    if (r->rewrite && !(string && r->rewrite->attachment(r->rewrite->context, string)))
        return true;
    xr_mcap_writer_attachment(r->w, record->data, record->size);
    r->result->attachments++;
    return true;
}

/* False: it is damaged. */
static bool copy_metadata(recovery *r, const xr_mcap_record *record)
{
    if (!xr_metadata_is_sound(record))
        return false;
    xr_buffer *out = &r->rewritten;
    out->size = 0;
    xr_fate fate = r->rewrite ? r->rewrite->metadata(r->rewrite->context, record->data, record->size, out)
                              : XR_FATE_KEEP;
    if (fate == XR_FATE_DROP)
        return true;
    const bool kept = fate == XR_FATE_KEEP;
    if (kept || !out->failed)
        xr_mcap_writer_metadata(r->w, kept ? record->data : out->data, kept ? record->size : out->size);
    r->w->no_memory = r->w->no_memory || out->failed;
    r->result->metadata++;
    return true;
}

static void copy_record(recovery *r, const xr_mcap_record *record, bool cut)
{
    uint64_t whole = record->size + XR_MCAP_RECORD_HEADER;
    bool sound = true;
    switch (record->opcode) {
    case XR_MCAP_CHUNK:
        copy_chunk(r, record, cut);
        return;
    case XR_MCAP_SCHEMA:
    case XR_MCAP_CHANNEL:
    case XR_MCAP_MESSAGE:
        copy_single(r, record);
        return;
    case XR_MCAP_ATTACHMENT:
        sound = copy_attachment(r, record);
        break;
    case XR_MCAP_METADATA:
        sound = copy_metadata(r, record);
        break;
    case XR_MCAP_MESSAGE_INDEX:
    case XR_MCAP_CHECK:
        return; /* made anew */
    default:
        /* Opcodes from 0x80 on are private; the others are not assigned. */
        sound = record->opcode >= 0x80;
        if (sound && !r->rewrite)
            xr_mcap_writer_record(r->w, record->opcode, record->data, record->size);
        break;
    }
    if (sound)
        save(r, whole);
    else
        lose_record(r, record);
}

/* ---- All of it --------------------------------------------------------------------- */

/* A sound summary has the channels whose records were lost with a damaged chunk. */
static void copy_known(recovery *r)
{
    xr_cursor cursor = r->scan.ends.summary;
    if (!r->scan.ends.has_summary)
        return;
    for (xr_mcap_record record; xr_mcap_next(&cursor, &record);) {
        bool schema = record.opcode == XR_MCAP_SCHEMA, channel = record.opcode == XR_MCAP_CHANNEL;
        if ((schema && judge_schema(r, &record) == KEEP) || (channel && judge_channel(r, &record) == KEEP))
            xr_mcap_writer_record(r->w, record.opcode, record.data, record.size);
    }
}

/* Magic and header; of a header that has a wrong length, the fields. */
static void copy_header(recovery *r)
{
    const size_t content = XR_MCAP_MAGIC_SIZE + XR_MCAP_RECORD_HEADER;
    uint64_t begin = r->scan.ends.begin;
    xr_mcap_writer_raw(r->w, XR_MCAP_MAGIC, XR_MCAP_MAGIC_SIZE);
    xr_mcap_writer_record(r->w, XR_MCAP_HEADER, r->map.base + content, (size_t)begin - content);
    xr_mcap_writer_check_all(r->w);
    save(r, begin);
}

static void copy_all(recovery *r, const xr_log_ends *ends)
{
    xr_scan_begin(&r->scan, &r->map, ends);
    copy_header(r);
    copy_known(r);
    bool cut;
    for (xr_mcap_record record; xr_mcap_writer_good(r->w) && xr_scan_next(&r->scan, &record, &cut);) {
        copy_record(r, &record, cut);
        xr_file_map_used(&r->map, record.size);
    }
    if (r->rewrite)
        r->rewrite->end(r->rewrite->context, r->w);
    xr_mcap_writer_end(r->w);
    xr_recovery *result = r->result;
    result->lost_bytes += r->scan.lost;
    result->damaged += r->scan.damage;
    result->file_bytes = r->map.size;
    uint64_t counted = result->saved_bytes + result->lost_bytes;
    result->rebuilt_bytes = counted < r->map.size ? r->map.size - counted : 0;
    result->was_whole =
        !r->scan.problem && r->scan.ends.has_summary && !result->lost_bytes && !result->damaged;
    if (r->scan.problem)
        snprintf(result->problem, sizeof result->problem, "%s at byte %llu", r->scan.problem,
                 (unsigned long long)r->scan.problem_at);
    else if (ends->bad_header)
        snprintf(result->problem, sizeof result->problem, "has a wrong length in its header at byte %d",
                 XR_MCAP_MAGIC_SIZE + 1);
}

static bool run(recovery *r, const char *from, FILE *to, exray_error *error)
{
    xr_log_ends ends;
    if (!xr_scan_ends(&r->map, from, &ends, error))
        return false;
    xr_mcap_writer_begin(r->w, to);
    copy_all(r, &ends);
    bool good = xr_mcap_writer_good(r->w) && !r->scratch.failed;
    if (r->w->failed)
        xr_error_set(error, EXRAY_E_IO, "cannot write what was recovered from %s: %s", from,
                     strerror(r->w->failed));
    else if (!good)
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory while recovering %s", from);
    xr_mcap_writer_free(r->w);
    return good;
}

/* `map`: NULL to open the file `from`. */
static bool recover(const char *from, const xr_file_map *map, FILE *to, const xr_rewrite *rewrite,
                    xr_recovery *result, exray_error *error)
{
    *result = (xr_recovery){0};
    recovery r = {.result = result, .rewrite = rewrite, .w = calloc(1, sizeof(xr_mcap_writer))};
    bool good = false;
    r.map.fd = -1;
    if (map) {
        r.map.base = map->base;
        r.map.size = map->size;
    }
    if (!r.w)
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory while recovering %s", from);
    else if (map || xr_file_map_open(&r.map, from, error))
        good = run(&r, from, to, error);
    xr_file_map_close(&r.map);
    xr_arena_free(&r.scratch);
    free(r.buffer);
    free(r.entries.entry);
    xr_buffer_free(&r.rewritten);
    free(r.w);
    return good;
}

bool xr_recover_check(const char *from, exray_error *error)
{
    xr_file_map map;
    xr_log_ends ends;
    if (!xr_file_map_open(&map, from, error))
        return false;
    bool good = xr_scan_ends(&map, from, &ends, error);
    xr_file_map_close(&map);
    return good;
}

bool xr_recover(const char *from, FILE *to, xr_recovery *result, exray_error *error)
{
    return recover(from, NULL, to, NULL, result, error);
}

bool xr_recover_rewritten(const char *from, FILE *to, const xr_rewrite *rewrite, xr_recovery *result,
                          exray_error *error)
{
    return recover(from, NULL, to, rewrite, result, error);
}

bool xr_recover_bytes(const void *data, size_t size, FILE *to, xr_recovery *result, exray_error *error)
{
    const xr_file_map map = {.fd = -1, .base = data, .size = size};
    return recover("the log", &map, to, NULL, result, error);
}
