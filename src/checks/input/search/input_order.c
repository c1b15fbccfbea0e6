/* Which frame's picture each of the edge's frames shows: one late, repeated, dropped. */
#include "checks/input/search/input_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 12, CELLS = SIDE * SIDE, MOST_FRAMES = 128 };

/* Small grey pictures of mean 0 and length 1. */
typedef struct signature {
    float v[CELLS];
    bool any; /* it has contrast */
} signature;

static void make_signature(const xr_thumb *t, signature *out)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < CELLS; i++) {
        double v = 0;
        for (size_t c = 0; c < t->channels; c++)
            v += (double)t->v[c * CELLS + i];
        out->v[i] = (float)v;
        sum += v;
    }
    for (size_t i = 0; i < CELLS; i++) {
        out->v[i] -= (float)(sum / CELLS);
        square += (double)out->v[i] * (double)out->v[i];
    }
    out->any = square > 1e-12;
    for (size_t i = 0; i < CELLS; i++)
        out->v[i] = out->any ? (float)(out->v[i] / sqrt(square)) : 0;
}

static double likeness(const signature *a, const signature *b)
{
    double sum = 0;
    for (size_t i = 0; i < CELLS; i++)
        sum += (double)(a->v[i] * b->v[i]);
    return sum;
}

/* One side's signature of a frame, in every orientation asked for. */
static bool signatures_of(xr_scene *scene, exray_side side, size_t frame, bool layout, const xr_bend *bend,
                          signature *out, size_t orientations)
{
    static const xr_map all = {0, 1, 0, 1};
    xr_raster r = {0};
    xr_area a = {0};
    xr_thumb t = {0}, turned = {0};
    bool ok = xr_scene_raster(scene, side, frame, layout, bend, &r) && xr_area_make(&a, &r) &&
              xr_thumb_make(&t, SIDE, r.channels) && xr_thumb_make(&turned, SIDE, r.channels);
    if (ok)
        xr_thumb_of(&t, &a, &all);
    for (xr_orientation o = 0; ok && o < orientations; o++) {
        xr_thumb_orient(&t, xr_orientation_inverse(o), &turned);
        make_signature(&turned, &out[o]);
    }
    xr_thumb_free(&t);
    xr_thumb_free(&turned);
    xr_area_free(&a);
    xr_raster_free(&r);
    return ok;
}

/* The best of the reference's frames for each of the edge's, in one layout and orientation. */
typedef struct pairing {
    size_t best[MOST_FRAMES];
    double like[MOST_FRAMES], own[MOST_FRAMES];
    double total;
} pairing;

static void pair_up(const signature *edge, const signature *reference, size_t frames, pairing *p)
{
    p->total = 0;
    for (size_t f = 0; f < frames; f++) {
        p->own[f] = likeness(&edge[f * XR_ORIENTATIONS], &reference[f]);
        p->best[f] = f;
        p->like[f] = p->own[f];
        for (size_t g = 0; g < frames; g++) {
            double like = likeness(&edge[f * XR_ORIENTATIONS], &reference[g]);
            /* Of equals (a few pictures, over and over), the nearest. */
            bool nearer = fabs(like - p->like[f]) <= 1e-6 && p->best[f] != f &&
                          llabs((int64_t)g - (int64_t)f) < llabs((int64_t)p->best[f] - (int64_t)f);
            if (like > p->like[f] + 1e-6 || nearer) {
                p->like[f] = like;
                p->best[f] = g;
            }
        }
        p->total += p->like[f];
    }
}

/* A frame that shows another's picture beyond doubt. */
static bool has_moved(const pairing *p, size_t f)
{
    return p->best[f] != f && 1 - p->like[f] < 0.3 * (1 - p->own[f]) && p->like[f] > 0.8;
}

static void adopt(xr_chain *chain, const pairing *p, size_t frames)
{
    size_t moved = 0, kept = 0, strange;
    for (size_t f = 0; f < frames; f++) {
        moved += has_moved(p, f);
        kept += p->best[f] == f && p->like[f] > 0.8;
    }
    strange = frames - moved - kept; /* like no frame of the reference */
    if (!moved || !(chain->shows = calloc(chain->frames + 1, sizeof *chain->shows)))
        return;
    chain->moved = moved;
    int64_t shift = 0, last = 0;
    bool even = true;
    for (size_t f = 0; f < frames; f++) {
        chain->shows[f] = has_moved(p, f) ? p->best[f] : f;
        /* What is in no frame of the reference: the first of a late edge. */
        if (!has_moved(p, f) && p->like[f] < 0.8 && moved > kept && moved > 2 * strange)
            chain->shows[f] = SIZE_MAX;
        if (has_moved(p, f)) {
            shift = (int64_t)chain->shows[f] - (int64_t)f;
            even = even && (last == 0 || last == shift);
            last = shift;
        }
    }
    for (size_t f = frames; f < chain->frames; f++) {
        int64_t g = (int64_t)f + shift;
        chain->shows[f] = even && kept < moved && g >= 0 && (size_t)g < chain->frames ? (size_t)g : f;
    }
}

void xr_find_frame_order(xr_scene *scene, xr_chain *chain)
{
    size_t frames = chain->frames < MOST_FRAMES ? chain->frames : MOST_FRAMES,
           layouts = scene->channels > 1 ? 2 : 1;
    if (frames < 2)
        return;
    signature *edge[2] = {calloc(frames * XR_ORIENTATIONS, sizeof(signature)),
                          calloc(frames * XR_ORIENTATIONS, sizeof(signature))};
    signature *reference = calloc(frames, sizeof *reference);
    pairing *best = calloc(2, sizeof *best), *now = best ? best + 1 : NULL;
    bool ok = edge[0] && edge[1] && reference && best;
    size_t known = 0;
    for (size_t f = 0; ok && f < frames; f++) {
        known += signatures_of(scene, EXRAY_SIDE_REFERENCE, f, false, NULL, &reference[f], 1);
        for (size_t l = 0; l < layouts; l++)
            signatures_of(scene, EXRAY_SIDE_EDGE, f, l == 1, &chain->bend, &edge[l][f * XR_ORIENTATIONS],
                          XR_ORIENTATIONS);
    }
    size_t turns = scene->width == scene->height ? 8 : 4;
    for (size_t l = 0; ok && known > 1 && l < layouts; l++)
        for (size_t o = 0; o < turns; o++) {
            pair_up(edge[l] + o, reference, frames, now);
            if ((l == 0 && o == 0) || now->total > best->total + 0.05 * (double)frames)
                *best = *now;
        }
    if (ok && known > 1)
        adopt(chain, best, frames);
    free(edge[0]);
    free(edge[1]);
    free(reference);
    free(best);
}
