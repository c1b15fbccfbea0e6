#include "checks/output/told.h"

#include "checks/output/interpretation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct teller {
    const exray_comparison *comparison;
    exray_slot *slot[2];
} teller;

static bool begin(teller *t, const exray_comparison *comparison)
{
    *t = (teller){comparison, {exray_slot_new(), exray_slot_new()}};
    return t->slot[0] && t->slot[1];
}

static void end(teller *t)
{
    exray_slot_free(t->slot[0]);
    exray_slot_free(t->slot[1]);
}

/* Whether a side told something in a matched frame. */
static bool told(teller *t, exray_side side, size_t frame, exray_result *out)
{
    return xr_frame_result(t->comparison, side, frame, t->slot[side], out);
}

static const char *text_of(const exray_result *result)
{
    return result->text ? result->text : "";
}

enum { MOST_BOXES = 4096 }; /* of a frame; each is compared with each */

/* Logits are no scores, also where they decide alike. */
static bool same_score(float x, float y)
{
    return x == y || (isnan(x) && isnan(y)) || fabsf(x - y) <= 0.1F;
}

/* Sums over all scores that were told by both sides. */
typedef struct score_sums {
    double n, x, y, xx, xy, yy; /* x: the reference's */
} score_sums;

static void add_score(score_sums *s, float edge, float reference)
{
    const double x = (double)reference, y = (double)edge;
    if (!isfinite(x + y))
        return;
    s->n++;
    s->x += x, s->y += y;
    s->xx += x * x, s->xy += x * y, s->yy += y * y;
}

/* Whether the scores, each of which noise may have moved, all follow a line that is not theirs (1.1 times as
 * much): noise follows none. */
static bool follow_a_line(const score_sums *s)
{
    static const double least = 0.01; /* of a score; less is not seen */
    if (s->n < 4)
        return false;
    const double square = (s->yy - 2 * s->xy + s->xx) / s->n, offset = (s->y - s->x) / s->n;
    const double variance = s->xx / s->n - s->x / s->n * (s->x / s->n);
    const double covariance = s->xy / s->n - s->x / s->n * (s->y / s->n);
    double left = s->yy / s->n - s->y / s->n * (s->y / s->n);
    left = variance > 0 ? left - covariance * covariance / variance : square - offset * offset;
    return square > least * least && left < square / 16;
}

static bool same_box(const exray_box *x, const exray_box *y)
{
    const float near = 0.01F; /* of the picture's width */
    return x->id == y->id && same_score(x->score, y->score) && fabsf(x->x_min - y->x_min) <= near &&
           fabsf(x->y_min - y->y_min) <= near && fabsf(x->x_max - y->x_max) <= near &&
           fabsf(x->y_max - y->y_max) <= near;
}

/* In whatever order. */
static bool same_boxes(const exray_result *a, const exray_result *b, score_sums *scores)
{
    bool taken[MOST_BOXES] = {false};
    for (uint32_t i = 0; i < a->box_count; i++) {
        uint32_t k = 0;
        while (k < b->box_count && k < MOST_BOXES && (taken[k] || !same_box(&a->boxes[i], &b->boxes[k])))
            k++;
        if (k == b->box_count || k == MOST_BOXES)
            return false;
        taken[k] = true;
        add_score(scores, a->boxes[i].score, b->boxes[k].score);
    }
    return true;
}

/* Whether a side told a class with that score, by whatever rank; or may have, behind those that it told. */
static bool has_class(const exray_result *r, const exray_class *class)
{
    static const float equal = 0.001F;
    for (uint32_t i = 0; i < r->class_count; i++)
        if (r->classes[i].id == class->id)
            return fabsf(r->classes[i].score - class->score) <= equal;
    return class->score <= r->classes[r->class_count - 1].score + equal;
}

/* Ids by rank; behind the first, classes of equal scores may change places. */
static bool same_classes(const exray_result *a, const exray_result *b, score_sums *scores)
{
    for (uint32_t i = 0; i < a->class_count; i++) {
        const exray_class *x = &a->classes[i], *y = &b->classes[i];
        const bool changed_places = i > 0 && has_class(b, x) && has_class(a, y);
        if ((x->id != y->id && !changed_places) || !same_score(x->score, y->score))
            return false;
        add_score(scores, x->score, y->score);
    }
    return true;
}

static bool same_points(const exray_result *a, const exray_result *b)
{
    const float near = 0.01F; /* as of boxes */
    for (uint32_t i = 0; i < a->keypoint_count; i++)
        if (!(fabsf(a->keypoints[i].x - b->keypoints[i].x) <= near &&
              fabsf(a->keypoints[i].y - b->keypoints[i].y) <= near))
            return false;
    return true;
}

/* The vector of that name; of none, the one at that place.  NULL: there is none. */
static const exray_vector *counterpart(const exray_result *r, const exray_vector *like, uint32_t place)
{
    const char *name = like->name ? like->name : "";
    for (uint32_t i = 0; *name && i < r->vector_count; i++)
        if (r->vectors[i].name && strcmp(r->vectors[i].name, name) == 0)
            return &r->vectors[i];
    return *name || place >= r->vector_count ? NULL : &r->vectors[place];
}

static bool same_vectors(const exray_result *a, const exray_result *b)
{
    for (uint32_t i = 0; i < a->vector_count; i++) {
        const exray_vector *x = &a->vectors[i], *y = counterpart(b, x, i);
        double difference = 0, square = 0;
        if (!y || x->count != y->count)
            return false;
        for (uint32_t k = 0; k < x->count; k++) {
            difference += pow((double)x->values[k] - (double)y->values[k], 2);
            square += pow((double)y->values[k], 2);
        }
        if (!(difference <= 1e-4 * square)) /* a hundredth */
            return false;
    }
    return true;
}

static bool same_mask(const exray_mask *a, const exray_mask *b)
{
    if (!a || !b)
        return a == b;
    const size_t pixels = (size_t)a->width * a->height, size = a->wide ? 2 : 1;
    if (a->width != b->width || a->height != b->height || a->wide != b->wide || !a->ids || !b->ids)
        return false;
    size_t other = 0;
    for (size_t i = 0; i < pixels; i++)
        other += memcmp((const uint8_t *)a->ids + i * size, (const uint8_t *)b->ids + i * size, size) != 0;
    return 100 * other <= pixels; /* noise moves edges */
}

static bool same(const exray_result *a, const exray_result *b, score_sums *scores)
{
    if (a->class_count != b->class_count || a->box_count != b->box_count ||
        a->keypoint_count != b->keypoint_count || a->vector_count != b->vector_count ||
        strcmp(text_of(a), text_of(b)) != 0)
        return false;
    if (!same_points(a, b) || !same_vectors(a, b) || !same_mask(a->mask, b->mask))
        return false;
    return same_classes(a, b, scores) && same_boxes(a, b, scores);
}

static bool told_the_same(const exray_comparison *comparison)
{
    teller t;
    bool all = begin(&t, comparison);
    size_t frames = 0;
    score_sums scores = {0};
    for (size_t f = 0; all && f < exray_comparison_frame_count(comparison); f++) {
        exray_result result[2];
        bool known[2] = {told(&t, EXRAY_SIDE_EDGE, f, &result[0]),
                         told(&t, EXRAY_SIDE_REFERENCE, f, &result[1])};
        all = known[0] == known[1] && (!known[0] || same(&result[0], &result[1], &scores));
        frames += known[0];
    }
    end(&t);
    return all && frames > 0 && !follow_a_line(&scores);
}

exray_severity xr_severity_by_told(const exray_comparison *comparison)
{
    return told_the_same(comparison) ? EXRAY_SEVERITY_WARNING : EXRAY_SEVERITY_ERROR;
}

void xr_say_told(exray_finding *finding, exray_severity severity)
{
    if (severity == EXRAY_SEVERITY_WARNING)
        exray_finding_detail(finding,
                             "Both applications told the same all the same: each knows its own model.");
}

/* ---- Texts of several parts -------------------------------------------------------------- */

enum { MOST_PARTS = 64 };

typedef struct part {
    const char *begin;
    size_t length;
} part;

/* The words of a text, where there are `count` of them; else its characters. */
static bool parts_of(const char *text, size_t count, part *out)
{
    static const char between[] = " ,;|/\t\n";
    size_t words = 0, characters = 0;
    for (const char *at = text + strspn(text, between); *at; at += strspn(at, between)) {
        size_t length = strcspn(at, between);
        if (words < count)
            out[words] = (part){at, length};
        words++;
        at += length;
    }
    if (words == count)
        return true;
    for (const char *at = text; *at; characters++) {
        size_t length = 1;
        while (((unsigned char)at[length] & 0xC0) == 0x80)
            length++;
        if (characters < count)
            out[characters] = (part){at, length};
        at += length;
    }
    return characters == count;
}

static bool same_parts(const char *edge, const char *reference, const size_t *from, size_t count)
{
    part a[MOST_PARTS], b[MOST_PARTS];
    if (count > MOST_PARTS || !parts_of(edge, count, a) || !parts_of(reference, count, b))
        return false;
    for (size_t i = 0; i < count; i++)
        if (a[i].length != b[from[i]].length || memcmp(a[i].begin, b[from[i]].begin, a[i].length) != 0)
            return false;
    return true;
}

exray_status xr_told_by_place(const exray_comparison *comparison, const size_t *from, size_t count,
                              xr_told_places *out, exray_error *error)
{
    teller t;
    *out = (xr_told_places){.explains = true};
    if (!begin(&t, comparison)) {
        end(&t);
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading results"};
        return EXRAY_E_MEMORY;
    }
    for (size_t f = 0; f < exray_comparison_frame_count(comparison); f++) {
        exray_result result[2];
        if (!told(&t, EXRAY_SIDE_EDGE, f, &result[0]) || !told(&t, EXRAY_SIDE_REFERENCE, f, &result[1]))
            continue;
        const char *edge = text_of(&result[0]), *reference = text_of(&result[1]);
        out->explains = out->explains && same_parts(edge, reference, from, count);
        if (strcmp(edge, reference) == 0)
            continue;
        if (out->frames++ == 0) {
            snprintf(out->edge, sizeof out->edge, "%.60s", edge);
            snprintf(out->reference, sizeof out->reference, "%.60s", reference);
        }
    }
    out->explains = out->explains && out->frames > 0;
    end(&t);
    return EXRAY_OK;
}
