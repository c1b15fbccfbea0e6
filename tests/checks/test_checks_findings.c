/* Findings own what they are given; their order, and which are consequences. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "checks/consequences.h"
#include "checks/gate/known.h"

enum { MOST = 16 };

static exray_finding *add(exray_findings *f, const char *cause, exray_severity severity, double confidence,
                          const char *stage)
{
    exray_finding *finding = exray_findings_add(f, cause, severity, confidence);
    exray_finding_where(finding, stage, "tensor", EXRAY_NO_INDEX);
    return finding;
}

/* "a b c": the causes shown, in their order. */
static void expect_order(exray_findings *f, const char *expected)
{
    exray_finding *shown[MOST];
    char text[512] = "";
    size_t count = xr_suppress_consequences(NULL, f, shown);
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", shown[i]->cause);
    assert_string_equal(text, expected);
}

static void test_strings_are_copied(void **state)
{
    (void)state;
    exray_findings f = {0};
    char cause[] = "user.mine", text[] = "first";
    exray_finding *finding = exray_findings_add(&f, cause, EXRAY_SEVERITY_ERROR, 7);
    exray_finding_summary(finding, "%s %d", text, 1);
    exray_finding_detail(finding, "%s", text);
    exray_finding_detail(finding, "%s", "second");
    exray_finding_fix(finding, "do %s", text);
    exray_finding_fix(finding, "do not");
    exray_finding_where(finding, "layer", text, 3);
    exray_finding_number(finding, text, 1);
    exray_finding_number(finding, text, NAN);
    exray_finding_text(finding, "word", text);
    exray_finding_alternative(finding, cause, 0.25);
    memset(cause, 'x', sizeof cause - 1);
    memset(text, 'x', sizeof text - 1);
    assert_string_equal(finding->cause, "user.mine");
    assert_string_equal(finding->summary, "first 1");
    assert_string_equal(finding->fix, "do not");
    assert_int_equal(finding->detail_count, 2);
    assert_string_equal(finding->detail[0], "first");
    assert_string_equal(finding->stage, "layer");
    assert_string_equal(finding->tensor, "first");
    assert_int_equal(finding->layer, 3);
    assert_int_equal(finding->evidence_count, 2); /* a key stands once: the last value counts */
    assert_true(isnan(finding->evidence[0].number) && !finding->evidence[0].text);
    assert_string_equal(finding->evidence[1].text, "first");
    assert_string_equal(finding->alternative[0].cause, "user.mine");
    assert_true(finding->confidence == 1); /* clamped */
    assert_true(exray_findings_add(&f, "user.b", EXRAY_SEVERITY_INFO, NAN)->confidence == 0);
    xr_findings_clear(&f);
    assert_null(f.first);
}

static void test_order(void **state)
{
    (void)state;
    exray_findings f = {0};
    add(&f, "log.truncated", EXRAY_SEVERITY_WARNING, 1, "log");
    add(&f, "perf.straggler", EXRAY_SEVERITY_WARNING, 1, "layer");
    add(&f, "user.mine", EXRAY_SEVERITY_ERROR, 1, "user");
    add(&f, "output.postprocess", EXRAY_SEVERITY_ERROR, 0.9, "output");
    add(&f, "input.unknown", EXRAY_SEVERITY_ERROR, 0.9, "input");
    add(&f, "input.channel_order", EXRAY_SEVERITY_ERROR, 0.9, "input");
    add(&f, "input.normalization", EXRAY_SEVERITY_ERROR, 0.95, "input");
    add(&f, "layer.nan", EXRAY_SEVERITY_ERROR, 0.99, "layer");
    expect_order(
        &f, "input.channel_order input.normalization input.unknown layer.nan output.postprocess user.mine "
            "perf.straggler log.truncated");
    xr_findings_clear(&f);
}

static void test_consequences_are_suppressed(void **state)
{
    (void)state;
    exray_findings f = {0};
    add(&f, "layer.unknown", EXRAY_SEVERITY_ERROR, 0.9, "output");
    exray_finding *cause = add(&f, "input.channel_order", EXRAY_SEVERITY_ERROR, 0.9, "input");
    expect_order(&f, "input.channel_order");
    assert_string_equal(cause->evidence[0].key, "consequences");
    assert_string_equal(cause->evidence[0].text, "layer.unknown");
    xr_findings_clear(&f);
}

static void test_what_is_no_consequence(void **state)
{
    (void)state;
    exray_findings f = {0};
    /* A layer that originates an error is a fault of its own; a warning causes none. */
    add(&f, "layer.unknown", EXRAY_SEVERITY_ERROR, 0.9, "layer");
    add(&f, "input.channel_order", EXRAY_SEVERITY_ERROR, 0.9, "input");
    expect_order(&f, "input.channel_order layer.unknown");
    xr_findings_clear(&f);
    add(&f, "layer.unknown", EXRAY_SEVERITY_ERROR, 0.9, "output");
    add(&f, "log.truncated", EXRAY_SEVERITY_ERROR, 0.9, "log");
    add(&f, "input.channel_order", EXRAY_SEVERITY_WARNING, 0.9, "input");
    expect_order(&f, "layer.unknown log.truncated input.channel_order");
    xr_findings_clear(&f);
    /* Another operator without an effect accounts for nothing. */
    add(&f, "layer.unknown", EXRAY_SEVERITY_ERROR, 0.9, "output");
    add(&f, "model.operator", EXRAY_SEVERITY_INFO, 0.9, "layer");
    expect_order(&f, "layer.unknown model.operator");
    xr_findings_clear(&f);
}

/* Another version, a mode or a state accounts for named causes, too: not where it is accepted. */
static void test_an_accepted_cause_hides_no_other(void **state)
{
    (void)state;
    static const char *const broad[] = {"model.version", "model.state", "model.mode"};
    for (size_t i = 0; i < sizeof broad / sizeof *broad; i++)
        for (int accepted = 0; accepted < 2; accepted++) {
            exray_findings f = {0};
            char cause[40];
            snprintf(cause, sizeof cause, "%s", broad[i]);
            xr_known_finding known = {.cause = cause};
            exray_finding_where(exray_findings_add(&f, broad[i], EXRAY_SEVERITY_ERROR, 0.9), "model", "m",
                                EXRAY_NO_INDEX);
            add(&f, "layer.kernel", EXRAY_SEVERITY_ERROR, 0.9, "layer");
            add(&f, "layer.unknown", EXRAY_SEVERITY_ERROR, 0.9, "layer");
            xr_known_mark(&known, (size_t)accepted, &f);
            char expected[80];
            snprintf(expected, sizeof expected, "%s%s", broad[i], accepted ? " layer.kernel" : "");
            expect_order(&f, expected);
            xr_findings_clear(&f);
        }
}

static void test_the_whole_model_comes_first(void **state)
{
    (void)state;
    exray_findings f = {0};
    exray_finding_where(exray_findings_add(&f, "model.weights", EXRAY_SEVERITY_ERROR, 0.9), "model", "a", 0);
    exray_finding_where(exray_findings_add(&f, "model.mode", EXRAY_SEVERITY_ERROR, 0.9), "model", "b", 4);
    exray_finding_number(f.first, "weights_differ", 1);
    expect_order(&f, "model.mode model.weights");
    xr_findings_clear(&f);
}

static void test_layers_in_order(void **state)
{
    (void)state;
    exray_findings f = {0};
    for (uint32_t i = 3; i-- > 0;) {
        exray_finding *finding = exray_findings_add(&f, "layer.unknown", EXRAY_SEVERITY_ERROR, 0.5 + 0.1 * i);
        exray_finding_where(finding, "layer", "t", i);
    }
    exray_finding *shown[MOST];
    assert_int_equal(xr_suppress_consequences(NULL, &f, shown), 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(shown[i]->layer, i);
    xr_findings_clear(&f);
}

static void count_release(void *user)
{
    ++*(int *)user;
}

static void test_attached_state(void **state)
{
    (void)state;
    exray_findings f = {0};
    int first = 0, second = 0;
    assert_null(xr_findings_attached(&f, "mine", 0));
    assert_true(xr_findings_attach(&f, "mine", 0, &first, count_release));
    assert_true(xr_findings_attach(&f, "mine", 1, &second, count_release));
    assert_ptr_equal(xr_findings_attached(&f, "mine", 0), &first);
    assert_ptr_equal(xr_findings_attached(&f, "mine", 1), &second);
    assert_null(xr_findings_attached(&f, "yours", 0));
    xr_findings_clear(&f);
    assert_true(first == 1 && second == 1);
    assert_null(xr_findings_attached(&f, "mine", 0));
}

/* A cause among the outputs accounts for an 8-bit layer that errs little more than usual, and for no other.
 */
static void test_doubtful_layers(void **state)
{
    (void)state;
    for (int large = 0; large < 2; large++) {
        exray_findings f = {0};
        exray_finding *layer = add(&f, "layer.unknown", EXRAY_SEVERITY_ERROR, 0.9, "layer");
        exray_finding_number(layer, "error_to_signal", large ? 0.5 : 0.05);
        exray_finding_number(layer, "noise_to_signal", 0.03);
        add(&f, "output.activation", EXRAY_SEVERITY_ERROR, 0.9, "output");
        expect_order(&f, large ? "layer.unknown output.activation" : "output.activation");
        xr_findings_clear(&f);
    }
}

static void test_consequences_are_listed(void **state)
{
    (void)state;
    exray_findings f = {0};
    add(&f, "layer.unknown", EXRAY_SEVERITY_ERROR, 0.9, "output");
    add(&f, "output.unknown", EXRAY_SEVERITY_ERROR, 0.9, "output");
    exray_finding *cause = add(&f, "model.version", EXRAY_SEVERITY_ERROR, 0.9, "model");
    expect_order(&f, "model.version");
    assert_string_equal(xr_finding_evidence(cause, "consequences")->text, "layer.unknown, output.unknown");
    xr_findings_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings_are_copied),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_consequences_are_suppressed),
        cmocka_unit_test(test_what_is_no_consequence),
        cmocka_unit_test(test_layers_in_order),
        cmocka_unit_test(test_an_accepted_cause_hides_no_other),
        cmocka_unit_test(test_the_whole_model_comes_first),
        cmocka_unit_test(test_attached_state),
        cmocka_unit_test(test_doubtful_layers),
        cmocka_unit_test(test_consequences_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
