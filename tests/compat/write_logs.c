/* Writes the logs that tests/compat keeps of a version: small ones, which together have every message and
 * every way to write them.  generate.py runs it, once a version of the log format; no test does.
 *   usage: write_logs FOLDER */
#include <exray/codecs.h>

#include <stdio.h>
#include <string.h>

/* What a log has. */
typedef struct contents {
    const char *name;
    exray_recorder_config config;
    bool everything; /* else tensors and frames alone: the schema of each message takes 3.5 KB */
} contents;

static void fill(uint8_t *at, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(i * 37 + seed * 11 + (i >> 8) * 7);
}

/* ---- The model and its weights ------------------------------------------------ */

static const int64_t image_shape[] = {1, -1, 4, 3}, weight_shape[] = {2, 2, 1, 3}, vector_shape[] = {1, 6};
static const float weight_scales[] = {0.5f, 0.25f, 0.0078125f};
static const int64_t weight_zeros[] = {0, -3, 127};
static const float output_scale[] = {0.1f};
static const int64_t output_zero[] = {-5};
static const exray_tensor_info tensors[] = {
    {.name = "image", .layout = "NHWC", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 4, .shape = image_shape},
    {.name = "weights",
     .dtype = EXRAY_DTYPE_INT8,
     .rank = 4,
     .shape = weight_shape,
     .quantization = {3, 3, weight_scales, weight_zeros},
     .constant = true},
    {.name = "conv", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 2, .shape = vector_shape},
    {.name = "scores",
     .layout = "NC",
     .dtype = EXRAY_DTYPE_INT8,
     .rank = 2,
     .shape = vector_shape,
     .quantization = {1, 0, output_scale, output_zero}},
};

static void write_model(exray_recorder *recorder)
{
    static const uint32_t t0[] = {0}, t2[] = {2}, t3[] = {3}, conv_inputs[] = {0, 1, EXRAY_NO_INDEX};
    static const exray_key_value attributes[] = {{"stride", "2x2"}, {"padding", "SAME"}, {"empty", ""}};
    static const exray_node inner[] = {
        {.op = "RESHAPE", .name = "flat", .inputs = t2, .input_count = 1},
        {.op = "SOFTMAX", .name = "softmax", .outputs = t3, .output_count = 1},
    };
    const exray_node nodes[] = {
        {.op = "CONV_2D",
         .name = "stem/conv",
         .inputs = conv_inputs,
         .input_count = 3,
         .outputs = t2,
         .output_count = 1,
         .attributes = attributes,
         .attribute_count = 3},
        {.op = "DELEGATE",
         .subgraph = 1,
         .inputs = t2,
         .input_count = 1,
         .outputs = t3,
         .output_count = 1,
         .inner = inner,
         .inner_count = 2},
    };
    uint8_t sha256[32];
    fill(sha256, sizeof sha256, 99);
    const exray_model model = {.name = "compat.tflite",
                               .sha256 = sha256,
                               .engine = "tflite",
                               .engine_version = "2.17.1",
                               .kernels = "xnnpack",
                               .threads = 3,
                               .tensors = tensors,
                               .tensor_count = 4,
                               .nodes = nodes,
                               .node_count = 2,
                               .inputs = t0,
                               .input_count = 1,
                               .outputs = t3,
                               .output_count = 1};
    uint8_t weights[12];
    fill(weights, sizeof weights, 50);
    exray_recorder_log_model(recorder, &model);
    exray_recorder_log_tensor(recorder, &(exray_tensor){.kind = EXRAY_KIND_CONSTANT,
                                                        .info = tensors[1],
                                                        .index = 1,
                                                        .in_model = true,
                                                        .model_tensor = 1,
                                                        .data = weights,
                                                        .size = sizeof weights});
}

/* ---- Tensors ------------------------------------------------------------------ */

static void write_tensor(exray_recorder *recorder, exray_kind kind, uint32_t index, exray_tensor_info info,
                         const void *data, size_t size)
{
    exray_recorder_log_tensor(
        recorder, &(exray_tensor){.kind = kind, .info = info, .index = index, .data = data, .size = size});
}

/* One layer of each type, from node 10 on. */
static void write_all_types(exray_recorder *recorder)
{
    static const int64_t shape[] = {3, 5};
    for (unsigned type = EXRAY_DTYPE_FLOAT32; type <= EXRAY_DTYPE_FLOAT8_E5M2; type++) {
        uint8_t data[15 * 8];
        const exray_dtype dtype = (exray_dtype)type;
        const size_t size = dtype == EXRAY_DTYPE_STRING ? 11 : (15 * exray_dtype_bits(dtype) + 7) / 8;
        fill(data, size, type);
        write_tensor(
            recorder, EXRAY_KIND_LAYER, 10 + type,
            (exray_tensor_info){.name = exray_dtype_name(dtype), .dtype = dtype, .rank = 2, .shape = shape},
            data, size);
    }
}

static void write_media(exray_recorder *recorder)
{
    uint8_t data[64];
    static const int64_t samples[] = {8, 2};
    fill(data, sizeof data, 80);
    exray_recorder_log_encoded(recorder, "front camera", "png", data, 33);
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
    exray_recorder_log_tensor(
        recorder,
        &(exray_tensor){.kind = EXRAY_KIND_SENSOR,
                        .info = {.name = "pcm", .dtype = EXRAY_DTYPE_INT16, .rank = 2, .shape = samples},
                        .data = data,
                        .size = 32,
                        .media = &(exray_media){.format = "s16", .sample_rate = 16000, .channels = 2}});
}

/* Numbers that float32 has exactly, with one that is none. */
static void write_values(exray_recorder *recorder, unsigned seed, bool has_model)
{
    static const int64_t input_shape[] = {1, 2, 4, 3};
    float image[24], conv[6];
    int8_t scores[6];
    for (unsigned i = 0; i < 24; i++)
        image[i] = ((float)((i * 7 + seed * 5) % 32) - 16) / 16;
    for (unsigned i = 0; i < 6; i++) {
        conv[i] = image[i] * (float)(i + 1);
        scores[i] = (int8_t)(i * 20 + seed);
    }
    const uint32_t not_a_number = 0x7FC00000;
    if (seed == 1)
        memcpy(&conv[4], &not_a_number, sizeof not_a_number);
    exray_tensor_info input = tensors[0];
    input.shape = input_shape;
    write_tensor(recorder, EXRAY_KIND_INPUT, 0, input, image, sizeof image);
    write_tensor(recorder, EXRAY_KIND_STAGE, 0, input, image, sizeof image);
    exray_tensor layer = {.kind = EXRAY_KIND_LAYER,
                          .info = tensors[2],
                          .in_model = has_model,
                          .model_tensor = 2,
                          .data = conv,
                          .size = sizeof conv};
    exray_recorder_log_tensor(recorder, &layer); /* described by the model alone, where there is one */
    layer.output = 1;
    layer.occurrence = 2;
    layer.info_differs = true;
    exray_recorder_log_tensor(recorder, &layer); /* /layer/0/1, described by itself */
    write_tensor(recorder, EXRAY_KIND_LAYER, 1, tensors[3], scores, sizeof scores);
    exray_tensor_info unnamed = tensors[3];
    unnamed.name = "";
    write_tensor(recorder, EXRAY_KIND_OUTPUT, 0, unnamed, scores, sizeof scores);
}

/* Large enough to be a chunk of its own. */
static void write_large(exray_recorder *recorder, bool compressed)
{
    static uint8_t data[8200];
    const int64_t size = compressed ? 8200 : 2100;
    fill(data, sizeof data, 30);
    write_tensor(recorder, EXRAY_KIND_LAYER, 30,
                 (exray_tensor_info){.name = "large", .dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = &size},
                 data, (size_t)size);
}

/* ---- The other messages -------------------------------------------------------- */

static void write_rest(exray_recorder *recorder)
{
    static const double values[] = {-9.81, 0, 1e300};
    static const uint32_t nodes[] = {0, 1};
    static const uint64_t starts[] = {0, 1ull << 40}, durations[] = {999, UINT64_MAX};
    static const exray_class classes[] = {{281, 0.875f, "tabby"}, {-1, 0.0f, NULL}};
    static const exray_box boxes[] = {{0.1f, 0.2f, 0.3f, 0.4f, 17, 0.5f, "cat"}, {.id = -2}};
    exray_recorder_log_reading(recorder, "accelerometer", values, 3, "m/s2");
    exray_recorder_log_latency(recorder, nodes, starts, durations, 2);
    exray_recorder_log_result(recorder, &(exray_result){.classes = classes,
                                                        .class_count = 2,
                                                        .boxes = boxes,
                                                        .box_count = 2,
                                                        .text = "a cat \xf0\x9f\x90\x88"});
    exray_recorder_log_scalar(recorder, "loss", -0.5);
    exray_recorder_log_scalar(recorder, "zero", 0);
    exray_recorder_log_span(recorder, "decode", 1500000);
    exray_recorder_set_arena_bytes(recorder, 123456789);
    exray_recorder_frame_inference(recorder, 23000000);
}

static void write_everything(exray_recorder *recorder)
{
    static const exray_key_value remarks[] = {{"observer", "equal"}, {"observer_max_abs", "0"}};
    uint8_t jpeg[40];
    fill(jpeg, sizeof jpeg, 1);
    exray_recorder_log_attachment(recorder, "pipeline.yaml", "application/yaml", "task: classification\n",
                                  21);
    exray_recorder_log_attachment(recorder, "empty", NULL, "", 0);
    exray_recorder_log_metadata(recorder, "exray.observation", remarks, 2);
    write_model(recorder);
    exray_recorder_frame_begin_encoded(recorder, "caf\xc3\xa9/1.jpg", "jpeg", jpeg, sizeof jpeg);
    exray_recorder_frame_label(recorder, -7);
    write_media(recorder);
    write_values(recorder, 0, true);
    write_all_types(recorder);
    write_rest(recorder);
    exray_recorder_frame_end(recorder);
}

static int write_log(const char *folder, const contents *what)
{
    char path[1024];
    exray_recorder recorder;
    snprintf(path, sizeof path, "%s/%s.mcap", folder, what->name);
    exray_recorder_open_file(&recorder, path, &what->config);
    if (what->everything)
        write_everything(&recorder);
    for (unsigned frame = 0; frame < 3; frame++) {
        exray_recorder_frame_begin(&recorder, frame == 2 ? NULL : "video");
        if (frame == 0)
            exray_recorder_frame_label(&recorder, 0);
        write_values(&recorder, frame, what->everything);
        if (!what->everything && frame == 1)
            write_large(&recorder, what->config.compression);
    }
    if (exray_recorder_close(&recorder) == EXRAY_OK && exray_recorder_dropped(&recorder) == 0)
        return 0;
    fprintf(stderr, "%s: %s\n", path, exray_recorder_error_message(&recorder));
    return 1;
}

int main(int argc, char **argv)
{
    static const exray_key_value metadata[] = {{"camera_serial", "A-17"},
                                               {"note", "gr\xc3\xbc\xc3\x9f Gott"},
                                               {"os", "Linux"},
                                               {"cpu", "a processor"}};
    const exray_recorder_config common = {.size = sizeof(exray_recorder_config),
                                          .capture = EXRAY_CAPTURE_FULL,
                                          .codec = exray_codec_default(),
                                          .chunk_size = 32 << 10,
                                          .role = EXRAY_ROLE_REFERENCE,
                                          .task = "classification",
                                          .session = "session-1",
                                          .replay_of = "00000000-0000-4000-8000-000000000000",
                                          .device = "test bench",
                                          .app = "write_logs",
                                          .metadata = metadata,
                                          .metadata_count = 4};
    if (argc != 2) {
        fprintf(stderr, "usage: write_logs FOLDER\n");
        return 2;
    }
    contents logs[] = {{"stream", common, true}, {"zstd", common, true},    {"chunked", common, false},
                       {"lz4", common, false},   {"sketch", common, false}, {"small-stream", common, false}};
    logs[0].config.stream = logs[4].config.stream = logs[5].config.stream = true;
    logs[1].config.compression = EXRAY_COMPRESSION_ZSTD;
    logs[3].config.compression = EXRAY_COMPRESSION_LZ4;
    logs[4].config.capture = EXRAY_CAPTURE_SKETCH;
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
        if (write_log(argv[1], &logs[i]))
            return 1;
    return 0;
}
