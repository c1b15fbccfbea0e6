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

/* ---- Names ----------------------------------------------------------------------- */

typedef struct layer_name {
    const char *name;
    size_t length; /* without what exporters add */
    uint32_t layer;
} layer_name;

/* Exporters and quantizers append to a tensor's name how it is stored. */
static size_t bare_length(const char *name)
{
    static const char *const endings[] = {"_QuantizeLinear_Output",
                                          "_DequantizeLinear_Output",
                                          "_QuantizeLinear_Input",
                                          "_DequantizeLinear_Input",
                                          "_quantized",
                                          "_dequantized",
                                          "_int8",
                                          "_uint8",
                                          ":0"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);
        if (length > n && memcmp(name + length - n, endings[i], n) == 0)
            return length - n;
    }
    return length;
}

static int by_name(const void *left, const void *right)
{
    const layer_name *a = left, *b = right;
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->name, b->name, shorter);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* Sorts, and drops names that occur more than once: they identify nothing. */
static size_t keep_unique(layer_name *list, size_t count)
{
    qsort(list, count, sizeof *list, by_name);
    size_t kept = 0;
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && by_name(&list[i], &list[next]) == 0; next++)
            ;
        if (next == i + 1)
            list[kept++] = list[i];
    }
    return kept;
}

typedef enum naming { BY_TENSOR, BY_BARE_TENSOR, BY_NODE, NAMINGS } naming;

static size_t list_names(const xr_layers *layers, naming how, layer_name *list)
{
    size_t count = 0;
    for (uint32_t i = 0; i < layers->count; i++) {
        const xr_layer *layer = &layers->layer[i];
        const char *name = how == BY_NODE ? layer->op->name : layer->tensor ? layer->tensor->name : NULL;
        /* A node's name is the name of its first output. */
        bool further = how == BY_NODE && i > 0 && layers->layer[i - 1].op == layer->op;
        if (!name || !*name || further || layer->constant)
            continue;
        list[count++] = (layer_name){name, how == BY_BARE_TENSOR ? bare_length(name) : strlen(name), i};
    }
    return keep_unique(list, count);
}

/* A quantizer gives the model's output name to the conversion behind the last layer:
 * that layer is the counterpart, not the conversion. */
static bool may_share_a_name(const xr_layer *a, const xr_layer *b)
{
    return (a->kind == XR_OP_CONVERSION) == (b->kind == XR_OP_CONVERSION);
}

static void note_namesakes(xr_scorer *s, const layer_name *a, size_t n, const layer_name *b, size_t m,
                           bool *taken)
{
    for (size_t i = 0, j = 0; i < n && j < m;) {
        int order = by_name(&a[i], &b[j]);
        if (order == 0) {
            uint32_t x = a[i].layer, y = b[j].layer;
            if (s->namesake[x] == EXRAY_NO_INDEX && !taken[y] &&
                may_share_a_name(&s->side[0].layer[x], &s->side[1].layer[y])) {
                s->namesake[x] = y;
                taken[y] = true;
            }
        }
        i += order <= 0;
        j += order >= 0;
    }
}

bool xr_scorer_init(xr_scorer *s, const xr_layers side[2])
{
    *s = (xr_scorer){.side = side};
    size_t n = side[0].count, m = side[1].count;
    layer_name *a = calloc(n + 1, sizeof *a), *b = calloc(m + 1, sizeof *b);
    bool *taken = calloc(m + 1, sizeof *taken);
    s->namesake = calloc(n + 1, sizeof *s->namesake);
    bool ok = a && b && taken && s->namesake;
    for (size_t i = 0; ok && i < n; i++)
        s->namesake[i] = EXRAY_NO_INDEX;
    for (int how = 0; ok && how < NAMINGS; how++)
        note_namesakes(s, a, list_names(&side[0], (naming)how, a), b, list_names(&side[1], (naming)how, b),
                       taken);
    free(a);
    free(b);
    free(taken);
    return ok;
}

bool xr_scorer_read_values(xr_scorer *s, const exray_comparison *comparison)
{
    s->similarities = xr_similarities_new(comparison, s->side);
    return s->similarities != NULL;
}

void xr_scorer_free(xr_scorer *s)
{
    xr_similarities_free(s->similarities);
    free(s->namesake);
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
    if (a->weights && b->weights && a->weights != b->weights)
        return 0;
    bool same_name = s->namesake[edge] == reference;
    double score = score_kinds(&s->side[0].layer[a->core], &s->side[1].layer[b->core], same_name);
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
