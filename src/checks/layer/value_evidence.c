#include "checks/layer/value_evidence.h"

#include "checks/op_name.h"
#include "checks/place_of.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 6 };
/* Another padding shows at the border: nearly all of the difference lies there. */
#define AT_THE_BORDER 0.98

const exray_tensor_info *xr_layer_info(const exray_comparison *comparison, const exray_layer_pair *layer,
                                       exray_side side)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    const uint32_t tensor = model ? xr_tensor_of_layer(model, layer, side) : EXRAY_NO_INDEX;
    return tensor == EXRAY_NO_INDEX ? NULL : &model->tensors[tensor];
}

const exray_tensor_info *xr_layer_stored(const exray_comparison *comparison, const exray_layer_pair *layer,
                                         exray_side side)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    const exray_tensor_info *made = xr_layer_info(comparison, layer, side);
    if (!made || made->quantization.count || !xr_is_op(layer->op[side], "dequantizelinear"))
        return made;
    const exray_node *node = &model->nodes[layer->node[side]];
    uint32_t read = node->input_count ? node->inputs[0] : EXRAY_NO_INDEX;
    return read < model->tensor_count && model->tensors[read].quantization.count == 1 ? &model->tensors[read]
                                                                                      : made;
}

size_t xr_layer_that_makes(const exray_comparison *comparison, exray_side side, uint32_t tensor)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    for (size_t i = 0; model && i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        uint32_t output = side == EXRAY_SIDE_EDGE ? layer->output : layer->reference_output;
        if (layer->node[side] < model->node_count && output < model->nodes[layer->node[side]].output_count &&
            model->nodes[layer->node[side]].outputs[output] == tensor)
            return i;
    }
    return SIZE_MAX;
}

bool xr_is_same_file(const exray_comparison *comparison)
{
    const exray_model *edge = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    const exray_model *reference = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE));
    return edge && reference && edge->sha256 && reference->sha256 &&
           memcmp(edge->sha256, reference->sha256, 32) == 0;
}

bool xr_is_at_border(const xr_layer_evidence *evidence)
{
    return evidence->border > AT_THE_BORDER && evidence->border_area < 0.5;
}

bool xr_layer_has_data(const exray_layer_pair *layer)
{
    return layer->metrics.count && !layer->from_stats && !layer->from_sketch;
}

bool xr_is_only_clipped(const exray_layer_pair *layer)
{
    return layer->isolated_error > layer->own_noise && layer->isolated_error_clamped <= layer->own_noise;
}

/* ---- Reading ----------------------------------------------------------------------- */

typedef struct layer_side {
    exray_slot *slot;
    exray_tensor_view view;
    const float *value;
} layer_side;

void xr_note_range(const exray_tensor_info *info, xr_layer_evidence *e)
{
    if (!info)
        return;
    double least, most;
    switch (info->dtype) {
    case EXRAY_DTYPE_INT8:
        least = -128, most = 127;
        break;
    case EXRAY_DTYPE_UINT8:
        least = 0, most = 255;
        break;
    case EXRAY_DTYPE_INT16:
        least = -32768, most = 32767;
        break;
    case EXRAY_DTYPE_UINT16:
        least = 0, most = 65535;
        break;
    default:
        return;
    }
    if (info->quantization.count != 1 || !(info->quantization.scale[0] > 0))
        return;
    double zero = info->quantization.zero_point ? (double)info->quantization.zero_point[0] : 0;
    e->step = info->quantization.scale[0];
    e->zero_point = zero;
    e->low = e->step * (least - zero);
    e->high = e->step * (most - zero);
}

/* Where the edge has element i of the reference: at the same place, or transposed where one side is
 * channels-last and the other channels-first. */
typedef struct axis_order {
    bool turned;
    uint64_t outer, rows, columns; /* [outer][rows][columns] of the reference is [outer][columns][rows] */
} axis_order;

uint32_t xr_squeezed_shape(const exray_tensor_info *info, int64_t shape[EXRAY_MAX_RANK])
{
    uint32_t rank = 0;
    for (uint32_t i = 0; i < info->rank; i++)
        if (info->shape[i] != 1)
            shape[rank++] = info->shape[i];
    return rank;
}

static bool find_order(const exray_tensor_info *edge, const exray_tensor_info *reference, axis_order *out)
{
    int64_t a[EXRAY_MAX_RANK], b[EXRAY_MAX_RANK];
    uint32_t rank = xr_squeezed_shape(edge, a), other = xr_squeezed_shape(reference, b);
    *out = (axis_order){.turned = false};
    if ((rank == other && memcmp(a, b, rank * sizeof *a) == 0) || rank == 1 || other == 1)
        return true;
    if (rank != other || rank < 3 || rank > 4 || (rank == 4 && a[0] != b[0]))
        return false;
    const int64_t *x = a + (rank - 3), *y = b + (rank - 3);
    out->turned = true;
    out->outer = rank == 4 ? (uint64_t)a[0] : 1;
    if (x[2] == y[0] && x[0] == y[1] && x[1] == y[2]) { /* the reference is [C][H W] */
        out->rows = (uint64_t)y[0];
        out->columns = (uint64_t)(y[1] * y[2]);
        return true;
    }
    if (x[0] == y[2] && x[1] == y[0] && x[2] == y[1]) { /* the reference is [H W][C] */
        out->rows = (uint64_t)(y[0] * y[1]);
        out->columns = (uint64_t)y[2];
        return true;
    }
    return false;
}

static uint64_t place(const axis_order *o, uint64_t i)
{
    if (!o->turned)
        return i;
    uint64_t plane = o->rows * o->columns, at = i % plane;
    return i - at + at % o->columns * o->rows + at / o->columns;
}

/* ---- Sums ---------------------------------------------------------------------------- */

typedef struct evidence_sums {
    double n, difference, shift, b, bb, below, above, held, clipped, unclipped, half[2], both;
    double without[XR_ACTIVATIONS], with[XR_ACTIVATIONS], rim, rim_difference;
} evidence_sums;

/* Float16 holds every whole number up to this one. */
#define XR_WHOLE_IN_HALF 2048

/* Whether float16 can hold the value: the 13 bits of the mantissa that it lacks are zero. */
static bool fits_half(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & 0x1fff) == 0;
}

/* Without libm's functions, whose calls cost more than all the rest: no value here is NaN. */
static inline double smaller(double a, double b)
{
    return a < b ? a : b;
}

static inline double larger(double a, double b)
{
    return a > b ? a : b;
}

/* What the range of a type is judged by.  The sums are local, so that they stay in registers; `turned` and
 * `bounded` are constants where it is called. */
static inline void sum_values(evidence_sums *s, xr_layer_evidence *e, const layer_side side[2],
                              const axis_order *o, bool turned, bool bounded)
{
    const float *x = side[0].value, *y = side[1].value;
    const uint64_t count = side[1].view.count;
    const double low = e->low, high = e->high, under = low - e->step / 2, over = high + e->step / 2,
                 lowest = low + e->step / 2, highest = high - e->step / 2;
    double difference = 0, shift = 0, sum = 0, squares = 0, clipped = 0, unclipped = 0;
    uint64_t n = 0, below = 0, above = 0, at_end = 0;
    double min[2] = {e->min[0], e->min[1]}, max[2] = {e->max[0], e->max[1]};
    for (uint64_t i = 0; i < count; i++) {
        const double a = (double)x[turned ? place(o, i) : i], b = (double)y[i], d = a - b;
        if (!isfinite(d)) /* of two floats: it is only where both are */
            continue;
        n++;
        difference += d * d;
        shift += d;
        sum += b;
        squares += b * b;
        min[0] = smaller(min[0], a);
        max[0] = larger(max[0], a);
        min[1] = smaller(min[1], b);
        max[1] = larger(max[1], b);
        if (bounded) {
            const double held = smaller(larger(b, low), high);
            below += b < under;
            above += b > over;
            at_end += (b < under && a < lowest) || (b > over && a > highest);
            clipped += (b - held) * (b - held);
            unclipped += (a - held) * (a - held);
        }
    }
    s->n += (double)n;
    s->difference += difference;
    s->shift += shift;
    s->b += sum;
    s->bb += squares;
    s->below += (double)below;
    s->above += (double)above;
    s->held += (double)at_end;
    s->clipped += clipped;
    s->unclipped += unclipped;
    for (int k = 0; k < 2; k++) {
        e->min[k] = min[k];
        e->max[k] = max[k];
    }
}

static void add_values(evidence_sums *s, xr_layer_evidence *e, const layer_side side[2], const axis_order *o)
{
    const bool bounded = e->step > 0;
    if (o->turned)
        sum_values(s, e, side, o, true, bounded);
    else if (bounded)
        sum_values(s, e, side, o, false, true);
    else
        sum_values(s, e, side, o, false, false);
}

static double square(double x)
{
    return x * x;
}

static void add_activations(evidence_sums *s, double a, double b)
{
    static const double most[XR_ACTIVATIONS] = {INFINITY, 6};
    for (int i = 0; i < XR_ACTIVATIONS; i++) {
        s->without[i] += square(smaller(larger(a, 0), most[i]) - b);
        s->with[i] += square(a - smaller(larger(b, 0), most[i]));
    }
}

/* The reference's rows, columns and the distance between neighbors along each; for a batch of
 * one. */
typedef struct border_raster {
    uint64_t rows, columns, row_step, column_step;
} border_raster;

static border_raster find_raster(const exray_tensor_info *reference, const axis_order *o)
{
    int64_t shape[EXRAY_MAX_RANK];
    if (xr_squeezed_shape(reference, shape) != 3)
        return (border_raster){0};
    bool first = o->turned ? o->rows == (uint64_t)shape[0] : shape[0] != shape[1] && shape[1] == shape[2];
    const int64_t *hw = first ? shape + 1 : shape;
    uint64_t channels = first ? 1 : (uint64_t)shape[2];
    return (border_raster){(uint64_t)hw[0], (uint64_t)hw[1], (uint64_t)hw[1] * channels, channels};
}

static bool is_at_border_pixel(const border_raster *r, uint64_t i)
{
    uint64_t row = i / r->row_step % r->rows, column = i / r->column_step % r->columns;
    return row == 0 || column == 0 || row + 1 == r->rows || column + 1 == r->columns;
}

/* What tells one reason for a wrong layer from another. */
static void add_reasons(evidence_sums *s, const layer_side side[2], const axis_order *o)
{
    bool floats =
        side[0].view.info.dtype == EXRAY_DTYPE_FLOAT32 && side[1].view.info.dtype == EXRAY_DTYPE_FLOAT32;
    border_raster r = find_raster(&side[1].view.info, o);
    for (uint64_t i = 0; i < side[1].view.count; i++) {
        float a = side[0].value[place(o, i)], b = side[1].value[i];
        if (!isfinite(a) || !isfinite(b))
            continue;
        add_activations(s, (double)a, (double)b);
        if (r.rows && is_at_border_pixel(&r, i)) {
            s->rim++;
            s->rim_difference += square((double)a - (double)b);
        }
        bool says = b != 0 && (floorf(a) != a || fabsf(a) > XR_WHOLE_IN_HALF);
        if (floats && says) { /* zero and small whole numbers are exact in every type */
            s->both++;
            s->half[0] += fits_half(a);
            s->half[1] += fits_half(b);
        }
    }
}

static void add_frame(evidence_sums *s, xr_layer_evidence *e, const layer_side side[2], bool reasons)
{
    axis_order o;
    if (side[0].view.count != side[1].view.count || !find_order(&side[0].view.info, &side[1].view.info, &o))
        return;
    add_values(s, e, side, &o);
    if (reasons)
        add_reasons(s, side, &o);
    e->frames++;
}

static void settle(const evidence_sums *s, xr_layer_evidence *e)
{
    double mean = s->b / s->n;
    e->count = s->n;
    e->difference = s->difference / s->n;
    e->shift = s->shift / s->n;
    e->deviation = sqrt(fmax(s->bb / s->n - mean * mean, 0));
    e->below = s->below / s->n;
    e->above = s->above / s->n;
    e->held = s->held / s->n;
    e->clipped = s->clipped / s->n;
    e->unclipped = s->unclipped / s->n;
    for (int i = 0; i < XR_ACTIVATIONS; i++) {
        e->without[i] = s->without[i] / s->n;
        e->with[i] = s->with[i] / s->n;
    }
    e->border_area = s->rim / s->n;
    e->border = s->difference > 0 ? s->rim_difference / s->difference : 0;
    e->half = s->both > 0 && s->half[1] < 0.9 * s->both ? s->half[0] / s->both : 0;
}

static exray_status read_evidence(const exray_comparison *comparison, size_t layer, bool reasons,
                                  const exray_tensor_info *stored, xr_layer_evidence *out, exray_error *error)
{
    *out = (xr_layer_evidence){.min = {INFINITY, INFINITY}, .max = {-INFINITY, -INFINITY}};
    layer_side side[2] = {{.slot = exray_slot_new()}, {.slot = exray_slot_new()}};
    exray_status status = side[0].slot && side[1].slot ? EXRAY_OK : EXRAY_E_MEMORY;
    size_t frames = exray_comparison_frame_count(comparison);
    size_t stride = frames > MOST_FRAMES ? frames / MOST_FRAMES : 1;
    evidence_sums s = {0};
    for (size_t f = 0; status == EXRAY_OK && f < frames && out->frames < MOST_FRAMES; f += stride) {
        for (int k = 0; k < 2 && status == EXRAY_OK; k++)
            status = exray_comparison_values(comparison, (exray_side)k, f, EXRAY_KIND_LAYER, layer,
                                             side[k].slot, &side[k].view, &side[k].value, error);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED) {
            status = error->status = EXRAY_OK; /* no data in this frame */
            continue;
        }
        if (status == EXRAY_OK) {
            xr_note_range(stored, out);
            add_frame(&s, out, side, reasons);
        }
    }
    exray_slot_free(side[0].slot);
    exray_slot_free(side[1].slot);
    if (status == EXRAY_OK && s.n > 0)
        settle(&s, out);
    else
        out->frames = 0;
    return status;
}

exray_status xr_layer_evidence_get(const exray_comparison *comparison, size_t layer, xr_layer_evidence *out,
                                   exray_error *error)
{
    const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
    return read_evidence(comparison, layer, true, xr_layer_stored(comparison, pair, EXRAY_SIDE_EDGE), out,
                         error);
}

/* From the metrics, over all frames, where no value of the reference is beyond the range of the edge's type:
 * then nothing is clipped, and the rest is known already.  A layer of 8 bits on both sides need not be read
 * again. */
static bool from_metrics(const exray_comparison *comparison, size_t layer, const exray_tensor_info *info,
                         xr_layer_evidence *out)
{
    const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
    const exray_metrics *m = &pair->metrics;
    if (!info || pair->problem || m->count == 0 || !isfinite(m->rmse) || !isfinite(m->std[1]) ||
        m->nan_count[0] || m->nan_count[1] || m->inf_count[0] || m->inf_count[1])
        return false;
    *out = (xr_layer_evidence){.frames = exray_comparison_frame_count(comparison),
                               .count = (double)m->count,
                               .difference = m->rmse * m->rmse,
                               .deviation = m->std[1],
                               .min = {m->min[0], m->min[1]},
                               .max = {m->max[0], m->max[1]},
                               .shift = m->mean[0] - m->mean[1],
                               .unclipped = m->rmse * m->rmse};
    xr_note_range(info, out);
    return out->step > 0 && m->min[1] >= out->low && m->max[1] <= out->high;
}

exray_status xr_layer_range_evidence_in(const exray_comparison *comparison, size_t layer,
                                        const exray_tensor_info *range, xr_layer_evidence *out,
                                        exray_error *error)
{
    if (from_metrics(comparison, layer, range, out))
        return EXRAY_OK;
    return read_evidence(comparison, layer, false, range, out, error);
}

exray_status xr_layer_range_evidence_get(const exray_comparison *comparison, size_t layer,
                                         xr_layer_evidence *out, exray_error *error)
{
    const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
    return xr_layer_range_evidence_in(comparison, layer, xr_layer_stored(comparison, pair, EXRAY_SIDE_EDGE),
                                      out, error);
}

/* ---- From statistics ------------------------------------------------------------------ */

/* What clipping at one end costs, a mean square, where it clipped a share p of the values and so
 * moved the mean by m: at least m^2 / p (Cauchy-Schwarz), and at most p reach^2. */
static double clipping_cost(double share, double moved, double reach)
{
    if (!(share > 0) || !(moved > 0) || !(reach > 0))
        return 0;
    return fmin(moved * moved / share, share * reach * reach);
}

void xr_layer_evidence_from_stats(const exray_comparison *comparison, size_t layer, xr_layer_evidence *out)
{
    const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
    const exray_metrics *m = &pair->metrics;
    const exray_tensor_info *info = xr_layer_info(comparison, pair, EXRAY_SIDE_EDGE);
    *out = (xr_layer_evidence){.count = (double)m->count,
                               .deviation = m->std[1],
                               .min = {m->min[0], m->min[1]},
                               .max = {m->max[0], m->max[1]},
                               .shift = m->mean[0] - m->mean[1],
                               .held = NAN,
                               .unclipped = NAN,
                               .without = {NAN, NAN},
                               .with = {NAN, NAN}};
    if (!info || !(m->std[1] > 0) || isnan(pair->error))
        return;
    out->frames = 1;
    out->difference = pair->error * pair->error * m->std[1] * m->std[1];
    xr_note_range(info, out);
    if (!(out->step > 0) || isnan(pair->saturated_high))
        return;
    /* Values at an end of the range were clipped only if the reference's go beyond it: the zeros of a
     * ReLU lie there, too. */
    double over = m->max[1] - out->high, under = out->low - m->min[1];
    out->above = over > out->step / 2 ? pair->saturated_high : 0;
    out->below = under > out->step / 2 ? pair->saturated_low : 0;
    out->clipped =
        clipping_cost(out->above, -out->shift, over) + clipping_cost(out->below, out->shift, under);
    /* Clipping costs no more than the loss of energy, or than the difference. */
    double energy[2];
    for (int s = 0; s < 2; s++)
        energy[s] = m->std[s] * m->std[s] + m->mean[s] * m->mean[s];
    out->clipped = fmin(out->clipped, fmax(0, energy[1] - energy[0]));
    if (pair->from_sketch)
        out->clipped = fmin(out->clipped, out->difference);
}

bool xr_is_range_off_center(const xr_layer_evidence *e)
{
    double over = fmax(e->max[1], 0) - e->high, under = e->low - fmin(e->min[1], 0);
    double beyond = fmax(over, under), unused = -fmin(over, under);
    return beyond > 0 && unused > 0.7 * beyond && e->high - e->low > 0.9 * (e->max[1] - e->min[1]);
}
