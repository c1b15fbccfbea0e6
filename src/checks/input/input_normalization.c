/* input.normalization: each channel is an affine map of the reference's. */
#include "checks/input/color/known_colors.h"
#include "checks/input/fit/conventions.h"
#include "checks/input/input_findings.h"
#include "checks/input/pipeline_of.h"
#include "checks/input/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Levels of 8 bits: what differs by no more, decoders and roundings differ by as well. */
#define TWO_STEPS 2.02

/* Whether the constants of two channels are exchanged: their maps undo each other, and the third channel has
 * none. */
static bool exchanged_constants(const xr_input_fit *fit, const xr_affine *m, size_t *a, size_t *b)
{
    if (fit->values.channels != 3)
        return false;
    for (*a = 0; *a < 2; ++*a)
        for (*b = *a + 1; *b < 3; ++*b) {
            size_t rest = 3 - *a - *b;
            double gain = m->gain[*a] * m->gain[*b], offset = m->gain[*a] * m->offset[*b] + m->offset[*a];
            double level = 2 * fmax(fit->level[0], fit->level[1]);
            if (fabs(gain - 1) < 0.01 && fabs(offset) < level && fabs(m->gain[rest] - 1) < 0.005 &&
                fabs(m->offset[rest]) < level / 2)
                return true;
        }
    return false;
}

static bool same_map(const xr_input_fit *fit, const xr_affine *m)
{
    for (size_t c = 1; c < fit->values.channels; c++)
        if (fabs(m->gain[c] - m->gain[0]) > 0.005 * fabs(m->gain[0]) ||
            fabs(m->offset[c] - m->offset[0]) > fit->level[0] / 2)
            return false;
    return true;
}

static void add_maps(const xr_input_fit *fit, const xr_channel_order *o, exray_finding *f)
{
    const xr_affine *m = &o->map;
    size_t shown = same_map(fit, m) ? 1 : fit->values.channels;
    for (size_t c = 0; c < shown; c++) {
        char which[32] = "", key[40];
        if (shown > 1)
            snprintf(which, sizeof which, "Channel %zu: ", c);
        bool near_one = m->gain[c] != 1 && fabs(m->gain[c] - 1) < 5e-4; /* then %.4g would say 1 */
        exray_finding_detail(
            f, near_one ? "%sedge = %.8g x reference %c %.4g" : "%sedge = %.4g x reference %c %.4g", which,
            m->gain[c], m->offset[c] < 0 ? '-' : '+', fabs(m->offset[c]));
        snprintf(key, sizeof key, "gain_%zu", c);
        exray_finding_number(f, key, m->gain[c]);
        snprintf(key, sizeof key, "offset_%zu", c);
        exray_finding_number(f, key, m->offset[c]);
    }
}

/* "(v[0] - 0.5) / 2": what undoes the map of one channel, without what changes nothing at all. */
static void undo_text(const xr_input_fit *fit, const xr_affine *m, size_t c, const char *name, char *text,
                      size_t size)
{
    bool shifted = fabs(m->offset[c]) > 1e-3 * fit->level[EXRAY_SIDE_EDGE];
    bool scaled = fabs(m->gain[c] - 1) > 1e-5;
    char inner[64];
    if (shifted)
        snprintf(inner, sizeof inner, "%s%s %c %.5g%s", scaled ? "(" : "", name, m->offset[c] < 0 ? '+' : '-',
                 fabs(m->offset[c]), scaled ? ")" : "");
    else
        snprintf(inner, sizeof inner, "%s", name);
    if (scaled)
        snprintf(text, size, fabs(m->gain[c] - 1) < 5e-4 ? "%s / %.8g" : "%s / %.5g", inner, m->gain[c]);
    else
        snprintf(text, size, "%s", inner);
}

/* The fix where the reference has no known convention: the numbers that undo the map. */
static void add_undoing_fix(const exray_comparison *comparison, const xr_input_fit *fit, exray_finding *f)
{
    const xr_affine *m = &fit->orders.list[fit->orders.used].map;
    char text[256] = "";
    bool same = same_map(fit, m);
    for (size_t c = 0; c < (same ? 1 : fit->values.channels); c++) {
        char name[32] = "v", one[96];
        if (!same)
            snprintf(name, sizeof name, "v[%zu]", c);
        undo_text(fit, m, c, name, one, sizeof one);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s = %s", c ? ", " : "", name, one);
    }
    exray_finding_fix(f, "Normalize as the reference does (%suntil then, of each value v: %s).",
                      xr_pipeline_key(comparison, "normalize: {mean: ..., std: ...}").text, text);
}

/* " (pipeline: `normalize: ...`)", where a side has a pipeline file. */
static xr_key_words normalize_key(const exray_comparison *comparison, const xr_convention *k)
{
    xr_key_words out = {""};
    if (xr_has_pipeline(comparison, EXRAY_SIDE_REFERENCE, NULL) ||
        xr_has_pipeline(comparison, EXRAY_SIDE_EDGE, NULL))
        snprintf(out.text, sizeof out.text,
                 " (pipeline: `normalize: {mean: [%g, %g, %g], std: [%g, %g, %g]}`)", k->mean[0], k->mean[1],
                 k->mean[2], k->std[0], k->std[1], k->std[2]);
    return out;
}

static void add_fix(const exray_comparison *comparison, const xr_input_fit *fit, exray_finding *f)
{
    bool exact;
    const xr_convention *k = xr_convention_of(fit, EXRAY_SIDE_REFERENCE, &exact);
    if (!k) {
        add_undoing_fix(comparison, fit, f);
        return;
    }
    const char *looks = exact ? "" : ", as its values look";
    if (fit->values.channels == 3)
        exray_finding_fix(
            f,
            "Normalize as the reference does: (pixel[c] - mean[c]) / std[c] with mean {%g, %g, %g}, "
            "std {%g, %g, %g}%s%s.",
            k->mean[0], k->mean[1], k->mean[2], k->std[0], k->std[1], k->std[2], looks,
            normalize_key(comparison, k).text);
    else
        exray_finding_fix(f, "Normalize as the reference does: (x - %g) / %g on 0..255%s.", k->mean[0],
                          k->std[0], looks);
}

/* Limited range (16..235) taken for full: 1; full taken for limited: -1; else 0.  In
 * pixels, by the reference's own convention. */
static int range_of(const xr_input_fit *fit)
{
    xr_affine m;
    const bool known = xr_map_on_pixels(fit, &m);
    const double stretch = 255.0 / 219;
    int found = 0;
    for (size_t c = 0; known && c < fit->values.channels; c++) {
        int now = fabs(m.gain[c] / stretch - 1) < 0.02 && fabs(m.offset[c] + 16 * stretch) < 3 ? -1
                  : fabs(m.gain[c] * stretch - 1) < 0.02 && fabs(m.offset[c] - 16) < 3         ? 1
                                                                                               : 0;
        if (now == 0 || (c && now != found))
            return 0;
        found = now;
    }
    return fit->values.channels == 3 ? found : 0;
}

static void report_range(const xr_input_fit *fit, const xr_channel_order *o, int range,
                         exray_findings *findings)
{
    exray_finding *f = exray_findings_add(findings, "input.color_space", EXRAY_SEVERITY_ERROR,
                                          0.9 * xr_confidence(fit->residual.blocks, fit->map.effect));
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    xr_say_range(f, range);
    exray_finding_alternative(f, "input.normalization", 0.1);
    exray_finding_number(f, "gain", o->map.gain[0]);
    exray_finding_number(f, "offset", o->map.offset[0]);
    exray_finding_number(f, "nrmse_before", fit->residual.nrmse_before);
    exray_finding_number(f, "nrmse_after", fit->residual.nrmse_after);
    exray_finding_number(f, "residual_after_levels", fit->residual.pixels);
    exray_finding_number(f, "frames", (double)fit->values.frames);
}

/* Bits that one side cut off without filling them again. */
typedef enum low_bits { BITS_ALIKE, BITS_OF_EIGHT, BITS_OF_FILLED } low_bits;

/* Whether the offsets are those of such bits: of 3, 2 and 3 bits, in levels, the mean of what they were.  Or
 * the gains are, where the reference fills them with the high ones: 8 q for 8 q + q / 4. */
static low_bits bits_cut_off(const xr_input_fit *fit)
{
    static const double means[3] = {3.5, 1.5, 3.5};
    static const double filled[3] = {8 / 8.25, 4 / 4.0625, 8 / 8.25};
    xr_affine m = fit->orders.list[fit->orders.used].map, on_pixels;
    const bool known = fit->values.channels == 3 && xr_map_on_pixels(fit, &on_pixels);
    if (fit->orders.named && known)
        m = on_pixels;
    const double level = fit->orders.named && known ? 1 : fit->level[EXRAY_SIDE_EDGE];
    bool eight = fit->values.channels == 3 && m.offset[1] > m.offset[0] && m.offset[1] > m.offset[2],
         again = known;
    for (size_t c = 0; c < 3; c++) {
        eight = eight && fabs(m.gain[c] - 1) <= 0.03 && fabs(-m.offset[c] / level - means[c]) <= 1;
        again = again && fabs(on_pixels.gain[c] - filled[c]) < 0.005 && fabs(on_pixels.offset[c]) < 1;
    }
    return again ? BITS_OF_FILLED : eight ? BITS_OF_EIGHT : BITS_ALIKE;
}

static void report_bits(const exray_comparison *comparison, const xr_input_fit *fit, low_bits bits,
                        exray_findings *findings)
{
    const exray_accuracy *accuracy = exray_comparison_accuracy(comparison);
    bool decided = accuracy->frames > 0 && accuracy->agreement < 1;
    exray_finding *f = exray_findings_add(findings, "input.color_space",
                                          decided ? EXRAY_SEVERITY_ERROR : EXRAY_SEVERITY_WARNING,
                                          0.9 * xr_confidence(fit->residual.blocks, fit->map.effect));
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    if (bits == BITS_OF_EIGHT) {
        exray_finding_summary(
            f, "The edge's colours are made differently: 5, 6 and 5 bits for red, green and blue where "
               "the reference has 8, and the bits that are missing are 0.");
        exray_finding_detail(f, "That makes them darker by 3.5, 1.5 and 3.5 levels of 256 on average.");
    } else {
        exray_finding_summary(
            f, "The edge's colours are made differently: their low bits (5, 6 and 5 are the camera's) are 0 "
               "where the reference fills them with the high ones.");
        exray_finding_detail(f,
                             "White is 248, 252 and 248 there, and 255 here: up to 7 levels of 256 darker.");
    }
    exray_finding_fix(
        f, "Fill the low bits with the high ones (r << 3 | r >> 2), or have the camera deliver 8 bits a "
           "colour.");
    exray_finding_alternative(f, "input.normalization", 0.1);
    exray_finding_number(f, "residual_before_levels", fit->raw.pixels);
    exray_finding_number(f, "residual_after_levels", fit->residual.pixels);
    exray_finding_number(f, "nrmse_before", fit->residual.nrmse_before);
    exray_finding_number(f, "nrmse_after", fit->residual.nrmse_after);
    exray_finding_number(f, "frames", (double)fit->values.frames);
}

void xr_report_normalization(const exray_comparison *comparison, const xr_input_fit *fit,
                             exray_findings *findings)
{
    double scale, zero;
    if (fit->state != XR_FIT_DIFFERS || !fit->map.named || fit->orders.tied || fit->values.open_unit ||
        xr_is_zero_point(comparison, fit, &scale, &zero))
        return;
    const xr_channel_order *o = &fit->orders.list[fit->orders.used];
    double residual = fit->residual.blocks;
    int range = range_of(fit);
    if (range) {
        report_range(fit, o, range, findings);
        return;
    }
    const low_bits bits = bits_cut_off(fit);
    if (bits != BITS_ALIKE) {
        report_bits(comparison, fit, bits, findings);
        return;
    }
    xr_affine on_pixels;
    if (fit->orders.named && xr_map_on_pixels(fit, &on_pixels) &&
        xr_map_on_pixels_effect(fit, &on_pixels) <= TWO_STEPS)
        return; /* the reference's own, after the exchange */
    double most = fmin(fit->map.effect_max, fit->io->metrics.max_abs / fit->level[EXRAY_SIDE_EDGE]);
    bool small = fit->values.picture && most <= TWO_STEPS && !fit->orders.named;
    exray_finding *f = exray_findings_add(findings, "input.normalization",
                                          small ? EXRAY_SEVERITY_WARNING : EXRAY_SEVERITY_ERROR,
                                          xr_confidence(residual, fit->map.effect));
    char edge[128], reference[128];
    xr_describe_values(fit, EXRAY_SIDE_EDGE, edge, sizeof edge);
    xr_describe_values(fit, EXRAY_SIDE_REFERENCE, reference, sizeof reference);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge feeds the model %s; the reference feeds %s.", edge, reference);
    double before = fit->orders.named ? fit->residual.nrmse_reordered : fit->residual.nrmse_before;
    exray_finding_detail(f,
                         before < 1e-3 || before > 1e4
                             ? "Undoing it takes the input's nRMSE (0 is equal) from %.3g to %.3g."
                             : "Undoing it takes the input's nRMSE (0 is equal) from %.3f to %.3f.",
                         before, fit->residual.nrmse_after);
    add_maps(fit, o, f);
    size_t a, b;
    if (fit->orders.used == 0 && !same_map(fit, &o->map) && exchanged_constants(fit, &o->map, &a, &b))
        exray_finding_detail(f, "The constants of channels %zu and %zu look exchanged.", a, b);
    if (fit->io->faint)
        exray_finding_detail(f, "It is small: no value differs by more than %.2g.", fit->io->metrics.max_abs);
    else if (fit->map.effect_max <= 2)
        exray_finding_detail(f,
                             "It is small, at most %.2f levels of 8 bits, and certain: nothing else differs.",
                             fit->map.effect_max);
    add_fix(comparison, fit, f);
    exray_finding_number(f, "residual_before_levels", fit->raw.pixels);
    exray_finding_number(f, "nrmse_before", fit->residual.nrmse_before);
    exray_finding_number(f, "nrmse_after", fit->residual.nrmse_after);
    exray_finding_number(f, "runner_up_residual_levels", fit->orders.list[fit->orders.runner_up].residual);
    exray_finding_number(f, "effect_levels", fit->map.effect);
    exray_finding_number(f, "effect_max_levels", fit->map.effect_max);
    exray_finding_number(f, "residual_after_levels", fit->residual.pixels);
    exray_finding_number(f, "edge_level", fit->level[0]);
    exray_finding_number(f, "reference_level", fit->level[1]);
    exray_finding_number(f, "frames", (double)fit->values.frames);
    exray_finding_number(f, "frames_supporting", (double)fit->map.supporting);
    exray_finding_number(f, "frames_contradicting", (double)fit->map.opposing);
    exray_finding_number(f, "frames_abstaining",
                         (double)(fit->values.frames - fit->map.supporting - fit->map.opposing));
}

/* ---- Values that are mostly clipped ------------------------------------------------------- */

void xr_report_wrong_normalization(const xr_explanation *e, exray_findings *findings)
{
    const xr_value_map *m = &e->transform->value_map;
    if (m->kind != XR_VALUES_OTHER_CONVENTION && m->kind != XR_VALUES_NORMALIZED_TWICE)
        return;
    exray_finding *f =
        xr_begin_step(e, findings, "input.normalization", XR_STEP_VALUE_MAP, m->tied ? 0.5 : 0.9);
    exray_finding_summary(
        f,
        "The edge normalizes %s%s, far out of the range that its 8-bit input can hold: most values are "
        "clipped.",
        m->kind == XR_VALUES_NORMALIZED_TWICE ? "twice" : "to ",
        m->kind == XR_VALUES_NORMALIZED_TWICE ? "" : m->name);
    exray_finding_fix(
        f, "Normalize as the reference does, then quantize with the input's scale and zero point.");
    exray_finding_alternative(f, "input.quantization", m->tied ? 0.5 : 0.2);
    if (m->tied)
        exray_finding_detail(f, "Ambiguous: an input that is %s has the same values here.",
                             m->tied == XR_VALUES_QUANTIZED_TWICE ? "quantized twice"
                                                                  : "not quantized at all");
}
