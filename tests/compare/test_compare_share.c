/* Calls shared out among threads: each is made once, whatever the number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compare/comparison.h"

enum { CALLS = 1000 };

typedef struct call_counts {
    const exray_comparison *comparison;
    unsigned char made[CALLS];
    size_t inner[CALLS];
} call_counts;

static void count_call(void *user, size_t i)
{
    call_counts *c = user;
    c->made[i]++;
}

static void add_one(void *user, size_t i)
{
    (void)i;
    ++*(size_t *)user; /* without a lock: within a call, calls come one after another */
}

static void share_within(void *user, size_t i)
{
    call_counts *c = user;
    c->made[i]++;
    exray_comparison_share(c->comparison, 7, add_one, &c->inner[i]);
}

static void test_each_call_is_made_once(void **state)
{
    (void)state;
    static const unsigned jobs[] = {1, 2, 5, 1024};
    static const size_t counts[] = {0, 1, 3, CALLS};
    for (size_t j = 0; j < 4; j++)
        for (size_t n = 0; n < 4; n++) {
            exray_comparison comparison = {.jobs = jobs[j]};
            call_counts c = {0};
            exray_comparison_share(&comparison, counts[n], count_call, &c);
            for (size_t i = 0; i < CALLS; i++)
                assert_int_equal(c.made[i], i < counts[n]);
        }
}

static void test_within_a_call(void **state)
{
    (void)state;
    exray_comparison comparison = {.jobs = 4};
    call_counts c = {.comparison = &comparison};
    for (int again = 1; again <= 2; again++) {
        exray_comparison_share(&comparison, CALLS, share_within, &c);
        for (size_t i = 0; i < CALLS; i++) {
            assert_int_equal(c.made[i], again);
            assert_int_equal(c.inner[i], 7 * again);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call_is_made_once),
        cmocka_unit_test(test_within_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
