/* input.channel_order: the edge's channels are the reference's in another order. */
#include "checks/input/channel_letters.h"
#include "checks/input/input_findings.h"
#include "checks/input/picture/sensor_picture.h"
#include "checks/input/pipeline_of.h"
#include "checks/input/words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void lower_case(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
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
static size_t add_other_orders(const xr_input_fit *fit, size_t chosen, const xr_letters *letters,
                               exray_finding *f)
{
    size_t others = 0;
    char names[256] = "";
    for (size_t i = 1; i < fit->orders.count; i++) {
        const xr_channel_order *o = &fit->orders.list[i];
        if (i == chosen || o->residual > 2 * fit->orders.list[chosen].residual + 0.5)
            continue;
        char name[XR_FIT_CHANNELS + 1] = "";
        for (size_t c = 0; c < fit->values.channels; c++)
            name[c] = letters->known_by ? letters->reference[o->from[c]] : (char)('0' + o->from[c]);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", others++ ? ", " : "", name);
    }
    if (others) {
        exray_finding_detail(f, "These pictures do not tell it from %s.", names);
        exray_finding_text(f, "other_orders", names);
    }
    return others;
}

/* What is fed: by letters where the logs prove them, else as a difference alone. */
static void add_summary(const xr_input_fit *fit, const xr_letters *letters, const char *exchange,
                        exray_finding *f)
{
    const char *or_else = fit->orders.tied ? ", or each channel is normalized differently" : "";
    if (letters->known_by) {
        exray_finding_summary(f, "The edge feeds the model %s; the reference feeds %s%s.", letters->edge,
                              letters->reference, or_else);
        exray_finding_detail(f, "Which channel is which is known by the %s.",
                             strcmp(letters->known_by, "sensor") == 0 ? "sensor's pictures"
                                                                      : "pipeline file");
        exray_finding_text(f, "edge_order", letters->edge);
        exray_finding_text(f, "reference_order", letters->reference);
        exray_finding_text(f, "known_by", letters->known_by);
        return;
    }
    exray_finding_summary(f,
                          "The two sides feed the model's channels in different orders%s: %s makes the "
                          "edge's input the reference's; which side has which order, the logs do not say.",
                          or_else, exchange);
    if (fit->values.channels == 3)
        exray_finding_detail(f, "A sensor record or a pipeline file in a log would tell.");
}

static void add_fix(const exray_comparison *comparison, const xr_letters *letters, exray_finding *f)
{
    char key[XR_FIT_CHANNELS + 1], opencv[64] = "";
    if (!letters->known_by) {
        exray_finding_fix(f, "Give both sides the order that the model was trained with: find out which side "
                             "has it, and exchange the channels of each pixel on the other.");
        return;
    }
    memcpy(key, letters->reference, sizeof key);
    lower_case(key);
    if (is_usual(letters->edge) && is_usual(letters->reference) &&
        strcmp(letters->edge, letters->reference) != 0)
        snprintf(opencv, sizeof opencv, "OpenCV: cvtColor with COLOR_%.3s2%.3s; ", letters->edge,
                 letters->reference);
    exray_finding_fix(
        f,
        "Convert to %s before the model, as the reference does (%s%sin C: exchange the bytes of "
        "each pixel).",
        letters->reference, xr_pipeline_key(comparison, "channels: %s", key).text, opencv);
}

/* A sensor's filters with red and blue exchanged give red and blue exchanged, and nothing else. */
static void add_filters(const exray_comparison *comparison, const xr_letters *letters, exray_finding *f)
{
    const char *rgb = "RGB", *bgr = "BGR";
    exray_media media = {0};
    const uint8_t *data;
    size_t size;
    if (!letters->known_by || strcmp(letters->edge, bgr) != 0 || strcmp(letters->reference, rgb) != 0)
        return;
    exray_slot *slot = exray_slot_new();
    if (slot && xr_sensor_bytes(comparison, 0, slot, &media, &data, &size) && media.format &&
        strncmp(media.format, "bayer_", 6) == 0 && strlen(media.format) < 16) {
        char other[16];
        snprintf(other, sizeof other, "%s", media.format);
        for (char *letter = other + 6; *letter; letter++)
            *letter = *letter == 'r' ? 'b' : *letter == 'b' ? 'r' : *letter;
        exray_finding_detail(f, "So does reading the sensor's filters as %s; the record says %s.", other,
                             media.format);
        exray_finding_text(f, "read_as", other);
        exray_finding_alternative(f, "input.color_space", 0.5);
    }
    exray_slot_free(slot);
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
    char exchange[96];
    xr_letters letters = xr_channel_letters(comparison, fit, o);
    xr_describe_exchange(fit->values.channels, o->from, exchange, sizeof exchange);

    exray_finding *f = exray_findings_add(findings, "input.channel_order", EXRAY_SEVERITY_ERROR, confidence);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    add_summary(fit, &letters, exchange, f);
    if (fit->orders.tied) {
        exray_finding_detail(f,
                             "These pictures have no colours that could tell which; a colourful one would.");
        exray_finding_alternative(f, "input.normalization", 0.4);
    }
    exchange[0] = (char)toupper((unsigned char)exchange[0]);
    exray_finding_detail(f,
                         fit->residual.nrmse_before > 1e4
                             ? "%s%s takes the input's nRMSE (0 is equal) from %.3g to %.3g."
                             : "%s%s takes the input's nRMSE (0 is equal) from %.3f to %.3f.",
                         exchange,
                         fit->map.named            ? ", with the other normalization undone,"
                         : fit->map.after_exchange ? " before the normalization"
                                                   : "",
                         fit->residual.nrmse_before, fit->residual.nrmse_after);
    if (fit->map.after_exchange)
        exray_finding_detail(f, "Each channel was normalized with the constants of the place it was put in.");
    size_t others = fit->orders.tied ? 0 : add_other_orders(fit, chosen, &letters, f);
    if (others)
        exray_finding_number(f, "ambiguous_orders", (double)others + 1);
    add_filters(comparison, &letters, f);
    add_fix(comparison, &letters, f);
    add_evidence(fit, o, f);
}
