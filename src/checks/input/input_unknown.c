/* input.unknown: the inputs differ beyond noise, and no cause explains it. */
#include "checks/input/columns/report_columns.h"
#include "checks/input/fit/pixel_view.h"
#include "checks/input/frames/find_lag.h"
#include "checks/input/input_findings.h"
#include "checks/input/sound/sound_math.h"
#include "checks/input/where_different.h"
#include "checks/input/words.h"
#include "checks/port/both_sides.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void report_not_finite(const xr_input_fit *fit, exray_findings *findings)
{
    const exray_metrics *m = &fit->io->metrics;
    uint64_t nan = m->nan_count[EXRAY_SIDE_EDGE], inf = m->inf_count[EXRAY_SIDE_EDGE];
    exray_finding *f = exray_findings_add(findings, "input.unknown", EXRAY_SEVERITY_ERROR, 0.99);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f,
                          "The edge feeds the model %" PRIu64 " NaN and %" PRIu64
                          " infinite values where the reference's are finite.",
                          nan, inf);
    exray_finding_fix(f, "Look for a division by zero or uninitialized memory in the pre-processing.");
    exray_finding_number(f, "nan", (double)nan);
    exray_finding_number(f, "inf", (double)inf);
}

/* Adds the affine map that fits best. */
static void add_map(const xr_input_fit *fit, exray_finding *f)
{
    const xr_channel_order *o = &fit->orders.list[fit->orders.used];
    for (size_t c = 0; c < fit->values.channels && fit->orders.count; c++) {
        char key[40]; /* as long as any size_t */
        snprintf(key, sizeof key, "affine_gain_%zu", c);
        exray_finding_number(f, key, o->map.gain[c]);
        snprintf(key, sizeof key, "affine_offset_%zu", c);
        exray_finding_number(f, key, o->map.offset[c]);
    }
    if (fit->orders.count)
        exray_finding_number(f, "affine_residual_blocks_levels", o->residual);
}

/* Whether the reference's values are one number, as those of a gain or a threshold are: of no range. */
static bool is_one_number(const xr_input_fit *fit)
{
    const exray_metrics *m = &fit->io->metrics;
    return !fit->values.picture && m->min[EXRAY_SIDE_REFERENCE] == m->max[EXRAY_SIDE_REFERENCE];
}

static void say_number(const xr_input_fit *fit, exray_finding *f)
{
    const exray_metrics *m = &fit->io->metrics;
    char edge[64];
    if (m->min[EXRAY_SIDE_EDGE] == m->max[EXRAY_SIDE_EDGE])
        snprintf(edge, sizeof edge, "%.6g", m->min[EXRAY_SIDE_EDGE]);
    else
        snprintf(edge, sizeof edge, "%.6g to %.6g", m->min[EXRAY_SIDE_EDGE], m->max[EXRAY_SIDE_EDGE]);
    exray_finding_detail(f, "The edge feeds %s, the reference %.6g everywhere.", edge,
                         m->min[EXRAY_SIDE_REFERENCE]);
}

/* Adds how large the difference is: in levels of a picture; of other inputs relative to the reference's
 * range. */
static void say_how_much(const exray_comparison *comparison, const xr_input_fit *fit, bool partly,
                         exray_finding *f)
{
    const char *they = partly ? "Apart from what is named, they" : "They";
    exray_frame_pair pair = exray_comparison_frame(comparison, fit->residual.worst_frame);
    const exray_frame *frame =
        exray_log_frame(exray_comparison_log(comparison, EXRAY_SIDE_EDGE), pair.frame[EXRAY_SIDE_EDGE]);
    char most[40] = "";
    if (fit->values.picture) {
        exray_finding_detail(f, "%s differ by %.2f levels rms (decoders and rounding explain up to 1.5).",
                             they, fit->residual.luma);
        snprintf(most, sizeof most, ": %.2f levels rms", fit->residual.worst);
    } else if (is_one_number(fit))
        say_number(fit, f);
    else
        exray_finding_detail(f, "They differ by %.2g of the reference's range, rms (nRMSE; 0 is equal).",
                             fit->residual.nrmse_before);
    if (fit->values.frames > 1)
        exray_finding_detail(f, "Most in frame %" PRIu64 "%s%.100s%s.", frame->index,
                             *frame->source ? ", " : "", frame->source, most);
}

/* Which channels differ, where others do not. */
static void say_channels(const xr_input_fit *fit, exray_finding *f)
{
    char list[48] = "";
    size_t used = 0, other = 0;
    for (size_t c = 0; c < fit->values.channels && used < sizeof list; c++)
        if (!fit->channel_same[c]) {
            const int more = snprintf(list + used, sizeof list - used, "%s%zu", other++ ? ", " : "", c);
            used += more > 0 ? (size_t)more : 0;
        }
    if (other == 0 || other == fit->values.channels)
        return;
    exray_finding_detail(f, "Only channel%s %s (counted from 0) differ%s: the others are the same.",
                         other > 1 ? "s" : "", list, other > 1 ? "" : "s");
    exray_finding_text(f, "channels", list);
}

static void report_rest(const exray_comparison *comparison, const xr_input_fit *fit, bool placed,
                        exray_findings *findings)
{
    bool partly = fit->orders.named || fit->map.named;
    exray_finding *f = exray_findings_add(findings, "input.unknown", EXRAY_SEVERITY_ERROR, 0.9);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's input differs from the reference's%s; no known cause explains it.",
                          partly ? " in something more" : "");
    say_how_much(comparison, fit, partly, f);
    if (!placed)
        xr_say_where(comparison, fit, f);
    say_channels(fit, f);
    add_map(fit, f);
    if (fit->values.clipped > 0.01 * fit->values.counted)
        exray_finding_detail(
            f,
            "%.0f %% of the values are clipped: the edge's 8-bit input holds %.4g to %.4g only "
            "(scale and zero point too narrow).",
            100 * fit->values.clipped / fit->values.counted, fit->values.limit[0], fit->values.limit[1]);
    if (is_one_number(fit))
        exray_finding_alternative(f, "input.normalization", 0.2);
    else if (fit->reference_flat) {
        exray_finding_detail(f, "The reference's input is one colour, from which no cause can be told.");
        exray_finding_alternative(f, "input.normalization", 0.5);
    } else if (fit->edge_constant)
        exray_finding_detail(f, "The edge's input is the same value everywhere.");
    else if (fit->edge_gray)
        exray_finding_detail(
            f, "The edge's channels are equal to each other, a grey picture; the reference's are not.");
    if (fit->orders.opposing && fit->orders.supporting)
        exray_finding_detail(f, "%zu frames look as if channels were exchanged, %zu do not.",
                             fit->orders.supporting, fit->orders.opposing);
    exray_finding_fix(
        f,
        fit->values.picture
            ? "Compare the two inputs as pictures (`exray export --npz`): crop, resize, rotation, frame."
        : is_one_number(fit)
            ? "Feed the same number on both sides, in the same unit."
            : "Compare the two inputs as curves (`exray export --npz`): rate, gain, window, order, frame.");
    exray_finding_number(f, "residual_levels", fit->residual.pixels);
    exray_finding_number(f, "residual_luma_levels", fit->residual.luma);
    exray_finding_number(f, "residual_blocks_levels", fit->residual.blocks);
    exray_finding_number(f, "before_levels", fit->raw.pixels);
    exray_finding_number(f, "nrmse_before", fit->residual.nrmse_before);
    exray_finding_number(f, "frames", (double)fit->values.frames);
}

/* Whether a side's single number is, in all frames, one of the usual rates of sound. */
static bool is_rate(const xr_input_fit *fit, exray_side side)
{
    const exray_metrics *m = &fit->io->metrics;
    bool usual = false;
    for (size_t i = 0; xr_usual_rates[i] > 0; i++)
        usual = usual || m->min[side] == xr_usual_rates[i];
    return usual && m->min[side] == m->max[side];
}

/* A number that tells the model how fast its sound was sampled; whether it is one. */
static bool report_told_rate(const xr_input_fit *fit, exray_findings *findings)
{
    const exray_metrics *m = &fit->io->metrics;
    if (m->count != fit->values.frames || !is_rate(fit, EXRAY_SIDE_EDGE) ||
        !is_rate(fit, EXRAY_SIDE_REFERENCE))
        return false;
    exray_finding *f = exray_findings_add(findings, "input.sample_rate", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "The edge tells the model a rate of %.0f Hz, in its input %.80s; the reference tells "
        "it %.0f Hz.",
        m->min[EXRAY_SIDE_EDGE], fit->io->name[EXRAY_SIDE_EDGE], m->min[EXRAY_SIDE_REFERENCE]);
    exray_finding_fix(f, "Tell the model the rate of the samples that it is given, on both sides.");
    exray_finding_number(f, "edge_rate", m->min[EXRAY_SIDE_EDGE]);
    exray_finding_number(f, "reference_rate", m->min[EXRAY_SIDE_REFERENCE]);
    exray_finding_number(f, "frames", (double)fit->values.frames);
    return true;
}

/* Whether the edge's ids are, in all frames, what so many bits keep of the reference's. */
static bool are_what_bits_keep(const exray_comparison *comparison, size_t pair, double bits)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    const double most = exp2(bits);
    size_t seen = 0;
    bool kept = slot[0] && slot[1];
    for (size_t f = 0; kept && f < exray_comparison_frame_count(comparison); f++) {
        exray_tensor_view view[2];
        const float *value[2];
        if (!xr_both_of_one_shape(comparison, EXRAY_KIND_INPUT, pair, f, slot, view, value))
            continue;
        for (uint64_t i = 0; kept && i < view[0].count; i++, seen++)
            kept = value[1][i] >= 0 && value[0][i] == fmod(value[1][i], most);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return kept && seen;
}

/* Ids that fewer bits were kept of in another input, and in this one alike: one finding. */
static bool join_kept_bits(const exray_comparison *comparison, const xr_input_fit *fit,
                           exray_findings *findings)
{
    for (exray_finding *f = findings->first; f; f = f->next) {
        const xr_evidence *kind = xr_finding_evidence(f, "kind"), *bits = xr_finding_evidence(f, "bits");
        if (strcmp(f->cause, "input.dtype") != 0 || !kind || !kind->text ||
            strcmp(kind->text, "wrapped") != 0 || !bits || bits->text ||
            !are_what_bits_keep(comparison, fit->pair, bits->number))
            continue;
        exray_finding_detail(f, "The same holds for input %.100s.", fit->io->name[EXRAY_SIDE_EDGE]);
        return true;
    }
    return false;
}

/* Identifiers: their differences mean nothing, except a common shift. */
static void report_tokens(const xr_input_fit *fit, exray_findings *findings)
{
    const exray_metrics *m = &fit->io->metrics;
    double shift = fit->orders.list[0].map.offset[0];
    exray_finding *f = exray_findings_add(findings, "input.tokens", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's input is other integers than the reference's: by up to %.0f.",
                          m->max_abs);
    if (fabs(fit->orders.list[0].map.gain[0] - 1) < 1e-6 && fit->orders.list[0].residual < 1e-3)
        exray_finding_detail(f, "All of them are off by %+.0f.", shift);
    if (m->min[0] >= 0 && m->min[1] >= 0 && m->max[0] <= 1 && m->max[1] <= 1)
        exray_finding_fix(f,
                          "Make these zeros and ones as the reference does: a mask is 1 where a token is and "
                          "0 in the padding, types are 1 in the second text.");
    else
        exray_finding_fix(
            f, "Use the reference's vocabulary and tokenizer on the edge, with its offset of special "
               "tokens.");
    exray_finding_number(f, "max_difference", m->max_abs);
    exray_finding_number(f, "frames", (double)fit->values.frames);
}

void xr_report_unknown(const exray_comparison *comparison, const xr_input_fit *fit, bool placed,
                       exray_findings *findings)
{
    const exray_metrics *m = &fit->io->metrics;
    if (fit->state == XR_FIT_SHAPES)
        return; /* input.shape has said so */
    if (fit->values.tokens && fit->state == XR_FIT_DIFFERS) {
        if (!report_told_rate(fit, findings) && !join_kept_bits(comparison, fit, findings))
            report_tokens(fit, findings);
        return;
    }
    if (m->nan_count[0] > m->nan_count[1] || m->inf_count[0] > m->inf_count[1])
        report_not_finite(fit, findings);
    if (fit->state == XR_FIT_DIFFERS && !fit->residual.explained &&
        !xr_report_lag(comparison, fit->pair, findings) &&
        !xr_report_other_frames(comparison, fit->pair, findings) &&
        !xr_report_saturated(comparison, fit->pair, EXRAY_SIDE_EDGE, findings) &&
        (placed || fit->orders.named || fit->map.named || !xr_report_places(comparison, fit, findings)) &&
        (placed || fit->orders.named || fit->map.named || !xr_report_curve(comparison, fit, findings)))
        report_rest(comparison, fit, placed, findings);
}
