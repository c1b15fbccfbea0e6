#include "base/buffer.h"
#include "base/file.h"
#include "base/sort.h"
#include "base/tensor.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- UTF-8 ----------------------------------------------------------------------- */

/* RFC 3629, section 3. */
static size_t encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    static const unsigned lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[size] | code);
    return size;
}

static void every_character_is_decoded(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        char text[4];
        uint32_t found = 0;
        size_t size = encode(code, text);
        bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        assert_int_equal(xr_utf8_decode(text, size, &found), surrogate ? 0 : size);
        assert_int_equal(found, surrogate ? 0xFFFD : code);
        assert_int_equal(xr_utf8_decode(text, size - 1, NULL), 0);
    }
}

static void what_is_no_utf8_is_repaired(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"", ""},
        {"plain \xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "plain \xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"latin-1 \xE4.", "latin-1 ?."},
        {"overlong \xC0\xAF \xE0\x80\xAF", "overlong ?? ???"},
        {"surrogate \xED\xA0\x80", "surrogate ???"},
        {"beyond \xF4\x90\x80\x80 \xF5", "beyond ???? ?"},
        {"cut \xE2\x82", "cut ??"},
        {"alone \x80", "alone ?"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *copy = xr_utf8_copy(pairs[i][0]);
        assert_string_equal(copy, pairs[i][1]);
        free(copy);
    }
}

/* ---- Buffers ---------------------------------------------------------------------- */

static void a_buffer_grows(void **state)
{
    (void)state;
    xr_buffer b = {0};
    for (uint32_t i = 0; i < 10000; i++)
        xr_buffer_add_number(&b, i, 3);
    xr_buffer_add(&b, NULL, 0);
    assert_false(b.failed);
    assert_int_equal(b.size, 30000);
    const uint8_t last[] = {9999 & 0xFF, 9999 >> 8, 0};
    assert_memory_equal(b.data + b.size - 3, last, 3);
    xr_buffer_add(&b, last, SIZE_MAX); /* no machine has that */
    assert_true(b.failed);
    xr_buffer_add(&b, last, 1);
    assert_int_equal(b.size, 30000);
    xr_buffer_free(&b);
    xr_buffer_add(&b, last, 1);
    assert_int_equal(b.size, 1);
    xr_buffer_free(&b);
}

static void an_array_grows(void **state)
{
    (void)state;
    double *item = NULL;
    size_t capacity = 0;
    for (size_t i = 0; i < 1000; i++) {
        double *grown = xr_array_grow(item, i, &capacity, sizeof *item);
        assert_non_null(grown);
        item = grown;
        item[i] = (double)(i * 7919 % 1000);
    }
    assert_true(capacity >= 1000);
    qsort(item, 1000, sizeof *item, xr_by_double);
    for (size_t i = 0; i < 1000; i++)
        assert_true(item[i] == (double)i);
    assert_null(xr_array_grow(item, capacity, &capacity, SIZE_MAX / 8));
    free(item);
}

/* ---- Tensors ----------------------------------------------------------------------- */

static void elements_of_a_shape(void **state)
{
    (void)state;
    const int64_t big = INT64_C(1) << 20;
    const struct {
        int64_t shape[3];
        uint32_t rank;
        bool known;
        uint64_t count;
    } rows[] = {
        {{0}, 0, true, 1},
        {{2, 3, 4}, 3, true, 24},
        {{2, 0, 4}, 3, true, 0},
        {{2, -1, 4}, 3, false, 0},
        {{0, -1}, 2, false, 0},
        {{big, big}, 2, true, (uint64_t)(big * big)},
        {{big, big, 2}, 3, false, 0},
        {{INT64_MAX, INT64_MAX, 0}, 3, true, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const exray_tensor_info info = {.rank = rows[i].rank, .shape = rows[i].shape};
        uint64_t count = 7;
        assert_int_equal(xr_element_count(&info, &count), rows[i].known);
        assert_int_equal(count, rows[i].count);
        assert_int_equal(xr_elements(&info), rows[i].count);
    }
}

/* ---- Files --------------------------------------------------------------------------- */

static void files_are_read(void **state)
{
    (void)state;
    const char *path = EXRAY_TEST_DIR "/test_base.bytes";
    char begin[4];
    size_t size = 0;
    exray_error error;
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fputs("some bytes", out);
    fclose(out);
    char *text = xr_file_read(path, 10, &size, &error);
    assert_int_equal(size, 10);
    assert_string_equal(text, "some bytes");
    free(text);
    assert_null(xr_file_read(path, 9, &size, &error));
    assert_int_equal(error.status, EXRAY_E_LIMIT);
    assert_int_equal(xr_file_begin(path, begin, sizeof begin), 4);
    assert_memory_equal(begin, "some", 4);
    assert_int_equal(xr_file_begin(EXRAY_TEST_DIR, begin, sizeof begin), 0);
    remove(path);
    assert_int_equal(xr_file_begin(path, begin, sizeof begin), 0);
    assert_null(xr_file_read(path, 9, &size, &error));
    assert_int_equal(error.status, EXRAY_E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_decoded),
        cmocka_unit_test(what_is_no_utf8_is_repaired),
        cmocka_unit_test(a_buffer_grows),
        cmocka_unit_test(an_array_grows),
        cmocka_unit_test(elements_of_a_shape),
        cmocka_unit_test(files_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
