/* The shape of a cube, as [1,16,16,16], is the same whether channels come first or last.  The values tell: in
 * the right reading they agree, or at least go with each other, and in the others they do not.  Where all
 * readings are as good (constants), or as bad (a layer that is wrong), it is what was recorded of the
 * layouts, else the engines' conventions. */
#include "compare/match/layout_choice.h"

#include "compare/match/pairs.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A second picture, should the first be flat; so many values that chance cannot make a reading look better.
 */
enum { FRAMES = 4, SAMPLES = 4096 };

/* Of the variance, in a reading that only a change of the graph explains: a float's or an 8-bit value's
 * noise.
 */
#define MOST_LEFT 1e-3

/* Likewise of clips: another factor, other colors have names of their own once the order is known. */
#define MOST_OF_CLIP 0.1

/* ---- What is known without the values -------------------------------------------------------------------
 */

/* As recorded: "NHWC", "NCHW", "HWC", "NCW", ... */
static xr_engine_order order_of_layout(const exray_tensor_info *info)
{
    const char *layout = info->layout ? info->layout : "";
    const char *channels = strchr(layout, 'C');
    if (!channels)
        return XR_ORDER_UNKNOWN;
    return channels[1] ? XR_ORDER_FIRST : XR_ORDER_LAST;
}

static bool is_one_file(const exray_comparison *c)
{
    const exray_model *a = exray_log_model(c->log[0]), *b = exray_log_model(c->log[1]);
    return a && b && a->sha256 && b->sha256 && memcmp(a->sha256, b->sha256, 32) == 0;
}

/* What channels-last against channels-first is once dimensions of 1 are left out.  `last` is the side that
 * has them last, of rank 3 or more. */
static xr_layout_match turned(const exray_tensor_info *last, bool edge_is_last)
{
    uint32_t sides = 0;
    for (uint32_t d = last->rank == 3 ? 0 : 1; d + 1 < last->rank; d++)
        sides += last->shape[d] != 1;
    if (last->shape[last->rank - 1] == 1 || sides == 0)
        return XR_LAYOUT_SAME;
    if (sides == 1)
        return XR_LAYOUT_SWAPPED;
    return edge_is_last ? XR_LAYOUT_EDGE_LAST : XR_LAYOUT_EDGE_FIRST;
}

static bool can_be(const xr_layout_match *way, uint32_t ways, xr_layout_match how)
{
    for (uint32_t i = 0; i < ways; i++)
        if (way[i] == how)
            return true;
    return false;
}

/* The reading to expect: a position in `way`. */
static xr_layout_match expected(const exray_comparison *c, const exray_tensor_info info[2],
                                const xr_layout_match *way, uint32_t ways)
{
    xr_engine_order is[2];
    for (int s = 0; s < 2; s++) {
        is[s] = order_of_layout(&info[s]);
        /* Engines agree on sequences; only pictures they store in orders of their own. */
        if (is[s] == XR_ORDER_UNKNOWN && info[s].rank == 4)
            is[s] = xr_order_of_engine(exray_log_model(c->log[s]));
    }
    if (is[0] == XR_ORDER_UNKNOWN || is[1] == XR_ORDER_UNKNOWN || is[0] == is[1])
        return way[0];
    const exray_tensor_info *last = &info[is[0] == XR_ORDER_LAST ? 0 : 1];
    xr_layout_match how = last->rank >= 3 ? turned(last, is[0] == XR_ORDER_LAST) : way[0];
    return can_be(way, ways, how) ? how : way[0];
}

/* ---- Pictures that are flattened: channel by channel, or pixel by pixel ---- */

/* "Reshape", "FLATTEN", "aten::flatten". */
static bool is_flattening(const char *op)
{
    static const char *const words[] = {"reshape", "flatten", "squeeze"};
    for (size_t w = 0; op && w < sizeof words / sizeof *words; w++)
        for (const char *at = op; *at; at++) {
            size_t i = 0;
            while (words[w][i] && tolower((unsigned char)at[i]) == words[w][i])
                i++;
            if (!words[w][i])
                return true;
        }
    return false;
}

/* What a side's node flattens: the shape without dimensions of 1, of three of `count` values.  False: it does
 * not. */
static bool shape_before(const exray_model *model, uint32_t node, int64_t count, int64_t before[3])
{
    int64_t shape[EXRAY_MAX_RANK];
    if (!model || node >= model->node_count || !is_flattening(model->nodes[node].op) ||
        model->nodes[node].input_count == 0 || model->nodes[node].inputs[0] >= model->tensor_count)
        return false;
    const exray_tensor_info *info = &model->tensors[model->nodes[node].inputs[0]];
    if (info->rank > EXRAY_MAX_RANK || xr_squeeze(info, shape) != 3)
        return false;
    for (int i = 0; i < 3; i++) {
        if (shape[i] < 1 || shape[i] > count)
            return false;
        before[i] = shape[i];
    }
    return shape[0] * shape[1] <= count && shape[0] * shape[1] * shape[2] == count;
}

xr_layout_match xr_flattened_ways(const exray_comparison *comparison, const xr_pair *pair, int64_t before[3])
{
    const exray_model *model[2];
    int64_t shape[EXRAY_MAX_RANK], reference[3], count[2];
    if (pair->kind != EXRAY_KIND_LAYER)
        return XR_LAYOUT_NONE;
    for (int s = 0; s < 2; s++) {
        model[s] = exray_log_model(comparison->log[s]);
        if (!model[s] || pair->tensor[s] >= model[s]->tensor_count ||
            model[s]->tensors[pair->tensor[s]].rank > EXRAY_MAX_RANK ||
            xr_squeeze(&model[s]->tensors[pair->tensor[s]], shape) != 1)
            return XR_LAYOUT_NONE;
        count[s] = shape[0];
    }
    if (!xr_layouts_may_differ(model[0], model[1]) || count[0] != count[1] ||
        !shape_before(model[0], pair->index[0], count[0], before) ||
        !shape_before(model[1], pair->index[1], count[1], reference))
        return XR_LAYOUT_NONE;
    bool last = xr_order_of_engine(model[0]) == XR_ORDER_LAST;
    for (int i = 0; i < 3; i++)
        if (before[i] != reference[last ? (i + 1) % 3 : (i + 2) % 3])
            return XR_LAYOUT_NONE;
    return last ? XR_LAYOUT_EDGE_LAST : XR_LAYOUT_EDGE_FIRST;
}

exray_tensor_info xr_before_flattening(const exray_tensor_info *edge, const int64_t before[3])
{
    exray_tensor_info info = *edge;
    info.rank = 3;
    info.shape = before;
    return info;
}

/* ---- What the values say
 * ----------------------------------------------------------------------------------- */

typedef struct likeness_of_way {
    double n, a, b, aa, bb, ab;
} likeness_of_way;

static void add_value(likeness_of_way *r, double a, double b)
{
    if (!isfinite(a) || !isfinite(b))
        return;
    r->n++;
    r->a += a, r->b += b;
    r->aa += a * a, r->bb += b * b, r->ab += a * b;
}

/* What a reading leaves unexplained: 1 minus the correlation.  Constants explain nothing. */
static double unexplained(const likeness_of_way *r)
{
    if (r->n < 2)
        return 1;
    double va = r->aa - r->a * r->a / r->n, vb = r->bb - r->b * r->b / r->n;
    double cross = r->ab - r->a * r->b / r->n;
    if (!(va > 1e-12 * r->aa) || !(vb > 1e-12 * r->bb))
        return 1;
    return 1 - cross / sqrt(va * vb);
}

static float value_at(const float *values, uint64_t at)
{
    float v;
    memcpy(&v, (const char *)values + at * sizeof v, sizeof v);
    return v;
}

static void add_frame(likeness_of_way *r, const xr_layout_match *way, uint32_t ways,
                      const exray_tensor_view view[2], const float *const values[2])
{
    const uint64_t count = view[0].count, take = count < SAMPLES ? count : SAMPLES, part = count / take;
    for (uint64_t k = 0; k < take; k++) {
        /* Spread evenly, and moved within each part: no stride falls in step with rows or channels. */
        uint64_t at = k * part + k * 2654435761u % part;
        for (uint32_t i = 0; i < ways; i++)
            add_value(&r[i], value_at(values[0], xr_layout_element(&view[0].info, way[i], at)),
                      value_at(values[1], at));
    }
}

/* ---- One pair
 * ------------------------------------------------------------------------------------------------ */

typedef struct chooser {
    exray_comparison *comparison;
    exray_slot *slot[2];
    bool one_file, engines_differ;
} chooser;

/* Inputs and outputs of engines of one convention are what they seem: one in another order is a fault.  A
 * layer may be computed in another order by another graph, but not by the same file. */
static bool is_open(const chooser *x, const xr_pair *pair, const exray_tensor_info info[2])
{
    xr_engine_order a = order_of_layout(&info[0]), b = order_of_layout(&info[1]);
    if (x->one_file)
        return false;
    return pair->kind == EXRAY_KIND_LAYER || x->engines_differ ||
           (a != XR_ORDER_UNKNOWN && b != XR_ORDER_UNKNOWN && a != b);
}

static bool read_values(const chooser *x, const xr_pair *pair, size_t frame, exray_tensor_view view[2],
                        const float *values[2])
{
    exray_error error;
    for (int s = 0; s < 2; s++) {
        const exray_record *record = xr_pair_record(x->comparison, pair, (exray_side)s, frame);
        if (!record || !record->has_data ||
            exray_log_read_values(x->comparison->log[s], record, x->slot[s], &view[s], &values[s], &error) !=
                EXRAY_OK ||
            !values[s])
            return false;
    }
    return view[0].count == view[1].count && view[0].count > 0;
}

static bool tell_shapes(const chooser *x, const xr_pair *pair, exray_tensor_info info[2])
{
    exray_tensor_view view;
    exray_error error;
    for (int s = 0; s < 2; s++) {
        const exray_record *record =
            x->comparison->frame_count ? xr_pair_record(x->comparison, pair, (exray_side)s, 0) : NULL;
        if (!record ||
            exray_log_read_tensor(x->comparison->log[s], record, x->slot[s], &view, &error) != EXRAY_OK)
            return false;
        info[s] = view.info;
    }
    return true;
}

/* Whether the models tell the shapes, and those leave nothing open: then no record is read. */
static bool models_decide(const chooser *x, const xr_pair *pair)
{
    const exray_tensor_info *info[2];
    for (int s = 0; s < 2; s++) {
        const exray_model *model = exray_log_model(x->comparison->log[s]);
        if (!model || pair->tensor[s] >= model->tensor_count)
            return false;
        info[s] = &model->tensors[pair->tensor[s]];
        for (uint32_t d = 0; d < info[s]->rank; d++)
            if (info[s]->shape[d] < 1)
                return false;
        if (info[s]->rank == 0)
            return false;
    }
    xr_layout_match way[XR_LAYOUT_WAYS];
    return xr_layout_ways(info[0], info[1], way) < 2;
}

static bool is_same_rank(const exray_tensor_info a[2], const exray_tensor_view b[2])
{
    for (int s = 0; s < 2; s++)
        if (a[s].rank != b[s].info.rank)
            return false;
    return true;
}

/* A flattened picture is in the order in which its engine stores pictures, unless the values say clearly that
 * it is in the other's (it was transposed before). */
static void choose_flattened(const chooser *x, xr_pair *pair)
{
    int64_t before[3];
    xr_layout_match way[2] = {XR_LAYOUT_SAME, xr_flattened_ways(x->comparison, pair, before)};
    likeness_of_way r[2] = {{0}};
    if (way[1] == XR_LAYOUT_NONE)
        return;
    for (size_t f = 0; f < x->comparison->frame_count && f < FRAMES; f++) {
        exray_tensor_view view[2];
        const float *values[2];
        if (!read_values(x, pair, f, view, values) ||
            view[0].count != (uint64_t)before[0] * (uint64_t)before[1] * (uint64_t)before[2])
            continue;
        view[0].info = xr_before_flattening(&view[0].info, before);
        add_frame(r, way, 2, view, values);
    }
    if (unexplained(&r[0]) < unexplained(&r[1]) / 2)
        return;
    pair->layout = way[1];
    memcpy(pair->flattened, before, sizeof before);
}

/* A matrix that one engine's graph transposes is wholly there.  What is only alike once transposed is the
 * product of exchanged factors: queries and keys. */
static bool is_likely(const chooser *x, const xr_pair *pair, xr_layout_match way, double left)
{
    return x->engines_differ || !pair->same_shape || way != XR_LAYOUT_SWAPPED || left < MOST_LEFT;
}

/* Clips of two engines may have their dimensions in two orders; a clip that was written in another order than
 * the model's does not agree with the other side's in it. */
static bool choose_clip(const chooser *x, xr_pair *pair)
{
    exray_tensor_info info[2];
    likeness_of_way r = {0};
    if (pair->kind != EXRAY_KIND_INPUT || !tell_shapes(x, pair, info) ||
        xr_layout_ways(&info[0], &info[1], (xr_layout_match[XR_LAYOUT_WAYS]){XR_LAYOUT_NONE}) > 0)
        return false;
    const xr_layout_match how = xr_clip_layout(&info[0], &info[1]);
    for (size_t f = 0; how != XR_LAYOUT_NONE && f < x->comparison->frame_count && f < FRAMES; f++) {
        exray_tensor_view view[2];
        const float *values[2];
        if (read_values(x, pair, f, view, values) && xr_clip_layout(&view[0].info, &view[1].info) == how)
            add_frame(&r, &how, 1, view, values);
    }
    if (how == XR_LAYOUT_NONE || unexplained(&r) > MOST_OF_CLIP)
        return false;
    pair->layout = how;
    return true;
}

static void choose(const chooser *x, xr_pair *pair)
{
    if (choose_clip(x, pair))
        return;
    choose_flattened(x, pair);
    if (pair->flattened[0])
        return;
    xr_layout_match way[XR_LAYOUT_WAYS], again[XR_LAYOUT_WAYS];
    exray_tensor_info info[2];
    if (models_decide(x, pair) || !tell_shapes(x, pair, info))
        return;
    uint32_t ways = xr_layout_ways(&info[0], &info[1], way);
    if (ways < 2 || !is_open(x, pair, info))
        return;
    pair->layout = expected(x->comparison, info, way, ways);
    pair->same_shape = way[0] == XR_LAYOUT_SAME;
    snprintf(pair->reference_layout, sizeof pair->reference_layout, "%s",
             info[1].layout ? info[1].layout : "");
    likeness_of_way r[XR_LAYOUT_WAYS] = {{0}};
    for (size_t f = 0; f < x->comparison->frame_count && f < FRAMES; f++) {
        exray_tensor_view view[2];
        const float *values[2];
        if (!read_values(x, pair, f, view, values))
            continue;
        if (is_same_rank(info, view) && xr_layout_ways(&view[0].info, &view[1].info, again) == ways &&
            !memcmp(way, again, ways * sizeof *way))
            add_frame(r, way, ways, view, values);
    }
    double best = INFINITY, prior = 1;
    for (uint32_t i = 0; i < ways; i++)
        if (way[i] == (xr_layout_match)pair->layout)
            prior = unexplained(&r[i]);
    best = prior / 2; /* another one must be clearly better */
    for (uint32_t i = 0; i < ways; i++)
        if (unexplained(&r[i]) < best && is_likely(x, pair, way[i], unexplained(&r[i]))) {
            best = unexplained(&r[i]);
            pair->layout = way[i];
        }
}

bool xr_choose_layouts(exray_comparison *c)
{
    chooser x = {.comparison = c,
                 .slot = {exray_slot_new(), exray_slot_new()},
                 .one_file = is_one_file(c),
                 .engines_differ =
                     xr_layouts_may_differ(exray_log_model(c->log[0]), exray_log_model(c->log[1]))};
    bool ok = x.slot[0] && x.slot[1];
    xr_pairs *all[] = {&c->inputs, &c->outputs, &c->layers};
    for (int k = 0; ok && !x.one_file && k < 3; k++)
        for (size_t i = 0; i < all[k]->count; i++)
            choose(&x, &all[k]->pair[i]);
    exray_slot_free(x.slot[0]);
    exray_slot_free(x.slot[1]);
    return ok;
}

xr_layout_match xr_pair_layout(const xr_pair *pair, const exray_tensor_info *edge,
                               const exray_tensor_info *reference)
{
    xr_layout_match way[XR_LAYOUT_WAYS];
    uint32_t ways = xr_layout_ways(edge, reference, way);
    if (pair->layout >= XR_LAYOUT_CLIP_LAST && xr_clip_layout(edge, reference) == pair->layout)
        return pair->layout;
    if (pair->layout != XR_LAYOUT_NONE && can_be(way, ways, pair->layout))
        return pair->layout;
    return ways ? way[0] : XR_LAYOUT_NONE;
}

xr_layout_match xr_cube_layout(const xr_pair *pair, const exray_tensor_info *info)
{
    xr_layout_match way[XR_LAYOUT_WAYS];
    uint32_t ways = pair->layout == XR_LAYOUT_NONE ? 0 : xr_layout_ways(info, info, way);
    return can_be(way, ways, pair->layout) && pair->same_shape ? pair->layout : XR_LAYOUT_SAME;
}
