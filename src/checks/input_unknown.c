/* input.unknown: the inputs differ beyond noise, and nothing above explains it. */
#include "input_links.h"
#include "input_words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void shape_text(const exray_comparison *comparison, size_t pair, exray_side side, char *text,
                       size_t size)
{
    exray_slot *slot = exray_slot_new();
    exray_tensor_view view;
    const float *values;
    exray_error error;
    snprintf(text, size, "another shape");
    for (size_t f = 0; slot && f < exray_comparison_frame_count(comparison); f++) {
        if (exray_comparison_values(comparison, side, f, EXRAY_INPUT, pair, slot, &view, &values, &error) !=
            EXRAY_OK)
            continue;
        int used = snprintf(text, size, "%s [", exray_dtype_name(view.info.dtype));
        for (uint32_t i = 0; i < view.info.rank && used > 0 && (size_t)used < size; i++)
            used +=
                snprintf(text + used, size - (size_t)used, "%s%" PRId64, i ? "," : "", view.info.shape[i]);
        if (used > 0 && (size_t)used < size)
            snprintf(text + used, size - (size_t)used, "]");
        break;
    }
    exray_slot_free(slot);
}

static void report_shapes(const exray_comparison *comparison, const xr_input_fit *fit,
                          exray_findings *findings)
{
    char edge[128], reference[128];
    shape_text(comparison, fit->pair, EXRAY_EDGE, edge, sizeof edge);
    shape_text(comparison, fit->pair, EXRAY_REFERENCE, reference, sizeof reference);
    exray_finding *f = exray_find(findings, "input.unknown", EXRAY_ERROR, 0.9);
    exray_finding_where(f, "input", fit->io->name[EXRAY_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's input is %s, the reference's %s: they cannot be compared.", edge,
                          reference);
    exray_finding_fix(f, "Compare with a reference of the same model, or of one with the same input.");
}

static void report_not_finite(const xr_input_fit *fit, exray_findings *findings)
{
    const exray_metrics *m = &fit->io->metrics;
    uint64_t nan = m->nan_count[EXRAY_EDGE], inf = m->inf_count[EXRAY_EDGE];
    exray_finding *f = exray_find(findings, "input.unknown", EXRAY_ERROR, 0.99);
    exray_finding_where(f, "input", fit->io->name[EXRAY_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f,
                          "The edge feeds the model %" PRIu64 " NaN and %" PRIu64
                          " infinite values where the reference's are finite.",
                          nan, inf);
    exray_finding_fix(f, "Look for a division by zero or uninitialized memory in the pre-processing.");
    exray_finding_number(f, "nan", (double)nan);
    exray_finding_number(f, "inf", (double)inf);
}

static void report_rest(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings)
{
    bool partly = fit->order_named || fit->map_named;
    exray_finding *f = exray_find(findings, "input.unknown", EXRAY_ERROR, 0.9);
    exray_finding_where(f, "input", fit->io->name[EXRAY_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's input differs from the reference's%s; no known cause explains it.",
                          partly ? " in something more" : "");
    exray_finding_detail(f, "%s differ by %.2f levels rms (decoders and rounding explain up to 1.5).",
                         partly ? "Apart from what is named, they" : "They", fit->left_luma);
    if (fit->frames > 1) {
        exray_frame_pair pair = exray_comparison_frame(comparison, fit->left_worst_frame);
        const exray_frame *frame =
            exray_log_frame(exray_comparison_log(comparison, EXRAY_EDGE), pair.frame[EXRAY_EDGE]);
        exray_finding_detail(f, "Most in frame %" PRIu64 "%s%.100s: %.2f levels rms.", frame->index,
                             *frame->source ? ", " : "", frame->source, fit->left_worst);
    }
    if (fit->clipped > 0.01 * fit->counted)
        exray_finding_detail(
            f,
            "%.0f %% of the values are clipped: the edge's 8-bit input holds %.4g to %.4g only "
            "(scale and zero point too narrow).",
            100 * fit->clipped / fit->counted, fit->limit[0], fit->limit[1]);
    if (fit->reference_flat) {
        exray_finding_detail(f, "The reference's input is one colour, from which no cause can be told.");
        exray_finding_alternative(f, "input.normalization", 0.5);
    } else if (fit->edge_constant)
        exray_finding_detail(f, "The edge's input is the same value everywhere.");
    else if (fit->edge_grey)
        exray_finding_detail(
            f, "The edge's channels are equal to each other, a grey picture; the reference's are not.");
    if (fit->opposing && fit->supporting)
        exray_finding_detail(f, "%zu frames look as if channels were exchanged, %zu do not.", fit->supporting,
                             fit->opposing);
    exray_finding_fix(
        f, "Compare the two inputs as pictures (`exray export --npz`): crop, resize, rotation, frame.");
    exray_finding_number(f, "residual_levels", fit->left_pixels);
    exray_finding_number(f, "residual_luma_levels", fit->left_luma);
    exray_finding_number(f, "residual_blocks_levels", fit->left_blocks);
    exray_finding_number(f, "before_levels", fit->raw_pixels);
    exray_finding_number(f, "nrmse_before", fit->nrmse_before);
    exray_finding_number(f, "frames", (double)fit->frames);
}

/* Identifiers: how far apart they are means nothing, but for a shift of all. */
static void report_tokens(const xr_input_fit *fit, exray_findings *findings)
{
    const exray_metrics *m = &fit->io->metrics;
    double shift = fit->order[0].map.offset[0];
    exray_finding *f = exray_find(findings, "input.tokens", EXRAY_ERROR, 0.95);
    exray_finding_where(f, "input", fit->io->name[EXRAY_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's input is other integers than the reference's: by up to %.0f.",
                          m->max_abs);
    if (fabs(fit->order[0].map.gain[0] - 1) < 1e-6 && fit->order[0].residual < 1e-3)
        exray_finding_detail(f, "All of them are off by %+.0f.", shift);
    exray_finding_fix(f,
                      "Use the reference's vocabulary and tokenizer on the edge, with its offset of special "
                      "tokens.");
    exray_finding_number(f, "max_difference", m->max_abs);
    exray_finding_number(f, "frames", (double)fit->frames);
}

void xr_report_unknown(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings)
{
    const exray_metrics *m = &fit->io->metrics;
    if (fit->state == XR_FIT_SHAPES) {
        report_shapes(comparison, fit, findings);
        return;
    }
    if (fit->tokens && fit->state == XR_FIT_DIFFERS) {
        report_tokens(fit, findings);
        return;
    }
    if (m->nan_count[0] > m->nan_count[1] || m->inf_count[0] > m->inf_count[1])
        report_not_finite(fit, findings);
    if (fit->state == XR_FIT_DIFFERS && !fit->explained)
        report_rest(comparison, fit, findings);
}
