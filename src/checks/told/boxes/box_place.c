#include "checks/told/boxes/box_place.h"

#include "checks/ascending.h"

#include <math.h>
#include <stdlib.h>

/* A scale this near to 1 moves no box by more than rounding does. */
#define NEARLY_ONE 0.01

typedef enum fit_form { FIT_NONE, FIT_FREE, FIT_ORIGIN, FIT_MIDDLE } fit_form;

/* A coordinate of the reference, turned, and the edge's. */
typedef struct coordinate {
    double from, to;
} coordinate;

typedef struct place_work {
    coordinate *at[2]; /* of x and y */
    size_t count;      /* each */
    size_t pairs;
} place_work;

typedef struct fitted_line {
    double scale, shift;
} fitted_line;

/* ---- Pairs of one box ---------------------------------------------------------------------- */

static bool alike(const xr_told_box *a, const xr_told_box *b, double noise)
{
    return a->id == b->id && fabs(a->score - b->score) <= noise;
}

static bool same_list(const xr_box_frame *f)
{
    bool same = f->count[0] == f->count[1];
    for (size_t i = 0; same && i < f->count[0]; i++)
        same = alike(&f->box[0][i], &f->box[1][i], xr_score_noise(f));
    return same;
}

/* The one box of `list` that is like `box`, or NULL. */
static const xr_told_box *only_one(const xr_told_box *list, size_t count, const xr_told_box *box,
                                   double noise)
{
    const xr_told_box *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!alike(&list[i], box, noise))
            continue;
        if (found)
            return NULL;
        found = &list[i];
    }
    return found;
}

static void add_pair(place_work *w, const xr_box_map *map, const xr_told_box *edge,
                     const xr_told_box *reference)
{
    double at[4];
    xr_box_map_apply(map, reference->at, at);
    for (int k = 0; k < 4; k++)
        w->at[k & 1][w->count + (size_t)k / 2] = (coordinate){at[k], edge->at[k]};
    w->count += 2;
    w->pairs++;
}

/* map: what is known of the way already. */
static void add_frame(place_work *w, const xr_box_map *map, const xr_box_frame *f)
{
    bool same = same_list(f);
    double noise = xr_score_noise(f);
    for (size_t i = 0; i < f->count[1]; i++) {
        const xr_told_box *reference = &f->box[1][i];
        const xr_told_box *edge = same ? &f->box[0][i] : only_one(f->box[0], f->count[0], reference, noise);
        if (edge && (same || only_one(f->box[1], f->count[1], edge, noise) == reference))
            add_pair(w, map, edge, reference);
    }
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static fitted_line fit_line(const coordinate *c, const bool *left_out, size_t count, fit_form form)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0, about = form == FIT_MIDDLE ? 0.5 : 0;
    for (size_t i = 0; i < count; i++) {
        if (left_out[i])
            continue;
        double from = c[i].from - about, to = c[i].to - about;
        n++;
        x += from;
        y += to;
        xx += from * from;
        xy += from * to;
    }
    fitted_line l = {1, 0};
    if (form == FIT_NONE || n == 0)
        return l;
    double spread = form == FIT_FREE ? xx - x * x / n : xx;
    double scale = form == FIT_FREE ? xy - x * y / n : xy;
    l.scale = spread > 1e-9 ? scale / spread : 1;
    if (fabs(l.scale - 1) < NEARLY_ONE)
        l.scale = 1;
    l.shift = form == FIT_FREE ? (y - l.scale * x) / n : form == FIT_MIDDLE ? 0.5 * (1 - l.scale) : 0;
    return l;
}

static double off(const coordinate *c, fitted_line l)
{
    return fabs(c->to - l.scale * c->from - l.shift);
}

static double mean_off(const coordinate *c, size_t count, fitted_line l)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += off(&c[i], l);
    return count ? sum / (double)count : 0;
}

/* Boxes that one side clips at the picture's border are left out once they stand out. */
static fitted_line fit_robustly(const coordinate *c, bool *left_out, size_t count, fit_form form)
{
    for (size_t i = 0; i < count; i++)
        left_out[i] = false;
    fitted_line l = fit_line(c, left_out, count, form);
    for (int round = 0; round < 4; round++) {
        double limit = 2 * mean_off(c, count, l) + 1e-6;
        for (size_t i = 0; i < count; i++)
            left_out[i] = off(&c[i], l) > limit;
        l = fit_line(c, left_out, count, form);
    }
    return l;
}

/* ---- Models ---------------------------------------------------------------------------------- */

static xr_box_map map_of(int turn, fitted_line x, fitted_line y)
{
    return (xr_box_map){XR_FORM_CORNERS, turn, {x.scale, y.scale}, {x.shift, y.shift}, {0, 0}};
}

static xr_box_map fit_letterbox(const place_work *w, bool *left_out, int turn, fit_form form)
{
    fitted_line none = {1, 0}, x = fit_robustly(w->at[0], left_out, w->count, form),
                y = fit_robustly(w->at[1], left_out, w->count, form);
    bool wide = mean_off(w->at[0], w->count, none) + mean_off(w->at[1], w->count, y) <=
                mean_off(w->at[0], w->count, x) + mean_off(w->at[1], w->count, none);
    return wide ? map_of(turn, none, y) : map_of(turn, x, none);
}

static xr_box_map fit_model(const place_work *w, bool *left_out, xr_box_place_model model, int turn)
{
    if (model == XR_PLACE_LETTERBOX || model == XR_PLACE_LETTERBOX_CORNER)
        return fit_letterbox(w, left_out, turn, model == XR_PLACE_LETTERBOX ? FIT_MIDDLE : FIT_ORIGIN);
    fit_form form = model == XR_PLACE_PIXELS ? FIT_ORIGIN : FIT_FREE;
    return map_of(turn, fit_robustly(w->at[0], left_out, w->count, form),
                  fit_robustly(w->at[1], left_out, w->count, form));
}

/* As many boxes as the model's numbers need, and some more to prove it. */
static size_t fewest(xr_box_place_model model, size_t frames)
{
    return model == XR_PLACE_CONSTANT ? 2 : model == XR_PLACE_FRAMES ? 2 * frames + 1 : frames + 2;
}

bool xr_box_place_fit(const xr_box_frames *frames, const bool *differs, xr_box_place_model model, int turn,
                      xr_box_map *own)
{
    place_work w = {.count = 0};
    size_t most = 2 * frames->boxes[1] + 2, pairs = 0, used = 0;
    bool *left_out = calloc(most, sizeof *left_out);
    xr_box_map turned = xr_box_map_none;
    turned.turn = turn;
    w.at[0] = calloc(most, sizeof *w.at[0]);
    w.at[1] = calloc(most, sizeof *w.at[1]);
    bool ok = left_out && w.at[0] && w.at[1];
    for (size_t f = 0; ok && f < frames->count; f++) {
        if (model != XR_PLACE_CONSTANT || differs[f])
            add_frame(&w, &turned, &frames->frame[f]);
        if (model == XR_PLACE_CONSTANT)
            continue;
        own[f] = fit_model(&w, left_out, model, turn);
        pairs += w.pairs;
        used += w.pairs > 0;
        w.count = w.pairs = 0;
    }
    if (ok && model == XR_PLACE_CONSTANT) {
        pairs = w.pairs;
        xr_box_map map = fit_model(&w, left_out, model, turn);
        for (size_t f = 0; f < frames->count; f++)
            own[f] = map;
    }
    free(left_out);
    free(w.at[0]);
    free(w.at[1]);
    return ok && pairs >= fewest(model, used);
}

/* ---- Sizes --------------------------------------------------------------------------------- */

/* Of boxes whose sizes are given by their two coordinates of an axis each. */
static size_t sizes_of(const coordinate *c, size_t pairs, double *ratio)
{
    size_t count = 0;
    for (size_t i = 0; i < pairs; i++) {
        const double from = c[2 * i + 1].from - c[2 * i].from, to = c[2 * i + 1].to - c[2 * i].to;
        if (from > 0 && to > 0)
            ratio[count++] = to / from;
    }
    qsort(ratio, count, sizeof *ratio, xr_ascending_doubles);
    return count;
}

bool xr_box_grow_fit(const xr_box_frames *frames, xr_box_form form, xr_box_map *out)
{
    enum { LEAST = 3 };
    const double nearly = 0.02;
    place_work w = {.count = 0};
    const size_t most = 2 * frames->boxes[1] + 2;
    double *ratio = calloc(most, sizeof *ratio);
    bool grows = false;
    w.at[0] = calloc(most, sizeof *w.at[0]);
    w.at[1] = calloc(most, sizeof *w.at[1]);
    bool ok = ratio && w.at[0] && w.at[1];
    *out = xr_box_map_none;
    out->form = form;
    for (size_t f = 0; ok && f < frames->count; f++)
        add_frame(&w, out, &frames->frame[f]);
    for (int axis = 0; ok && axis < 2; axis++) {
        const size_t count = sizes_of(w.at[axis], w.pairs, ratio);
        ok = count >= LEAST;
        out->grow[axis] = ok ? ratio[count / 2] - 1 : 0;
        grows = grows || fabs(out->grow[axis]) > nearly;
    }
    free(ratio);
    free(w.at[0]);
    free(w.at[1]);
    return ok && grows;
}
