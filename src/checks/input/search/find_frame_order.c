/* Compares small gray pictures of all frames with each other: late, repeated or dropped frames show
 * another frame's picture. */
#include "checks/input/search/find.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 12, CELLS = SIDE * SIDE, FRAME_LIMIT = 128 };

/* A small gray picture; for comparing, of mean 0 and length 1. */
typedef struct frame_signature {
    float v[CELLS];
} frame_signature;

static void make_signature(const xr_thumb *t, frame_signature *out)
{
    for (size_t i = 0; i < CELLS; i++) {
        double v = 0;
        for (size_t c = 0; c < t->channels; c++)
            v += (double)t->v[c * CELLS + i];
        out->v[i] = (float)v;
    }
}

/* Brings the cells that say something to mean 0 and length 1; the others to 0. */
static void normalize(const frame_signature *in, const bool says[CELLS], frame_signature *out)
{
    double sum = 0, square = 0, count = 0;
    for (size_t i = 0; i < CELLS; i++)
        if (says[i])
            sum += (double)in->v[i], count++;
    for (size_t i = 0; i < CELLS; i++) {
        out->v[i] = says[i] ? (float)((double)in->v[i] - sum / count) : 0;
        square += (double)out->v[i] * (double)out->v[i];
    }
    for (size_t i = 0; i < CELLS; i++)
        out->v[i] = square > 1e-12 ? (float)(out->v[i] / sqrt(square)) : 0;
}

/* Cells that are the same in all of the edge's frames (bars, rows that nobody wrote) say nothing of which
 * frame it is, unless hardly any others are left. */
static void telling_cells(const frame_signature *edge, size_t frames, bool says[CELLS])
{
    enum { FEWEST = CELLS / 8 };
    float low[CELLS], high[CELLS], least = edge[0].v[0], most = least;
    size_t count = 0;
    for (size_t i = 0; i < CELLS; i++) {
        low[i] = high[i] = edge[0].v[i];
        for (size_t f = 1; f < frames; f++) {
            low[i] = fminf(low[i], edge[f * XR_ORIENTATIONS].v[i]);
            high[i] = fmaxf(high[i], edge[f * XR_ORIENTATIONS].v[i]);
        }
        least = fminf(least, low[i]);
        most = fmaxf(most, high[i]);
    }
    for (size_t i = 0; i < CELLS; i++)
        count += says[i] = high[i] - low[i] > 1e-4F * (most - least);
    for (size_t i = 0; i < CELLS && count < FEWEST; i++)
        says[i] = true;
}

static double similarity(const frame_signature *a, const frame_signature *b)
{
    double sum = 0;
    for (size_t i = 0; i < CELLS; i++)
        sum += (double)(a->v[i] * b->v[i]);
    return sum;
}

/* The signatures of one side's frame, in the first `orientations`. */
static bool signatures_of(xr_input_pair *pair, exray_side side, size_t frame, bool layout,
                          const xr_sign_wrap *wrap, frame_signature *out, size_t orientations)
{
    static const xr_part all = {0, 1, 0, 1};
    xr_raster r = {0};
    xr_area a = {0};
    xr_thumb t = {0}, turned = {0};
    bool ok = xr_input_raster(pair, side, frame, layout, wrap, &r) && xr_area_make(&a, &r) &&
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

/* The most similar frame of the reference for each of the edge's, in one layout and orientation. */
typedef struct frame_pairing {
    size_t best[FRAME_LIMIT];
    double similarity[FRAME_LIMIT], own[FRAME_LIMIT];
    double total;
} frame_pairing;

static void pair_up(const frame_signature *edge_frame, const frame_signature *reference_frame, size_t frames,
                    frame_signature *scratch, frame_pairing *p)
{
    frame_signature *edge = scratch, *reference = scratch + frames;
    bool says[CELLS];
    telling_cells(edge_frame, frames, says);
    for (size_t f = 0; f < frames; f++) {
        normalize(&edge_frame[f * XR_ORIENTATIONS], says, &edge[f]);
        normalize(&reference_frame[f], says, &reference[f]);
    }
    p->total = 0;
    for (size_t f = 0; f < frames; f++) {
        p->own[f] = similarity(&edge[f], &reference[f]);
        p->best[f] = f;
        p->similarity[f] = p->own[f];
        for (size_t g = 0; g < frames; g++) {
            double now = similarity(&edge[f], &reference[g]);
            /* Of equal ones (a few pictures that repeat), the nearest. */
            bool nearer = fabs(now - p->similarity[f]) <= 1e-6 && p->best[f] != f &&
                          llabs((int64_t)g - (int64_t)f) < llabs((int64_t)p->best[f] - (int64_t)f);
            if (now > p->similarity[f] + 1e-6 || nearer) {
                p->similarity[f] = now;
                p->best[f] = g;
            }
        }
        p->total += p->similarity[f];
    }
}

/* Whether a frame certainly shows another one's picture. */
static bool is_misplaced(const frame_pairing *p, size_t f)
{
    return p->best[f] != f && 1 - p->similarity[f] < 0.3 * (1 - p->own[f]) && p->similarity[f] > 0.8;
}

/* Takes over a pairing in which frames are misplaced; frames beyond the first `frames` follow an even
 * shift. */
static void adopt(xr_transform *transform, const frame_pairing *p, size_t frames)
{
    size_t misplaced = 0, kept = 0;
    for (size_t f = 0; f < frames; f++) {
        misplaced += is_misplaced(p, f);
        kept += p->best[f] == f && p->similarity[f] > 0.8;
    }
    size_t unlike = frames - misplaced - kept; /* like no frame of the reference */
    size_t *source = misplaced ? calloc(transform->frames + 1, sizeof *source) : NULL;
    if (!source)
        return;
    transform->order = (xr_frame_order){source, misplaced};
    int64_t shift = 0, last = 0;
    bool even = true;
    for (size_t f = 0; f < frames; f++) {
        source[f] = is_misplaced(p, f) ? p->best[f] : f;
        /* The first frames of a late edge are in no frame of the reference. */
        if (!is_misplaced(p, f) && p->similarity[f] < 0.8 && misplaced > kept && misplaced > 2 * unlike)
            source[f] = SIZE_MAX;
        if (is_misplaced(p, f)) {
            shift = (int64_t)source[f] - (int64_t)f;
            even = even && (last == 0 || last == shift);
            last = shift;
        }
    }
    for (size_t f = frames; f < transform->frames; f++) {
        int64_t g = (int64_t)f + shift;
        bool shifted = even && kept < misplaced && g >= 0 && (size_t)g < transform->frames;
        source[f] = shifted ? (size_t)g : f;
    }
}

/* Frames that are looked at at the same time. */
typedef struct signature_work {
    const xr_input_pair *pair;
    const xr_transform *transform;
    size_t layouts;
    frame_signature *edge[2], *reference;
    bool known[FRAME_LIMIT];
} signature_work;

static void sign_frame(void *user, size_t f)
{
    signature_work *w = user;
    xr_input_pair lent;
    bool ok = xr_input_pair_lend(w->pair, &lent);
    w->known[f] = ok && signatures_of(&lent, EXRAY_SIDE_REFERENCE, f, false, NULL, &w->reference[f], 1);
    for (size_t l = 0; ok && l < w->layouts; l++)
        signatures_of(&lent, EXRAY_SIDE_EDGE, f, l == 1, &w->transform->sign_wrap,
                      &w->edge[l][f * XR_ORIENTATIONS], XR_ORIENTATIONS);
    xr_input_pair_return(&lent);
}

void xr_find_frame_order(xr_input_pair *pair, xr_transform *transform)
{
    size_t frames = transform->frames < FRAME_LIMIT ? transform->frames : FRAME_LIMIT,
           layouts = xr_layout_count(pair);
    if (frames < 2)
        return;
    frame_signature *edge[2] = {calloc(frames * XR_ORIENTATIONS, sizeof(frame_signature)),
                                calloc(frames * XR_ORIENTATIONS, sizeof(frame_signature))};
    frame_signature *reference = calloc(frames, sizeof *reference),
                    *scratch = calloc(2 * frames, sizeof *scratch);
    frame_pairing *best = calloc(2, sizeof *best), *now = best ? best + 1 : NULL;
    bool ok = edge[0] && edge[1] && reference && scratch && best;
    size_t known = 0;
    signature_work work = {pair, transform, layouts, {edge[0], edge[1]}, reference, {false}};
    if (ok)
        exray_comparison_share(pair->comparison, frames, sign_frame, &work);
    for (size_t f = 0; ok && f < frames; f++)
        known += work.known[f];
    size_t turns = xr_orientation_count(pair);
    for (size_t l = 0; ok && known > 1 && l < layouts; l++)
        for (size_t o = 0; o < turns; o++) {
            pair_up(edge[l] + o, reference, frames, scratch, now);
            if ((l == 0 && o == 0) || now->total > best->total + 0.05 * (double)frames)
                *best = *now;
        }
    if (ok && known > 1)
        adopt(transform, best, frames);
    free(edge[0]);
    free(edge[1]);
    free(reference);
    free(scratch);
    free(best);
}
