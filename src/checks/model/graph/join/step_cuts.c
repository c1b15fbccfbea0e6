#include "checks/model/graph/join/step_cuts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_INDICES = 64 };

typedef struct cutter {
    xr_step_graph *graph;
    const uint32_t *source;
    xr_op_step *made; /* the new list */
    uint32_t count, room;
    const xr_cut **cut; /* [tensors] how a tensor is cut, or NULL */
    uint32_t *same;     /* [tensors] the tensor that it is the whole of, or itself */
} cutter;

/* ---- What a node says ---------------------------------------------------------------------- */

static const exray_tensor_info *info_of(const cutter *c, uint32_t tensor)
{
    return tensor < c->graph->model->tensor_count ? &c->graph->model->tensors[tensor] : NULL;
}

static uint32_t node_input(const exray_node *node, uint32_t i)
{
    return i < node->input_count ? node->inputs[i] : EXRAY_NO_INDEX;
}

/* Numbers of an input that is constant, or of an attribute; 0: unknown. */
static size_t numbers_of(const cutter *c, const exray_node *node, uint32_t input, const char *key,
                         double *out, size_t room)
{
    uint32_t tensor = node_input(node, input);
    if (tensor < c->graph->model->tensor_count)
        return xr_model_constants_values(&c->graph->constants, c->source[tensor], out, room);
    size_t count = key ? xr_attribute_numbers(node, key, out, room) : 0;
    return count <= room ? count : 0;
}

/* A cut of a tensor that takes all of it. */
static bool begin_cut(const exray_tensor_info *in, uint32_t from, xr_cut *cut)
{
    *cut = (xr_cut){.of = from, .rank = in->rank};
    if (in->rank == 0 || in->rank > EXRAY_MAX_RANK)
        return false;
    for (uint32_t d = 0; d < in->rank; d++) {
        cut->size[d] = cut->count[d] = in->shape[d];
        cut->step[d] = 1;
    }
    return true;
}

static bool set_range(xr_cut *cut, uint32_t axis, double start, double count, double step)
{
    if (axis >= cut->rank || !(cut->size[axis] > 0 && cut->size[axis] <= INT32_MAX) || !(count >= 1))
        return false;
    double size = (double)cut->size[axis], last = start + (count - 1) * step;
    if (!(start >= 0 && start < size && last >= 0 && last < size && step != 0) || step != floor(step))
        return false;
    cut->start[axis] = (int64_t)start;
    cut->count[axis] = (int64_t)count;
    cut->step[axis] = count > 1 ? (int64_t)step : 1;
    return true;
}

/* An index as the formats have it: from the end where it is negative, and no further than the tensor. */
static double index_in(double index, double size, double most)
{
    index = index < 0 ? index + size : index;
    return fmin(fmax(index, 0), most);
}

/* The axis that a list leaves unsaid: the only one along which the result is shorter. */
static bool shorter_axis(const exray_tensor_info *in, const exray_tensor_info *out, double *axis)
{
    uint32_t found = 0;
    for (uint32_t d = 0; in->rank == out->rank && d < in->rank; d++)
        if (in->shape[d] != out->shape[d]) {
            *axis = d;
            found++;
        }
    return found == 1;
}

/* Slice(data, starts, ends, axes, steps); in older files the lists are attributes. */
static bool read_slice(const cutter *c, const exray_node *node, const exray_tensor_info *in,
                       const exray_tensor_info *out, xr_cut *cut)
{
    double start[EXRAY_MAX_RANK], end[EXRAY_MAX_RANK], axis[EXRAY_MAX_RANK], step[EXRAY_MAX_RANK];
    size_t starts = numbers_of(c, node, 1, "starts", start, EXRAY_MAX_RANK),
           ends = numbers_of(c, node, 2, "ends", end, EXRAY_MAX_RANK),
           axes = numbers_of(c, node, 3, "axes", axis, EXRAY_MAX_RANK),
           steps = numbers_of(c, node, 4, NULL, step, EXRAY_MAX_RANK), n = starts ? starts : ends;
    bool listed = node_input(node, 3) != EXRAY_NO_INDEX || exray_node_attribute(node, "axes"),
         stepped = node_input(node, 4) != EXRAY_NO_INDEX;
    if (n == 0 || in->rank != out->rank || n > in->rank || (stepped && steps != n))
        return false;
    if (listed && axes != n && !(axes == 0 && n == 1 && shorter_axis(in, out, axis)))
        return false;
    for (size_t i = 0; i < n; i++) {
        double k = listed ? axis[i] < 0 ? axis[i] + in->rank : axis[i] : (double)i,
               by = stepped ? step[i] : 1;
        if (!(k >= 0 && k < in->rank) || (!starts && by != 1))
            return false;
        double size = (double)in->shape[(uint32_t)k], count = (double)out->shape[(uint32_t)k];
        double first = starts ? index_in(start[i], size, by < 0 ? size - 1 : size)
                              : index_in(end[i], size, size) - count;
        if (!set_range(cut, (uint32_t)k, first, count, by))
            return false;
    }
    return true;
}

/* SLICE(input, begin, size), STRIDED_SLICE(input, begin, end, strides): a number for each dimension. */
static bool read_lite_slice(const cutter *c, const exray_node *node, const exray_tensor_info *in,
                            const exray_tensor_info *out, xr_cut *cut)
{
    double start[EXRAY_MAX_RANK], step[EXRAY_MAX_RANK];
    bool strided = strcmp(node->op, "STRIDED_SLICE") == 0;
    size_t starts = numbers_of(c, node, 1, NULL, start, EXRAY_MAX_RANK),
           steps = strided ? numbers_of(c, node, 3, NULL, step, EXRAY_MAX_RANK) : 0;
    double whole = xr_attribute_number(node, "begin_mask", 0),
           gone = xr_attribute_number(node, "shrink_axis_mask", 0);
    if (starts != in->rank || (strided && steps != in->rank) ||
        xr_attribute_number(node, "ellipsis_mask", 0) != 0 ||
        xr_attribute_number(node, "new_axis_mask", 0) != 0 ||
        !(whole >= 0 && whole < 256 && gone >= 0 && gone < 256))
        return false;
    uint32_t to = 0;
    for (uint32_t d = 0; d < in->rank; d++) {
        bool shrunk = (unsigned)gone >> d & 1;
        double size = (double)in->shape[d], by = strided ? step[d] : 1;
        double count = shrunk ? 1 : to < out->rank ? (double)out->shape[to++] : 0;
        double first = (unsigned)whole >> d & 1 ? by < 0 ? size - 1 : 0
                                                : index_in(start[d], size, by < 0 ? size - 1 : size);
        if (!set_range(cut, d, first, count, by))
            return false;
    }
    return to == out->rank;
}

/* Gather(data, indices) of constant indices that are a range, or one number, which takes the axis away. */
static bool read_gather(const cutter *c, const exray_node *node, const exray_tensor_info *in,
                        const exray_tensor_info *out, xr_cut *cut)
{
    double index[MOST_INDICES], axis = xr_attribute_number(node, "axis", 0);
    const exray_tensor_info *indices = info_of(c, node_input(node, 1));
    size_t n = numbers_of(c, node, 1, NULL, index, MOST_INDICES);
    axis = axis < 0 ? axis + in->rank : axis;
    if (n == 0 || !indices || indices->rank > 1 || out->rank + 1 != in->rank + indices->rank ||
        !(axis >= 0 && axis < in->rank) || xr_attribute_number(node, "batch_dims", 0) != 0)
        return false;
    double size = (double)in->shape[(uint32_t)axis];
    for (size_t i = 0; i < n; i++) {
        index[i] += index[i] < 0 ? size : 0;
        if (i > 1 && index[i] - index[i - 1] != index[1] - index[0])
            return false;
    }
    return set_range(cut, (uint32_t)axis, index[0], (double)n, n > 1 ? index[1] - index[0] : 1);
}

static bool read_cut(const cutter *c, const exray_node *node, const exray_tensor_info *in,
                     const exray_tensor_info *out, xr_cut *cut)
{
    if (strcmp(node->op, "Slice") == 0)
        return read_slice(c, node, in, out, cut);
    if (strcmp(node->op, "SLICE") == 0 || strcmp(node->op, "STRIDED_SLICE") == 0)
        return read_lite_slice(c, node, in, out, cut);
    return (strcmp(node->op, "Gather") == 0 || strcmp(node->op, "GATHER") == 0) &&
           read_gather(c, node, in, out, cut);
}

/* ---- The new list ----------------------------------------------------------------------------- */

static xr_op_step *add(cutter *c, const xr_op_step *like)
{
    if (c->count == c->room)
        return NULL;
    xr_op_step *step = &c->made[c->count++];
    *step = *like;
    return step;
}

static bool is_full(const xr_cut *cut, uint32_t d)
{
    return cut->start[d] == 0 && cut->count[d] == cut->size[d] && cut->step[d] == 1;
}

static bool is_whole(const xr_cut *cut)
{
    for (uint32_t d = 0; d < cut->rank; d++)
        if (!is_full(cut, d))
            return false;
    return true;
}

/* A cut of what is a cut is one of the tensor before. */
static void compose(const cutter *c, xr_cut *cut)
{
    cut->of = c->same[cut->of];
    const xr_cut *before = c->cut[cut->of];
    if (!before || before->rank != cut->rank || memcmp(before->count, cut->size, sizeof cut->size) != 0)
        return;
    for (uint32_t d = 0; d < cut->rank; d++) {
        cut->start[d] = before->start[d] + cut->start[d] * before->step[d];
        cut->step[d] = cut->count[d] > 1 ? cut->step[d] * before->step[d] : 1;
        cut->size[d] = before->size[d];
    }
    cut->of = before->of;
}

/* Adds the step that makes `output` of one part of a tensor. */
static bool add_cut(cutter *c, const xr_op_step *like, const xr_cut *part, uint32_t output)
{
    uint32_t *input = xr_step_take(c->graph->memory, 1, sizeof *input);
    xr_cut *cut = xr_step_take(c->graph->memory, 1, sizeof *cut);
    xr_op_step *step = input && cut ? add(c, like) : NULL;
    if (!step)
        return false;
    *cut = *part;
    cut->read = part->of;
    step->output = output;
    step->input = input;
    step->input_count = 1;
    step->constant_count = 0;
    strcpy(step->word, "slice");
    if (is_whole(cut)) {
        step->kind = XR_STEP_FUNCTION;
        step->pointwise = (xr_pointwise){.op = XR_PW_IDENTITY, .operands = 1};
        step->operand[0] = input[0] = cut->of;
        for (uint32_t i = 1; i < XR_STEP_OPERANDS; i++)
            step->operand[i] = EXRAY_NO_INDEX;
        if (output < c->graph->model->tensor_count)
            c->same[output] = c->same[cut->of];
        return true;
    }
    compose(c, cut);
    input[0] = cut->of;
    step->cut = cut;
    if (output < c->graph->model->tensor_count)
        c->cut[output] = cut;
    return true;
}

/* A slice; where it takes a dimension away, that is a step of its own. */
static bool add_part(cutter *c, const xr_op_step *like, const xr_cut *cut, uint32_t rank)
{
    if (rank == cut->rank)
        return add_cut(c, like, cut, like->output);
    uint32_t hidden = c->graph->tensor_count++, *input = xr_step_take(c->graph->memory, 1, sizeof *input);
    xr_op_step *step = input && add_cut(c, like, cut, hidden) ? add(c, like) : NULL;
    if (!step)
        return false;
    input[0] = hidden;
    step->kind = XR_STEP_SHAPE;
    strcpy(step->word, "shape");
    step->input = input;
    step->input_count = 1;
    step->constant_count = 0;
    return true;
}

/* ---- Splits ----------------------------------------------------------------------------------- */

/* Which input a node cuts: TensorFlow Lite's SPLIT has its axis first. */
static uint32_t cut_input(const exray_node *node)
{
    return node_input(node, strcmp(node->op, "SPLIT") == 0 ? 1 : 0);
}

/* The parts of a split lie along the one axis along which all are shorter, and are all of it. */
static bool find_split(const cutter *c, const exray_node *node, const exray_tensor_info *in, uint32_t *axis)
{
    double found = 0, own = 0, sum = 0;
    for (uint32_t k = 0; k < node->output_count; k++) {
        const exray_tensor_info *out = info_of(c, node->outputs[k]);
        if (!out || !shorter_axis(in, out, &own) || (k && own != found))
            return false;
        found = own;
        sum += (double)out->shape[(uint32_t)own];
    }
    *axis = (uint32_t)found;
    return node->output_count > 1 && sum == (double)in->shape[*axis];
}

static bool add_split(cutter *c, const xr_op_step *like, const exray_tensor_info *in, uint32_t axis)
{
    double start = 0;
    for (uint32_t k = 0; k < like->node->output_count; k++) {
        const exray_tensor_info *out = info_of(c, like->node->outputs[k]);
        double count = (double)out->shape[axis];
        xr_cut cut;
        if (!begin_cut(in, cut_input(like->node), &cut) || !set_range(&cut, axis, start, count, 1) ||
            !add_cut(c, like, &cut, like->node->outputs[k]))
            return false;
        start += count;
    }
    return true;
}

static bool has_parts(const cutter *c, const exray_node *node, const exray_tensor_info *in, uint32_t axis)
{
    double start = 0;
    for (uint32_t k = 0; k < node->output_count; k++) {
        double count = (double)info_of(c, node->outputs[k])->shape[axis];
        xr_cut cut;
        if (!begin_cut(in, cut_input(node), &cut) || !set_range(&cut, axis, start, count, 1))
            return false;
        start += count;
    }
    return true;
}

static bool visit(cutter *c, const xr_op_step *raw)
{
    const exray_node *node = raw->node;
    xr_cut cut;
    uint32_t axis;
    const exray_tensor_info *in = raw->kind == XR_STEP_OTHER && node->op ? info_of(c, cut_input(node)) : NULL,
                            *out = info_of(c, raw->output);
    if (!in || !out || raw->input_count != 1 || raw->input[0] != cut_input(node) ||
        !begin_cut(in, raw->input[0], &cut))
        return add(c, raw) != NULL;
    bool splits =
        strcmp(node->op, "Split") == 0 || strcmp(node->op, "SPLIT") == 0 || strcmp(node->op, "SPLIT_V") == 0;
    if (splits && find_split(c, node, in, &axis) && has_parts(c, node, in, axis))
        return add_split(c, raw, in, axis);
    if (!splits && read_cut(c, node, in, out, &cut))
        return add_part(c, raw, &cut, out->rank);
    return add(c, raw) != NULL;
}

void xr_step_join_cuts(xr_step_graph *graph, const uint32_t *source)
{
    const uint32_t tensors = graph->model->tensor_count;
    cutter c = {.graph = graph, .source = source, .room = 1};
    for (uint32_t i = 0; i < graph->raw_count; i++)
        c.room += graph->raw[i].node->output_count > 2 ? graph->raw[i].node->output_count : 2;
    c.made = xr_step_take(graph->memory, c.room, sizeof *c.made);
    c.cut = xr_step_take(graph->memory, (size_t)graph->tensor_count + graph->raw_count + 1, sizeof *c.cut);
    c.same = xr_step_take(graph->memory, (size_t)graph->tensor_count + graph->raw_count + 1, sizeof *c.same);
    if (!c.made || !c.cut || !c.same)
        return;
    for (uint32_t t = 0; t < tensors; t++)
        c.same[t] = t;
    for (uint32_t i = 0; i < graph->raw_count; i++)
        if (!visit(&c, &graph->raw[i])) {
            graph->memory->failed = true;
            return;
        }
    graph->raw = c.made;
    graph->raw_count = c.count;
}

/* ---- Comparing -------------------------------------------------------------------------------- */

static bool same_range(const xr_cut *a, uint32_t d, const xr_cut *b, uint32_t e)
{
    return a->size[d] == b->size[e] && a->start[d] == b->start[e] && a->count[d] == b->count[e] &&
           a->step[d] == b->step[e];
}

static bool lie_alike(const xr_step_graph graph[2], const xr_cut *a, const xr_cut *b)
{
    const char *engine[2] = {graph[0].model->engine, graph[1].model->engine};
    bool alike = engine[0] && engine[1] && strcmp(engine[0], engine[1]) == 0 && a->rank == b->rank;
    for (uint32_t d = 0; alike && d < a->rank; d++)
        alike = a->size[d] == b->size[d];
    return alike;
}

bool xr_same_cut(const xr_step_graph graph[2], const xr_cut *a, const xr_cut *b)
{
    bool alike = lie_alike(graph, a, b);
    unsigned found = 0;
    for (uint32_t d = 0; d < a->rank; d++) {
        if (is_full(a, d))
            continue;
        bool any = false;
        for (uint32_t e = 0; !any && e < b->rank; e++) {
            any = !(found >> e & 1) && (!alike || d == e) && !is_full(b, e) && same_range(a, d, b, e);
            found |= any ? 1u << e : 0;
        }
        if (!any)
            return false;
    }
    for (uint32_t e = 0; e < b->rank; e++)
        if (!is_full(b, e) && !(found >> e & 1))
            return false;
    return true;
}

void xr_cut_words(const xr_cut *cut, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t d = 0; d < cut->rank && used + 64 < size; d++) {
        if (is_full(cut, d))
            continue;
        long long first = cut->start[d], end = first + cut->count[d] * cut->step[d], step = cut->step[d];
        const char *more = used ? ", " : "";
        if (step == 1)
            used += (size_t)snprintf(text + used, size - used, "%s%lld:%lld of axis %u", more, first, end,
                                     (unsigned)d);
        else
            used += (size_t)snprintf(text + used, size - used,
                                     "%s%lld values from %lld in steps of %lld of axis %u", more,
                                     (long long)cut->count[d], first, step, (unsigned)d);
    }
}
