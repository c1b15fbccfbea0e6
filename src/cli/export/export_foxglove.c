/* A log's pictures as Foxglove shows them: foxglove.CompressedImage and foxglove.RawImage in an
 * MCAP file of their own, with frames and results as JSON beside them. */
#include "base/memory.h"
#include "cli/export/export.h"
#include "cli/export/foxglove_schema_fds.h"
#include "cli/fail.h"
#include "log/mcap_writer.h"
#include "media/decode.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA_COMPRESSED = 1, SCHEMA_RAW, SCHEMA_FRAME, SCHEMA_RESULT };

static const char frame_schema[] =
    "{\"type\":\"object\",\"properties\":{\"index\":{\"type\":\"integer\"},\"source\":{\"type\":\"string\"},"
    "\"label\":{\"type\":\"integer\"},\"inference_ms\":{\"type\":\"number\"},\"complete\":{\"type\":"
    "\"boolean\"},"
    "\"values\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"number\"}}}}";
static const char result_schema[] =
    "{\"type\":\"object\",\"properties\":{\"frame\":{\"type\":\"integer\"},\"text\":{\"type\":\"strin"
    "g\"},\"classes\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"id\":{\"ty"
    "pe\":\"integer\"},\"score\":{\"type\":\"number\"},\"label\":{\"type\":\"string\"}}}},\"boxes\":{"
    "\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"},"
    "\"score\":{\"type\":\"number\"},\"label\":{\"type\":\"string\"},\"x_min\":{\"type\":\"number\"},"
    "\"y_min\":{\"type\":\"number\"},\"x_max\":{\"type\":\"number\"},\"y_max\":{\"type\":\"number\"},"
    "\"crowd\":{\"type\":\"boolean\"},\"corners\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}"
    "}}}},\"keypoints\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"id\":{\""
    "type\":\"integer\"},\"score\":{\"type\":\"number\"},\"x\":{\"type\":\"number\"},\"y\":{\"type\":"
    "\"number\"},\"z\":{\"type\":\"number\"}}}},\"vectors\":{\"type\":\"array\",\"items\":{\"type\":"
    "\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"values\":{\"type\":\"array\",\"items"
    "\":{\"type\":\"number\"}}}}},\"mask\":{\"type\":\"object\",\"properties\":{\"width\":{\"type\":"
    "\"integer\"},\"height\":{\"type\":\"integer\"},\"wide\":{\"type\":\"boolean\"},\"ids\":{\"type\""
    ":\"string\"}}}}}";

typedef struct foxglove {
    const exray_log *log;
    xr_mcap_writer out;
    xr_buffer head; /* a message without its picture's bytes, which come last */
    exray_slot *slot;
    uint64_t pictures, converted, others, without_data, *skipped;
} foxglove;

/* ---- Protobuf ------------------------------------------------------------------------- */

static void put_varint(xr_buffer *bytes, uint64_t value)
{
    uint8_t byte[10];
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        byte[size++] = (uint8_t)(value | 0x80);
    byte[size++] = (uint8_t)value;
    xr_buffer_add(bytes, byte, size);
}

static void put_tag(xr_buffer *bytes, unsigned field, unsigned type)
{
    put_varint(bytes, field << 3 | type);
}

static void put_fixed32(xr_buffer *bytes, unsigned field, uint32_t value)
{
    put_tag(bytes, field, XR_WIRE_FIXED32);
    xr_buffer_add_number(bytes, value, 4);
}

static void put_string(xr_buffer *bytes, unsigned field, const char *text)
{
    put_tag(bytes, field, XR_WIRE_BYTES);
    put_varint(bytes, strlen(text));
    xr_buffer_add(bytes, text, strlen(text));
}

/* Field 1 of both messages. */
static void put_timestamp(xr_buffer *bytes, uint64_t ns)
{
    xr_buffer inner = {0};
    put_tag(&inner, 1, XR_WIRE_VARINT);
    put_varint(&inner, ns / 1000000000);
    put_tag(&inner, 2, XR_WIRE_VARINT);
    put_varint(&inner, ns % 1000000000);
    put_tag(bytes, 1, XR_WIRE_BYTES);
    put_varint(bytes, inner.size);
    xr_buffer_add(bytes, inner.data, inner.size);
    bytes->failed = bytes->failed || inner.failed;
    xr_buffer_free(&inner);
}

/* ---- Pictures --------------------------------------------------------------------------- */

/* What Foxglove calls the formats that it reads as they are. */
typedef struct known_format {
    const char *name, *encoding;
    unsigned bytes; /* of a pixel, in a row of the first plane */
    bool pairs;     /* two pixels share their color: the width is even */
} known_format;

static const known_format known_formats[] = {
    {"rgb8", "rgb8", 3, false},
    {"bgr8", "bgr8", 3, false},
    {"rgba8", "rgba8", 4, false},
    {"bgra8", "bgra8", 4, false},
    {"gray8", "mono8", 1, false},
    {"yuyv", "yuyv", 2, true},
    {"uyvy", "uyvy", 2, true},
    {"nv12", "nv12", 1, true},
    {"bayer_rggb8", "bayer_rggb8", 1, false},
    {"bayer_grbg8", "bayer_grbg8", 1, false},
    {"bayer_gbrg8", "bayer_gbrg8", 1, false},
    {"bayer_bggr8", "bayer_bggr8", 1, false},
};

/* The entry of a format, where these bytes are as Foxglove wants them, and their row's length. */
static const known_format *passes(const exray_media *media, size_t size, uint32_t *step)
{
    for (size_t i = 0; i < sizeof known_formats / sizeof *known_formats; i++) {
        const known_format *known = &known_formats[i];
        if (strcmp(known->name, media->format) != 0)
            continue;
        uint64_t row = (uint64_t)media->width * known->bytes,
                 stride = media->row_stride ? media->row_stride : row;
        uint64_t rows = media->height;
        if (strcmp(known->name, "nv12") == 0) {
            if (media->height % 2)
                return NULL;
            rows += media->height / 2; /* of both planes, which have one stride */
        }
        if (row == 0 || rows == 0 || stride < row || stride > UINT32_MAX || size < stride * rows ||
            (known->pairs && media->width % 2))
            return NULL;
        *step = (uint32_t)stride;
        return known;
    }
    return NULL;
}

static void put_picture(foxglove *f, const exray_record *record, uint16_t schema, unsigned field,
                        const void *data, size_t size)
{
    put_tag(&f->head, field, XR_WIRE_BYTES);
    put_varint(&f->head, size);
    uint16_t channel = xr_mcap_writer_add_channel(&f->out, record->topic, schema, "protobuf");
    if (!channel) {
        f->others++;
        return;
    }
    xr_mcap_writer_add_message(&f->out, channel, record->log_time, &f->head, data, size);
    f->pictures++;
}

static void put_raw(foxglove *f, const exray_record *record, const exray_picture *size, const char *encoding,
                    uint32_t step, const void *data, size_t bytes)
{
    put_string(&f->head, 7, record->name);
    put_fixed32(&f->head, 2, size->width);
    put_fixed32(&f->head, 3, size->height);
    put_string(&f->head, 4, encoding);
    put_fixed32(&f->head, 5, step);
    put_picture(f, record, SCHEMA_RAW, 6, data, bytes);
}

/* Formats that Foxglove does not know, and rows with another stride than it expects. */
static void put_decoded(foxglove *f, const exray_record *record, const exray_tensor_view *view)
{
    exray_picture image;
    exray_error error;
    if (xr_picture_decode(&view->media, view->data, view->size, &image, &error) != EXRAY_OK) {
        exray_error named = {error.status, ""};
        snprintf(named.message, sizeof named.message, "%.100s in frame %" PRIu64 ": %.320s", record->topic,
                 record->frame, error.message);
        xr_export_skip(&named, f->skipped);
        return;
    }
    size_t row = (size_t)image.width * image.channels;
    put_raw(f, record, &image, image.channels == 1 ? "mono8" : "rgb8", (uint32_t)row, image.pixels,
            row * image.height);
    f->converted++;
    xr_picture_clear(&image);
}

static bool is_file(const char *format)
{
    return strcmp(format, "jpeg") == 0 || strcmp(format, "png") == 0;
}

/* Sound and text have formats of their own; a record without media is an array. */
static bool is_picture(const exray_tensor_view *view)
{
    static const char *const no_pictures[] = {"", "wav", "s16", "f32", "utf8"};
    for (size_t i = 0; view->has_media && i < sizeof no_pictures / sizeof *no_pictures; i++)
        if (strcmp(view->media.format, no_pictures[i]) == 0)
            return false;
    return view->has_media;
}

static void put_tensor(foxglove *f, const exray_record *record)
{
    exray_tensor_view view;
    exray_error error;
    if (record->kind != EXRAY_KIND_SENSOR && record->kind != EXRAY_KIND_STAGE)
        return;
    if (exray_log_read_tensor(f->log, record, f->slot, &view, &error) != EXRAY_OK) {
        xr_export_skip(&error, f->skipped);
        return;
    }
    if (!is_picture(&view)) {
        f->others++;
        return;
    }
    if (!view.data || view.size == 0) {
        f->without_data++;
        return;
    }
    f->head.size = 0;
    put_timestamp(&f->head, record->log_time);
    uint32_t step;
    const known_format *known = passes(&view.media, view.size, &step);
    if (is_file(view.media.format)) {
        put_string(&f->head, 3, view.media.format);
        put_string(&f->head, 4, record->name);
        put_picture(f, record, SCHEMA_COMPRESSED, 2, view.data, view.size);
    } else if (known) {
        put_raw(f, record, &(exray_picture){.width = view.media.width, .height = view.media.height},
                known->encoding, step, view.data, view.size);
    } else {
        put_decoded(f, record, &view);
    }
}

/* ---- Frames and results as JSON ------------------------------------------------------------ */

static void add_number(cJSON *object, const char *key, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(object, key, value);
}

static void put_json(foxglove *f, const char *topic, uint16_t schema, uint64_t time, cJSON *root)
{
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    uint16_t channel = xr_mcap_writer_add_channel(&f->out, topic, schema, "json");
    f->out.no_memory = f->out.no_memory || !text;
    if (text && channel)
        xr_mcap_writer_add_message(&f->out, channel, time, &(xr_buffer){0}, text, strlen(text));
    cJSON_free(text);
}

static void put_frame(foxglove *f, size_t i, uint64_t time)
{
    const exray_frame *frame = exray_log_frame(f->log, i);
    cJSON *root = cJSON_CreateObject();
    add_number(root, "index", (double)frame->index);
    cJSON_AddStringToObject(root, "source", frame->source);
    if (frame->has_label)
        add_number(root, "label", (double)frame->label);
    if (frame->inference_ns)
        add_number(root, "inference_ms", (double)frame->inference_ns / 1e6);
    cJSON_AddBoolToObject(root, "complete", frame->complete);
    size_t count;
    const exray_named_value *value = exray_log_frame_values(f->log, i, &count);
    cJSON *values = cJSON_AddObjectToObject(root, "values");
    for (size_t k = 0; k < count; k++)
        add_number(values, value[k].name, value[k].value);
    put_json(f, "/frame", SCHEMA_FRAME, time, root);
}

static cJSON *add_named(cJSON *list, int64_t id, float score, const char *label)
{
    cJSON *item = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(list, item)) {
        cJSON_Delete(item);
        return NULL;
    }
    add_number(item, "id", (double)id);
    add_number(item, "score", score);
    if (label && *label)
        cJSON_AddStringToObject(item, "label", label);
    return item;
}

static void add_boxes(cJSON *boxes, const exray_result *result)
{
    for (uint32_t i = 0; i < result->box_count; i++) {
        const exray_box *box = &result->boxes[i];
        cJSON *item = add_named(boxes, box->id, box->score, box->label);
        add_number(item, "x_min", box->x_min);
        add_number(item, "y_min", box->y_min);
        add_number(item, "x_max", box->x_max);
        add_number(item, "y_max", box->y_max);
        if (box->crowd)
            cJSON_AddBoolToObject(item, "crowd", true);
        if (box->corners)
            cJSON_AddItemToObject(item, "corners", cJSON_CreateFloatArray(box->corners, 8));
    }
}

static void add_keypoints(cJSON *keypoints, const exray_result *result)
{
    for (uint32_t i = 0; i < result->keypoint_count; i++) {
        const exray_keypoint *point = &result->keypoints[i];
        cJSON *item = add_named(keypoints, point->id, point->score, NULL);
        add_number(item, "x", point->x);
        add_number(item, "y", point->y);
        add_number(item, "z", point->z);
    }
}

static void add_vectors(cJSON *vectors, const exray_result *result)
{
    for (uint32_t i = 0; i < result->vector_count; i++) {
        const exray_vector *vector = &result->vectors[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToArray(vectors, item);
        cJSON_AddStringToObject(item, "name", vector->name ? vector->name : "");
        cJSON_AddItemToObject(item, "values", cJSON_CreateFloatArray(vector->values, (int)vector->count));
    }
}

/* Its ids in hexadecimal. */
static void add_mask(cJSON *root, const exray_mask *mask)
{
    static const char digits[] = "0123456789abcdef";
    char *ids = malloc(2 * mask->size + 1);
    cJSON *item = cJSON_AddObjectToObject(root, "mask");
    add_number(item, "width", mask->width);
    add_number(item, "height", mask->height);
    cJSON_AddBoolToObject(item, "wide", mask->wide);
    for (size_t i = 0; ids && i < mask->size; i++) {
        const uint8_t byte = ((const uint8_t *)mask->ids)[i];
        ids[2 * i] = digits[byte >> 4];
        ids[2 * i + 1] = digits[byte & 15];
    }
    if (ids) {
        ids[2 * mask->size] = 0;
        cJSON_AddStringToObject(item, "ids", ids);
    }
    free(ids);
}

static void put_result(foxglove *f, const exray_record *record)
{
    exray_result result;
    exray_error error;
    if (exray_log_read_result(f->log, record, f->slot, &result, &error) != EXRAY_OK) {
        xr_export_skip(&error, f->skipped);
        return;
    }
    cJSON *root = cJSON_CreateObject();
    add_number(root, "frame", (double)record->frame);
    cJSON *classes = cJSON_AddArrayToObject(root, "classes"), *boxes = cJSON_AddArrayToObject(root, "boxes");
    for (uint32_t i = 0; i < result.class_count; i++)
        add_named(classes, result.classes[i].id, result.classes[i].score, result.classes[i].label);
    add_boxes(boxes, &result);
    if (result.keypoint_count)
        add_keypoints(cJSON_AddArrayToObject(root, "keypoints"), &result);
    if (result.vector_count)
        add_vectors(cJSON_AddArrayToObject(root, "vectors"), &result);
    if (result.mask)
        add_mask(root, result.mask);
    if (result.text && *result.text)
        cJSON_AddStringToObject(root, "text", result.text);
    put_json(f, record->topic, SCHEMA_RESULT, record->log_time, root);
}

/* ---- All of it ------------------------------------------------------------------------------ */

static void put_all(foxglove *f)
{
    xr_mcap_writer *out = &f->out;
    xr_mcap_writer_add_schema(out, SCHEMA_COMPRESSED, "foxglove.CompressedImage", "protobuf",
                              xr_foxglove_schema_fds, sizeof xr_foxglove_schema_fds);
    xr_mcap_writer_add_schema(out, SCHEMA_RAW, "foxglove.RawImage", "protobuf", xr_foxglove_schema_fds,
                              sizeof xr_foxglove_schema_fds);
    xr_mcap_writer_add_schema(out, SCHEMA_FRAME, "exray.Frame", "jsonschema", frame_schema,
                              sizeof frame_schema - 1);
    xr_mcap_writer_add_schema(out, SCHEMA_RESULT, "exray.Result", "jsonschema", result_schema,
                              sizeof result_schema - 1);
    for (size_t i = 0; i < exray_log_frame_count(f->log) && xr_mcap_writer_good(out); i++) {
        size_t count;
        const exray_record *record = exray_log_records_in(f->log, i, f->slot, &count);
        for (size_t k = 0; k < count; k++) {
            if (record[k].message == EXRAY_MESSAGE_TENSOR)
                put_tensor(f, &record[k]);
            else if (record[k].message == EXRAY_MESSAGE_FRAME)
                put_frame(f, i, record[k].log_time);
            else if (record[k].message == EXRAY_MESSAGE_RESULT || record[k].message == EXRAY_MESSAGE_TRUTH)
                put_result(f, &record[k]);
        }
    }
}

static void say_rest(const foxglove *f)
{
    if (f->pictures == 0)
        fprintf(stderr, "exray: note: %s has no pictures of a sensor; the new file shows none\n",
                exray_log_path(f->log));
    if (f->converted)
        fprintf(stderr,
                "exray: note: %" PRIu64 " of %" PRIu64
                " pictures are in a format that Foxglove does not read; they became rgb8 or mono8\n",
                f->converted, f->pictures);
    if (f->without_data)
        fprintf(stderr, "exray: note: %" PRIu64 " pictures were logged without their data\n",
                f->without_data);
    if (f->others)
        fprintf(stderr, "exray: note: %" PRIu64 " records of sensors are no pictures and were left out\n",
                f->others);
}

bool xr_export_foxglove(const exray_log *log, FILE *out, const char *path, uint64_t *skipped)
{
    foxglove f = {.log = log, .slot = exray_slot_new(), .skipped = skipped};
    xr_mcap_writer_begin(&f.out, out);
    xr_mcap_writer_add_header(&f.out, ""); /* of no profile: it is no log of exray's */
    f.out.no_memory = !f.slot;
    if (f.slot)
        put_all(&f);
    bool good = xr_mcap_writer_end(&f.out);
    if (f.out.failed)
        xr_fail("cannot write %s: %s", strcmp(path, "-") == 0 ? "standard output" : path,
                strerror(f.out.failed));
    else if (!good)
        xr_fail("out of memory while exporting %s", exray_log_path(log));
    else if (!xr_memory_lacks())
        say_rest(&f);
    xr_mcap_writer_free(&f.out);
    xr_buffer_free(&f.head);
    exray_slot_free(f.slot);
    return good;
}
