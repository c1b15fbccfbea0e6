/* The integer front end: options of many kinds on sounds of many lengths, what is refused, int8 values. */
#include <exray/sound.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int16_t *noise(size_t length)
{
    int16_t *samples = malloc((length + 1) * sizeof *samples);
    uint32_t state = 1;
    assert_non_null(samples);
    for (size_t i = 0; i < length; i++) {
        state = state * 1664525 + 1013904223;
        samples[i] = (int16_t)(state >> 16);
    }
    return samples;
}

/* The memory is exactly as large as promised. */
static void run(const exray_microfrontend_options *how, size_t length)
{
    exray_error error = {EXRAY_OK, ""};
    int16_t *samples = noise(length);
    const size_t count = exray_microfrontend_rows(how, length) * exray_microfrontend_columns(how);
    uint16_t *out = malloc(count * sizeof *out + 1);
    assert_non_null(out);
    if (exray_microfrontend_run(how, samples, length, out, &error) != EXRAY_OK)
        fail_msg("%s", error.message);
    free(out);
    free(samples);
}

static void test_many_kinds(void **state)
{
    (void)state;
    static const uint32_t rates[] = {8000, 16000, 44100},
                          sizes[][2] = {{25, 10}, {30, 20}, {5, 7}, {64, 64}, {100, 1}};
    for (size_t r = 0; r < 3; r++)
        for (size_t s = 0; s < 5; s++)
            for (uint32_t kind = 0; kind < 8; kind++) {
                exray_microfrontend_options how = EXRAY_MICROFRONTEND_OPTIONS_INIT;
                how.sample_rate = rates[r], how.window_size = sizes[s][0], how.window_step = sizes[s][1];
                how.upper_band_limit = 3500, how.num_channels = kind % 2 ? 7 : 60;
                how.enable_pcan = kind / 2 % 2 && sizes[s][0] < 100, how.disable_log = kind / 4;
                how.left_context = kind % 3, how.right_context = kind % 2, how.frame_stride = 1 + kind % 3;
                how.zero_padding = kind % 2, how.tables = (exray_microfrontend_tables)(kind % 4);
                run(&how, 0);
                run(&how, sizes[s][0] * rates[r] / 1000 - 1);
                run(&how, sizes[s][0] * rates[r] / 1000);
                run(&how, 6000);
            }
}

/* What is below zero stands for zero: without smoothing nothing is subtracted. */
static void test_zero_where_it_is_not_the_default(void **state)
{
    (void)state;
    exray_microfrontend_options how = EXRAY_MICROFRONTEND_OPTIONS_INIT;
    exray_error error;
    uint16_t usual[32], none[32];
    int16_t *samples = noise(400);
    for (size_t i = 0; i < 400; i++)
        samples[i] /= 16; /* so that values are not clipped */
    how.disable_log = 1;
    assert_int_equal(exray_microfrontend_run(&how, samples, 400, usual, &error), EXRAY_OK);
    how.even_smoothing = how.odd_smoothing = -1;
    assert_int_equal(exray_microfrontend_run(&how, samples, 400, none, &error), EXRAY_OK);
    size_t larger = 0;
    for (size_t i = 0; i < 32; i++) {
        assert_true(none[i] >= usual[i]);
        larger += none[i] > usual[i];
    }
    assert_true(larger > 16);
    free(samples);
}

static void test_refused(void **state)
{
    (void)state;
    enum { SIZE = sizeof(exray_microfrontend_options) };
    static const struct {
        exray_microfrontend_options how;
        const char *says;
    } wrong[] = {
        {{.size = SIZE, .sample_rate = 999}, "sample_rate"},
        {{.size = SIZE, .window_size = 1001}, "window_size"},
        {{.size = SIZE, .sample_rate = 192000, .window_size = 200}, "window_size"},
        {{.size = SIZE, .num_channels = 513}, "num_channels"},
        {{.size = SIZE, .lower_band_limit = 7500}, "lower_band_limit"},
        {{.size = SIZE, .upper_band_limit = 8000}, "beyond"},
        {{.size = SIZE, .odd_smoothing = 1.5f}, "odd_smoothing"},
        {{.size = SIZE, .smoothing_bits = 17}, "smoothing_bits"},
        {{.size = SIZE, .gain_bits = 15}, "gain_bits"},
        {{.size = SIZE, .enable_pcan = 1, .smoothing_bits = 1}, "smoothing_bits"},
        {{.size = SIZE, .pcan_offset = -1}, "pcan_offset"},
        {{.size = SIZE, .left_context = 65}, "left_context"},
        {{.size = SIZE, .tables = (exray_microfrontend_tables)9}, "tables"},
        {{.num_channels = 40}, "size"},
    };
    uint16_t out[64];
    int16_t samples[400] = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        exray_error error = {EXRAY_OK, ""};
        assert_int_equal(exray_microfrontend_run(&wrong[i].how, samples, 400, out, &error), EXRAY_E_ARGUMENT);
        assert_non_null(strstr(error.message, wrong[i].says));
        assert_null(exray_microfrontend_new(&wrong[i].how, &error));
    }
    const exray_microfrontend_options how = EXRAY_MICROFRONTEND_OPTIONS_INIT;
    exray_error error;
    assert_int_equal(exray_microfrontend_run(&how, NULL, 400, out, &error), EXRAY_E_ARGUMENT);
    exray_microfrontend_free(NULL);
}

static void test_int8(void **state)
{
    (void)state;
    assert_int_equal(exray_microfrontend_int8(0), -128);
    assert_int_equal(exray_microfrontend_int8(1), -128);
    assert_int_equal(exray_microfrontend_int8(2), -127);
    assert_int_equal(exray_microfrontend_int8(333), 0);
    assert_int_equal(exray_microfrontend_int8(666), 127);
    assert_int_equal(exray_microfrontend_int8(65535), 127);
}

static void test_reset(void **state)
{
    (void)state;
    const exray_microfrontend_options how = EXRAY_MICROFRONTEND_OPTIONS_TFLM;
    exray_error error;
    exray_microfrontend *frontend = exray_microfrontend_new(&how, &error);
    int16_t *samples = noise(900);
    uint16_t first[40], again[40];
    bool made;
    assert_non_null(frontend);
    assert_int_equal(exray_microfrontend_feed(frontend, samples, 900, first, &made), 480);
    assert_true(made);
    assert_int_equal(exray_microfrontend_feed(frontend, samples + 480, 100, again, &made), 100);
    assert_false(made);
    exray_microfrontend_reset(frontend);
    assert_int_equal(exray_microfrontend_feed(frontend, samples, 900, again, &made), 480);
    assert_memory_equal(first, again, sizeof first);
    free(samples);
    exray_microfrontend_free(frontend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_kinds), cmocka_unit_test(test_zero_where_it_is_not_the_default),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_int8),
        cmocka_unit_test(test_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
