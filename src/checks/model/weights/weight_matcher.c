#include "checks/model/weights/weight_matcher.h"

#include <stdlib.h>
#include <string.h>

enum { FEWEST_IN_SUM = 2 };

/* Whether operators of that name add their third input to what they multiply. */
static bool has_bias(const char *op)
{
    static const char *const part[] = {"Conv", "CONV", "Gemm", "FULLY_CONNECTED", "Linear"};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        if (strstr(op, part[i]))
            return true;
    return false;
}

uint64_t xr_fewest_weights(const xr_node_constant *c)
{
    const char *op = c->node && c->node->op ? c->node->op : "";
    if (strcmp(op, "Add") == 0 || strcmp(op, "ADD") == 0)
        return FEWEST_IN_SUM;
    return c->input == 2 && has_bias(op) ? 1 : XR_FEWEST_WEIGHTS;
}

static int by_name(const void *left, const void *right)
{
    const struct xr_constant_name *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : (a->tensor > b->tensor) - (a->tensor < b->tensor);
}

static bool list_names(xr_constant_table *c)
{
    c->named = calloc((size_t)c->model->tensor_count + 1, sizeof *c->named);
    for (uint32_t t = 0; c->named && t < c->model->tensor_count; t++) {
        const char *name = c->model->tensors[t].name;
        if (c->recorded[t] && !c->graph.parameter[t] && name && *name)
            c->named[c->named_count++] = (struct xr_constant_name){name, t};
    }
    if (c->named)
        qsort(c->named, c->named_count, sizeof *c->named, by_name);
    return c->named != NULL;
}

static bool collect(const exray_comparison *comparison, exray_side side, xr_constant_table *c)
{
    c->log = exray_comparison_log(comparison, side);
    c->model = exray_log_model(c->log);
    if (!c->model)
        return true;
    c->recorded = calloc((size_t)c->model->tensor_count + 1, sizeof *c->recorded);
    c->taken = calloc((size_t)c->model->tensor_count + 1, sizeof *c->taken);
    if (!c->recorded || !c->taken || !xr_weight_graph_make(comparison, side, &c->graph) ||
        !xr_weight_folds_make(c->log, &c->folds))
        return false;
    size_t count;
    const exray_record *record = exray_log_constants(c->log, &count);
    for (size_t i = 0; i < count; i++)
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_CONSTANT &&
            record[i].index < c->model->tensor_count)
            c->recorded[record[i].index] = true;
    return list_names(c);
}

bool xr_weight_matcher_make(const exray_comparison *comparison, xr_weight_matcher *m)
{
    bool ok = true;
    m->comparison = comparison;
    for (int s = 0; s < 2; s++)
        ok = xr_weight_values_make(&m->values[s]) && ok;
    for (int s = 0; s < 2 && ok; s++)
        ok = collect(comparison, (exray_side)s, &m->side[s]);
    return ok;
}

void xr_weight_matcher_free(xr_weight_matcher *m)
{
    for (int s = 0; s < 2; s++) {
        xr_weight_values_free(&m->values[s]);
        xr_weight_graph_free(&m->side[s].graph);
        xr_weight_folds_free(&m->side[s].folds);
        free(m->side[s].recorded);
        free(m->side[s].taken);
        free(m->side[s].named);
    }
    free(m->pair);
}
