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

/* Standard input, as floats. */
static float *read_samples(size_t *count)
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
    *count = size / sizeof(float);
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

int main(int argc, char **argv)
{
    size_t length;
    float *samples = read_samples(&length);
    int result = !samples                                       ? give_up("out of memory")
                 : argc > 1 && strcmp(argv[1], "resample") == 0 ? resample(argc, argv, samples, length)
                                                                : give_up("usage: sound_tool resample ...");
    free(samples);
    return result;
}
