/* Arithmetic on samples, against the sums that it stands for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "checks/input/sound/sound_math.h"

static const double pi = 3.14159265358979323846;

/* Some noise. */
static void fill(float *x, size_t n)
{
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8) / (1 << 24) - 0.5F;
    }
}

/* x at a place between its samples: the sum over a sinc under a Hann window of 24 zeros on either side. */
static double at_place(const float *x, size_t n, double place, double low)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        double t = fabs(place - (double)k) * low;
        if (t < 24)
            sum += (double)x[k] * (0.5 + 0.5 * cos(pi * t / 24)) * (t > 0 ? sin(pi * t) / (pi * t) : 1);
    }
    return sum * low;
}

static void test_equations(void **state)
{
    (void)state;
    enum { N = 3, STRIDE = 5 };
    /* Rows with room behind them, of which only the lower triangle is read. */
    const double whole[N][N] = {{4, 2, -1}, {2, 5, 3}, {-1, 3, 6}}, x[N] = {0.5, -2, 3};
    double a[N][STRIDE], b[N] = {0};
    for (int i = 0; i < N; i++)
        for (int k = 0; k < STRIDE; k++) {
            a[i][k] = k <= i ? whole[i][k] : NAN;
            b[i] += k < N ? whole[i][k] * x[k] : 0;
        }
    assert_true(xr_solve_positive(a[0], STRIDE, b, N));
    for (int i = 0; i < N; i++)
        assert_true(fabs(b[i] - x[i]) < 1e-12);
    double singular[2][2] = {{1, 1}, {1, 1}}, sums[2] = {2, 2};
    assert_false(xr_solve_positive(singular[0], 2, sums, 2));
}

static void test_rates(void **state)
{
    enum { COUNT = 1500, MOST = 3 * COUNT };
    /* Usual ones, whose places repeat; many places; none that repeat; places that are as few as samples. */
    static const double ratios[] = {3, 0.5, 16000.0 / 44100, 44100.0 / 16000, 11025.0 / 96000, 0.7853981634};
    static float x[COUNT], out[MOST];
    (void)state;
    fill(x, COUNT);
    for (size_t r = 0; r < sizeof ratios / sizeof *ratios; r++) {
        size_t count = xr_change_rate(x, COUNT, ratios[r], out, MOST);
        assert_int_equal(count, (size_t)floor(COUNT * ratios[r]));
        for (size_t i = 0; i < count; i += 7)
            assert_float_equal(
                out[i], at_place(x, COUNT, (double)i / ratios[r], XR_KEPT_BAND * fmin(1, ratios[r])), 2e-5);
    }
}

static void test_fractions_and_bands(void **state)
{
    enum { COUNT = 300 };
    float x[COUNT], out[COUNT];
    (void)state;
    fill(x, COUNT);
    assert_true(xr_shift_by_fraction(x, COUNT, 0.375, out));
    for (size_t i = 0; i < COUNT; i++)
        assert_float_equal(out[i], at_place(x, COUNT, (double)i + 0.375, 1), 2e-5);
    assert_true(xr_low_pass(x, COUNT, 0.4, out));
    for (size_t i = 0; i < COUNT; i++)
        assert_float_equal(out[i], at_place(x, COUNT, (double)i, 0.4), 2e-5);
}

static void test_transforms(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 256; n *= 2)
        for (int inverse = 0; inverse < 2; inverse++) {
            float x[512];
            double re[256], im[256];
            fill(x, 2 * n);
            for (size_t i = 0; i < n; i++)
                re[i] = x[2 * i], im[i] = x[2 * i + 1];
            xr_fft(re, im, n, inverse != 0);
            for (size_t k = 0; k < n; k++) {
                double a = 0, b = 0;
                for (size_t i = 0; i < n; i++) {
                    double angle = (inverse ? 2 : -2) * pi * (double)(i * k % n) / (double)n;
                    a += (double)x[2 * i] * cos(angle) - (double)x[2 * i + 1] * sin(angle);
                    b += (double)x[2 * i] * sin(angle) + (double)x[2 * i + 1] * cos(angle);
                }
                assert_float_equal(re[k], a, 1e-11 * (double)n);
                assert_float_equal(im[k], b, 1e-11 * (double)n);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equations),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_fractions_and_bands),
        cmocka_unit_test(test_transforms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
