/* A camera loop with a flight recorder.  Every frame leaves its result and its times in edge.mcap; the last
 * 30 frames wait in memory with everything, layers included, and are written where the model gets unsure of
 * itself: at frame 1200 the lens gets wet.
 *
 *     cc -std=c11 -O2 -I include examples/flight_recorder.c libexray_core.a -lpthread -lm -o flight_recorder
 *     flight_recorder edge.mcap [edge.flight]     edge.flight: a file that outlives the process
 *     exray info edge.mcap
 *
 * Camera and model are stand-ins; a tap (exray/tflite.h, ...) logs an engine's layers in the same way. */
#include <exray/exray.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WIDTH = 32,
    HEIGHT = 24,
    PIXELS = WIDTH * HEIGHT,
    FEATURES = 8,
    CLASSES = 4,
    FRAMES = 2000,
    WET = 1200
};

/* ---- The camera: a bright square that wanders; behind drops of water all is grey ---- */

static void take_picture(int frame, unsigned char *pixels)
{
    for (int i = 0; i < PIXELS; i++) {
        const int x = i % WIDTH, y = i / WIDTH;
        const int lit = (x + frame) % WIDTH < 12 && y > 4 && y < 16;
        pixels[i] = frame >= WET && frame < WET + 100 ? 110 : lit ? 220 : 20;
    }
}

/* ---- The model: two layers ---- */

static void run_model(const unsigned char *pixels, float *features, float *scores)
{
    float sum = 0;
    for (int f = 0; f < FEATURES; f++) {
        features[f] = 0;
        for (int i = f; i < PIXELS; i += FEATURES)
            features[f] += (float)abs(pixels[i] - pixels[(i + 1) % PIXELS]) / (PIXELS / FEATURES);
    }
    for (int c = 0; c < CLASSES; c++)
        sum += scores[c] = 1 + features[c] * (c == 1 ? 4 : 0.1f);
    for (int c = 0; c < CLASSES; c++)
        scores[c] /= sum;
}

/* ---- What is recorded of it ---- */

static void log_floats(exray_recorder *recorder, exray_kind kind, uint32_t index, const char *name,
                       const float *values, int64_t count)
{
    exray_recorder_log_tensor(
        recorder,
        &(exray_tensor){.kind = kind,
                        .info = {.name = name, .dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = &count},
                        .index = index,
                        .data = values,
                        .size = (size_t)count * sizeof *values});
}

static void run_frame(exray_recorder *recorder, int frame)
{
    unsigned char pixels[PIXELS];
    float features[FEATURES], scores[CLASSES];
    const exray_media media = {.format = "gray8", .width = WIDTH, .height = HEIGHT};

    exray_recorder_frame_begin(recorder, "camera");
    take_picture(frame, pixels);
    exray_recorder_log_image(recorder, "camera", &media, pixels, sizeof pixels);
    const uint64_t begin = exray_recorder_now(recorder);
    run_model(pixels, features, scores);
    exray_recorder_frame_inference(recorder, exray_recorder_now(recorder) - begin);
    log_floats(recorder, EXRAY_KIND_LAYER, 0, "features", features, FEATURES);
    log_floats(recorder, EXRAY_KIND_OUTPUT, 0, "scores", scores, CLASSES);

    int best = 0;
    for (int c = 1; c < CLASSES; c++)
        best = scores[c] > scores[best] ? c : best;
    exray_recorder_log_result(
        recorder, &(exray_result){.classes = &(exray_class){best, scores[best], NULL}, .class_count = 1});
    exray_recorder_frame_end(recorder);
}

int main(int argc, char **argv)
{
    static unsigned char ring[1 << 20];
    exray_recorder recorder;
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: flight_recorder LOG.mcap [FILE.flight]\n");
        return 2;
    }

    exray_flight_config flight = EXRAY_FLIGHT_CONFIG_INIT;
    flight.memory = argc == 3 ? NULL : ring;
    flight.file = argc == 3 ? argv[2] : NULL;
    flight.memory_size = sizeof ring;
    flight.frames = 30;
    flight.score_below = 0.5f; /* at most once in a minute: a wet lens must not fill the disk */
    flight.after = 10;

    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.capture = EXRAY_CAPTURE_FRAME;
    config.app = "flight_recorder";
    config.flight = &flight;
    exray_recorder_open_file(&recorder, argv[1], &config);
    for (int frame = 0; frame < FRAMES; frame++) {
        run_frame(&recorder, frame);
        if (frame == 1700)
            exray_recorder_trigger(&recorder, 5, 0, "the user pressed 'report a problem'");
    }
    if (exray_recorder_close(&recorder) == EXRAY_OK)
        return 0;
    fprintf(stderr, "flight_recorder: %s\n", exray_recorder_error_message(&recorder));
    return 1;
}
