/* `--set`, the options that assertions see, and what is suggested for a mistyped name. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checks/checks.h"
#include "checks/options.h"
#include "checks/suggest.h"

static const exray_option options[] = {
    {"threshold", "a number within bounds", 0.5, 0, 1},
    {"any", "a number without bounds", -3, 0, 0},
    {.name = NULL},
};
static const exray_assertion mine = {.size = sizeof(exray_assertion),
                                     .abi = EXRAY_ASSERTION_ABI,
                                     .name = "user.mine.dotted",
                                     .options = options};
/* As compiled before there were options. */
static const exray_assertion old = {.size = offsetof(exray_assertion, options),
                                    .abi = EXRAY_ASSERTION_ABI,
                                    .name = "user.old",
                                    .options = options};
static const exray_assertion *const own[] = {&mine, &old, NULL};

static exray_status parse(const char *text, xr_setting **out, size_t *count, exray_error *error)
{
    const char *const set[] = {text};
    *error = (exray_error){EXRAY_OK, ""};
    return xr_settings_parse(&(xr_check_options){.own = own, .set = set, .set_count = 1}, out, count, error);
}

static void expect_refused(const char *text, const char *why)
{
    xr_setting *setting;
    size_t count;
    exray_error error;
    assert_int_equal(parse(text, &setting, &count, &error), EXRAY_E_ARGUMENT);
    assert_null(setting);
    assert_non_null(strstr(error.message, text));
    assert_non_null(strstr(error.message, why));
}

static void test_settings(void **state)
{
    (void)state;
    xr_setting *setting;
    size_t count;
    exray_error error;
    assert_int_equal(parse("user.mine.dotted.threshold=0.25", &setting, &count, &error), EXRAY_OK);
    assert_int_equal(count, 1);
    assert_ptr_equal(setting->assertion, &mine);
    assert_string_equal(setting->option, "threshold");
    assert_true(setting->value == 0.25);
    exray_findings f = {.assertion = &mine, .setting = setting, .setting_count = 1};
    assert_true(exray_findings_option(&f, "threshold") == 0.25);
    assert_true(exray_findings_option(&f, "any") == -3); /* the default */
    assert_true(isnan(exray_findings_option(&f, "none")));
    f.assertion = &old;
    assert_true(isnan(exray_findings_option(&f, "threshold")));
    free(setting);
    assert_int_equal(parse("user.mine.dotted.any=-1e9", &setting, &count, &error), EXRAY_OK);
    free(setting);
}

static void test_refused_settings(void **state)
{
    (void)state;
    expect_refused("threshold=1", "write NAME.OPTION=VALUE");
    expect_refused("user.mine.dotted.threshold", "write NAME.OPTION=VALUE");
    expect_refused("user.yours.threshold=1", "there is no assertion 'user.yours'");
    expect_refused("perf.stragler.ratio=3", "did you mean 'perf.straggler'?");
    expect_refused("user.mine.dotted.thresh=1", "has no such option");
    expect_refused("user.old.threshold=1", "has no such option");
    expect_refused("user.mine.dotted.threshold=1x", "is not a number");
    expect_refused("user.mine.dotted.any=inf", "is not a number");
    expect_refused("user.mine.dotted.threshold=2", "must be from 0 to 1");
}

/* ---- Suggestions ---------------------------------------------------------------------- */

static const char *next_word(void *user)
{
    const char *const **at = user;
    return **at ? *(*at)++ : NULL;
}

static const char *suggested(const char *word)
{
    static const char *const words[] = {"record", "replay", "recover", "validate", NULL};
    static char out[32];
    const char *const *at = words;
    return xr_suggest(word, next_word, &at, out, sizeof out) ? out : "";
}

static void test_suggestions(void **state)
{
    (void)state;
    assert_string_equal(suggested("recrod"), "record"); /* an exchange of neighbors counts once */
    assert_string_equal(suggested("reply"), "replay");
    assert_string_equal(suggested("valdate"), "validate");
    assert_string_equal(suggested("validate"), "validate");
    assert_string_equal(suggested("export"), "");
    assert_string_equal(suggested(""), "");
    char longer[100];
    memset(longer, 'r', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_string_equal(suggested(longer), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_refused_settings),
        cmocka_unit_test(test_suggestions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
