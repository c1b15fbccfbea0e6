#define _POSIX_C_SOURCE 200809L
/* Ten seconds of sound: resampled, as a mel spectrogram, through the integer front end.  Prints the fewest
 * milliseconds of several runs. */
#include "timing.h"

#include <exray/sound.h>

#include <stdio.h>
#include <stdlib.h>

enum { SECONDS = 10, ROUNDS = 15 };

/* Noise that falls with frequency. */
static void fill(float *samples, size_t count)
{
    uint32_t state = 1;
    float last = 0;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        last = 0.9f * last + 0.1f * ((float)(state >> 8) / (1 << 23) - 1);
        samples[i] = last;
    }
}

static double best(double a, double b)
{
    (void)bench_median;
    return a < b ? a : b;
}

static int resample(uint32_t from, uint32_t to)
{
    const size_t count = (size_t)from * SECONDS;
    float *samples = malloc(count * sizeof *samples),
          *out = malloc((exray_resampling_length(count, from, to) + 1) * sizeof *out);
    exray_error error = {EXRAY_OK, "out of memory"};
    double took = 1e30;
    bool ok = samples && out;
    if (ok)
        fill(samples, count);
    for (int i = 0; ok && i < ROUNDS; i++) {
        double begin = bench_now_ms();
        ok = exray_resampling_run(NULL, samples, count, from, to, out, &error) == EXRAY_OK;
        took = best(took, bench_now_ms() - begin);
    }
    free(samples);
    free(out);
    if (!ok) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    printf("resample_%u_%u_ms %.4f\n", from, to, took);
    return 0;
}

static int features(void)
{
    const size_t count = 16000 * SECONDS;
    const exray_mel mel = {.size = sizeof mel,
                           .n_fft = 1024,
                           .hop_length = 256,
                           .n_mels = 128,
                           .center = EXRAY_MEL_CENTER_ZEROS,
                           .scale = EXRAY_MEL_SLANEY,
                           .slaney_norm = 1};
    const exray_microfrontend_options front = EXRAY_MICROFRONTEND_OPTIONS_TFLM;
    float *samples = malloc(count * sizeof *samples),
          *rows = malloc(exray_mel_rows(&mel, count) * 128 * sizeof *rows);
    int16_t *whole = malloc(count * sizeof *whole);
    uint16_t *raw = malloc(exray_microfrontend_rows(&front, count) * 40 * sizeof *raw);
    exray_error error = {EXRAY_OK, "out of memory"};
    double mel_ms = 1e30, front_ms = 1e30;
    bool ok = samples && rows && whole && raw;
    if (ok)
        fill(samples, count);
    for (size_t i = 0; ok && i < count; i++)
        whole[i] = (int16_t)(samples[i] * 32767);
    for (int i = 0; ok && i < ROUNDS; i++) {
        double begin = bench_now_ms();
        ok = exray_mel_run(&mel, samples, count, rows, &error) == EXRAY_OK;
        double between = bench_now_ms();
        ok = ok && exray_microfrontend_run(&front, whole, count, raw, &error) == EXRAY_OK;
        mel_ms = best(mel_ms, between - begin);
        front_ms = best(front_ms, bench_now_ms() - between);
    }
    free(samples);
    free(rows);
    free(whole);
    free(raw);
    if (!ok) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    printf("mel_ms %.4f\nmicrofrontend_ms %.4f\n", mel_ms, front_ms);
    return 0;
}

int main(void)
{
    return resample(44100, 16000) || resample(48000, 16000) || resample(16000, 48000) || features();
}
