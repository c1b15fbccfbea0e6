/* Every step on pictures so small that the values are computed by hand. */
#include "pipeline/parse.h"
#include "pipeline/pipeline.h"
#include "pipeline/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Runs `text` on a picture and expects these bytes of a uint8 model [1,h,w,c]. */
static void expect(const char *text, uint32_t width, uint32_t height, uint32_t channels,
                   const uint8_t *pixels, int64_t w, int64_t h, int64_t c, const uint8_t *expected)
{
    exray_error error = {0};
    exray_picture image = {width, height, channels, (uint8_t *)(uintptr_t)pixels, 1};
    const int64_t shape[4] = {1, h, w, c};
    const exray_tensor_info info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 4, .shape = shape};
    size_t size = (size_t)(h * w * c);
    uint8_t out[64];
    assert_true(size <= sizeof out);
    xr_pipeline *pipeline = xr_pipeline_parse(text, strlen(text), "p.yaml", &error);
    if (!pipeline)
        fail_msg("%s", error.message);
    if (xr_pipeline_run_image(pipeline, &image, &info, out, size, &error))
        fail_msg("%s", error.message);
    assert_memory_equal(out, expected, size);
    xr_pipeline_free(pipeline);
}

/*  1 2 3
 *  4 5 6 , grey */
static const uint8_t grid[6] = {1, 2, 3, 4, 5, 6};

static void expect_grid(const char *text, int64_t w, int64_t h, const uint8_t *expected)
{
    expect(text, 3, 2, 1, grid, w, h, 1, expected);
}

static void test_turns_and_flips(void **state)
{
    (void)state;
    expect_grid("", 3, 2, grid);
    expect_grid("image: {rotate: 90}", 2, 3, (const uint8_t[]){3, 6, 2, 5, 1, 4});
    expect_grid("image: {rotate: 180}", 3, 2, (const uint8_t[]){6, 5, 4, 3, 2, 1});
    expect_grid("image: {rotate: 270}", 2, 3, (const uint8_t[]){4, 1, 5, 2, 6, 3});
    expect_grid("image: {flip: horizontal}", 3, 2, (const uint8_t[]){3, 2, 1, 6, 5, 4});
    expect_grid("image: {flip: vertical}", 3, 2, (const uint8_t[]){4, 5, 6, 1, 2, 3});
    /* First turned, then flipped: the order of the plain form. */
    expect_grid("image: {flip: horizontal, rotate: 90}", 2, 3, (const uint8_t[]){6, 3, 5, 2, 4, 1});
}

static void test_orientations(void **state)
{
    /* EXIF's definition: where row 0 and column 0 of the stored picture belong. */
    static const struct {
        int64_t w, h;
        uint8_t upright[6];
    } cases[8] = {
        {3, 2, {1, 2, 3, 4, 5, 6}}, /* 1: top, left */
        {3, 2, {3, 2, 1, 6, 5, 4}}, /* 2: top, right */
        {3, 2, {6, 5, 4, 3, 2, 1}}, /* 3: bottom, right */
        {3, 2, {4, 5, 6, 1, 2, 3}}, /* 4: bottom, left */
        {2, 3, {1, 4, 2, 5, 3, 6}}, /* 5: left, top */
        {2, 3, {4, 1, 5, 2, 6, 3}}, /* 6: right, top */
        {2, 3, {6, 3, 5, 2, 4, 1}}, /* 7: right, bottom */
        {2, 3, {3, 6, 2, 5, 1, 4}}, /* 8: left, bottom */
    };
    exray_error error = {0};
    (void)state;
    xr_pipeline *pipeline = xr_pipeline_parse("", 0, "p.yaml", &error);
    for (unsigned i = 0; i < 8; i++) {
        uint8_t pixels[6], out[6];
        memcpy(pixels, grid, 6);
        const exray_picture image = {3, 2, 1, pixels, i + 1};
        const int64_t shape[4] = {1, cases[i].h, cases[i].w, 1};
        const exray_tensor_info info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 4, .shape = shape};
        assert_int_equal(xr_pipeline_run_image(pipeline, &image, &info, out, 6, &error), EXRAY_OK);
        assert_memory_equal(out, cases[i].upright, 6);
    }
    xr_pipeline_free(pipeline);
}

static void test_crops(void **state)
{
    static const uint8_t big[20] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                    11, 12, 13, 14, 15, 16, 17, 18, 19, 20}; /* 5x4 */
    (void)state;
    expect("image: {crop: center 1}", 5, 4, 1, big, 4, 4, 1,
           (const uint8_t[]){1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19}); /* left 0.5 -> 0 */
    expect("image: {crop: center 0.625}", 5, 4, 1, big, 3, 3, 1, /* 2.5 -> 3; left 1, top 0.5 -> 0 */
           (const uint8_t[]){2, 3, 4, 7, 8, 9, 12, 13, 14});
    expect("image: {crop: center 0.01}", 5, 4, 1, big, 1, 1, 1, (const uint8_t[]){8});
    expect("image: {crop: 3x2}", 5, 4, 1, big, 3, 2, 1, (const uint8_t[]){7, 8, 9, 12, 13, 14});
    expect("image: {crop: 2x4}", 5, 4, 1, big, 2, 4, 1,
           (const uint8_t[]){3, 4, 8, 9, 13, 14, 18, 19}); /* 1.5 -> 2 */
    expect("image: {crop: 4x1}", 5, 4, 1, big, 4, 1, 1,
           (const uint8_t[]){11, 12, 13, 14}); /* 0.5 -> 0, 1.5 -> 2 */
}

static void test_letterbox(void **state)
{
    (void)state;
    expect_grid("image: {crop: letterbox 9, resize: nearest}", 3, 4,
                (const uint8_t[]){9, 9, 9, 1, 2, 3, 4, 5, 6, 9, 9, 9});
    expect_grid("image: {crop: letterbox 9, resize: nearest}", 3, 3,
                (const uint8_t[]){1, 2, 3, 4, 5, 6, 9, 9, 9});
    expect_grid("image: {crop: letterbox, resize: nearest 6x2}", 6, 2,
                (const uint8_t[]){0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 0, 0});
    expect_grid("image: {crop: letterbox 9, resize: nearest 6x4}", 6, 4,
                (const uint8_t[]){1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 4, 4, 5, 5, 6, 6});
}

static void test_letterbox_in_a_corner_and_to_a_multiple(void **state)
{
    (void)state;
    expect_grid("image: {crop: letterbox 9 corner, resize: nearest}", 3, 4,
                (const uint8_t[]){1, 2, 3, 4, 5, 6, 9, 9, 9, 9, 9, 9});
    expect_grid("image: {crop: letterbox corner 7, resize: nearest 6x2}", 6, 2,
                (const uint8_t[]){1, 2, 3, 7, 7, 7, 4, 5, 6, 7, 7, 7});
    /* 6x6 is asked for; the picture is 6x4, which a multiple of 2 holds, one of 5 not: 6x5 within 6x6. */
    expect_grid("image: {crop: letterbox 9 multiple 2, resize: nearest 6x6}", 6, 4,
                (const uint8_t[]){1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 4, 4, 5, 5, 6, 6});
    expect_grid("image: {crop: letterbox 9 multiple 5 corner, resize: nearest 3x5}", 3, 5,
                (const uint8_t[]){1, 2, 3, 4, 5, 6, 9, 9, 9, 9, 9, 9, 9, 9, 9});
}

static void test_pad_behind_normalizing(void **state)
{
    (void)state;
    /* (v - 1) * 10, the ground 77 whatever the normalization is. */
    expect_grid("image: {crop: letterbox corner, resize: nearest, normalize: {mean: 1, std: 0.1}, pad: 77}",
                3, 3, (const uint8_t[]){0, 10, 20, 30, 40, 50, 77, 77, 77});
    expect_grid("image: {crop: letterbox 9, resize: nearest, pad: 3}", 3, 4,
                (const uint8_t[]){3, 3, 3, 1, 2, 3, 4, 5, 6, 3, 3, 3});
    expect_grid("image: {crop: letterbox 9, resize: nearest 6x4, pad: 3}", 6, 4, /* nothing to fill */
                (const uint8_t[]){1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 4, 4, 5, 5, 6, 6});
}

static void test_regions(void **state)
{
    static const uint8_t big[20] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                    11, 12, 13, 14, 15, 16, 17, 18, 19, 20}; /* 5x4 */
    (void)state;
    /* The middle 3x2, as it is; turned by a half and by quarters. */
    expect("image: {region: 0.5 0.5 0.6 0.5, resize: bilinear}", 5, 4, 1, big, 3, 2, 1,
           (const uint8_t[]){7, 8, 9, 12, 13, 14});
    expect("image: {region: 0.5 0.5 0.6 0.5 180, resize: bilinear}", 5, 4, 1, big, 3, 2, 1,
           (const uint8_t[]){14, 13, 12, 9, 8, 7});
    expect("image: {region: 0.5 0.5 0.4 0.5 90, resize: nearest}", 5, 4, 1, big, 2, 2, 1,
           (const uint8_t[]){9, 14, 8, 13});
    /* Beyond the picture there is nothing. */
    expect("image: {steps: [{region: 0 0 0.4 0.5}, {resize: nearest 2x2}]}", 5, 4, 1, big, 2, 2, 1,
           (const uint8_t[]){0, 0, 0, 1});
}

static void test_region_of_the_frame(void **state)
{
    exray_error error = {0};
    uint8_t pixels[6];
    const exray_picture image = {3, 2, 1, memcpy(pixels, grid, 6), 1};
    const int64_t shape[4] = {1, 2, 2, 1};
    const exray_tensor_info info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 4, .shape = shape};
    const char text[] = "image: {region: reading, resize: nearest}";
    uint8_t out[4];
    (void)state;
    xr_pipeline *pipeline = xr_pipeline_parse(text, strlen(text), "p.yaml", &error);
    assert_non_null(pipeline);
    assert_int_equal(xr_pipeline_run_image(pipeline, &image, &info, out, 4, &error), EXRAY_E_ARGUMENT);
    assert_non_null(strstr(error.message, "/reading/region"));
    xr_pipeline_free(pipeline);
}

static void test_resizes_of_two_samples(void **state)
{
    static const uint8_t pair[2] = {0, 200};
    static const struct {
        const char *how;
        uint8_t out[4];
    } cases[] = {
        {"nearest", {0, 0, 200, 200}},                 /* floor(0, .5, 1, 1.5) */
        {"nearest align_corners", {0, 0, 200, 200}},   /* round(0, 1/3, 2/3, 1) */
        {"bilinear", {0, 50, 150, 200}},               /* -.25 .25 .75 1.25 */
        {"bilinear align_corners", {0, 67, 133, 200}}, /* 0 1/3 2/3 1 */
        {"bilinear antialias", {0, 50, 150, 200}},
        {"area", {0, 0, 200, 200}}, /* doubled: each sample twice */
        {"area antialias", {0, 0, 200, 200}},
        /* a = -0.75: at .25 from a sample the four weights are -.10546875, .87890625, .26171875, -.03515625
         */
        {"bicubic", {0, 45, 155, 221}},
        /* a = -0.5, only over the samples that are there: .8671875 and -.0703125, .2265625 and so on */
        {"bicubic antialias", {0, 41, 159, 218}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[96];
        snprintf(text, sizeof text, "image: {resize: %s}", cases[i].how);
        expect(text, 2, 1, 1, pair, 4, 1, 1, cases[i].out);
        expect(text, 1, 2, 1, pair, 1, 4, 1, cases[i].out); /* and down a column */
    }
}

static void test_shrinking(void **state)
{
    static const uint8_t row[4] = {10, 20, 60, 101};
    (void)state;
    expect("image: {resize: nearest}", 4, 1, 1, row, 2, 1, 1, (const uint8_t[]){10, 60});
    expect("image: {resize: bilinear}", 4, 1, 1, row, 2, 1, 1, (const uint8_t[]){15, 81}); /* at .5, 2.5 */
    expect("image: {resize: area}", 4, 1, 1, row, 2, 1, 1, (const uint8_t[]){15, 81});
    expect("image: {resize: area}", 4, 1, 1, row, 3, 1, 1,
           (const uint8_t[]){13, 40, 91}); /* (10+20/3)/(4/3), (20*2+60*2)/4, (60/3+101)/(4/3) */
    expect("image: {resize: area antialias}", 4, 1, 1, row, 2, 1, 1, (const uint8_t[]){15, 81});
    /* A triangle of half-width 2: weights 3, 3, 1 of 7 where the edge cuts it, mirrored. */
    expect("image: {resize: bilinear antialias}", 4, 1, 1, row, 2, 1, 1, (const uint8_t[]){21, 72});
    /* The shorter side, whole numbers cut: 4 * 3 / 2 = 6, 5 * 2 / 3 -> 3 */
    expect("image: {resize: nearest 1}", 4, 1, 1, row, 4, 1, 1, row);
    expect_grid("image: {resize: nearest 4}", 6, 4,
                (const uint8_t[]){1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 4, 4, 5, 5, 6, 6});
}

static void test_channels(void **state)
{
    static const uint8_t pixel[3] = {10, 20, 200};
    (void)state;
    expect("image: {channels: bgr}", 1, 1, 3, pixel, 1, 1, 3, (const uint8_t[]){200, 20, 10});
    expect("image: {channels: gbr}", 1, 1, 3, pixel, 1, 1, 3, (const uint8_t[]){20, 200, 10});
    /* .299 * 10 + .587 * 20 + .114 * 200 = 37.53 */
    expect("image: {channels: gray}", 1, 1, 3, pixel, 1, 1, 1, (const uint8_t[]){38});
    /* The luma does not depend on the order in which the channels lie. */
    expect("image: {steps: [{channels: bgr}, {channels: gray}]}", 1, 1, 3, pixel, 1, 1, 1,
           (const uint8_t[]){38});
    expect("image: {steps: [{channels: bgr}, {channels: bgr}]}", 1, 1, 3, pixel, 1, 1, 3,
           (const uint8_t[]){200, 20, 10});
}

static void test_normalize(void **state)
{
    static const uint8_t pixel[3] = {10, 20, 200};
    (void)state;
    expect("image: {normalize: {mean: [1, 2, 3], std: [2, 4, 0.5]}}", 1, 1, 3, pixel, 1, 1, 3,
           (const uint8_t[]){5, 5, 255}); /* 4.5 -> 5, 4.5 -> 5, 394 -> 255 */
    expect("image: {channels: bgr, normalize: {mean: [1, 2, 3], std: 2}}", 1, 1, 3, pixel, 1, 1, 3,
           (const uint8_t[]){100, 9, 4}); /* 99.5, 9, 3.5 */
}

static void test_run_time_sizes_must_be_named(void **state)
{
    exray_error error = {0};
    uint8_t pixels[6], out[8];
    memcpy(pixels, grid, 6);
    const exray_picture image = {3, 2, 1, pixels, 1};
    const int64_t shape[4] = {-1, -1, -1, 1};
    const exray_tensor_info info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 4, .shape = shape};
    (void)state;
    xr_pipeline *pipeline = xr_pipeline_parse("", 0, "p.yaml", &error);
    exray_status status = xr_pipeline_run_image(pipeline, &image, &info, out, 6, &error);
    assert_non_null(strstr(error.message, "no fixed size"));
    assert_int_equal(status, EXRAY_E_UNSUPPORTED);
    xr_pipeline_free(pipeline);

    const char *text = "image: {resize: nearest 4x2}";
    pipeline = xr_pipeline_parse(text, strlen(text), "p.yaml", &error);
    assert_int_equal(xr_pipeline_run_image(pipeline, &image, &info, out, 6, &error), EXRAY_E_UNSUPPORTED);
    assert_non_null(strstr(error.message, "makes 8 bytes"));
    assert_int_equal(xr_pipeline_run_image(pipeline, &image, &info, out, 8, &error), EXRAY_OK);
    xr_pipeline_free(pipeline);
}

/* The status tells a pipeline that fits no picture from a picture that does not fit. */
static void test_whose_fault_it_is(void **state)
{
    static const struct {
        const char *text;
        exray_status status;
    } cases[] = {
        {"image: {resize: none}", EXRAY_E_ARGUMENT},
        {"image: {resize: nearest 4}", EXRAY_E_ARGUMENT},
        {"image: {crop: 9x9}", EXRAY_E_ARGUMENT},
        {"image: {resize: nearest 9x9}", EXRAY_E_UNSUPPORTED},
        {"image: {crop: 2x2, resize: none}", EXRAY_E_UNSUPPORTED},
        {"image: {channels: rgb}", EXRAY_E_UNSUPPORTED},
    };
    exray_error error = {0};
    uint8_t pixels[6], out[20];
    memcpy(pixels, grid, 6);
    const exray_picture image = {3, 2, 1, pixels, 1};
    const int64_t shape[4] = {1, 4, 5, 1};
    const exray_tensor_info info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 4, .shape = shape};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xr_pipeline *pipeline = xr_pipeline_parse(cases[i].text, strlen(cases[i].text), "p.yaml", &error);
        assert_int_equal(xr_pipeline_run_image(pipeline, &image, &info, out, 20, &error), cases[i].status);
        xr_pipeline_free(pipeline);
    }
}

static void test_bad_quantization(void **state)
{
    exray_error error = {0};
    uint8_t pixels[6], out[6];
    memcpy(pixels, grid, 6);
    const exray_picture image = {3, 2, 1, pixels, 1};
    const int64_t shape[4] = {1, 2, 3, 1};
    const float scales[4] = {0.0f, -1.0f, 1.0f / 0.0f, 1.0f};
    exray_tensor_info info = {.dtype = EXRAY_DTYPE_INT8, .rank = 4, .shape = shape};
    (void)state;
    xr_pipeline *pipeline = xr_pipeline_parse("", 0, "p.yaml", &error);
    for (int i = 0; i < 3; i++) {
        info.quantization = (exray_quantization){.count = 1, .scale = &scales[i]};
        assert_int_equal(xr_pipeline_run_image(pipeline, &image, &info, out, 6, &error), EXRAY_E_FORMAT);
        assert_non_null(strstr(error.message, "scale"));
    }
    info.quantization = (exray_quantization){.count = 3, .scale = scales};
    assert_int_equal(xr_pipeline_run_image(pipeline, &image, &info, out, 6, &error), EXRAY_E_UNSUPPORTED);
    info.quantization = (exray_quantization){.count = 1, .scale = &scales[3]}; /* zero point absent: 0 */
    assert_int_equal(xr_pipeline_run_image(pipeline, &image, &info, out, 6, &error), EXRAY_OK);
    assert_memory_equal(out, grid, 6);
    xr_pipeline_free(pipeline);
}

static void test_store(void **state)
{
    const float values[4] = {-1.5f, 0.25f, 0.3f, 1e9f};
    const float scale = 0.5f;
    const int64_t zero_point = 3;
    exray_error error = {0};
    int8_t out[4];
    const exray_tensor_info info = {.dtype = EXRAY_DTYPE_INT8,
                                    .quantization = {.count = 1, .scale = &scale, .zero_point = &zero_point}};
    (void)state;
    assert_int_equal(xr_target_store(&info, values, 4, out, 4, &error), EXRAY_OK);
    assert_memory_equal(out, ((const int8_t[]){0, 4, 4, 127}), 4); /* -3 + 3, .5 -> 1, .6 -> 1 */
    assert_int_equal(xr_target_store(&info, values, 3, out, 4, &error), EXRAY_E_ARGUMENT);
    assert_int_equal(xr_target_store(&info, values, UINT64_MAX, out, 4, &error), EXRAY_E_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns_and_flips),
        cmocka_unit_test(test_orientations),
        cmocka_unit_test(test_crops),
        cmocka_unit_test(test_letterbox),
        cmocka_unit_test(test_letterbox_in_a_corner_and_to_a_multiple),
        cmocka_unit_test(test_pad_behind_normalizing),
        cmocka_unit_test(test_regions),
        cmocka_unit_test(test_region_of_the_frame),
        cmocka_unit_test(test_resizes_of_two_samples),
        cmocka_unit_test(test_shrinking),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_normalize),
        cmocka_unit_test(test_run_time_sizes_must_be_named),
        cmocka_unit_test(test_whose_fault_it_is),
        cmocka_unit_test(test_bad_quantization),
        cmocka_unit_test(test_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
