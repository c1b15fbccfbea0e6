/* Names of ports, and the best way to pair two lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compare/match/assignment.h"
#include "compare/match/port_names.h"

static void test_names(void **state)
{
    (void)state;
    assert_int_equal(xr_match_names("ids", "ids"), XR_NAMES_SAME);
    assert_int_equal(xr_match_names("serving_default_input_ids:0", "input_ids"), XR_NAMES_ALIKE);
    assert_int_equal(xr_match_names("serving_default_Input-IDs:0", "input_ids"), XR_NAMES_ALIKE);
    assert_int_equal(xr_match_names("ids", "mask"), XR_NAMES_DIFFER);
    assert_int_equal(xr_match_names("", ""), XR_NAMES_DIFFER);
    assert_int_equal(xr_match_names(NULL, "ids"), XR_NAMES_DIFFER);
}

static void test_names_that_count(void **state)
{
    (void)state;
    static const char *const numbers[] = {
        "0",       "Identity", "Identity_1", "output_12",       "StatefulPartitionedCall:3",
        "input_1", "args_0_1", "input.7",    "onnx::MatMul_12", "serving_default_args_0:0"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_true(xr_is_numbering(numbers[i]));
        assert_int_equal(xr_match_names(numbers[i], numbers[i]), XR_NAMES_NUMBERED);
    }
    static const char *const names[] = {"input_ids", "before",         "scores",
                                        "x1",        "attention_mask", "output_boxes"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_false(xr_is_numbering(names[i]));
    /* Two numbers are no name that they have in common. */
    assert_int_equal(xr_match_names("serving_default_args_0:0", "args_0"), XR_NAMES_DIFFER);
}

static double worth(const double *score, size_t rows, size_t columns, const size_t *column_of)
{
    double sum = 0;
    for (size_t i = 0; i < rows; i++)
        sum += column_of[i] == SIZE_MAX ? 0 : score[i * columns + column_of[i]];
    return sum;
}

/* The largest sum, tried out: of row i on, columns in `used` taken. */
static double best(const double *score, size_t rows, size_t columns, size_t i, unsigned used)
{
    if (i == rows)
        return 0;
    double most = rows > columns ? best(score, rows, columns, i + 1, used) : -1e9;
    for (size_t j = 0; j < columns; j++)
        if (!(used >> j & 1)) {
            double sum = score[i * columns + j] + best(score, rows, columns, i + 1, used | 1U << j);
            most = sum > most ? sum : most;
        }
    return most;
}

static void test_assignment(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (size_t trial = 0; trial < 300; trial++) {
        double score[36];
        size_t column_of[6], rows = 1 + trial % 6, columns = 1 + trial / 6 % 6, paired = 0;
        unsigned taken = 0;
        for (size_t k = 0; k < rows * columns; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            score[k] = (double)(random >> 60); /* small whole numbers: many ties */
        }
        assert_true(xr_assign(score, rows, columns, column_of));
        for (size_t i = 0; i < rows; i++) {
            if (column_of[i] == SIZE_MAX)
                continue;
            assert_true(column_of[i] < columns && !(taken >> column_of[i] & 1));
            taken |= 1U << column_of[i];
            paired++;
        }
        assert_int_equal(paired, rows < columns ? rows : columns);
        assert_float_equal(worth(score, rows, columns, column_of), best(score, rows, columns, 0, 0), 1e-9);
    }
    size_t none[1];
    assert_true(xr_assign(NULL, 0, 3, none));
    assert_true(xr_assign(NULL, 1, 0, none) && none[0] == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_that_count),
        cmocka_unit_test(test_assignment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
