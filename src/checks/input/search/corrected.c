#include "checks/input/search/corrected.h"

#include "checks/input/search/apply.h"

#include <math.h>
#include <stdlib.h>

/* A smaller gain has left nothing that could be restored. */
#define NO_GAIN 1e-6

#define KEY "corrected_input"

/* Whether some steps cannot be corrected on the edge's own values. */
static bool loses_pixels(const xr_transform *c, const xr_input_pair *pair)
{
    return c->order.misplaced || c->resampling.set || c->crop.set || c->reading.set || c->color.kind ||
           c->value_map.kind || c->decode.kind || pair->clamped;
}

static const xr_channel_order *order_of(const xr_input_fit *fit)
{
    return fit->orders.count ? &fit->orders.list[fit->orders.tied ? fit->orders.tie : fit->orders.used]
                             : NULL;
}

static bool is_mapped(const xr_input_fit *fit)
{
    return (fit->map.named || fit->map.after_exchange) && !fit->orders.tied;
}

static void release(void *state)
{
    xr_corrected_input *corrected = state;
    xr_input_pair_close(corrected->pair);
    xr_transform_free(&corrected->transform);
    free(corrected);
}

void xr_corrected_keep(exray_findings *findings, xr_input_pair *pair, xr_transform *transform,
                       const xr_input_fit *fit, bool recorded)
{
    xr_corrected_input *corrected = calloc(1, sizeof *corrected);
    if (!corrected) {
        xr_transform_free(transform);
        xr_input_pair_close(pair);
        return;
    }
    *corrected = (xr_corrected_input){.pair = pair, .transform = *transform, .fit = *fit};
    *transform = (xr_transform){0};
    xr_transform *kept = &corrected->transform;
    /* The reference's own record is more exact than a rendering of the sensor's picture. */
    if (recorded)
        kept->resampling.set = false;
    corrected->applied = loses_pixels(kept, pair);
    corrected->corrected = fit->orders.named || fit->orders.tied || is_mapped(fit) || kept->layout ||
                           kept->sign_wrap.set || kept->turn.orientation;
    xr_search_frames_free(pair);
    pair->fit = &corrected->fit;
    xr_findings_attach(findings, KEY, fit->pair, corrected, release);
}

xr_corrected_input *xr_corrected_of(const exray_findings *findings, size_t index)
{
    return xr_findings_attached(findings, KEY, index);
}

/* Inverts edge[c] = gain[c] * reference[from[c]] + offset[c]. */
static bool correct_colors(const xr_input_fit *fit, const xr_raster *edge, xr_raster *out)
{
    const xr_channel_order *order = order_of(fit);
    size_t pixels = edge->width * edge->height;
    if (!xr_raster_make(out, edge->width, edge->height, edge->channels))
        return false;
    for (size_t c = 0; c < edge->channels; c++) {
        size_t to = order && c < fit->values.channels ? order->from[c] : c;
        double gain = order && is_mapped(fit) ? order->map.gain[c] : 1;
        double offset = order && is_mapped(fit) ? order->map.offset[c] : 0;
        for (size_t i = 0; i < pixels; i++) {
            double v = ((double)edge->v[c * pixels + i] - offset) / gain;
            out->v[to * pixels + i] = fabs(gain) > NO_GAIN ? (float)v : NAN;
        }
    }
    return true;
}

/* The edge's values, including those that its tensor could not hold; of a clip all pictures. */
static bool correct_edge(xr_corrected_input *input, size_t frame, xr_raster *out)
{
    const size_t searched = input->pair->picture, count = input->pair->pictures;
    xr_raster all = {0};
    bool ok = true;
    for (size_t k = 0; k < count && ok; k++) {
        xr_raster edge = {0};
        input->pair->picture = k;
        ok = xr_input_raster(input->pair, EXRAY_SIDE_EDGE, frame, input->transform.layout,
                             &input->transform.sign_wrap, &edge) &&
             xr_raster_stack(&all, &edge, k, count);
        xr_raster_free(&edge);
    }
    input->pair->picture = searched;
    ok = ok && correct_colors(&input->fit, &all, out);
    xr_raster_free(&all);
    return ok;
}

/* Turns the edge's picture back to the reference's orientation, of a clip each by itself. */
static bool turn_back(xr_raster *r, xr_orientation by, size_t count)
{
    xr_raster turned = {0};
    bool ok = true;
    if (by == 0)
        return true;
    for (size_t k = 0; k < count && ok; k++) {
        xr_raster one = {0}, back = {0};
        ok = xr_raster_unstack(r, k, count, &one) &&
             xr_raster_orient(&one, xr_orientation_inverse(by), &back) &&
             xr_raster_stack(&turned, &back, k, count);
        xr_raster_free(&one);
        xr_raster_free(&back);
    }
    if (!ok)
        xr_raster_free(&turned);
    if (ok) {
        xr_raster_free(r);
        *r = turned;
    }
    return ok;
}

void xr_corrected_frame_free(xr_corrected_frame *frame)
{
    xr_raster_free(&frame->side[0]);
    xr_raster_free(&frame->side[1]);
    xr_raster_free(&frame->edge);
}

bool xr_correct_frame(xr_corrected_input *input, size_t frame, xr_corrected_frame *out)
{
    *out = (xr_corrected_frame){.source_frame = frame};
    if (frame >= input->transform.frames)
        return false;
    xr_applied applied = {.pair = input->pair, .transform = &input->transform};
    xr_placed placed;
    exray_error error = {EXRAY_OK, ""};
    bool ok = xr_apply_transform(&applied, frame, &placed, &error) == EXRAY_OK &&
              placed.channels <= XR_FIT_CHANNELS &&
              correct_colors(&input->fit, &applied.edge, &out->side[EXRAY_SIDE_EDGE]) &&
              xr_raster_copy(&applied.reference, &out->side[EXRAY_SIDE_REFERENCE]) &&
              correct_edge(input, frame, &out->edge);
    xr_raster *made[3] = {&out->side[0], &out->side[1], &out->edge};
    for (int i = 0; i < 3 && ok; i++)
        ok = turn_back(made[i], input->transform.turn.orientation, input->pair->pictures);
    if (ok)
        out->source_frame = xr_source_frame(&input->transform, frame);
    xr_applied_free(&applied);
    if (!ok)
        xr_corrected_frame_free(out);
    return ok;
}
