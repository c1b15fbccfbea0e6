/* Functions that are evaluated on a side's own inputs: against values worked out by hand, or NumPy's. */
#include "compare/noise/operator_functions.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct operand {
    uint32_t rank;
    int64_t shape[3];
    float value[8];
} operand;

static exray_node node_of(const char *op, const exray_key_value *attributes, uint32_t count)
{
    return (exray_node){.op = op, .attributes = attributes, .attribute_count = count};
}

/* Applies the operator and compares its output; expected NULL: it must refuse. */
static void check(const exray_node *node, const operand *in, uint32_t count, const operand *expected)
{
    xr_array array[4] = {{0}}, out;
    for (uint32_t i = 0; i < count; i++) {
        assert_true(xr_array_make(&array[i], in[i].rank, in[i].shape));
        memcpy(array[i].value, in[i].value, array[i].count * sizeof(float));
    }
    exray_tensor_info described = {.dtype = EXRAY_DTYPE_FLOAT32};
    if (expected) {
        described.rank = expected->rank;
        described.shape = expected->shape;
    }
    assert_int_equal(xr_function_apply(node, array, count, expected ? &described : NULL, &out),
                     expected != NULL);
    if (expected) {
        assert_int_equal(out.rank, expected->rank);
        for (uint32_t d = 0; d < out.rank; d++)
            assert_int_equal(out.shape[d], expected->shape[d]);
        for (uint64_t i = 0; i < out.count; i++)
            assert_true(fabs(out.value[i] - expected->value[i]) < 1e-5);
    }
    xr_array_free(&out);
    for (uint32_t i = 0; i < count; i++)
        xr_array_free(&array[i]);
}

static void pointwise(void **state)
{
    (void)state;
    const operand x = {1, {3}, {-1, 0.5f, 2}};
    const struct {
        const char *op;
        operand out;
    } cases[] = {
        {"Relu", {1, {3}, {0, 0.5f, 2}}},
        {"LOGISTIC", {1, {3}, {0.268941f, 0.622459f, 0.880797f}}},
        {"Erf", {1, {3}, {-0.842701f, 0.520500f, 0.995322f}}},
        {"Gelu", {1, {3}, {-0.158655f, 0.345731f, 1.954500f}}},
        {"HardSigmoid", {1, {3}, {0.3f, 0.6f, 0.9f}}},
        {"Neg", {1, {3}, {1, -0.5f, -2}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        exray_node node = node_of(cases[i].op, NULL, 0);
        check(&node, &x, 1, &cases[i].out);
    }
    const exray_key_value tanh_form = {"approximate", "tanh"};
    exray_node gelu = node_of("Gelu", &tanh_form, 1);
    check(&gelu, &x, 1, &(operand){1, {3}, {-0.158808f, 0.345714f, 1.954598f}});
    exray_node unknown = node_of("NonMaxSuppression", NULL, 0);
    check(&unknown, &x, 1, NULL);
}

static void broadcast(void **state)
{
    (void)state;
    const operand in[] = {{2, {2, 2}, {1, 2, 3, 4}}, {1, {2}, {10, 20}}, {2, {2, 1}, {1, 0}}};
    exray_node add = node_of("Add", NULL, 0), div = node_of("DIV", NULL, 0);
    check(&add, in, 2, &(operand){2, {2, 2}, {11, 22, 13, 24}});
    check(&div, in, 2, &(operand){2, {2, 2}, {0.1f, 0.1f, 0.3f, 0.2f}});
    const operand choice[] = {in[2], in[0], in[1]};
    exray_node where = node_of("Where", NULL, 0);
    check(&where, choice, 3, &(operand){2, {2, 2}, {1, 2, 10, 20}});
    const operand odd[] = {in[0], {1, {3}, {1, 2, 3}}};
    check(&add, odd, 2, NULL);
    const exray_key_value relu = {"fused_activation_function", "RELU6"};
    exray_node fused = node_of("ADD", &relu, 1);
    check(&fused, in, 2, &(operand){2, {2, 2}, {6, 6, 6, 6}});
}

static void rows(void **state)
{
    (void)state;
    const operand x = {2, {2, 3}, {1, 2, 3, 2, 4, 9}};
    exray_node softmax = node_of("SOFTMAX", NULL, 0);
    check(&softmax, &x, 1,
          &(operand){2, {2, 3}, {0.090031f, 0.244728f, 0.665241f, 0.000905f, 0.006687f, 0.992408f}});
    const exray_key_value axes[] = {{"axes", "-1"}, {"keepdims", "0"}};
    exray_node mean = node_of("ReduceMean", axes, 2), all = node_of("ReduceSum", NULL, 0);
    check(&mean, &x, 1, &(operand){1, {2}, {2, 5}});
    check(&all, &x, 1, &(operand){2, {1, 1}, {21}});
    const operand in[] = {x, {1, {3}, {1, 1, 2}}, {1, {3}, {0, 0, 1}}};
    const exray_key_value epsilon = {"epsilon", "0"};
    exray_node norm = node_of("LayerNormalization", &epsilon, 1);
    check(&norm, in, 3, &(operand){2, {2, 3}, {-1.224745f, 0, 3.449490f, -1.019049f, -0.339683f, 3.717465f}});
}

static void matrices(void **state)
{
    (void)state;
    const operand in[] = {{2, {2, 2}, {1, 2, 3, 4}}, {2, {2, 2}, {5, 6, 7, 8}}, {1, {2}, {100, 200}}};
    exray_node matmul = node_of("MatMul", NULL, 0), dense = node_of("FULLY_CONNECTED", NULL, 0);
    check(&matmul, in, 2, &(operand){2, {2, 2}, {19, 22, 43, 50}});
    check(&dense, in, 3, &(operand){2, {2, 2}, {117, 223, 139, 253}});
    const exray_key_value turned[] = {{"transA", "1"}, {"alpha", "2"}};
    exray_node gemm = node_of("Gemm", turned, 2);
    check(&gemm, in, 3, &(operand){2, {2, 2}, {152, 260, 176, 288}});
    const operand stacks[] = {{3, {2, 1, 2}, {1, 2, 3, 4}}, {2, {2, 1}, {5, 6}}};
    check(&matmul, stacks, 2, &(operand){3, {2, 1, 1}, {17, 39}});
    const operand odd[] = {in[0], {2, {1, 2}, {1, 2}}};
    check(&matmul, odd, 2, NULL);
}

static void moves(void **state)
{
    (void)state;
    const operand in[] = {{2, {2, 3}, {0, 1, 2, 3, 4, 5}}, {1, {2}, {1, -2}}};
    exray_node gather = node_of("Gather", NULL, 0), transpose = node_of("Transpose", NULL, 0),
               reshape = node_of("Reshape", NULL, 0), concat = node_of("Concat", NULL, 0);
    check(&gather, in, 2, &(operand){2, {2, 3}, {3, 4, 5, 0, 1, 2}});
    const operand beyond[] = {in[0], {1, {2}, {1, 2}}};
    check(&gather, beyond, 2, NULL);
    check(&transpose, in, 1, &(operand){2, {3, 2}, {0, 3, 1, 4, 2, 5}});
    check(&reshape, in, 1, &(operand){2, {3, 2}, {0, 1, 2, 3, 4, 5}});
    const operand parts[] = {{1, {2}, {1, 2}}, {1, {1}, {3}}};
    check(&concat, parts, 2, &(operand){1, {3}, {1, 2, 3}});
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pointwise), cmocka_unit_test(broadcast),
                                       cmocka_unit_test(rows), cmocka_unit_test(matrices),
                                       cmocka_unit_test(moves)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
