/* Mel spectrograms: options of all kinds on sounds of all lengths, what is refused, where a tone is seen. */
#include <exray/sound.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float *tone(size_t length, double hertz)
{
    float *samples = calloc(length + 1, sizeof *samples);
    assert_non_null(samples);
    for (size_t i = 0; i < length; i++)
        samples[i] = (float)sin(2 * 3.14159265358979323846 * hertz * (double)i / 16000);
    return samples;
}

/* Rows of finite numbers, as many as promised; the memory is exactly as large. */
static void expect_rows(const exray_mel *how, size_t length)
{
    exray_error error = {EXRAY_OK, ""};
    float *samples = tone(length, 440);
    const size_t count = exray_mel_rows(how, length) * how->n_mels;
    float *out = malloc(count * sizeof *out + 1);
    assert_non_null(out);
    assert_int_equal(exray_mel_run(how, samples, length, out, &error), EXRAY_OK);
    for (size_t i = 0; i < count; i++)
        assert_true(isfinite(out[i]));
    free(out);
    free(samples);
}

static void test_all_kinds(void **state)
{
    (void)state;
    static const uint32_t sizes[][3] = {{2, 1, 1},    {3, 3, 2},       {64, 64, 7},
                                        {97, 90, 33}, {400, 400, 160}, {1024, 1, 512}};
    static const size_t lengths[] = {0, 1, 2, 3, 63, 64, 400, 999};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (uint32_t kind = 0; kind < 60; kind++) {
            exray_mel how = EXRAY_MEL_INIT;
            how.n_fft = sizes[s][0], how.win_length = sizes[s][1], how.hop_length = sizes[s][2];
            how.window = (exray_mel_window)(kind % 7), how.center = (exray_mel_center)(kind % 3);
            how.pad = (exray_mel_pad)(kind % 2 + 1), how.n_mels = 1 + kind % 50;
            how.scale = (exray_mel_scale)(kind / 2 % 2), how.triangles = (exray_mel_triangles)(kind / 4 % 2);
            how.slaney_norm = kind % 2, how.power = 1 + kind / 3 % 2, how.log = (exray_mel_log)(kind % 4);
            how.remove_dc_offset = kind / 5 % 2, how.pre_emphasis = kind % 3 ? 0 : 0.97f;
            for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
                expect_rows(&how, lengths[i]);
        }
}

static void test_a_tone_is_in_its_band(void **state)
{
    (void)state;
    exray_mel how = EXRAY_MEL_INIT;
    exray_error error;
    float *samples = tone(512, 2000), out[40];
    how.triangles = EXRAY_MEL_OF_MEL;
    assert_int_equal(exray_mel_rows(&how, 512), 1);
    assert_int_equal(exray_mel_run(&how, samples, 512, out, &error), EXRAY_OK);
    size_t most = 0;
    for (size_t i = 0; i < 40; i++)
        most = out[i] > out[most] ? i : most;
    /* 2000 Hz are 1521 mel, 8000 Hz 2840: the middle of band 21 is at 22 / 41 of those. */
    assert_int_equal(most, 21);
    free(samples);
}

static void test_refused(void **state)
{
    (void)state;
    exray_error error = {EXRAY_OK, ""};
    float sample = 0, out;
    static const struct {
        exray_mel how;
        const char *says;
    } wrong[] = {
        {{.size = sizeof(exray_mel), .n_fft = 40000}, "n_fft"},
        {{.size = sizeof(exray_mel), .n_fft = 1}, "n_fft"},
        {{.size = sizeof(exray_mel), .win_length = 513}, "win_length"},
        {{.size = sizeof(exray_mel), .win_length = 2}, "hop_length"},
        {{.size = sizeof(exray_mel), .n_mels = 1025}, "n_mels"},
        {{.size = sizeof(exray_mel), .fmin = 100, .fmax = 100}, "fmin"},
        {{.size = sizeof(exray_mel), .fmin = NAN}, "fmin"},
        {{.size = sizeof(exray_mel), .fmax = 8002}, "fmax"},
        {{.size = sizeof(exray_mel), .power = 3}, "power"},
        {{.size = sizeof(exray_mel), .offset = INFINITY}, "offset"},
        {{.size = sizeof(exray_mel), .top_db = -1}, "top_db"},
        {{.size = sizeof(exray_mel), .log = (exray_mel_log)9}, "enumerator"},
        {{.n_fft = 512}, "size"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(exray_mel_rows(&wrong[i].how, 100000), 0);
        assert_int_equal(exray_mel_run(&wrong[i].how, &sample, 1, &out, &error), EXRAY_E_ARGUMENT);
        assert_non_null(strstr(error.message, wrong[i].says));
    }
    const exray_mel how = EXRAY_MEL_INIT;
    assert_int_equal(exray_mel_run(&how, NULL, 1000, &out, &error), EXRAY_E_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kinds),
        cmocka_unit_test(test_a_tone_is_in_its_band),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
