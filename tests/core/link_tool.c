/* Sends a log over a link, and writes the same log as it is:
 *   link_tool SENT PLAIN [packet_size=N] [repeats=BYTES] [every=N] [frames=N] [stream=N] [pause_ms=N]
 * SENT may be a FIFO. */
#define _POSIX_C_SOURCE 200809L
#include <exray/link.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct sender {
    FILE *sent, *plain;
    exray_link link;
} sender;

static int send_bytes(void *user, const void *data, size_t size)
{
    FILE *file = user;
    return fwrite(data, 1, size, file) == size && fflush(file) == 0 ? 0 : 5;
}

static int write_both(void *user, const void *data, size_t size)
{
    sender *s = user;
    if (fwrite(data, 1, size, s->plain) != size)
        return 5;
    return exray_link_write(&s->link, data, size);
}

static unsigned long option(int argc, char **argv, const char *name, unsigned long value)
{
    const size_t size = strlen(name);
    for (int i = 3; i < argc; i++)
        if (strncmp(argv[i], name, size) == 0 && argv[i][size] == '=')
            value = strtoul(argv[i] + size + 1, NULL, 10);
    return value;
}

enum { SIDE = 12, CLASSES = 10 };

static const int64_t image_shape[] = {1, SIDE, SIDE, 3}, class_shape[] = {1, CLASSES};

static void log_model(exray_recorder *recorder)
{
    const exray_tensor_info tensors[] = {
        {.name = "image", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 4, .shape = image_shape},
        {.name = "classes", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 2, .shape = class_shape},
    };
    static const uint32_t first[] = {0}, second[] = {1};
    const exray_node nodes[] = {{.op = "FULLY_CONNECTED",
                                 .name = "dense",
                                 .inputs = first,
                                 .input_count = 1,
                                 .outputs = second,
                                 .output_count = 1}};
    const exray_model model = {.name = "dense",
                               .engine = "none",
                               .tensors = tensors,
                               .tensor_count = 2,
                               .nodes = nodes,
                               .node_count = 1,
                               .inputs = first,
                               .input_count = 1,
                               .outputs = second,
                               .output_count = 1};
    exray_recorder_log_model(recorder, &model);
}

static void log_frame(exray_recorder *recorder, unsigned frame)
{
    float image[SIDE * SIDE * 3], classes[CLASSES];
    char source[32];
    for (size_t i = 0; i < sizeof image / sizeof *image; i++)
        image[i] = (float)((i * 7 + frame * 13) % 256) / 255.0f; /* zeros among them */
    for (size_t i = 0; i < CLASSES; i++)
        classes[i] = (float)((i + frame) % CLASSES);
    snprintf(source, sizeof source, "picture %u", frame);
    exray_recorder_frame_begin(recorder, source);
    exray_tensor input = {
        .kind = EXRAY_KIND_INPUT,
        .info = {.name = "image", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 4, .shape = image_shape},
        .in_model = true,
        .model_tensor = 0,
        .data = image,
        .size = sizeof image};
    exray_recorder_log_tensor(recorder, &input);
    exray_tensor output = {
        .kind = EXRAY_KIND_OUTPUT,
        .info = {.name = "classes", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 2, .shape = class_shape},
        .in_model = true,
        .model_tensor = 1,
        .data = classes,
        .size = sizeof classes};
    exray_recorder_log_tensor(recorder, &output);
    exray_recorder_frame_end(recorder);
}

int main(int argc, char **argv)
{
    static uint8_t packet[1 << 16], repeats[1 << 20];
    if (argc < 3)
        return 2;
    static sender s;
    s.sent = fopen(argv[1], "wb");
    s.plain = fopen(argv[2], "wb");
    if (!s.sent || !s.plain)
        return 1;
    exray_link_config to = EXRAY_LINK_CONFIG_INIT;
    to.write = send_bytes;
    to.user = s.sent;
    to.packet = packet;
    to.packet_size = (uint32_t)option(argc, argv, "packet_size", 512);
    to.repeats = repeats;
    to.repeats_size = (uint32_t)option(argc, argv, "repeats", 8192);
    to.repeat_every = (uint32_t)option(argc, argv, "every", 0);
    to.stream = (uint16_t)option(argc, argv, "stream", 1);
    if (exray_link_open(&s.link, &to))
        return 1;
    exray_recorder recorder;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.stream = true;
    config.capture = EXRAY_CAPTURE_IO;
    exray_recorder_open_callback(&recorder, write_both, &s, &config);
    log_model(&recorder);
    exray_recorder_log_attachment(&recorder, "labels.txt", "text/plain", "zero\none\n", 9);
    const unsigned frames = (unsigned)option(argc, argv, "frames", 20);
    const unsigned long pause = option(argc, argv, "pause_ms", 0);
    for (unsigned frame = 0; frame < frames; frame++) {
        const struct timespec wait = {.tv_sec = (time_t)(pause / 1000),
                                      .tv_nsec = (long)(pause % 1000) * 1000000};
        log_frame(&recorder, frame);
        nanosleep(&wait, NULL);
    }
    printf("%llu lost, %llu unrepeated\n", (unsigned long long)exray_link_lost_packets(&s.link),
           (unsigned long long)exray_link_unrepeated(&s.link));
    const int status = exray_recorder_close(&recorder) != EXRAY_OK;
    return fclose(s.sent) || fclose(s.plain) || status;
}
