/* Parsing by an option table: what is set, what is left as operands, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/command_line.h"

#include <string.h>

typedef struct given {
    const char *output;
    bool check;
    uint64_t frames;
    xr_value_list plugins;
} given;

static const xr_option_group options = {
    .options = (const xr_option[]){
        {.name = "output", .letter = 'o', .value = "F", XR_INTO(text, given, output), .text = "a file"},
        {.name = "check", XR_INTO(flag, given, check), .text = "look at all"},
        {.name = "frames", .value = "N", XR_INTO(count, given, frames), .text = "so many"},
        {.name = "plugin", .value = "L", XR_INTO(plugin, given, plugins), .text = "a library"},
        {.name = "from", .value = "W", .refused = "is for another command"},
        {0},
    }};
static const xr_command command = {.name = "test",
                                   .groups = (const xr_option_group *const[]){&options, NULL}};

/* Parses words separated by blanks. */
static int parse(const char *line, given *to, xr_operands *operands)
{
    static char text[256];
    static char *argv[40];
    int argc = 0;
    strcpy(text, line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    *to = (given){0};
    return xr_parse_options(&(xr_call){&command, NULL, argc, argv}, to, operands);
}

static void options_are_set(void **state)
{
    (void)state;
    const char *const forms[] = {"test a --output x --check b --frames 3",
                                 "test --output=x --check --frames=3 a b", "test -ox a --ch --fra 3 b",
                                 "test --output y -o x --frames 3 --check -- a b"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        given g;
        xr_operands operands;
        assert_int_equal(parse(forms[i], &g, &operands), XR_EXIT_OK);
        assert_string_equal(g.output, "x");
        assert_true(g.check);
        assert_int_equal(g.frames, 3);
        assert_int_equal(operands.count, 2);
        assert_string_equal(operands.at[0], "a");
        assert_string_equal(operands.at[1], "b");
    }
}

static void dashes_may_be_operands_and_values(void **state)
{
    (void)state;
    given g;
    xr_operands operands;
    assert_int_equal(parse("test - --output - -- --check -o", &g, &operands), XR_EXIT_OK);
    assert_string_equal(g.output, "-");
    assert_false(g.check);
    assert_int_equal(operands.count, 3);
    assert_string_equal(operands.at[1], "--check");
    assert_int_equal(parse("test --output --check", &g, &operands), XR_EXIT_OK);
    assert_string_equal(g.output, "--check");
}

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    const char *const lines[] = {"test --nothing", "test -x",         "test --check=yes", "test --output",
                                 "test -o",        "test --frames 0", "test --frames -1", "test --frames 3x",
                                 "test --from a",  "test --f 3"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        given g;
        xr_operands operands;
        assert_int_equal(parse(lines[i], &g, &operands), XR_EXIT_FAILED);
    }
}

static void a_list_has_an_end(void **state)
{
    (void)state;
    char line[256] = "test";
    given g;
    xr_operands operands;
    for (int i = 0; i < 16; i++)
        strcat(line, " --plugin=l");
    assert_int_equal(parse(line, &g, &operands), XR_EXIT_OK);
    assert_int_equal(g.plugins.count, 16);
    strcat(line, " --plugin=l");
    assert_int_equal(parse(line, &g, &operands), XR_EXIT_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_set),
        cmocka_unit_test(dashes_may_be_operands_and_values),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(a_list_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
