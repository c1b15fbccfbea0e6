/* The kernels of one pass over two arrays, each against sums in long double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compare/measure/metrics.h"

enum { MOST = 5000 };

static const char *const kernels[] = {"portable", "avx2", "avx512"};

static uint32_t seed = 1;
static float uniform(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) / (float)(1 << 24) - 0.5f;
}

static void assert_close(double value, long double truth, long double scale)
{
    if (!(fabsl((long double)value - truth) <= 1e-6L * scale))
        fail_msg("%.17g is not %.17Lg", value, truth);
}

/* Arrays that begin at an odd byte: the log gives no alignment. */
static void check_sums(const float *a, const float *b, size_t n)
{
    char *room = malloc(2 * (n * sizeof *a + 1));
    char *x = room + 1, *y = room + 2 + n * sizeof *a;
    memcpy(x, a, n * sizeof *a);
    memcpy(y, b, n * sizeof *b);
    xr_moments m = xr_moments_zero();
    xr_moments_add(&m, (const float *)(const void *)x, (const float *)(const void *)y, n);
    free(room);

    long double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0, dd = 0, most = 0;
    uint64_t count = 0, nan[2] = {0, 0}, inf[2] = {0, 0};
    for (size_t i = 0; i < n; i++) {
        long double p = a[i], q = b[i];
        nan[0] += isnan(a[i]) != 0, nan[1] += isnan(b[i]) != 0;
        inf[0] += isinf(a[i]) != 0, inf[1] += isinf(b[i]) != 0;
        if (!isfinite(a[i]) || !isfinite(b[i]))
            continue;
        count++;
        sa += p, sb += q, aa += p * p, bb += q * q, ab += p * q, dd += (p - q) * (p - q);
        most = fmaxl(most, fabsl(p - q));
    }
    assert_int_equal(m.count, count);
    assert_int_equal(m.total, n);
    for (int s = 0; s < 2; s++) {
        assert_int_equal(m.nan_count[s], nan[s]);
        assert_int_equal(m.inf_count[s], inf[s]);
    }
    assert_close(m.sum[0], sa, sqrtl(aa * (long double)count));
    assert_close(m.sum[1], sb, sqrtl(bb * (long double)count));
    assert_close(m.square[0], aa, aa);
    assert_close(m.square[1], bb, bb);
    assert_close(m.product, ab, sqrtl(aa * bb));
    assert_close(m.difference_square, dd, dd);
    assert_close(m.max_abs, most, most);
}

static void with_every_kernel(void (*check)(void))
{
    size_t ran = 0;
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
        if (!xr_moments_use(kernels[k])) {
            print_message("this processor has no %s: not tested\n", kernels[k]);
            continue;
        }
        check();
        ran++;
    }
    assert_true(ran > 0);
    assert_true(xr_moments_use(NULL));
}

static float a[MOST], b[MOST];

static void fill(size_t n, float scale, float offset, float apart)
{
    for (size_t i = 0; i < n; i++) {
        b[i] = offset + scale * uniform();
        a[i] = b[i] + apart * scale * uniform();
    }
}

static void check_lengths(void)
{
    static const size_t lengths[] = {0, 1, 7, 127, 128, 129, 255, 256, 257, 511, 4096, 4999};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        fill(lengths[i], 1, 0, 0.1f);
        check_sums(a, b, lengths[i]);
        fill(lengths[i], 1, 100, 1e-3f);
        check_sums(a, b, lengths[i]);
    }
}

static void check_extremes(void)
{
    static const float scales[] = {1e-38f, 1e-30f, 1e-15f, 1e15f, 1e30f, 3e38f};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        fill(MOST, scales[i], 0, 0.5f);
        check_sums(a, b, MOST);
    }
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    check_sums(a, b, MOST);
}

static void check_holes(void)
{
    static const float holes[] = {NAN, INFINITY, -INFINITY};
    for (size_t step = 1; step < 1500; step = step * 3 + 1) {
        fill(MOST, 1, 0, 0.1f);
        for (size_t i = step / 2; i < MOST; i += step)
            a[i] = holes[i % 3];
        for (size_t i = step / 3; i < MOST; i += 2 * step)
            b[i] = holes[(i + 1) % 3];
        check_sums(a, b, MOST);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    with_every_kernel(check_lengths);
}

static void test_extremes(void **state)
{
    (void)state;
    with_every_kernel(check_extremes);
}

static void test_holes(void **state)
{
    (void)state;
    with_every_kernel(check_holes);
}

/* CRC-32, a bit at a time, going on from `crc`. */
static uint32_t crc_of(uint32_t crc, const char *bytes, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= (uint8_t)bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void assert_same_sums(const xr_moments *one, const xr_moments *other)
{
    assert_int_equal(one->count, other->count);
    assert_int_equal(one->total, other->total);
    for (int s = 0; s < 2; s++) {
        assert_true(one->sum[s] == other->sum[s]);
        assert_true(one->square[s] == other->square[s]);
        assert_true(one->min[s] == other->min[s]);
        assert_true(one->max[s] == other->max[s]);
    }
    assert_true(one->product == other->product);
    assert_true(one->difference_square == other->difference_square);
    assert_true(one->max_abs == other->max_abs);
}

/* What was taken together with checksums from the front of n pairs at odd bytes. */
static size_t check_summed(size_t n)
{
    char *room = malloc(2 * (n * sizeof *a + 1));
    char *x = room + 1, *y = room + 2 + n * sizeof *a;
    memcpy(x, a, n * sizeof *a);
    memcpy(y, b, n * sizeof *b);
    xr_moments summed = xr_moments_zero(), plain = xr_moments_zero();
    uint32_t crc[2] = {0, 0x12345678};
    const size_t taken = xr_moments_add_summed(&summed, crc, (const float *)(const void *)x,
                                               (const float *)(const void *)y, n);
    assert_true(taken <= n);
    xr_moments_add(&plain, (const float *)(const void *)x, (const float *)(const void *)y, taken);
    assert_same_sums(&summed, &plain);
    assert_int_equal(crc[0], crc_of(0, x, taken * sizeof *a));
    assert_int_equal(crc[1], crc_of(0x12345678, y, taken * sizeof *b));
    free(room);
    return taken;
}

static void test_sums_and_checksums_in_one_pass(void **state)
{
    (void)state;
    enum { BLOCK = 256 };
    assert_true(!xr_moments_use("portable") || check_summed(MOST) == 0);
    assert_true(xr_moments_use(NULL));
    fill(MOST, 1, 0, 0.1f);
    if (check_summed(MOST) == 0) {
        print_message("this processor does not do both in one pass: not tested\n");
        return;
    }
    for (size_t n = 0; n <= MOST; n += n < 600 ? 1 : 97)
        assert_int_equal(check_summed(n), n / BLOCK * BLOCK);
    /* A block with a hole is left to others, with all behind it. */
    for (size_t hole = 0; hole < MOST / BLOCK * BLOCK; hole += 111) {
        const float kept = b[hole];
        b[hole] = NAN;
        assert_int_equal(check_summed(MOST), hole / BLOCK * BLOCK);
        b[hole] = kept;
    }
}

static void test_merge_is_one_pass(void **state)
{
    (void)state;
    fill(MOST, 1, 3, 0.2f);
    xr_moments whole = xr_moments_zero(), first = xr_moments_zero(), second = xr_moments_zero();
    xr_moments_add(&whole, a, b, MOST);
    xr_moments_add(&first, a, b, 1234);
    xr_moments_add(&second, a + 1234, b + 1234, MOST - 1234);
    xr_moments_merge(&first, &second);
    exray_metrics x = xr_moments_metrics(&whole), y = xr_moments_metrics(&first);
    assert_int_equal(x.count, y.count);
    assert_true(fabs(x.nrmse - y.nrmse) < 1e-7 * x.nrmse);
    assert_true(fabs(x.cosine - y.cosine) < 1e-9);
    assert_true(x.max_abs == y.max_abs && x.min[0] == y.min[0] && x.max[1] == y.max[1]);
}

static void test_what_is_not_defined(void **state)
{
    (void)state;
    xr_moments m = xr_moments_zero();
    exray_metrics none = xr_moments_metrics(&m);
    assert_true(isnan(none.nrmse) && isnan(none.cosine) && isnan(none.max_abs) && isnan(none.min[0]));
    float two[3] = {2, 2, 2}, three[3] = {3, 3, 3};
    xr_moments_add(&m, three, two, 3);
    exray_metrics constant = xr_moments_metrics(&m);
    assert_true(isnan(constant.nrmse) && constant.max_abs == 1 && constant.cosine == 1);
    m = xr_moments_zero();
    xr_moments_add(&m, two, two, 3);
    exray_metrics equal = xr_moments_metrics(&m);
    assert_true(equal.nrmse == 0 && isinf(equal.sqnr_db) && equal.sqnr_db > 0);
    assert_false(xr_moments_use("no such kernel"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_sums_and_checksums_in_one_pass),
        cmocka_unit_test(test_merge_is_one_pass),
        cmocka_unit_test(test_what_is_not_defined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
