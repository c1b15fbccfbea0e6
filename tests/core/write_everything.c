/* Writes a log with every call of exray.h and every field of the schema set, for
 * readers that are not ours (tests/core/test_mcap_readers.py says what must be
 * in it).
 *   usage: write_everything OUT.mcap MODE
 *   MODE: stream chunked own-crc lz4 zstd async async-stream stats sketch no-io;
 *   device device-stats device-sketch: a stream of a recorder without other parts */
#include <exray/codecs.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Deterministic bytes; the reader computes the same. */
static void fill(uint8_t *at, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(i * 37 + seed * 11 + (i >> 8) * 7);
}

static bool is_of_device(const char *mode)
{
    return strcmp(mode, "device") == 0 || strcmp(mode, "device-stats") == 0 ||
           strcmp(mode, "device-sketch") == 0;
}

static bool configure(const char *mode, exray_recorder_config *config)
{
    static const exray_key_value extra[] = {{"camera_serial", "A-17"}, {"note", "gr\xc3\xbc\xc3\x9f Gott"}};
    *config = (exray_recorder_config){.size = sizeof(exray_recorder_config),
                                      .capture = EXRAY_CAPTURE_FULL,
                                      .codec = exray_codec_default(),
                                      .chunk_size = 256 << 10,
                                      .role = EXRAY_ROLE_REFERENCE,
                                      .task = "classification",
                                      .session = "session-1",
                                      .replay_of = "00000000-0000-4000-8000-000000000000",
                                      .device = "test bench",
                                      .app = "write_everything",
                                      .metadata = extra,
                                      .metadata_count = 2};
    if (strcmp(mode, "stream") == 0) {
        config->stream = true;
    } else if (strcmp(mode, "own-crc") == 0) {
        config->codec = NULL;
    } else if (strcmp(mode, "lz4") == 0) {
        config->compression = EXRAY_COMPRESSION_LZ4;
    } else if (strcmp(mode, "zstd") == 0) {
        config->compression = EXRAY_COMPRESSION_ZSTD;
    } else if (strcmp(mode, "async") == 0) {
        config->ring_size = 1 << 18;
        config->policy = EXRAY_POLICY_BLOCK;
    } else if (strcmp(mode, "async-stream") == 0) {
        config->ring_size = 1 << 18;
        config->policy = EXRAY_POLICY_BLOCK;
        config->stream = true;
    } else if (strcmp(mode, "stats") == 0) {
        config->capture = EXRAY_CAPTURE_STATS;
    } else if (strcmp(mode, "sketch") == 0) {
        config->capture = EXRAY_CAPTURE_SKETCH;
    } else if (strcmp(mode, "no-io") == 0) {
        config->no_io_data = true;
    } else if (is_of_device(mode)) {
        static exray_recorder_parts parts = EXRAY_RECORDER_PARTS_INIT;
        config->stream = true;
        config->codec = NULL;
        config->buffer_size = 1000;
        config->parts = &parts;
        if (strcmp(mode, "device") != 0) {
            parts.stats = exray_stats_part_small();
            config->capture = EXRAY_CAPTURE_STATS;
        }
        if (strcmp(mode, "device-sketch") == 0) {
            parts.sketch = exray_sketch_part_small();
            config->capture = EXRAY_CAPTURE_SKETCH;
        }
    } else {
        return strcmp(mode, "chunked") == 0;
    }
    return true;
}

static void write_model(exray_recorder *recorder)
{
    static const int64_t input_shape[] = {1, -1, 4, 3}, weight_shape[] = {2, 3, 1, 4}, bias_shape[] = {4};
    static const float scales[] = {0.5f, 0.25f, 0.125f, 2.0f};
    static const int64_t zeros[] = {0, -3, 127, INT64_MIN};
    static const float one_scale[] = {0.0078125f};
    const exray_tensor_info tensors[] = {
        {.name = "input", .layout = "NHWC", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 4, .shape = input_shape},
        {.name = "weights",
         .dtype = EXRAY_DTYPE_INT8,
         .rank = 4,
         .shape = weight_shape,
         .quantization = {4, 3, scales, zeros},
         .constant = true},
        {.name = "",
         .dtype = EXRAY_DTYPE_INT32,
         .rank = 1,
         .shape = bias_shape,
         .quantization = {1, 0, one_scale, NULL},
         .constant = true},
        {.name = "scalar", .dtype = EXRAY_DTYPE_FLOAT64},
    };
    static const uint32_t conv_inputs[] = {0, 1, EXRAY_NO_INDEX}, three[] = {3}, zero[] = {0};
    static const exray_key_value attributes[] = {{"stride", "2x2"}, {"padding", "SAME"}, {"empty", ""}};
    const exray_node innermost[] = {{.op = "RELU6", .name = "deep", .inputs = three, .input_count = 1}};
    const exray_node inner[] = {{.op = "CONV_2D", .name = "a", .inner = innermost, .inner_count = 1},
                                {.op = "ADD", .name = "b"}};
    const exray_node nodes[] = {
        {.op = "CONV_2D",
         .name = "stem/conv",
         .subgraph = 1,
         .inputs = conv_inputs,
         .input_count = 3,
         .outputs = three,
         .output_count = 1,
         .attributes = attributes,
         .attribute_count = 3},
        {.op = "DELEGATE", .name = "", .outputs = three, .output_count = 1, .inner = inner, .inner_count = 2},
    };
    uint8_t sha256[32];
    fill(sha256, sizeof sha256, 99);
    exray_recorder_log_model(recorder, &(exray_model){.name = "everything.tflite",
                                                      .sha256 = sha256,
                                                      .engine = "tflite",
                                                      .engine_version = "2.17.1",
                                                      .kernels = "builtin",
                                                      .threads = 3,
                                                      .tensors = tensors,
                                                      .tensor_count = 4,
                                                      .nodes = nodes,
                                                      .node_count = 2,
                                                      .inputs = zero,
                                                      .input_count = 1,
                                                      .outputs = three,
                                                      .output_count = 1});
}

static void write_constant(exray_recorder *recorder)
{
    static const int64_t shape[] = {2, 3, 1, 4};
    static const float scales[] = {0.5f, 0.25f, 0.125f, 2.0f};
    static const int64_t zeros[] = {0, -3, 127, 1};
    uint8_t data[24];
    fill(data, sizeof data, 50);
    exray_recorder_log_tensor(recorder, &(exray_tensor){.kind = EXRAY_KIND_CONSTANT,
                                                        .info = {.name = "weights",
                                                                 .dtype = EXRAY_DTYPE_INT8,
                                                                 .rank = 4,
                                                                 .shape = shape,
                                                                 .quantization = {4, 3, scales, zeros},
                                                                 .constant = true},
                                                        .index = 1,
                                                        .in_model = true,
                                                        .model_tensor = 1,
                                                        .data = data,
                                                        .size = sizeof data});
}

/* One layer of every type, 2 x 3 x 4 elements; layer 0 and 1 are the model's. */
static void write_all_types(exray_recorder *recorder)
{
    static const int64_t shape[] = {2, 3, 4};
    for (unsigned type = EXRAY_DTYPE_FLOAT32; type <= EXRAY_DTYPE_FLOAT8_E5M2; type++) {
        uint8_t data[24 * 8];
        const unsigned bits = exray_dtype_bits((exray_dtype)type);
        const size_t size = type == EXRAY_DTYPE_STRING ? 11 : (24 * bits + 7) / 8;
        fill(data, size, type);
        exray_recorder_log_tensor(recorder,
                                  &(exray_tensor){.kind = EXRAY_KIND_LAYER,
                                                  .info = {.name = exray_dtype_name((exray_dtype)type),
                                                           .dtype = (exray_dtype)type,
                                                           .rank = 3,
                                                           .shape = shape},
                                                  .index = type,
                                                  .data = data,
                                                  .size = size});
    }
}

static void write_layers(exray_recorder *recorder)
{
    static const int64_t shape[] = {1, 2, 4, 3};
    uint8_t data[24];
    fill(data, sizeof data, 60);
    exray_tensor layer = {.kind = EXRAY_KIND_LAYER,
                          .info = {.name = "first", .dtype = EXRAY_DTYPE_UINT8, .rank = 4, .shape = shape},
                          .index = 0,
                          .in_model = true,
                          .model_tensor = 3,
                          .data = data,
                          .size = sizeof data};
    exray_recorder_log_tensor(recorder, &layer); /* described by the model */
    layer.output = 1;
    layer.occurrence = 2;
    layer.info_differs = true;
    exray_recorder_log_tensor(recorder, &layer); /* /layer/0/1, described here */
    layer.index = 1;
    layer.output = 0;
    layer.occurrence = 0;
    layer.in_model = layer.info_differs = false;
    layer.data = NULL;
    layer.size = 0;
    exray_recorder_log_tensor(recorder, &layer); /* not at hand */
}

/* Half a chunk, and four chunks: too large to be copied anywhere. */
static void write_large(exray_recorder *recorder)
{
    static const size_t sizes[] = {128 << 10, 1 << 20};
    for (uint32_t i = 0; i < 2; i++) {
        const int64_t shape[] = {(int64_t)sizes[i]};
        uint8_t *data = malloc(sizes[i]);
        if (!data)
            abort();
        fill(data, sizes[i], 70 + i);
        exray_recorder_log_tensor(
            recorder, &(exray_tensor){.kind = EXRAY_KIND_LAYER,
                                      .info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = shape},
                                      .index = 100 + i,
                                      .data = data,
                                      .size = sizes[i]});
        free(data);
    }
}

static void write_media(exray_recorder *recorder)
{
    uint8_t data[64];
    fill(data, sizeof data, 80);
    exray_recorder_log_encoded(recorder, "front camera", "png", data, 33);
    exray_recorder_log_encoded(recorder, "microphone", "wav", data, 20);
    exray_recorder_log_image(recorder, "packed", &(exray_media){.format = "rgb8", .width = 5, .height = 4},
                             data, 60);
    exray_recorder_log_image(
        recorder, "padded",
        &(exray_media){.format = "bgr8", .width = 2, .height = 3, .row_stride = 8, .rotation = 90}, data, 22);
    exray_recorder_log_image(recorder, "yuv",
                             &(exray_media){.format = "nv12",
                                            .width = 5,
                                            .height = 3,
                                            .matrix = "bt709",
                                            .full_range = true,
                                            .rotation = 270},
                             data, 27);
    static const int64_t samples[] = {8, 2};
    exray_recorder_log_tensor(
        recorder,
        &(exray_tensor){.kind = EXRAY_KIND_SENSOR,
                        .info = {.name = "pcm", .dtype = EXRAY_DTYPE_INT16, .rank = 2, .shape = samples},
                        .data = data,
                        .size = 32,
                        .media = &(exray_media){.format = "s16", .sample_rate = 16000, .channels = 2}});
}

static void write_input_output(exray_recorder *recorder)
{
    static const int64_t shape[] = {2, 3};
    static const float scale[] = {0.25f};
    static const int64_t zero[] = {-5};
    static const exray_kind kinds[] = {EXRAY_KIND_STAGE, EXRAY_KIND_INPUT, EXRAY_KIND_OUTPUT};
    static const char *const names[] = {"resized", "", "probabilities:0"};
    for (unsigned i = 0; i < 3; i++) {
        uint8_t data[6];
        fill(data, sizeof data, 90 + i);
        exray_recorder_log_tensor(recorder, &(exray_tensor){.kind = kinds[i],
                                                            .info = {.name = names[i],
                                                                     .layout = "NC",
                                                                     .dtype = EXRAY_DTYPE_INT8,
                                                                     .rank = 2,
                                                                     .shape = shape,
                                                                     .quantization = {1, 0, scale, zero}},
                                                            .data = data,
                                                            .size = sizeof data});
    }
}

static void write_rest(exray_recorder *recorder)
{
    static const double values[] = {-9.81, 0, 1e300};
    static const uint32_t nodes[] = {0, 1, 100};
    static const uint64_t starts[] = {0, 1000, 1ull << 40}, durations[] = {999, 0, UINT64_MAX};
    static const exray_class classes[] = {{281, 0.875f, "tabby"}, {-1, 0.0f, NULL}, {0, -0.0f, ""}};
    static const float corners[] = {0.1f, 0.2f, 0.3f, 0.25f, 0.3f, 0.4f, 0.1f, -0.5f};
    static const exray_box boxes[] = {{0.1f, 0.2f, 0.3f, 0.4f, 17, 0.5f, "cat", NULL, false},
                                      {.id = -2, .corners = corners, .crowd = true}};
    static const exray_keypoint keypoints[] = {{0.5f, 0.25f, -1.5f, 0.75f, 16}, {.id = -1}};
    static const float embedding[] = {1, -0.0f, 1e-30f};
    static const exray_vector vectors[] = {{"embedding", embedding, 3}, {"", NULL, 0}};
    uint8_t ids[30];
    fill(ids, sizeof ids, 3);
    const exray_mask narrow = {6, 5, ids, 30, false}, wide = {3, 5, ids, 30, true};
    exray_recorder_log_reading(recorder, "accelerometer", values, 3, "m/s2");
    exray_recorder_log_latency(recorder, nodes, starts, durations, 3);
    exray_recorder_log_result(recorder, &(exray_result){.classes = classes,
                                                        .class_count = 3,
                                                        .boxes = boxes,
                                                        .box_count = 2,
                                                        .text = "a cat \xf0\x9f\x90\x88, or not \xff",
                                                        .keypoints = keypoints,
                                                        .keypoint_count = 2,
                                                        .vectors = vectors,
                                                        .vector_count = 2,
                                                        .mask = &narrow});
    exray_recorder_log_truth(recorder, &(exray_result){.boxes = boxes, .box_count = 2, .mask = &wide});
    exray_recorder_set_arena_bytes(recorder, 123456789);
    exray_recorder_frame_inference(recorder, 23000000);
}

static void write_log(exray_recorder *recorder)
{
    static const exray_key_value remarks[] = {{"observer", "equal"}, {"observer_max_abs", "0"}};
    uint8_t jpeg[100];
    fill(jpeg, sizeof jpeg, 1);
    exray_recorder_log_attachment(recorder, "pipeline.yaml", "application/yaml", "task: classification\n",
                                  21);
    exray_recorder_log_attachment(recorder, "empty", NULL, "", 0);
    exray_recorder_log_metadata(recorder, "exray.observer", remarks, 2);
    write_model(recorder);
    write_constant(recorder);

    exray_recorder_frame_begin_encoded(recorder, "caf\xc3\xa9/1.jpg", "jpeg", jpeg, sizeof jpeg);
    exray_recorder_frame_label(recorder, -7);
    exray_recorder_log_scalar(recorder, "loss", -0.5);
    exray_recorder_log_scalar(recorder, "zero", 0);
    exray_recorder_log_span(recorder, "decode", 1500000);
    exray_recorder_log_span(recorder, "nothing", 0);
    write_media(recorder);
    write_input_output(recorder);
    write_layers(recorder);
    write_all_types(recorder);
    write_large(recorder);
    write_rest(recorder);
    exray_recorder_frame_end(recorder);

    exray_recorder_frame_begin(recorder, "latin1-\xe9.jpg"); /* no UTF-8: readers must not choke on it */
    exray_recorder_frame_label(recorder, 0);
    write_input_output(recorder);

    exray_recorder_frame_begin(recorder, NULL);
}

static int write_bytes(void *file, const void *data, size_t size)
{
    return fwrite(data, 1, size, file) == size ? 0 : 5;
}

int main(int argc, char **argv)
{
    FILE *file = NULL;
    exray_recorder recorder;
    exray_recorder_config config;
    if (argc != 3 || !configure(argv[2], &config)) {
        fprintf(stderr, "usage: write_everything OUT.mcap MODE\n");
        return 2;
    }
    if (is_of_device(argv[2])) {
        file = fopen(argv[1], "wb");
        if (!file)
            return 1;
        exray_recorder_open_device(&recorder, write_bytes, file, &config);
    } else {
        exray_recorder_open_file(&recorder, argv[1], &config);
    }
    write_log(&recorder);
    if (exray_recorder_close(&recorder)) {
        fprintf(stderr, "%s\n", exray_recorder_error_message(&recorder));
        return 1;
    }
    if (file && fclose(file))
        return 1;
    if (exray_recorder_dropped(&recorder)) {
        fprintf(stderr, "%llu records dropped\n", (unsigned long long)exray_recorder_dropped(&recorder));
        return 1;
    }
    return 0;
}
