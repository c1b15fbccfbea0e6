#include "checks/input/explanation.h"

#include "checks/ascending.h"
#include "checks/input/search/apply.h"
#include "checks/input/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Which steps there are --------------------------------------------------------------------- */

static bool other_kernel(const xr_transform *c)
{
    return c->resampling.set && (c->resampling.reference.filter != c->resampling.edge.filter ||
                                 c->resampling.reference.sampling != c->resampling.edge.sampling);
}

static bool other_crop(const xr_transform *c)
{
    const xr_geometry *a = &c->resampling.reference.geometry, *b = &c->resampling.edge.geometry;
    return c->resampling.set && !c->resampling.rounded &&
           (!xr_geometry_equal(a, b) ||
            !c->resampling.reference.resize_first != !c->resampling.edge.resize_first);
}

void xr_list_steps(xr_explanation *e)
{
    const xr_transform *c = e->transform;
    memset(e->votes, 0, sizeof e->votes);
    e->present[XR_STEP_FRAME_ORDER] = c->order.misplaced > 0;
    e->present[XR_STEP_DECODE] = c->decode.kind != XR_DECODE_AS_RECORDED;
    e->present[XR_STEP_SIGN_WRAP] = c->sign_wrap.set;
    e->present[XR_STEP_LAYOUT] = c->layout;
    e->present[XR_STEP_STRIDE] = c->reading.set;
    e->present[XR_STEP_TURN] = c->turn.orientation != 0;
    e->present[XR_STEP_CROP] = other_crop(c) || c->crop.set;
    e->present[XR_STEP_PADDING] = c->padding.differs;
    e->present[XR_STEP_KERNEL] = other_kernel(c);
    e->present[XR_STEP_COLOR] = c->color.kind != XR_COLOR_NONE;
    e->present[XR_STEP_VALUE_MAP] = c->value_map.kind != XR_VALUES_RIGHT;
}

/* The transform without one of its steps. */
static xr_transform without(const xr_transform *transform, xr_transform_step step)
{
    xr_transform c = *transform;
    switch (step) {
    case XR_STEP_FRAME_ORDER:
        c.order.source_frame = NULL;
        break;
    case XR_STEP_DECODE:
        c.decode = (xr_decode_variant){.kind = XR_DECODE_AS_RECORDED};
        break;
    case XR_STEP_SIGN_WRAP:
        c.sign_wrap.set = false;
        break;
    case XR_STEP_LAYOUT:
        c.layout = false;
        break;
    case XR_STEP_STRIDE:
        c.reading.set = false;
        break;
    case XR_STEP_TURN:
        c.turn.orientation = c.resampling.orientation = 0;
        break;
    case XR_STEP_CROP:
        c.crop.set = false;
        c.resampling.edge.geometry = c.resampling.reference.geometry;
        c.resampling.edge.resize_first = c.resampling.reference.resize_first;
        break;
    case XR_STEP_PADDING:
        c.padding.differs = false;
        break;
    case XR_STEP_KERNEL:
        c.resampling.edge.filter = c.resampling.reference.filter;
        c.resampling.edge.sampling = c.resampling.reference.sampling;
        break;
    case XR_STEP_COLOR:
        c.color.kind = XR_COLOR_NONE;
        break;
    default:
        c.value_map.kind = XR_VALUES_RIGHT;
    }
    return c;
}

/* Removes steps from the transform; whether any was removed. */
static bool drop_steps(xr_explanation *e, xr_transform *transform, const bool drop[XR_STEPS])
{
    bool any = false;
    for (size_t s = 0; s < XR_STEPS; s++)
        if (drop[s]) {
            xr_transform less = without(transform, (xr_transform_step)s);
            if (s == XR_STEP_FRAME_ORDER)
                free(transform->order.source_frame), less.order.misplaced = 0;
            *transform = less;
            e->present[s] = false;
            any = true;
        }
    return any;
}

bool xr_drop_contradicted_steps(xr_explanation *e, xr_transform *transform)
{
    bool drop[XR_STEPS];
    for (size_t s = 0; s < XR_STEPS; s++)
        drop[s] = e->present[s] && e->votes[s].contradict > 0;
    return drop_steps(e, transform, drop);
}

bool xr_drop_idle_steps(xr_explanation *e, xr_transform *transform)
{
    bool drop[XR_STEPS];
    for (size_t s = 0; s < XR_STEPS; s++)
        drop[s] = e->present[s] && s != XR_STEP_VALUE_MAP && s != XR_STEP_PADDING && e->votes[s].agree == 0;
    return drop_steps(e, transform, drop);
}

/* ---- What the frames say ----------------------------------------------------------------------- */

/* What colors are left free when a frame is judged. */
typedef enum color_freedom {
    ANY_MIXTURE,
    ANY_ORDER, /* with a gain and an offset */
    NO_FREEDOM,
} color_freedom;

/* The residual of one frame, with the colors that fit this frame best; levels rms, NAN where it cannot be
 * read. */
static double frame_residual(xr_input_pair *pair, const xr_transform *transform, size_t frame,
                             color_freedom freedom)
{
    xr_applied applied = {.pair = pair, .transform = transform};
    xr_placed placed;
    exray_error error;
    double residual = NAN;
    if (xr_apply_transform(&applied, frame, &placed, &error) == EXRAY_OK) {
        xr_fit_sums sums = {0};
        xr_sums_add(&sums, placed.channels, placed.plane[0], placed.plane[1], NULL,
                    placed.width * placed.height, 3);
        double share = freedom == ANY_MIXTURE ? xr_unexplained_by_color(&sums, placed.channels)
                       : freedom == ANY_ORDER ? xr_unexplained_by_order(&sums, placed.channels, NULL)
                                              : xr_unexplained_plainly(&sums, placed.channels);
        residual = sqrt(share) * xr_sums_spread(&sums, placed.channels) / pair->fit->level[0];
    }
    xr_applied_free(&applied);
    return residual;
}

void xr_vote_on_steps(xr_input_pair *pair, xr_explanation *e, size_t most)
{
    /* A multiple of the transform's own interval, as only those frames are known. */
    size_t frames = e->transform->frames;
    size_t interval = (frames / e->transform->every + most) / most * e->transform->every;
    double *values = calloc((frames / interval + 2) * (XR_STEPS + 1), sizeof *values);
    if (!values)
        return;
    size_t room = frames / interval + 2, seen[XR_STEPS] = {0};
    /* A channel that is a constant follows from any order; colors otherwise cannot be judged where any
     * mixture of the channels is allowed. */
    color_freedom strict = e->transform->color.kind == XR_COLOR_CHANNELS ? NO_FREEDOM : ANY_ORDER;
    for (size_t f = 0; f < frames; f += interval) {
        double mixed = frame_residual(pair, e->transform, f, ANY_MIXTURE);
        double ordered = e->present[XR_STEP_COLOR] ? frame_residual(pair, e->transform, f, strict) : NAN;
        for (size_t s = 0; s < XR_STEPS; s++) {
            xr_votes *v = &e->votes[s];
            if (!e->present[s] || s == XR_STEP_PADDING)
                continue;
            double with = s == XR_STEP_COLOR ? ordered : mixed;
            xr_transform less = without(e->transform, (xr_transform_step)s);
            double now = isfinite(with)
                             ? frame_residual(pair, &less, f, s == XR_STEP_COLOR ? strict : ANY_MIXTURE)
                             : NAN;
            if (!isfinite(now) || !isfinite(with)) {
                v->abstain++;
                continue;
            }
            values[s * room + seen[s]++] = now;
            /* A stricter limit for frames, as another frame's picture is similar, too. */
            bool needed = now > (s == XR_STEP_FRAME_ORDER ? 2 : 1.3) * with + 0.2;
            v->agree += needed;
            v->contradict += with > 1.3 * now + 1;
            v->abstain += !needed && !(with > 1.3 * now + 1);
        }
    }
    for (size_t s = 0; s < XR_STEPS; s++)
        if (seen[s]) {
            qsort(values + s * room, seen[s], sizeof *values, xr_ascending_doubles);
            e->votes[s].without = values[s * room + seen[s] / 2];
        }
    free(values);
}

/* ---- Findings ---------------------------------------------------------------------------------- */

exray_finding *xr_begin_step(const xr_explanation *e, exray_findings *findings, const char *cause,
                             xr_transform_step step, double confidence)
{
    const xr_votes *v = &e->votes[step];
    exray_finding *f = exray_findings_add(findings, cause, EXRAY_SEVERITY_ERROR, confidence);
    exray_finding_where(f, "input", e->before->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_number(f, "residual_before_levels", e->before->raw.pixels);
    exray_finding_number(f, "residual_after_levels", e->after->residual.pixels);
    exray_finding_number(f, "residual_without_levels", v->without);
    if (isfinite(v->without) && v->agree + v->contradict + v->abstain > 0)
        exray_finding_detail(f,
                             "Without it, the inputs differ by %.2f levels rms (the median frame); with all "
                             "that is named, by %.2f. %zu of %zu frames need it, none contradicts.",
                             v->without, e->after->residual.pixels, v->agree,
                             v->agree + v->abstain + v->contradict);
    /* The runner-up of a step is the transform without it; kernels have their own. */
    if (step != XR_STEP_KERNEL)
        exray_finding_text(f, "runner_up", "the same without it");
    exray_finding_number(f, "runner_up_residual_levels", v->without);
    exray_finding_number(f, "nrmse_before", e->before->residual.nrmse_before);
    exray_finding_number(f, "nrmse_after", e->after->residual.nrmse_after);
    exray_finding_number(f, "frames", (double)(v->agree + v->abstain + v->contradict));
    exray_finding_number(f, "frames_supporting", (double)v->agree);
    exray_finding_number(f, "frames_contradicting", (double)v->contradict);
    exray_finding_number(f, "frames_abstaining", (double)v->abstain);
    exray_finding_text(f, "sensor",
                       e->transform->resampling.set ? "used"
                       : e->has_sensor              ? "not needed"
                                                    : "none");
    return f;
}

double xr_step_confidence(const xr_explanation *e, xr_transform_step step)
{
    return xr_confidence(e->after->residual.pixels, e->votes[step].without);
}
