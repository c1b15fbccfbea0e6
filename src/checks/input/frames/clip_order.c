#include "checks/input/frames/clip_order.h"

#include "checks/input/fit/pixel_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PICTURES = 64, FRAMES = 16, SAMPLES = 2000 };

/* Levels rms up to which two pictures are the same, as decoders and rounding explain. */
#define SAME 1.5

/* Both sides' clips of a frame. */
typedef struct both_clips {
    xr_pixel_view view[2];
    const float *value[2];
    double level;
    bool clip;
} both_clips;

/* Which of the reference's pictures each of the edge's may be, a bit each, over all frames.  late: by how
 * many places they come later (negative: earlier), where some are of the clip before or behind; else 0. */
typedef struct clip_order {
    uint64_t may[MOST_PICTURES];
    size_t pictures, frames;
    int late;
    bool clip; /* else a batch, or pictures behind each other in the channels */
} clip_order;

static bool read_frame(const exray_comparison *c, const xr_input_fit *fit, size_t frame,
                       exray_slot *const slot[2], both_clips *out)
{
    out->level = fit->level[EXRAY_SIDE_EDGE];
    exray_tensor_view tensor[2];
    if (!xr_pixel_sides_read(c, fit->pair, frame, slot, tensor, out->view, out->value))
        return false;
    for (int s = 0; s < 2; s++) {
        const xr_pixel_view *v = &out->view[s];
        if (tensor[s].count != v->rows * v->columns * v->channels)
            return false;
    }
    out->clip = tensor[0].info.rank == 5;
    const xr_pixel_view *a = &out->view[0], *b = &out->view[1];
    return xr_is_same_size(a, b) && a->pictures == b->pictures && out->level > 0;
}

static double value_at(const both_clips *b, int side, size_t picture, size_t i)
{
    const xr_pixel_view *v = &b->view[side];
    size_t first = picture * (v->rows / v->pictures) * v->columns;
    return xr_value_at(b->value[side], xr_pixel_place(v, first + i / v->channels, i % v->channels));
}

/* Whether a picture of the edge is one of the reference's. */
static bool is_picture(const both_clips *b, size_t edge, size_t reference)
{
    const xr_pixel_view *v = &b->view[0];
    size_t count = v->rows / v->pictures * v->columns * v->channels, step = count / SAMPLES + 1, n = 0;
    double sum = 0;
    for (size_t i = 0; i < count; i += step, n++) {
        double d = (value_at(b, 0, edge, i) - value_at(b, 1, reference, i)) / b->level;
        sum += d * d;
    }
    return n > 0 && sqrt(sum / (double)n) < SAME;
}

/* Adds what a frame says; false: no picture is any of the reference's. */
static bool add_frame(const both_clips *b, clip_order *o)
{
    uint64_t any = 0;
    for (size_t t = 0; t < o->pictures; t++) {
        uint64_t may = 0;
        for (size_t p = 0; p < o->pictures; p++)
            may |= (o->may[t] >> p & 1) && is_picture(b, t, p) ? UINT64_C(1) << p : 0;
        o->may[t] = may;
        any |= may;
    }
    o->frames++;
    return any != 0;
}

static bool may_be(const clip_order *o, size_t t, size_t p)
{
    return o->may[t] >> p & 1;
}

/* Whether all come so many places later (negative: earlier), those apart that are of another clip. */
static bool is_late(const clip_order *o, int late)
{
    const size_t by = (size_t)abs(late), kept = o->pictures > by ? o->pictures - by : 0;
    bool moved = false;
    for (size_t i = 0; i < kept; i++) {
        const size_t t = late > 0 ? i + by : i, p = late > 0 ? i : i + by;
        if (!may_be(o, t, p))
            return false;
        moved = moved || !may_be(o, t, t);
    }
    return moved && (kept > 1 || o->frames > 1);
}

/* Each picture is one of the reference's, but not all at their own places; or all come later or earlier. */
static bool is_another_order(clip_order *o)
{
    bool own = true, known = true;
    for (size_t t = 0; t < o->pictures; t++) {
        own = own && may_be(o, t, t);
        known = known && o->may[t];
    }
    if (own || known)
        return !own;
    for (int by = 1; 2 * (size_t)by <= o->pictures; by++)
        for (int sign = 1; sign >= -1; sign -= 2)
            if (is_late(o, sign * by)) {
                o->late = sign * by;
                return true;
            }
    return false;
}

static bool find(const exray_comparison *c, const xr_input_fit *fit, exray_slot *const slot[2], clip_order *o)
{
    size_t frames = exray_comparison_frame_count(c), step = frames / FRAMES + 1;
    *o = (clip_order){0};
    for (size_t f = 0; f < frames; f += step) {
        both_clips b;
        if (!read_frame(c, fit, f, slot, &b))
            continue;
        if (!o->pictures && b.view[0].pictures > 1 && b.view[0].pictures <= MOST_PICTURES) {
            o->pictures = b.view[0].pictures;
            o->clip = b.clip;
            memset(o->may, 0xff, sizeof o->may);
        }
        if (o->pictures < 2 || b.view[0].pictures != o->pictures || !add_frame(&b, o))
            return false;
    }
    return o->pictures > 1 && is_another_order(o);
}

static bool all_may(const clip_order *o, size_t (*place)(const clip_order *, size_t))
{
    for (size_t t = 0; t < o->pictures; t++)
        if (!may_be(o, t, place(o, t)))
            return false;
    return true;
}

static size_t reversed(const clip_order *o, size_t t)
{
    return o->pictures - 1 - t;
}

static size_t the_last(const clip_order *o, size_t t)
{
    (void)t;
    return o->pictures - 1;
}

static size_t the_first(const clip_order *o, size_t t)
{
    (void)o, (void)t;
    return 0;
}

/* "3, 1, 2, 0": the place in the reference's clip of each of the edge's pictures. */
static void list_places(const clip_order *o, char *text, size_t size)
{
    enum { LISTED = 16 };
    size_t used = 0;
    for (size_t t = 0; t < o->pictures && t < LISTED && used < size; t++) {
        size_t p = 0;
        while (!(o->may[t] >> p & 1))
            p++;
        p = o->may[t] >> t & 1 ? t : p;
        int more = snprintf(text + used, size - used, "%s%zu", t ? ", " : "", p);
        used += more > 0 ? (size_t)more : size;
    }
    if (o->pictures > LISTED && used < size)
        snprintf(text + used, size - used, ", ...");
}

/* Whether some of the reference's pictures are in none of the edge's places. */
static bool lacks_some(const clip_order *o)
{
    uint64_t any = 0;
    for (size_t t = 0; t < o->pictures; t++)
        any |= o->may[t];
    return o->pictures < 64 ? any != (UINT64_C(1) << o->pictures) - 1 : any != UINT64_MAX;
}

static const char *noun_of(const clip_order *o)
{
    return o->clip ? "clips" : "inputs";
}

static void report_order(const clip_order *o, exray_finding *f)
{
    bool backwards = all_may(o, reversed), last = all_may(o, the_last), first = all_may(o, the_first);
    bool repeated = lacks_some(o);
    const char *kind = repeated ? "repeated" : backwards ? "reversed" : "exchanged";
    char places[160];
    list_places(o, places, sizeof places);
    exray_finding_summary(f, "The edge's %s hold the reference's %zu pictures %s.", noun_of(o), o->pictures,
                          last        ? "wrongly: all are its last one"
                          : first     ? "wrongly: all are its first one"
                          : repeated  ? "wrongly: some are repeated, and others are missing"
                          : backwards ? "in reversed order: the last comes first"
                                      : "in another order");
    exray_finding_detail(f,
                         "Its pictures are the reference's of the places %s (from 0 on), in %zu of %zu "
                         "frames.",
                         places, o->frames, o->frames);
    exray_finding_fix(f, "Fill the input in the order that the reference has, a new picture at each "
                         "place: look at how the buffer of pictures moves on.");
    exray_finding_text(f, "kind", kind);
    exray_finding_text(f, "places", places);
}

static void report_late(const clip_order *o, exray_finding *f)
{
    const size_t by = (size_t)abs(o->late);
    exray_finding_summary(f, "The pictures of the edge's %s come %zu place%s %s than the reference's.",
                          noun_of(o), by, by == 1 ? "" : "s", o->late > 0 ? "later" : "earlier");
    exray_finding_detail(f,
                         "The %s %zu of its %zu pictures are the reference's %s ones, in %zu of %zu frames; "
                         "the others are of those %s.",
                         o->late > 0 ? "last" : "first", o->pictures - by, o->pictures,
                         o->late > 0 ? "first" : "last", o->frames, o->frames,
                         o->late > 0 ? "before" : "behind");
    exray_finding_fix(f, "Begin at the picture at which the reference begins it: look at when the "
                         "buffer of pictures is filled, and when the model runs.");
    exray_finding_text(f, "kind", "pictures");
    exray_finding_number(f, "late_pictures", o->late);
}

bool xr_report_clip_order(const exray_comparison *comparison, const xr_input_fit *fit,
                          exray_findings *findings)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    clip_order o;
    bool found = slot[0] && slot[1] && find(comparison, fit, slot, &o);
    if (found) {
        exray_finding *f = exray_findings_add(findings, o.late ? "input.delay" : "input.frame_order",
                                              EXRAY_SEVERITY_ERROR, 0.97);
        exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
        if (o.late)
            report_late(&o, f);
        else
            report_order(&o, f);
        exray_finding_number(f, "pictures", (double)o.pictures);
        exray_finding_number(f, "frames", (double)o.frames);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return found;
}
