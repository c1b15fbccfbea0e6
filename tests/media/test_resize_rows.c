/* exray_picture_resize_rows: the same bytes as those rows of the whole resize. */
#include <exray/picture.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 37, HEIGHT = 53 };

static exray_picture *make_picture(uint32_t channels)
{
    static uint8_t pixels[WIDTH * HEIGHT * 3];
    uint32_t random = 7;
    exray_error error;
    for (size_t i = 0; i < sizeof pixels; i++) {
        random = random * 1664525U + 1013904223U;
        pixels[i] = (uint8_t)(random >> 24);
    }
    exray_picture *picture = exray_picture_new(WIDTH, HEIGHT, channels, pixels, &error);
    assert_non_null(picture);
    return picture;
}

/* Neighbors, a gap, the first and the last. */
static uint32_t choose(uint32_t height, uint32_t rows[5])
{
    const uint32_t wanted[5] = {0, 1, height / 2, height / 2 + 1, height - 1};
    uint32_t count = 0;
    for (size_t i = 0; i < 5; i++)
        if (wanted[i] < height && (count == 0 || rows[count - 1] < wanted[i]))
            rows[count++] = wanted[i];
    return count;
}

static void expect_same_rows(const exray_picture *picture, const exray_rectangle *part, exray_filter filter,
                             exray_sampling sampling, uint32_t width, uint32_t height)
{
    exray_error error;
    uint32_t rows[5], count = choose(height, rows);
    size_t row = (size_t)width * exray_picture_channels(picture);
    exray_picture *whole = exray_picture_resize(picture, part, filter, sampling, width, height, &error);
    exray_picture *some =
        exray_picture_resize_rows(picture, part, filter, sampling, width, height, rows, count, &error);
    assert_true((whole != NULL) == (some != NULL)); /* not every filter has every sampling */
    if (some) {
        assert_int_equal(exray_picture_width(some), width);
        assert_int_equal(exray_picture_height(some), count);
        for (uint32_t i = 0; i < count; i++)
            assert_memory_equal(exray_picture_pixels(some) + i * row,
                                exray_picture_pixels(whole) + rows[i] * row, row);
    }
    exray_picture_free(whole);
    exray_picture_free(some);
}

static void test_all_filters_and_sizes(void **state)
{
    static const uint32_t sizes[][2] = {{37, 53}, {16, 16}, {36, 9}, {80, 100}, {1, 1}, {20, 90}, {31, 41}};
    static const exray_rectangle part = {3, 5, 31, 41};
    (void)state;
    for (uint32_t channels = 1; channels <= 3; channels += 2) {
        exray_picture *picture = make_picture(channels);
        for (unsigned filter = 0; filter <= EXRAY_FILTER_HAMMING; filter++)
            for (unsigned sampling = 0; sampling <= EXRAY_SAMPLING_SUMMED; sampling++)
                for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                    expect_same_rows(picture, NULL, (exray_filter)filter, (exray_sampling)sampling,
                                     sizes[i][0], sizes[i][1]);
                    expect_same_rows(picture, &part, (exray_filter)filter, (exray_sampling)sampling,
                                     sizes[i][0], sizes[i][1]);
                }
        exray_picture_free(picture);
    }
}

static void expect_refused(const uint32_t *rows, uint32_t count)
{
    exray_picture *picture = make_picture(3);
    exray_error error = {0};
    assert_null(exray_picture_resize_rows(picture, NULL, EXRAY_FILTER_BILINEAR, EXRAY_SAMPLING_HALF_PIXEL, 8,
                                          8, rows, count, &error));
    assert_int_equal(error.status, EXRAY_E_ARGUMENT);
    assert_non_null(strstr(error.message, "rows"));
    exray_picture_free(picture);
}

static void test_wrong_rows(void **state)
{
    (void)state;
    expect_refused((const uint32_t[]){0}, 0);
    expect_refused((const uint32_t[]){8}, 1);
    expect_refused((const uint32_t[]){2, 2}, 2);
    expect_refused((const uint32_t[]){3, 1}, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_filters_and_sizes),
        cmocka_unit_test(test_wrong_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
