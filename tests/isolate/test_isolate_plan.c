/* Which nodes of a model file compute a layer, from what the edge recorded. */
#include "compare/compare.h"
#include "isolate/plan.h"
#include "log/log_file.h"
#include "models/small_onnx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct log_bytes {
    uint8_t data[1 << 16];
    size_t size;
} log_bytes;

static int keep(void *user, const void *data, size_t size)
{
    log_bytes *b = user;
    assert_true(size <= sizeof b->data - b->size);
    memcpy(b->data + b->size, data, size);
    b->size += size;
    return 0;
}

/* A log of the model with its input and the layers of `layers` (a bit each). */
static exray_log *record(const exray_model *model, log_bytes *bytes, unsigned layers, float first)
{
    exray_recorder r;
    exray_recorder_config config = {.size = sizeof config, .capture = EXRAY_CAPTURE_FULL};
    exray_error error = {EXRAY_OK, ""};
    float values[4] = {first, -2, 3, -4};
    bytes->size = 0;
    assert_int_equal(exray_recorder_open_callback(&r, keep, bytes, &config), EXRAY_OK);
    assert_int_equal(exray_recorder_log_model(&r, model), EXRAY_OK);
    exray_recorder_frame_begin(&r, NULL);
    exray_tensor tensor = {.kind = EXRAY_KIND_INPUT,
                           .info = model->tensors[model->inputs[0]],
                           .index = EXRAY_NO_INDEX,
                           .data = values,
                           .size = sizeof values};
    exray_recorder_log_tensor(&r, &tensor);
    for (uint32_t n = 0; n < model->node_count; n++) {
        if (!(layers >> n & 1))
            continue;
        tensor.kind = EXRAY_KIND_LAYER;
        tensor.info = model->tensors[model->nodes[n].outputs[0]];
        tensor.index = n;
        exray_recorder_log_tensor(&r, &tensor);
    }
    exray_recorder_frame_end(&r);
    assert_int_equal(exray_recorder_close(&r), EXRAY_OK);
    exray_log *log = xr_log_open_bytes(bytes->data, bytes->size, "test", &error);
    if (!log)
        fail_msg("%s", error.message);
    return log;
}

typedef struct pair {
    message bytes;
    xr_model_file file;
    log_bytes edge_bytes, reference_bytes;
    exray_log *edge, *reference;
    exray_comparison *comparison;
    xr_plan plan;
} pair;

static pair *make(unsigned edge_layers)
{
    pair *p = calloc(1, sizeof *p);
    exray_error error = {EXRAY_OK, ""};
    assert_non_null(p);
    p->bytes = small_onnx();
    assert_int_equal(xr_model_read(p->bytes.data, p->bytes.size, &p->file, &error), EXRAY_OK);
    /* Neither the type nor the shape of h is in the file. */
    exray_model model = p->file.model;
    exray_tensor_info tensors[4];
    memcpy(tensors, model.tensors, sizeof tensors);
    for (int i = 0; i < 4; i++) {
        const char *name = tensors[i].name;
        tensors[i] = tensors[model.inputs[0]];
        tensors[i].name = name;
    }
    model.tensors = tensors;
    p->edge = record(&model, &p->edge_bytes, edge_layers, 1);
    p->reference = record(&model, &p->reference_bytes, 3, 2);
    p->comparison = xr_compare(p->edge, p->reference, NULL, &error);
    assert_non_null(p->comparison);
    assert_true(xr_plan_init(&p->plan, p->comparison, &p->file));
    return p;
}

static void release(pair *p)
{
    xr_plan_free(&p->plan);
    xr_comparison_free(p->comparison);
    exray_log_close(p->edge);
    exray_log_close(p->reference);
    xr_model_release(&p->file);
    free(p);
}

/* The pair of layers whose node is `node`. */
static size_t layer_of(const pair *p, uint32_t node)
{
    for (size_t i = 0; i < exray_comparison_layer_count(p->comparison); i++)
        if (exray_comparison_layer(p->comparison, i)->node[EXRAY_SIDE_REFERENCE] == node)
            return i;
    fail_msg("node %u is not compared", (unsigned)node);
    return 0;
}

static void a_layer_needs_its_own_node(void **state)
{
    (void)state;
    pair *p = make(3);
    uint32_t nodes[XR_BLOCK_MOST];
    const char *why = NULL;
    for (uint32_t n = 0; n < 2; n++) {
        assert_int_equal(xr_plan_block(&p->plan, layer_of(p, n), 1, nodes, &why), 1);
        assert_int_equal(nodes[0], n);
    }
    /* Two layers: back to the input. */
    assert_int_equal(xr_plan_block(&p->plan, layer_of(p, 1), 2, nodes, &why), 2);
    assert_int_equal(nodes[0], 0);
    assert_int_equal(nodes[1], 1);
    release(p);
}

static void what_is_not_recorded_is_computed(void **state)
{
    (void)state;
    pair *p = make(2); /* not the output of Relu */
    uint32_t nodes[XR_BLOCK_MOST];
    const char *why = NULL;
    assert_int_equal(xr_plan_block(&p->plan, layer_of(p, 1), 1, nodes, &why), 2);
    assert_int_equal(nodes[0], 0);
    assert_int_equal(nodes[1], 1);
    release(p);
}

static void tensors_are_found_by_name(void **state)
{
    (void)state;
    pair *p = make(3);
    const exray_model *log = exray_log_model(p->reference);
    for (uint32_t t = 0; t < log->tensor_count; t++) {
        uint32_t found = xr_find_tensor(&p->file.model, log, t);
        assert_true(found < p->file.model.tensor_count);
        assert_string_equal(p->file.model.tensors[found].name, log->tensors[t].name);
    }
    exray_tensor_info other = {.name = "another"};
    const exray_model unknown = {.tensors = &other, .tensor_count = 1};
    assert_int_equal(xr_find_tensor(&p->file.model, &unknown, 0), EXRAY_NO_INDEX);
    release(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layer_needs_its_own_node),
        cmocka_unit_test(what_is_not_recorded_is_computed),
        cmocka_unit_test(tensors_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
