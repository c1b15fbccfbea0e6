/* TensorStats against two plain loops in long double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/dtype.h"
#include "core/summary/dtypes.h"
#include "core/summary/stats_block.h"
#include <exray/exray.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 88172645463325252u;
static uint32_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32);
}

/* The definition, two passes; the elements are given as real values. */
static exray_stats by_definition(const double *values, uint64_t count)
{
    exray_stats out = {.count = count, .min = (double)INFINITY, .max = -(double)INFINITY};
    long double sum = 0, squares = 0;
    uint64_t finite = 0;
    for (uint64_t i = 0; i < count; i++) {
        out.nan_count += (uint64_t)(isnan(values[i]) != 0);
        out.inf_count += (uint64_t)(isinf(values[i]) != 0);
        out.zero_count += values[i] == 0;
        if (!isfinite(values[i]))
            continue;
        out.min = fmin(out.min, values[i]);
        out.max = fmax(out.max, values[i]);
        sum += (long double)values[i];
        finite++;
    }
    const long double mean = sum / (long double)finite;
    for (uint64_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            squares += ((long double)values[i] - mean) * ((long double)values[i] - mean);
    out.mean = (double)mean;
    out.variance = (double)(squares / (long double)finite);
    if (!finite)
        out.min = out.max = out.mean = out.variance = (double)NAN;
    return out;
}

static void assert_near(double actual, double wanted, double scale)
{
    if (isnan(wanted))
        assert_true(isnan(actual));
    else if (!(fabs(actual - wanted) <= 1e-12 * scale))
        fail_msg("%.17g instead of %.17g", actual, wanted);
}

static void assert_stats(const exray_stats *actual, const exray_stats *wanted)
{
    assert_int_equal(actual->count, wanted->count);
    assert_int_equal(actual->nan_count, wanted->nan_count);
    assert_int_equal(actual->inf_count, wanted->inf_count);
    assert_int_equal(actual->zero_count, wanted->zero_count);
    assert_near(actual->min, wanted->min, fabs(wanted->min));
    assert_near(actual->max, wanted->max, fabs(wanted->max));
    assert_near(actual->mean, wanted->mean, fabs(wanted->mean) + sqrt(wanted->variance));
    assert_near(actual->variance, wanted->variance, wanted->variance);
}

static exray_tensor_info info_of(exray_dtype dtype, const int64_t *count)
{
    return (exray_tensor_info){.dtype = dtype, .rank = 1, .shape = count};
}

static void check_floats(const float *values, size_t count)
{
    const int64_t shape = (int64_t)count;
    const exray_tensor_info info = info_of(EXRAY_DTYPE_FLOAT32, &shape);
    double *wide = malloc((count + 1) * sizeof *wide);
    uint8_t *odd = malloc(count * 4 + 1); /* data need not be aligned */
    exray_stats stats;
    for (size_t i = 0; i < count; i++)
        wide[i] = (double)values[i];
    memcpy(odd + 1, values, count * 4);
    const exray_stats wanted = by_definition(wide, count);
    assert_int_equal(exray_stats_compute(&info, odd + 1, count * 4, &stats), EXRAY_OK);
    assert_stats(&stats, &wanted);
    free(odd);
    free(wide);
}

static void test_floats_of_any_count(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 3, 15, 16, 17, 31, 33, 100, 8191, 8192, 8193, 30000};
    float *values = malloc(30000 * sizeof *values);
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        for (size_t i = 0; i < counts[k]; i++)
            values[i] = random_bits() % 4 ? (float)((double)random_bits() / 1e9 - 2) : 0;
        check_floats(values, counts[k]);
    }
    free(values);
}

static void test_floats_that_are_not_finite(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    float *values = malloc(COUNT * sizeof *values);
    for (int kind = 0; kind < 4; kind++) {
        for (size_t i = 0; i < COUNT; i++)
            values[i] = (float)((double)random_bits() / 1e9);
        if (kind == 0)
            values[9000] = (float)NAN;
        if (kind == 1)
            values[0] = -(float)INFINITY; /* in the block that gives the first pivot */
        if (kind == 2)
            values[COUNT - 1] = (float)INFINITY;
        for (size_t i = 0; kind == 3 && i < COUNT; i++)
            values[i] = i % 2 ? (float)NAN : (float)INFINITY;
        check_floats(values, COUNT);
    }
    free(values);
}

/* A large mean with a small spread is where sums of squares fail. */
static void test_floats_hard_for_the_variance(void **state)
{
    (void)state;
    enum { COUNT = 50000 };
    float *values = malloc(COUNT * sizeof *values);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = 1e6f + (float)(random_bits() % 8) / 8;
    check_floats(values, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = i < COUNT / 2 ? 1e6f : 1e-3f * (float)(random_bits() % 7);
    check_floats(values, COUNT);
    values[0] = 3e38f; /* an outlier first */
    check_floats(values, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = 0.1f;
    check_floats(values, COUNT);
    free(values);
}

/* Extremes of stored integers, counted from the bytes themselves. */
static void count_extremes(exray_dtype dtype, const uint8_t *data, uint64_t count, exray_stats *wanted)
{
    int64_t low;
    uint64_t high;
    const unsigned bits = exray_dtype_bits(dtype);
    xr_dtype_integer_range(dtype, &low, &high);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t stored = 0;
        for (unsigned b = 0; b < bits; b++)
            stored |= (uint64_t)(data[(i * bits + b) / 8] >> ((i * bits + b) % 8) & 1) << b;
        wanted->low_count += stored == ((uint64_t)low & (UINT64_MAX >> (64 - bits)));
        wanted->high_count += stored == high;
    }
}

static void check_type(exray_dtype dtype, uint64_t count, const exray_tensor_info *info, const uint8_t *data)
{
    const exray_quantization *q = &info->quantization;
    double *values = malloc(count * sizeof *values);
    exray_stats stats;
    uint64_t run = 1;
    xr_dtype_to_double(dtype, data, 0, (size_t)count, values);
    for (uint32_t i = q->axis + 1; i < info->rank; i++)
        run *= (uint64_t)info->shape[i];
    for (uint64_t i = 0; i < count && q->count; i++) {
        const uint64_t slice = q->count == 1 ? 0 : i / run % q->count;
        values[i] =
            (double)q->scale[slice] * (values[i] - (q->zero_point ? (double)q->zero_point[slice] : 0));
    }
    exray_stats wanted = by_definition(values, count);
    if (xr_dtype_is_integer(dtype))
        count_extremes(dtype, data, count, &wanted);
    assert_int_equal(exray_stats_compute(info, data, (size_t)xr_dtype_bytes(dtype, count), &stats), EXRAY_OK);
    assert_stats(&stats, &wanted);
    assert_int_equal(stats.low_count, wanted.low_count);
    assert_int_equal(stats.high_count, wanted.high_count);
    free(values);
}

static void test_every_type(void **state)
{
    (void)state;
    static const int64_t shape[] = {7, 11, 13, 5}; /* an odd count */
    static const float one[] = {-0.25f}, eleven[] = {1, 2, 3, 4, 5, 0.1f, 0.2f, 0.3f, -0.4f, 0.5f, 0};
    static const int64_t zero[] = {3}, zeros[] = {0, 1, -2, 3, -4, 5, 6, 7, 8, 9, 10};
    enum { COUNT = 7 * 11 * 13 * 5 };
    uint8_t *data = malloc(COUNT * 8);
    for (int type = EXRAY_DTYPE_FLOAT32; type <= EXRAY_DTYPE_FLOAT8_E5M2; type++) {
        const exray_dtype dtype = (exray_dtype)type;
        if (dtype == EXRAY_DTYPE_STRING)
            continue;
        for (size_t i = 0; i < COUNT * 8; i++) /* small and extreme values often */
            data[i] = (uint8_t)(random_bits() % 3 ? random_bits() : random_bits() % 2 ? 0xFF : 0);
        /* No huge exponents: sums in double and long double would differ by overflow. */
        for (size_t i = 7; dtype == EXRAY_DTYPE_FLOAT64 && i < COUNT * 8; i += 8)
            data[i] = (uint8_t)(0x3F + (data[i] & 0x80));
        exray_tensor_info info = {.dtype = dtype, .rank = 4, .shape = shape};
        check_type(dtype, COUNT, &info, data);
        info.quantization = (exray_quantization){1, 0, one, zero};
        check_type(dtype, COUNT, &info, data);
        info.quantization = (exray_quantization){11, 1, eleven, zeros};
        check_type(dtype, COUNT, &info, data);
        info.quantization = (exray_quantization){5, 3, eleven, NULL};
        check_type(dtype, COUNT, &info, data);
    }
    free(data);
}

/* The processor's kernels and the portable ones agree. */
static void test_kernels_agree(void **state)
{
    (void)state;
    const xr_stats_kernels *x86 = xr_stats_kernels_x86(), *fast = x86 ? x86 : xr_stats_kernels_neon();
    const xr_stats_kernels *plain = xr_stats_kernels_portable();
    uint8_t *data = malloc(XR_STATS_BLOCK * 4 + 1);
    if (!fast) {
        print_message("[  SKIPPED ] this processor has neither AVX2 nor NEON\n");
        free(data);
        skip();
    }
    for (size_t i = 0; i < XR_STATS_BLOCK * 4 + 1; i++)
        data[i] = (uint8_t)random_bits();
    for (size_t i = 0; i < XR_STATS_BLOCK; i++) {
        const float value = (float)((double)random_bits() / 1e9 - 2);
        memcpy(data + 1 + 4 * i, &value, 4);
    }
    for (size_t count = 1; count <= XR_STATS_BLOCK; count += 1 + count / 3) {
        xr_float_block a, b;
        xr_byte_block c, d;
        fast->floats(data + 1, count, 0.5, &a);
        plain->floats(data + 1, count, 0.5, &b);
        assert_true(a.min == b.min && a.max == b.max && a.zeros == b.zeros);
        assert_near(a.sum, b.sum, (double)count);
        assert_near(a.squares, b.squares, (double)count);
        fast->bytes(data + 1, count, 0x80, 7, &c);
        plain->bytes(data + 1, count, 0x80, 7, &d);
        assert_memory_equal(&c.sum, &d.sum, sizeof c - offsetof(xr_byte_block, sum));
        assert_true(c.min == d.min && c.max == d.max);
    }
    free(data);
}

static void test_what_cannot_be(void **state)
{
    (void)state;
    const int64_t four = 4, unknown = -1;
    const float scale = 1;
    const uint8_t data[16] = {0};
    exray_stats stats;
    exray_tensor_info info = info_of(EXRAY_DTYPE_STRING, &four);
    assert_int_equal(exray_stats_compute(&info, data, 16, &stats), EXRAY_E_UNSUPPORTED);
    info = info_of(EXRAY_DTYPE_FLOAT32, &four);
    assert_int_equal(exray_stats_compute(&info, data, 15, &stats), EXRAY_E_ARGUMENT);
    info.quantization = (exray_quantization){3, 0, &scale, NULL};
    assert_int_equal(exray_stats_compute(&info, data, 16, &stats), EXRAY_E_ARGUMENT);
    info = info_of(EXRAY_DTYPE_INT16, &unknown); /* then the bytes say how many */
    assert_int_equal(exray_stats_compute(&info, data, 16, &stats), EXRAY_OK);
    assert_int_equal(stats.count, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floats_of_any_count),
        cmocka_unit_test(test_floats_that_are_not_finite),
        cmocka_unit_test(test_floats_hard_for_the_variance),
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_kernels_agree),
        cmocka_unit_test(test_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
