/* Runs a function of exray/sound.h on 32-bit floats, for tests that compare it with other libraries'
 * (tests/media/test_sound_*.py) and for `make bench`.
 *
 *   sound_tool resample FROM TO [KIND [REPEAT]] < samples > samples
 *
 * KIND: 0 to 2, as enum exray_resampler.  With REPEAT, the fewest milliseconds of a run instead of the
 * result. An error is one line on standard error, and exit status 2. */
#define _POSIX_C_SOURCE 200809L
#include <exray/sound.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int give_up(const char *message)
{
    fprintf(stderr, "%s\n", message);
    return 2;
}

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

/* Standard input, as numbers of that size. */
static float *read_samples(size_t *count, size_t each)
{
    size_t room = 1 << 16, size = 0, got;
    char *bytes = malloc(room);
    while (bytes && (got = fread(bytes + size, 1, room - size, stdin)) > 0) {
        size += got;
        if (size == room) {
            char *grown = realloc(bytes, room *= 2);
            if (!grown)
                free(bytes);
            bytes = grown;
        }
    }
    *count = size / each;
    return (float *)bytes;
}

static int resample(int argc, char **argv, const float *samples, size_t length)
{
    if (argc < 4)
        return give_up("usage: sound_tool resample FROM TO [KIND [REPEAT]]");
    const uint32_t from = (uint32_t)strtoul(argv[2], NULL, 10), to = (uint32_t)strtoul(argv[3], NULL, 10);
    exray_resampling how = EXRAY_RESAMPLING_INIT;
    how.kind = (exray_resampler)(argc > 4 ? strtol(argv[4], NULL, 10) : 0);
    const long repeat = argc > 5 ? strtol(argv[5], NULL, 10) : 0;
    const size_t made = exray_resampling_length(length, from, to);
    float *out = malloc((made + 1) * sizeof *out);
    exray_error error = {EXRAY_OK, "out of memory"};
    double best = 1e30;
    exray_status status = out ? EXRAY_OK : EXRAY_E_MEMORY;
    for (long i = 0; !status && i <= repeat; i++) {
        double begin = milliseconds();
        status = exray_resampling_run(&how, samples, length, from, to, out, &error);
        double took = milliseconds() - begin;
        best = took < best ? took : best;
    }
    if (!status && repeat)
        printf("%.4f\n", best);
    else if (!status)
        fwrite(out, sizeof *out, made, stdout);
    free(out);
    return status ? give_up(error.message) : 0;
}

/* What FIELD=VALUE sets: a whole number (also an enumerator), or a float. */
typedef struct option {
    const char *name;
    void *whole;
    float *real;
} option;

static bool set_option(const option *options, size_t count, const char *text)
{
    const char *equals = strchr(text, '=');
    for (size_t i = 0; equals && i < count; i++) {
        if (strlen(options[i].name) != (size_t)(equals - text) ||
            strncmp(options[i].name, text, (size_t)(equals - text)) != 0)
            continue;
        const uint32_t whole = (uint32_t)strtol(equals + 1, NULL, 10);
        if (options[i].real)
            *options[i].real = strtof(equals + 1, NULL);
        else
            memcpy(options[i].whole, &whole, sizeof whole); /* enumerators are as large */
        return true;
    }
    return false;
}

static int mel(int argc, char **argv, const float *samples, size_t length)
{
    exray_mel how = EXRAY_MEL_INIT;
    uint32_t repeat = 0;
    const option options[] = {{"rate", &how.rate, NULL},
                              {"n_fft", &how.n_fft, NULL},
                              {"win_length", &how.win_length, NULL},
                              {"hop_length", &how.hop_length, NULL},
                              {"window", &how.window, NULL},
                              {"center", &how.center, NULL},
                              {"pad", &how.pad, NULL},
                              {"n_mels", &how.n_mels, NULL},
                              {"fmin", NULL, &how.fmin},
                              {"fmax", NULL, &how.fmax},
                              {"scale", &how.scale, NULL},
                              {"triangles", &how.triangles, NULL},
                              {"slaney_norm", &how.slaney_norm, NULL},
                              {"power", &how.power, NULL},
                              {"log", &how.log, NULL},
                              {"offset", NULL, &how.offset},
                              {"top_db", NULL, &how.top_db},
                              {"remove_dc_offset", &how.remove_dc_offset, NULL},
                              {"pre_emphasis", NULL, &how.pre_emphasis},
                              {"floor", NULL, &how.floor},
                              {"repeat", &repeat, NULL}};
    for (int i = 2; i < argc; i++)
        if (!set_option(options, sizeof options / sizeof *options, argv[i]))
            return give_up(argv[i]);
    const size_t rows = exray_mel_rows(&how, length), count = rows * (how.n_mels ? how.n_mels : 40);
    float *out = malloc((count + 1) * sizeof *out);
    exray_error error = {EXRAY_OK, "out of memory"};
    double best = 1e30;
    exray_status status = out ? EXRAY_OK : EXRAY_E_MEMORY;
    for (uint32_t i = 0; !status && i <= repeat; i++) {
        double begin = milliseconds();
        status = exray_mel_run(&how, samples, length, out, &error);
        double took = milliseconds() - begin;
        best = took < best ? took : best;
    }
    if (!status && repeat)
        printf("%.4f\n", best);
    else if (!status)
        fwrite(out, sizeof *out, count, stdout);
    free(out);
    return status ? give_up(error.message) : 0;
}

/* In pieces, as a microphone gives them; rows in out. */
static exray_status stream(const exray_microfrontend_options *how, const int16_t *samples, size_t length,
                           size_t piece, uint16_t *out, exray_error *error)
{
    exray_microfrontend *frontend = exray_microfrontend_new(how, error);
    const size_t columns = exray_microfrontend_columns(how);
    for (size_t at = 0; frontend && at < length;) {
        size_t left = piece - at % piece;
        bool made;
        at += exray_microfrontend_feed(frontend, samples + at, left < length - at ? left : length - at, out,
                                       &made);
        out += made ? columns : 0;
    }
    exray_microfrontend_free(frontend);
    return frontend ? EXRAY_OK : error->status;
}

static int microfrontend(int argc, char **argv, const int16_t *samples, size_t length)
{
    exray_microfrontend_options how = EXRAY_MICROFRONTEND_OPTIONS_INIT;
    uint32_t repeat = 0, piece = 0;
    const option options[] = {{"sample_rate", &how.sample_rate, NULL},
                              {"window_size", &how.window_size, NULL},
                              {"window_step", &how.window_step, NULL},
                              {"num_channels", &how.num_channels, NULL},
                              {"upper_band_limit", NULL, &how.upper_band_limit},
                              {"lower_band_limit", NULL, &how.lower_band_limit},
                              {"smoothing_bits", &how.smoothing_bits, NULL},
                              {"even_smoothing", NULL, &how.even_smoothing},
                              {"odd_smoothing", NULL, &how.odd_smoothing},
                              {"min_signal_remaining", NULL, &how.min_signal_remaining},
                              {"enable_pcan", &how.enable_pcan, NULL},
                              {"pcan_strength", NULL, &how.pcan_strength},
                              {"pcan_offset", NULL, &how.pcan_offset},
                              {"gain_bits", &how.gain_bits, NULL},
                              {"disable_log", &how.disable_log, NULL},
                              {"scale_shift", &how.scale_shift, NULL},
                              {"left_context", &how.left_context, NULL},
                              {"right_context", &how.right_context, NULL},
                              {"frame_stride", &how.frame_stride, NULL},
                              {"zero_padding", &how.zero_padding, NULL},
                              {"out_scale", &how.out_scale, NULL},
                              {"tables", &how.tables, NULL},
                              {"stream", &piece, NULL},
                              {"repeat", &repeat, NULL}};
    for (int i = 2; i < argc; i++)
        if (!set_option(options, sizeof options / sizeof *options, argv[i]))
            return give_up(argv[i]);
    const size_t count = exray_microfrontend_rows(&how, length) * exray_microfrontend_columns(&how);
    uint16_t *out = malloc((count + 1) * sizeof *out);
    exray_error error = {EXRAY_OK, "out of memory"};
    double best = 1e30;
    exray_status status = out ? EXRAY_OK : EXRAY_E_MEMORY;
    for (uint32_t i = 0; !status && i <= repeat; i++) {
        double begin = milliseconds();
        status = piece ? stream(&how, samples, length, piece, out, &error)
                       : exray_microfrontend_run(&how, samples, length, out, &error);
        double took = milliseconds() - begin;
        best = took < best ? took : best;
    }
    if (!status && repeat)
        printf("%.4f\n", best);
    else if (!status)
        fwrite(out, sizeof *out, count, stdout);
    free(out);
    return status ? give_up(error.message) : 0;
}

int main(int argc, char **argv)
{
    size_t length;
    const char *what = argc > 1 ? argv[1] : "";
    float *samples =
        read_samples(&length, strcmp(what, "microfrontend") == 0 ? sizeof(int16_t) : sizeof(float));
    int result = 2;
    if (!samples)
        give_up("out of memory");
    else if (strcmp(what, "resample") == 0)
        result = resample(argc, argv, samples, length);
    else if (strcmp(what, "mel") == 0)
        result = mel(argc, argv, samples, length);
    else if (strcmp(what, "microfrontend") == 0)
        result = microfrontend(argc, argv, (const int16_t *)(const void *)samples, length);
    else
        give_up("usage: sound_tool resample|mel|microfrontend ...");
    free(samples);
    return result;
}
