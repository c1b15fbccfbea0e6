/* The fast SHA-256 is core's plain one, which tests/core checks against published digests. */
#include "models/model_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <exray/exray.h>
#include <stdlib.h>

static void every_length(void **state)
{
    (void)state;
    enum { MOST = 4200, LARGE = 1000003 };
    uint8_t *bytes = malloc(LARGE + 1), plain[32], fast[32];
    assert_non_null(bytes);
    for (uint32_t i = 0; i <= LARGE; i++)
        bytes[i] = (uint8_t)(i * 2654435761U >> 24);
    for (size_t size = 0; size < MOST; size += size < 300 ? 1 : 61) {
        exray_sha256(bytes + size % 3, size, plain); /* any alignment */
        xr_model_hash(bytes + size % 3, size, fast);
        assert_memory_equal(plain, fast, sizeof plain);
    }
    exray_sha256(bytes, LARGE, plain);
    xr_model_hash(bytes, LARGE, fast);
    assert_memory_equal(plain, fast, sizeof plain);
    free(bytes);
    xr_model_hash(NULL, 0, fast);
    exray_sha256("", 0, plain);
    assert_memory_equal(plain, fast, sizeof plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_length)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
