/* A wake word on a stream: a microphone (16-bit samples at 16 kHz on standard input stand in for it), the
 * integer front end of TensorFlow Lite, a streaming model, a mean of its last probabilities.
 *
 *     arecord -t raw -f S16_LE -r 16000 | wake_word MODEL.tflite [CUTOFF]
 *
 * The models are microWakeWord's (PyPI pymicro-wakeword): 40 values of 30 ms, every 10 ms; int8 [1, rows, 40]
 * in, uint8 out, what it heard before in variables of its own.
 *
 * The lines that end in "// exray" record every inference into edge.mcap, with the samples that it heard. */
#include "tflite_c_api.h"

#include <exray/sound.h>
#include <exray/tflite.h> // exray
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE = 16000,
    WINDOW = 30 * RATE / 1000, /* samples of a row */
    STEP = 10 * RATE / 1000,   /* from row to row */
    BINS = 40,
    ROWS_MOST = 8,
    PROBABILITIES = 5, /* of which the mean counts */
    QUIET = 100,       /* inferences after a wake word, in which none is told */
};

static int fail(const char *what)
{
    fprintf(stderr, "wake_word: %s\n", what);
    return EXIT_FAILURE;
}

/* What the model is given, and what it says of it. */
typedef struct listener {
    TfLiteInterpreter *interpreter;
    int rows;                                               /* of an inference */
    int8_t input[ROWS_MOST][BINS];                          /* as they come */
    int16_t heard[WINDOW + (ROWS_MOST - 1) * (size_t)STEP]; /* the samples that they are of */
    double probability[PROBABILITIES];
    int next, quiet;
} listener;

/* The mean of the last probabilities. */
static double add_probability(listener *l, double probability)
{
    double sum = 0;
    l->probability[l->next] = probability;
    l->next = (l->next + 1) % PROBABILITIES;
    for (int i = 0; i < PROBABILITIES; i++)
        sum += l->probability[i] / PROBABILITIES;
    return sum;
}

/* One inference, on the rows that end at that sample. */
static bool infer(listener *l, exray_recorder *rec, long end, double cutoff)
{
    TfLiteTensor *input = TfLiteInterpreterGetInputTensor(l->interpreter, 0);
    const TfLiteTensor *output = TfLiteInterpreterGetOutputTensor(l->interpreter, 0);
    const size_t samples = WINDOW + (size_t)(l->rows - 1) * STEP;
    char source[64];                                                                           // exray
    snprintf(source, sizeof source, "microphone@%ld", end - (long)samples);                    // exray
    const exray_media media = {.format = "s16", .sample_rate = RATE, .channels = 1};           // exray
    exray_recorder_frame_begin(rec, source);                                                   // exray
    exray_recorder_log_sound(rec, "microphone", &media, l->heard, samples * sizeof *l->heard); // exray
    memcpy(TfLiteTensorData(input), l->input, (size_t)l->rows * BINS);
    if (TfLiteInterpreterInvoke(l->interpreter) != kTfLiteOk)
        return false;
    double mean = add_probability(l, *(const uint8_t *)TfLiteTensorData(output) / 256.0);
    exray_recorder_log_scalar(rec, "probability", mean); // exray
    exray_recorder_frame_end(rec);                       // exray
    l->quiet -= l->quiet > 0;
    if (mean > cutoff && !l->quiet) {
        printf("heard at %.2f s (%.2f)\n", (double)end / RATE, mean);
        fflush(stdout);
        l->quiet = QUIET;
    }
    return true;
}

/* Until the stream ends. */
static int listen_to(FILE *microphone, listener *l, exray_microfrontend *front, exray_recorder *rec,
                     double cutoff)
{
    const size_t kept = WINDOW + (size_t)(l->rows - 1) * STEP;
    int16_t sample;
    uint16_t row[BINS];
    int rows = 0;
    for (long heard = 1; fread(&sample, sizeof sample, 1, microphone) == 1; heard++) {
        bool made;
        memmove(l->heard, l->heard + 1, (kept - 1) * sizeof *l->heard);
        l->heard[kept - 1] = sample;
        exray_microfrontend_feed(front, &sample, 1, row, &made);
        if (!made)
            continue;
        for (int i = 0; i < BINS; i++)
            l->input[rows][i] = exray_microfrontend_int8(row[i]);
        if (++rows < l->rows)
            continue;
        rows = 0;
        if (!infer(l, rec, heard, cutoff))
            return fail("the model did not run");
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3)
        return fail("usage: wake_word MODEL.tflite [CUTOFF] < samples");
    const double cutoff = argc > 2 ? atof(argv[2]) : 0.85;
    const exray_microfrontend_options options = EXRAY_MICROFRONTEND_OPTIONS_TFLM; /* 10 ms a step */
    exray_error error = {EXRAY_OK, ""};
    exray_microfrontend *front = exray_microfrontend_new(&options, &error);
    if (front == NULL)
        return fail(error.message);
    TfLiteModel *model = TfLiteModelCreateFromFile(argv[1]);
    if (model == NULL)
        return fail("cannot load the model");
    TfLiteInterpreterOptions *opts = TfLiteInterpreterOptionsCreate();
    exray_recorder rec;                                                                              // exray
    exray_tflite_open(&rec, "edge.mcap", exray_recorder_config_of(EXRAY_CAPTURE_IO), opts, argv[1]); // exray
    listener l = {.interpreter = TfLiteInterpreterCreate(model, opts)};
    TfLiteInterpreterOptionsDelete(opts);
    if (l.interpreter == NULL || TfLiteInterpreterAllocateTensors(l.interpreter) != kTfLiteOk)
        return fail("cannot prepare the model");
    l.rows = (int)(TfLiteTensorByteSize(TfLiteInterpreterGetInputTensor(l.interpreter, 0)) / BINS);
    if (l.rows < 1 || l.rows > ROWS_MOST)
        return fail("the model is not one of int8 rows of 40");
    int status = listen_to(stdin, &l, front, &rec, cutoff);
    TfLiteInterpreterDelete(l.interpreter);
    TfLiteModelDelete(model);
    exray_microfrontend_free(front);
    status |= exray_recorder_close(&rec) ? fail(exray_recorder_error_message(&rec)) : 0; // exray
    return status;
}
