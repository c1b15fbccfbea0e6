/* input.channel_order: the edge's channels are the reference's in another order. */
#include "checks/input/input_findings.h"
#include "checks/input/words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void lower_case(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* "Swapping channels 0 and 2", "Taking the edge's channels in the order 1, 2, 0". */
static void describe_exchange(const xr_input_fit *fit, const xr_channel_order *o, char *text, size_t size)
{
    size_t moved[XR_FIT_CHANNELS], count = 0, to[XR_FIT_CHANNELS] = {0};
    for (size_t c = 0; c < fit->values.channels; c++) {
        to[o->from[c]] = c;
        if (o->from[c] != c)
            moved[count++] = c;
    }
    if (count == 2) {
        snprintf(text, size, "Swapping channels %zu and %zu", moved[0], moved[1]);
        return;
    }
    int used = snprintf(text, size, "Taking the edge's channels in the order");
    for (size_t c = 0; c < fit->values.channels && used > 0 && (size_t)used < size; c++)
        used += snprintf(text + used, size - (size_t)used, "%s %zu", c ? "," : "", to[c]);
}

/* Whether OpenCV has conversions from and to that order. */
static bool is_usual(const char *order)
{
    return strcmp(order, "RGB") == 0 || strcmp(order, "BGR") == 0;
}

static void add_evidence(const xr_input_fit *fit, const xr_channel_order *o, exray_finding *f)
{
    char order[16] = "";
    for (size_t c = 0; c < fit->values.channels; c++)
        snprintf(order + strlen(order), sizeof order - strlen(order), "%s%u", c ? "," : "",
                 (unsigned)o->from[c]);
    exray_finding_text(f, "order", order);
    exray_finding_number(f, "nrmse_before", fit->residual.nrmse_before);
    exray_finding_number(f, "nrmse_after", fit->residual.nrmse_after);
    exray_finding_number(f, "residual_before_levels", fit->orders.list[0].residual);
    exray_finding_number(f, "residual_after_levels", o->residual);
    exray_finding_number(f, "runner_up_residual_levels", fit->orders.list[fit->orders.runner_up].residual);
    exray_finding_number(f, "frames", (double)fit->values.frames);
    exray_finding_number(f, "frames_supporting", (double)fit->orders.supporting);
    exray_finding_number(f, "frames_contradicting", (double)fit->orders.opposing);
    exray_finding_number(f, "frames_abstaining",
                         (double)(fit->values.frames - fit->orders.supporting - fit->orders.opposing));
}

/* Lists other orders with as small a residual. */
static size_t add_other_orders(const xr_input_fit *fit, size_t chosen, const char *reference,
                               exray_finding *f)
{
    size_t others = 0;
    char names[256] = "", letters[XR_FIT_CHANNELS + 1];
    for (size_t i = 1; i < fit->orders.count; i++) {
        if (i == chosen || fit->orders.list[i].residual > 2 * fit->orders.list[chosen].residual + 0.5)
            continue;
        xr_edge_letters(fit, &fit->orders.list[i], reference, letters);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", others++ ? ", " : "", letters);
    }
    if (others) {
        exray_finding_detail(f, "These pictures do not tell it from %s.", names);
        exray_finding_text(f, "other_orders", names);
    }
    return others;
}

void xr_report_channel_order(const exray_comparison *comparison, const xr_input_fit *fit,
                             exray_findings *findings)
{
    if (fit->state != XR_FIT_DIFFERS || (!fit->orders.named && !fit->orders.tied))
        return;
    size_t chosen = fit->orders.named ? fit->orders.best : fit->orders.tie;
    const xr_channel_order *o = &fit->orders.list[chosen];
    double confidence =
        fit->orders.tied ? 0.6 : xr_confidence(o->residual, fit->orders.list[fit->orders.runner_up].residual);
    char reference[XR_FIT_CHANNELS + 1], edge[XR_FIT_CHANNELS + 1], exchange[96], key[XR_FIT_CHANNELS + 1];
    xr_reference_letters(comparison, fit, reference);
    xr_edge_letters(fit, o, reference, edge);
    describe_exchange(fit, o, exchange, sizeof exchange);
    memcpy(key, reference, sizeof key);
    lower_case(key);

    exray_finding *f = exray_findings_add(findings, "input.channel_order", EXRAY_SEVERITY_ERROR, confidence);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    if (fit->orders.tied) {
        exray_finding_summary(
            f,
            "The edge feeds the model %s where the reference feeds %s, or it normalizes each "
            "channel differently.",
            edge, reference);
        exray_finding_detail(f,
                             "These pictures have no colours that could tell which; a colourful one would.");
        exray_finding_alternative(f, "input.normalization", 0.4);
    } else
        exray_finding_summary(f, "The edge feeds the model %s; the reference feeds %s.", edge, reference);
    exray_finding_detail(f, "%s%s takes the input's nRMSE (0 is equal) from %.3f to %.3f.", exchange,
                         fit->map.named            ? ", with the other normalization undone,"
                         : fit->map.after_exchange ? " before the normalization"
                                                   : "",
                         fit->residual.nrmse_before, fit->residual.nrmse_after);
    if (fit->map.after_exchange)
        exray_finding_detail(f, "Each channel was normalized with the constants of the place it was put in.");
    size_t others = fit->orders.tied ? 0 : add_other_orders(fit, chosen, reference, f);
    if (others)
        exray_finding_number(f, "ambiguous_orders", (double)others + 1);
    char opencv[64] = "";
    if (is_usual(edge) && is_usual(reference) && strcmp(edge, reference) != 0)
        snprintf(opencv, sizeof opencv, "OpenCV: cvtColor with COLOR_%.3s2%.3s; ", edge, reference);
    exray_finding_fix(
        f,
        "Convert to %s before the model (pipeline: `channels: %s`; %sin C: exchange the bytes of "
        "each pixel).",
        reference, key, opencv);
    add_evidence(fit, o, f);
}
