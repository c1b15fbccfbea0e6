/* Which layer originates an error, and which only passes it on.
 *
 * Every tensor gets what was measured, e, and what explains it without a fault (noise.h).  A layer is clean
 * where e is within that.  Beyond, it originates the error where e > ORIGIN sqrt(max(e of its inputs)^2 +
 * own^2) and, of functions that are computed again (evaluate.c), that shows it, behind inputs that are wrong
 * themselves ORIGIN_BEHIND (a filter may answer to an error several times as strongly as to the picture),
 * else propagates it.
 *
 * A layer that is run alone on the other side's inputs may add `own`, XR_NOISE_CLEAN times.  Where
 * both sides have one model file and the layer is of quantized integers it may add one
 * step: weights and inputs are the very same numbers, and right kernels differ in how
 * they round the result, never by more; sums of integers that are not rounded may not differ at all.  The
 * same holds within the network as long as nothing has differed yet, and for two files where a node's stored
 * numbers are the same (same_numbers.c).
 *
 * Where e is an estimate from sketches, a layer is clean only if all that e may be is
 * healthy, and wrong only if none of it is; between, it is not judged.  Behind wrong inputs it
 * originates the error only if that holds for the least that it may be, and the most that theirs may. */
#include "compare/judge/localize.h"

#include "compare/comparison.h"
#include "compare/judge/same_numbers.h"
#include "compare/match/ops.h"
#include "compare/measure/metrics.h"
#include "compare/measure/sketch_distance.h"
#include "compare/noise/evaluate.h"
#include "compare/noise/input_noise.h"
#include "compare/noise/masked.h"
#include "compare/noise/measured.h"
#include "compare/noise/noise.h"
#include "compare/noise/stored_type.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An output with this error is wrong, however coarse its quantization is: it shares less than a fifth of
 * its variance with the reference's. */
#define MOST_OF_OUTPUT 0.9

#define ORIGIN 3.0
/* A partition of integers, or a network of which no layer was compared, may have that many times the noise
 * that its visible tensors explain: the scales of those inside, which may be coarser beside their values, are
 * not seen. */
#define HIDDEN_STEPS 2.0
/* An error that a layer amplified rightly is taken as that many times the noise behind it. */
#define AMPLIFIED 2.0
/* How many times what the rounding of recorded inputs makes of an output a layer may be off by. */
#define STORED        3.0
#define ORIGIN_BEHIND 10.0

/* What is known of a tensor of the edge's graph. */
typedef struct state {
    bool known;      /* its e was measured */
    bool judged;     /* its noise was computed for this tensor, quantization step included */
    double error;    /* e; of a tensor that was not measured, the largest of its node's inputs */
    double most;     /* where e is an estimate, the largest it may be; else e */
    double given;    /* of e, what came in with the model's inputs */
    double noise;    /* of e, what layers added */
    double spread;   /* from the smallest to the largest value, in deviations; 0: not known */
    bool wrong;      /* e exceeds both, here or in a tensor before it */
    bool fixed;      /* computed from constants alone: weights that are unpacked before use */
    double weights;  /* of a node's inputs: the noise of the fixed ones */
    uint32_t hidden; /* layers with weights since the tensors that were compared */
} state;

/* Whether both sides ran one model file. */
static bool is_same_file(const exray_comparison *c)
{
    const exray_model *edge = exray_log_model(c->log[0]), *reference = exray_log_model(c->log[1]);
    return edge && reference && edge->sha256 && reference->sha256 &&
           memcmp(edge->sha256, reference->sha256, 32) == 0;
}

/* How much noise the layers of a partition accumulate. */
static double partition_growth(const exray_model *model, uint32_t node)
{
    if (model && xr_has_body(&model->nodes[node]))
        return xr_noise_growth(INFINITY); /* its nodes are not known */
    return xr_noise_growth(model ? model->nodes[node].inner_count : 0);
}

/* ---- The graph ------------------------------------------------------------------------- */

typedef struct graph {
    exray_comparison *comparison;
    const exray_model *model; /* the edge's; NULL: the layers are taken as a chain */
    bool same_file;
    xr_evaluator *evaluator;
    state *tensor; /* [tensor_count] */
    state chain;
} graph;

/* Of several inputs, the worst values. */
static void worsen(state *into, const state *other)
{
    into->known = into->known && other->known;
    into->judged = into->judged && other->judged;
    into->error = fmax(into->error, other->error);
    into->most = fmax(into->most, other->most);
    into->given = fmax(into->given, other->given);
    /* The errors of weights are independent in every layer: they are the layer's own noise and do not
     * propagate. */
    if (other->fixed)
        into->weights = fmax(into->weights, other->noise);
    else {
        into->noise = fmax(into->noise, other->noise);
        into->spread = fmax(into->spread, other->spread);
    }
    into->fixed = into->fixed && other->fixed;
    into->wrong = into->wrong || other->wrong;
    into->hidden += other->hidden;
}

/* How much of the noise of its inputs a layer keeps: rounding is averaged where values are added up, not
 * where they are moved or changed one by one. */
static double kept(const graph *g, uint32_t node)
{
    if (!g->model || node >= g->model->node_count)
        return XR_NOISE_KEPT;
    return xr_keeps_noise(&g->model->nodes[node]) ? 1 : XR_NOISE_KEPT;
}

/* Whether a node computes with weights of its own; a scale or a bias for each channel are none. */
static bool has_weights(const exray_model *model, uint32_t node)
{
    const exray_node *n = &model->nodes[node];
    xr_op_kind kind = xr_op_of(n).kind;
    uint32_t least = kind == XR_OP_ADD || kind == XR_OP_MUL ? 2 : 0; /* dimensions of more than one */
    for (uint32_t i = 0; i < n->input_count; i++) {
        const exray_tensor_info *info =
            n->inputs[i] < model->tensor_count ? &model->tensors[n->inputs[i]] : NULL;
        uint32_t wide = 0;
        if (!info || !info->constant || info->rank < 2)
            continue;
        for (uint32_t d = 0; d < info->rank; d++)
            wide += info->shape && info->shape[d] != 1;
        if (wide >= least)
            return true;
    }
    return false;
}

/* Whether a node is a single product with weights. */
static bool is_product(const exray_node *node)
{
    xr_op_kind kind = xr_op_of(node).kind;
    return node->inner_count <= 1 && (kind == XR_OP_CONV || kind == XR_OP_DEPTHWISE || kind == XR_OP_DENSE ||
                                      kind == XR_OP_TRANSPOSE_CONV);
}

static state inputs_of(const graph *g, uint32_t node)
{
    if (!g->model)
        return g->chain;
    state all = {.known = true, .judged = true, .fixed = true};
    const exray_node *n = &g->model->nodes[node];
    for (uint32_t i = 0; i < n->input_count; i++)
        if (n->inputs[i] < g->model->tensor_count)
            worsen(&all, &g->tensor[n->inputs[i]]);
    return all;
}

/* The difference among runs of the same input, relative to the signal. */
static double repeat_noise(const xr_pair *pair)
{
    double rmse, deviation;
    if (!(pair->repeat_square > 0) || !xr_measured(pair, &rmse, &deviation) || !(deviation > 0))
        return 0;
    return sqrt(pair->repeat_square) / deviation;
}

/* Behind a decision, any error may be healthy if its inputs differ: measurably, or because they are of 8
 * bits, which no two kernels round in the same way. */
static double decided(const state *in, double noise)
{
    bool uncertain = in->error > 0 || in->noise > XR_NOISE_8_BITS / 2;
    return uncertain ? fmax(noise, 1) : noise;
}

/* Zero counts as a value: ranges that are measured in a run contain it. */
static double spread_of(const xr_pair *pair)
{
    double deviation = xr_moments_std(&pair->moments, EXRAY_SIDE_REFERENCE), least = 0, most = 0;
    for (int s = 0; s < 2 && pair->frames; s++) {
        least = fmin(least, pair->moments.min[s]);
        most = fmax(most, pair->moments.max[s]);
    }
    return deviation > 0 && isfinite(most - least) ? (most - least) / deviation : 0;
}

/* What quantizing the input over the range of each run adds. */
static double run_noise(const graph *g, uint32_t edge, uint32_t reference, const state *in)
{
    static const double usual = 8; /* four deviations on either side */
    const exray_model *other = exray_log_model(g->comparison->log[1]);
    bool quantizes = xr_quantizes_in_run(g->model, edge) || xr_quantizes_in_run(other, reference);
    return quantizes ? xr_range_noise(in->spread > 0 ? in->spread : usual) : 0;
}

/* Rounding that is absolute, relative to the signal. */
static double bounded_noise(const graph *g, const xr_pair *pair)
{
    double rmse, deviation;
    double absolute = fmax(xr_bounded_noise(g->model, pair->index[0]),
                           xr_bounded_noise(exray_log_model(g->comparison->log[1]), pair->index[1]));
    return absolute > 0 && xr_measured(pair, &rmse, &deviation) && deviation > 0 ? absolute / deviation : 0;
}

/* Of a sigmoid that is close to 0 all over, or a body that may end in one: a relative error there is the
 * absolute one of the argument, whose rounding is of its level, the logarithm of the value. */
static double low_sigmoid_noise(const graph *g, const xr_pair *pair, double type)
{
    const exray_comparison *c = g->comparison;
    const xr_moments *m = &pair->moments;
    double rmse, deviation, n = (double)m->count;
    bool ends = xr_may_be_sigmoid(g->model, pair->index[0]) ||
                xr_may_be_sigmoid(exray_log_model(c->log[1]), pair->index[1]);
    if (!ends || !pair->frames || !(n > 0) || m->min[1] < 0 || m->max[1] > 1 ||
        !xr_measured(pair, &rmse, &deviation) || !(deviation > 0))
        return 0;
    double mean = m->sum[1] / n, rms = sqrt(m->square[1] / n);
    return mean > 0 && mean < 0.5 ? type * -log(mean) * rms / deviation : 0;
}

/* Whether what a node reads is the same on both sides, bit for bit. */
static bool is_equal(const state *in)
{
    return in->known && in->judged && in->error == 0 && in->given == 0;
}

/* Whether a layer of integers does the same with the same numbers on both sides: of one file; of two, asked
 * where the inputs are equal and the result is not. */
static bool is_exact(const graph *g, const xr_pair *pair, const state *in)
{
    return pair->frames > 0 &&
           (g->same_file || (is_equal(in) && pair->error > 0 && xr_has_same_numbers(g->comparison, pair)));
}

/* The noise that the layer itself adds; fills in pair->own, exact and alone. */
static double judge_own(const graph *g, xr_pair *pair, const state *in, double step, double repeat)
{
    const exray_model *other = exray_log_model(g->comparison->log[1]);
    double own = fmax(xr_node_noise(g->model, pair->index[0]), xr_node_noise(other, pair->index[1]));
    double range = run_noise(g, pair->index[0], pair->index[1], in);
    double low = low_sigmoid_noise(g, pair, own) * partition_growth(g->model, pair->index[0]);
    own = sqrt(own * own + step * step + in->weights * in->weights + range * range);
    bool hidden = step > 0 && g->model && g->model->nodes[pair->index[0]].inner_count > 1;
    own *= partition_growth(g->model, pair->index[0]) * (hidden ? HIDDEN_STEPS : 1);
    own = fmax(fmax(own, low), fmax(repeat, bounded_noise(g, pair)));
    pair->own = pair->alone = xr_noise_bound(0, own);
    bool adds = xr_adds_integers(g->model, pair->index[0]) && xr_adds_integers(other, pair->index[1]);
    bool rounds = step > 0 && xr_is_quantized_layer(g->model, pair->index[0]) &&
                  xr_is_quantized_layer(other, pair->index[1]);
    pair->exact = (adds || rounds) && is_exact(g, pair, in);
    /* An input quantized in the run may be rounded to either neighbor; a result to its next step. */
    if (pair->exact)
        pair->alone = fmin(pair->own, fmax(xr_noise_bound(0, fmax(XR_NOISE_FLOAT32, repeat)),
                                           rounds ? sqrt(12) * step : range));
    return own;
}

/* Of the pairs that a layer was evaluated on, one whose channels are wrong beyond noise, though all of it
 * together is not: NULL where there is none.  Only of floats, which round every channel alike, behind equal
 * inputs. */
static const xr_pair *find_wrong_channels(const graph *g, const xr_evaluated *evaluated, double *error)
{
    const exray_comparison *c = g->comparison;
    for (size_t i = 0; i < evaluated->count; i++) {
        const xr_pair *pair = evaluated->read[i];
        if (pair < c->layers.pair || pair >= c->layers.pair + c->layers.count || pair->stored[0].scale > 0 ||
            pair->stored[1].scale > 0)
            continue;
        *error = xr_channel_error(g->evaluator, pair);
        if (*error > pair->noise)
            return pair;
    }
    return NULL;
}

/* Whether a layer makes each channel rightly of what it was given: a logarithm of channels that hardly vary
 * amplifies what its inputs' noise is there. */
static bool makes_channels_rightly(const graph *g, const xr_pair *pair)
{
    double rounded, error = xr_channel_error_made(g->evaluator, pair, &rounded);
    return error <= (rounded > 0 ? hypot(pair->own, STORED * rounded) : pair->own);
}

/* Follows wrong channels back to the layer that they begin in, unless that is known to be wrong; false: there
 * is none. */
static bool blame_channels(const graph *g, xr_evaluated evaluated)
{
    enum { MOST_STEPS = 16 };
    exray_comparison *c = g->comparison;
    const xr_pair *origin = NULL;
    double error = 0, found;
    for (int step = 0; step < MOST_STEPS; step++) {
        const xr_pair *before = find_wrong_channels(g, &evaluated, &found);
        if (!before)
            break;
        if (before->error > before->noise)
            return true;
        if (!makes_channels_rightly(g, before)) {
            origin = before;
            error = found;
        }
        evaluated = xr_evaluate(g->evaluator, before, EXRAY_SIDE_EDGE, INFINITY);
        if (!(evaluated.error <= before->own))
            break;
    }
    if (!origin)
        return false;
    size_t layer = (size_t)(origin - c->layers.pair);
    c->layers.pair[layer].error = c->layers.pair[layer].error_low = c->layers.pair[layer].error_high = error;
    c->layers.pair[layer].channels = true;
    c->layer[layer].role = EXRAY_LAYER_ROLE_ORIGINATES;
    return true;
}

/* Whether the reference's output does not follow from the reference's own inputs; asked where the edge's
 * follows from the edge's. */
static bool reference_is_wrong(const graph *g, xr_pair *pair)
{
    xr_evaluated own = xr_evaluate(g->evaluator, pair, EXRAY_SIDE_REFERENCE, pair->own);
    double may = own.stored > 0 ? hypot(pair->own, STORED * own.stored) : pair->own;
    if (!(own.error > may))
        return false;
    pair->reference_evaluated = own.error;
    return true;
}

/* A layer whose function is right on the edge's own inputs amplifies their error, rightly: where that is
 * within noise, its own is, too. */
static void judge_evaluated(const graph *g, xr_pair *pair, exray_layer_pair *shown, const state *in,
                            state *out)
{
    if (in->wrong && shown->role != EXRAY_LAYER_ROLE_ORIGINATES)
        return;
    xr_evaluated evaluated = xr_evaluate(g->evaluator, pair, EXRAY_SIDE_EDGE, pair->own);
    if (evaluated.stored > 0)
        pair->own = hypot(pair->own, STORED * evaluated.stored);
    /* Of several nodes that together are wrong, any may be. */
    bool right = evaluated.error <= pair->own;
    if (right || evaluated.nodes == 1)
        pair->evaluated = evaluated.error, pair->evaluated_within = evaluated.within;
    if (!right)
        return;
    if (shown->role == EXRAY_LAYER_ROLE_ORIGINATES && evaluated.nodes == 1 && reference_is_wrong(g, pair))
        return;
    shown->role = EXRAY_LAYER_ROLE_PROPAGATES;
    bool amplifies = pair->error > ORIGIN * in->error;
    if (in->wrong || !in->known || (amplifies && in->given == 0 && blame_channels(g, evaluated)))
        return;
    shown->role = EXRAY_LAYER_ROLE_CLEAN;
    pair->noise = pair->error;
    out->noise = fmax(out->noise, pair->error / AMPLIFIED);
    out->wrong = false;
}

/* Whether a layer may have made its error, rightly, of the difference that came with the model's inputs:
 * without its inputs' values, nothing can tell. */
static bool amplifies_given(const graph *g, const xr_pair *pair, const state *in)
{
    bool steep =
        g->model && pair->index[0] < g->model->node_count && xr_is_steep(g->model->nodes[pair->index[0]].op);
    return steep && in->given > 0 && !in->wrong && isfinite(pair->error);
}

/* Of equal inputs and one file neither the noise of layers before it nor that of weights came in. */
static double noise_of_equal(const xr_pair *pair, const state *in, double own)
{
    double without = sqrt(fmax(own * own - in->weights * in->weights, 0));
    return fmin(pair->own, xr_noise_bound(0, fmax(without, XR_NOISE_FLOAT32)));
}

/* What a mask hides from the softmax behind is no error, whatever stands there. */
static void leave_out_masked(const graph *g, xr_pair *pair)
{
    const double beside = xr_error_beside_mask(g->comparison, pair);
    if (!isnan(beside))
        pair->error = pair->error_low = pair->error_high = beside;
}

static void judge_layer(const graph *g, xr_pair *pair, exray_layer_pair *shown, const state *in, state *out)
{
    double step;
    xr_measure_error(pair, &step);
    pair->evaluated = pair->evaluated_within = pair->reference_evaluated = NAN;
    pair->channels = false;
    double repeat = repeat_noise(pair);
    double own = judge_own(g, pair, in, step, repeat);
    if (pair->frames &&
        pair->error_low > pair->own) { /* what costs reading weights is asked for where it matters */
        own = hypot(own, xr_stored_type_noise(g->comparison, pair));
        pair->own = fmax(pair->own, xr_noise_bound(0, own));
        pair->alone = pair->exact ? pair->alone : pair->own;
    }
    if (pair->frames && pair->error_low > pair->own)
        leave_out_masked(g, pair);
    double noise = fmax(xr_noise_behind(kept(g, pair->index[0]) * in->noise, own), repeat);
    if (g->model && xr_node_decides(g->model, pair->index[0]))
        noise = decided(in, noise);
    /* A layer with equal inputs on both sides counts as if it was run alone. */
    const bool equal = is_equal(in), same_inputs = pair->exact && equal;
    pair->noise = same_inputs ? pair->alone
                  : equal && g->same_file && xr_is_one_node(g->comparison, pair)
                      ? noise_of_equal(pair, in, own)
                      : xr_noise_bound(in->given, noise);
    bool bounded = pair->frames == 0 && !xr_has_sketch(pair); /* from statistics: a lower bound */
    *out = (state){.known = in->known || !bounded,
                   .judged = true,
                   .error = pair->error,
                   .most = pair->error_high,
                   .given = in->given,
                   .noise = noise,
                   .spread = pair->frames ? spread_of(pair) : in->spread,
                   .wrong = !(pair->error_low <= pair->noise)};
    double origin = in->wrong ? ORIGIN_BEHIND : ORIGIN;
    double least = in->wrong ? pair->error_low : pair->error, came = in->wrong ? in->most : in->error;
    if (isnan(pair->error)) {
        *out = (state){.known = in->known,
                       .error = in->error,
                       .most = in->most,
                       .given = in->given,
                       .noise = noise,
                       .spread = in->spread,
                       .wrong = in->wrong};
        shown->role = EXRAY_LAYER_ROLE_UNJUDGED;
    } else if (pair->error_high <= pair->noise)
        shown->role = EXRAY_LAYER_ROLE_CLEAN;
    else if (pair->error_low <= pair->noise)
        shown->role = EXRAY_LAYER_ROLE_UNJUDGED; /* an estimate whose bounds are on both sides of the noise */
    else if (!in->known && !in->wrong)
        shown->role = EXRAY_LAYER_ROLE_UNJUDGED; /* its inputs were not recorded */
    else if (bounded && amplifies_given(g, pair, in)) {
        shown->role = EXRAY_LAYER_ROLE_UNJUDGED;
        out->wrong = false;
        out->given = fmax(in->given, pair->error);
    } else if (bounded && in->wrong && !isinf(pair->error))
        shown->role = EXRAY_LAYER_ROLE_PROPAGATES; /* lower bounds do not say how much the layer added */
    else if (isinf(pair->error) ? !isinf(in->error)
                                : same_inputs || least > origin * sqrt(came * came + own * own))
        shown->role = EXRAY_LAYER_ROLE_ORIGINATES;
    else
        shown->role = EXRAY_LAYER_ROLE_PROPAGATES;
    /* In some frames of another shape: what reads it makes another result of it, rightly. */
    if (pair->other_shape && !(g->model && xr_node_decides(g->model, pair->index[0]))) {
        out->wrong = true;
        out->most = INFINITY;
    }
    bool wrong = shown->role == EXRAY_LAYER_ROLE_ORIGINATES || shown->role == EXRAY_LAYER_ROLE_PROPAGATES;
    if (wrong && !same_inputs && pair->frames && isfinite(pair->error))
        judge_evaluated(g, pair, shown, in, out);
}

/* Ids, masks, counts: whole numbers of more than 16 bits that stand for themselves.  No other one is near. */
static bool is_counted(const xr_pair *pair)
{
    bool counted = true;
    for (int s = 0; s < 2; s++)
        switch (pair->stored[s].known ? pair->stored[s].dtype : EXRAY_DTYPE_FLOAT32) {
        case EXRAY_DTYPE_INT32:
        case EXRAY_DTYPE_UINT32:
        case EXRAY_DTYPE_INT64:
        case EXRAY_DTYPE_UINT64:
        case EXRAY_DTYPE_BOOL:
            counted = counted && pair->stored[s].scale == 0;
            break;
        default:
            counted = false;
        }
    return counted;
}

/* Inputs: a difference of more than one level of the coarser side is not noise. */
static void judge_input(const exray_comparison *c, xr_pair *pair, const exray_io_pair *shown, state *out)
{
    double type, rmse, deviation;
    xr_measure_error(pair, &type);
    *out = (state){.given = type};
    pair->noise = type;
    if (!xr_measured(pair, &rmse, &deviation) || isnan(pair->error))
        return;
    const bool counted = is_counted(pair);
    type = counted ? 0 : type;
    out->given = pair->noise = type;
    double level = counted ? 0
                           : fmax(isnan(shown->step[0]) ? 0 : shown->step[0],
                                  isnan(shown->step[1]) ? 0 : shown->step[1]);
    pair->noise = fmax(type, xr_relative_error(level, deviation, xr_magnitude(pair)));
    if (pair->frames == 0) /* the same numbers, summed in another order */
        pair->noise = fmax(pair->noise, XR_NOISE_FLOAT32);
    pair->noise = fmax(pair->noise, xr_input_noise(c, pair));
    bool wrong = pair->error > pair->noise;
    /* Statistics can prove a difference, not that there is none. */
    bool known = wrong || pair->frames > 0;
    *out = (state){.known = known,
                   .judged = known && pair->error == 0,
                   .error = pair->error,
                   .most = pair->error,
                   .given = wrong ? type : pair->error,
                   .spread = spread_of(pair),
                   .wrong = wrong};
}

/* Whether a decision comes before the output, in either graph. */
static bool is_decided(const exray_comparison *c)
{
    for (int s = 0; s < 2; s++) {
        const exray_model *model = exray_log_model(c->log[s]);
        for (uint32_t n = 0; model && n < model->node_count; n++)
            if (xr_node_decides(model, n))
                return true;
    }
    return false;
}

/* For a network of unknown depth: the limit of the accumulated noise. */
static state of_unknown_network(const graph *g)
{
    state from = g->chain;
    from.noise = fmax(from.noise, xr_network_noise(g->comparison) / sqrt(1 - XR_NOISE_KEPT * XR_NOISE_KEPT));
    return from;
}

/* Of the layer that makes an output: rounding that is absolute, however small the output is. */
static double bounded_noise_of(const graph *g, const xr_pair *output)
{
    double noise = 0;
    for (size_t i = 0; i < g->comparison->layers.count; i++) {
        const xr_pair *layer = &g->comparison->layers.pair[i];
        if (layer->tensor[0] == output->tensor[0])
            noise = bounded_noise(g, layer);
    }
    return noise;
}

static bool any_layer_measured(const exray_comparison *c)
{
    for (size_t i = 0; i < c->layers.count; i++)
        if (!isnan(c->layers.pair[i].error))
            return true;
    return false;
}

/* Rounding to the output's step is in the noise already if its layer was judged. */
static void judge_output(const graph *g, xr_pair *pair)
{
    double step, rmse, deviation;
    xr_measure_error(pair, &step);
    bool known = g->model && pair->tensor[0] < g->model->tensor_count;
    state from = known                         ? g->tensor[pair->tensor[0]]
                 : g->comparison->layers.count ? g->chain
                                               : of_unknown_network(g);
    if (xr_measured(pair, &rmse, &deviation) && deviation > 0)
        step = fmax(step, fmax(pair->lattice[0], pair->lattice[1]) / (sqrt(12) * deviation));
    double own = step;
    for (int s = 0; s < 2; s++)
        if (pair->stored[s].known)
            own = fmax(own, xr_type_noise(pair->stored[s].dtype));
    own = fmax(own, repeat_noise(pair));
    double noise = from.judged ? fmax(from.noise, own)
                               : fmax(from.noise, xr_noise_behind(XR_NOISE_KEPT * from.noise, own));
    /* Of layers that were not compared the scales are not seen, either. */
    if (known && !any_layer_measured(g->comparison) && xr_network_noise(g->comparison) >= XR_NOISE_8_BITS / 2)
        noise *= HIDDEN_STEPS;
    if (is_decided(g->comparison))
        pair->noise = xr_noise_bound(from.given, known ? noise : decided(&from, noise));
    else
        pair->noise = fmin(xr_noise_bound(from.given, noise),
                           fmax(MOST_OF_OUTPUT, xr_noise_bound(0, bounded_noise_of(g, pair))));
}

static bool is_unpacking(const char *op)
{
    return op && (strcmp(op, "DequantizeLinear") == 0 || strcmp(op, "DEQUANTIZE") == 0);
}

/* A node without a counterpart propagates the worst of its inputs.  If it has weights, its output was not
 * compared, and neither was the error that it adds; integers that it only unpacks are compared as weights. */
static void pass_through(const graph *g, uint32_t node)
{
    const exray_node *n = &g->model->nodes[node];
    state in = inputs_of(g, node);
    double own = partition_growth(g->model, node) * xr_node_noise(g->model, node);
    own = hypot(own, run_noise(g, node, EXRAY_NO_INDEX, &in));
    in.noise = xr_noise_behind(kept(g, node) * in.noise, hypot(own, in.weights));
    in.weights = 0;
    if (xr_node_decides(g->model, node))
        in.noise = decided(&in, in.noise);
    if (xr_rounds_to_steps(g->model, node))
        in.noise = xr_noise_behind(in.noise, XR_NOISE_8_BITS);
    if (has_weights(g->model, node) && !(in.fixed && is_unpacking(n->op))) {
        in.hidden += is_product(n) ? 1 : 2;
        in.judged = false;
    }
    if (xr_is_of_shape(n))
        in = (state){.known = true, .judged = true};
    for (uint32_t k = 0; k < n->output_count; k++)
        if (n->outputs[k] < g->model->tensor_count)
            g->tensor[n->outputs[k]] = in;
}

static void walk_graph(graph *g)
{
    exray_comparison *c = g->comparison;
    size_t layer = 0;
    for (uint32_t node = 0; node < g->model->node_count; node++) {
        state in = inputs_of(g, node);
        pass_through(g, node);
        /* One that is written as several (an integer product, its scale, its bias) is compared at its end; of
         * more, any may add the error. */
        if (in.hidden + has_weights(g->model, node) > 1)
            in.known = false;
        for (; layer < c->layers.count && c->layers.pair[layer].index[0] == node; layer++) {
            xr_pair *pair = &c->layers.pair[layer];
            state out;
            judge_layer(g, pair, &c->layer[layer], &in, &out);
            if (xr_is_of_shape(&g->model->nodes[node]) && out.error == 0)
                out = (state){.known = true, .judged = true};
            if (pair->tensor[0] < g->model->tensor_count)
                g->tensor[pair->tensor[0]] = out;
        }
    }
}

static void walk_chain(graph *g)
{
    exray_comparison *c = g->comparison;
    for (size_t i = 0; i < c->layers.count; i++) {
        state in = g->chain;
        judge_layer(g, &c->layers.pair[i], &c->layer[i], &in, &g->chain);
    }
}

bool xr_localize(exray_comparison *c)
{
    graph g = {.comparison = c, .model = exray_log_model(c->log[0]), .same_file = is_same_file(c)};
    if (g.model && !exray_log_model(c->log[1]))
        g.model = NULL; /* the layers were matched by number alone */
    if (g.model) {
        g.tensor = calloc((size_t)g.model->tensor_count + 1, sizeof *g.tensor);
        if (!g.tensor)
            return false;
        for (uint32_t t = 0; t < g.model->tensor_count; t++)
            g.tensor[t] = (state){
                .known = true, .judged = true, .fixed = true}; /* constants: taken as equal on both sides */
        for (uint32_t i = 0; i < g.model->input_count; i++)
            if (g.model->inputs[i] < g.model->tensor_count)
                g.tensor[g.model->inputs[i]] = (state){0};
    }
    g.evaluator = xr_evaluator_new(c);
    g.chain.known = c->inputs.count > 0;
    for (size_t i = 0; i < c->inputs.count; i++) {
        state input;
        judge_input(c, &c->inputs.pair[i], &c->input[i], &input);
        worsen(&g.chain, &input);
        if (g.model && c->inputs.pair[i].tensor[0] < g.model->tensor_count)
            g.tensor[c->inputs.pair[i].tensor[0]] = input;
    }
    if (g.model)
        walk_graph(&g);
    else
        walk_chain(&g);
    for (size_t i = 0; i < c->outputs.count; i++)
        judge_output(&g, &c->outputs.pair[i]);
    free(g.tensor);
    xr_evaluator_free(g.evaluator);
    return true;
}

bool xr_comparison_is_exact(const exray_comparison *c, size_t layer)
{
    return c->layers.pair[layer].exact;
}

/* Quantization steps are larger relative to a signal that is weaker than the reference's own. */
static double own_of(const xr_pair *pair, double own, double deviation)
{
    double rmse, usual;
    if (!xr_measured(pair, &rmse, &usual) || !(deviation > 0) || deviation >= usual)
        return own;
    double step = XR_NOISE_CLEAN * xr_step_noise(pair, deviation),
           known = XR_NOISE_CLEAN * xr_step_noise(pair, usual);
    return sqrt(own * own + step * step - known * known);
}

double xr_isolated_noise(const exray_comparison *c, size_t layer, const xr_isolated_errors *errors)
{
    const xr_pair *pair = &c->layers.pair[layer];
    double noise =
        hypot(own_of(pair, errors->exact ? pair->alone : pair->own, errors->deviation), errors->others);
    /* Of one file and inputs that are equal bit for bit, the trial need not be more exact than the log. */
    bool equal = pair->exact && pair->noise == pair->alone;
    return equal ? fmin(noise, pair->alone) : noise;
}

double xr_node_own_noise(const exray_comparison *c, uint32_t node)
{
    for (size_t i = 0; i < c->layers.count; i++)
        if (c->layers.pair[i].index[EXRAY_SIDE_EDGE] == node)
            return c->layers.pair[i].own;
    const graph g = {.comparison = (exray_comparison *)c, .model = exray_log_model(c->log[EXRAY_SIDE_EDGE])};
    const state in = {0};
    return xr_noise_bound(0, hypot(xr_node_noise(g.model, node), run_noise(&g, node, EXRAY_NO_INDEX, &in)));
}

bool xr_comparison_isolated(exray_comparison *c, size_t layer, const xr_isolated_errors *errors)
{
    exray_layer_pair *shown = &c->layer[layer];
    shown->isolated_error = errors->error;
    shown->isolated_error_clamped = errors->within;
    shown->own_noise = xr_isolated_noise(c, layer, errors);
    /* Run alone, all channels together hide those that are wrong. */
    bool failed = errors->error > shown->own_noise || c->layers.pair[layer].channels;
    if (failed)
        shown->role = EXRAY_LAYER_ROLE_ORIGINATES;
    else if (shown->role != EXRAY_LAYER_ROLE_CLEAN)
        shown->role = EXRAY_LAYER_ROLE_PROPAGATES;
    return failed;
}

void xr_comparison_reference_fails(exray_comparison *c, size_t layer, double error)
{
    c->layer[layer].reference_error = error;
}

void xr_comparison_block(exray_comparison *c, size_t layer, uint32_t first_node, double error)
{
    c->layer[layer].block_first = first_node;
    c->layer[layer].block_error = error;
}

double xr_block_noise(const exray_comparison *c, size_t layer, uint32_t layers)
{
    return c->layers.pair[layer].own * xr_noise_growth(layers);
}
