/* Moments of channels and the histogram, against sums taken one value at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <exray/exray.h>
#include <math.h>

enum { SIDE = 20, CHANNELS = 3, COUNT = SIDE * SIDE * CHANNELS };

static float value_at(int pixel, int channel)
{
    return (float)((pixel * 37 + channel * 101) % 211) / 50 + 3 * (float)channel;
}

static void check(const exray_tensor_info *info, const void *data, size_t size, double scale, double zero,
                  double tolerance)
{
    exray_stats stats;
    exray_channel_room room;
    exray_channel_stats out;
    assert_int_equal(exray_stats_compute(info, data, size, &stats), EXRAY_OK);
    assert_int_equal(exray_channel_stats_compute(info, data, size, &stats, &room, &out), EXRAY_OK);
    assert_int_equal(out.channel_count, CHANNELS);
    assert_int_equal(out.bin_count, 32);
    for (int c = 0; c < CHANNELS; c++) {
        double sum = 0, squares = 0;
        for (int p = 0; p < SIDE * SIDE; p++) {
            const double x = scale * (value_at(p, c) - zero);
            sum += x;
            squares += x * x;
        }
        const double mean = sum / (SIDE * SIDE);
        assert_true(fabs(out.mean[c] - mean) < tolerance);
        assert_true(fabs(out.variance[c] - (squares / (SIDE * SIDE) - mean * mean)) < tolerance);
    }
    uint32_t all = 0;
    for (int b = 0; b < 32; b++)
        all += out.histogram[b];
    assert_int_equal(all, COUNT);
    assert_true(out.histogram[0] && out.histogram[31]); /* the extremes are in them */
}

static void layouts(void **state)
{
    (void)state;
    static float last[COUNT], first[COUNT];
    for (int p = 0; p < SIDE * SIDE; p++)
        for (int c = 0; c < CHANNELS; c++)
            last[p * CHANNELS + c] = first[c * SIDE * SIDE + p] = value_at(p, c);
    const int64_t nhwc[] = {1, SIDE, SIDE, CHANNELS}, nchw[] = {1, CHANNELS, SIDE, SIDE};
    exray_tensor_info info = {.dtype = EXRAY_DTYPE_FLOAT32, .rank = 4, .shape = nhwc};
    check(&info, last, sizeof last, 1, 0, 1e-4);
    info.shape = nchw;
    info.layout = "NCHW";
    check(&info, first, sizeof first, 1, 0, 1e-4);
}

static void quantized(void **state)
{
    (void)state;
    static uint8_t data[COUNT];
    static const float scale = 0.5f;
    static const int64_t zero = 2, shape[] = {SIDE, SIDE, CHANNELS};
    const exray_tensor_info info = {.dtype = EXRAY_DTYPE_UINT8,
                                    .rank = 3,
                                    .shape = shape,
                                    .layout = "HWC",
                                    .quantization = {1, 0, &scale, &zero}};
    for (int p = 0; p < SIDE * SIDE; p++)
        for (int c = 0; c < CHANNELS; c++)
            data[p * CHANNELS + c] = (uint8_t)value_at(p, c);
    exray_stats stats;
    exray_channel_room room;
    exray_channel_stats out;
    assert_int_equal(exray_stats_compute(&info, data, sizeof data, &stats), EXRAY_OK);
    assert_int_equal(exray_channel_stats_compute(&info, data, sizeof data, &stats, &room, &out), EXRAY_OK);
    double mean = 0;
    for (int c = 0; c < CHANNELS; c++)
        mean += out.mean[c] / CHANNELS;
    assert_true(fabs(mean - stats.mean) < 1e-5);
}

/* What would be the data, or has no moments. */
/* Any number of channels, in pixels or planes whose ends meet no block and no lane. */
static void counts_of_channels(void **state)
{
    enum { MOST_CHANNELS = 13, PIXELS = 331 };
    static uint8_t data[MOST_CHANNELS * PIXELS];
    (void)state;
    for (int channels = 1; channels <= MOST_CHANNELS; channels++)
        for (int in_planes = 0; in_planes < 2; in_planes++) {
            const int64_t shape[] = {in_planes ? channels : PIXELS, in_planes ? PIXELS : channels};
            const exray_tensor_info info = {
                .dtype = EXRAY_DTYPE_UINT8, .rank = 2, .shape = shape, .layout = in_planes ? "CW" : "WC"};
            double sum[MOST_CHANNELS] = {0}, squares[MOST_CHANNELS] = {0};
            uint32_t bins[32] = {0};
            for (int p = 0; p < PIXELS; p++)
                for (int c = 0; c < channels; c++) {
                    const int x = (p * 37 + c * 11) % 256;
                    data[in_planes ? c * PIXELS + p : p * channels + c] = (uint8_t)x;
                    sum[c] += x;
                    squares[c] += (double)x * x;
                    bins[x * 32 / 255 < 32 ? x * 32 / 255 : 31]++;
                }
            exray_stats stats;
            exray_channel_room room;
            exray_channel_stats out;
            const size_t size = (size_t)channels * PIXELS;
            assert_int_equal(exray_stats_compute(&info, data, size, &stats), EXRAY_OK);
            assert_true(stats.min == 0 && stats.max == 255);
            assert_int_equal(exray_channel_stats_compute(&info, data, size, &stats, &room, &out), EXRAY_OK);
            assert_int_equal(out.channel_count, channels);
            for (int c = 0; c < channels; c++) {
                const double mean = sum[c] / PIXELS;
                assert_true(fabs(out.mean[c] - mean) < 1e-4);
                assert_true(fabs(out.variance[c] - (squares[c] / PIXELS - mean * mean)) < 1e-2);
            }
            assert_memory_equal(out.histogram, bins, sizeof bins);
        }
}

static void left_out(void **state)
{
    (void)state;
    static float data[128 * 64];
    static const int64_t short_ones[] = {63, 2}, many[] = {64, 128}, one[] = {64}, constant[] = {64, 2},
                         planes[] = {1, 3, 32, 32}, pixels[] = {1, 32, 32, 4}, rows[] = {2, 4, 32, 4},
                         grey[] = {1, 1, 128, 32};
    const struct {
        const int64_t *shape;
        uint32_t rank;
        const char *layout;
        uint32_t channels;
    } cases[] = {{short_ones, 2, "NC", 0}, {many, 2, "NC", 0},     {many, 2, NULL, 1},
                 {one, 1, NULL, 1},        {constant, 2, "NC", 2}, {planes, 4, NULL, 3}, /* not 32 columns */
                 {pixels, 4, NULL, 4},     {rows, 4, NULL, 4},     {grey, 4, NULL, 32}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const exray_tensor_info info = {.dtype = EXRAY_DTYPE_FLOAT32,
                                        .rank = cases[i].rank,
                                        .shape = cases[i].shape,
                                        .layout = cases[i].layout};
        exray_stats stats;
        exray_channel_room room;
        exray_channel_stats out;
        assert_int_equal(exray_stats_compute(&info, data, sizeof data, &stats), EXRAY_OK);
        assert_int_equal(exray_channel_stats_compute(&info, data, sizeof data, &stats, &room, &out),
                         cases[i].channels ? EXRAY_OK : EXRAY_E_UNSUPPORTED);
        assert_int_equal(out.channel_count, cases[i].channels);
    }
    const exray_tensor_info info = {.dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = one};
    exray_stats stats;
    exray_channel_room room;
    exray_channel_stats out;
    data[3] = NAN;
    assert_int_equal(exray_stats_compute(&info, data, sizeof data, &stats), EXRAY_OK);
    assert_int_equal(exray_channel_stats_compute(&info, data, sizeof data, &stats, &room, &out),
                     EXRAY_E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts),
        cmocka_unit_test(quantized),
        cmocka_unit_test(counts_of_channels),
        cmocka_unit_test(left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
