#include "checks/input/search/apply.h"

#include <math.h>

/* Healthy sides may differ by this many levels: where a step of the value map lies between, the edge's
 * value may be on either side of it. */
#define SLACK_LEVELS 2.0

/* Renders the sensor's picture as the edge does it, in pixels. */
static bool rendered_pixels(xr_input_pair *pair, const xr_transform *transform, size_t source, xr_raster *out)
{
    const xr_reading *reading = &transform->reading;
    bool exchanged = reading->set && reading->kind == XR_READ_EXCHANGED;
    xr_raster r = {0};
    if (reading->set && reading->kind == XR_READ_UNRESIZED)
        return xr_unresized_raster(pair, reading, source, out);
    exray_picture *picture = xr_decoded_sensor(pair, transform, source);
    bool ok = picture && xr_render(picture, &transform->resampling.edge, transform->resampling.orientation,
                                   exchanged ? pair->height : pair->width,
                                   exchanged ? pair->width : pair->height, pair->channels, &r);
    exray_picture_free(picture);
    if (ok && exchanged)
        ok = xr_reading_raster(reading, &r, out);
    else {
        *out = r;
        return ok;
    }
    xr_raster_free(&r);
    return ok;
}

/* The reference's side, rendered from the sensor's picture as the edge does it. */
static bool rendered_reference(xr_input_pair *pair, const xr_transform *transform, size_t source,
                               xr_raster *out)
{
    xr_raster r = {0};
    bool ok =
        rendered_pixels(pair, transform, source, &r) && xr_raster_make(out, r.width, r.height, r.channels);
    const xr_pixel_unit *unit = &transform->unit;
    size_t pixels = r.width * r.height;
    for (size_t c = 0; ok && c < r.channels; c++)
        for (size_t i = 0; i < pixels; i++)
            out->v[c * pixels + i] =
                (float)(unit->gain[c] * (double)r.v[unit->from[c] * pixels + i] + unit->offset[c]);
    if (ok)
        xr_apply_color(&transform->color, unit, out);
    xr_raster_free(&r);
    return ok;
}

/* A picture of exchanged sides is made from the reference's, as nearly as that can be done. */
static bool read_otherwise(const xr_input_pair *pair, const xr_reading *reading, const xr_raster *in,
                           xr_raster *out)
{
    static const xr_part whole = {0, 1, 0, 1};
    xr_raster turned;
    if (reading->kind != XR_READ_EXCHANGED)
        return xr_reading_raster(reading, in, out);
    bool ok = xr_crop_raster(in, &whole, 0, pair->height, pair->width, &turned) &&
              xr_reading_raster(reading, &turned, out);
    xr_raster_free(&turned);
    return ok;
}

/* The reference's side from its own record, changed as the edge does it. */
static bool recorded_reference(xr_input_pair *pair, const xr_transform *transform, size_t frame,
                               size_t source, xr_raster *out)
{
    xr_raster r = {0}, changed = {0};
    bool ok = xr_input_raster(pair, EXRAY_SIDE_REFERENCE, source, false, NULL, &r);
    if (ok)
        xr_mask_padding(pair, &r);
    if (ok)
        xr_apply_color(&transform->color, &transform->unit, &r);
    if (ok && transform->reading.set) {
        ok = read_otherwise(pair, &transform->reading, &r, &changed);
        xr_raster_free(&r);
        r = changed;
        changed = (xr_raster){0};
    }
    if (ok && transform->crop.set) {
        bool swap = (transform->turn.orientation & 4) != 0;
        ok = xr_crop_raster(&r, &transform->crop.part[frame],
                            transform->crop.turn ? transform->crop.turn[frame] : 0,
                            swap ? pair->height : pair->width, swap ? pair->width : pair->height, &changed);
        xr_raster_free(&r);
        r = changed;
    }
    ok = ok && xr_raster_orient(&r, transform->turn.orientation, out);
    xr_raster_free(&r);
    return ok;
}

static bool is_known(const xr_transform *transform, size_t frame, size_t source)
{
    const xr_crop *crop = &transform->crop;
    return source < transform->frames && (!crop->set || crop->part[frame].x1 > crop->part[frame].x0);
}

/* The same of the picture that the pair reads. */
static exray_status apply_once(xr_applied *a, size_t frame, exray_error *error)
{
    const xr_transform *transform = a->transform;
    size_t source = xr_source_frame(transform, frame);
    xr_applied_free(a);
    bool ok =
        (!a->pair->only || a->pair->only[frame]) && is_known(transform, frame, source) &&
        xr_input_raster(a->pair, EXRAY_SIDE_EDGE, frame, transform->layout, &transform->sign_wrap,
                        &a->edge) &&
        (transform->resampling.set ? rendered_reference(a->pair, transform, source, &a->reference)
                                   : recorded_reference(a->pair, transform, frame, source, &a->reference));
    if (!ok || a->edge.width != a->reference.width || a->edge.height != a->reference.height ||
        a->edge.channels != a->reference.channels) {
        error->status = EXRAY_E_STATE;
        return EXRAY_E_STATE;
    }
    xr_apply_value_map_near(&transform->value_map, &transform->unit, SLACK_LEVELS * a->pair->fit->level[1],
                            &a->reference, &a->edge);
    /* Values that the edge's tensor cannot hold are clipped on both sides.  Where it could hold all
     * values and the edge clips nevertheless, the clipped values are left out. */
    if (a->pair->clamped)
        xr_clamp_to_range(a->pair, &a->reference);
    else
        xr_mask_saturated(a->pair, &a->edge);
    return EXRAY_OK;
}

/* Every picture of a clip, one below the other. */
static exray_status apply_to_each(xr_applied *a, size_t frame, exray_error *error)
{
    const size_t searched = a->pair->picture, count = a->pair->pictures;
    xr_applied all = {.pair = a->pair, .transform = a->transform};
    exray_status status = EXRAY_OK;
    for (size_t k = 0; k < count && status == EXRAY_OK; k++) {
        a->pair->picture = k;
        status = apply_once(a, frame, error);
        if (status == EXRAY_OK && (!xr_raster_stack(&all.edge, &a->edge, k, count) ||
                                   !xr_raster_stack(&all.reference, &a->reference, k, count)))
            status = error->status = EXRAY_E_STATE;
    }
    a->pair->picture = searched;
    xr_applied_free(a);
    if (status == EXRAY_OK)
        *a = all;
    else
        xr_applied_free(&all);
    return status;
}

exray_status xr_apply_transform(void *user, size_t frame, xr_placed *out, exray_error *error)
{
    xr_applied *a = user;
    exray_status status =
        a->pair->pictures > 1 ? apply_to_each(a, frame, error) : apply_once(a, frame, error);
    if (status != EXRAY_OK)
        return status;
    *out = (xr_placed){a->edge.width, a->edge.height, a->edge.channels, {a->edge.v, a->reference.v}};
    return EXRAY_OK;
}

void xr_applied_free(xr_applied *applied)
{
    xr_raster_free(&applied->edge);
    xr_raster_free(&applied->reference);
}

xr_fit_sums xr_transform_sums(xr_input_pair *pair, const xr_transform *transform)
{
    xr_fit_sums sums = {0};
    for (size_t f = 0; f < pair->count; f++) {
        xr_applied applied = {.pair = pair, .transform = transform};
        xr_placed p;
        exray_error error;
        if (xr_apply_transform(&applied, pair->frame[f].frame, &p, &error) == EXRAY_OK)
            xr_sums_add(&sums, p.channels, p.plane[0], p.plane[1], NULL, p.width * p.height, 5);
        xr_applied_free(&applied);
    }
    return sums;
}
