/* TensorSketch: the vectors of spec/sketch.md, the kernels against each other, and what
 * must not matter: layout, type, NaN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/checksums/crc32.h"
#include "core/summary/sketch_rows.h"
#include <exray/exray.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 100000 };
static float values[MOST];

static void fill(size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)((uint32_t)i * 2654435761u >> 24) - 128;
}

static uint32_t sketch_of(const exray_tensor_info *info, const void *data, size_t size, float *bucket)
{
    exray_stats stats;
    uint32_t count = 0;
    assert_int_equal(exray_sketch_compute(info, data, size, EXRAY_SKETCH_SEED, &stats, bucket, &count),
                     EXRAY_OK);
    return count;
}

static void test_vectors(void **state)
{
    static const struct {
        int64_t n;
        uint32_t buckets, crc;
    } vectors[] = {{3, 3, 0x0CAE20DD},      {251, 251, 0x8C810C22},  {252, 251, 0x4DE63D38},
                   {8032, 251, 0xC23B2838}, {8033, 251, 0x56030FA7}, {100000, 251, 0x8AF447CE}};
    static xr_crc32_tables tables;
    (void)state;
    xr_crc32_make(&tables);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const exray_tensor_info info = {.dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = &vectors[i].n};
        float bucket[EXRAY_SKETCH_BUCKETS];
        fill((size_t)vectors[i].n);
        assert_int_equal(sketch_of(&info, values, 4 * (size_t)vectors[i].n, bucket), vectors[i].buckets);
        assert_int_equal(xr_crc32(&tables, 0, bucket, 4 * vectors[i].buckets), vectors[i].crc);
    }
}

static void test_kernels_agree(void **state)
{
    xr_sketch_rows_fn *fast = xr_sketch_rows_x86();
    (void)state;
    if (!fast)
        skip();
    fill(MOST);
    for (size_t i = 0; i < MOST; i++)
        values[i] *= 0.1f;
    for (size_t rows = 0; rows <= XR_SKETCH_ROWS; rows++) {
        uint32_t sign[2][XR_SKETCH_ROOM];
        float sum[2][XR_SKETCH_ROOM] = {{0}};
        /* Of its own, so that a sanitizer sees a read beyond. */
        const size_t size = 4 * rows * XR_SKETCH_COLUMNS;
        uint8_t *data = malloc(size + 1);
        assert_non_null(data);
        memcpy(data + 1, values, size);
        for (int k = 0; k < 2; k++) {
            xr_sketch_signs(sign[k], 7, xr_sketch_key(rows));
            (k ? fast : xr_sketch_rows_portable)(data + 1, rows, sign[k], sum[k]);
        }
        assert_memory_equal(sum[0], sum[1], 4 * XR_SKETCH_COLUMNS);
        assert_memory_equal(sign[0], sign[1], 4 * XR_SKETCH_COLUMNS);
        free(data);
    }
}

/* NHWC and NCHW, floats and the integers that they are. */
static void test_layouts_and_types(void **state)
{
    enum { N = 2, H = 13, W = 11, C = 37, COUNT = N * H * W * C };
    static int8_t last[COUNT], first[COUNT];
    static float real[COUNT];
    const int64_t nhwc[] = {N, H, W, C}, nchw[] = {N, C, H, W};
    const float scale = 0.37f;
    const int64_t zero = -5;
    const exray_quantization q = {1, 0, &scale, &zero};
    float bucket[3][EXRAY_SKETCH_BUCKETS];
    (void)state;
    fill(COUNT);
    for (int n = 0, i = 0; n < N; n++)
        for (int p = 0; p < H * W; p++)
            for (int c = 0; c < C; c++, i++) {
                last[i] = (int8_t)values[i];
                first[(n * C + c) * H * W + p] = last[i];
                real[i] = ((float)last[i] + 5) * scale;
            }
    exray_tensor_info info = {.dtype = EXRAY_DTYPE_INT8, .rank = 4, .shape = nhwc, .quantization = q};
    sketch_of(&info, last, COUNT, bucket[0]);
    info.shape = nchw;
    info.layout = "NCHW";
    sketch_of(&info, first, COUNT, bucket[1]);
    info = (exray_tensor_info){.dtype = EXRAY_DTYPE_FLOAT32, .rank = 4, .shape = nhwc, .layout = "NHWC"};
    sketch_of(&info, real, sizeof real, bucket[2]);
    assert_memory_equal(bucket[0], bucket[1], sizeof bucket[0]);
    assert_memory_equal(bucket[0], bucket[2], sizeof bucket[0]);
}

/* Each slice its own scale: as if dequantized before, in either layout. */
static void test_scale_of_each_channel(void **state)
{
    enum { P = 99, C = 6, COUNT = P * C };
    static uint8_t first[COUNT];
    static float real[COUNT];
    const int64_t nchw[] = {1, C, 9, 11}, flat[] = {COUNT};
    const float scale[C] = {1, 0.5f, 0.1f, 3, 0.01f, 7};
    float bucket[2][EXRAY_SKETCH_BUCKETS];
    (void)state;
    for (int c = 0; c < C; c++)
        for (int p = 0; p < P; p++) {
            first[c * P + p] = (uint8_t)(31 * p + c);
            real[p * C + c] = (float)first[c * P + p] * scale[c];
        }
    exray_tensor_info info = {.dtype = EXRAY_DTYPE_UINT8,
                              .rank = 4,
                              .shape = nchw,
                              .layout = "NCHW",
                              .quantization = {C, 1, scale, NULL}};
    sketch_of(&info, first, COUNT, bucket[0]);
    info = (exray_tensor_info){.dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = flat};
    sketch_of(&info, real, sizeof real, bucket[1]);
    assert_memory_equal(bucket[0], bucket[1], sizeof bucket[0]);
}

static void test_not_finite_is_zero(void **state)
{
    const int64_t shape[] = {20000};
    const exray_tensor_info info = {.dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = shape};
    static const size_t places[] = {0, 250, 251, 9000, 19999};
    float bucket[2][EXRAY_SKETCH_BUCKETS];
    exray_stats stats, plain;
    uint32_t count;
    (void)state;
    fill(20000);
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < sizeof places / sizeof *places; i++)
            values[places[i]] = k ? (i % 2 ? -INFINITY : NAN) : 0;
        assert_int_equal(exray_sketch_compute(&info, values, 80000, 1, &stats, bucket[k], &count), EXRAY_OK);
    }
    assert_memory_equal(bucket[0], bucket[1], sizeof bucket[0]);
    assert_int_equal(exray_stats_compute(&info, values, 80000, &plain), EXRAY_OK);
    assert_int_equal(stats.nan_count, 3);
    assert_int_equal(stats.inf_count, plain.inf_count);
    assert_true(fabs(stats.mean - plain.mean) < 1e-12 && fabs(stats.variance / plain.variance - 1) < 1e-12);
    assert_int_equal(exray_sketch_compute(&info, values, 79999, 1, NULL, bucket[0], &count),
                     EXRAY_E_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors), cmocka_unit_test(test_kernels_agree),
                                       cmocka_unit_test(test_layouts_and_types),
                                       cmocka_unit_test(test_scale_of_each_channel),
                                       cmocka_unit_test(test_not_finite_is_zero)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
