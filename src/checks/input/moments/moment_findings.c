#include "checks/input/moments/moment_findings.h"

#include "checks/input/channel_letters.h"
#include "checks/input/frames/frame_words.h"
#include "checks/input/pipeline_of.h"
#include "checks/input/words.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A residual in levels that rounding alone leaves. */
#define EXACT 0.05

double xr_moment_confidence(const xr_moment_fit *fit)
{
    const double sure = fit->residual <= EXACT ? 0.9 : 0.75;
    return fit->surprise > 60 ? sure : sure - 0.1;
}

exray_finding *xr_begin_moment(const xr_moment_case *c, exray_findings *findings, const char *cause,
                               double confidence)
{
    exray_finding *f = exray_findings_add(findings, cause, EXRAY_SEVERITY_ERROR, confidence);
    exray_finding_where(f, "input", c->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    return f;
}

/* "on both sides", "on the edge", "in the reference": where statistics stand for the data. */
static const char *where_alone(const xr_moment_frames *m)
{
    return m->summarized[0] && m->summarized[1] ? "on both sides"
           : m->summarized[0]                   ? "on the edge"
                                                : "in the reference";
}

void xr_end_moment(const xr_moment_case *c, const xr_moment_fit *fit, exray_finding *f)
{
    const xr_moment_frames *m = c->pairs->frames;
    exray_finding_detail(
        f,
        "Statistics alone were recorded %s: means, deviations%s and ends of %zu frame%s, %zu numbers "
        "of which %zu are fitted; they leave %.2g levels of 8 bits rms, %.3g without it.",
        where_alone(m), m->channels ? " of each channel" : "", c->pairs->count,
        c->pairs->count == 1 ? "" : "s", fit->numbers, fit->parameters, fit->residual, c->before);
    exray_finding_text(f, "judged_by", "statistics");
    exray_finding_number(f, "numbers", (double)fit->numbers);
    exray_finding_number(f, "parameters", (double)fit->parameters);
    exray_finding_number(f, "residual_before_levels", c->before);
    exray_finding_number(f, "residual_after_levels", fit->residual);
    exray_finding_number(f, "frames", (double)c->pairs->count);
    if (c->affected)
        exray_finding_frames(f, c->comparison, c->affected);
}

/* ---- The order of channels ------------------------------------------------------------------------ */

static void add_order_fix(const xr_moment_case *c, const xr_letters *letters, exray_finding *f)
{
    char key[XR_FIT_CHANNELS + 1];
    if (!letters->known_by) {
        exray_finding_fix(
            f, "Give both sides the order that the model was trained with: find out which side has it, "
               "and exchange the channels of each pixel on the other.");
        return;
    }
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (char)tolower((unsigned char)letters->reference[i]);
    exray_finding_fix(
        f,
        "Convert to %s before the model, as the reference does (%sin C: exchange the bytes of each pixel).",
        letters->reference, xr_pipeline_key(c->comparison, "channels: %s", key).text);
}

void xr_report_moment_order(const xr_moment_case *c, exray_findings *findings)
{
    const xr_moment_fit *fit = &c->choice->best;
    const size_t channels = c->pairs->frames->parts;
    const xr_letters letters = xr_pipeline_letters(c->comparison, channels, fit->from);
    const bool tied = c->choice->tied;
    char exchange[240], order[200] = "";
    xr_describe_exchange(channels, fit->from, exchange, sizeof exchange);
    exray_finding *f =
        xr_begin_moment(c, findings, "input.channel_order", tied ? 0.6 : xr_moment_confidence(fit));
    if (letters.known_by) {
        exray_finding_summary(f, "The edge feeds the model %s; the reference feeds %s%s.", letters.edge,
                              letters.reference, tied ? ", or each channel is normalized differently" : "");
        exray_finding_detail(f, "Which channel is which is known by the pipeline file.");
        exray_finding_text(f, "edge_order", letters.edge);
        exray_finding_text(f, "reference_order", letters.reference);
        exray_finding_text(f, "known_by", letters.known_by);
    } else
        exray_finding_summary(
            f,
            "The two sides feed the model's channels in different orders%s: %s makes the edge's means "
            "and deviations the reference's; which side has which order, the logs do not say.",
            tied ? ", or each channel is normalized differently" : "", exchange);
    if (tied) {
        exray_finding_detail(f, "These frames are too much alike in colour to tell which.");
        exray_finding_alternative(f, "input.normalization", 0.4);
    }
    if (c->choice->after_exchange)
        exray_finding_detail(f, "Each channel was normalized with the constants of the place it was put in.");
    if (c->choice->others) {
        char name[240];
        xr_describe_exchange(channels, c->choice->other, name, sizeof name);
        exray_finding_detail(f, "These frames do not tell it from %s.", name);
        exray_finding_number(f, "ambiguous_orders", (double)c->choice->others + 1);
    }
    for (size_t k = 0; k < channels; k++)
        snprintf(order + strlen(order), sizeof order - strlen(order), "%s%u", k ? "," : "",
                 (unsigned)fit->from[k]);
    exray_finding_text(f, "order", order);
    add_order_fix(c, &letters, f);
    exray_finding_number(f, "frames_supporting", (double)c->choice->supporting);
    exray_finding_number(f, "frames_contradicting", (double)c->choice->opposing);
    exray_finding_number(f, "frames_abstaining",
                         (double)(c->pairs->count - c->choice->supporting - c->choice->opposing));
    xr_end_moment(c, fit, f);
}

/* ---- Other frames ----------------------------------------------------------------------------------- */

void xr_report_moment_pairing(const xr_moment_case *c, const xr_moment_pairing *p, exray_findings *findings)
{
    const bool named = c->choice->order_named || c->choice->map_named;
    const xr_moment_fit *fit = named ? &c->choice->best : &c->choice->same;
    const char *how = p->repeated * 2 >= p->moved     ? "repeats frames"
                      : p->late * 10 >= p->moved * 8  ? "is one frame late"
                      : p->early * 10 >= p->moved * 8 ? "is one frame early"
                                                      : "shows other frames";
    size_t example = 0;
    while (example + 1 < p->count && p->edge[example] == p->reference[example])
        example++;
    exray_finding *f = xr_begin_moment(c, findings, "input.frame_order", xr_moment_confidence(fit));
    exray_finding_summary(f, "The edge %s: in %zu of %zu frames the model is given another frame's values.",
                          how, p->moved, c->pairs->frames->count);
    exray_finding_detail(f, "Frame %zu has the statistics of frame %zu.",
                         c->pairs->frames->frame[p->edge[example]],
                         c->pairs->frames->frame[p->reference[example]]);
    exray_finding_fix(
        f, "Log and infer the same buffer: fill the model's input before each run, and wait for the "
           "camera's frame before using it.");
    exray_finding_text(f, "pattern", how);
    exray_finding_number(f, "frames_moved", (double)p->moved);
    xr_end_moment(c, fit, f);
}

/* ---- Nothing known ----------------------------------------------------------------------------------- */

/* Which statistic differs most in a frame. */
static void say_worst(const xr_moment_case *c, exray_finding *f)
{
    const xr_moment_fit *same = &c->choice->same;
    const size_t i = same->worst_pair;
    const xr_input_moments *e = &c->pairs->frames->of[EXRAY_SIDE_EDGE][c->pairs->edge[i]],
                           *r = &c->pairs->frames->of[EXRAY_SIDE_REFERENCE][c->pairs->reference[i]];
    size_t at = 0;
    double most = -1;
    for (size_t k = 0; k < 2 * c->pairs->frames->parts; k++)
        if (fabs((double)e->part[k] - (double)r->part[k]) > most) {
            most = fabs((double)e->part[k] - (double)r->part[k]);
            at = k;
        }
    char channel[40] = "";
    if (c->pairs->frames->channels)
        snprintf(channel, sizeof channel, " of channel %zu", at / 2);
    exray_finding_detail(f,
                         "In frame %zu the %s%s is %.4g on the edge, %.4g in the reference; values are %.4g "
                         "to %.4g, and %.4g to %.4g.",
                         c->pairs->frames->frame[c->pairs->edge[i]], at % 2 ? "deviation" : "mean", channel,
                         (double)e->part[at], (double)r->part[at], e->min, e->max, r->min, r->max);
}

/* Values at the ends of the edge's type, where the reference's are not. */
static void say_clipped(const xr_moment_case *c, exray_finding *f)
{
    double share[2] = {0, 0};
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < c->pairs->count; i++) {
            const xr_input_moments *m =
                &c->pairs->frames->of[s][s == 0 ? c->pairs->edge[i] : c->pairs->reference[i]];
            share[s] += (m->low + m->high) / (double)c->pairs->count;
        }
    if (share[EXRAY_SIDE_EDGE] < share[EXRAY_SIDE_REFERENCE] + 0.01)
        return;
    exray_finding_detail(
        f, "%.0f %% of the edge's stored values are the least or the greatest that its type holds.",
        100 * share[EXRAY_SIDE_EDGE]);
    exray_finding_number(f, "clipped_share", share[EXRAY_SIDE_EDGE]);
}

void xr_report_moment_unknown(const xr_moment_case *c, exray_findings *findings)
{
    exray_finding *f = xr_begin_moment(c, findings, "input.unknown", 0.85);
    const xr_moment_fit *same = &c->choice->same;
    exray_finding_summary(
        f, "The edge's input differs from the reference's, as its statistics show; they do not tell how.");
    exray_finding_detail(
        f,
        "The inputs differ by at least %.2f levels of 8 bits rms (decoders and rounding explain up to 1.5).",
        same->residual);
    say_worst(c, f);
    say_clipped(c, f);
    exray_finding_fix(
        f,
        "Record the input's data on both sides (without --no-io-data) for some frames, and compare again.");
    exray_finding_number(f, "affine_residual_levels", c->choice->best.residual);
    xr_end_moment(c, same, f);
}

void xr_report_moment_ids(const xr_moment_case *c, exray_findings *findings)
{
    exray_finding *f = xr_begin_moment(c, findings, "input.tokens", 0.9);
    exray_finding_summary(f,
                          "The edge's input is other integers than the reference's: its statistics differ.");
    say_worst(c, f);
    exray_finding_fix(
        f, "Use the reference's vocabulary and tokenizer on the edge, with its offset of special tokens.");
    xr_end_moment(c, &c->choice->same, f);
}

void xr_report_moment_not_finite(const xr_moment_case *c, exray_findings *findings)
{
    exray_finding *f = xr_begin_moment(c, findings, "input.unknown", 0.99);
    exray_finding_summary(
        f, "The edge feeds the model %" PRIu64 " NaN or infinite values where the reference's are finite.",
        c->pairs->frames->not_finite);
    exray_finding_fix(f, "Look for a division by zero or uninitialized memory in the pre-processing.");
    exray_finding_text(f, "judged_by", "statistics");
    exray_finding_number(f, "not_finite", (double)c->pairs->frames->not_finite);
}
