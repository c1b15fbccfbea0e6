/* A template for your own assertions: three minimal ones that examine different
 * records.  Copy this file and keep the one closest to yours.
 *
 *     cc -std=c11 -shared -fPIC -I include examples/plugin/template.c -o template.so
 *     exray assertions --plugin template.so
 *     exray validate edge.mcap reference.mcap --plugin template.so \
 *         --assert 'user.*' --set user.exposure.most=20
 *
 * docs/assertions.md has the rules.  An assertion runs in a separate process; if it
 * crashes or hangs, it is reported by name. */
#include <exray/assertion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- A custom scalar: logged by the application with exray_recorder_log_scalar -------------- */

static exray_status check_exposure(const exray_comparison *comparison, exray_findings *findings,
                                   exray_error *error)
{
    const exray_log *edge = exray_comparison_log(comparison, EXRAY_SIDE_EDGE);
    double most = exray_findings_option(findings, "most"), longest = 0;
    size_t with = 0, over = 0;
    for (size_t i = 0; i < exray_comparison_frame_count(comparison); i++) {
        size_t count, frame = exray_comparison_frame(comparison, i).frame[EXRAY_SIDE_EDGE];
        const exray_named_value *value = exray_log_frame_values(edge, frame, &count);
        for (size_t k = 0; k < count; k++) {
            if (strcmp(value[k].name, "exposure_ms") != 0)
                continue;
            with++;
            over += value[k].value > most;
            longest = fmax(longest, value[k].value);
        }
    }
    if (with == 0) {
        /* Unjudged, with the reason: never pass silently. */
        error->status = EXRAY_E_STATE;
        snprintf(error->message, sizeof error->message, "no frame has the scalar exposure_ms");
        return error->status;
    }
    if (over == 0)
        return EXRAY_OK;
    exray_finding *f = exray_findings_add(findings, "user.exposure", EXRAY_SEVERITY_WARNING, 1);
    exray_finding_where(f, "sensor", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(f, "The exposure was over %g ms in %zu of %zu frames.", most, over, with);
    exray_finding_fix(f, "Limit the exposure, or expect motion blur.");
    exray_finding_number(f, "longest_ms", longest);
    exray_finding_number(f, "frames", (double)over);
    return EXRAY_OK;
}

static const char *const exposure_causes[] = {"user.exposure", NULL};
static const exray_option exposure_options[] = {
    {"most", "milliseconds; a hand moves 1 pixel in about 10", 10, 0, 10000},
    {.name = NULL},
};
static const exray_assertion exposure = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "user.exposure",
    .summary = "no picture was exposed for too long",
    .causes = exposure_causes,
    .needs = "the scalar exposure_ms in the edge's frames",
    .run = check_exposure,
    .options = exposure_options,
};

/* ---- A stage: an intermediate value that the application recorded ---------------------- */

EXRAY_ASSERTION(stages, "user.stage", "every recorded stage has finite values that are not all equal",
                "/stage of the edge, with data")
{
    const exray_log *edge = exray_comparison_log(comparison, EXRAY_SIDE_EDGE);
    exray_slot *slot = exray_slot_new();
    for (size_t i = 0; slot && i < exray_comparison_frame_count(comparison); i++) {
        size_t position = exray_comparison_frame(comparison, i).frame[EXRAY_SIDE_EDGE];
        const exray_record *record = exray_log_records(edge, position);
        for (size_t k = 0; k < exray_log_frame(edge, position)->record_count; k++) {
            exray_tensor_view view;
            const float *values;
            if (record[k].message != EXRAY_MESSAGE_TENSOR || record[k].kind != EXRAY_KIND_STAGE ||
                exray_log_read_values(edge, &record[k], slot, &view, &values, &(exray_error){0}) !=
                    EXRAY_OK ||
                view.count < 2)
                continue;
            float least = INFINITY, most = -INFINITY;
            size_t bad = 0;
            for (uint64_t n = 0; n < view.count; n++) {
                bad += !isfinite(values[n]);
                least = fminf(least, values[n]);
                most = fmaxf(most, values[n]);
            }
            if (bad == 0 && least < most)
                continue;
            exray_finding *f = exray_findings_add(findings, "user.stage", EXRAY_SEVERITY_ERROR, 0.9);
            exray_finding_where(f, "stage", record[k].name, EXRAY_NO_INDEX);
            exray_finding_summary(f, "Stage %s of frame %zu is %s.", record[k].name, i,
                                  bad ? "not finite" : "one value throughout");
            exray_finding_number(f, "not_finite", (double)bad);
        }
    }
    exray_slot_free(slot);
    (void)error;
}

/* ---- Layers: the alignment, its metrics, and the tensors themselves ------------------------ */

static size_t count_zeros(const exray_comparison *comparison, exray_side side, size_t frame, size_t layer,
                          exray_slot *slot, size_t *count)
{
    exray_tensor_view view;
    const float *values;
    exray_error error;
    *count = 0;
    if (exray_comparison_values(comparison, side, frame, EXRAY_KIND_LAYER, layer, slot, &view, &values,
                                &error))
        return 0;
    size_t zeros = 0;
    for (uint64_t i = 0; i < view.count; i++)
        zeros += values[i] == 0;
    *count = (size_t)view.count;
    return zeros;
}

EXRAY_ASSERTION(sparsity, "user.dead_layer", "no layer is all zero on the edge alone",
                "/layer of both logs, with data")
{
    exray_slot *slot = exray_slot_new();
    for (size_t i = 0; slot && i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        size_t zeros[2] = {0, 0}, count[2] = {0, 0};
        for (size_t frame = 0; frame < exray_comparison_frame_count(comparison); frame++)
            for (int side = 0; side < 2; side++) {
                size_t n;
                zeros[side] += count_zeros(comparison, (exray_side)side, frame, i, slot, &n);
                count[side] += n;
            }
        if (count[EXRAY_SIDE_EDGE] == 0 || zeros[EXRAY_SIDE_EDGE] < count[EXRAY_SIDE_EDGE] ||
            zeros[EXRAY_SIDE_REFERENCE] == count[EXRAY_SIDE_REFERENCE])
            continue;
        exray_finding *f = exray_findings_add(findings, "user.dead_layer", EXRAY_SEVERITY_ERROR, 0.95);
        exray_finding_where(f, "layer", layer->name[EXRAY_SIDE_EDGE], (uint32_t)i);
        exray_finding_summary(f, "Layer %u (%s) is all zero on the edge.",
                              (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE]);
        exray_finding_number(f, "reference_zeros",
                             (double)zeros[EXRAY_SIDE_REFERENCE] / (double)count[EXRAY_SIDE_REFERENCE]);
    }
    exray_slot_free(slot);
    (void)error;
}

EXRAY_PLUGIN(&exposure, &stages, &sparsity);
