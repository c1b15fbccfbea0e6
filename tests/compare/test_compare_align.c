/* Which layer is matched to which: names first, then position, then partitions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compare/match/align.h"

enum { MOST = 64 };

/* A chain: node i reads tensor i and writes tensor i + 1. */
typedef struct chain {
    exray_model model;
    exray_tensor_info tensor[MOST + 1];
    exray_node node[MOST];
    int64_t shape[MOST + 1][1];
    uint32_t io[MOST + 1];
} chain;

static chain *make(size_t count, const char *const *ops, const char *const *names, const int64_t *sizes)
{
    chain *c = calloc(1, sizeof *c);
    assert_true(c && count <= MOST);
    for (uint32_t i = 0; i <= count; i++) {
        c->io[i] = i;
        c->shape[i][0] = sizes && i ? sizes[i - 1] : 8;
        c->tensor[i] = (exray_tensor_info){.name = i ? names[i - 1] : "input",
                                           .dtype = EXRAY_DTYPE_FLOAT32,
                                           .rank = 1,
                                           .shape = c->shape[i]};
    }
    for (uint32_t i = 0; i < count; i++)
        c->node[i] = (exray_node){.op = ops[i],
                                  .name = "",
                                  .inputs = &c->io[i],
                                  .input_count = 1,
                                  .outputs = &c->io[i + 1],
                                  .output_count = 1};
    c->model = (exray_model){.tensors = c->tensor,
                             .tensor_count = (uint32_t)count + 1,
                             .nodes = c->node,
                             .node_count = (uint32_t)count};
    return c;
}

/* "0-0 1-2": edge-reference; i for what is inside a partition. */
static void expect(chain *edge, chain *reference, const char *expected)
{
    xr_alignment alignment;
    char text[1024] = "";
    assert_true(xr_align(&edge->model, &reference->model, NULL, &alignment));
    for (size_t i = 0; i < alignment.count; i++) {
        const xr_layer_match *m = &alignment.match[i];
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%u%c%u", i ? " " : "",
                 (unsigned)m->node[0], m->how == XR_MATCH_INSIDE ? 'i' : '-', (unsigned)m->node[1]);
    }
    xr_alignment_free(&alignment);
    assert_string_equal(text, expected);
    free(edge);
    free(reference);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__})
#define SIZES(...) ((const int64_t[]){__VA_ARGS__})

static void test_names(void **state)
{
    (void)state;
    const char *const *ops = NAMES("CONV_2D", "ADD", "SOFTMAX");
    expect(make(3, ops, NAMES("a", "b", "c"), NULL), make(3, ops, NAMES("a", "b", "c"), NULL), "0-0 1-1 2-2");
    /* Another order of execution. */
    expect(make(3, NAMES("CONV_2D", "DEPTHWISE_CONV_2D", "SOFTMAX"), NAMES("a", "b", "c"), NULL),
           make(3, NAMES("DEPTHWISE_CONV_2D", "CONV_2D", "SOFTMAX"), NAMES("b", "a", "c"), NULL),
           "0-1 1-0 2-2");
    /* The same name on another operator is another layer. */
    expect(make(2, NAMES("CONV_2D", "SOFTMAX"), NAMES("a", "b"), NULL),
           make(2, NAMES("CONV_2D", "SOFTMAX"), NAMES("b", "a"), NULL), "0-0 1-1");
    /* What a quantizer adds. */
    expect(make(3, ops, NAMES("a", "b_quantized", "c:0"), NULL),
           make(3, ops, NAMES("a_int8", "b", "c"), NULL), "0-0 1-1 2-2");
}

static void test_quantize_nodes_stay_alone(void **state)
{
    (void)state;
    expect(make(4, NAMES("QUANTIZE", "CONV_2D", "ADD", "DEQUANTIZE"), NAMES("q", "a", "b", "d"), NULL),
           make(2, NAMES("CONV_2D", "ADD"), NAMES("a", "b"), NULL), "1-0 2-1");
}

/* A quantizer leaves the output's name to the conversion: the softmax is meant. */
static void test_conversion_with_the_outputs_name(void **state)
{
    (void)state;
    const char *const *quantized = NAMES("QUANTIZE", "CONV_2D", "SOFTMAX", "QUANTIZE");
    const char *const *names = NAMES("q", "a", "Identity1", "Identity");
    expect(make(4, quantized, names, NULL),
           make(2, NAMES("CONV_2D", "SOFTMAX"), NAMES("a", "Identity"), NULL), "1-0 2-1");
    expect(make(2, NAMES("CONV_2D", "SOFTMAX"), NAMES("a", "Identity"), NULL),
           make(4, quantized, names, NULL), "0-1 1-2");
}

static void test_position(void **state)
{
    (void)state;
    /* No names in common: like ops of like size, in order. */
    expect(
        make(4, NAMES("CONV_2D", "CONV_2D", "ADD", "SOFTMAX"), NAMES("a", "b", "c", "d"), SIZES(8, 4, 4, 2)),
        make(4, NAMES("CONV_2D", "CONV_2D", "ADD", "SOFTMAX"), NAMES("w", "x", "y", "z"), SIZES(8, 4, 4, 2)),
        "0-0 1-1 2-2 3-3");
    /* One is missing: its place stays empty, the others hold. */
    expect(make(4, NAMES("CONV_2D", "PAD", "ADD", "SOFTMAX"), NAMES("a", "b", "c", "d"), SIZES(8, 4, 4, 2)),
           make(3, NAMES("CONV_2D", "ADD", "SOFTMAX"), NAMES("w", "y", "z"), SIZES(8, 4, 2)), "0-0 2-1 3-2");
    /* Other sizes are other layers. */
    expect(make(1, NAMES("CONV_2D"), NAMES("a"), SIZES(8)), make(1, NAMES("CONV_2D"), NAMES("b"), SIZES(4)),
           "");
    /* Between two names, not across them. */
    expect(make(3, NAMES("ADD", "CONV_2D", "ADD"), NAMES("x", "name", "y"), NULL),
           make(2, NAMES("CONV_2D", "ADD"), NAMES("name", "z"), NULL), "1-0 2-1");
}

static void test_names_that_repeat_tell_nothing(void **state)
{
    (void)state;
    expect(make(3, NAMES("A", "B", "C"), NAMES("same", "same", "c"), NULL),
           make(3, NAMES("B", "A", "C"), NAMES("same", "same", "c"), NULL), "0-1 2-2");
}

static void test_partition(void **state)
{
    (void)state;
    expect(make(3, NAMES("CONV_2D", "ADD", "SOFTMAX"), NAMES("a", "b", "c"), NULL),
           make(1, NAMES("TfLiteXNNPackDelegate"), NAMES("c"), NULL), "0i0 1i0 2-0");
    /* And the other way: the edge has one layer, and it is compared. */
    expect(make(1, NAMES("TfLiteXNNPackDelegate"), NAMES("c"), NULL),
           make(3, NAMES("CONV_2D", "ADD", "SOFTMAX"), NAMES("a", "b", "c"), NULL), "0-2");
}

/* A partition that lists its nodes: each of them is found, two of them without values. */
static void test_partition_with_nodes(void **state)
{
    (void)state;
    const char *const *ops = NAMES("CONV_2D", "ADD", "SOFTMAX");
    chain *inner = make(3, ops, NAMES("a", "b", "c"), SIZES(8, 4, 2));
    for (int edge_runs_it = 0; edge_runs_it < 2; edge_runs_it++) {
        chain *partition = make(3, ops, NAMES("x", "y", "z"), SIZES(8, 4, 2));
        partition->node[0] = (exray_node){.op = "TfLiteXNNPackDelegate",
                                          .name = "",
                                          .inputs = &partition->io[0],
                                          .input_count = 1,
                                          .outputs = &partition->io[3],
                                          .output_count = 1,
                                          .inner = inner->node,
                                          .inner_count = 3};
        partition->model.node_count = 1;
        chain *plain = make(3, ops, NAMES("a", "b", "c"), SIZES(8, 4, 2));
        if (edge_runs_it)
            expect(partition, plain, "0-2");
        else
            expect(plain, partition, "0i0 1i0 2-0");
    }
    free(inner);
}

/* Fused by one engine, apart in the other: the end of the chain is the counterpart. */
static void test_fused_activation(void **state)
{
    (void)state;
    static const exray_key_value fused[] = {{"fused_activation_function", "RELU6"}};
    chain *one = make(2, NAMES("CONV_2D", "SOFTMAX"), NAMES("conv", "p"), NULL);
    one->node[0].attributes = fused;
    one->node[0].attribute_count = 1;
    static const exray_key_value group[] = {{"group", "1"}};
    chain *two = make(3, NAMES("Conv", "Clip", "Softmax"), NAMES("conv", "clip", "q"), NULL);
    two->node[0].attributes = group;
    two->node[0].attribute_count = 1;
    expect(one, two, "0-1 1-2");
}

/* An operator of an application's own: known by its place's name, or by its weights. */
static void test_custom_operator(void **state)
{
    (void)state;
    expect(make(3, NAMES("CONV_2D", "OwnPool", "SOFTMAX"), NAMES("a", "b", "c"), NULL),
           make(3, NAMES("CONV_2D", "AVERAGE_POOL_2D", "SOFTMAX"), NAMES("a", "b", "c"), NULL),
           "0-0 1-1 2-2");
    expect(make(3, NAMES("CONV_2D", "OwnPool", "SOFTMAX"), NAMES("a", "b", "c"), NULL),
           make(3, NAMES("CONV_2D", "AVERAGE_POOL_2D", "SOFTMAX"), NAMES("x", "y", "z"), NULL), "0-0 2-2");
}

/* What an optimizer leaves of a graph: the tensor at which a fused node ends has its name, the others have no
 * counterpart, whatever stands at their place. */
static void test_one_graph_optimized(void **state)
{
    (void)state;
    const char *const *ops = NAMES("MatMul", "Add", "Div", "Erf", "Mul", "MatMul");
    const char *const *names = NAMES("mm", "dense", "div", "erf", "gelu", "y");
    expect(make(6, ops, names, NULL),
           make(3, NAMES("Gemm", "Gelu", "MatMul"), NAMES("dense", "gelu", "y"), NULL), "1-0 4-1 5-2");
    expect(make(3, NAMES("Gemm", "Gelu", "MatMul"), NAMES("dense", "gelu", "y"), NULL),
           make(6, ops, names, NULL), "0-1 1-4 2-5");
    /* In another order. */
    expect(make(4, NAMES("Conv", "GlobalAveragePool", "GlobalAveragePool", "Mul"), NAMES("c", "p", "q", "m"),
                NULL),
           make(4, NAMES("Conv", "GlobalAveragePool", "GlobalAveragePool", "Mul"), NAMES("c", "q", "p", "m"),
                NULL),
           "0-0 1-2 2-1 3-3");
}

/* An exporter that numbers its tensors: one more at the beginning, and every name is another layer's. */
static void test_numbered_names(void **state)
{
    (void)state;
    expect(make(5, NAMES("Pad", "Conv", "Relu", "Conv", "Relu"), NAMES("1", "2", "3", "4", "5"), NULL),
           make(4, NAMES("Conv", "Relu", "Conv", "Relu"), NAMES("1", "2", "3", "4"), NULL),
           "1-0 2-1 3-2 4-3");
}

/* An engine that counts what it adds leaves the first without a number. */
static void test_first_of_a_series(void **state)
{
    (void)state;
    expect(make(6, NAMES("Gemm", "Relu", "Gemm", "Relu", "Gemm", "Relu"),
                NAMES("g", "r", "g_token_1", "s", "g_token_2", "t"), NULL),
           make(4, NAMES("Gemm", "Relu", "Gemm", "Relu"), NAMES("g", "s", "g_token_1", "t"), NULL),
           "2-0 3-1 4-2 5-3");
}

static void test_hostile_graph(void **state)
{
    (void)state;
    chain *edge = make(2, NAMES("A", "B"), NAMES("a", "b"), NULL),
          *reference = make(1, NAMES("A"), NAMES("a"), NULL);
    edge->io[2] = 4000000000u; /* a tensor that is not there */
    edge->node[0].op = NULL;
    expect(edge, reference, "0-0");
    expect(make(0, NULL, NULL, NULL), make(0, NULL, NULL, NULL), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_quantize_nodes_stay_alone),
        cmocka_unit_test(test_position),
        cmocka_unit_test(test_names_that_repeat_tell_nothing),
        cmocka_unit_test(test_conversion_with_the_outputs_name),
        cmocka_unit_test(test_partition),
        cmocka_unit_test(test_partition_with_nodes),
        cmocka_unit_test(test_fused_activation),
        cmocka_unit_test(test_custom_operator),
        cmocka_unit_test(test_one_graph_optimized),
        cmocka_unit_test(test_numbered_names),
        cmocka_unit_test(test_first_of_a_series),
        cmocka_unit_test(test_hostile_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
