/* input.normalization and what else a map of the values is, from statistics alone. */
#include "checks/input/color/known_colors.h"
#include "checks/input/moments/moment_convention.h"
#include "checks/input/moments/moment_findings.h"
#include "checks/input/pipeline_of.h"
#include "checks/port/tensor_type.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static size_t channels_of(const xr_moment_case *c)
{
    return c->choice->best.kind == XR_MOMENT_CHANNELS ? c->pairs->frames->parts : 1;
}

/* Of more channels, that many are told. */
enum { TOLD = 6 };

/* "edge = 2 x reference - 1", for each channel where they differ. */
static void add_maps(const xr_moment_case *c, exray_finding *f)
{
    const xr_moment_fit *fit = &c->choice->best;
    for (size_t k = 0; k < channels_of(c); k++) {
        char which[32] = "", key[40];
        if (channels_of(c) > 1)
            snprintf(which, sizeof which, "Channel %zu: ", k);
        bool near_one = fit->gain[k] != 1 && fabs(fit->gain[k] - 1) < 5e-4;
        if (k < TOLD)
            exray_finding_detail(
                f, near_one ? "%sedge = %.8g x reference %c %.4g." : "%sedge = %.4g x reference %c %.4g.",
                which, fit->gain[k], fit->offset[k] < 0 ? '-' : '+', fabs(fit->offset[k]));
        snprintf(key, sizeof key, "gain_%zu", k);
        exray_finding_number(f, key, fit->gain[k]);
        snprintf(key, sizeof key, "offset_%zu", k);
        exray_finding_number(f, key, fit->offset[k]);
    }
}

/* "v[0] = (v[0] + 1) / 2, ...": what undoes the map. */
static void undo_text(const xr_moment_case *c, char *text, size_t size)
{
    const xr_moment_fit *fit = &c->choice->best;
    *text = 0;
    for (size_t k = 0; k < channels_of(c) && k < TOLD; k++) {
        char name[32] = "v";
        if (channels_of(c) > 1)
            snprintf(name, sizeof name, "v[%zu]", k);
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s = (%s %c %.5g) / %.6g", k ? ", " : "", name, name,
                 fit->offset[k] < 0 ? '+' : '-', fabs(fit->offset[k]), fit->gain[k]);
    }
}

static void add_fix(const xr_moment_case *c, const xr_convention *k, exray_finding *f)
{
    const bool has_file = xr_has_pipeline(c->comparison, EXRAY_SIDE_REFERENCE, NULL) ||
                          xr_has_pipeline(c->comparison, EXRAY_SIDE_EDGE, NULL);
    char key[200] = "", text[320];
    if (!k) {
        undo_text(c, text, sizeof text);
        exray_finding_fix(f, "Normalize as the reference does (%suntil then, of each value v: %s).",
                          xr_pipeline_key(c->comparison, "normalize: {mean: ..., std: ...}").text, text);
        return;
    }
    if (has_file)
        snprintf(key, sizeof key, " (pipeline: `normalize: {mean: [%g, %g, %g], std: [%g, %g, %g]}`)",
                 k->mean[0], k->mean[1], k->mean[2], k->std[0], k->std[1], k->std[2]);
    if (c->pairs->frames->parts == 3)
        exray_finding_fix(
            f,
            "Normalize as the reference does: (pixel[c] - mean[c]) / std[c] with mean {%g, %g, %g}, "
            "std {%g, %g, %g}%s.",
            k->mean[0], k->mean[1], k->mean[2], k->std[0], k->std[1], k->std[2], key);
    else
        exray_finding_fix(f, "Normalize as the reference does: (x - %g) / %g on 0..255%s.", k->mean[0],
                          k->std[0], key);
}

static void report_normalization(const xr_moment_case *c, exray_findings *findings)
{
    const xr_convention *by_side[2];
    const bool known = xr_moment_conventions(c->pairs, &c->choice->best, by_side);
    char words[2][128];
    for (int s = 0; s < 2; s++) {
        const xr_convention *k = by_side[s];
        double low, high;
        xr_moment_range(c->pairs->frames, (exray_side)s, &low, &high);
        snprintf(words[s], sizeof words[s], "values of %.4g to %.4g%s%s%s%s", low, high, k ? " (" : "",
                 k && !known ? "about " : "", k ? k->name : "", k ? ")" : "");
    }
    exray_finding *f =
        xr_begin_moment(c, findings, "input.normalization", xr_moment_confidence(&c->choice->best));
    exray_finding_summary(f, "The edge feeds the model %s; the reference feeds %s.", words[EXRAY_SIDE_EDGE],
                          words[EXRAY_SIDE_REFERENCE]);
    add_maps(c, f);
    add_fix(c, known ? by_side[EXRAY_SIDE_REFERENCE] : NULL, f);
    exray_finding_number(f, "effect_levels", c->choice->effect);
    xr_end_moment(c, &c->choice->best, f);
}

/* ---- How it is stored -------------------------------------------------------------------------- */

/* Whether all channels have that map, within two thousandths and two steps. */
static bool is_map(const xr_moment_case *c, double gain, double offset, double step)
{
    const xr_moment_fit *fit = &c->choice->best;
    for (size_t k = 0; k < c->pairs->frames->parts; k++)
        if (fabs(fit->gain[k] / gain - 1) > 0.005 || fabs(fit->offset[k] - offset) > 2 * step)
            return false;
    return true;
}

/* The stored integers are equal, and what they are said to mean is not. */
static bool report_meaning(const xr_moment_case *c, exray_findings *findings)
{
    const xr_moment_frames *m = c->pairs->frames;
    const double e = m->scale[EXRAY_SIDE_EDGE], r = m->scale[EXRAY_SIDE_REFERENCE];
    const double ze = m->zero_point[EXRAY_SIDE_EDGE], zr = m->zero_point[EXRAY_SIDE_REFERENCE];
    if (!xr_is_byte(m->type[0]) || !xr_is_byte(m->type[1]) || !(e > 0) || !(r > 0) || (e == r && ze == zr) ||
        !is_map(c, e / r, e * (zr - ze), e))
        return false;
    const bool signs = m->type[0] != m->type[1] && fabs(fabs(zr - ze) - 128) < 0.5;
    exray_finding *f = xr_begin_moment(c, findings, signs ? "input.dtype" : "input.quantization",
                                       xr_moment_confidence(&c->choice->best));
    exray_finding_summary(
        f,
        "The stored integers are the same on both sides, but mean something else: %s with scale "
        "%.6g and zero point %g on the edge, %s with scale %.6g and zero point %g in the "
        "reference.",
        exray_dtype_name(m->type[0]), e, ze, exray_dtype_name(m->type[1]), r, zr);
    exray_finding_fix(f,
                      "Quantize with the scale and zero point of the model that runs: round(real / scale) + "
                      "zero_point (the reference's: %.6g, %g).",
                      r, zr);
    exray_finding_alternative(f, "input.normalization", 0.3);
    add_maps(c, f);
    xr_end_moment(c, &c->choice->best, f);
    return true;
}

/* The edge's values are off by its zero point, or by half of the range of 8 bits. */
static bool report_shift(const xr_moment_case *c, exray_findings *findings)
{
    const xr_moment_frames *m = c->pairs->frames;
    const double scale = m->scale[EXRAY_SIDE_EDGE], zero = m->zero_point[EXRAY_SIDE_EDGE];
    const double offset = c->choice->best.offset[0], sign = offset < 0 ? -1 : 1;
    if (!xr_is_byte(m->type[EXRAY_SIDE_EDGE]) || !(scale > 0))
        return false;
    const bool by_zero = fabs(zero) >= 3 && is_map(c, 1, sign * fabs(zero) * scale, scale);
    const bool by_half = !by_zero && is_map(c, 1, sign * 128 * scale, scale);
    if (!by_zero && !by_half)
        return false;
    exray_finding *f = xr_begin_moment(c, findings, by_zero ? "input.quantization" : "input.dtype",
                                       0.9 * xr_moment_confidence(&c->choice->best));
    if (by_zero)
        exray_finding_summary(f, "The edge's stored values are off by the input's zero point, %g: it is %s.",
                              zero, (offset < 0) == (zero > 0) ? "not added" : "added twice");
    else
        exray_finding_summary(
            f, "The edge's stored values are off by 128: signed bytes are taken for unsigned ones, or "
               "the other way round.");
    exray_finding_fix(f, "Store round(real / scale) + zero_point, once (scale %.6g, zero point %g).", scale,
                      zero);
    exray_finding_alternative(f, "input.normalization", 0.2);
    add_maps(c, f);
    xr_end_moment(c, &c->choice->best, f);
    return true;
}

/* ---- Limited range ------------------------------------------------------------------------------- */

/* Limited range (16..235) taken for full: 1; full taken for limited: -1; else 0.  In pixels, by the
 * reference's own normalization, which its range shows. */
static int limited_range(const xr_moment_case *c)
{
    const double stretch = 255.0 / 219;
    const xr_moment_fit *fit = &c->choice->best;
    double low, high;
    xr_moment_range(c->pairs->frames, EXRAY_SIDE_REFERENCE, &low, &high);
    const double span = high - low;
    /* black and white are in the reference: only then its range says which values they are */
    if (c->pairs->frames->parts != 3 || !c->pairs->frames->picture || fit->kind != XR_MOMENT_SHARED ||
        !(span > 0))
        return 0;
    const double level = c->pairs->level[EXRAY_SIDE_REFERENCE];
    const double black = fit->gain[0] * low + fit->offset[0] - low; /* how far black moved */
    if (fabs(fit->gain[0] * stretch - 1) < 0.01 && fabs(black / level - 16) < 2 && span / level > 250)
        return 1;
    if (fabs(fit->gain[0] / stretch - 1) < 0.01 && span / level > 200 &&
        fabs(black / level + 16 * (stretch - 1)) < 2)
        return -1;
    return 0;
}

static void report_range(const xr_moment_case *c, int range, exray_findings *findings)
{
    exray_finding *f =
        xr_begin_moment(c, findings, "input.color_space", 0.8 * xr_moment_confidence(&c->choice->best));
    xr_say_range(f, range);
    exray_finding_alternative(f, "input.normalization", 0.2);
    add_maps(c, f);
    xr_end_moment(c, &c->choice->best, f);
}

void xr_report_moment_map(const xr_moment_case *c, exray_findings *findings)
{
    if (report_meaning(c, findings) || report_shift(c, findings))
        return;
    const int range = limited_range(c);
    if (range)
        report_range(c, range, findings);
    else
        report_normalization(c, findings);
}

/* ---- Values that are clipped or wrap --------------------------------------------------------------- */

static const char *words_of(xr_moment_mistake mistake)
{
    switch (mistake) {
    case XR_MISTAKE_WRAPPED:
        return "The edge's stored input bytes have the wrong sign: signed bytes taken for unsigned, or the "
               "other way "
               "round (values wrap around at half of their range).";
    case XR_MISTAKE_ZERO_MISSING:
        return "The edge's stored values are off by the input's zero point: it is not added.";
    case XR_MISTAKE_ZERO_TWICE:
        return "The edge's stored values are off by the input's zero point: it is added twice.";
    case XR_MISTAKE_QUANTIZED_TWICE:
        return "The edge quantizes its input twice: stored values are scaled as if they were real ones.";
    case XR_MISTAKE_NOT_QUANTIZED:
        return "The edge does not quantize its input: real values are cast to integers.";
    case XR_MISTAKE_NONE:
    case XR_MISTAKES:
        break;
    }
    return "";
}

void xr_report_moment_mistake(const xr_moment_case *c, xr_moment_mistake mistake, double left,
                              exray_findings *findings)
{
    const xr_moment_frames *m = c->pairs->frames;
    const double scale = m->scale[EXRAY_SIDE_EDGE], zero = m->zero_point[EXRAY_SIDE_EDGE];
    const bool sign = mistake == XR_MISTAKE_WRAPPED;
    exray_finding *f = xr_begin_moment(c, findings, sign ? "input.dtype" : "input.quantization", 0.7);
    exray_finding_summary(f, "%s", words_of(mistake));
    exray_finding_detail(
        f,
        "Done to the reference's histograms it makes the edge's means and deviations (to %.2g levels "
        "rms) and shares of clipped values.",
        left);
    if (sign)
        exray_finding_fix(
            f, "Write the type that the model takes: for int8, (int8_t)(pixel - 128), not a cast.");
    else
        exray_finding_fix(f, "Store round(real / scale) + zero_point, once (scale %.6g, zero point %g).",
                          scale, zero);
    exray_finding_alternative(f, "input.normalization", 0.2);
    exray_finding_number(f, "scale", scale);
    exray_finding_number(f, "zero_point", zero);
    exray_finding_number(f, "residual_of_histograms_levels", left);
    xr_end_moment(c, &c->choice->same, f);
}
