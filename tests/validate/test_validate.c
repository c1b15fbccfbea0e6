/* A validation in one call: verdicts, the caller's own assertions, reports, and what is refused. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <exray/exray.h>
#include <exray/validate.h>
#include <unistd.h>

enum { FRAMES = 4, VALUES = 12 };

typedef struct logs {
    char folder[64], edge_path[96], reference_path[96];
    exray_log *edge, *reference;
} logs;

/* Inputs and outputs with an order among their values. */
static void record(const char *path, exray_role role)
{
    exray_recorder r;
    exray_recorder_config config = {
        .size = sizeof(exray_recorder_config), .role = role, .capture = EXRAY_CAPTURE_FULL};
    int64_t shape[] = {1, VALUES};
    assert_int_equal(exray_recorder_open_file(&r, path, &config), EXRAY_OK);
    for (int frame = 0; frame < FRAMES; frame++) {
        float values[VALUES];
        for (int i = 0; i < VALUES; i++)
            values[i] = (float)((i * 7 + frame) % VALUES);
        exray_recorder_frame_begin(&r, NULL);
        exray_tensor tensor = {
            .kind = EXRAY_KIND_OUTPUT,
            .info = {.name = "scores", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 2, .shape = shape},
            .index = EXRAY_NO_INDEX,
            .data = values,
            .size = sizeof values};
        exray_recorder_log_tensor(&r, &tensor);
        tensor.kind = EXRAY_KIND_INPUT;
        tensor.info.name = "image";
        for (int i = 0; i < VALUES; i++)
            values[i] = (float)i;
        exray_recorder_log_tensor(&r, &tensor);
    }
    assert_int_equal(exray_recorder_close(&r), EXRAY_OK);
}

static int setup(void **state)
{
    logs *l = calloc(1, sizeof *l);
    exray_error error = {EXRAY_OK, ""};
    snprintf(l->folder, sizeof l->folder, "/tmp/exray-validate-XXXXXX");
    if (!mkdtemp(l->folder))
        return -1;
    snprintf(l->edge_path, sizeof l->edge_path, "%s/edge.mcap", l->folder);
    snprintf(l->reference_path, sizeof l->reference_path, "%s/ref.mcap", l->folder);
    record(l->edge_path, EXRAY_ROLE_EDGE);
    record(l->reference_path, EXRAY_ROLE_REFERENCE);
    l->edge = exray_log_open(l->edge_path, &error);
    l->reference = exray_log_open(l->reference_path, &error);
    *state = l;
    return l->edge && l->reference ? 0 : -1;
}

static int teardown(void **state)
{
    logs *l = *state;
    exray_log_close(l->edge);
    exray_log_close(l->reference);
    remove(l->edge_path);
    remove(l->reference_path);
    rmdir(l->folder);
    free(l);
    return 0;
}

static void test_equal_logs_pass(void **state)
{
    logs *l = *state;
    exray_error error = {EXRAY_OK, ""};
    exray_validation *v = exray_validation_run(l->edge, l->reference, NULL, &error);
    assert_non_null(v);
    assert_int_equal(exray_validation_verdict(v), EXRAY_VERDICT_PASS);
    assert_int_equal(exray_comparison_frame_count(exray_validation_comparison(v)), FRAMES);
    const char *json = exray_validation_json(v, &error);
    assert_non_null(strstr(json, "\"exray-validation\""));
    assert_ptr_equal(json, exray_validation_json(v, &error)); /* made once */
    assert_non_null(strstr(exray_validation_text(v, &error), "PASS"));
    exray_validation_free(v);
    exray_validation_free(NULL);
}

static pid_t ran_in;

static exray_status mine(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    (void)error;
    ran_in = getpid();
    if (exray_comparison_output_count(comparison) == 1 && exray_findings_option(findings, "least") == 3)
        exray_finding_summary(exray_findings_add(findings, "user.mine", EXRAY_SEVERITY_ERROR, 1), "It is %d.",
                              3);
    return EXRAY_OK;
}

static exray_status failing(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    (void)comparison;
    (void)findings;
    *error = (exray_error){EXRAY_E_LIMIT, "too much of it"};
    return error->status;
}

static void test_own_assertions(void **state)
{
    static const exray_option options[] = {{.name = "least", .meaning = "-", .value = 1}, {.name = NULL}};
    static const exray_assertion own = {.size = sizeof own,
                                        .abi = EXRAY_ASSERTION_ABI,
                                        .name = "user.mine",
                                        .summary = "-",
                                        .needs = "-",
                                        .run = mine,
                                        .options = options};
    static const exray_assertion bad = {.size = sizeof bad,
                                        .abi = EXRAY_ASSERTION_ABI,
                                        .name = "user.bad",
                                        .summary = "-",
                                        .needs = "-",
                                        .run = failing};
    const exray_assertion *const both[] = {&own, &bad, NULL};
    const char *const set[] = {"user.mine.least=3"};
    logs *l = *state;
    exray_error error = {EXRAY_OK, ""};
    exray_validation_options o = EXRAY_VALIDATION_OPTIONS_INIT;
    o.own = both;
    exray_validation *v = exray_validation_run(l->edge, l->reference, &o, &error);
    assert_int_equal(exray_validation_verdict(v), EXRAY_VERDICT_INCONCLUSIVE); /* user.bad failed */
    assert_non_null(strstr(exray_validation_text(v, &error), "too much of it"));
    assert_int_equal(ran_in, getpid());
    exray_validation_free(v);

    o.set = set;
    o.set_count = 1;
    o.assertions = "user.mine";
    v = exray_validation_run(l->edge, l->reference, &o, &error);
    assert_int_equal(exray_validation_verdict(v), EXRAY_VERDICT_FAIL);
    assert_non_null(strstr(exray_validation_json(v, &error), "It is 3."));
    assert_null(strstr(exray_validation_json(v, &error), "user.bad"));
    exray_validation_free(v);
}

static void expect_refused(logs *l, const exray_validation_options *o, exray_status status, const char *said)
{
    exray_error error = {EXRAY_OK, ""};
    assert_null(exray_validation_run(l->edge, l->reference, o, &error));
    assert_int_equal(error.status, status);
    assert_non_null(strstr(error.message, said));
    assert_null(exray_validation_run(l->edge, l->reference, o, NULL));
}

static void test_what_is_refused(void **state)
{
    logs *l = *state;
    exray_validation_options o = EXRAY_VALIDATION_OPTIONS_INIT;
    o.assertions = "nothing.of.the.kind";
    expect_refused(l, &o, EXRAY_E_ARGUMENT, "nothing.of.the.kind");
    o = (exray_validation_options)EXRAY_VALIDATION_OPTIONS_INIT;
    o.size = 4;
    expect_refused(l, &o, EXRAY_E_ARGUMENT, "EXRAY_VALIDATION_OPTIONS_INIT");
    o.size = 0;
    expect_refused(l, &o, EXRAY_E_ARGUMENT, "EXRAY_VALIDATION_OPTIONS_INIT");
    o.size = 0xFFFFFFFF;
    expect_refused(l, &o, EXRAY_E_ARGUMENT, "EXRAY_VALIDATION_OPTIONS_INIT");
    struct {
        exray_validation_options known;
        const char *field;
    } newer = {EXRAY_VALIDATION_OPTIONS_INIT, "x"};
    newer.known.size = sizeof newer;
    expect_refused(l, &newer.known, EXRAY_E_ARGUMENT, "EXRAY_VALIDATION_OPTIONS_INIT");
    o = (exray_validation_options)EXRAY_VALIDATION_OPTIONS_INIT;
    const char *const plugin[] = {"/nowhere/plugin.so"};
    o.plugin = plugin;
    o.plugin_count = 1;
    expect_refused(l, &o, EXRAY_E_IO, "/nowhere/plugin.so");
    o = (exray_validation_options)EXRAY_VALIDATION_OPTIONS_INIT;
    o.html = "/nowhere/report.html";
    expect_refused(l, &o, EXRAY_E_IO, "/nowhere/report.html");
    o.html = l->edge_path;
    expect_refused(l, &o, EXRAY_E_ARGUMENT, "is a log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_equal_logs_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_assertions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
