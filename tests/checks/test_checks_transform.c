/* The steps of a transform, as functions of pictures: each undone, or against what it must give. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checks/input/search/transform.h"

/* A raster whose values are all different. */
static xr_raster numbered(size_t width, size_t height, size_t channels)
{
    xr_raster r;
    assert_true(xr_raster_make(&r, width, height, channels));
    for (size_t i = 0; i < width * height * channels; i++)
        r.v[i] = (float)(i * 7 % 251);
    return r;
}

static bool equal(const xr_raster *a, const xr_raster *b)
{
    return a->width == b->width && a->height == b->height && a->channels == b->channels &&
           memcmp(a->v, b->v, a->width * a->height * a->channels * sizeof *a->v) == 0;
}

static void test_orientations_are_undone(void **state)
{
    (void)state;
    for (xr_orientation o = 0; o < XR_ORIENTATIONS; o++) {
        xr_raster r = numbered(5, 3, 2), turned, back;
        assert_true(xr_raster_orient(&r, o, &turned));
        assert_int_equal(turned.width, o & 4 ? 3 : 5);
        assert_true(xr_raster_orient(&turned, xr_orientation_inverse(o), &back));
        assert_true(equal(&r, &back));
        for (xr_orientation p = 0; p < XR_ORIENTATIONS; p++) {
            xr_raster twice, once;
            assert_true(xr_raster_orient(&turned, p, &twice));
            assert_true(xr_raster_orient(&r, xr_orientation_compose(p, o), &once));
            assert_true(equal(&twice, &once));
            xr_raster_free(&twice);
            xr_raster_free(&once);
        }
        xr_raster_free(&r);
        xr_raster_free(&turned);
        xr_raster_free(&back);
    }
}

/* In its words: quarter turns counterclockwise, then a flip. */
static void test_parts_of_an_orientation(void **state)
{
    (void)state;
    for (xr_orientation o = 0; o < XR_ORIENTATIONS; o++) {
        xr_raster r = numbered(3, 3, 1), expected;
        unsigned turns;
        bool horizontal, vertical;
        xr_orientation_parts(o, &turns, &horizontal, &vertical);
        assert_true(xr_raster_orient(&r, o, &expected));
        for (size_t y = 0; y < 3; y++)
            for (size_t x = 0; x < 3; x++) {
                size_t sx = horizontal ? 2 - x : x, sy = vertical ? 2 - y : y;
                for (unsigned t = 0; t < turns; t++) {
                    size_t before = sx;
                    sx = 2 - sy;
                    sy = before;
                }
                assert_true(expected.v[y * 3 + x] == r.v[sy * 3 + sx]);
            }
        xr_raster_free(&r);
        xr_raster_free(&expected);
    }
}

static void test_sign_wrap_is_undone(void **state)
{
    (void)state;
    xr_raster r = numbered(16, 16, 1), wrapped;
    /* Bytes with the sign bit flipped: half of the range up, or down. */
    xr_sign_wrap wrap = {.set = true, .stored = true, .middle = {127.5F}, .up = 128, .down = {128}};
    assert_true(xr_raster_copy(&r, &wrapped));
    for (size_t i = 0; i < 256; i++)
        wrapped.v[i] = (float)((uint8_t)r.v[i] ^ 0x80);
    xr_undo_sign_wrap(&wrap, &wrapped);
    assert_true(equal(&r, &wrapped));
    xr_raster_free(&r);
    xr_raster_free(&wrapped);
}

static size_t source_of(const xr_reading *r, size_t i)
{
    return xr_reading_source(r, 4, 6, i);
}

/* Rows of 6 items, four of them. */
static void test_readings(void **state)
{
    (void)state;
    /* Written with 2 of padding, read as packed: row 1 begins 2 pixels early. */
    xr_reading written = xr_reading_of_pixels(XR_WRITTEN_AT_STEP, false, 6, 2);
    assert_int_equal(source_of(&written, 5), 5);
    assert_true(source_of(&written, 6) == SIZE_MAX); /* the padding of row 0 */
    assert_int_equal(source_of(&written, 8), 6);
    /* Packed rows read as if they were 2 longer: row 1 begins 2 pixels late. */
    xr_reading read = xr_reading_of_pixels(XR_READ_AT_STEP, false, 6, 2);
    assert_int_equal(source_of(&read, 6), 8);
    assert_true(source_of(&read, 18) == SIZE_MAX); /* beyond the end */
    /* Rows written over each other: only the first 2 of each are left, the last row is whole. */
    xr_reading over = {.set = true, .kind = XR_WRITTEN_AT_STEP, .step = 2};
    assert_int_equal(source_of(&over, 1), 1);
    assert_int_equal(source_of(&over, 3), 7);
    assert_int_equal(source_of(&over, 11), 23);
    assert_true(source_of(&over, 12) == SIZE_MAX);
    /* Rows filled in part, a buffer filled in part, one that begins elsewhere. */
    xr_reading part = {.set = true, .kind = XR_WRITTEN_AT_STEP, .step = 6, .length = 4};
    assert_int_equal(source_of(&part, 9), 9);
    assert_true(source_of(&part, 10) == SIZE_MAX);
    xr_reading front = {.set = true, .kind = XR_READ_AT_STEP, .step = 6, .limit = 7};
    assert_int_equal(source_of(&front, 6), 6);
    assert_true(source_of(&front, 7) == SIZE_MAX);
    xr_reading later = {.set = true, .kind = XR_READ_AT_STEP, .step = 6, .offset = -5};
    assert_true(source_of(&later, 4) == SIZE_MAX);
    assert_int_equal(source_of(&later, 5), 0);
}

static void test_readings_of_rasters(void **state)
{
    (void)state;
    xr_raster r = numbered(6, 4, 3), out;
    xr_reading read = xr_reading_of_pixels(XR_READ_AT_STEP, false, 6, 2);
    assert_true(xr_reading_raster(&read, &r, &out));
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < 24; i++) {
            size_t from = xr_reading_source(&read, 4, 6, i);
            if (from == SIZE_MAX)
                assert_true(isnan(out.v[c * 24 + i]));
            else
                assert_true(out.v[c * 24 + i] == r.v[c * 24 + from]);
        }
    xr_raster_free(&out);
    /* The single values of interleaved memory, moved by one: red shows blue of the pixel before. */
    xr_reading moved = {
        .set = true, .kind = XR_READ_AT_STEP, .items = XR_ITEMS_INTERLEAVED, .step = 18, .offset = -1};
    assert_true(xr_reading_raster(&moved, &r, &out));
    assert_true(isnan(out.v[0]));
    assert_true(out.v[1] == r.v[2 * 24 + 0] && out.v[24 + 0] == r.v[0] && out.v[24 + 7] == r.v[7]);
    xr_raster_free(&out);
    /* Filled column by column. */
    xr_reading columns = {.set = true, .kind = XR_READ_COLUMNS};
    assert_true(xr_reading_raster(&columns, &r, &out));
    assert_true(out.v[1] == r.v[6] && out.v[4] == r.v[1] && out.v[23] == r.v[23]);
    xr_raster_free(&out);
    /* Exchanged sides: the same memory. */
    xr_reading exchanged = {.set = true, .kind = XR_READ_EXCHANGED};
    assert_true(xr_reading_raster(&exchanged, &r, &out));
    assert_true(out.width == 4 && out.height == 6 && out.v[5] == r.v[5] && out.v[71] == r.v[71]);
    xr_raster_free(&r);
    xr_raster_free(&out);
}

static exray_picture *picture_of(uint32_t width, uint32_t height)
{
    uint8_t *bytes = malloc((size_t)width * height * 3);
    assert_non_null(bytes);
    for (size_t i = 0; i < (size_t)width * height * 3; i++)
        bytes[i] = (uint8_t)(i * 13);
    exray_error error;
    exray_picture *picture = exray_picture_new(width, height, 3, bytes, &error);
    free(bytes);
    assert_non_null(picture);
    return picture;
}

/* A picture and a raster of it are changed alike. */
static void test_strides_of_pictures(void **state)
{
    (void)state;
    xr_reading stride = xr_reading_of_pixels(XR_READ_AT_STEP, true, 9, -1);
    exray_picture *picture = picture_of(9, 7), *changed = xr_reading_picture(&stride, picture);
    xr_raster r, expected, out;
    assert_non_null(changed);
    if (!xr_raster_of_picture(&r, picture, 3) || !xr_raster_of_picture(&out, changed, 3) ||
        !xr_reading_raster(&stride, &r, &expected))
        abort();
    for (size_t i = 0; i < 9 * 7 * 3; i++)
        assert_true(out.v[i] == (isnan(expected.v[i]) ? 0 : expected.v[i]));
    exray_picture_free(picture);
    exray_picture_free(changed);
    xr_raster_free(&r);
    xr_raster_free(&expected);
    xr_raster_free(&out);
}

static void test_gamma_of_pictures(void **state)
{
    (void)state;
    const xr_color_transform one = {.kind = XR_COLOR_GAMMA, .gamma = 1},
                             gamma = {.kind = XR_COLOR_GAMMA, .gamma = 2.2};
    exray_picture *picture = picture_of(16, 16), *same = xr_color_picture(&one, picture),
                  *darker = xr_color_picture(&gamma, picture);
    const uint8_t *a = exray_picture_pixels(picture), *b = exray_picture_pixels(darker);
    assert_memory_equal(a, exray_picture_pixels(same), 16 * 16 * 3);
    for (size_t i = 0; i < 16 * 16 * 3; i++)
        assert_int_equal(b[i], (int)floor(255 * pow(a[i] / 255.0, 2.2) + 0.5));
    exray_picture_free(picture);
    exray_picture_free(same);
    exray_picture_free(darker);
}

static void test_crops(void **state)
{
    (void)state;
    const xr_part whole = {0, 1, 0, 1}, right = {0.5, 1, 0, 1}, beyond = {-1, 1, 0, 1};
    xr_raster r = numbered(8, 4, 2), out;
    assert_true(xr_crop_raster(&r, &whole, 0, 8, 4, &out));
    assert_true(equal(&r, &out));
    xr_raster_free(&out);
    assert_true(xr_crop_raster(&r, &right, 0, 4, 4, &out));
    for (size_t y = 0; y < 4; y++)
        for (size_t x = 0; x < 4; x++)
            assert_true(out.v[y * 4 + x] == r.v[y * 8 + x + 4]);
    xr_raster_free(&out);
    assert_true(xr_crop_raster(&r, &beyond, 0, 8, 4, &out));
    assert_true(isnan(out.v[0]) && isfinite(out.v[7]));
    xr_raster_free(&out);
    xr_raster_free(&r);
}

/* In the unit of a normalized model input. */
static const xr_pixel_unit unit = {
    .from = {2, 1, 0}, .gain = {1 / 127.5, 1 / 127.5, 1 / 127.5}, .offset = {-1, -1, -1}};

static xr_raster normalized(void)
{
    xr_raster r = numbered(8, 8, 3);
    for (size_t i = 0; i < 8 * 8 * 3; i++)
        r.v[i] = r.v[i] / 127.5F - 1;
    return r;
}

static void test_colors(void **state)
{
    (void)state;
    xr_color_transform gamma = {.kind = XR_COLOR_GAMMA, .gamma = 2.2}, back = gamma,
                       swap = {.kind = XR_COLOR_MATRIX, .matrix = {{0, 0, 1, 0}, {0, 1, 0, 0}, {1, 0, 0, 0}}};
    xr_raster r = normalized(), out;
    back.gamma = 1 / 2.2;
    assert_true(xr_raster_copy(&r, &out));
    xr_apply_color(&(xr_color_transform){.kind = XR_COLOR_NONE}, &unit, &out);
    assert_true(equal(&r, &out));
    xr_apply_color(&gamma, &unit, &out);
    assert_false(equal(&r, &out));
    xr_apply_color(&back, &unit, &out);
    for (size_t i = 0; i < 8 * 8 * 3; i++)
        assert_true(fabs((double)out.v[i] - (double)r.v[i]) < 1e-4);
    xr_apply_color(&swap, &unit, &out);
    for (size_t i = 0; i < 64; i++)
        assert_true(fabs((double)out.v[i] - (double)r.v[128 + i]) < 1e-4);
    xr_raster_free(&r);
    xr_raster_free(&out);
}

static void test_value_maps(void **state)
{
    (void)state;
    xr_value_map map = {.scale = 1 / 128.0, .zero = 0, .least = -128};
    const xr_pixel_unit plain = {.from = {0, 1, 2}, .gain = {1 / 127.5, 1, 1}, .offset = {-1, 0, 0}};
    assert_true(xr_mapped_value(&map, &plain, 0.5, 0) == 0.5);
    assert_true(xr_mapped_value(&map, &plain, 5, 0) == 127 / 128.0); /* clipped */
    map.kind = XR_VALUES_QUANTIZED_TWICE;
    assert_true(xr_mapped_value(&map, &plain, 0.25, 0) == 127 / 128.0 &&
                xr_mapped_value(&map, &plain, 0, 0) == 0);
    map.kind = XR_VALUES_ROUNDED;
    assert_true(xr_mapped_value(&map, &plain, 0.75, 0) == 1 / 128.0);
    map.kind = XR_VALUES_TRUNCATED;
    assert_true(xr_mapped_value(&map, &plain, 0.75, 0) == 0);
    map.kind = XR_VALUES_OTHER_CONVENTION; /* 0..255 where [-1, 1] belongs */
    map.std[0] = map.std[1] = map.std[2] = 1;
    assert_true(xr_mapped_value(&map, &plain, -1, 0) == 0 &&
                xr_mapped_value(&map, &plain, 1, 0) == 127 / 128.0);
}

/* Where a step of the map is within the slack, the edge may be on either side of it. */
static void test_value_maps_near_the_edge(void **state)
{
    (void)state;
    const xr_value_map map = {.kind = XR_VALUES_ROUNDED, .scale = 1, .zero = 0, .least = -128};
    xr_raster reference, edge;
    if (!xr_raster_make(&reference, 3, 1, 1) || !xr_raster_make(&edge, 3, 1, 1))
        abort();
    reference.v[0] = 0.45F, edge.v[0] = 1;
    reference.v[1] = 0.2F, edge.v[1] = 1;
    reference.v[2] = 0.55F, edge.v[2] = 0;
    xr_apply_value_map_near(&map, &unit, 0.1, &reference, &edge);
    assert_true(reference.v[0] == 1 && reference.v[1] == 0 && reference.v[2] == 0);
    xr_raster_free(&reference);
    xr_raster_free(&edge);
}

static void test_frames(void **state)
{
    (void)state;
    xr_transform t = xr_transform_none(3);
    assert_int_equal(xr_source_frame(&t, 2), 2);
    t.order.source_frame = calloc(3, sizeof *t.order.source_frame);
    assert_non_null(t.order.source_frame);
    t.order.source_frame[2] = 1;
    assert_int_equal(xr_source_frame(&t, 2), 1);
    xr_transform_free(&t);
    assert_null(t.order.source_frame);
}

/* The part that a geometry shows, and the picture that it renders, are the same. */
static void test_geometry(void **state)
{
    (void)state;
    xr_geometry center = {.kind = XR_SQUARE, .fx = 0.5, .fy = 0.5, .ax = 0.5, .ay = 0.5};
    xr_part part = xr_geometry_part(&center, 200, 100, 50, 50);
    assert_true(fabs(part.x0 - 0.375) < 1e-12 && fabs(part.x1 - 0.625) < 1e-12);
    assert_true(fabs(part.y0 - 0.25) < 1e-12 && fabs(part.y1 - 0.75) < 1e-12);
    xr_geometry letterbox = {.kind = XR_LETTERBOX, .fx = 1, .fy = 1, .ax = 0.5, .ay = 0.5};
    part = xr_geometry_part(&letterbox, 200, 100, 50, 50);
    assert_true(part.x0 == 0 && part.x1 == 1 && fabs(part.y0 + 0.5) < 1e-12 && fabs(part.y1 - 1.5) < 1e-12);
    xr_geometry moved = center;
    moved.dx = 4;
    assert_true(xr_same_geometry(&center, &center, 200, 100, 50));
    assert_false(xr_same_geometry(&center, &moved, 200, 100, 50));
    assert_false(xr_geometry_equal(&center, &moved));
}

static void converts(const xr_color_transform *t, const double in[3], double a, double b, double c)
{
    double out[3];
    xr_convert_pixel(t, in, out);
    assert_true(fabs(out[0] - a) < 0.6 && fabs(out[1] - b) < 0.6 && fabs(out[2] - c) < 0.6);
}

/* Values by Pillow 13 (HSV) and OpenCV 5 (the others). */
static void test_color_spaces(void **state)
{
    (void)state;
    const double pixel[3] = {200, 100, 50}, blue[3] = {10, 20, 250};
    xr_color_transform t = {.kind = XR_COLOR_CODED, .code = XR_CODE_HSV};
    converts(&t, pixel, 14.17, 191.25, 200);
    t.code = XR_CODE_HSV_180;
    converts(&t, pixel, 10, 191.25, 200);
    converts(&t, blue, 118.75, 244.8, 250);
    t.code = XR_CODE_HLS;
    converts(&t, pixel, 10, 125, 153);
    t.code = XR_CODE_LAB;
    converts(&t, pixel, 137, 164, 173);
    converts(&t, blue, 84, 203, 24);
    xr_color_transform swapped = {.kind = XR_COLOR_SWAPPED};
    /* 200, 100, 50: 25, 25, 6 of 5, 6 and 5 bits, 0xCB26; swapped 0x26CB: 4, 54, 11. */
    converts(&swapped, pixel, 33, 219, 90);
    xr_color_transform coarse = {.kind = XR_COLOR_COARSE, .bits = {5, 6, 5}};
    converts(&coarse, pixel, 206, 101, 49);
    xr_color_transform channels = {.kind = XR_COLOR_CHANNELS, .channel = {1, 0, 3}, .constant = 255};
    converts(&channels, pixel, 100, 200, 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orientations_are_undone),
        cmocka_unit_test(test_parts_of_an_orientation),
        cmocka_unit_test(test_sign_wrap_is_undone),
        cmocka_unit_test(test_readings),
        cmocka_unit_test(test_readings_of_rasters),
        cmocka_unit_test(test_strides_of_pictures),
        cmocka_unit_test(test_color_spaces),
        cmocka_unit_test(test_gamma_of_pictures),
        cmocka_unit_test(test_crops),
        cmocka_unit_test(test_colors),
        cmocka_unit_test(test_value_maps),
        cmocka_unit_test(test_value_maps_near_the_edge),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_geometry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
