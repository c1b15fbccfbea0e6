/* The resampler on tones, whose samples at any rate are known; its lengths and limits. */
#include <exray/sound.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const double pi = 3.14159265358979323846;

/* A tone with a soft begin and end, so that what is before and behind does not matter. */
static double tone(double hertz, double seconds, double whole)
{
    double swell = sin(pi * seconds / whole);
    return 0.9 * swell * swell * sin(2 * pi * hertz * seconds + 0.3);
}

static float *make(size_t count)
{
    float *samples = calloc(count + 1, sizeof *samples);
    assert_non_null(samples);
    return samples;
}

static float *run(const exray_resampling *how, const float *samples, size_t length, uint32_t from,
                  uint32_t to)
{
    exray_error error = {EXRAY_OK, ""};
    float *out = make(exray_resampling_length(length, from, to));
    if (exray_resampling_run(how, samples, length, from, to, out, &error) != EXRAY_OK)
        fail_msg("%s", error.message);
    return out;
}

/* The largest error on a tone of that share of half the lower rate; its length is not a round number. */
static double worst(uint32_t from, uint32_t to, double share, double gain)
{
    const double hertz = share * (from < to ? from : to) / 2, whole = 0.37;
    const size_t length = (size_t)(whole * from), made = exray_resampling_length(length, from, to);
    float *samples = make(length);
    for (size_t i = 0; i < length; i++)
        samples[i] = (float)tone(hertz, (double)i / from, whole);
    float *out = run(NULL, samples, length, from, to);
    double most = 0;
    for (size_t i = 0; i < made; i++)
        most = fmax(most, fabs(out[i] - gain * tone(hertz, (double)i / to, whole)));
    free(samples);
    free(out);
    return most;
}

static const uint32_t pairs[][2] = {{44100, 16000}, {48000, 16000}, {8000, 16000},  {16000, 8000},
                                    {22050, 16000}, {16000, 44100}, {16000, 15991}, {11025, 16000},
                                    {96000, 16000}, {192000, 8000}, {7000, 48000},  {16000, 16001}};
enum { PAIRS = sizeof pairs / sizeof *pairs };

static void test_tones(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAIRS; i++) {
        assert_true(worst(pairs[i][0], pairs[i][1], 0.05, 1) < 2e-6);
        assert_true(worst(pairs[i][0], pairs[i][1], 0.5, 1) < 1e-5);
        assert_true(worst(pairs[i][0], pairs[i][1], 0.9, 1) <
                    1.2e-3); /* soxr's, too, has lost 0.01 dB there */
        if (pairs[i][0] > pairs[i][1] + 100)
            assert_true(worst(pairs[i][0], pairs[i][1], 1.01, 0) < 2e-5);
    }
}

static void test_a_whole_ratio_is_flat(void **state)
{
    (void)state;
    assert_true(worst(48000, 16000, 0.9, 1) < 3e-6);
    assert_true(worst(16000, 48000, 0.9, 1) < 3e-6);
    assert_true(worst(24000, 16000, 0.9, 1) < 3e-6);
}

static void test_lengths(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 2, 3, 7, 100, 101, 333, 4096, 5000};
    assert_int_equal(exray_resampling_length(100, 44100, 16000), 36);
    assert_int_equal(exray_resampling_length(101, 44100, 16000), 37);
    assert_int_equal(exray_resampling_length(7, 44100, 16000), 3);
    assert_int_equal(exray_resampling_length(7, 0, 16000), 0);
    assert_int_equal(exray_resampling_length(SIZE_MAX, 1, UINT32_MAX), 0);
    for (size_t p = 0; p < PAIRS; p++)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            float *samples = make(lengths[i]);
            free(run(NULL, samples, lengths[i], pairs[p][0], pairs[p][1]));
            free(samples);
        }
}

/* Wherever it lies, at an edge or in any block, a click keeps its place and its sum. */
static void test_a_click_keeps_its_place(void **state)
{
    (void)state;
    enum { LENGTH = 9000 };
    for (size_t at = 0; at < LENGTH; at += 499) {
        float *samples = make(LENGTH);
        samples[at] = 1;
        float *out = run(NULL, samples, LENGTH, 16000, 32000);
        size_t most = 0;
        for (size_t i = 0; i < 2 * (size_t)LENGTH; i++)
            most = fabsf(out[i]) > fabsf(out[most]) ? i : most;
        assert_int_equal(most, 2 * at);
        free(samples);
        free(out);
    }
}

static void test_without_a_low_pass(void **state)
{
    (void)state;
    static const float ramp[] = {0, 3, 6, 9, 12};
    exray_resampling how = EXRAY_RESAMPLING_INIT;
    how.kind = EXRAY_RESAMPLER_LINEAR;
    float *out = run(&how, ramp, 5, 1, 3);
    for (int i = 0; i < 15; i++)
        assert_true(fabs(out[i] - (i < 12 ? i : 12)) < 1e-6);
    free(out);
    how.kind = EXRAY_RESAMPLER_HOLD;
    out = run(&how, ramp, 5, 2, 3);
    static const float held[] = {0, 0, 3, 6, 6, 9, 12, 12};
    for (int i = 0; i < 8; i++)
        assert_true(out[i] == held[i]);
    free(out);
    out = run(NULL, ramp, 5, 44100, 44100);
    for (int i = 0; i < 5; i++)
        assert_true(out[i] == ramp[i]);
    free(out);
}

static void test_refused(void **state)
{
    (void)state;
    float samples[4] = {0}, out[64];
    exray_error error;
    exray_resampling how = EXRAY_RESAMPLING_INIT;
    assert_int_equal(exray_resampling_run(NULL, samples, 4, 0, 8000, out, &error), EXRAY_E_ARGUMENT);
    assert_int_equal(exray_resampling_run(NULL, NULL, 4, 8000, 16000, out, &error), EXRAY_E_ARGUMENT);
    assert_int_equal(exray_resampling_run(NULL, samples, 4, 1, 257, out, &error), EXRAY_E_LIMIT);
    assert_int_equal(exray_resampling_run(NULL, samples, 4, 257, 1, out, &error), EXRAY_E_LIMIT);
    how.passband = 1.2f;
    assert_int_equal(exray_resampling_run(&how, samples, 4, 8000, 16000, out, &error), EXRAY_E_ARGUMENT);
    how = (exray_resampling){sizeof how, EXRAY_RESAMPLER_SINC, 0.99f, 0.996f, 160};
    assert_int_equal(exray_resampling_run(&how, samples, 4, 1, 256, out, &error), EXRAY_E_LIMIT);
    how = (exray_resampling){.size = 0};
    assert_int_equal(exray_resampling_run(&how, samples, 4, 8000, 16000, out, &error), EXRAY_E_ARGUMENT);
}

/* Parameters at their limits still make a filter. */
static void test_parameters(void **state)
{
    (void)state;
    static const float pass[] = {0.01f, 0.5f, 0.99f, 1.2f}, stop[] = {0.5f, 0.6f, 1, 1.5f},
                       attenuation[] = {20, 80, 160};
    enum { LENGTH = 700 };
    float *samples = make(LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        samples[i] = (float)tone(20, (double)i / 8000, (double)LENGTH / 8000);
    for (size_t k = 0; k < 4; k++)
        for (size_t a = 0; a < 3; a++)
            for (size_t p = 0; p < PAIRS; p++) {
                const exray_resampling how = {sizeof how, EXRAY_RESAMPLER_SINC, pass[k], stop[k],
                                              attenuation[a]};
                float *out = run(&how, samples, LENGTH, pairs[p][0], pairs[p][1]);
                for (size_t i = 0; i < exray_resampling_length(LENGTH, pairs[p][0], pairs[p][1]); i++)
                    assert_true(fabsf(out[i]) < 1.2f);
                free(out);
            }
    free(samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tones),
        cmocka_unit_test(test_a_whole_ratio_is_flat),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_a_click_keeps_its_place),
        cmocka_unit_test(test_without_a_low_pass),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
