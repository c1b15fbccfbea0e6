/* Axes, ticks and text of the HTML report. */
#define _POSIX_C_SOURCE 200809L
#include "report/html/drawing/spectrum.h"
#include "report/html/drawing/svg.h"
#include "report/html/page.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* cmocka.h needs the four above before it. */
#include <cmocka.h>

#include "report/page_text.h"

/* ---- Axes ------------------------------------------------------------------------------ */

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-9 * fmax(1, fabs(b))))
        fail_msg("%.12g is not %.12g", a, b);
}

static void test_places(void **state)
{
    (void)state;
    const xr_axis linear = {XR_LINEAR, -1, 3, 100, 0, 1, false};
    near(xr_axis_at(&linear, -1), 100);
    near(xr_axis_at(&linear, 1), 50);
    near(xr_axis_at(&linear, 99), 0); /* brought to the end */
    near(xr_axis_at(&linear, NAN), 100);
    const xr_axis log = {XR_LOG, 0.01, 100, 0, 400, 1, false};
    near(xr_axis_at(&log, 1), 200);
    near(xr_axis_at(&log, 0), 0);
    near(xr_axis_at(&log, INFINITY), 400);
    const xr_axis both = {XR_SIGNED, -99, 99, 0, 200, 1, false};
    near(xr_axis_at(&both, 0), 100);
    near(xr_axis_at(&both, 9), 150);
    near(xr_axis_at(&both, -9), 50);
    const xr_axis empty = {XR_LINEAR, 1, 1, 5, 9, 1, false};
    near(xr_axis_at(&empty, 1), 5);
}

static void check_ticks(xr_axis axis, size_t most, const double *want, size_t count)
{
    double tick[XR_TICKS];
    size_t got = xr_axis_ticks(&axis, most, tick);
    assert_int_equal(got, count);
    for (size_t i = 0; i < count; i++)
        near(tick[i], want[i]);
}

static void test_ticks(void **state)
{
    (void)state;
    check_ticks((xr_axis){XR_LINEAR, 0, 10, 0, 1, 1, false}, 6, (double[]){0, 2, 4, 6, 8, 10}, 6);
    check_ticks((xr_axis){XR_LINEAR, -0.3, 0.31, 0, 1, 1, false}, 5, (double[]){-0.2, 0, 0.2}, 3);
    check_ticks((xr_axis){XR_LOG, 0.005, 10, 0, 1, 1, false}, 7, (double[]){0.01, 0.1, 1, 10}, 4);
    check_ticks((xr_axis){XR_SIGNED, -50, 200, 0, 1, 1, false}, 7, (double[]){-10, -1, 0, 1, 10, 100}, 6);
    check_ticks((xr_axis){XR_LINEAR, 1, 1, 0, 1, 1, false}, 7, NULL, 0);
    check_ticks((xr_axis){XR_LINEAR, 0, INFINITY, 0, 1, 1, false}, 7, NULL, 0);
}

/* Whatever the ends: inside them, ascending, not too many. */
static void test_ticks_of_any_axis(void **state)
{
    (void)state;
    srand(7);
    for (int k = 0; k < 20000; k++) {
        xr_axis a = {(xr_scale)(k % 3), 0, 0, 0, 100, 1, false};
        double low = pow(10, rand() % 24 - 12), high = low * (1 + pow(10, rand() % 12 - 2));
        a.low = a.scale == XR_SIGNED && k % 2 ? -high : low;
        a.high = high;
        double tick[XR_TICKS];
        size_t most = 3 + (size_t)k % 10, count = xr_axis_ticks(&a, most, tick);
        assert_true(count <= most);
        for (size_t i = 0; i < count; i++) {
            assert_true(tick[i] >= a.low - 1e-6 * fabs(a.high) && tick[i] <= a.high * (1 + 1e-6));
            assert_true(i == 0 || tick[i] > tick[i - 1]);
        }
    }
}

static void test_coordinates(void **state)
{
    (void)state;
    xr_coordinate_text t;
    assert_string_equal(xr_coordinate(t, 12), "12");
    assert_string_equal(xr_coordinate(t, 12.34), "12.3");
    assert_string_equal(xr_coordinate(t, -0.04), "0");
    assert_string_equal(xr_coordinate(t, NAN), "0");
    assert_string_equal(xr_coordinate(t, 1e300), "1000000");
}

/* ---- Text -------------------------------------------------------------------------------- */

static void test_formats(void **state)
{
    (void)state;
    page_text t;
    xr_put(begin(&t), "<%s> %d %u %zu %lld %llu %.2f %g %c 5%% %s", "b", -1, 2U, (size_t)3, -4LL, 5ULL, 0.125,
           1e9, 'x', "end");
    check_text(&t, "<b> -1 2 3 -4 5 0.12 1e+09 x 5% end");
}

static void test_markup_is_text(void **state)
{
    (void)state;
    page_text t;
    xr_put(begin(&t), "%s", "<a href=\"x\" b='y'>&</a>");
    check_text(&t, "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;&lt;/a&gt;");
    xr_put(begin(&t), "%s",
           "\xC3\xA9 \xFF \xC0\x80 \xED\xA0\x80 \xE2\x80\xAE \x1B[0m \xF0\x9F\x98\x80 \xE2\x82");
    check_text(&t, "\xC3\xA9 \xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD "
                   "\xEF\xBF\xBD \xEF\xBF\xBD[0m \xF0\x9F\x98\x80 \xEF\xBF\xBD\xEF\xBF\xBD");
    xr_put_prose(begin(&t), NULL);
    check_text(&t, "");
    xr_put_json_text(begin(&t), "</script>\"\\\n&'\xE2\x80\xA8");
    check_text(&t, "\"\\u003c/script\\u003e\\\"\\\\\\u000a\\u0026\\u0027\xEF\xBF\xBD\"");
}

static void test_prose(void **state)
{
    (void)state;
    page_text t;
    xr_put_prose(begin(&t), "use `a<b` here, not ` this");
    check_text(&t, "use <code>a&lt;b</code> here, not ` this");
    xr_put_prose(begin(&t), "`");
    check_text(&t, "`");
}

/* A code that begins before the cut is closed after it. */
static void test_long_text_is_cut(void **state)
{
    (void)state;
    char text[4 * XR_TEXT_MOST];
    page_text t;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[3] = text[sizeof text - 2] = '`';
    xr_put_prose(begin(&t), text);
    fclose(t.file);
    assert_int_equal(strlen(t.data), XR_TEXT_MOST - 1 + strlen("<code></code>") + 3);
    assert_non_null(strstr(t.data, "\xE2\x80\xA6</code>"));
    free(t.data);
}

static void test_base64(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                                           {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) { /* RFC 4648, section 10 */
        page_text t;
        xr_put_base64(begin(&t), (const uint8_t *)pairs[i][0], strlen(pairs[i][0]));
        check_text(&t, pairs[i][1]);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    xr_number_text n;
    assert_string_equal(xr_number(n, 0.12345), "0.123");
    assert_string_equal(xr_number(n, -2), "\xE2\x88\x92"
                                          "2");
    assert_string_equal(xr_number(n, NAN), "\xE2\x80\x93");
    assert_string_equal(xr_milliseconds(n, 12.34e6), "12.3 ms");
    assert_string_equal(xr_milliseconds(n, 1.234e4), "0.012 ms");
    page_text t;
    xr_put_json_number(begin(&t), INFINITY, 4);
    check_text(&t, "null");
}

/* ---- Spectra ------------------------------------------------------------------------------- */

static void test_a_tone_lies_in_its_band(void **state)
{
    (void)state;
    enum { COUNT = 1000, COLUMNS = 3 };
    float values[COUNT], out[XR_SPECTRUM_BANDS * COLUMNS];
    for (size_t tone = 5; tone < XR_SPECTRUM_BANDS; tone += 20) {
        for (size_t i = 0; i < COUNT; i++)
            values[i] = (float)sin(2 * 3.14159265358979 * (double)tone * (double)i / XR_SPECTRUM_WINDOW);
        xr_spectrogram(values, COUNT, COLUMNS, out);
        for (size_t column = 0; column < COLUMNS; column++) {
            size_t best = 0;
            for (size_t band = 0; band < XR_SPECTRUM_BANDS; band++)
                if (out[band * COLUMNS + column] > out[best * COLUMNS + column])
                    best = band;
            assert_int_equal(XR_SPECTRUM_BANDS - 1 - best, tone);
            /* A Hann window's bin has a quarter of the amplitude's square, times the window's length. */
            near(round((double)out[best * COLUMNS + column] * 100),
                 round(1000 * log10(XR_SPECTRUM_WINDOW / 16.0)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_ticks_of_any_axis),
        cmocka_unit_test(test_coordinates),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_markup_is_text),
        cmocka_unit_test(test_prose),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_a_tone_lies_in_its_band),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
