/* An application with a flight recorder in a file, to be killed: test_black_box.py.
 *   usage: flight_tool LOG BOX BYTES FRAMES HOW
 * FRAMES 0: until it is killed.  HOW: close, abandon, trigger (at every 20th frame, then close).
 * Says the number of each frame once it has ended. */
#include <exray/exray.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LAYERS = 3, MOST = 1000 };

static exray_recorder recorder;

/* What the test expects: `count` values, each of them this. */
static uint32_t count_of(uint64_t frame)
{
    return (uint32_t)(frame * 37 % (MOST - 1) + 1);
}

static void log_values(exray_kind kind, uint32_t index, uint64_t frame)
{
    static float values[MOST];
    const uint32_t count = count_of(frame);
    for (uint32_t i = 0; i < count; i++)
        values[i] = (float)(frame * 10 + index);
    const int64_t shape = count;
    exray_recorder_log_tensor(
        &recorder,
        &(exray_tensor){.kind = kind,
                        .info = {.name = "values", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = &shape},
                        .index = index,
                        .data = values,
                        .size = count * sizeof *values});
}

static void log_frame(uint64_t frame)
{
    char said[32];
    exray_recorder_frame_begin(&recorder, "camera");
    log_values(EXRAY_KIND_INPUT, 7, frame);
    for (uint32_t i = 0; i < LAYERS; i++)
        log_values(EXRAY_KIND_LAYER, i, frame);
    log_values(EXRAY_KIND_OUTPUT, 8, frame);
    exray_recorder_frame_end(&recorder);
    const int size = snprintf(said, sizeof said, "%llu\n", (unsigned long long)frame);
    if (write(STDOUT_FILENO, said, (size_t)size) != size)
        exit(1);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: flight_tool LOG BOX BYTES FRAMES HOW\n");
        return 2;
    }
    const exray_tensor_info tensor = {.name = "values", .dtype = EXRAY_DTYPE_FLOAT32};
    const exray_node nodes[LAYERS] = {
        {.op = "CONV_2D", .name = "a"}, {.op = "ADD", .name = "b"}, {.op = "RELU"}};
    const exray_model model = {
        .name = "model", .tensors = &tensor, .tensor_count = 1, .nodes = nodes, .node_count = LAYERS};
    exray_flight_config flight = EXRAY_FLIGHT_CONFIG_INIT;
    flight.file = argv[2];
    flight.memory_size = (size_t)strtoull(argv[3], NULL, 10);
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.capture = EXRAY_CAPTURE_FRAME;
    config.app = "flight_tool";
    config.flight = &flight;
    if (exray_recorder_open_file(&recorder, argv[1], &config)) {
        fprintf(stderr, "%s\n", exray_recorder_error_message(&recorder));
        return 1;
    }
    exray_recorder_log_model(&recorder, &model);
    const uint64_t frames = strtoull(argv[4], NULL, 10);
    for (uint64_t frame = 0; !frames || frame < frames; frame++) {
        if (strcmp(argv[5], "trigger") == 0 && frame % 20 == 19)
            exray_recorder_trigger(&recorder, 3, 2, "every 20th");
        log_frame(frame);
    }
    if (strcmp(argv[5], "abandon") == 0)
        exray_recorder_abandon(&recorder);
    return exray_recorder_close(&recorder) ? 1 : 0;
}
