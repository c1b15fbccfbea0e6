#include "checks/input/features/explain_features.h"

#include "checks/input/features/feature_frontend.h"
#include "checks/input/features/feature_limits.h"
#include "checks/input/features/feature_lines.h"
#include "checks/input/features/feature_rendering.h"
#include "checks/input/features/feature_report.h"
#include "checks/input/features/feature_row.h"
#include "checks/input/features/feature_row_order.h"
#include "checks/input/features/feature_sounds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void report_bytes(const xr_feature_report *r)
{
    bool sign = r->relation->kind == XR_FEATURES_SIGN;
    exray_finding *f = xr_feature_finding(r, sign ? "input.dtype" : "input.quantization", 0.95);
    if (sign)
        exray_finding_summary(
            f, "The edge's stored features have the wrong sign: unsigned bytes are taken for signed "
               "ones, or the other way round (they wrap around at half of the range, 128).");
    else
        exray_finding_summary(
            f,
            "The edge's features are stored without the zero point (%g): what exceeds the type's "
            "range is clipped.",
            r->frames->zero[0]);
    exray_finding_fix(f,
                      sign ? "Store int8 as round(value / %.6g) %+g, not as unsigned bytes."
                           : "Store round(value / %.6g) %+g, then clip.",
                      r->frames->scale, r->frames->zero[0]);
    exray_finding_number(f, "scale", r->frames->scale);
    exray_finding_number(f, "zero_point", r->frames->zero[0]);
    exray_finding_alternative(f, sign ? "input.quantization" : "input.normalization", 0.05);
    xr_feature_finding_end(r, f);
}

static void report_delay(const xr_feature_report *r)
{
    double late = r->relation->late;
    exray_finding *f = xr_feature_finding(r, "input.delay", late == round(late) ? 0.95 : 0.75);
    exray_finding_summary(
        f, "The edge's features are %s by %.4g row%s (hop%s of the front end) against the reference's.",
        late > 0 ? "late" : "early", fabs(late), fabs(late) == 1 ? "" : "s", fabs(late) == 1 ? "" : "s");
    if (late != round(late)) {
        exray_finding_detail(
            f, "It is no whole number: the windows begin elsewhere, as those that are centred by padding "
               "do.");
        exray_finding_alternative(f, "input.features", 0.25);
    }
    exray_finding_fix(
        f, "Begin the windows at the same sample on both sides (pipeline: `center`), and take the rows from "
           "the same one on.");
    exray_finding_number(f, "late_rows", late);
    xr_feature_finding_end(r, f);
}

static void report_turned(const xr_feature_report *r)
{
    bool table = r->relation->kind == XR_FEATURES_TRANSPOSED,
         bins = r->relation->kind == XR_FEATURES_BINS_REVERSED;
    exray_finding *f = xr_feature_finding(r, table ? "input.layout" : "input.flip", 0.95);
    if (table)
        exray_finding_summary(
            f, "The edge's table of features is transposed: its rows are the reference's columns.");
    else
        exray_finding_summary(f, "The edge's features are in reversed order: %s.",
                              bins ? "the highest bin first (mirrored along frequency)"
                                   : "the last row first (mirrored in time)");
    exray_finding_fix(f, table
                             ? "Store time and bins in the order that the model takes (transpose the table)."
                             : "Store them in the reference's direction.");
    xr_feature_finding_end(r, f);
}

static void report_hop(const xr_feature_report *r)
{
    double ratio = r->relation->ratio;
    exray_finding *f = xr_feature_finding(r, "input.features", 0.93);
    exray_finding_summary(
        f,
        "The edge's features have %.4g times as many rows for the same time: its hop is %.4g times the "
        "reference's, as %g ms for %g ms.",
        ratio, 1 / ratio, ratio > 1 ? 10.0 : 20 / ratio / 2, ratio > 1 ? 10 * ratio : 10.0);
    exray_finding_fix(
        f, "Take the reference's hop: its rows are %.4g times as far apart in time as the edge's.", ratio);
    exray_finding_text(f, "kind", "hop");
    exray_finding_number(f, "ratio", ratio);
    exray_finding_alternative(f, "input.sample_rate", 0.1);
    xr_feature_finding_end(r, f);
}

static void report_band(const xr_feature_report *r)
{
    const xr_feature_relation *n = r->relation;
    const char *lacks = n->lacks == EXRAY_SIDE_EDGE ? "edge" : "reference",
               *other = n->lacks == EXRAY_SIDE_EDGE ? "reference" : "edge";
    exray_finding *f = xr_feature_finding(r, "input.sample_rate", 0.85);
    exray_finding_summary(
        f,
        "The %s's features lack the band above bin %zu of %zu: below it the two agree, above "
        "it there is little, as of sound that was resampled from a lower rate.",
        lacks, n->cut, r->frames->bins);
    exray_finding_fix(f,
                      "Record at the rate of the %s's sound on the side that lacks the band, or train and "
                      "validate with what it has.",
                      other);
    exray_finding_text(f, "kind", "band");
    exray_finding_number(f, "cutoff_bin", (double)n->cut);
    exray_finding_alternative(f, "input.features", 0.2);
    xr_feature_finding_end(r, f);
}

static void report_time(const xr_feature_report *r)
{
    const xr_feature_relation *n = r->relation;
    bool stretched = n->kind == XR_FEATURES_TIME_AND_BINS;
    exray_finding *f = xr_feature_finding(r, stretched ? "input.sample_rate" : "input.features", 0.8);
    if (stretched)
        exray_finding_summary(
            f,
            "The edge's features have %.4g times as many rows for the same time, and other bins: they are of "
            "sound of another rate, as of %.6g Hz taken for 16000 Hz.",
            n->ratio, 16000 * n->ratio);
    else
        exray_finding_summary(
            f,
            "The edge's features are computed otherwise from the same sound: the rows agree in time "
            "(their levels correlate by %.2f), the bins do not.",
            n->in_time);
    exray_finding_fix(
        f, stretched
               ? "Resample the sound to the front end's rate before computing features (pipeline: `rate:`)."
               : "Compute the features as the reference does: mel scale (HTK, Slaney), window, band, "
                 "logarithm, level of the samples (pipeline: `mel {...}`, `microfrontend {...}`).");
    exray_finding_text(f, "kind", stretched ? "rate" : "bins");
    exray_finding_number(f, "in_time_correlation", n->in_time);
    exray_finding_number(f, "gain", n->gain);
    if (stretched)
        exray_finding_number(f, "ratio", n->ratio);
    exray_finding_alternative(f, stretched ? "input.features" : "input.gain", 0.2);
    xr_feature_finding_end(r, f);
}

/* Computed again from the sound in the log: of another sound, or with options that differ. */
static void report_rendering(const xr_feature_report *r, const xr_feature_rendering *made)
{
    const xr_heard *heard = &made->heard;
    bool same_sound = heard->kind == XR_HEARD_AS_IS;
    exray_finding *f = xr_feature_finding(r, xr_heard_cause(heard), 0.96);
    if (same_sound)
        exray_finding_summary(
            f,
            "The edge's features are computed otherwise from the same sound than the reference's: they "
            "have %s.",
            made->differences);
    else {
        const bool careless = heard->kind == XR_HEARD_LINEAR || heard->kind == XR_HEARD_HOLD;
        char words[128];
        xr_heard_words(heard, words, sizeof words);
        exray_finding_summary(
            f, "The edge computes its features of %s; the reference's are those of the sound as it is%s.",
            words,
            careless                        ? ", resampled with a low pass"
            : made->rate != XR_FEATURE_RATE ? ", resampled"
                                            : "");
    }
    exray_finding_detail(
        f,
        "Computed again from the sound in the log: the reference's are %s (%.2g of the variance is left), "
        "the edge's %s (%.2g; with the reference's options %.2g).",
        made->options[EXRAY_SIDE_REFERENCE], made->rest[EXRAY_SIDE_REFERENCE],
        same_sound && *made->options[EXRAY_SIDE_EDGE] ? made->options[EXRAY_SIDE_EDGE] : "so",
        made->rest[EXRAY_SIDE_EDGE], made->rest_swapped);
    if (same_sound)
        exray_finding_fix(f, "Give both front ends the same options (the edge has %s).", made->differences);
    else
        exray_finding_fix(f, "%s", xr_heard_fix(heard));
    exray_finding_text(f, "kind", same_sound ? "options" : xr_heard_name(heard));
    exray_finding_text(f, "differences", made->differences);
    if (heard->kind == XR_HEARD_GAIN)
        exray_finding_number(f, "gain", heard->number);
    else if (heard->kind == XR_HEARD_BAND) {
        exray_finding_number(f, "cutoff_hz", heard->number / 2);
        exray_finding_number(f, "rate_before", heard->number);
    } else if (heard->kind == XR_HEARD_LATE)
        exray_finding_number(f, "late_samples", heard->number);
    else if (!same_sound)
        exray_finding_number(f, xr_heard_name(heard), heard->number);
    if (same_sound && r->relation->kind == XR_FEATURES_DELAY)
        exray_finding_detail(f, "That makes them late by about %.3g rows.", r->relation->late);
    if (*made->options[EXRAY_SIDE_EDGE])
        exray_finding_text(f, "edge_options", made->options[EXRAY_SIDE_EDGE]);
    exray_finding_text(f, "reference_options", made->options[EXRAY_SIDE_REFERENCE]);
    xr_feature_finding_end(r, f);
}

/* Whether one change of the sound or of that front end makes the edge's features, and leaves less than
 * `most`.
 */
static bool report_made(const xr_feature_report *r,
                        bool (*render)(const xr_feature_frames *, xr_feature_rendering *), double most)
{
    xr_feature_rendering made;
    bool found = render(r->frames, &made) && made.rest[EXRAY_SIDE_EDGE] < most;
    if (found)
        report_rendering(r, &made);
    return found;
}

/* The same of TensorFlow Lite's integer front end, or a mel spectrogram. */
static bool report_one_change(const xr_feature_report *r, double most)
{
    return report_made(r, xr_render_frontend, most) || report_made(r, xr_render_features, most);
}

/* ---- Noise of the sound ------------------------------------------------------------------------- */

/* Cells that are elsewhere have a line of their own where no more of the variance is left. */
#define MOVED_AND_MORE 0.01
/* What another resampler makes may be more, in bands of which one has nothing; it leaves a third of the
 * difference at most. */
#define MOST_RESAMPLED 0.3
#define LEFT_RESAMPLED 3

static void report_faint(const xr_feature_report *r, const xr_feature_noise *noise, double mean, bool dither)
{
    exray_finding *f = exray_findings_add(r->findings, "input.unknown",
                                          dither ? EXRAY_SEVERITY_INFO : EXRAY_SEVERITY_WARNING, 0.8);
    exray_finding_where(f, "input", r->frames->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f, "The edge's features differ from the reference's by no more than %s of the sound.",
        dither ? "a step of 16 bits makes" : "noise 60 dB below it, or another resampler, makes");
    exray_finding_detail(
        f,
        "They differ by %.2g of the variance; computed again from the sound in the log with noise, the "
        "reference's differ by %.2g, with a step of dither by %.2g.",
        mean, noise->of_noise, noise->of_dither);
    exray_finding_fix(f, "Nothing, unless decisions differ: then look for noise on one side.");
    exray_finding_text(f, "kind", "noise");
    exray_finding_number(f, "difference_share", mean);
    exray_finding_number(f, "noise_share", noise->of_noise);
    exray_finding_number(f, "dither_share", noise->of_dither);
    xr_feature_finding_end(r, f);
}

/* The edge's features are those of the record by another usual resampler: an error where decisions differ,
 * and the features by more than noise makes. */
static void report_resampled(const xr_feature_report *r, const xr_feature_noise *noise, double mean,
                             bool faint)
{
    const exray_accuracy *accuracy = exray_comparison_accuracy(r->frames->comparison);
    const bool decided = !faint && accuracy->frames > 0 && accuracy->agreement < 1;
    exray_finding *f = exray_findings_add(r->findings, "input.sample_rate",
                                          decided ? EXRAY_SEVERITY_ERROR : EXRAY_SEVERITY_WARNING, 0.8);
    exray_finding_where(f, "input", r->frames->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's features are the reference's of the same sound by another usual "
                             "resampler, which ends the band differently.");
    exray_finding_detail(f,
                         "They differ by %.2g of the variance; computed again from the sound in the log by "
                         "another resampler, %.2g of it is left.",
                         mean, noise->edge_resampled);
    exray_finding_fix(
        f, "%s",
        decided ? "Resample by the same filter on both sides: decisions depend on the end of the band."
                : "Nothing, unless decisions differ: then resample by the same filter on both sides.");
    exray_finding_text(f, "kind", "resampler");
    exray_finding_number(f, "difference_share", mean);
    exray_finding_number(f, "residual_share", noise->edge_resampled);
    xr_feature_finding_end(r, f);
}

/* One row that differs, the same in all frames, and no other one: as where it is written too late. */
static bool report_one_row(const xr_feature_report *r)
{
    const xr_feature_frames *n = r->frames;
    const size_t row = xr_feature_row_that_differs(n, 0.999);
    if (row == SIZE_MAX)
        return false;
    const bool before = row > 0 && xr_feature_row_is(n, row, row - 1),
               after = row + 1 < n->rows && xr_feature_row_is(n, row, row + 1);
    exray_finding *f = xr_feature_finding(r, before || after ? "input.delay" : "input.unknown", 0.9);
    if (before || after)
        exray_finding_summary(
            f,
            "Row %zu of the edge's features (of %zu, from 0) is the reference's row %zu; all "
            "others are right.",
            row, n->rows, before ? row - 1 : row + 1);
    else
        exray_finding_summary(f,
                              "The edge's features differ from the reference's in row %zu of %zu (from 0) "
                              "alone; no known cause explains it.",
                              row, n->rows);
    exray_finding_fix(
        f, "Look at how that row is written: a window that is not computed yet, or not shifted in.");
    exray_finding_text(f, "kind", "row");
    exray_finding_number(f, "row", (double)row);
    xr_feature_finding_end(r, f);
    return true;
}

/* Whether a row is equal on both sides in all frames that differ, and in one of them no silence. */
static bool is_equal_row(const xr_feature_frames *n, size_t row)
{
    bool varies = false;
    for (size_t i = 0; i < n->count; i++)
        for (size_t k = row * n->bins; n->list[i].differs && k < (row + 1) * n->bins; k++) {
            const float v = n->list[i].side[EXRAY_SIDE_REFERENCE][k];
            if (n->list[i].side[EXRAY_SIDE_EDGE][k] != v)
                return false;
            varies = varies || v != n->list[i].side[EXRAY_SIDE_REFERENCE][row * n->bins];
        }
    return varies;
}

/* Whether three quarters of the rows are equal to the last bit: what is noise of the sound is in all of them.
 */
static bool is_of_few_rows(const xr_feature_frames *n)
{
    size_t equal = 0;
    for (size_t row = 0; row < n->rows; row++)
        equal += is_equal_row(n, row);
    return !n->bytes && n->rows > 1 && 4 * equal >= 3 * n->rows;
}

/* Whether what differs is what dither, faint noise or another resampler make of the reference's features:
 * told as a warning, and of dither as a remark. */
static bool report_noise(const xr_feature_report *r)
{
    const xr_feature_frames *n = r->frames;
    const xr_feature_difference d = xr_feature_difference_of(n);
    xr_feature_noise noise;
    if (!n->has_sensor || !(d.mean <= MOST_RESAMPLED) || is_of_few_rows(n) ||
        xr_feature_row_that_differs(n, 0.8) != SIZE_MAX ||
        !(xr_frontend_noise(n, &noise) || xr_mel_noise(n, &noise)))
        return false;
    const bool dither = noise.is_dither, faint = noise.is_faint;
    const bool resampled = !dither && noise.edge_resampled < d.mean / LEFT_RESAMPLED;
    if (!faint && !resampled)
        return false;
    /* What is made again by one change is no noise, however small it is. */
    if (report_one_change(r, resampled ? noise.edge_resampled : INFINITY))
        return true;
    if (resampled)
        report_resampled(r, &noise, d.mean, faint);
    else
        report_faint(r, &noise, d.mean, dither);
    return true;
}

/* Which axis is time is a guess, where the sound in the log does not tell: it does where the front end makes
 * the reference's features of it with the axes exchanged. */
static bool report_turned_axes(const xr_feature_report *r, xr_feature_frames *frames)
{
    if (!frames->has_sensor || !xr_turn_features(frames))
        return false;
    if (report_noise(r) || report_made(r, xr_render_frontend, INFINITY))
        return true;
    xr_turn_features(frames);
    return false;
}

/* A line of cells that are not at their places, too: of another scale, or a level of the samples. */
static void report_line_beside(const xr_feature_report *r)
{
    enum { LITTLE = 20 }; /* per cent: what borders and a noise of the features may make of a factor */
    const xr_feature_relation *n = r->relation;
    const double part = r->frames->bytes && n->rest > 1e-3 ? LITTLE / 100.0 : 0.02;
    bool scaled = fabs(n->gain - 1) > part, moved = fabs(n->offset) > (scaled ? 0.02 : part) * n->spread;
    if (n->rest > MOVED_AND_MORE || !(n->spread > 0) || !(scaled || moved))
        return;
    xr_feature_relation line = *n;
    const xr_feature_report beside = {.frames = r->frames, .relation = &line, .findings = r->findings};
    line.kind = XR_FEATURES_LINE;
    line.offset = moved ? n->offset : 0;
    xr_report_feature_scale(&beside);
}

/* What relates cells in part only is worth a rendering. */
static bool is_vague(const xr_feature_relation *n)
{
    return n->kind == XR_FEATURES_TIME_ONLY || n->kind == XR_FEATURES_TIME_AND_BINS ||
           n->kind == XR_FEATURES_MOST_CELLS || n->kind == XR_FEATURES_UNRELATED ||
           n->kind == XR_FEATURES_BAND || (n->kind == XR_FEATURES_DELAY && n->late != round(n->late));
}

/* Whether most cells of the frames that differ are equal: then they are computed alike, and some are wrong.
 */
static bool is_mostly_equal(const xr_feature_frames *frames)
{
    size_t equal = 0, all = 0;
    for (size_t i = 0; i < frames->count; i++) {
        const xr_feature_frame *f = &frames->list[i];
        for (size_t k = 0; f->differs && k < frames->rows * frames->bins; k++, all++)
            equal += f->side[0][k] == f->side[1][k];
    }
    return 2 * equal > all;
}

/* Bins by themselves: a line of their own, another place, some that are computed otherwise. */
static bool report_by_bins(const xr_feature_report *r)
{
    return xr_report_bins(r->frames, r->findings) || xr_report_moved_bins(r->frames, r->findings) ||
           xr_report_part_of_row(r->frames, r->findings) || xr_report_own_lines(r->frames, r->findings);
}

/* Rows that the graph alone shows are a spectrum's only where neighboring bins are alike. */
static bool may_be_spectra(const xr_feature_frames *n)
{
    enum { LEAST_BINS = 16 };
    const double least = 0.5;
    double shared = 0, all = 0;
    if (!n->rows_by_graph)
        return true;
    for (size_t i = 0; i < n->count && n->bins >= LEAST_BINS; i++) {
        const float *v = n->list[i].side[EXRAY_SIDE_REFERENCE];
        double mean = 0;
        for (size_t k = 0; k < n->rows * n->bins; k++)
            mean += v[k] / (double)(n->rows * n->bins);
        for (size_t k = 0; k < n->rows * n->bins; k++) {
            all += (v[k] - mean) * (v[k] - mean);
            shared += k % n->bins ? (v[k] - mean) * (v[k - 1] - mean) : (v[k] - mean) * (v[k] - mean);
        }
    }
    return shared > least * all;
}

/* Near the reference's cells, by no known factor and offset, and not exactly. */
static bool is_odd_line(const xr_feature_relation *n)
{
    const double much = 0.1, exact = 1e-6;
    return n->kind == XR_FEATURES_LINE && n->rest > exact && !xr_logarithm_words(n->gain) &&
           fabs(n->gain - 1) < much && fabs(n->offset) < much * n->spread;
}

/* Later or earlier by rows, but not exactly. */
static bool is_loose_delay(const xr_feature_relation *n)
{
    const double exact = 1e-3;
    return n->kind == XR_FEATURES_DELAY && n->rest > exact;
}

static bool report(const xr_feature_report *r)
{
    const bool vague = is_vague(r->relation);
    if (vague && report_by_bins(r))
        return true;
    if ((r->relation->kind == XR_FEATURES_TIME_ONLY || r->relation->kind == XR_FEATURES_TIME_AND_BINS) &&
        !may_be_spectra(r->frames))
        return false;
    if (vague && report_one_change(r, INFINITY))
        return true;
    /* A line that nobody has is less than what makes all of the edge's features, as are rows that are only
     * nearly others. */
    if ((is_odd_line(r->relation) || is_loose_delay(r->relation)) &&
        report_one_change(r, r->relation->rest / 3))
        return true;
    if (r->relation->kind == XR_FEATURES_TIME_ONLY && !r->frames->bytes && is_mostly_equal(r->frames))
        return xr_report_rows(r->frames, r->findings);
    switch (r->relation->kind) {
    case XR_FEATURES_LINE:
    case XR_FEATURES_LIMITED:
    case XR_FEATURES_MOST_CELLS:
        /* Few rows may be little of the whole. */
        return xr_report_feature_scale(r) ||
               (!r->frames->bytes && is_mostly_equal(r->frames) &&
                (xr_report_rows(r->frames, r->findings) || xr_report_bins(r->frames, r->findings)));
    case XR_FEATURES_SIGN:
    case XR_FEATURES_NO_ZERO:
        report_bytes(r);
        return true;
    case XR_FEATURES_DELAY:
        report_delay(r);
        report_line_beside(r);
        return true;
    case XR_FEATURES_BINS_REVERSED:
    case XR_FEATURES_ROWS_REVERSED:
    case XR_FEATURES_TRANSPOSED:
        report_turned(r);
        report_line_beside(r);
        return true;
    case XR_FEATURES_STRETCHED:
        report_hop(r);
        return true;
    case XR_FEATURES_BAND:
        report_band(r);
        return true;
    case XR_FEATURES_TIME_ONLY:
    case XR_FEATURES_TIME_AND_BINS:
        report_time(r);
        return true;
    default:
        return xr_report_rows(r->frames, r->findings);
    }
}

/* Whether the edge's frame holds the reference's values of another one, to the last step. */
static bool is_other_frame(const xr_feature_frames *f, size_t edge, size_t reference)
{
    const float *a = f->list[edge].side[EXRAY_SIDE_EDGE], *b = f->list[reference].side[EXRAY_SIDE_REFERENCE];
    for (size_t k = 0; k < f->rows * f->bins; k++)
        if (!(fabsf(a[k] - b[k]) <= 1e-6F * fabsf(b[k]) + (float)f->scale / 2))
            return false;
    return true;
}

/* Frames that are all as many before or after; those at the ends have none to be. */
static bool report_other_frames(const xr_feature_report *r)
{
    enum { MOST = 8 };
    const xr_feature_frames *n = r->frames;
    for (long size = 1; size <= MOST; size++)
        for (long by = -size; by <= size; by += 2 * size) {
            size_t supporting = 0, judged = 0;
            for (long i = 0; i < (long)n->count; i++) {
                if (!n->list[i].differs || i + by < 0 || i + by >= (long)n->count)
                    continue;
                judged++;
                supporting += is_other_frame(n, (size_t)i, (size_t)(i + by));
            }
            if (supporting < 2 || (double)supporting < 0.9 * (double)judged)
                continue;
            exray_finding *f = xr_feature_finding(r, "input.frame_order", 0.95);
            exray_finding_summary(
                f, "The edge's input is the reference's of %ld frame%s %s, in %zu of %zu frames.", size,
                size == 1 ? "" : "s", by > 0 ? "later: the edge is ahead" : "before: the edge is behind",
                supporting, judged);
            exray_finding_fix(
                f, "Feed the model the features of the frame that is recorded: look for a buffer that is %s.",
                by > 0 ? "filled again before it is used" : "one turn old");
            exray_finding_number(f, "frames_ahead", (double)by);
            exray_finding_number(f, "frames_supporting", (double)supporting);
            return true;
        }
    return false;
}

/* Of what is faint nothing is asked but whether dither or noise of the sound in the log makes it. */
static bool report_faint_noise(const xr_feature_report *r, xr_feature_frames *frames)
{
    if (!frames->has_sensor || (!xr_join_features(frames) && !frames->table))
        return false;
    return report_noise(r) || (xr_turn_features(frames) && report_noise(r));
}

/* Whether cells are related, and not only the levels of rows. */
static bool is_specific(const xr_feature_relation *r)
{
    return r->kind != XR_FEATURES_UNRELATED && r->kind != XR_FEATURES_TIME_ONLY &&
           r->kind != XR_FEATURES_TIME_AND_BINS &&
           (r->kind != XR_FEATURES_DELAY || r->late == round(r->late));
}

/* Features that show no rows (of a band that is half empty, say) where the microphone's sound is in the log:
 * usual numbers of bins, told only where cells are related by them, or the features are made again. */
static bool report_hidden_rows(xr_feature_frames *frames, exray_findings *findings)
{
    static const size_t usual[] = {40, 64, 80, 32, 128, 96, 24, 20};
    const size_t count = frames->rows * frames->bins;
    xr_feature_relation relation = {.rest = 1, .rest_before = 1};
    const xr_feature_report r = {.frames = frames, .relation = &relation, .findings = findings};
    if (!frames->has_sensor || frames->dimensions != 1)
        return false;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if (count % usual[i] || count / usual[i] < 8 || !xr_rows_fit_sound(frames, count / usual[i]))
            continue;
        frames->bins = usual[i], frames->rows = count / usual[i];
        if (report_noise(&r))
            return true;
        xr_find_feature_relation(frames, &relation);
        if (is_specific(&relation) ? report(&r) : report_one_change(&r, INFINITY))
            return true;
    }
    return false;
}

bool xr_explain_features(const exray_comparison *comparison, size_t pair, exray_findings *findings)
{
    const exray_io_pair *io = exray_comparison_input(comparison, pair);
    xr_feature_frames *frames = io->problem ? NULL : xr_feature_frames_read(comparison, pair);
    if (!frames)
        return false;
    xr_feature_relation relation = {.rest = 1, .rest_before = 1}, other;
    const xr_feature_report r = {.frames = frames, .relation = &relation, .findings = findings};
    if (io->faint) {
        const bool noise = report_faint_noise(&r, frames);
        xr_feature_frames_free(frames);
        return noise;
    }
    /* Gray pictures have a search of their own. */
    bool narrow = frames->dimensions == 1 || frames->size[0] < 8 || frames->size[1] < 8;
    bool moved =
        ((frames->table || narrow) && report_other_frames(&r)) || xr_report_row_order(frames, findings);
    if (moved || (!xr_join_features(frames) && !frames->table)) {
        moved = moved || report_hidden_rows(frames, findings);
        xr_feature_frames_free(frames);
        return moved;
    }
    if (report_noise(&r) || report_turned_axes(&r, frames) || report_one_row(&r)) {
        xr_feature_frames_free(frames);
        return true;
    }
    xr_find_feature_relation(frames, &relation);
    bool exact = relation.kind == XR_FEATURES_LINE || relation.kind == XR_FEATURES_SIGN ||
                 relation.kind == XR_FEATURES_NO_ZERO;
    if (!exact)
        xr_fit_limited_features(frames, &relation);
    /* Where the axis of time is a guess, the other one may explain more; but silence in time is no band. */
    bool told = false;
    if (!is_specific(&relation) && xr_turn_features(frames)) {
        xr_find_feature_relation(frames, &other);
        const bool specific = is_specific(&other), band = other.kind == XR_FEATURES_BAND;
        if (!specific || band)
            xr_turn_features(frames);
        told = band && frames->has_sensor && report_one_change(&r, INFINITY);
        if (specific && !told) {
            if (band)
                xr_turn_features(frames);
            relation = other;
        }
    }
    told = told || report(&r);
    xr_feature_frames_free(frames);
    return told;
}
