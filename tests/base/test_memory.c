/* Failed allocations are counted: ours, and those that an error tells of. */
#include "base/error.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* These first. */
#include <cmocka.h>

static void failures_are_counted(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* its malloc ends the process instead */
#endif
    volatile size_t all = SIZE_MAX / 2 - 100;
    const unsigned long before = xr_memory_lacks();
    void *some = xr_malloc(10);
    assert_non_null(some);
    assert_null(xr_malloc(all));
    assert_null(xr_calloc(all, 1));
    assert_null(xr_realloc(some, all));
    assert_int_equal(xr_memory_lacks(), before + 3);
    free(some);
}

static void what_succeeds_is_not(void **state)
{
    (void)state;
    const unsigned long before = xr_memory_lacks();
    char *copy = xr_strdup("text"), *part = xr_strndup("text", 2);
    assert_string_equal(copy, "text");
    assert_string_equal(part, "te");
    free(copy);
    free(part);
    free(xr_malloc(0)); /* which may be NULL */
    free(xr_calloc(0, 8));
    free(xr_realloc(NULL, 0));
    assert_int_equal(xr_memory_lacks(), before);
}

static void an_error_that_tells_of_one_counts(void **state)
{
    (void)state;
    const unsigned long before = xr_memory_lacks();
    xr_error_set(NULL, EXRAY_E_FORMAT, "damaged");
    assert_int_equal(xr_memory_lacks(), before);
    xr_error_set(NULL, EXRAY_E_MEMORY, "out of memory");
    assert_int_equal(xr_memory_lacks(), before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_counted),
        cmocka_unit_test(what_succeeds_is_not),
        cmocka_unit_test(an_error_that_tells_of_one_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
