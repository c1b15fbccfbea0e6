/* What a child process sends back, whole or not, and what it was. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checks/plugin/serialize.h"
#include "checks/plugin/subprocess.h"

static const char *const causes[] = {"user.declared", "layer.kernel", NULL};
static const exray_assertion mine = {
    .size = sizeof(exray_assertion), .abi = EXRAY_ASSERTION_ABI, .name = "user.mine", .causes = causes};

static void fill(exray_findings *f)
{
    exray_finding *a = exray_findings_add(f, "layer.kernel", EXRAY_SEVERITY_WARNING, 0.75);
    exray_finding_summary(a, "summary %d", 1);
    exray_finding_detail(a, "first");
    exray_finding_detail(a, "second");
    exray_finding_fix(a, "fix");
    exray_finding_where(a, "layer", "tensor", 2);
    exray_finding_number(a, "number", -0.5);
    exray_finding_number(a, "infinite", INFINITY);
    exray_finding_text(a, "text", "caf\xc3\xa9");
    exray_finding_alternative(a, "user.other", 0.25);
    exray_findings_add(f, "user.other", EXRAY_SEVERITY_ERROR, 1);
}

static void test_findings_round_trip(void **state)
{
    (void)state;
    exray_findings from = {.assertion = &mine, .limit = 10}, to = {.assertion = &mine};
    exray_error error = {EXRAY_E_STATE, "why not"};
    xr_reply reply = {0};
    xr_run run = {.assertion = &mine};
    fill(&from);
    xr_findings_serialize(&from, EXRAY_E_STATE, &error, &reply);
    assert_false(reply.failed);
    xr_findings_deserialize(&reply, 3, &to, &run);
    assert_int_equal(run.status, EXRAY_E_STATE);
    assert_string_equal(run.message, "why not");
    assert_int_equal(to.count, 2);
    const exray_finding *f = to.first;
    assert_string_equal(f->cause, "layer.kernel");
    assert_int_equal(f->severity, EXRAY_SEVERITY_WARNING);
    assert_true(f->confidence == 0.75);
    assert_string_equal(f->summary, "summary 1");
    assert_int_equal(f->detail_count, 2);
    assert_string_equal(f->detail[1], "second");
    assert_string_equal(f->fix, "fix");
    assert_string_equal(f->stage, "layer");
    assert_string_equal(f->tensor, "tensor");
    assert_int_equal(f->layer, 2);
    assert_true(xr_finding_evidence(f, "number")->number == -0.5);
    assert_true(isinf(xr_finding_evidence(f, "infinite")->number));
    assert_string_equal(xr_finding_evidence(f, "text")->text, "caf\xc3\xa9");
    assert_string_equal(f->alternative[0].cause, "user.other");
    assert_ptr_equal(f->assertion, &mine);
    assert_string_equal(f->next->cause, "user.other");
    xr_findings_clear(&from);
    xr_findings_clear(&to);
    free(reply.data);
}

/* Cut anywhere, a reply is refused, and what was whole until then is kept. */
static void test_cut_replies(void **state)
{
    (void)state;
    exray_findings from = {.assertion = &mine, .limit = 10};
    exray_error error = {EXRAY_OK, ""};
    xr_reply reply = {0};
    fill(&from);
    xr_findings_serialize(&from, EXRAY_OK, &error, &reply);
    for (size_t size = 0; size < reply.size; size++) {
        exray_findings to = {.assertion = &mine};
        xr_run run = {.assertion = &mine};
        /* A copy of its own, so that a read beyond its end is seen. */
        uint8_t *data = malloc(size + 1);
        assert_non_null(data);
        memcpy(data, reply.data, size);
        xr_reply cut = {.data = data, .size = size};
        xr_findings_deserialize(&cut, 3, &to, &run);
        assert_int_equal(run.status, EXRAY_E_ARGUMENT);
        assert_true(to.count <= 2);
        xr_findings_clear(&to);
        free(data);
    }
    xr_findings_clear(&from);
    free(reply.data);
}

static void test_rules(void **state)
{
    (void)state;
    exray_findings from = {.assertion = &mine, .limit = 10}, to = {.assertion = &mine};
    exray_error error = {EXRAY_OK, ""};
    xr_reply reply = {0};
    xr_run run = {.assertion = &mine};
    exray_findings_add(&from, "input.crop", EXRAY_SEVERITY_ERROR, 0.5); /* not declared */
    exray_finding *f = exray_findings_add(&from, "user.b", EXRAY_SEVERITY_ERROR, 7);
    exray_finding_where(f, "layer", "t", 9);
    exray_finding_summary(f, "a\033[2Jb\xff");
    xr_findings_serialize(&from, EXRAY_OK, &error, &reply);
    xr_findings_deserialize(&reply, 3, &to, &run);
    assert_int_equal(run.status, EXRAY_E_ARGUMENT);
    assert_non_null(strstr(run.message, "input.crop")); /* the first violation */
    assert_int_equal(to.count, 1);
    assert_true(to.first->confidence == 1);
    assert_int_equal(to.first->layer, EXRAY_NO_INDEX);
    assert_string_equal(to.first->summary, "a [2Jb?");
    xr_findings_clear(&from);
    xr_findings_clear(&to);
    free(reply.data);
}

/* ---- Processes --------------------------------------------------------------------------- */

static void answer(void *user, xr_reply *reply)
{
    xr_reply_add(reply, user, strlen(user));
}

static void crash(void *user, xr_reply *reply)
{
    (void)user;
    (void)reply;
    raise(SIGSEGV);
}

static void leave(void *user, xr_reply *reply)
{
    (void)reply;
    exit(*(const int *)user);
}

static void hang(void *user, xr_reply *reply)
{
    (void)reply;
    volatile int *forever = user;
    while (*forever)
        continue;
}

static void flood(void *user, xr_reply *reply)
{
    for (int i = 0; i < 20; i++)
        xr_reply_add(reply, user, 1 << 20);
}

static void test_processes(void **state)
{
    (void)state;
    xr_reply reply;
    char why[100];
    int three = 3;
    char hello[] = "hello", nothing[] = "";
    assert_true(xr_subprocess_run(20, answer, hello, &reply, why, sizeof why));
    assert_int_equal(reply.size, 5);
    assert_memory_equal(reply.data, "hello", 5);
    free(reply.data);
    assert_true(xr_subprocess_run(20, answer, nothing, &reply, why, sizeof why));
    assert_int_equal(reply.size, 0);
    free(reply.data);
    assert_false(xr_subprocess_run(20, crash, NULL, &reply, why, sizeof why));
    assert_non_null(strstr(why, "crashed: Segmentation fault"));
    assert_null(reply.data);
    assert_false(xr_subprocess_run(20, leave, &three, &reply, why, sizeof why));
    assert_non_null(strstr(why, "status 3"));
    assert_false(xr_subprocess_run(0.2, hang, &three, &reply, why, sizeof why));
    assert_string_equal(why, "did not return within 0.2 s");
    char *block = calloc(1 << 20, 1);
    assert_non_null(block);
    assert_false(xr_subprocess_run(20, flood, block, &reply, why, sizeof why));
    assert_string_equal(why, "reported more than 16 MiB");
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_findings_round_trip),
        cmocka_unit_test(test_cut_replies),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
