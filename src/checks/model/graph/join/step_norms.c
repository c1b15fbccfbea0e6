#include "checks/model/graph/join/step_norms.h"

#include <math.h>
#include <string.h>

enum {
    WINDOW = 64, /* steps among which one normalization is */
    TERMS = 3,   /* x, its mean, a bias */
};

/* ---- What a tensor is, in terms of the normalized one --------------------------------------------- */

typedef enum norm_base { ONE, OF_X, OF_MEAN } norm_base;

/* factor * base * (1 / root)^power * array */
typedef struct norm_term {
    double factor;
    norm_base base;
    int power;
    uint32_t array; /* a constant, or EXRAY_NO_INDEX */
} norm_term;

/* A sum of terms; none: it is not known. */
typedef struct norm_sum {
    norm_term term[TERMS];
    size_t count;
} norm_sum;

static norm_sum sum_of(norm_base base, double factor, int power, uint32_t array)
{
    return (norm_sum){.term = {{factor, base, power, array}}, .count = 1};
}

static norm_sum added(const norm_sum *a, const norm_sum *b, double sign)
{
    norm_sum out = *a;
    if (!a->count || !b->count || a->count + b->count > TERMS)
        return (norm_sum){.count = 0};
    for (size_t i = 0; i < b->count; i++) {
        out.term[out.count] = b->term[i];
        out.term[out.count++].factor *= sign;
    }
    return out;
}

/* One of them is a single term without x and its mean; `power` 1: their product, -1: the quotient. */
static norm_sum multiplied(const norm_sum *a, const norm_sum *b, int power)
{
    const bool exchange = power > 0 && (b->count != 1 || b->term[0].base != ONE);
    const norm_sum *many = exchange ? b : a, *single = exchange ? a : b;
    norm_sum out = *many;
    if (!many->count || single->count != 1 || single->term[0].base != ONE ||
        (power < 0 && single->term[0].array != EXRAY_NO_INDEX))
        return (norm_sum){.count = 0};
    for (size_t i = 0; i < out.count; i++) {
        norm_term *t = &out.term[i];
        const norm_term *by = &single->term[0];
        if (t->array != EXRAY_NO_INDEX && by->array != EXRAY_NO_INDEX)
            return (norm_sum){.count = 0};
        t->factor = power > 0 ? t->factor * by->factor : t->factor / by->factor;
        t->power += power * by->power;
        t->array = t->array != EXRAY_NO_INDEX ? t->array : by->array;
    }
    return out;
}

/* Whether the sum is a whole normalization: its scale and bias, or EXRAY_NO_INDEX. */
static bool is_whole(const norm_sum *s, bool centered, uint32_t *scale, uint32_t *bias)
{
    const norm_term *of[3] = {NULL, NULL, NULL};
    for (size_t i = 0; i < s->count; i++) {
        if (of[s->term[i].base])
            return false;
        of[s->term[i].base] = &s->term[i];
    }
    const norm_term *x = of[OF_X], *mean = of[OF_MEAN], *one = of[ONE];
    if (!x || x->power != 1 || fabs(x->factor - 1) > 1e-6 || centered != (mean != NULL))
        return false;
    if (mean && (mean->power != 1 || fabs(mean->factor + 1) > 1e-6 || mean->array != x->array))
        return false;
    if (one && (one->power != 0 || one->array == EXRAY_NO_INDEX || one->factor != 1))
        return false;
    *scale = x->array;
    *bias = one ? one->array : EXRAY_NO_INDEX;
    return true;
}

/* ---- The graph ------------------------------------------------------------------------------------ */

typedef struct norm_search {
    xr_step_graph *graph;
    uint32_t *maker; /* [tensor_count] of raw, or EXRAY_NO_INDEX */
    bool *gone;      /* [raw_count] */
    norm_sum *sum;   /* [tensor_count]; known for the normalization that is looked at */
    bool *within;    /* [raw_count] its steps */
} norm_search;

/* The parts that all of them begin with. */
typedef struct norm_core {
    uint32_t root;            /* the step that takes the square root */
    uint32_t x, mean, spread; /* tensors; mean: EXRAY_NO_INDEX where nothing is subtracted */
    double epsilon;
    uint32_t first; /* step */
} norm_core;

static const xr_op_step *made_by(const norm_search *n, uint32_t tensor)
{
    uint32_t i = tensor < n->graph->tensor_count ? n->maker[tensor] : EXRAY_NO_INDEX;
    return i == EXRAY_NO_INDEX || n->gone[i] ? NULL : &n->graph->raw[i];
}

static bool is_function(const xr_op_step *step, xr_pointwise_op op)
{
    return step && step->kind == XR_STEP_FUNCTION && step->pointwise.op == op;
}

/* The tensor that has the same numbers and is computed. */
static uint32_t plain(const norm_search *n, uint32_t tensor)
{
    const xr_op_step *step = made_by(n, tensor);
    for (int i = 0; i < WINDOW && is_function(step, XR_PW_IDENTITY) && step->input_count == 1; i++) {
        tensor = step->input[0];
        step = made_by(n, tensor);
    }
    return tensor;
}

/* A function of one tensor and a number, in either order. */
static bool with_number(const norm_search *n, const xr_op_step *step, xr_pointwise_op op, uint32_t *tensor,
                        double *number)
{
    if (!is_function(step, op) || step->pointwise.operands != 2 || step->input_count != 1)
        return false;
    int at = step->operand[0] == EXRAY_NO_INDEX ? 1 : 0;
    *tensor = plain(n, step->operand[at]);
    *number = step->number[1 - at];
    return at == 0 || op == XR_PW_ADD || op == XR_PW_MUL;
}

static bool two_tensors(const norm_search *n, const xr_op_step *step, xr_pointwise_op op, uint32_t tensor[2])
{
    if (!is_function(step, op) || step->pointwise.operands != 2 || step->input_count != 2)
        return false;
    for (int i = 0; i < 2; i++)
        tensor[i] = plain(n, step->operand[i]);
    return true;
}

/* The tensor whose square it is; of a squared difference, both. */
static bool squares(const norm_search *n, uint32_t tensor, uint32_t of[2])
{
    const xr_op_step *step = made_by(n, plain(n, tensor));
    double number;
    of[1] = EXRAY_NO_INDEX;
    if (is_function(step, XR_PW_SQUARE) && step->input_count == 1) {
        of[0] = plain(n, step->input[0]);
        return true;
    }
    if (with_number(n, step, XR_PW_POW, &of[0], &number))
        return number == 2;
    if (step && strcmp(step->word, "squareddifference") == 0 && step->input_count == 2) {
        of[0] = plain(n, step->input[0]);
        of[1] = plain(n, step->input[1]);
        return true;
    }
    return two_tensors(n, step, XR_PW_MUL, of) && of[0] == of[1] && (of[1] = EXRAY_NO_INDEX);
}

/* The tensor whose mean it is, or EXRAY_NO_INDEX. */
static uint32_t mean_of(const norm_search *n, uint32_t tensor)
{
    const xr_op_step *step = made_by(n, plain(n, tensor));
    bool mean = step && step->kind == XR_STEP_REDUCE && strcmp(step->word, "mean") == 0;
    return mean && step->input_count ? plain(n, step->input[0]) : EXRAY_NO_INDEX;
}

static bool is_mean_of(const norm_search *n, uint32_t tensor, uint32_t x)
{
    return tensor != EXRAY_NO_INDEX && x != EXRAY_NO_INDEX && mean_of(n, tensor) == x;
}

/* x and its mean of the mean of squared differences; a mean of squares has none. */
static bool find_spread(const norm_search *n, norm_core *c)
{
    uint32_t squared = mean_of(n, c->spread), of[2], part[2];
    if (squared == EXRAY_NO_INDEX || !squares(n, squared, of))
        return false;
    if (of[1] != EXRAY_NO_INDEX || two_tensors(n, made_by(n, of[0]), XR_PW_SUB, part)) {
        if (of[1] != EXRAY_NO_INDEX)
            memcpy(part, of, sizeof part);
        for (int i = 0; i < 2; i++)
            if (is_mean_of(n, part[1 - i], part[i])) {
                c->x = part[i];
                c->mean = part[1 - i];
                return true;
            }
        if (of[1] != EXRAY_NO_INDEX)
            return false;
    }
    c->x = of[0];
    c->mean = EXRAY_NO_INDEX;
    return true;
}

/* The same of a mean of squares less the square of the mean, perhaps held at 0. */
static bool find_fast_spread(const norm_search *n, norm_core *c)
{
    const xr_op_step *step = made_by(n, c->spread);
    double number;
    uint32_t part[2], of[2], mean[2], tensor = c->spread;
    if (with_number(n, step, XR_PW_MAX, &tensor, &number) ||
        (is_function(step, XR_PW_CLIP) && step->input_count &&
         (tensor = plain(n, step->input[0])) < n->graph->tensor_count))
        step = made_by(n, tensor);
    if (!two_tensors(n, step, XR_PW_SUB, part))
        return false;
    uint32_t squared = mean_of(n, part[0]);
    if (squared == EXRAY_NO_INDEX || !squares(n, squared, of) || of[1] != EXRAY_NO_INDEX ||
        !squares(n, part[1], mean) || mean[1] != EXRAY_NO_INDEX || !is_mean_of(n, mean[0], of[0]))
        return false;
    c->x = of[0];
    c->mean = mean[0];
    return true;
}

/* A root of something plus a small number. */
static bool find_core(const norm_search *n, uint32_t root, norm_core *c)
{
    const xr_op_step *step = &n->graph->raw[root];
    double power = 0.5;
    uint32_t tensor;
    if (is_function(step, XR_PW_SQRT) || is_function(step, XR_PW_RSQRT))
        tensor = step->input_count == 1 ? plain(n, step->input[0]) : EXRAY_NO_INDEX;
    else if (!with_number(n, step, XR_PW_POW, &tensor, &power) || fabs(power) != 0.5)
        return false;
    c->root = root;
    if (!with_number(n, made_by(n, tensor), XR_PW_ADD, &c->spread, &c->epsilon) ||
        !(c->epsilon > 0 && c->epsilon < 1))
        return false;
    if (!find_spread(n, c) && !find_fast_spread(n, c))
        return false;
    uint32_t made = c->x < n->graph->tensor_count ? n->maker[c->x] : EXRAY_NO_INDEX;
    c->first = made == EXRAY_NO_INDEX ? 0 : made + 1;
    return root >= c->first && root - c->first < WINDOW;
}

/* ---- What follows from the root --------------------------------------------------------------------- */

static norm_sum operand_sum(const norm_search *n, const xr_op_step *step, uint32_t i)
{
    return step->operand[i] == EXRAY_NO_INDEX ? sum_of(ONE, step->number[i], 0, EXRAY_NO_INDEX)
                                              : n->sum[step->operand[i]];
}

static norm_sum combined(const char *word, const norm_sum *a, const norm_sum *b)
{
    if (strcmp(word, "add") == 0)
        return added(a, b, 1);
    if (strcmp(word, "sub") == 0)
        return added(a, b, -1);
    if (strcmp(word, "mul") == 0)
        return multiplied(a, b, 1);
    return strcmp(word, "div") == 0 ? multiplied(a, b, -1) : (norm_sum){.count = 0};
}

static norm_sum function_sum(const norm_search *n, const xr_op_step *step)
{
    const norm_sum minus = sum_of(ONE, -1, 0, EXRAY_NO_INDEX), one = sum_of(ONE, 1, 0, EXRAY_NO_INDEX);
    norm_sum a = operand_sum(n, step, 0), b = operand_sum(n, step, 1);
    switch (step->pointwise.op) {
    case XR_PW_IDENTITY:
        return a;
    case XR_PW_NEGATIVE:
        return multiplied(&a, &minus, 1);
    case XR_PW_RECIPROCAL:
        return multiplied(&one, &a, -1);
    case XR_PW_ADD:
        return added(&a, &b, 1);
    case XR_PW_SUB:
        return added(&a, &b, -1);
    case XR_PW_MUL:
        return multiplied(&a, &b, 1);
    case XR_PW_DIV:
        return multiplied(&a, &b, -1);
    default:
        return (norm_sum){.count = 0};
    }
}

/* Of the step's output. */
static norm_sum step_sum(const norm_search *n, const xr_op_step *step)
{
    if (step->kind == XR_STEP_FUNCTION)
        return function_sum(n, step);
    if (step->kind != XR_STEP_COMBINE || step->input_count + step->constant_count != 2 || !step->input_count)
        return (norm_sum){.count = 0};
    if (step->input_count == 2)
        return combined(step->word, &n->sum[step->input[0]], &n->sum[step->input[1]]);
    const norm_sum array = sum_of(ONE, 1, 0, step->constant[0]), *input = &n->sum[step->input[0]];
    bool first = step->node->input_count && step->node->inputs[0] == step->input[0];
    return combined(step->word, first ? input : &array, first ? &array : input);
}

/* Marks the steps that a tensor is computed by, down to x; false: others read what is between, or it is an
 * output of the model. */
static bool mark(const norm_search *n, const norm_core *c, uint32_t last)
{
    const xr_step_graph *g = n->graph;
    memset(n->within + c->first, 0, (last + 1 - c->first) * sizeof *n->within);
    n->within[last] = true;
    for (uint32_t i = last + 1; i-- > c->first;)
        for (uint32_t k = 0; n->within[i] && k < g->raw[i].input_count; k++) {
            uint32_t made = n->maker[g->raw[i].input[k]];
            if (g->raw[i].input[k] == c->x)
                continue;
            if (made == EXRAY_NO_INDEX || made < c->first || n->gone[made])
                return false;
            n->within[made] = true;
        }
    for (uint32_t i = c->first; i < g->raw_count; i++)
        for (uint32_t k = 0; k < g->raw[i].input_count && !(i <= last && n->within[i]); k++) {
            uint32_t made = n->maker[g->raw[i].input[k]];
            if (made != EXRAY_NO_INDEX && made >= c->first && made < last && n->within[made])
                return false;
        }
    for (uint32_t i = 0; i < g->model->output_count; i++) {
        uint32_t tensor = g->model->outputs[i];
        uint32_t made = tensor < g->tensor_count ? n->maker[tensor] : EXRAY_NO_INDEX;
        if (made != EXRAY_NO_INDEX && made >= c->first && made < last && n->within[made])
            return false;
    }
    return true;
}

/* Dimensions of x over which it is normalized, a bit each; 0: not known. */
static uint32_t dimensions_of(const norm_search *n, const norm_core *c, uint32_t *rank)
{
    const exray_model *model = n->graph->model;
    uint32_t over = 0;
    if (c->x >= model->tensor_count || c->spread >= model->tensor_count)
        return 0;
    const exray_tensor_info *x = &model->tensors[c->x], *spread = &model->tensors[c->spread];
    *rank = x->rank;
    if (*rank < 2 || *rank > 8 || spread->rank != *rank)
        return 0;
    for (uint32_t i = 0; i < *rank; i++)
        over |= (uint32_t)(spread->shape[i] == 1 && x->shape[i] != 1) << i;
    return over;
}

/* What the operator of such a normalization does, channels first or last; NULL: there is none. */
static const char *word_of(const norm_search *n, const norm_core *c)
{
    uint32_t rank, over = dimensions_of(n, c, &rank);
    if (!over)
        return NULL;
    const uint32_t all = (1U << rank) - 1, last = 1U << (rank - 1), before_last = last >> 1;
    if (over == last || over == (all & ~1U))
        return c->mean == EXRAY_NO_INDEX ? "rms norm" : "layer norm";
    if (c->mean == EXRAY_NO_INDEX || rank < 3)
        return NULL;
    if (over == (all & ~3U) || over == (all & ~1U & ~last))
        return "instance norm";
    return rank > 3 && over == (all & ~1U & ~before_last) ? "group norm" : NULL;
}

/* What a Reshape parted the channels to groups for, and put together again. */
typedef struct norm_groups {
    uint32_t before, behind; /* steps */
} norm_groups;

/* The one step that reads a tensor, where it only gives it another shape; EXRAY_NO_INDEX: others do. */
static uint32_t reshaped_by(const norm_search *n, uint32_t tensor)
{
    const xr_step_graph *g = n->graph;
    uint32_t found = EXRAY_NO_INDEX, readers = 0;
    for (uint32_t i = 0; i < g->raw_count; i++)
        for (uint32_t k = 0; k < g->raw[i].input_count && !n->gone[i]; k++)
            if (g->raw[i].input[k] == tensor) {
                found = i;
                readers++;
            }
    return readers == 1 && g->raw[found].kind == XR_STEP_SHAPE ? found : EXRAY_NO_INDEX;
}

/* The steps before and behind, which nothing else reads; its own are marked. */
static bool find_groups(const norm_search *n, const norm_core *c, uint32_t last, norm_groups *groups)
{
    const xr_step_graph *g = n->graph;
    *groups = (norm_groups){n->maker[c->x], reshaped_by(n, g->raw[last].output)};
    if (groups->before == EXRAY_NO_INDEX || n->gone[groups->before] || groups->behind == EXRAY_NO_INDEX ||
        g->raw[groups->before].kind != XR_STEP_SHAPE || !g->raw[groups->before].input_count)
        return false;
    for (uint32_t i = 0; i < g->raw_count; i++)
        for (uint32_t k = 0; k < g->raw[i].input_count; k++)
            if (g->raw[i].input[k] == c->x && !n->gone[i] && !(i <= last && n->within[i]))
                return false;
    return true;
}

static void leave_out(const norm_search *n, uint32_t step, uint32_t whole)
{
    if (!n->gone[step])
        n->graph->inside[n->graph->raw[step].output] = whole;
    n->gone[step] = true;
}

/* groups: NULL where there are none. */
static void join(const norm_search *n, const norm_core *c, const char *word, uint32_t last,
                 const uint32_t constants[2], const norm_groups *groups)
{
    xr_step_graph *g = n->graph;
    xr_op_step *step = &g->raw[last];
    const xr_op_step *end = groups ? &g->raw[groups->behind] : step;
    const exray_node *node = end->node;
    const uint32_t at = end->at, output = end->output;
    uint32_t *input = xr_step_take(g->memory, 1, sizeof *input),
             *constant = xr_step_take(g->memory, 2, sizeof *constant);
    if (!input || !constant)
        return;
    input[0] = groups ? g->raw[groups->before].input[0] : c->x;
    for (uint32_t i = c->first; i < last; i++)
        if (n->within[i])
            leave_out(n, i, output);
    if (groups) {
        leave_out(n, groups->before, output);
        g->inside[step->output] = output;
        n->gone[groups->behind] = true;
    }
    *step = (xr_op_step){.kind = XR_STEP_NORM,
                         .node = node,
                         .at = at,
                         .output = output,
                         .input = input,
                         .input_count = 1,
                         .constant = constant,
                         .epsilon = c->epsilon};
    if (groups)
        step->groups = (double)g->model->tensors[c->x].shape[g->model->tensors[c->x].rank - 2];
    strcpy(step->word, word);
    for (int k = 0; k < 2; k++)
        if (constants[k] != EXRAY_NO_INDEX)
            constant[step->constant_count++] = constants[k];
}

/* Joins the longest whole normalization that is computed from the root. */
static void join_from(const norm_search *n, const norm_core *c)
{
    xr_step_graph *g = n->graph;
    const char *word = word_of(n, c);
    uint32_t end = c->first + WINDOW < g->raw_count ? c->first + WINDOW : g->raw_count, last = EXRAY_NO_INDEX;
    uint32_t constants[2] = {EXRAY_NO_INDEX, EXRAY_NO_INDEX}, found[2];
    norm_groups groups;
    if (!word)
        return;
    memset(n->sum, 0, g->tensor_count * sizeof *n->sum);
    n->sum[c->x] = sum_of(OF_X, 1, 0, EXRAY_NO_INDEX);
    for (uint32_t i = c->first; i < end; i++) {
        const xr_op_step *step = &g->raw[i];
        bool inverse =
            step->pointwise.op == XR_PW_RSQRT || (step->pointwise.op == XR_PW_POW && step->number[1] < 0);
        if (n->gone[i])
            continue;
        if (i == c->root)
            n->sum[step->output] = sum_of(ONE, 1, inverse ? 1 : -1, EXRAY_NO_INDEX);
        else if (c->mean != EXRAY_NO_INDEX && step->output == c->mean)
            n->sum[step->output] = sum_of(OF_MEAN, 1, 0, EXRAY_NO_INDEX);
        else
            n->sum[step->output] = step_sum(n, step);
        if (i > c->root && is_whole(&n->sum[step->output], c->mean != EXRAY_NO_INDEX, &found[0], &found[1]) &&
            mark(n, c, i)) {
            last = i;
            memcpy(constants, found, sizeof found);
        }
    }
    if (last == EXRAY_NO_INDEX || !mark(n, c, last))
        return;
    bool grouped = strcmp(word, "group norm") == 0;
    if (!grouped || find_groups(n, c, last, &groups))
        join(n, c, word, last, constants, grouped ? &groups : NULL);
}

/* ---- Whether it is needed -------------------------------------------------------------------------------
 */

static size_t count_of(const exray_node *node, uint32_t count, const char *const name[], size_t *of)
{
    size_t all = 0;
    for (uint32_t i = 0; i < count; i++) {
        char op[64];
        exray_node_plain_op(node[i].op, op, sizeof op);
        for (size_t k = 0; name[k]; k++)
            if (strcmp(op, name[k]) == 0) {
                of[k]++;
                all++;
            }
        all += count_of(node[i].inner, node[i].inner_count, name, of);
    }
    return all;
}

/* Whether both models are written with as many of the operators that normalizations are made of. */
static bool are_alike(const exray_model *a, const exray_model *b)
{
    static const char *const name[] = {"reducemean",
                                       "mean",
                                       "sub",
                                       "subtract",
                                       "pow",
                                       "square",
                                       "squareddifference",
                                       "add",
                                       "sqrt",
                                       "rsqrt",
                                       "reciprocal",
                                       "neg",
                                       "negative",
                                       "div",
                                       "truediv",
                                       "mul",
                                       "multiply",
                                       "layernormalization",
                                       "layernorm",
                                       "simplifiedlayernormalization",
                                       "rmsnormalization",
                                       "skiplayernormalization",
                                       "instancenormalization",
                                       NULL};
    size_t of[2][sizeof name / sizeof *name] = {{0}};
    count_of(a->nodes, a->node_count, name, of[0]);
    count_of(b->nodes, b->node_count, name, of[1]);
    return memcmp(of[0], of[1], sizeof of[0]) == 0;
}

void xr_step_join_norms(xr_step_graph *graph)
{
    if (!graph->other || are_alike(graph->model, graph->other))
        return;
    norm_search n = {.graph = graph,
                     .maker = xr_step_take(graph->memory, (size_t)graph->tensor_count + 1, sizeof *n.maker),
                     .gone = xr_step_take(graph->memory, (size_t)graph->raw_count + 1, sizeof *n.gone),
                     .within = xr_step_take(graph->memory, (size_t)graph->raw_count + 1, sizeof *n.within),
                     .sum = xr_step_take(graph->memory, (size_t)graph->tensor_count + 1, sizeof *n.sum)};
    graph->inside = xr_step_take(graph->memory, (size_t)graph->tensor_count + 1, sizeof *graph->inside);
    if (!n.maker || !n.gone || !n.within || !n.sum || !graph->inside)
        return;
    for (uint32_t t = 0; t < graph->tensor_count; t++)
        n.maker[t] = graph->inside[t] = EXRAY_NO_INDEX;
    for (uint32_t i = 0; i < graph->raw_count; i++) {
        const exray_node *node = graph->raw[i].node;
        for (uint32_t k = 0; k < node->output_count && graph->raw[i].output < graph->model->tensor_count; k++)
            if (node->outputs[k] < graph->model->tensor_count)
                n.maker[node->outputs[k]] = i;
        n.maker[graph->raw[i].output] = i;
    }
    for (uint32_t i = 0; i < graph->raw_count; i++) {
        norm_core core;
        if (!n.gone[i] && find_core(&n, i, &core))
            join_from(&n, &core);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < graph->raw_count; i++)
        if (!n.gone[i])
            graph->raw[kept++] = graph->raw[i];
    graph->raw_count = kept;
}
