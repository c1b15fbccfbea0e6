#include "checks/input/features/feature_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

exray_finding *xr_feature_finding(const xr_feature_report *r, const char *cause, double confidence)
{
    exray_finding *f = exray_findings_add(r->findings, cause, EXRAY_SEVERITY_ERROR, confidence);
    exray_finding_where(f, "input", r->frames->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    return f;
}

void xr_feature_finding_end(const xr_feature_report *r, exray_finding *f)
{
    const xr_feature_frames *frames = r->frames;
    if (frames->list[0].joined)
        exray_finding_detail(f, "The rows of %zu frames that follow each other are looked at as one table.",
                             frames->list[0].joined);
    else
        exray_finding_detail(f, "Its features are %zu rows in time of %zu bins.", frames->rows, frames->bins);
    exray_finding_number(f, "rows", (double)frames->rows);
    exray_finding_number(f, "bins", (double)frames->bins);
    exray_finding_number(f, "residual_share", r->relation->rest);
    exray_finding_number(f, "residual_share_before", r->relation->rest_before);
    exray_finding_number(f, "frames", (double)frames->differing);
    bool *chosen = calloc(exray_comparison_frame_count(frames->comparison) + 1, sizeof *chosen);
    for (size_t i = 0; chosen && i < frames->count; i++)
        for (size_t j = 0; j < frames->list[i].joined + !frames->list[i].joined; j++)
            chosen[frames->list[i].frame + j] = frames->list[i].differs;
    if (chosen && frames->differing < frames->count)
        exray_finding_frames(f, frames->comparison, chosen);
    free(chosen);
}

const char *xr_logarithm_words(double gain)
{
    static const struct {
        double gain;
        const char *words;
    } known[] = {
        {0.4342945, "log10 where the reference has the natural logarithm (ln)"},
        {2.3025851, "the natural logarithm (ln) where the reference has log10"},
        {4.3429448, "decibels (10 log10) where the reference has the natural logarithm (ln)"},
        {0.2302585, "the natural logarithm (ln) where the reference has decibels (10 log10)"},
        {1.4426950, "log2 where the reference has the natural logarithm (ln)"},
        {0.6931472, "the natural logarithm (ln) where the reference has log2"},
        {0.3010300, "log10 where the reference has log2"},
        {3.3219281, "log2 where the reference has log10"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (fabs(gain / known[i].gain - 1) < 0.005)
            return known[i].words;
    return NULL;
}

/* Whether an offset of a logarithm is that of samples of 16 bits against samples in [-1, 1]: of their squares
 * or magnitudes. */
static bool is_full_scale(double gain, double offset)
{
    const double scales[] = {log(32768), 2 * log(32768), log10(32768), 2 * log10(32768), 20 * log10(32768)};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
        if (fabs(gain - 1) < 0.01 && fabs(fabs(offset) / scales[i] - 1) < 0.01)
            return true;
    return false;
}

static void report_level(const xr_feature_report *r)
{
    double offset = r->relation->offset;
    exray_finding *f = xr_feature_finding(r, "input.gain", 0.85);
    exray_finding_summary(
        f,
        "The edge's features are the reference's %c %.4g, as a logarithm makes of samples that are %s: "
        "32768 times.",
        offset < 0 ? '-' : '+', fabs(offset),
        offset < 0 ? "in [-1, 1] where the reference's are of 16 bits"
                   : "of 16 bits where the reference's are in [-1, 1]");
    exray_finding_fix(f, "Give the front end samples in the unit that it takes (pipeline: `scale: ...`).");
    exray_finding_text(f, "kind", "level");
    exray_finding_number(f, "offset", offset);
    exray_finding_alternative(f, "input.normalization", 0.1);
    xr_feature_finding_end(r, f);
}

/* The shortest number within a part of a value. */
static double short_number(double value, double part)
{
    char text[32];
    for (int digits = 1; digits < 4; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (fabs(strtod(text, NULL) - value) <= part * fabs(value))
            return strtod(text, NULL);
    }
    return value;
}

/* Another scale or offset of the same cells; false: the sides store them in other steps, which others name.
 */
static bool report_scale(const xr_feature_report *r)
{
    const xr_feature_relation *n = r->relation;
    /* Steps of bytes hide what little a line is steeper. */
    const double part = r->frames->bytes ? 0.004 : 0.001;
    double gain = short_number(n->gain, part), offset = short_number(n->offset, part);
    bool scaled = gain != 1, limited = n->kind == XR_FEATURES_LIMITED;
    bool moved = fabs(n->offset) > 0.02 * n->spread;
    if (r->frames->other_steps || (!scaled && !moved))
        return false;
    char factor[32] = "", shift[32] = "";
    if (scaled)
        snprintf(factor, sizeof factor, "%.4g times ", gain);
    if (moved)
        snprintf(shift, sizeof shift, " %c %.4g", offset < 0 ? '-' : '+', fabs(offset));
    exray_finding *f = xr_feature_finding(r, "input.normalization", 0.95);
    exray_finding_summary(f, "The edge's features are %sthe reference's%s%s.", factor, shift,
                          limited ? ", clipped where that exceeds the range" : "");
    if (scaled && moved)
        exray_finding_fix(f,
                          "Scale the features as the reference does (until then, of each value v: v = (v %c "
                          "%.4g) / %.4g).",
                          offset < 0 ? '+' : '-', fabs(offset), gain);
    else if (scaled)
        exray_finding_fix(
            f, "Scale the features as the reference does (until then, divide each value by %.4g).", gain);
    else
        exray_finding_fix(
            f, "Take the reference's offset of the features (until then, of each value v: v = v %c %.4g).",
            offset < 0 ? '+' : '-', fabs(offset));
    exray_finding_text(f, "kind", "scale");
    exray_finding_number(f, "gain", n->gain);
    exray_finding_number(f, "offset", n->offset);
    if (r->frames->bytes)
        exray_finding_alternative(f, "input.quantization", 0.1);
    xr_feature_finding_end(r, f);
    return true;
}

bool xr_report_feature_scale(const xr_feature_report *r)
{
    const xr_feature_relation *n = r->relation;
    const char *words = xr_logarithm_words(n->gain);
    bool most = n->kind == XR_FEATURES_MOST_CELLS;
    bool power = most && (fabs(n->gain / 0.5 - 1) < 0.12 || fabs(n->gain / 2 - 1) < 0.12);
    if (!most && is_full_scale(n->gain, n->offset)) {
        report_level(r);
        return true;
    }
    if (!words && !most)
        return report_scale(r);
    exray_finding *f =
        xr_feature_finding(r, words || power ? "input.features" : "input.normalization", words ? 0.9 : 0.8);
    if (words)
        exray_finding_summary(f, "The edge's features are %.4g times the reference's %c %.4g: %s.", n->gain,
                              n->offset < 0 ? '-' : '+', fabs(n->offset), words);
    else if (power)
        exray_finding_summary(
            f,
            "The edge's features are %.4g times the reference's %c %.4g, but for those near the floor "
            "of the logarithm: %s.",
            n->gain, n->offset < 0 ? '-' : '+', fabs(n->offset),
            n->gain < 1 ? "magnitudes where the reference takes powers (squares)"
                        : "powers (squares) where the reference takes magnitudes");
    else
        exray_finding_summary(f, "Most of the edge's features are %.4g times the reference's %c %.4g.",
                              n->gain, n->offset < 0 ? '-' : '+', fabs(n->offset));
    exray_finding_fix(f, words ? "Take the reference's logarithm (pipeline: `mel {log: ...}`)."
                         : power
                             ? "Take the reference's power of the spectrum (pipeline: `mel {power: ...}`)."
                             : "Scale the features as the reference does, and clip them at the same floor.");
    exray_finding_text(f, "kind", words ? "logarithm" : power ? "power" : "scale");
    exray_finding_number(f, "gain", n->gain);
    exray_finding_number(f, "offset", n->offset);
    exray_finding_alternative(f, words || power ? "input.normalization" : "input.features", 0.2);
    xr_feature_finding_end(r, f);
    return true;
}
