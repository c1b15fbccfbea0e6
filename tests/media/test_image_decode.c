/* Pictures from memory: raw formats, and files that are damaged, bit by bit. */
#include "media/decode.h"
#include "media/decoders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A file of the fuzzers' corpus. */
static uint8_t *read_seed(const char *name, size_t *size)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/fuzz/corpus/image/%s", EXRAY_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    uint8_t *data = malloc(4096);
    assert_non_null(data);
    *size = fread(data, 1, 4096, file);
    fclose(file);
    return data;
}

static const char *const seeds[] = {"rgb.png",  "palette.png", "grey16_interlaced.png", "la.png",
                                    "exif.jpg", "cmyk.jpg",    "grey_progressive.jpg"};

static void expect_pixels(const exray_media *media, const void *data, size_t size, uint32_t width,
                          uint32_t height, uint32_t channels, const uint8_t *expected)
{
    exray_picture image;
    exray_error error = {0};
    if (xr_picture_decode(media, data, size, &image, &error))
        fail_msg("%s", error.message);
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, height);
    assert_int_equal(image.channels, channels);
    assert_memory_equal(image.pixels, expected, (size_t)width * height * channels);
    xr_picture_clear(&image);
    assert_null(image.pixels);
}

static void test_png_values(void **state)
{
    size_t size;
    uint8_t *data = read_seed("rgb.png", &size);
    (void)state;
    expect_pixels(NULL, data, size, 2, 2, 3, (const uint8_t[]){255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7});
    free(data);
    data = read_seed("palette.png", &size); /* entries 0 1 2 3, then 3 2 1 0 */
    expect_pixels(NULL, data, size, 4, 2, 3, (const uint8_t[]){0, 1,  2,  3, 4, 5, 6, 7, 8, 9, 10, 11,
                                                               9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1,  2});
    free(data);
    data = read_seed("grey16_interlaced.png", &size);
    expect_pixels(NULL, data, size, 1, 1, 1, (const uint8_t[]){1}); /* 0x0102 */
    free(data);
}

static void test_orientation_of_files(void **state)
{
    static const struct {
        const char *name;
        unsigned orientation;
    } cases[] = {{"exif.jpg", 6}, {"la.png", 6}, {"cmyk.jpg", 1}, {"rgb.png", 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size;
        uint8_t *data = read_seed(cases[i].name, &size);
        exray_picture image;
        exray_error error = {0};
        assert_int_equal(xr_picture_decode(NULL, data, size, &image, &error), EXRAY_OK);
        assert_int_equal(image.orientation, cases[i].orientation);
        xr_picture_clear(&image);
        /* What the recorder says goes before what the file says. */
        const exray_media media = {.format = "jpeg", .rotation = 180};
        assert_int_equal(xr_picture_decode(&media, data, size, &image, &error), EXRAY_OK);
        assert_int_equal(image.orientation, 3);
        xr_picture_clear(&image);
        free(data);
    }
}

/* EXIF blocks of one directory, written by hand: what they say, at the end of memory. */
static void test_orientation_of_exif_blocks(void **state)
{
#define BIG         "MM\0\x2a\0\0\0\x08"
#define LITTLE      "II\x2a\0\x08\0\0\0"
#define BLOCK(text) text, sizeof text - 1
    static const struct {
        const char *bytes;
        size_t size;
        unsigned orientation;
    } cases[] = {
        {BLOCK(BIG "\0\1"
                   "\x01\x12\0\3\0\0\0\1\0\6\0\0"),
         6},
        {BLOCK("Exif\0\0" BIG "\0\1"
               "\x01\x12\0\3\0\0\0\1\0\6\0\0"),
         6},
        {BLOCK("Exif\0\0" LITTLE "\1\0"
               "\x12\x01\3\0\1\0\0\0\x08\0\0\0"),
         8},
        /* Behind another entry; of two values; of three, which lie elsewhere. */
        {BLOCK(LITTLE "\2\0"
                      "\x0f\x01\2\0\1\0\0\0\3\0\0\0"
                      "\x12\x01\3\0\1\0\0\0\5\0\0\0"),
         5},
        {BLOCK(LITTLE "\1\0"
                      "\x12\x01\3\0\2\0\0\0\3\0\7\0"),
         3},
        {BLOCK(BIG "\0\1"
                   "\x01\x12\0\3\0\0\0\3\0\0\0\x16"
                   "\0\4\0\2\0\2"),
         4},
        /* No orientation; of another type; no value; none that there is. */
        {BLOCK(BIG "\0\1"
                   "\x01\x0f\0\3\0\0\0\1\0\6\0\0"),
         1},
        {BLOCK(BIG "\0\1"
                   "\x01\x12\0\4\0\0\0\1\0\0\0\6"),
         1},
        {BLOCK(BIG "\0\1"
                   "\x01\x12\0\3\0\0\0\0\0\6\0\0"),
         1},
        {BLOCK(BIG "\0\1"
                   "\x01\x12\0\3\0\0\0\1\0\x09\0\0"),
         1},
        {BLOCK(BIG "\0\1"
                   "\x01\x12\0\3\0\0\0\1\0\0\0\0"),
         1},
        /* Places, numbers and directories beyond the end; no TIFF. */
        {BLOCK(BIG "\0\1"
                   "\x01\x12\0\3\0\0\0\3\0\0\0\x17"
                   "\0\4\0\2\0\2"),
         1},
        {BLOCK(BIG "\0\1"
                   "\x01\x12\0\3\0\0\0\3\xff\xff\xff\xff"),
         1},
        {BLOCK(BIG "\0\1"
                   "\x01\x12\0\3\xff\xff\xff\xff\0\0\0\x0a"),
         1},
        {BLOCK(BIG "\xff\xff"
                   "\x01\x0f\0\3\0\0\0\1\0\6\0\0"),
         1},
        {BLOCK("MM\0\x2a\xff\xff\xff\xff"), 1},
        {BLOCK("MM\0\x2b\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0"), 1},
        {BLOCK("Exif\0\0"), 1},
        {BLOCK(""), 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t size = 0; size <= cases[i].size; size++) {
            uint8_t *bytes = malloc(size + 1);
            assert_non_null(bytes);
            uint8_t *end = bytes + 1; /* of no bytes malloc may return NULL */
            memcpy(end, cases[i].bytes, size);
            const unsigned found = xr_exif_orientation(end, size);
            assert_true(size == cases[i].size ? found == cases[i].orientation
                                              : found == 1 || found == cases[i].orientation);
            free(bytes);
        }
    }
}

static void test_every_truncation_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        size_t size;
        uint8_t *data = read_seed(seeds[i], &size);
        bool is_png = strstr(seeds[i], ".png");
        /* A JPEG without its last two bytes, the end marker, is cut too. */
        for (size_t cut = 0; cut < size; cut++) {
            exray_picture image;
            exray_error error = {0};
            uint8_t *part = malloc(cut ? cut : 1); /* exact, so that a sanitizer sees a byte too many */
            assert_non_null(part);
            memcpy(part, data, cut);
            if (!xr_picture_decode(NULL, part, cut, &image, &error))
                fail_msg("%s cut to %zu of %zu bytes was decoded", seeds[i], cut, size);
            assert_null(image.pixels);
            assert_true(*error.message && !strchr(error.message, '\n'));
            if (is_png && cut >= 8)
                assert_non_null(strstr(error.message, "the PNG ends early"));
            free(part);
        }
        free(data);
    }
}

static void test_flipped_bits(void **state)
{
    unsigned refused = 0, taken = 0;
    (void)state;
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        size_t size;
        uint8_t *data = read_seed(seeds[i], &size);
        for (size_t bit = 0; bit < size * 8; bit++) {
            exray_picture image;
            exray_error error = {0};
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            exray_status status = xr_picture_decode(NULL, data, size, &image, &error);
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (status) {
                assert_true(*error.message && !strchr(error.message, '\n'));
                assert_null(image.pixels);
                refused++;
            } else {
                assert_non_null(image.pixels);
                taken++;
                xr_picture_clear(&image);
            }
        }
        free(data);
    }
    assert_true(refused > 1000 && taken > 100); /* both ways were walked */
}

static void test_nv12_by_hand(void **state)
{
    /* Limited range BT.601, grey: Y 16 -> 0, 235 -> 255, 126 -> round(110 * 255 / 219) = 128. */
    static const uint8_t grey[6] = {16, 235, 126, 0, 128, 128};
    static const uint8_t expected[12] = {0, 0, 0, 255, 255, 255, 128, 128, 128, 0, 0, 0};
    const exray_media media = {.format = "nv12", .width = 2, .height = 2};
    (void)state;
    expect_pixels(&media, grey, 6, 2, 2, 3, expected);

    /* Full range: R = Y + 1.402 V, G = Y - .344136 U - .714136 V, B = Y + 1.772 U */
    static const uint8_t coloured[3] = {100, 128 + 50, 128 - 20};
    const exray_media full = {.format = "nv12", .width = 1, .height = 1, .full_range = true};
    expect_pixels(&full, coloured, 3, 1, 1, 3, (const uint8_t[]){72, 97, 189}); /* 71.96 97.08 188.6 */
    const exray_media swapped = {.format = "nv21", .width = 1, .height = 1, .full_range = true};
    expect_pixels(&swapped, coloured, 3, 1, 1, 3, (const uint8_t[]){170, 71, 65}); /* 170.1 71.18 64.56 */
}

static void test_strides(void **state)
{
    static const uint8_t rows[] = {1, 2, 3, 4, 5, 6, 99, 99, 7, 8, 9, 10, 11, 12};
    exray_media media = {.format = "bgr8", .width = 2, .height = 2, .row_stride = 8};
    exray_error error = {0};
    exray_picture image;
    (void)state;
    expect_pixels(&media, rows, sizeof rows, 2, 2, 3,
                  (const uint8_t[]){3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10});
    assert_int_equal(xr_picture_decode(&media, rows, sizeof rows - 1, &image, &error), EXRAY_E_FORMAT);
    assert_non_null(strstr(error.message, "needs 14 bytes, the record has 13"));
    media.row_stride = 5;
    assert_int_equal(xr_picture_decode(&media, rows, sizeof rows, &image, &error), EXRAY_E_FORMAT);
    assert_non_null(strstr(error.message, "row_stride"));
}

static void test_nothing_at_all(void **state)
{
    exray_error error = {0};
    exray_picture image;
    const exray_media media = {.format = "rgb8", .width = 1, .height = 1};
    (void)state;
    assert_int_equal(xr_picture_decode(NULL, NULL, 0, &image, &error), EXRAY_E_FORMAT);
    assert_int_equal(xr_picture_decode(&media, NULL, 0, &image, &error), EXRAY_E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_png_values),
        cmocka_unit_test(test_orientation_of_files),
        cmocka_unit_test(test_orientation_of_exif_blocks),
        cmocka_unit_test(test_every_truncation_is_an_error),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_nv12_by_hand),
        cmocka_unit_test(test_strides),
        cmocka_unit_test(test_nothing_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
