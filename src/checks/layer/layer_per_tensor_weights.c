/* layer.per_tensor_weights: one scale for weights whose channels differ too much.
 *
 * Rounding changes each weight by step / sqrt(12) rms, whatever its size: for a channel whose weights
 * are w rms, that is an error of q = step / (sqrt(12) w) of its result.  Where the q of all channels
 * explain the error that the layer adds, the single scale is the reason (Nagel et al., 2019, section
 * 3.1, describes this for MobileNetV2). */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/layer/blame.h"
#include "checks/layer/value_evidence.h"
#include "checks/layer/weight_channels.h"

#include <math.h>
#include <stdio.h>

/* The error of the layer alone, where it is known. */
static double own_error(const exray_layer_pair *layer)
{
    return isfinite(layer->isolated_error) ? layer->isolated_error : layer->error;
}

static exray_finding *report(const exray_layer_pair *layer, size_t i, const xr_weight_channels *c,
                             exray_findings *findings)
{
    exray_finding *f = exray_findings_add(findings, "layer.per_tensor_weights", EXRAY_SEVERITY_ERROR, 0.9);
    exray_finding_where(f, "layer", layer->name[EXRAY_SIDE_EDGE], (uint32_t)i);
    exray_finding_summary(f, "Layer %u (%s) %.*s has one scale for weights of very different channels.",
                          (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
                          XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]));
    exray_finding_detail(
        f,
        "Its step is %.3g; the weights of its channels are %.3g to %.3g (rms), so that %zu of %zu "
        "channels err by more than a quarter.",
        c->step, c->rms_min, c->rms_max, c->lost, c->count);
    exray_finding_detail(f,
                         "That explains an error of %.2g of a channel's signal (rms over the channels); of "
                         "the whole layer's it is %.2g.",
                         c->predicted, own_error(layer));
    exray_finding_fix(
        f, "Quantize the weights per channel; a single layer kept in float does not mend the others.");
    exray_finding_number(f, "step", c->step);
    exray_finding_number(f, "channel_rms_min", c->rms_min);
    exray_finding_number(f, "channel_rms_max", c->rms_max);
    exray_finding_number(f, "channels", (double)c->count);
    exray_finding_number(f, "channels_lost", (double)c->lost);
    exray_finding_number(f, "predicted_error", c->predicted);
    exray_finding_number(f, "error_to_signal", layer->error);
    exray_finding_number(f, "noise_to_signal", layer->noise);
    return f;
}

/* The whole model is quantized in this way: further layers are listed in the first one's finding. */
static void note_layer(const exray_layer_pair *layer, const xr_weight_channels *c, exray_finding *f)
{
    char key[40];
    snprintf(key, sizeof key, "layer_%u", (unsigned)layer->node[EXRAY_SIDE_EDGE]);
    exray_finding_number(f, key, c->predicted);
}

/* Whether the edge has 8-bit weights of several channels with one scale. */
static bool has_shared_scale(const exray_comparison *comparison)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    for (uint32_t t = 0; model && t < model->tensor_count; t++) {
        const exray_tensor_info *info = &model->tensors[t];
        if (info->constant && info->rank > 1 && info->quantization.count == 1 &&
            exray_dtype_bits(info->dtype) == 8)
            return true;
    }
    return false;
}

/* An error of that much of the signal is not healthy where one scale loses most of a layer's channels,
 * however much noise there is before it. */
#define MUCH 0.3

typedef struct scale_search {
    const exray_comparison *comparison;
    exray_findings *findings;
    double share, spread;
    exray_finding *first;
} scale_search;

/* Names the layers of a role that their weights' one scale explains. */
static exray_status name_layers(scale_search *s, exray_layer_role role, exray_error *error)
{
    for (size_t i = 0; i < exray_comparison_layer_count(s->comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(s->comparison, i);
        if (layer->role != role || !isfinite(layer->error) ||
            (role == EXRAY_LAYER_ROLE_CLEAN && layer->error < MUCH) ||
            (role != EXRAY_LAYER_ROLE_ORIGINATES &&
             xr_layer_given(s->comparison, s->findings, i) == XR_GIVEN_WRONG_INPUT))
            continue;
        xr_weight_channels c;
        bool found;
        exray_status status = xr_weight_channels_get(s->comparison, layer, &c, &found, error);
        if (status != EXRAY_OK)
            return status;
        if (!found || c.predicted <= s->share * own_error(layer) || c.rms_max <= s->spread * c.rms_min)
            continue;
        if (role == EXRAY_LAYER_ROLE_CLEAN && 2 * c.lost <= c.count)
            continue;
        if (!s->first)
            s->first = report(layer, i, &c, s->findings);
        note_layer(layer, &c, s->first);
    }
    return EXRAY_OK;
}

/* Whether an error builds up over layers of which none certainly originates it alone. */
static bool builds_up(const exray_comparison *comparison, exray_findings *findings)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++)
        if (xr_originates(comparison, findings, i) &&
            !xr_may_be_rounding(comparison, exray_comparison_layer(comparison, i)))
            return false;
    return !xr_outputs_agree(comparison);
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    scale_search s = {.comparison = comparison,
                      .findings = findings,
                      .share = exray_findings_option(findings, "share"),
                      .spread = exray_findings_option(findings, "spread")};
    exray_status status = name_layers(&s, EXRAY_LAYER_ROLE_ORIGINATES, error);
    if (status == EXRAY_OK && !s.first && builds_up(comparison, findings))
        status = name_layers(&s, EXRAY_LAYER_ROLE_PROPAGATES, error);
    if (status == EXRAY_OK && !s.first && !xr_is_same_file(comparison))
        status = name_layers(&s, EXRAY_LAYER_ROLE_CLEAN, error);
    if (status != EXRAY_OK)
        return status;
    const exray_coverage *coverage = exray_comparison_coverage(comparison);
    if (coverage->with_stats && coverage->with_data + coverage->with_sketch == 0 &&
        has_shared_scale(comparison)) {
        snprintf(error->message, sizeof error->message,
                 "statistics of layers do not show what one scale for all channels loses");
        return error->status = EXRAY_E_STATE;
    }
    return EXRAY_OK;
}

static const char *const causes[] = {"layer.per_tensor_weights", NULL};
static const exray_option options[] = {
    {"share", "share of the layer's error that its weights' rounding must explain", 0.3, 0, 10},
    {"spread", "ratio of the largest to the smallest channel's weights, at least", 8, 1, 1e6},
    {.name = NULL},
};

const exray_assertion xr_assertion_layer_per_tensor_weights = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "layer.per_tensor_weights",
    .summary = "one scale for a layer's weights does not lose whole channels",
    .causes = causes,
    .needs = "/model and /layer of both logs, /constant of one with data (--capture full)",
    .run = run,
    .options = options,
};
