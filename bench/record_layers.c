/* What bindings/python/bench/bench.py is held against: the same records from C.
 *
 *     record_layers LOG FRAMES SIZE...
 *
 * Writes FRAMES frames with a layer of SIZE float32 elements each into LOG; prints the
 * seconds that took, open to close. */
#define _POSIX_C_SOURCE 200809L
#include "timing.h"

#include <exray/codecs.h>
#include <exray/exray.h>
#include <stdio.h>

enum { MAX_LAYERS = 1024 };

static void die(const char *what)
{
    fprintf(stderr, "record_layers: %s\n", what);
    exit(2);
}

static void make_layer(exray_tensor *tensor, int64_t *count, uint32_t node)
{
    float *values = malloc((size_t)*count * sizeof *values);
    if (!values)
        die("out of memory");
    for (int64_t i = 0; i < *count; i++)
        values[i] = (float)(i * 37 % 1009) / 1009.0F;
    *tensor =
        (exray_tensor){.kind = EXRAY_KIND_LAYER,
                       .info = {.name = "layer", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = count},
                       .index = node,
                       .data = values,
                       .size = (size_t)*count * sizeof *values};
}

int main(int argc, char **argv)
{
    static exray_recorder recorder;
    static exray_tensor tensor[MAX_LAYERS];
    static int64_t count[MAX_LAYERS];
    int layers = argc - 3;
    if (layers < 1 || layers > MAX_LAYERS)
        die("usage: record_layers LOG FRAMES SIZE...");
    for (int i = 0; i < layers; i++) {
        count[i] = strtol(argv[i + 3], NULL, 10);
        make_layer(&tensor[i], &count[i], (uint32_t)i);
    }
    exray_recorder_config config = {
        .size = sizeof(exray_recorder_config), .capture = EXRAY_CAPTURE_FULL, .codec = exray_codec_default()};
    double began = bench_now_ms();
    exray_recorder_open_file(&recorder, argv[1], &config);
    for (long frame = strtol(argv[2], NULL, 10); frame > 0; frame--) {
        exray_recorder_frame_begin(&recorder, "picture");
        for (int i = 0; i < layers; i++)
            exray_recorder_log_tensor(&recorder, &tensor[i]);
        exray_recorder_frame_end(&recorder);
    }
    if (exray_recorder_close(&recorder) != EXRAY_OK)
        die(exray_recorder_error_message(&recorder));
    printf("%.6f\n", (bench_now_ms() - began) / 1e3);
    for (int i = 0; i < layers; i++)
        free((void *)(uintptr_t)tensor[i].data);
    return 0;
}
