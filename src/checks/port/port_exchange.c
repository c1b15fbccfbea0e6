/* Each of the edge's ports that differs from its counterpart is held against all of the reference's of the
 * same size, frame by frame.  It has another's values where it equals them, within the noise of both, in
 * every frame that says anything: a frame in which it equals its own counterpart too abstains, one in which
 * it equals neither is against it.
 *
 * Of inputs also the other's values scaled and shifted count, a mean or a factor that the other port's
 * values get on top: where one map leaves almost nothing in all frames, and none maps the port's own
 * counterpart. */
#include "checks/port/port_exchange.h"

#include "checks/findings.h"
#include "checks/port/port_samples.h"
#include "checks/port/port_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PORTS = 64 };

/* Equal within this share of the deviation, whatever the noise of the pairs is: floats from a text file. */
#define LEAST_TOLERANCE 1e-6
/* A port's own counterpart is another thing from this many times the tolerance on. */
#define APART 3.0
/* What a map may leave of the variance: of one with the same factor everywhere, and of one a channel. */
#define LEFT_BY_MAP      1e-3
#define LEFT_BY_CHANNELS 0.03
/* Values that vary say more than a constant: so many must be equal where the exchange is one way. */
enum { FEWEST_VALUES = 8 };
/* A map of a few numbers always fits. */
enum { FEWEST_MAPPED = 64 };

typedef struct value_sums {
    double n, a, b, aa, bb, ab;
} value_sums;

/* An edge's port against one of the reference's. */
typedef struct encounter {
    size_t equal, apart, first; /* frames */
    double values, spread;      /* of equal frames: how many values, and the largest spread of one */
    value_sums plain, reversed; /* with the channels as they are, and in the reverse order */
} encounter;

typedef struct search {
    const exray_comparison *comparison;
    exray_kind kind;
    size_t count;
    bool *differs;        /* [pairs] */
    double *tolerance;    /* [pairs] */
    encounter *met;       /* [pairs * pairs] */
    size_t *own, *others; /* [pairs * pairs]: frames for the own counterpart alone; for neither */
    xr_port_sample *side[2];
} search;

static const exray_io_pair *io_of(const search *s, size_t i)
{
    return s->kind == EXRAY_KIND_INPUT ? exray_comparison_input(s->comparison, i)
                                       : exray_comparison_output(s->comparison, i);
}

static void add_sums(value_sums *e, const float *edge, const float *reference, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double x = edge[i], y = reference[i];
        if (!isfinite(x) || !isfinite(y))
            continue;
        e->n++;
        e->a += x, e->b += y;
        e->aa += x * x, e->bb += y * y, e->ab += x * y;
    }
}

/* As a share of the deviation, or of the size of what is constant. */
static double relative(const xr_port_distance *d)
{
    double unit = d->spread > 1e-6 * d->size ? d->spread : d->size;
    return d->rms == 0 ? 0 : unit > 0 ? d->rms / unit : INFINITY;
}

static void meet(search *s, size_t i, size_t j, size_t frame)
{
    const xr_port_sample *a = &s->side[0][i], *own = &s->side[1][i], *b = &s->side[1][j];
    encounter *e = &s->met[i * s->count + j];
    if (a->count == 0 || a->count != b->count)
        return;
    add_sums(&e->plain, a->value, b->value, b->samples);
    if (a->colored && b->colored)
        add_sums(&e->reversed, a->value, b->reversed, b->samples);
    xr_port_distance to_own = xr_port_distance_of(a, own), to_other = xr_port_distance_of(a, b);
    double tolerance = fmax(s->tolerance[i], s->tolerance[j]);
    bool is_own = relative(&to_own) <= tolerance, is_other = relative(&to_other) <= tolerance;
    if (is_other && !(relative(&to_own) <= APART * tolerance)) {
        e->first = e->equal++ == 0 ? frame : e->first;
        e->values += (double)to_other.count;
        e->spread = fmax(e->spread, to_other.spread > 1e-6 * to_other.size ? to_other.spread : 0);
    } else if (is_own && !is_other)
        s->own[i * s->count + j]++;
    else if (!is_own && !is_other)
        s->others[i * s->count + j]++;
}

static exray_status read_frame(search *s, size_t frame, exray_slot *slot, exray_error *error)
{
    for (size_t i = 0; i < s->count; i++)
        for (int side = 0; side < 2; side++) {
            exray_status status = xr_port_sample_read(s->comparison, (exray_side)side, frame, s->kind, i,
                                                      slot, &s->side[side][i], error);
            if (status != EXRAY_OK)
                return status;
        }
    for (size_t i = 0; i < s->count; i++)
        for (size_t j = 0; s->differs[i] && j < s->count; j++)
            meet(s, i, j, frame);
    return EXRAY_OK;
}

/* ---- Judging ---------------------------------------------------------------------------- */

/* Of variance of a, what a map of b leaves. */
static double left_by_sums(const value_sums *e, double *gain, double *offset)
{
    double n = e->n > 0 ? e->n : 1;
    double va = e->aa / n - e->a / n * e->a / n, vb = e->bb / n - e->b / n * e->b / n;
    double both = e->ab / n - e->a / n * e->b / n;
    if (!(va > 1e-12 * e->aa / n) || !(vb > 1e-12 * e->bb / n))
        return 1;
    *gain = both / vb;
    *offset = (e->a - *gain * e->b) / n;
    return fmax(1 - both * both / va / vb, 0);
}

/* The reference's port whose very values the edge's has. */
static size_t equal_port(const search *s, size_t i)
{
    size_t best = SIZE_MAX;
    for (size_t j = 0; j < s->count; j++) {
        const encounter *e = &s->met[i * s->count + j];
        if (j == i || e->equal == 0 || s->others[i * s->count + j])
            continue;
        if (best == SIZE_MAX || e->equal > s->met[i * s->count + best].equal)
            best = j;
    }
    return best;
}

/* The better of both orders of channels. */
static double left_by_map(const encounter *e, xr_port_origin *out)
{
    double gain = 1, offset = 0, plain = left_by_sums(&e->plain, &out->gain, &out->offset);
    double reversed = e->reversed.n > 0 ? left_by_sums(&e->reversed, &gain, &offset) : 1;
    out->reversed = reversed < plain / 4;
    if (out->reversed) {
        out->gain = gain;
        out->offset = offset;
    }
    return out->reversed ? reversed : plain;
}

/* Whether all values are one of two, as those of a mask: nearly anything is a map of it. */
static bool has_two_values(const xr_port_sample *p)
{
    size_t i = 0, k;
    while (i < p->samples && p->value[i] == p->value[0])
        i++;
    for (k = i; k < p->samples; k++)
        if (p->value[k] != p->value[0] && p->value[k] != p->value[i])
            return false;
    return true;
}

/* Finds the one whose values it has under another map, and in another order of channels. */
static void find_mapped(const search *s, size_t i, xr_port_origin *out)
{
    xr_port_origin map = {.gain = 1};
    double own = left_by_map(&s->met[i * s->count + i], &map), least = 1;
    for (size_t j = 0; j < s->count; j++) {
        const xr_port_sample *other = &s->side[EXRAY_SIDE_REFERENCE][j];
        if (j == i || other->count < FEWEST_MAPPED || has_two_values(other))
            continue;
        double left = left_by_map(&s->met[i * s->count + j], &map);
        if (left < least && map.gain > 0) {
            least = left;
            *out = map;
            out->from = j;
        }
    }
    bool exact = least < LEFT_BY_MAP && own > 0.02, coarse = least < LEFT_BY_CHANNELS && own > 0.3;
    out->mapped = (exact || coarse) && own > 20 * least;
    if (!out->mapped)
        *out = (xr_port_origin){.from = SIZE_MAX, .gain = 1};
}

static void judge(const search *s, xr_port_exchange *out)
{
    for (size_t i = 0; i < s->count; i++) {
        xr_port_origin *o = &out->origin[i];
        *o = (xr_port_origin){.from = SIZE_MAX, .gain = 1};
        if (!s->differs[i])
            continue;
        o->from = equal_port(s, i);
        if (o->from == SIZE_MAX && s->kind == EXRAY_KIND_INPUT) {
            find_mapped(s, i, o);
            o->frames = o->mapped ? exray_comparison_frame_count(s->comparison) : 0;
        } else if (o->from != SIZE_MAX) {
            const encounter *e = &s->met[i * s->count + o->from];
            o->frames = e->equal;
            o->first = e->first;
            o->own = s->own[i * s->count + o->from];
        }
    }
}

/* Notes which go round; drops those that prove too little. */
static void settle(const search *s, xr_port_exchange *out)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t at = out->origin[i].from;
        for (size_t steps = 0; steps < s->count && at != SIZE_MAX && at != i; steps++)
            at = out->origin[at].from;
        out->origin[i].mutual = at == i;
    }
    for (size_t i = 0; i < s->count; i++) {
        xr_port_origin *o = &out->origin[i];
        const encounter *e = o->from == SIZE_MAX ? NULL : &s->met[i * s->count + o->from];
        if (e && !o->mapped && !o->mutual && (e->values < FEWEST_VALUES || e->spread == 0))
            o->from = SIZE_MAX;
    }
    /* A finite number of ports: what was dropped may have been part of a chain, which needs no end. */
    for (size_t i = 0; i < s->count; i++)
        out->exchanged += out->origin[i].from != SIZE_MAX;
}

static bool make_room(search *s, xr_port_exchange *out)
{
    size_t n = s->count + 1;
    out->origin = calloc(n, sizeof *out->origin);
    s->differs = calloc(n, sizeof *s->differs);
    s->tolerance = calloc(n, sizeof *s->tolerance);
    s->met = calloc(n * n, sizeof *s->met);
    s->own = calloc(n * n, sizeof *s->own);
    s->others = calloc(n * n, sizeof *s->others);
    for (int side = 0; side < 2; side++)
        s->side[side] = calloc(n, sizeof *s->side[side]);
    return out->origin && s->differs && s->tolerance && s->met && s->own && s->others && s->side[0] &&
           s->side[1];
}

static void release(search *s)
{
    free(s->differs);
    free(s->tolerance);
    free(s->met);
    free(s->own);
    free(s->others);
    free(s->side[0]);
    free(s->side[1]);
}

/* Whether any differs from its counterpart. */
static bool note_differences(search *s)
{
    bool any = false;
    for (size_t i = 0; i < s->count; i++) {
        const exray_io_pair *io = io_of(s, i);
        /* A step that is as large as the values (masks of 0 and 1) says nothing about noise. */
        bool usual = io->comparable && isfinite(io->noise) && io->noise < 0.5;
        s->tolerance[i] = usual ? fmax(io->noise, LEAST_TOLERANCE) : LEAST_TOLERANCE;
        s->differs[i] = !io->comparable || !(io->error <= s->tolerance[i]);
        any = any || s->differs[i];
    }
    return any;
}

exray_status xr_port_exchange_find(const exray_comparison *comparison, exray_kind kind, xr_port_exchange *out,
                                   exray_error *error)
{
    search s = {.comparison = comparison,
                .kind = kind,
                .count = kind == EXRAY_KIND_INPUT ? exray_comparison_input_count(comparison)
                                                  : exray_comparison_output_count(comparison)};
    *out = (xr_port_exchange){.count = s.count};
    if (s.count < 2 || s.count > MOST_PORTS) {
        out->count = 0;
        return EXRAY_OK;
    }
    exray_slot *slot = exray_slot_new();
    exray_status status = slot && make_room(&s, out) ? EXRAY_OK : EXRAY_E_MEMORY;
    if (status == EXRAY_OK && note_differences(&s)) {
        for (size_t f = 0; status == EXRAY_OK && f < exray_comparison_frame_count(comparison); f++)
            status = read_frame(&s, f, slot, error);
        if (status == EXRAY_OK) {
            judge(&s, out);
            settle(&s, out);
        }
    }
    if (status == EXRAY_E_MEMORY)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing inputs or outputs"};
    if (status != EXRAY_OK)
        out->exchanged = 0;
    release(&s);
    exray_slot_free(slot);
    return status;
}

void xr_port_exchange_free(xr_port_exchange *exchange)
{
    free(exchange->origin);
    *exchange = (xr_port_exchange){0};
}

/* ---- For later assertions ------------------------------------------------------------------ */

static void drop(void *kept)
{
    xr_port_exchange *exchange = kept;
    xr_port_exchange_free(exchange);
    free(exchange);
}

void xr_port_exchange_keep(exray_findings *findings, exray_kind kind, xr_port_exchange *exchange)
{
    xr_port_exchange *kept = malloc(sizeof *kept);
    if (!kept) {
        xr_port_exchange_free(exchange);
        return;
    }
    *kept = *exchange;
    *exchange = (xr_port_exchange){0};
    xr_findings_attach(findings, "port_exchange", (size_t)kind, kept, drop);
}

/* What was kept, or NULL. */
static const xr_port_exchange *port_exchange_kept(const exray_findings *findings, exray_kind kind)
{
    return xr_findings_attached(findings, "port_exchange", (size_t)kind);
}

bool xr_is_exchanged(const exray_findings *findings, exray_kind kind, size_t pair)
{
    const xr_port_exchange *exchange = port_exchange_kept(findings, kind);
    return exchange && pair < exchange->count && exchange->exchanged &&
           exchange->origin[pair].from != SIZE_MAX;
}

/* ---- Words ------------------------------------------------------------------------------------ */

static const exray_io_pair *pair_of(const exray_comparison *comparison, exray_kind kind, size_t i)
{
    return kind == EXRAY_KIND_INPUT ? exray_comparison_input(comparison, i)
                                    : exray_comparison_output(comparison, i);
}

void xr_say_exchange(exray_finding *finding, const exray_comparison *comparison, exray_kind kind,
                     const xr_port_exchange *exchange)
{
    enum { MOST_SAID = 4 };
    char text[1200] = "", key[40];
    size_t used = 0, said = 0, least = SIZE_MAX, own = 0, first = 0;
    for (size_t i = 0; i < exchange->count; i++) {
        const xr_port_origin *o = &exchange->origin[i];
        if (o->from == SIZE_MAX)
            continue;
        char name[200];
        xr_port_name(pair_of(comparison, kind, i), name, sizeof name);
        const char *other = pair_of(comparison, kind, o->from)->name[EXRAY_SIDE_REFERENCE];
        if (said < MOST_SAID && used + 1 < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s has the values of %.80s",
                                     said == 0                         ? ""
                                     : said + 1 == exchange->exchanged ? ", and "
                                                                       : ", ",
                                     name, other);
        said++;
        if (o->frames < least) {
            least = o->frames;
            first = o->first;
        }
        own = o->own > own ? o->own : own;
        snprintf(key, sizeof key, "values_of_%zu", i);
        exray_finding_text(finding, key, other);
    }
    const char *what = kind == EXRAY_KIND_INPUT ? "input" : "output";
    char more[60] = "";
    if (said > MOST_SAID)
        snprintf(more, sizeof more, ", and %zu more have another's", said - MOST_SAID);
    if (exchange->exchanged == 1)
        exray_finding_summary(finding, "On the edge, %s %s in place of its own.", what, text);
    else
        exray_finding_summary(finding, "The edge's %ss are exchanged: %s%s.", what, text, more);
    if (own)
        exray_finding_detail(finding, "So in %zu frames, the first is frame %zu; in %zu they are in order.",
                             least, first, own);
    else
        exray_finding_detail(finding, "So in %s %zu frame%s that tell them apart.", least > 1 ? "all" : "the",
                             least, least == 1 ? "" : "s");
    exray_finding_number(finding, "ports", (double)exchange->exchanged);
    exray_finding_number(finding, "frames_supporting", (double)least);
    exray_finding_number(finding, "frames_in_order", (double)own);
}
