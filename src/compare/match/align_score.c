#include "compare/match/align_score.h"
#include "compare/match/shapes.h"
#include "compare/match/similarity.h"
#include "core/dtype.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What each piece of evidence is worth.  Only their order matters much: values outweigh a
 * name (exporters give the name of a fused layer to what comes before its activation),
 * a name outweighs a position. */
#define SAME_KIND        3.0
#define RELATED_KIND     1.5 /* a dense layer written as a convolution */
#define SAME_FREE_KIND   0.6 /* of what computes nothing */
#define SAME_WEIGHTS     2.0
#define SAME_NAME        1.5
#define SAME_ACTIVATION  1.5
#define OTHER_ACTIVATION (-2.5)
#define SAME_OPERATOR    0.5 /* both the core, or both the activation behind it */
#define SAME_STORAGE     0.2
#define OTHER_SHAPE      (-2.0) /* the same number of elements in dimensions that do not correspond */
#define SIMILAR          8.0
#define SIMILAR_BY_STATS 5.0
#define SAME_VALUES      0.99  /* the share of the variance that quantization leaves */
#define PROVEN           100.0 /* more than all the others together */

bool xr_scorer_init(xr_scorer *s, const xr_layers side[2])
{
    *s = (xr_scorer){.side = side};
    return xr_naming_init(&s->naming, side);
}

/* ---- Equal values -------------------------------------------------------------------- */

/* Which layers have exactly the values of a layer of the other side. */
static bool note_twins(xr_scorer *s)
{
    for (int k = 0; k < 2; k++) {
        s->twin[k] = calloc((size_t)s->side[k].count + 1, sizeof *s->twin[k]);
        if (!s->twin[k])
            return false;
    }
    for (uint32_t a = 0; a < s->side[0].count; a++)
        for (uint32_t b = 0; b < s->side[1].count; b++)
            if (s->side[0].layer[a].elements == s->side[1].layer[b].elements &&
                !(s->twin[0][a] && s->twin[1][b]) && xr_values_equal(s->similarities, a, b))
                s->twin[0][a] = s->twin[1][b] = true;
    return true;
}

bool xr_scorer_read_values(xr_scorer *s, const exray_comparison *comparison)
{
    s->similarities = xr_similarities_new(comparison, s->side);
    return s->similarities != NULL && note_twins(s);
}

/* Whether the values say that these are two tensors: one of them is equal to another layer's; or both sides
 * have the names of one graph, these two have no name in common, and no values either. */
static bool are_two(const xr_scorer *s, uint32_t edge, uint32_t reference)
{
    bool one_is_another = s->twin[0][edge] || s->twin[1][reference];
    bool one_name = s->naming.namesake[edge] == reference;
    if (!one_is_another && (!s->naming.shared || one_name))
        return false;
    if (xr_values_equal(s->similarities, edge, reference))
        return false;
    if (one_is_another)
        return true;
    xr_similarity values = xr_similarity_of(s->similarities, edge, reference);
    return values.known && values.determination < SAME_VALUES;
}

void xr_scorer_free(xr_scorer *s)
{
    xr_similarities_free(s->similarities);
    xr_naming_free(&s->naming);
    free(s->twin[0]);
    free(s->twin[1]);
    *s = (xr_scorer){0};
}

/* ---- The score --------------------------------------------------------------------- */

static bool is_one_of(xr_op_kind a, xr_op_kind b, xr_op_kind x, xr_op_kind y)
{
    return (a == x && b == y) || (a == y && b == x);
}

/* 0: the cores are different operators. */
static double score_kinds(const xr_layer *a, const xr_layer *b, bool same_name)
{
    if (a->kind == XR_OP_PARTITION || b->kind == XR_OP_PARTITION)
        return 1;
    if (a->kind == XR_OP_OTHER || b->kind == XR_OP_OTHER) {
        if (xr_same_op_name(a->op->op, b->op->op))
            return SAME_KIND;
        /* A custom operator may be of any kind: weights of the same size say so, or the name. */
        return a->weights && a->weights == b->weights ? RELATED_KIND : same_name;
    }
    if (a->kind == b->kind)
        return xr_layer_is_free(a) ? SAME_FREE_KIND : SAME_KIND;
    if (is_one_of(a->kind, b->kind, XR_OP_CONV,
                  XR_OP_DEPTHWISE) || /* where the number of groups is not known */
        is_one_of(a->kind, b->kind, XR_OP_CONV, XR_OP_DENSE) ||
        is_one_of(a->kind, b->kind, XR_OP_ADD, XR_OP_SUB) ||
        is_one_of(a->kind, b->kind, XR_OP_MUL, XR_OP_DIV))
        return RELATED_KIND;
    return 0;
}

/* Whether a layer takes a step out of what an LSTM made of all: frameworks count that in. */
static bool takes_a_step(const xr_layers *side, const xr_layer *layer)
{
    static const char *const names[] = {"STRIDED_SLICE", "SLICE", "Slice", "GATHER", "Gather", "UNPACK"};
    uint32_t before = layer->producers[0];
    if (layer->kind != XR_OP_OTHER || before >= side->count || side->layer[before].kind != XR_OP_LSTM)
        return false;
    for (size_t i = 0; layer->op->op && i < sizeof names / sizeof *names; i++)
        if (strcmp(layer->op->op, names[i]) == 0)
            return true;
    return false;
}

static bool is_last_step(const xr_scorer *s, const xr_layer *a, const xr_layer *b)
{
    return (b->kind == XR_OP_LSTM && takes_a_step(&s->side[0], a)) ||
           (a->kind == XR_OP_LSTM && takes_a_step(&s->side[1], b));
}

static double score_activations(const xr_layer *a, const xr_layer *b)
{
    if (a->activation == XR_ACTIVATION_UNKNOWN || b->activation == XR_ACTIVATION_UNKNOWN)
        return 0;
    return a->activation == b->activation ? SAME_ACTIVATION : OTHER_ACTIVATION;
}

static double score_tensors(const xr_layer *a, const xr_layer *b)
{
    if (!a->tensor || !b->tensor)
        return 0;
    double score =
        xr_dtype_is_integer(a->tensor->dtype) == xr_dtype_is_integer(b->tensor->dtype) ? SAME_STORAGE : 0;
    if (a->elements && b->elements && xr_match_layout(a->tensor, b->tensor) == XR_LAYOUT_NONE)
        score += OTHER_SHAPE;
    return score;
}

/* 1 where all but a thousandth is explained, 0 where nothing is, on a logarithmic scale: the tensor before
 * an activation resembles the one behind it. */
static double explained(double share)
{
    return -log10(1 - fmin(fmax(share, 0), 1) + 1e-3) / 3;
}

static double score_values(const xr_similarity *values)
{
    if (!values->known)
        return 0;
    double correlation = fmax(0, values->correlation);
    return (values->from_stats ? SIMILAR_BY_STATS : SIMILAR) *
           (explained(correlation * correlation) + explained(values->determination)) / 2;
}

double xr_score(const xr_scorer *s, uint32_t edge, uint32_t reference)
{
    const xr_layer *a = &s->side[0].layer[edge], *b = &s->side[1].layer[reference];
    if (a->constant || b->constant || a->raw != b->raw ||
        (a->elements && b->elements && a->elements != b->elements))
        return 0;
    if (xr_naming_proves(&s->naming, edge, reference))
        return PROVEN;
    if (xr_naming_forbids(&s->naming, edge, reference))
        return 0;
    if (a->weights && b->weights && a->weights != b->weights)
        return 0;
    if (s->similarities && are_two(s, edge, reference))
        return 0;
    bool same_name = s->naming.namesake[edge] == reference;
    const xr_layer *core[2] = {&s->side[0].layer[a->core], &s->side[1].layer[b->core]};
    double score = score_kinds(core[0], core[1], same_name);
    if (score <= 0 && is_last_step(s, core[0], core[1]))
        score = RELATED_KIND;
    if (score <= 0)
        return 0;
    score += a->weights && b->weights ? SAME_WEIGHTS : 0;
    score += same_name ? SAME_NAME : 0;
    score += a->kind == b->kind ? SAME_OPERATOR : 0;
    score += score_activations(a, b) + score_tensors(a, b);
    if (s->similarities) {
        xr_similarity values = xr_similarity_of(s->similarities, edge, reference);
        score += score_values(&values);
    }
    return fmax(score, 0);
}

bool xr_values_agree(const xr_scorer *s, uint32_t edge, uint32_t reference)
{
    if (!s->similarities)
        return false;
    xr_similarity values = xr_similarity_of(s->similarities, edge, reference);
    return values.known && values.correlation > 0.9;
}

bool xr_values_twins(const xr_scorer *s, uint32_t edge, uint32_t reference)
{
    return s->similarities && s->twin[0][edge] && xr_values_equal(s->similarities, edge, reference);
}

double xr_values_determination(const xr_scorer *s, uint32_t edge, uint32_t reference)
{
    if (!s->similarities)
        return -1;
    xr_similarity values = xr_similarity_of(s->similarities, edge, reference);
    return values.known ? values.determination : -1;
}
