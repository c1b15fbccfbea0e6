/* JSON as it is read, and what is answered to text that is none. */
#include "base/json_reader.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static xr_json_reader of(const char *text)
{
    return xr_json_of(text, strlen(text));
}

static void values_are_read(void **state)
{
    (void)state;
    xr_json_reader r =
        of(" {\"a\": -1.5e3, \"skipped\": {\"x\": [1, \"}]\", {}], \"y\": null},\n \"flag\": true,"
           " \"list\": [1, NaN, null, -Infinity], \"empty\": [], \"none\": {}}");
    char key[16];
    double number;
    bool flag;
    assert_true(xr_json_enter(&r, '{') && xr_json_key(&r, key, sizeof key));
    assert_string_equal(key, "a");
    assert_true(xr_json_number(&r, &number) && number == -1500);
    assert_true(xr_json_key(&r, key, sizeof key) && xr_json_skip(&r));
    assert_true(xr_json_key(&r, key, sizeof key));
    assert_string_equal(key, "flag");
    assert_true(xr_json_flag(&r, &flag) && flag);
    assert_true(xr_json_key(&r, key, sizeof key) && xr_json_enter(&r, '['));
    int count = 0, unknown = 0;
    for (; xr_json_item(&r) && xr_json_number(&r, &number); count++)
        unknown += isnan(number);
    assert_int_equal(count, 4);
    assert_int_equal(unknown, 3);
    assert_true(xr_json_key(&r, key, sizeof key) && xr_json_enter(&r, '[') && !xr_json_item(&r));
    assert_true(xr_json_key(&r, key, sizeof key) && xr_json_enter(&r, '{') &&
                !xr_json_key(&r, key, sizeof key));
    assert_false(xr_json_key(&r, key, sizeof key));
    assert_null(r.fault);
    assert_int_equal(xr_json_line(&r), 2);
}

static void texts_are_read_as_they_are_meant(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
    } of_texts[] = {
        {"\"\"", ""},
        {"\"a\\\"\\\\\\/\\n\\t\"", "a\"\\/\n\t"},
        {"\"\\u0041\\u00e9\\u20AC\"", "A\xC3\xA9\xE2\x82\xAC"},
        {"\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80"},
        {"\"\\ud83dx\\ude00\"", "\xEF\xBF\xBDx\xEF\xBF\xBD"},
    };
    char text[32];
    size_t size;
    for (size_t i = 0; i < sizeof of_texts / sizeof *of_texts; i++) {
        xr_json_reader r = of(of_texts[i].json);
        assert_true(xr_json_text(&r, text, sizeof text, &size));
        assert_string_equal(text, of_texts[i].text);
        assert_int_equal(size, strlen(text));
    }
    xr_json_reader r = of("\"a\\u00e9long\"");
    assert_true(xr_json_text(&r, text, 3, &size)); /* cut in front of a character that does not fit */
    assert_string_equal(text, "a");
    assert_int_equal(size, 7);
}

static void damaged_text_has_a_fault(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",        "{",         "[1, ",    "\"abc", "\"a\\", "\"\\u12", "\"\\ud800\\u1",
        "\"\\x\"", "{\"a\" 1}", "{\"a\":", "]",     "[[[[",  "{1: 2}",  "[\"\\uD83D\\uZZZZ\"]"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const size_t size = strlen(texts[i]);
        char *copy = malloc(size ? size : 1); /* without a byte behind it */
        assert_non_null(copy);
        if (size)
            memcpy(copy, texts[i], size);
        xr_json_reader r = xr_json_of(copy, size);
        char key[8];
        if (*texts[i] == '{' && xr_json_enter(&r, '{'))
            while (xr_json_key(&r, key, sizeof key) && xr_json_skip(&r))
                ;
        else
            xr_json_skip(&r);
        assert_non_null(r.fault);
        const char *at = r.at;
        assert_false(xr_json_skip(&r)); /* nothing is read behind a fault */
        assert_ptr_equal(r.at, at);
        free(copy);
    }
    xr_json_reader zero = xr_json_of("[1,\0]", 5);
    assert_false(xr_json_skip(&zero));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(texts_are_read_as_they_are_meant),
        cmocka_unit_test(damaged_text_has_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
