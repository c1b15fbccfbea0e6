#include "checks/input/search/input_undo.h"

#include "checks/findings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Below this share of 1 a gain has left nothing that could be brought back. */
#define NO_GAIN 1e-6

#define KEY "corrected_input"

/* Links that no step back on the edge's own values undoes. */
static bool loses_pixels(const xr_chain *c, const xr_scene *scene)
{
    return c->moved || c->rendered || c->warped || c->shear.set || c->tint.kind || c->remap.kind ||
           c->reading.kind || scene->clamped;
}

static const xr_order *order_of(const xr_input_fit *fit)
{
    return fit->order_count ? &fit->order[fit->order_tied ? fit->tie : fit->order_used] : NULL;
}

static bool is_mapped(const xr_input_fit *fit)
{
    return (fit->map_named || fit->map_after) && !fit->order_tied;
}

static void release(void *state)
{
    xr_undo *undo = state;
    xr_scene_close(undo->scene);
    xr_chain_free(&undo->chain);
    free(undo);
}

void xr_undo_keep(exray_findings *findings, xr_scene *scene, xr_chain *chain, const xr_input_fit *fit,
                  bool recorded)
{
    xr_undo *undo = calloc(1, sizeof *undo);
    if (!undo) {
        xr_chain_free(chain);
        xr_scene_close(scene);
        return;
    }
    *undo = (xr_undo){.pair = fit->pair, .scene = scene, .chain = *chain, .fit = *fit};
    *chain = (xr_chain){0};
    /* The reference's own record is nearer to the truth than a rendering of the sensor's. */
    if (recorded)
        undo->chain.rendered = false;
    undo->applied = loses_pixels(&undo->chain, scene);
    undo->undone = fit->order_named || fit->order_tied || is_mapped(fit) || undo->chain.layout ||
                   undo->chain.bend.set || undo->chain.orientation;
    xr_scene_forget(scene);
    scene->fit = &undo->fit;
    xr_findings_attach(findings, KEY, fit->pair, undo, release);
}

xr_undo *xr_undo_of(const exray_findings *findings, size_t pair)
{
    return xr_findings_attached(findings, KEY, pair);
}

/* edge[c] = gain[c] * reference[from[c]] + offset[c], the other way round. */
static bool undo_colours(const xr_input_fit *fit, const xr_raster *edge, xr_raster *out)
{
    const xr_order *order = order_of(fit);
    size_t pixels = edge->width * edge->height;
    if (!xr_raster_make(out, edge->width, edge->height, edge->channels))
        return false;
    for (size_t c = 0; c < edge->channels; c++) {
        size_t to = order && c < fit->channels ? order->from[c] : c;
        double gain = order && is_mapped(fit) ? order->map.gain[c] : 1;
        double offset = order && is_mapped(fit) ? order->map.offset[c] : 0;
        for (size_t i = 0; i < pixels; i++) {
            double v = ((double)edge->v[c * pixels + i] - offset) / gain;
            out->v[to * pixels + i] = fabs(gain) > NO_GAIN ? (float)v : NAN;
        }
    }
    return true;
}

static bool copy_raster(const xr_raster *from, xr_raster *out)
{
    if (!xr_raster_make(out, from->width, from->height, from->channels))
        return false;
    memcpy(out->v, from->v, from->width * from->height * from->channels * sizeof *out->v);
    return true;
}

/* The edge's as it is, before what it could not hold was taken out. */
static bool undo_shown(xr_undo *undo, size_t frame, xr_raster *out)
{
    xr_raster edge = {0};
    bool ok =
        xr_scene_raster(undo->scene, EXRAY_SIDE_EDGE, frame, undo->chain.layout, &undo->chain.bend, &edge) &&
        undo_colours(&undo->fit, &edge, out);
    xr_raster_free(&edge);
    return ok;
}

/* Back to where the reference's top is. */
static bool turn_back(xr_raster *r, xr_orientation by)
{
    xr_raster turned = {0};
    if (by == 0)
        return true;
    bool ok = xr_raster_orient(r, xr_orientation_inverse(by), &turned);
    if (ok) {
        xr_raster_free(r);
        *r = turned;
    }
    return ok;
}

void xr_undone_free(xr_undone *undone)
{
    xr_raster_free(&undone->side[0]);
    xr_raster_free(&undone->side[1]);
    xr_raster_free(&undone->shown);
}

bool xr_undo_frame(xr_undo *undo, size_t frame, xr_undone *out)
{
    *out = (xr_undone){.shows = frame};
    if (frame >= undo->chain.frames)
        return false;
    xr_applied applied = {.scene = undo->scene, .chain = &undo->chain};
    xr_placed placed;
    exray_error error = {EXRAY_OK, ""};
    bool ok = xr_apply_chain(&applied, frame, &placed, &error) == EXRAY_OK &&
              placed.channels <= XR_FIT_CHANNELS &&
              undo_colours(&undo->fit, &applied.edge, &out->side[EXRAY_SIDE_EDGE]) &&
              copy_raster(&applied.reference, &out->side[EXRAY_SIDE_REFERENCE]) &&
              undo_shown(undo, frame, &out->shown);
    xr_raster *made[3] = {&out->side[0], &out->side[1], &out->shown};
    for (int i = 0; i < 3 && ok; i++)
        ok = turn_back(made[i], undo->chain.orientation);
    if (ok && undo->chain.shows)
        out->shows = undo->chain.shows[frame];
    xr_applied_free(&applied);
    if (!ok)
        xr_undone_free(out);
    return ok;
}
