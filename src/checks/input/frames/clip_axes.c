#include "checks/input/frames/clip_axes.h"

#include "checks/input/fit/pixel_view.h"

#include <math.h>

enum { FRAMES = 8, SAMPLES = 4000, AXES = 3 };

/* Levels rms up to which two clips are the same, as decoders and rounding explain; and that show that they
 * are not. */
#define SAME  1.5
#define OTHER 3.0

/* The parts of a clip's place: which picture, which channel, which pixel of it. */
typedef enum clip_axis { PICTURE, CHANNEL, PIXEL } clip_axis;

/* An order of them in memory, the slowest first. */
typedef struct memory_order {
    clip_axis axis[AXES];
    const char *name;
} memory_order;

static const memory_order orders[] = {
    {{PICTURE, CHANNEL, PIXEL}, "[T, C, H, W]"}, {{CHANNEL, PICTURE, PIXEL}, "[C, T, H, W]"},
    {{PICTURE, PIXEL, CHANNEL}, "[T, H, W, C]"}, {{CHANNEL, PIXEL, PICTURE}, "[C, H, W, T]"},
    {{PIXEL, CHANNEL, PICTURE}, "[H, W, C, T]"}, {{PIXEL, PICTURE, CHANNEL}, "[H, W, T, C]"},
};
enum { ORDERS = sizeof orders / sizeof *orders };

/* Both sides' clips of a frame. */
typedef struct clip_sides {
    const float *value[2];
    xr_pixel_view view[2];
    size_t length[AXES]; /* by clip_axis */
    double level;
} clip_sides;

static bool read_frame(const exray_comparison *c, const xr_input_fit *fit, size_t frame,
                       exray_slot *const slot[2], clip_sides *out)
{
    exray_tensor_view tensor[2];
    if (!xr_pixel_sides_read(c, fit->pair, frame, slot, tensor, out->view, out->value))
        return false;
    const xr_pixel_view *a = &out->view[0], *b = &out->view[1];
    out->level = fit->level[EXRAY_SIDE_EDGE];
    out->length[PICTURE] = b->pictures;
    out->length[CHANNEL] = b->channels;
    out->length[PIXEL] = b->picture_rows * b->columns;
    return xr_is_same_size(a, b) && a->pictures == b->pictures && b->pictures > 1 && out->level > 0 &&
           tensor[0].count == tensor[1].count && tensor[1].count == b->rows * b->columns * b->channels;
}

/* Where a part of a clip lies in memory in an order. */
static size_t place_in(const memory_order *o, const clip_sides *b, const size_t at[AXES])
{
    size_t place = 0;
    for (int i = 0; i < AXES; i++)
        place = place * b->length[o->axis[i]] + at[o->axis[i]];
    return place;
}

/* The edge's own order; NULL: none of these. */
static const memory_order *own_order(const clip_sides *b)
{
    const size_t at[AXES] = {b->length[PICTURE] - 1, b->length[CHANNEL] / 2, 1};
    const size_t pixel = at[PICTURE] * b->length[PIXEL] + at[PIXEL];
    for (size_t i = 0; i < ORDERS; i++)
        if (place_in(&orders[i], b, at) == xr_pixel_place(&b->view[0], pixel, at[CHANNEL]))
            return &orders[i];
    return NULL;
}

/* The difference, levels rms, with the edge's values read in an order. */
static double difference_in(const clip_sides *b, const memory_order *o)
{
    const size_t count = b->length[PICTURE] * b->length[CHANNEL] * b->length[PIXEL],
                 step = count / SAMPLES + 1;
    double sum = 0, n = 0;
    for (size_t i = 0; i < count; i += step, n++) {
        const size_t at[AXES] = {i / b->length[PIXEL] % b->length[PICTURE],
                                 i / b->length[PIXEL] / b->length[PICTURE], i % b->length[PIXEL]};
        const size_t pixel = at[PICTURE] * b->length[PIXEL] + at[PIXEL];
        double d = xr_value_at(b->value[0], place_in(o, b, at)) -
                   xr_value_at(b->value[1], xr_pixel_place(&b->view[1], pixel, at[CHANNEL]));
        sum += d * d / (b->level * b->level);
    }
    return sqrt(sum / n);
}

typedef struct axes_found {
    const memory_order *own, *written;
    double before, after; /* levels rms, the largest of a frame */
    size_t frames, told;
} axes_found;

/* Adds what a frame says of an order that may be the edge's; false: it is not. */
static bool add_frame(const clip_sides *b, const memory_order *own, double before, axes_found *to)
{
    if (!own || own == to->written)
        return false;
    const double after = difference_in(b, to->written);
    if (!(after < SAME))
        return false;
    to->own = own;
    to->frames++;
    to->told += before > OTHER;
    to->before = fmax(to->before, before);
    to->after = fmax(to->after, after);
    return true;
}

/* The order that explains every frame that differs, and one at least. */
static bool find_order(const exray_comparison *c, const xr_input_fit *fit, exray_slot *const slot[2],
                       axes_found *out)
{
    const size_t frames = exray_comparison_frame_count(c), step = frames / FRAMES + 1;
    axes_found may[ORDERS];
    size_t left = ORDERS;
    for (size_t i = 0; i < ORDERS; i++)
        may[i] = (axes_found){.written = &orders[i]};
    for (size_t f = 0; f < frames && left > 0; f += step) {
        clip_sides b;
        if (!read_frame(c, fit, f, slot, &b))
            continue;
        const memory_order *own = own_order(&b);
        const double before = own ? difference_in(&b, own) : 0;
        size_t kept = 0;
        for (size_t i = 0; i < left; i++)
            if (add_frame(&b, own, before, &may[i]))
                may[kept++] = may[i];
        left = kept;
    }
    for (size_t i = 0; i < left; i++)
        if (may[i].told > 0) {
            *out = may[i];
            return true;
        }
    return false;
}

bool xr_report_clip_axes(const exray_comparison *comparison, const xr_input_fit *fit,
                         exray_findings *findings)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    axes_found found;
    const bool is_so = slot[0] && slot[1] && find_order(comparison, fit, slot, &found);
    if (is_so) {
        exray_finding *f = exray_findings_add(findings, "input.layout", EXRAY_SEVERITY_ERROR, 0.98);
        exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
        exray_finding_summary(
            f,
            "The edge's clips are written as %s where the model reads %s (T: pictures, C: channels): the "
            "values are the reference's, in another order.",
            found.written->name, found.own->name);
        exray_finding_detail(
            f, "Read in that order they differ from the reference's by %.2f levels rms, as they are by %.1f.",
            found.after, found.before);
        exray_finding_fix(f, "Transpose the clip to %s before it is copied into the model's input.",
                          found.own->name);
        exray_finding_text(f, "kind", "clip_axes");
        exray_finding_text(f, "written_as", found.written->name);
        exray_finding_text(f, "read_as", found.own->name);
        exray_finding_number(f, "residual_before_levels", found.before);
        exray_finding_number(f, "residual_after_levels", found.after);
        exray_finding_number(f, "frames", (double)found.frames);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return is_so;
}
