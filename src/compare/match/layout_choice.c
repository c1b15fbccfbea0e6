/* The shape of a cube, as [1,16,16,16], is the same whether channels come first or last.  The values tell: in
 * the right reading they agree, or at least go with each other, and in the others they do not.  Where all
 * readings are as good (constants), or as bad (a layer that is wrong), it is what was recorded of the
 * layouts, else the engines' conventions. */
#include "compare/match/layout_choice.h"

#include "compare/match/pairs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A second picture, should the first be flat; so many values that chance cannot make a reading look better.
 */
enum { FRAMES = 4, SAMPLES = 4096 };

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

static void choose(const chooser *x, xr_pair *pair)
{
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
        if (unexplained(&r[i]) < best) {
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
