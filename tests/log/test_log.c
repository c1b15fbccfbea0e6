/* Logs that our recorder wrote, read back: everything that went in comes out. */
#define _POSIX_C_SOURCE 200809L
#include "log/log_file.h"
#include "log/recover.h"

#include <exray/codecs.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LOG_ROOM = 8 << 20, FRAMES = 3, LARGE = 300000 };

typedef struct written {
    uint8_t *data;
    size_t size;
} written;

static float large[LARGE];

/* real = scale * (stored - zero_point), for each of the two rows. */
static const float row_scale[2] = {0.5f, 0.25f};
static const int64_t row_zero[2] = {3, -4};
static const int64_t image_shape[] = {1, 2, 2, 3}, conv_shape[] = {LARGE}, rows_shape[] = {2, 3};
#define BY_ROWS                                                                                              \
    {                                                                                                        \
        .count = 2, .axis = 0, .scale = row_scale, .zero_point = row_zero                                    \
    }
static const exray_tensor_info tensors[] = {
    {.name = "image", .layout = "NHWC", .dtype = EXRAY_DTYPE_UINT8, .rank = 4, .shape = image_shape},
    {.name = "weights",
     .dtype = EXRAY_DTYPE_INT8,
     .rank = 2,
     .shape = rows_shape,
     .constant = true,
     .quantization = BY_ROWS},
    {.name = "conv", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = conv_shape},
    {.name = "out", .dtype = EXRAY_DTYPE_INT8, .rank = 2, .shape = rows_shape, .quantization = BY_ROWS},
};

static void record_model(exray_recorder *r)
{
    static const uint32_t in0[] = {0, 1, EXRAY_NO_INDEX}, out0[] = {2}, out1[] = {3};
    static const exray_key_value attributes[] = {{"stride", "1"}, {"padding", "SAME"}};
    const exray_node inner = {.op = "RELU", .name = "relu", .inputs = out0, .input_count = 1};
    const exray_node nodes[] = {
        {.op = "CONV_2D",
         .inputs = in0,
         .input_count = 3,
         .outputs = out0,
         .output_count = 1,
         .attributes = attributes,
         .attribute_count = 2},
        {.op = "DELEGATE",
         .name = "tail",
         .subgraph = 1,
         .inputs = out0,
         .input_count = 1,
         .outputs = out1,
         .output_count = 1,
         .inner = &inner,
         .inner_count = 1},
    };
    static const uint32_t first[] = {0}, last[] = {3};
    uint8_t sha256[32] = {1, 2, 3};
    const exray_model model = {.name = "tiny",
                               .sha256 = sha256,
                               .engine = "tflite",
                               .engine_version = "2.17.1",
                               .kernels = "builtin",
                               .threads = 4,
                               .tensors = tensors,
                               .tensor_count = 4,
                               .nodes = nodes,
                               .node_count = 2,
                               .inputs = first,
                               .input_count = 1,
                               .outputs = last,
                               .output_count = 1};
    assert_int_equal(exray_recorder_log_model(r, &model), EXRAY_OK);
}

/* A record of tensor `which` of the model. */
static void record_tensor(exray_recorder *r, exray_kind kind, uint32_t index, uint32_t which,
                          const void *data, size_t size)
{
    const exray_tensor t = {.kind = kind,
                            .index = index,
                            .in_model = true,
                            .model_tensor = which,
                            .info = tensors[which],
                            .data = data,
                            .size = size};
    assert_int_equal(exray_recorder_log_tensor(r, &t), EXRAY_OK);
}

static void record_frame(exray_recorder *r, int f)
{
    static const uint8_t pixels[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255};
    static const int8_t out[6] = {-128, 0, 127, 1, 2, 3};
    static const uint32_t node[] = {0, 1};
    static const uint64_t start[] = {10, 20}, duration[] = {5, 7};
    static const double reading[] = {0.5, -9.81};
    static const exray_class classes[] = {{7, 0.75f, "cat"}, {8, 0.25f, NULL}};
    static const float corners[8] = {0.1f, 0.2f, 0.3f, 0.25f, 0.28f, 0.4f, 0.08f, 0.35f};
    static const exray_box box = {
        .x_min = 0.1f, .y_min = 0.2f, .x_max = 0.3f, .y_max = 0.4f, .id = 9, .score = 0.5f, .label = "dog"};
    const exray_result result = {
        .classes = classes, .class_count = 2, .boxes = &box, .box_count = 1, .text = "hi"};
    static const exray_box crowd = {.x_max = 1, .y_max = NAN, .corners = corners, .crowd = true};
    static const exray_keypoint keypoints[] = {{0.5f, 0.25f, -1, 0.75f, 0}, {.id = -3}};
    static const uint8_t ids[12] = {1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 0xFF, 0xFF};
    static const exray_mask mask = {3, 2, ids, sizeof ids, true};
    static const float values[] = {1, 2, 3};
    static const exray_vector vectors[] = {{"embedding", values, 3}, {NULL, NULL, 0}};
    const exray_result truth[] = {{.boxes = &crowd, .box_count = 1, .text = "first"},
                                  {.boxes = &box,
                                   .box_count = 1,
                                   .keypoints = keypoints,
                                   .keypoint_count = 2,
                                   .vectors = vectors,
                                   .vector_count = 2,
                                   .mask = &mask,
                                   .text = "second"}};
    const exray_media media = {.format = "rgb8", .width = 2, .height = 2, .rotation = 90};
    char source[32];
    snprintf(source, sizeof source, "picture %d.jpg", f);
    assert_int_equal(exray_recorder_frame_begin(r, source), EXRAY_OK);
    exray_recorder_frame_label(r, f - 1);
    exray_recorder_frame_inference(r, 1000 + (uint64_t)f);
    exray_recorder_log_image(r, "camera", &media, pixels, sizeof pixels);
    /* Deliberately not in the order in which they are to be read. */
    record_tensor(r, EXRAY_KIND_OUTPUT, EXRAY_NO_INDEX, 3, out, sizeof out);
    record_tensor(r, EXRAY_KIND_LAYER, 1, 3, out, sizeof out);
    record_tensor(r, EXRAY_KIND_LAYER, 0, 2, large, sizeof large);
    record_tensor(r, EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0, pixels, sizeof pixels);
    exray_recorder_log_latency(r, node, start, duration, 2);
    exray_recorder_log_reading(r, "imu", reading, 2, "m/s2");
    assert_int_equal(exray_recorder_log_result(r, &result), EXRAY_OK);
    assert_int_equal(exray_recorder_log_truth(r, &truth[0]), EXRAY_OK);
    assert_int_equal(exray_recorder_log_truth(r, &truth[1]), EXRAY_OK);
    exray_recorder_log_scalar(r, "brightness", 0.5);
    exray_recorder_log_span(r, "resize", 123);
    assert_int_equal(exray_recorder_frame_end(r), EXRAY_OK);
}

static written write_log(const exray_recorder_config *config, bool finish)
{
    static const int8_t weights[6] = {1, 2, 3, 4, 5, 6};
    written w = {malloc(LOG_ROOM), 0};
    exray_recorder *r = malloc(sizeof *r);
    assert_non_null(w.data);
    assert_non_null(r);
    for (int i = 0; i < LARGE; i++)
        large[i] = sinf((float)i);
    assert_int_equal(exray_recorder_open_memory(r, w.data, LOG_ROOM, config), EXRAY_OK);
    record_model(r);
    record_tensor(r, EXRAY_KIND_CONSTANT, 1, 1, weights, sizeof weights);
    exray_recorder_log_attachment(r, "pipeline.yaml", "text/yaml", "task: x", 7);
    for (int f = 0; f < FRAMES; f++)
        record_frame(r, f);
    if (finish) {
        assert_int_equal(exray_recorder_close(r), EXRAY_OK);
        w.size = (size_t)exray_recorder_bytes_written(r);
    } else {
        exray_recorder_abandon(r);
        w.size = (size_t)exray_recorder_bytes_written(r);
    }
    free(r);
    return w;
}

static exray_log *open_written(const written *w)
{
    exray_error error = {0};
    exray_log *log = xr_log_open_bytes(w->data, w->size, "test.mcap", &error);
    if (!log)
        fail_msg("%s", error.message);
    return log;
}

static const exray_record *find_message(const exray_log *log, size_t frame, exray_message message)
{
    const exray_record *records = exray_log_records(log, frame);
    for (size_t i = 0; i < exray_log_frame(log, frame)->record_count; i++)
        if (records[i].message == message)
            return &records[i];
    fail_msg("frame %zu has no such message", frame);
    return NULL;
}

static void check_model(const exray_log *log)
{
    const exray_model *m = exray_log_model(log);
    assert_non_null(m);
    assert_string_equal(m->name, "tiny");
    assert_string_equal(m->engine_version, "2.17.1");
    assert_int_equal(m->threads, 4);
    assert_int_equal(m->sha256[2], 3);
    assert_int_equal(m->tensor_count, 4);
    assert_string_equal(m->tensors[0].layout, "NHWC");
    assert_true(m->tensors[1].constant && !m->tensors[0].constant);
    assert_int_equal(m->tensors[1].quantization.count, 2);
    assert_int_equal(m->tensors[1].quantization.zero_point[1], -4);
    assert_int_equal(m->node_count, 2);
    assert_string_equal(exray_node_name(m, 0), "conv"); /* of its output */
    assert_string_equal(exray_node_name(m, 1), "tail");
    assert_string_equal(exray_node_name(m, 2), "");
    assert_int_equal(m->nodes[0].inputs[2], EXRAY_NO_INDEX);
    assert_int_equal(m->nodes[1].subgraph, 1);
    assert_string_equal(m->nodes[1].inner[0].name, "relu");
    assert_int_equal(m->nodes[0].attribute_count, 2);
    assert_int_equal(m->outputs[0], 3);
}

static void check_tensors(const exray_log *log, size_t f, exray_slot *slot)
{
    exray_error error;
    exray_tensor_view view;
    const float *values;
    const exray_record *camera = exray_log_find(log, f, EXRAY_KIND_SENSOR, EXRAY_NO_INDEX, 0, "camera");
    assert_non_null(camera);
    assert_int_equal(exray_log_read_values(log, camera, slot, &view, &values, &error), EXRAY_OK);
    assert_true(view.has_media);
    assert_string_equal(view.media.format, "rgb8");
    assert_int_equal(view.media.rotation, 90);
    assert_int_equal(view.count, 12);
    assert_true(values[11] == 255);
    const exray_record *layer = exray_log_find(log, f, EXRAY_KIND_LAYER, 0, 0, NULL);
    assert_non_null(layer);
    assert_true(layer->has_data);
    assert_int_equal(exray_log_read_values(log, layer, slot, &view, &values, &error), EXRAY_OK);
    assert_int_equal(view.count, LARGE);
    assert_int_equal(view.model_tensor, 2);
    assert_string_equal(view.info.name, "conv");
    assert_memory_equal(values, large, sizeof large);
    layer = exray_log_find(log, f, EXRAY_KIND_LAYER, 1, 0, NULL);
    assert_int_equal(exray_log_read_values(log, layer, slot, &view, &values, &error), EXRAY_OK);
    static const float real[6] = {-65.5f, -1.5f, 62, 1.25f, 1.5f, 1.75f};
    for (int i = 0; i < 6; i++)
        assert_true(values[i] == real[i]);
    assert_null(exray_log_find(log, f, EXRAY_KIND_LAYER, 2, 0, NULL));
    assert_null(exray_log_find(log, f, EXRAY_KIND_LAYER, 0, 1, NULL));
    assert_null(exray_log_find(log, f, EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0, "imag"));
    assert_null(exray_log_find(log, FRAMES, EXRAY_KIND_LAYER, 0, 0, NULL));
    assert_non_null(exray_log_find(log, f, EXRAY_KIND_CONSTANT, 1, 0, NULL));
    assert_int_equal(exray_log_read_system(log, layer, slot, &(exray_system){0}, &error), EXRAY_E_ARGUMENT);
}

static void check_truth(const exray_log *log, size_t f, exray_slot *slot)
{
    exray_error error;
    exray_result one, all;
    const exray_record *r = find_message(log, f, EXRAY_MESSAGE_TRUTH);
    assert_string_equal(r->topic, "/truth");
    assert_int_equal(exray_log_read_result(log, r, slot, &one, &error), EXRAY_OK);
    assert_int_equal(one.box_count, 1);
    assert_int_equal(exray_log_read_told(log, f, EXRAY_MESSAGE_RESULT, slot, &one, &error), EXRAY_OK);
    assert_int_equal(one.class_count, 2);
    assert_null(one.mask);
    assert_int_equal(exray_log_read_told(log, f, EXRAY_MESSAGE_LATENCY, slot, &one, &error),
                     EXRAY_E_ARGUMENT);
    assert_int_equal(exray_log_read_told(log, 999, EXRAY_MESSAGE_TRUTH, slot, &one, &error),
                     EXRAY_E_ARGUMENT);
    /* Two messages are one. */
    assert_int_equal(exray_log_read_told(log, f, EXRAY_MESSAGE_TRUTH, slot, &all, &error), EXRAY_OK);
    assert_int_equal(all.class_count, 0);
    assert_int_equal(all.box_count, 2);
    assert_true(all.boxes[0].crowd && isnan(all.boxes[0].y_max));
    assert_true(all.boxes[0].corners[7] == 0.35f);
    assert_string_equal(all.boxes[1].label, "dog");
    assert_null(all.boxes[1].corners);
    assert_string_equal(all.text, "second");
    assert_int_equal(all.keypoint_count, 2);
    assert_true(all.keypoints[0].x == 0.5f && all.keypoints[0].y == 0.25f && all.keypoints[0].z == -1);
    assert_true(all.keypoints[0].score == 0.75f && all.keypoints[1].id == -3);
    assert_int_equal(all.vector_count, 2);
    assert_string_equal(all.vectors[0].name, "embedding");
    assert_true(all.vectors[0].count == 3 && all.vectors[0].values[2] == 3);
    assert_string_equal(all.vectors[1].name, "");
    assert_int_equal(all.vectors[1].count, 0);
    assert_true(all.mask->width == 3 && all.mask->height == 2 && all.mask->wide && all.mask->size == 12);
    assert_int_equal(((const uint8_t *)all.mask->ids)[11], 0xFF);
}

static void check_messages(const exray_log *log, size_t f, exray_slot *slot)
{
    check_truth(log, f, slot);
    exray_error error;
    exray_latency latency;
    exray_reading reading;
    exray_result result;
    size_t count;
    const exray_record *r = find_message(log, f, EXRAY_MESSAGE_LATENCY);
    assert_int_equal(exray_log_read_latency(log, r, slot, &latency, &error), EXRAY_OK);
    assert_int_equal(latency.count, 2);
    assert_int_equal(latency.node[1], 1);
    assert_int_equal(latency.start_ns[1], 20);
    assert_int_equal(latency.duration_ns[0], 5);
    r = find_message(log, f, EXRAY_MESSAGE_READING);
    assert_string_equal(r->name, "imu");
    assert_int_equal(exray_log_read_reading(log, r, slot, &reading, &error), EXRAY_OK);
    assert_int_equal(reading.count, 2);
    assert_true(reading.value[1] == -9.81);
    assert_string_equal(reading.unit, "m/s2");
    r = find_message(log, f, EXRAY_MESSAGE_RESULT);
    assert_int_equal(exray_log_read_result(log, r, slot, &result, &error), EXRAY_OK);
    assert_int_equal(result.class_count, 2);
    assert_int_equal(result.classes[0].id, 7);
    assert_true(result.classes[0].score == 0.75f);
    assert_string_equal(result.classes[0].label, "cat");
    assert_string_equal(result.classes[1].label, "");
    assert_true(result.boxes[0].y_max == 0.4f);
    assert_string_equal(result.text, "hi");
    const exray_named_value *values = exray_log_frame_values(log, f, &count);
    assert_int_equal(count, 1);
    assert_string_equal(values[0].name, "brightness");
    assert_true(values[0].value == 0.5);
    const exray_named_span *spans = exray_log_frame_spans(log, f, &count);
    assert_int_equal(count, 1);
    assert_int_equal(spans[0].nanoseconds, 123);
}

static void check_log(const exray_log *log)
{
    exray_slot *slot = exray_slot_new();
    exray_error error;
    const void *data;
    size_t size;
    check_model(log);
    assert_int_equal(exray_log_frame_count(log), FRAMES);
    assert_int_equal(exray_log_damaged(log), 0);
    for (size_t f = 0; f < FRAMES; f++) {
        const exray_frame *frame = exray_log_frame(log, f);
        assert_int_equal(frame->index, f);
        assert_true(frame->complete && frame->has_label);
        assert_int_equal(frame->label, (int64_t)f - 1);
        assert_int_equal(frame->inference_ns, 1000 + f);
        assert_true(strncmp(frame->source, "picture ", 8) == 0);
        assert_true(frame->begin_ns <= frame->end_ns);
        check_tensors(log, f, slot);
        check_messages(log, f, slot);
        /* In the documented order. */
        const exray_record *records = exray_log_records(log, f);
        for (size_t i = 1; i < frame->record_count; i++) {
            assert_true(records[i - 1].message <= records[i].message);
            if (records[i].message == EXRAY_MESSAGE_TENSOR)
                assert_true(
                    records[i - 1].kind < records[i].kind ||
                    (records[i - 1].kind == records[i].kind && records[i - 1].index <= records[i].index));
            assert_true(records[i].log_time >= frame->begin_ns && records[i].log_time <= frame->end_ns);
            assert_int_equal(records[i].frame, f);
        }
    }
    assert_int_equal(exray_log_attachment_count(log), 1);
    assert_string_equal(exray_log_attachment(log, 0)->media_type, "text/yaml");
    assert_int_equal(exray_log_read_attachment(log, 0, slot, &data, &size, &error), EXRAY_OK);
    assert_int_equal(size, 7);
    assert_memory_equal(data, "task: x", 7);
    assert_int_equal(exray_log_read_attachment(log, 1, slot, &data, &size, &error), EXRAY_E_ARGUMENT);
    exray_slot_free(slot);
}

static exray_recorder_config config_of(int i)
{
    exray_recorder_config c = {.size = sizeof(exray_recorder_config),
                               .capture = EXRAY_CAPTURE_FULL,
                               .role = EXRAY_ROLE_REFERENCE,
                               .task = "classification"};
    c.codec = i ? exray_codec_default() : NULL;
    c.stream = i == 1;
    c.compression = i == 2 ? EXRAY_COMPRESSION_LZ4 : i == 3 ? EXRAY_COMPRESSION_ZSTD : EXRAY_COMPRESSION_NONE;
    c.chunk_size = i == 4 ? 4096 : 0;
    return c;
}
enum { CONFIGS = 5 };

static void test_everything_comes_back(void **state)
{
    (void)state;
    for (int i = 0; i < CONFIGS; i++) {
        exray_recorder_config config = config_of(i);
        written w = write_log(&config, true);
        exray_log *log = open_written(&w);
        assert_null(exray_log_truncated(log));
        assert_string_equal(exray_log_metadata(log, "role"), "reference");
        assert_string_equal(exray_log_metadata(log, "task"), "classification");
        assert_null(exray_log_metadata(log, "no such key"));
        check_log(log);
        exray_log_close(log);
        free(w.data);
    }
}

/* The same, recovered; and what an application that died left behind. */
static void test_recovered(void **state)
{
    (void)state;
    for (int i = 0; i < CONFIGS * 2; i++) {
        exray_recorder_config config = config_of(i / 2);
        written w = write_log(&config, i % 2 == 0), good = {0};
        char *data;
        FILE *file = open_memstream(&data, &good.size);
        xr_recovery result;
        exray_error error = {0};
        assert_true(xr_recover_bytes(w.data, w.size, file, &result, &error));
        fclose(file);
        good.data = (uint8_t *)data;
        assert_int_equal(result.lost_bytes, 0);
        assert_int_equal(result.damaged, 0);
        exray_log *log = open_written(&good), *before = open_written(&w);
        assert_null(exray_log_truncated(log));
        assert_true((exray_log_truncated(before) != NULL) == (i % 2 == 1));
        assert_int_equal(exray_log_frame_count(log), exray_log_frame_count(before));
        for (size_t f = 0; f < exray_log_frame_count(log); f++)
            assert_int_equal(exray_log_frame(log, f)->record_count, exray_log_frame(before, f)->record_count);
        if (i % 2 == 0)
            check_log(log);
        exray_log_close(log);
        exray_log_close(before);
        free(data);
        free(w.data);
    }
}

static void test_stats_only(void **state)
{
    (void)state;
    exray_recorder_config config = config_of(0);
    config.capture = EXRAY_CAPTURE_STATS;
    written w = write_log(&config, true);
    exray_log *log = open_written(&w);
    exray_slot *slot = exray_slot_new();
    exray_tensor_view view;
    const float *values;
    exray_error error;
    const exray_record *layer = exray_log_find(log, 1, EXRAY_KIND_LAYER, 0, 0, NULL);
    assert_non_null(layer);
    assert_false(layer->has_data);
    assert_int_equal(exray_log_read_tensor(log, layer, slot, &view, &error), EXRAY_OK);
    assert_null(view.data);
    assert_true(view.has_stats);
    assert_int_equal(view.stats.count, LARGE);
    float least = 0, most = 0;
    for (int i = 0; i < LARGE; i++) {
        least = fminf(least, large[i]);
        most = fmaxf(most, large[i]);
    }
    assert_true(view.stats.min == (double)least && view.stats.max == (double)most);
    assert_int_equal(exray_log_read_values(log, layer, slot, &view, &values, &error), EXRAY_E_STATE);
    exray_slot_free(slot);
    exray_log_close(log);
    free(w.data);
}

/* Blocks anywhere in a tensor are what the whole is, for every axis. */
static void test_dequantize_range(void **state)
{
    (void)state;
    static const int64_t shape[3] = {4, 3, 50};
    int8_t data[600];
    float scale[50], whole[600], part[600];
    int64_t zero[50];
    for (int i = 0; i < 600; i++)
        data[i] = (int8_t)(i * 37);
    for (int i = 0; i < 50; i++) {
        scale[i] = 0.25f + (float)i;
        zero[i] = i - 25;
    }
    for (uint32_t axis = 0; axis < 3; axis++) {
        const exray_tensor_info info = {
            .dtype = EXRAY_DTYPE_INT8,
            .rank = 3,
            .shape = shape,
            .quantization = {
                .count = (uint32_t)shape[axis], .axis = axis, .scale = scale, .zero_point = zero}};
        assert_int_equal(exray_tensor_dequantize(&info, data, sizeof data, 600, whole), EXRAY_OK);
        for (int i = 0; i < 600; i++) {
            int slice = axis == 0 ? i / 150 : axis == 1 ? i / 50 % 3 : i % 50;
            assert_true(whole[i] == ((float)data[i] - (float)zero[slice]) * scale[slice]);
        }
        for (uint64_t first = 0; first < 600; first += 41)
            for (uint64_t count = 0; first + count <= 600; count += 97) {
                assert_int_equal(exray_tensor_dequantize_range(&info, data, sizeof data, first, count, part),
                                 EXRAY_OK);
                assert_memory_equal(part, whole + first, count * sizeof(float));
            }
        assert_int_equal(exray_tensor_dequantize(&info, data, 599, 600, whole), EXRAY_E_FORMAT);
        assert_int_equal(exray_tensor_dequantize_range(&info, data, 600, UINT64_MAX, 2, part),
                         EXRAY_E_FORMAT);
    }
    const exray_tensor_info text = {.dtype = EXRAY_DTYPE_STRING};
    assert_int_equal(exray_tensor_dequantize(&text, data, 10, 1, part), EXRAY_E_UNSUPPORTED);
}

typedef struct reader {
    const exray_log *log;
    bool good;
} reader;

static void *read_all_values(void *user)
{
    reader *r = user;
    exray_slot *slot = exray_slot_new();
    exray_tensor_view view;
    const float *values;
    r->good = slot != NULL;
    for (size_t f = 0; r->good && f < FRAMES; f++) {
        const exray_record *records = exray_log_records(r->log, f);
        for (size_t i = 0; i < exray_log_frame(r->log, f)->record_count; i++) {
            if (records[i].message != EXRAY_MESSAGE_TENSOR)
                continue;
            if (exray_log_read_values(r->log, &records[i], slot, &view, &values, NULL) != EXRAY_OK)
                r->good = false;
            for (uint64_t v = 0; r->good && view.count == LARGE && v < LARGE; v++)
                r->good = values[v] == large[v];
        }
    }
    exray_slot_free(slot);
    return NULL;
}

/* Any number of threads, each with a slot of its own. */
static void test_threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    for (int i = 0; i < CONFIGS; i++) {
        exray_recorder_config config = config_of(i);
        written w = write_log(&config, true);
        exray_log *log = open_written(&w);
        pthread_t thread[THREADS];
        reader readers[THREADS];
        for (int t = 0; t < THREADS; t++) {
            readers[t] = (reader){log, false};
            assert_int_equal(pthread_create(&thread[t], NULL, read_all_values, &readers[t]), 0);
        }
        for (int t = 0; t < THREADS; t++) {
            pthread_join(thread[t], NULL);
            assert_true(readers[t].good);
        }
        assert_int_equal(exray_log_damaged(log), 0);
        exray_log_close(log);
        free(w.data);
    }
}

/* A file that was cut while it was open is an error, not a crash. */
static void test_file_cut_while_open(void **state)
{
    (void)state;
    exray_recorder_config config = config_of(0);
    written w = write_log(&config, true);
    const char *path = EXRAY_TEST_DIR "/cut-while-open.mcap";
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(w.data, 1, w.size, file), w.size);
    fclose(file);
    exray_error error;
    exray_log *log = exray_log_open(path, &error);
    assert_non_null(log);
    assert_string_equal(exray_log_path(log), path);
    check_log(log);
    fclose(fopen(path, "wb")); /* now of no length */
    exray_slot *slot = exray_slot_new();
    exray_tensor_view view;
    const exray_record *layer = exray_log_find(log, 0, EXRAY_KIND_LAYER, 0, 0, NULL);
    assert_int_equal(exray_log_read_tensor(log, layer, slot, &view, &error), EXRAY_E_IO);
    assert_non_null(strstr(error.message, "shorter"));
    exray_slot_free(slot);
    exray_log_close(log);
    remove(path);
    free(w.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_comes_back),
        cmocka_unit_test(test_recovered),
        cmocka_unit_test(test_stats_only),
        cmocka_unit_test(test_dequantize_range),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_file_cut_while_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
