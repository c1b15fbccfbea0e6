#include "compare/match/port_values.h"

#include "base/tensor.h"
#include "compare/comparison.h"
#include "compare/match/shapes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 6, LOOK_AT = 12, SAMPLES = 512 };

typedef struct frame_values {
    size_t samples;
    float stored[SAMPLES];
    float last[SAMPLES]; /* of a channels-first tensor: at the places that `stored` has in a channels-last one
                          */
    bool has_stats;
    exray_stats stats;
} frame_values;

struct xr_port_values {
    bool known;
    bool has_last;
    exray_tensor_info info; /* its shape is below; names and scales are left out */
    int64_t shape[EXRAY_MAX_RANK];
    uint64_t count;
    frame_values frame[LOOK_AT]; /* by matched frame */
};

/* Where the element that lies at `at` in channels-last order lies in channels-first order. */
static uint64_t channels_first(uint64_t at, const int64_t *chw)
{
    uint64_t c = (uint64_t)chw[0], area = (uint64_t)chw[1] * (uint64_t)chw[2];
    uint64_t batch = at / (c * area), rest = at % (c * area);
    return batch * c * area + rest % c * area + rest / c;
}

static void take(xr_port_values *v, frame_values *f, const exray_tensor_view *view, const float *values)
{
    int64_t shape[EXRAY_MAX_RANK];
    uint32_t rank = xr_squeeze(&view->info, shape);
    v->has_last = (rank == 3 || rank == 4) && xr_elements(&view->info) == view->count;
    f->samples = view->count < SAMPLES ? (size_t)view->count : SAMPLES;
    for (size_t k = 0; k < f->samples; k++) {
        /* Spread evenly, and moved within each part: no stride falls in step with rows or channels. */
        uint64_t part = view->count / f->samples, at = k * part + (part ? k * 2654435761u % part : 0);
        memcpy(&f->stored[k], (const char *)values + at * sizeof *values, sizeof *values);
        uint64_t from = v->has_last ? channels_first(at, shape + (rank - 3)) : at;
        memcpy(&f->last[k], (const char *)values + from * sizeof *values, sizeof *values);
    }
}

static void read_frame(xr_port_values *v, const exray_log *log, const exray_record *record, exray_slot *slot,
                       frame_values *f)
{
    exray_tensor_view view;
    const float *values = NULL;
    exray_error error = {EXRAY_OK, ""};
    exray_status status = record->has_data ? exray_log_read_values(log, record, slot, &view, &values, &error)
                                           : exray_log_read_tensor(log, record, slot, &view, &error);
    if (status != EXRAY_OK)
        return;
    if (!v->known) {
        v->known = true;
        v->info = (exray_tensor_info){.dtype = view.info.dtype, .rank = view.info.rank, .shape = v->shape};
        if (view.info.rank)
            memcpy(v->shape, view.info.shape, view.info.rank * sizeof *v->shape);
        v->count = view.count;
    }
    /* A frame of another shape says nothing here. */
    if (values && view.count == v->count && view.count > 0)
        take(v, f, &view, values);
    f->has_stats = view.has_stats && view.stats.count == v->count;
    f->stats = view.stats;
}

xr_port_values *xr_port_values_read(const exray_comparison *c, exray_side side, exray_kind kind,
                                    const char *name)
{
    xr_port_values *v = calloc(1, sizeof *v);
    exray_slot *slot = v ? exray_slot_new() : NULL;
    if (!slot) {
        free(v);
        return NULL;
    }
    for (size_t f = 0, read = 0; f < c->frame_count && f < LOOK_AT && read < FRAMES; f++) {
        const exray_record *record =
            exray_log_find(c->log[side], c->frame[f].frame[side], kind, EXRAY_NO_INDEX, 0, name);
        if (!record)
            continue;
        read_frame(v, c->log[side], record, slot, &v->frame[f]);
        read++;
    }
    exray_slot_free(slot);
    return v;
}

void xr_port_values_free(xr_port_values *values)
{
    free(values);
}

const exray_tensor_info *xr_port_info(const xr_port_values *values)
{
    return values->known ? &values->info : NULL;
}

typedef struct likeness_sums {
    double n, a, b, aa, bb, ab;
} likeness_sums;

static void add(likeness_sums *s, const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i]))
            continue;
        s->n++;
        s->a += a[i], s->b += b[i];
        s->aa += (double)a[i] * a[i], s->bb += (double)b[i] * b[i], s->ab += (double)a[i] * b[i];
    }
}

static xr_port_likeness of_sums(const likeness_sums *s)
{
    xr_port_likeness l = {.fits = true, .known = s->n > 0};
    if (!l.known)
        return l;
    double va = s->aa / s->n - s->a * s->a / s->n / s->n, vb = s->bb / s->n - s->b * s->b / s->n / s->n;
    double covariance = s->ab / s->n - s->a * s->b / s->n / s->n;
    double difference = fmax(s->aa - 2 * s->ab + s->bb, 0) / s->n;
    double nothing = 1e-12 * fmax(s->aa, s->bb) / s->n;
    l.error = difference <= nothing ? 0 : vb > nothing ? sqrt(difference / vb) : 1;
    l.correlation = va > nothing && vb > nothing ? covariance / sqrt(va * vb) : l.error == 0;
    return l;
}

/* Means and spreads that differ by the spread are of other tensors. */
static xr_port_likeness of_stats(const xr_port_values *a, const xr_port_values *b)
{
    xr_port_likeness l = {.fits = true};
    double apart = 0;
    size_t frames = 0;
    for (size_t f = 0; f < LOOK_AT; f++) {
        if (!a->frame[f].has_stats || !b->frame[f].has_stats)
            continue;
        const exray_stats *x = &a->frame[f].stats, *y = &b->frame[f].stats;
        double spread = sqrt(fmax(y->variance, 0)), unit = spread > 0 ? spread : fmax(fabs(y->mean), 1e-30);
        double of = sqrt(fmax(x->variance, 0));
        apart += (fabs(x->mean - y->mean) + fabs(of - spread) + 0.2 * fabs(x->max - y->max) +
                  0.2 * fabs(x->min - y->min)) /
                 unit;
        frames++;
    }
    l.known = frames > 0;
    l.error = frames ? apart / (double)frames : 0;
    l.correlation = frames ? fmax(0, 1 - l.error) : 0;
    return l;
}

static xr_port_likeness alike_by(const xr_port_values *a, const xr_port_values *b, xr_layout_match how)
{
    likeness_sums s = {0};
    for (size_t f = 0; f < LOOK_AT; f++) {
        const frame_values *x = &a->frame[f], *y = &b->frame[f];
        if (x->samples == y->samples)
            add(&s, how == XR_LAYOUT_EDGE_FIRST ? x->last : x->stored,
                how == XR_LAYOUT_EDGE_LAST ? y->last : y->stored, x->samples);
    }
    return s.n > 0 ? of_sums(&s) : of_stats(a, b);
}

xr_port_likeness xr_ports_alike(const xr_port_values *a, const xr_port_values *b)
{
    xr_port_likeness best = {0};
    xr_layout_match way[XR_LAYOUT_WAYS];
    if (!a->known || !b->known || a->count != b->count)
        return best;
    uint32_t ways = xr_layout_ways(&a->info, &b->info, way);
    for (uint32_t i = 0; i < ways; i++) {
        xr_port_likeness l = alike_by(a, b, way[i]);
        if (i == 0 || l.error < best.error)
            best = l;
    }
    return best;
}
