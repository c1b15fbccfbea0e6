#include "checks/model/graph/step_graph.h"

#include "checks/model/graph/expand/step_expand.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const exray_tensor_info *xr_step_graph_info(const xr_step_graph *graph, uint32_t tensor)
{
    return tensor < graph->model->tensor_count ? &graph->model->tensors[tensor] : NULL;
}

uint32_t xr_step_graph_unpacked(const xr_step_graph *graph, uint32_t tensor)
{
    const uint32_t at = graph->tensor[tensor].raw;
    const xr_op_step *raw = at == EXRAY_NO_INDEX ? NULL : &graph->raw[at];
    const bool same = raw && raw->kind == XR_STEP_FUNCTION && raw->pointwise.op == XR_PW_IDENTITY;
    return same && raw->input_count == 1 ? raw->input[0] : EXRAY_NO_INDEX;
}

uint32_t xr_step_graph_before_shapes(const xr_step_graph *graph, uint32_t tensor)
{
    enum { FURTHEST = 4 };
    for (int i = 0; i < FURTHEST; i++) {
        const uint32_t maker = graph->tensor[tensor].maker;
        if (maker == EXRAY_NO_INDEX || graph->step[maker].kind != XR_STEP_SHAPE ||
            graph->step[maker].input_count != 1)
            break;
        tensor = graph->step[maker].input[0];
    }
    return tensor;
}

uint32_t xr_step_largest_constant(const xr_step_graph *graph, const xr_op_step *step, uint64_t fewest)
{
    uint32_t largest = EXRAY_NO_INDEX;
    uint64_t most = fewest - 1;
    for (uint32_t i = 0; i < step->constant_count; i++) {
        const uint64_t count = xr_tensor_elements(&graph->model->tensors[step->constant[i]]);
        if (count > most) {
            most = count;
            largest = step->constant[i];
        }
    }
    return largest;
}

/* ---- Functions ----------------------------------------------------------------------- */

/* The tensor that all of a function's operands are functions of; EXRAY_NO_INDEX: of several. */
static uint32_t common_root(const xr_step_graph *g, const xr_op_step *step)
{
    uint32_t root = EXRAY_NO_INDEX;
    for (uint32_t i = 0; i < step->input_count; i++) {
        uint32_t own = g->tensor[step->input[i]].root;
        if (root != EXRAY_NO_INDEX && root != own)
            return EXRAY_NO_INDEX;
        root = own;
    }
    return root;
}

static void read_operands(const xr_step_graph *g, const xr_op_step *step,
                          xr_operand operand[XR_STEP_OPERANDS])
{
    for (uint32_t i = 0; i < step->pointwise.operands; i++) {
        uint32_t tensor = step->operand[i];
        const double *value = tensor == EXRAY_NO_INDEX ? NULL : g->tensor[tensor].value;
        operand[i] = (xr_operand){tensor == EXRAY_NO_INDEX ? NULL
                                  : value                  ? value
                                                           : xr_points,
                                  step->number[i]};
    }
}

/* Adds how much the result changes where operand i is off by what rounding explains. */
static void add_slack(const xr_step_graph *g, const xr_op_step *step,
                      const xr_operand operand[XR_STEP_OPERANDS], uint32_t i, const double *value,
                      double *slack)
{
    xr_operand moved[XR_STEP_OPERANDS];
    double at[XR_POINTS], made[XR_POINTS];
    const double *own = step->operand[i] == EXRAY_NO_INDEX ? NULL : g->tensor[step->operand[i]].slack;
    memcpy(moved, operand, sizeof moved);
    moved[i].number += step->rounding[i];
    for (int k = 0; own && k < XR_POINTS; k++)
        at[k] = operand[i].value[k] + own[k];
    if (own)
        moved[i].value = at;
    if (!own && step->rounding[i] == 0)
        return;
    xr_pointwise_apply(&step->pointwise, moved, step->pointwise.operands, XR_POINTS, made);
    for (int k = 0; k < XR_POINTS; k++)
        slack[k] += isfinite(made[k]) && isfinite(value[k]) ? fabs(made[k] - value[k]) : 0;
}

/* What the rounding of constants may be of a function's values; NULL: nothing. */
static const double *slack_of(const xr_step_graph *g, const xr_op_step *step, const double *value)
{
    xr_operand operand[XR_STEP_OPERANDS] = {{0}};
    bool any = false;
    for (uint32_t i = 0; i < step->pointwise.operands; i++)
        any = any || step->rounding[i] > 0 ||
              (step->operand[i] != EXRAY_NO_INDEX && g->tensor[step->operand[i]].slack);
    double *slack = any ? xr_step_take(g->memory, XR_POINTS, sizeof *slack) : NULL;
    read_operands(g, step, operand);
    for (uint32_t i = 0; slack && i < step->pointwise.operands; i++)
        add_slack(g, step, operand, i, value, slack);
    return slack;
}

/* Whether a tensor of a convolution or a product has one channel. */
static bool has_one_channel(const xr_step_graph *g, const xr_op_step *core)
{
    const exray_tensor_info *info = xr_step_graph_info(g, core->output);
    if (!info || info->rank < 2)
        return false;
    bool first = core->kind == XR_STEP_CONV && (!info->layout || strcmp(info->layout, "NHWC") != 0);
    return info->shape[first ? 1 : info->rank - 1] == 1;
}

/* The number that is added to a result of one channel is its bias, as it is the array of more. */
static bool is_single_bias(const xr_step_graph *g, const xr_op_step *step, uint32_t *constant)
{
    if (step->pointwise.op != XR_PW_ADD || step->input_count != 1 || step->node->input_count != 2)
        return false;
    uint32_t from = g->tensor[step->input[0]].same_as, raw = g->tensor[from].raw;
    const xr_op_step *core = raw == EXRAY_NO_INDEX ? NULL : &g->raw[raw];
    *constant = step->node->inputs[step->operand[0] == EXRAY_NO_INDEX ? 0 : 1];
    return core && (core->kind == XR_STEP_CONV || core->kind == XR_STEP_PRODUCT) && core->output == from &&
           core->constant_count == 1 && *constant < g->model->tensor_count && has_one_channel(g, core);
}

/* A function of two tensors that are not functions of the same one is a step of its own. */
static void settle_function(xr_step_graph *g, xr_op_step *step)
{
    if (is_single_bias(g, step, &step->constant[0])) {
        step->kind = XR_STEP_COMBINE;
        step->constant_count = 1;
        return;
    }
    uint32_t root = common_root(g, step);
    if (root == EXRAY_NO_INDEX) {
        step->kind = step->input_count > 1 ? XR_STEP_COMBINE : XR_STEP_OTHER;
        return;
    }
    xr_tensor_facts *made = &g->tensor[step->output];
    double *value = xr_step_take(g->memory, XR_POINTS, sizeof *value);
    if (!value)
        return;
    xr_operand operand[XR_STEP_OPERANDS];
    read_operands(g, step, operand);
    xr_pointwise_apply(&step->pointwise, operand, step->pointwise.operands, XR_POINTS, value);
    made->root = root;
    made->slack = slack_of(g, step, value);
    if (xr_same_function(value, xr_points, NULL, NULL))
        made->same_as = g->tensor[root].same_as;
    else
        made->value = value;
}

static void settle_functions(xr_step_graph *g)
{
    for (uint32_t i = 0; i < g->raw_count; i++) {
        xr_op_step *step = &g->raw[i];
        for (uint32_t k = 0; !step->cut && k < step->node->output_count; k++)
            if (step->node->outputs[k] < g->model->tensor_count && step->output < g->model->tensor_count)
                g->tensor[step->node->outputs[k]].raw = i;
        g->tensor[step->output].raw = i;
        if (step->kind == XR_STEP_FUNCTION)
            settle_function(g, step);
    }
}

/* Tensors that something else reads than a further function of the same tensor. */
static void find_ends(const xr_step_graph *g, bool *end)
{
    for (uint32_t i = 0; i < g->raw_count; i++) {
        const xr_op_step *step = &g->raw[i];
        for (uint32_t k = 0; k < step->input_count; k++) {
            const xr_tensor_facts *read = &g->tensor[step->input[k]];
            if (step->kind != XR_STEP_FUNCTION || g->tensor[step->output].root != read->root)
                end[read->same_as] = true;
        }
    }
    for (uint32_t i = 0; i < g->model->output_count; i++)
        if (g->model->outputs[i] < g->model->tensor_count)
            end[g->tensor[g->model->outputs[i]].same_as] = true;
}

/* ---- The steps ------------------------------------------------------------------------- */

static void keep_step(xr_step_graph *g, const xr_op_step *raw)
{
    xr_op_step *step = &g->step[g->count++];
    *step = *raw;
    for (uint32_t k = 0; k < step->input_count; k++)
        step->input[k] = g->tensor[step->input[k]].same_as;
    for (uint32_t k = 0; !raw->cut && k < raw->node->output_count; k++)
        if (raw->node->outputs[k] < g->model->tensor_count && raw->output < g->model->tensor_count)
            g->tensor[raw->node->outputs[k]].maker = g->count - 1;
    g->tensor[raw->output].maker = g->count - 1;
}

static void keep_function(xr_step_graph *g, const xr_op_step *raw)
{
    uint32_t *input = xr_step_take(g->memory, 1, sizeof *input);
    if (!input)
        return;
    xr_op_step *step = &g->step[g->count++];
    const xr_tensor_facts *made = &g->tensor[raw->output];
    *step = *raw;
    step->value = made->value;
    step->slack = made->slack;
    step->input = input; /* the node's own inputs are those of its last part */
    step->input_count = 1;
    step->constant_count = 0;
    step->input[0] = g->tensor[made->root].same_as;
    strcpy(step->word, "function");
    g->tensor[raw->output].maker = g->count - 1;
}

/* The sum of a product or a convolution and a constant array is its bias, as a fused one has it. */
static bool join_bias(xr_step_graph *g, const xr_op_step *raw)
{
    if (raw->kind != XR_STEP_COMBINE || strcmp(raw->word, "add") != 0 || raw->input_count != 1 ||
        raw->constant_count != 1)
        return false;
    uint32_t maker = g->tensor[g->tensor[raw->input[0]].same_as].maker;
    if (maker == EXRAY_NO_INDEX || g->tensor[g->tensor[raw->input[0]].same_as].readers > 1)
        return false;
    xr_op_step *core = &g->step[maker];
    bool takes = (core->kind == XR_STEP_CONV || core->kind == XR_STEP_PRODUCT) && core->constant_count == 1;
    if (!takes)
        return false;
    uint32_t *constant = xr_step_take(g->memory, 2, sizeof *constant);
    if (!constant)
        return false;
    constant[0] = core->constant[0];
    constant[1] = raw->constant[0];
    core->constant = constant;
    core->constant_count = 2;
    core->output = raw->output;
    g->tensor[raw->output].maker = maker;
    return true;
}

/* Readers of each tensor among all raw steps, so that a sum is joined only where nothing else reads.  What
 * changes no number reads nothing: its own readers count. */
static void count_readers(xr_step_graph *g)
{
    for (uint32_t i = 0; i < g->raw_count; i++)
        for (uint32_t k = 0; k < g->raw[i].input_count; k++) {
            uint32_t read = g->tensor[g->raw[i].input[k]].same_as;
            if (g->tensor[g->raw[i].output].same_as != read)
                g->tensor[read].readers++;
        }
    for (uint32_t i = 0; i < g->model->output_count; i++)
        if (g->model->outputs[i] < g->model->tensor_count)
            g->tensor[g->tensor[g->model->outputs[i]].same_as].readers++;
}

static bool make_steps(xr_step_graph *g)
{
    g->step = xr_step_take(g->memory, (size_t)g->raw_count + 1, sizeof *g->step);
    bool *end = calloc((size_t)g->tensor_count + 1, sizeof *end);
    if (!g->step || !end) {
        free(end);
        return false;
    }
    find_ends(g, end);
    count_readers(g);
    for (uint32_t i = 0; i < g->raw_count; i++) {
        const xr_op_step *raw = &g->raw[i];
        if (raw->kind != XR_STEP_FUNCTION) {
            if (!join_bias(g, raw))
                keep_step(g, raw);
        } else if (g->tensor[raw->output].value && end[g->tensor[raw->output].same_as])
            keep_function(g, raw);
    }
    free(end);
    return true;
}

static bool build(xr_step_graph *g)
{
    bool *constant = calloc((size_t)g->model->tensor_count + 1, sizeof *constant);
    bool ok = constant && xr_step_expand(g, constant);
    if (ok)
        g->tensor = xr_step_take(g->memory, (size_t)g->tensor_count + 1, sizeof *g->tensor);
    ok = ok && g->tensor;
    for (uint32_t t = 0; ok && t < g->tensor_count; t++)
        g->tensor[t] = (xr_tensor_facts){.maker = EXRAY_NO_INDEX,
                                         .raw = EXRAY_NO_INDEX,
                                         .root = t,
                                         .same_as = t,
                                         .constant = t < g->model->tensor_count && constant[t]};
    if (ok) {
        settle_functions(g);
        ok = make_steps(g) && !g->memory->failed;
    }
    free(constant);
    return ok;
}

bool xr_step_graph_open(const exray_log *log, const exray_log *other, xr_step_graph *out)
{
    *out = (xr_step_graph){.model = exray_log_model(log), .other = exray_log_model(other)};
    out->memory = calloc(1, sizeof *out->memory);
    if (out->memory && xr_model_constants_open(log, &out->constants) && build(out))
        return true;
    xr_step_graph_close(out);
    return false;
}

void xr_step_graph_close(xr_step_graph *graph)
{
    if (graph->constants.model)
        xr_model_constants_close(&graph->constants);
    if (graph->memory)
        xr_step_memory_free(graph->memory);
    free(graph->memory);
    *graph = (xr_step_graph){0};
}

/* ---- On other values ---------------------------------------------------------------------- */

static bool is_part_of(const xr_step_graph *g, const xr_op_step *step, uint32_t root)
{
    return step->kind == XR_STEP_FUNCTION && g->tensor[step->output].root == root && step->output != root;
}

bool xr_step_graph_compute(const xr_step_graph *g, uint32_t from, uint32_t tensor, const double *value,
                           size_t count, double *out)
{
    uint32_t last = g->tensor[tensor].raw, root = g->tensor[tensor].root;
    double **known = calloc((size_t)g->tensor_count + 1, sizeof *known);
    bool ok = known && last != EXRAY_NO_INDEX && root != tensor && from != tensor, done = false;
    for (uint32_t i = 0; ok && !done && i <= last; i++) {
        const xr_op_step *step = &g->raw[i];
        bool given = is_part_of(g, step, root) && step->output != from;
        xr_operand operand[XR_STEP_OPERANDS];
        for (uint32_t k = 0; given && k < step->pointwise.operands; k++) {
            uint32_t t = step->operand[k];
            const double *of = t == EXRAY_NO_INDEX ? NULL : t == from ? value : known[t];
            given = of || t == EXRAY_NO_INDEX; /* else it comes before `from` */
            operand[k] = (xr_operand){of, step->number[k]};
        }
        if (!given)
            continue;
        done = step->output == tensor;
        if (!done) {
            free(known[step->output]);
            known[step->output] = malloc((count + 1) * sizeof *out);
            ok = known[step->output] != NULL;
        }
        if (ok)
            xr_pointwise_apply(&step->pointwise, operand, step->pointwise.operands, count,
                               done ? out : known[step->output]);
    }
    for (uint32_t t = 0; known && t < g->tensor_count; t++)
        free(known[t]);
    free(known);
    return ok && done;
}

/* The last step of a function that reads a tensor of it; 0: none. */
static uint32_t last_reader(const xr_step_graph *g, uint32_t tensor, uint32_t root, uint32_t last)
{
    for (uint32_t i = last + 1; i-- > 0;)
        for (uint32_t k = 0; is_part_of(g, &g->raw[i], root) && k < g->raw[i].input_count; k++)
            if (g->raw[i].input[k] == tensor)
                return i;
    return 0;
}

static bool has_name(const xr_step_graph *g, uint32_t from, uint32_t tensor)
{
    double value[XR_POINTS], factor, offset;
    char words[64];
    return xr_step_graph_compute(g, from, tensor, xr_points, XR_POINTS, value) &&
           xr_function_words(value, words, sizeof words) && !xr_is_line(value, &factor, &offset);
}

size_t xr_step_graph_parts(const xr_step_graph *g, uint32_t tensor, uint32_t part[XR_FUNCTION_PARTS])
{
    uint32_t root = g->tensor[tensor].root, last = g->tensor[tensor].raw, from = root;
    size_t count = 0;
    if (last == EXRAY_NO_INDEX || root == tensor)
        return 0;
    uint32_t open = last_reader(g, root, root, last);
    for (uint32_t i = 0; i < last && count + 1 < XR_FUNCTION_PARTS; i++) {
        uint32_t made = g->raw[i].output;
        if (!is_part_of(g, &g->raw[i], root))
            continue;
        /* What comes behind reads this tensor alone. */
        if (open <= i && has_name(g, from, made)) {
            part[count++] = made;
            from = made;
        }
        uint32_t reader = last_reader(g, made, root, last);
        open = reader > open ? reader : open;
    }
    part[count++] = tensor;
    return count;
}

/* Notes what a step reads among the tensors whose makers are to be listed.  False: there is no room. */
static bool note_operands(const xr_op_step *step, uint32_t *needed, size_t *count, size_t most)
{
    for (uint32_t k = 0; k < step->input_count; k++) {
        if (*count == most)
            return false;
        needed[(*count)++] = step->input[k];
    }
    return true;
}

/* What a step is listed as: its operator, or the activation or the factor that another operator has within.
 */
static void put_operator(const xr_op_step *step, char *text, size_t size)
{
    char plain[XR_PLAIN_NAME];
    const exray_node *node = step->node;
    const char *fused = exray_node_attribute(node, "activation");
    exray_node_plain_op(node->op, plain, sizeof plain);
    fused = fused ? fused : exray_node_attribute(node, "fused_activation_function");
    const bool own = xr_pointwise_of(node, plain).op == step->pointwise.op;
    const size_t used = strlen(text);
    const char *comma = used ? ", " : "";
    char *to = text + used;
    if (!own && !fused && step->pointwise.op == XR_PW_MUL) {
        snprintf(to, size - used, "%salpha %.6g of the product behind", comma, step->number[1]);
        return;
    }
    int n = snprintf(to, size - used, "%s%.24s", comma, !own && fused ? fused : node->op);
    for (uint32_t k = 0; n >= 0 && used + (size_t)n < size && k < step->pointwise.operands; k++)
        if (step->operand[k] == EXRAY_NO_INDEX && fabs(step->number[k]) < 1e37)
            n += snprintf(to + n, size - used - (size_t)n, " %.6g", step->number[k]);
}

bool xr_step_graph_operators(const xr_step_graph *g, uint32_t tensor, char *text, size_t size)
{
    enum { MOST = 8, ROOM = 4 * MOST };
    const uint32_t root = g->tensor[tensor].root;
    uint32_t needed[ROOM] = {tensor}, part[MOST];
    size_t wanted = 1, parts = 0;
    text[0] = '\0';
    for (uint32_t i = g->tensor[tensor].raw == EXRAY_NO_INDEX ? 0 : g->tensor[tensor].raw + 1; i-- > 0;) {
        bool reads = false;
        for (size_t k = 0; k < wanted; k++)
            reads = reads || needed[k] == g->raw[i].output;
        if (!reads || !is_part_of(g, &g->raw[i], root))
            continue;
        if (parts == MOST || !note_operands(&g->raw[i], needed, &wanted, ROOM))
            return false;
        part[parts++] = i;
    }
    while (parts > 0 && strlen(text) + 1 < size)
        put_operator(&g->raw[part[--parts]], text, size);
    return text[0] && strlen(text) + 1 < size;
}

bool xr_step_is_whole(const xr_op_step *step)
{
    const bool loops =
        xr_reads_by_name(step->node) || (step->node->op && strcmp(step->node->op, "WHILE") == 0);
    return loops ||
           (step->kind == XR_STEP_OTHER && step->constant_count > 1 && !xr_is_recurrent_word(step->word));
}

const char *xr_step_name(const xr_step_graph *graph, const xr_op_step *step)
{
    const exray_tensor_info *info = xr_step_graph_info(graph, step->output);
    if (info && info->name && *info->name)
        return info->name;
    if (step->node->name && *step->node->name)
        return step->node->name;
    info = step->node->output_count ? xr_step_graph_info(graph, step->node->outputs[0]) : NULL;
    return info && info->name ? info->name : "";
}
