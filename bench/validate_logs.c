/* Two pairs of logs with as many values: of a float model, and of an 8-bit one.
 *
 *     validate_logs FOLDER
 *
 * Writes FOLDER/float-edge.mcap, float-reference.mcap, int8-edge.mcap, int8-reference.mcap: LAYERS layers of
 * ELEMENTS values in FRAMES frames.  In the float pair the last bits differ, in the other one value in a
 * hundred by a step, as between two builds of an engine. */
#define _POSIX_C_SOURCE 200809L
#include "timing.h"

#include <exray/codecs.h>
#include <exray/exray.h>
#include <stdio.h>

enum { LAYERS = 61, FRAMES = 2 };
#define ELEMENTS ((int64_t)114 * 1000)

static void die(const char *what)
{
    fprintf(stderr, "validate_logs: %s\n", what);
    exit(2);
}

static exray_tensor_info info_of(bool integers, const char *name, const int64_t *shape)
{
    static const float scale[] = {0.05F};
    static const int64_t zero[] = {-3};
    exray_tensor_info info = {.name = name, .dtype = EXRAY_DTYPE_FLOAT32, .rank = 4, .shape = shape};
    if (integers) {
        info.dtype = EXRAY_DTYPE_INT8;
        info.quantization.scale = scale;
        info.quantization.zero_point = zero;
        info.quantization.count = 1;
    }
    return info;
}

/* The value of element i: of all codes but a few at the ends. */
static int code_of(int64_t i, int layer, long frame)
{
    return (int)((i * 37 + layer * 11 + frame * 5) % 241) - 120;
}

static void fill(bool integers, bool edge, int layer, long frame, void *out)
{
    for (int64_t i = 0; i < ELEMENTS; i++) {
        int code = code_of(i, layer, frame);
        bool off = edge && i % 100 == layer;
        if (integers)
            ((int8_t *)out)[i] = (int8_t)(code + off);
        else
            ((float *)out)[i] = 0.05F * (float)(code + 3) * (off ? 1.0000001F : 1.0F);
    }
}

static void describe(exray_recorder *recorder, bool integers)
{
    static const int64_t shape[] = {1, 30, 38, 100};
    static exray_tensor_info tensor[LAYERS + 1];
    static exray_node node[LAYERS];
    static uint32_t port[LAYERS + 1];
    static char name[LAYERS + 1][16];
    for (uint32_t i = 0; i <= LAYERS; i++) {
        snprintf(name[i], sizeof name[i], "t%u", (unsigned)i);
        tensor[i] = info_of(integers, name[i], shape);
        port[i] = i;
    }
    for (uint32_t i = 0; i < LAYERS; i++)
        node[i] = (exray_node){
            .op = "ADD", .inputs = &port[i], .input_count = 1, .outputs = &port[i + 1], .output_count = 1};
    exray_model model = {.name = "m",
                         .engine = "none",
                         .tensors = tensor,
                         .tensor_count = LAYERS + 1,
                         .nodes = node,
                         .node_count = LAYERS,
                         .inputs = port,
                         .input_count = 1,
                         .outputs = &port[LAYERS],
                         .output_count = 1};
    exray_recorder_log_model(recorder, &model);
}

static void write_log(const char *folder, bool integers, bool edge)
{
    static exray_recorder recorder;
    static const int64_t shape[] = {1, 30, 38, 100};
    size_t size = (size_t)ELEMENTS * (integers ? 1 : sizeof(float));
    char path[4096];
    void *values = malloc(size);
    if (!values)
        die("out of memory");
    snprintf(path, sizeof path, "%s/%s-%s.mcap", folder, integers ? "int8" : "float",
             edge ? "edge" : "reference");
    exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                    .role = edge ? EXRAY_ROLE_EDGE : EXRAY_ROLE_REFERENCE,
                                    .capture = EXRAY_CAPTURE_FULL,
                                    .codec = exray_codec_default()};
    exray_recorder_open_file(&recorder, path, &config);
    describe(&recorder, integers);
    for (long frame = 0; frame < FRAMES; frame++) {
        exray_recorder_frame_begin(&recorder, frame ? "b" : "a");
        for (int layer = 0; layer < LAYERS; layer++) {
            fill(integers, edge, layer, frame, values);
            exray_tensor tensor = {.kind = EXRAY_KIND_LAYER,
                                   .info = info_of(integers, "", shape),
                                   .index = (uint32_t)layer,
                                   .data = values,
                                   .size = size};
            exray_recorder_log_tensor(&recorder, &tensor);
        }
        exray_recorder_frame_end(&recorder);
    }
    if (exray_recorder_close(&recorder) != EXRAY_OK)
        die(exray_recorder_error_message(&recorder));
    free(values);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        die("usage: validate_logs FOLDER");
    for (int k = 0; k < 4; k++)
        write_log(argv[1], k / 2 == 1, k % 2 == 1);
    return 0;
}
