/* Reading records into slots. */
#include "base/tensor.h"
#include "log/attached_constants.h"
#include "log/deferred.h"
#include "log/log_file.h"
#include "log/slot_room.h"
#include "log/told/read_joined.h"

#include <exray/codecs.h>
#include <stdlib.h>
#include <string.h>

struct exray_slot {
    xr_arena arena; /* names, shapes, ... of the record */
    uint8_t *bytes; /* a decompressed chunk */
    size_t bytes_size;
    uint64_t log; /* the log whose chunk it is; 0: none */
    uint32_t chunk;
    float *values; /* dequantized */
    size_t values_size;
    float *turned; /* values in another order (slot_room.h) */
    size_t turned_size;
    exray_record *records; /* of frame `frame` of the log `records_log` (0: none) */
    size_t records_size;
    uint64_t records_log;
    size_t frame;
};

exray_slot *exray_slot_new(void)
{
    return calloc(1, sizeof(exray_slot));
}

void exray_slot_free(exray_slot *slot)
{
    if (!slot)
        return;
    xr_arena_free(&slot->arena);
    free(slot->bytes);
    free(slot->values);
    free(slot->turned);
    free(slot->records);
    free(slot);
}

static exray_status fail_damaged(const exray_log *log, const exray_record *record, const char *what,
                                 exray_error *error)
{
    return xr_error_set(error, EXRAY_E_FORMAT, "a record of %s in %s (frame %llu) is passed over: %s",
                        record->topic, log->path, (unsigned long long)record->frame, what);
}

static exray_status fail_crc(const exray_log *log, const exray_record *record, exray_error *error)
{
    return fail_damaged(log, record, "the CRC of its chunk does not fit", error);
}

static exray_status fail_memory(const exray_log *log, const exray_record *record, exray_error *error)
{
    return xr_error_set(error, EXRAY_E_MEMORY, "out of memory while reading %s in %s", record->topic,
                        log->path);
}

/* Grows a buffer without keeping its content. */
static bool make_room(void **buffer, size_t *have, size_t wanted)
{
    if (wanted <= *have)
        return true;
    free(*buffer);
    *buffer = malloc(wanted);
    *have = *buffer ? wanted : 0;
    return *buffer != NULL;
}

float *xr_slot_room(exray_slot *slot, uint64_t count)
{
    void *room = slot->turned;
    bool good = count < SIZE_MAX / sizeof(float) &&
                make_room(&room, &slot->turned_size, (size_t)(count ? count : 1) * sizeof(float));
    if (count < SIZE_MAX / sizeof(float))
        slot->turned = room;
    return good ? slot->turned : NULL;
}

const exray_record *xr_slot_has_records(const exray_slot *slot, const exray_log *log, size_t frame)
{
    return slot->records_log == log->id && slot->frame == frame ? slot->records : NULL;
}

exray_record *xr_slot_records(exray_slot *slot, const exray_log *log, size_t frame, size_t count)
{
    void *room = slot->records;
    const bool good = count < SIZE_MAX / sizeof(exray_record) &&
                      make_room(&room, &slot->records_size, (count ? count : 1) * sizeof(exray_record));
    slot->records = room;
    slot->records_log = good ? log->id : 0;
    slot->frame = frame;
    return good ? slot->records : NULL;
}

static exray_status decompress_chunk(const exray_log *log, const exray_record *record, exray_slot *slot,
                                     exray_error *error)
{
    const xr_chunk *chunk = &log->chunks[record->chunk];
    if (slot->log == log->id && slot->chunk == record->chunk)
        return EXRAY_OK;
    slot->log = 0;
    void *bytes = slot->bytes;
    bool room = make_room(&bytes, &slot->bytes_size, (size_t)chunk->size);
    slot->bytes = bytes;
    if (!room)
        return fail_memory(log, record, error);
    const exray_status status = xr_chunk_decompress(log, chunk, slot->bytes);
    xr_file_map_used(&log->map, chunk->stored);
    if (status == EXRAY_E_MEMORY)
        return fail_memory(log, record, error);
    if (status)
        return fail_damaged(log, record, "its chunk cannot be decompressed", error);
    slot->log = log->id;
    slot->chunk = record->chunk;
    return EXRAY_OK;
}

/* The bytes of a record's message, in the mapped file or in the slot. *unchecked: the chunk, if its CRC
 * was not checked yet, else NULL. */
static exray_status locate(const exray_log *log, const exray_record *record, exray_slot *slot,
                           const uint8_t **data, xr_chunk **unchecked, exray_error *error)
{
    xr_arena_reset(&slot->arena);
    *unchecked = NULL;
    if (!xr_file_map_check(&log->map, log->path, error))
        return EXRAY_E_IO;
    xr_chunk *chunk = NULL;
    if (record->chunk != EXRAY_NO_INDEX) {
        if (record->chunk >= log->chunk_count)
            return xr_error_set(error, EXRAY_E_ARGUMENT, "the record is not of the log %s", log->path);
        chunk = &log->chunks[record->chunk];
    }
    uint64_t whole = chunk && chunk->compression ? chunk->size : log->map.size;
    const uint64_t position = record->position & ~XR_RECORD_GATHERED;
    if (position > whole || record->size > whole - position)
        return xr_error_set(error, EXRAY_E_ARGUMENT, "the record is not of the log %s", log->path);
    /* Decoding allocates at most in proportion to the message's bytes in the file, as the index does. */
    uint64_t stored = chunk && chunk->compression ? chunk->stored : record->size;
    slot->arena.limit = (size_t)(XR_INDEX_BASE + XR_INDEX_FACTOR * stored);
    if (chunk && chunk->compression) {
        exray_status status = decompress_chunk(log, record, slot, error);
        *data = status == EXRAY_OK ? slot->bytes + position : NULL;
        return status;
    }
    if (chunk && xr_chunk_is_unchecked(chunk))
        *unchecked = chunk;
    else if (chunk && !xr_chunk_check(log, chunk, log->map.base + chunk->records))
        return fail_crc(log, record, error);
    /* The kernel maps what lies around a touched page, too. */
    enum { AROUND = 64 << 10 };
    xr_file_map_used(&log->map, AROUND + (*unchecked ? chunk->size : record->size));
    *data = log->map.base + position;
    return EXRAY_OK;
}

static bool check(const exray_log *log, xr_chunk *unchecked)
{
    return !unchecked || xr_chunk_check(log, unchecked, log->map.base + unchecked->records);
}

/* The same, checked. */
static exray_status find_bytes(const exray_log *log, const exray_record *record, exray_slot *slot,
                               const uint8_t **data, exray_error *error)
{
    xr_chunk *unchecked = NULL;
    exray_status status = locate(log, record, slot, data, &unchecked, error);
    if (status == EXRAY_OK && !check(log, unchecked))
        return fail_crc(log, record, error);
    return status;
}

/* After a decoder returned false. */
static exray_status fail_decoding(const exray_log *log, const exray_record *record, const exray_slot *slot,
                                  exray_error *error)
{
    if (slot->arena.failed)
        return fail_memory(log, record, error);
    return fail_damaged(log, record, "it is no message of its schema", error);
}

/* Which of the model's tensors a record is of, where it does not say so itself. */
static uint32_t position_in_model(const exray_log *log, const exray_record *record)
{
    const exray_model *model = exray_log_model(log);
    if (!model)
        return EXRAY_NO_INDEX;
    if (record->kind == EXRAY_KIND_CONSTANT)
        return record->index;
    if (record->kind == EXRAY_KIND_LAYER && record->index < model->node_count) {
        const exray_node *node = &model->nodes[record->index];
        if (record->output < node->output_count)
            return node->outputs[record->output];
    }
    return EXRAY_NO_INDEX;
}

/* Where /model describes the tensor, or NULL. */
static const exray_tensor_info *info_of_model(const exray_log *log, const exray_record *record,
                                              uint32_t position)
{
    const exray_model *model = exray_log_model(log);
    if (position == EXRAY_NO_INDEX)
        position = position_in_model(log, record);
    return model && position < model->tensor_count ? &model->tensors[position] : NULL;
}

/* A constant that was attached from a model file. */
static exray_status attached_view(const exray_log *log, const exray_record *record, exray_slot *slot,
                                  exray_tensor_view *out, exray_error *error)
{
    if (record->position >= log->attached_count || !info_of_model(log, record, record->index))
        return xr_error_set(error, EXRAY_E_ARGUMENT, "the record is not of the log %s", log->path);
    xr_arena_reset(&slot->arena);
    const xr_attached_constant *constant = &log->attached[record->position];
    *out = (exray_tensor_view){.info = *info_of_model(log, record, record->index),
                               .data = constant->data,
                               .size = constant->size,
                               .model_tensor = record->index};
    out->count = xr_elements(&out->info);
    return EXRAY_OK;
}

/* Whether the shape has a dimension from `least` to `most`. */
static bool has_dimension(const exray_tensor_info *info, int64_t least, int64_t most)
{
    for (uint32_t i = 0; i < info->rank; i++)
        if (info->shape[i] >= least && info->shape[i] <= most)
            return true;
    return false;
}

/* As the shape says, or else as many as there are bytes for. */
static void count_elements(exray_tensor_view *view)
{
    const exray_tensor_info *info = &view->info;
    unsigned bits = exray_dtype_bits(info->dtype);
    bool described = info->dtype != EXRAY_DTYPE_UNSPECIFIED || info->rank > 0;
    view->count = described ? xr_elements(info) : 0;
    if (view->data && bits >= 8 && has_dimension(info, INT64_MIN, -1))
        view->count = view->size / (bits / 8);
}

/* A message of its own, or statistics within one of all layers. */
static bool decode_tensor(const exray_log *log, const exray_record *record, const uint8_t *data,
                          xr_arena *arena, exray_tensor_view *out, bool *has_info)
{
    *has_info = false;
    if (record->position & XR_RECORD_GATHERED) {
        const bool good = xr_decode_gathered(data, (size_t)record->size, arena, out);
        out->model_tensor = position_in_model(log, record);
        return good;
    }
    return xr_decode_tensor(data, (size_t)record->size, arena, out, has_info);
}

/* Decodes a tensor's message, whose chunk may still have to be checked. */
static exray_status decode_view(const exray_log *log, const exray_record *record, exray_slot *slot,
                                exray_tensor_view *out, xr_chunk **unchecked, exray_error *error)
{
    const uint8_t *data = NULL;
    if (record->message != EXRAY_MESSAGE_TENSOR)
        return xr_error_set(error, EXRAY_E_ARGUMENT, "%s holds no tensors", record->topic);
    if (record->chunk == XR_CHUNK_ATTACHED)
        return attached_view(log, record, slot, out, error);
    exray_status status = locate(log, record, slot, &data, unchecked, error);
    if (status != EXRAY_OK)
        return status;
    bool has_info;
    if (!decode_tensor(log, record, data, &slot->arena, out, &has_info))
        return check(log, *unchecked) ? fail_decoding(log, record, slot, error)
                                      : fail_crc(log, record, error);
    if (!has_info) {
        const exray_tensor_info *info = info_of_model(log, record, out->model_tensor);
        if (info)
            out->info = *info;
    }
    count_elements(out);
    /* Protobuf writes no field for no bytes: a tensor without elements has data.  It
     * lies in the chunk, as all data does whose chunk is still to be summed. */
    if (has_dimension(&out->info, 0, 0) && !out->data)
        out->data = data;
    return EXRAY_OK;
}

exray_status exray_log_read_tensor(const exray_log *log, const exray_record *record, exray_slot *slot,
                                   exray_tensor_view *out, exray_error *error)
{
    xr_chunk *unchecked = NULL;
    exray_status status = decode_view(log, record, slot, out, &unchecked, error);
    if (status == EXRAY_OK && !check(log, unchecked))
        return fail_crc(log, record, error);
    return status;
}

exray_status xr_log_read_deferred(const exray_log *log, const exray_record *record, exray_slot *slot,
                                  exray_tensor_view *out, xr_deferred *check_later, exray_error *error)
{
    xr_chunk *unchecked = NULL;
    exray_status status = decode_view(log, record, slot, out, &unchecked, error);
    *check_later = (xr_deferred){.log = log};
    if (status == EXRAY_OK && unchecked) {
        check_later->chunk = unchecked;
        check_later->at = log->map.base + unchecked->records;
    }
    return status;
}

void xr_deferred_advance(xr_deferred *check_later, const void *end)
{
    const uint8_t *to = end;
    if (!check_later->chunk || check_later->chunk->crc == 0 || to <= check_later->at)
        return;
    check_later->crc =
        exray_codec_default()->crc32(check_later->crc, check_later->at, (size_t)(to - check_later->at));
    check_later->at = to;
}

bool xr_deferred_begin(xr_deferred *check_later, const void *begin, uint32_t *crc)
{
    xr_deferred_advance(check_later, begin);
    *crc = check_later->crc;
    return check_later->chunk && check_later->chunk->crc != 0 && check_later->at == begin;
}

void xr_deferred_summed(xr_deferred *check_later, const void *end, uint32_t crc)
{
    check_later->at = end;
    check_later->crc = crc;
}

bool xr_deferred_finish(xr_deferred *check_later)
{
    xr_chunk *chunk = check_later->chunk;
    if (!chunk)
        return true;
    xr_deferred_advance(check_later, check_later->log->map.base + chunk->records + chunk->size);
    check_later->chunk = NULL;
    return xr_chunk_settle(check_later->log, chunk, chunk->crc == 0 || check_later->crc == chunk->crc);
}

/* Whether the view can give `count` numbers. */
static exray_status judge_values(const exray_log *log, const exray_record *record,
                                 const exray_tensor_view *view, exray_error *error)
{
    if (!view->data)
        return xr_error_set(error, EXRAY_E_STATE,
                            "the data of %s was not kept in %s; record with more capture", record->topic,
                            log->path);
    unsigned bits = exray_dtype_bits(view->info.dtype);
    if (bits == 0)
        return xr_error_set(error, EXRAY_E_UNSUPPORTED, "%s in %s holds no numbers but %s", record->topic,
                            log->path, exray_dtype_name(view->info.dtype));
    uint64_t capacity = bits < 8 ? (uint64_t)view->size * 2 : view->size / (bits / 8);
    if (view->count > capacity)
        return fail_damaged(log, record, "its data is shorter than its shape says", error);
    return EXRAY_OK;
}

exray_status exray_log_read_values(const exray_log *log, const exray_record *record, exray_slot *slot,
                                   exray_tensor_view *out, const float **values, exray_error *error)
{
    xr_chunk *unchecked = NULL;
    exray_status status = decode_view(log, record, slot, out, &unchecked, error);
    if (status != EXRAY_OK)
        return status;
    status = judge_values(log, record, out, error);
    bool plain = out->info.dtype == EXRAY_DTYPE_FLOAT32 && out->info.quantization.count == 0;
    bool aligned = (uintptr_t)out->data % sizeof(float) == 0;
    if (status != EXRAY_OK || !plain || aligned) {
        if (!check(log, unchecked))
            return fail_crc(log, record, error);
        unchecked = NULL;
        *values = out->data;
        if (status != EXRAY_OK || (plain && aligned))
            return status;
    }
    void *room = slot->values;
    size_t size = (size_t)out->count * sizeof(float);
    bool good = make_room(&room, &slot->values_size, size ? size : 1);
    slot->values = room;
    if (!good)
        return fail_memory(log, record, error);
    *values = slot->values;
    if (unchecked)
        return xr_chunk_copy(log, unchecked, slot->values, out->data, size) ? EXRAY_OK
                                                                            : fail_crc(log, record, error);
    if (exray_tensor_dequantize(&out->info, out->data, out->size, out->count, slot->values) != EXRAY_OK)
        return fail_damaged(log, record, "its quantization does not fit its shape", error);
    return EXRAY_OK;
}

/* The common part of the small messages. */
static exray_status find_message(const exray_log *log, const exray_record *record, exray_message message,
                                 exray_slot *slot, const uint8_t **data, exray_error *error)
{
    if (record->message != message)
        return xr_error_set(error, EXRAY_E_ARGUMENT, "%s holds other messages", record->topic);
    return find_bytes(log, record, slot, data, error);
}

exray_status exray_log_read_latency(const exray_log *log, const exray_record *record, exray_slot *slot,
                                    exray_latency *out, exray_error *error)
{
    const uint8_t *data = NULL;
    exray_status status = find_message(log, record, EXRAY_MESSAGE_LATENCY, slot, &data, error);
    if (status == EXRAY_OK && !xr_decode_latency(data, (size_t)record->size, &slot->arena, out))
        return fail_decoding(log, record, slot, error);
    return status;
}

exray_status exray_log_read_system(const exray_log *log, const exray_record *record, exray_slot *slot,
                                   exray_system *out, exray_error *error)
{
    const uint8_t *data = NULL;
    exray_status status = find_message(log, record, EXRAY_MESSAGE_SYSTEM, slot, &data, error);
    if (status == EXRAY_OK && !xr_decode_system(data, (size_t)record->size, out))
        return fail_decoding(log, record, slot, error);
    return status;
}

exray_status exray_log_read_reading(const exray_log *log, const exray_record *record, exray_slot *slot,
                                    exray_reading *out, exray_error *error)
{
    const uint8_t *data = NULL;
    exray_status status = find_message(log, record, EXRAY_MESSAGE_READING, slot, &data, error);
    if (status == EXRAY_OK && !xr_decode_reading(data, (size_t)record->size, &slot->arena, out))
        return fail_decoding(log, record, slot, error);
    return status;
}

/* The truth is a result, too. */
exray_status exray_log_read_result(const exray_log *log, const exray_record *record, exray_slot *slot,
                                   exray_result *out, exray_error *error)
{
    const uint8_t *data = NULL;
    const bool is_truth = record->message == EXRAY_MESSAGE_TRUTH;
    exray_status status =
        find_message(log, record, is_truth ? EXRAY_MESSAGE_TRUTH : EXRAY_MESSAGE_RESULT, slot, &data, error);
    if (status == EXRAY_OK && !xr_decode_result(data, (size_t)record->size, &slot->arena, out))
        return fail_decoding(log, record, slot, error);
    return status;
}

/* The messages one after another, as protobuf joins them: in the slot's room for values in another order. */
static exray_status join_told(const exray_log *log, const exray_record *records, size_t count,
                              exray_message which, size_t total, exray_slot *slot, exray_error *error)
{
    void *room = slot->turned;
    const bool enough = make_room(&room, &slot->turned_size, total);
    slot->turned = room;
    if (!enough)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory while reading %s", log->path);
    size_t at = 0, limit = 0;
    for (size_t i = 0; i < count; i++) {
        if (records[i].message != which)
            continue;
        const uint8_t *data = NULL;
        const exray_status status = find_bytes(log, &records[i], slot, &data, error);
        if (status)
            return status;
        memcpy((uint8_t *)room + at, data, (size_t)records[i].size);
        at += (size_t)records[i].size;
        limit += slot->arena.limit;
    }
    slot->arena.limit = limit;
    return EXRAY_OK;
}

exray_status xr_read_joined(const exray_log *log, const exray_record *records, size_t count,
                            exray_message which, size_t total, exray_slot *slot, exray_result *out,
                            exray_error *error)
{
    const exray_status status = join_told(log, records, count, which, total, slot, error);
    if (status == EXRAY_OK && !xr_decode_result((const uint8_t *)slot->turned, total, &slot->arena, out))
        return fail_decoding(log, records, slot, error);
    return status;
}

exray_status exray_log_read_attachment(const exray_log *log, size_t i, exray_slot *slot, const void **data,
                                       size_t *size, exray_error *error)
{
    if (i >= log->attachments.count)
        return xr_error_set(error, EXRAY_E_ARGUMENT, "%s has no attachment %zu", log->path, i);
    const xr_attachment_entry *entry = (xr_attachment_entry *)log->attachments.items + i;
    xr_arena_reset(&slot->arena);
    if (!xr_file_map_check(&log->map, log->path, error))
        return EXRAY_E_IO;
    const uint8_t *content = log->map.base + entry->content;
    uint64_t covered = entry->info.position + entry->info.size - entry->content;
    xr_file_map_used(&log->map, covered);
    if (entry->crc && exray_codec_default()->crc32(0, content, (size_t)covered) != entry->crc)
        return xr_error_set(error, EXRAY_E_FORMAT, "the attachment %s of %s is damaged: its CRC does not fit",
                            entry->info.name, log->path);
    *data = log->map.base + entry->info.position;
    *size = (size_t)entry->info.size;
    return EXRAY_OK;
}
