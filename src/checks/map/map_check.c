#include "checks/map/map_check.h"

#include "checks/beyond_noise.h"
#include "checks/findings.h"
#include "checks/head/head_check.h"
#include "checks/map/map_fit.h"
#include "checks/output/relation.h"
#include "checks/output/told.h"
#include "checks/port/row_order.h"

#include <math.h>
#include <string.h>

static void report(const exray_comparison *comparison, const exray_io_pair *io, const xr_map_turn_fit *fit,
                   exray_severity severity, exray_findings *findings)
{
    char words[120];
    const bool tied = fit->runner_up <= 2 * fit->after || (fit->after == 0 && fit->runner_up < 1e-6);
    const double sure = tied ? 0.6 : 0.97;
    exray_finding *f = exray_findings_add(findings, "output.order", severity,
                                          xr_inputs_known(comparison) ? sure : 0.9 * sure);
    xr_map_words(&fit->turn, words, sizeof words);
    exray_finding_where(f, "output", io->name[EXRAY_SIDE_EDGE], xr_output_layer(comparison, io));
    exray_finding_summary(f, "Output %.80s, a map of %zu x %zu, is the reference's %s.",
                          io->name[EXRAY_SIDE_EDGE], fit->width, fit->height, words);
    if (isnan(fit->before))
        exray_finding_detail(
            f,
            "So taken, the two differ by %.2g of the deviation, in all %zu frames; as it is, "
            "its shape is another.",
            fit->after, fit->frames);
    else
        exray_finding_detail(
            f,
            "So taken, the two differ by %.2g of the deviation, as it is by %.2g, in all %zu "
            "frames.",
            fit->after, fit->before, fit->frames);
    if (tied)
        exray_finding_detail(f, "The maps are so symmetric that another way explains them as well.");
    exray_finding_fix(f, "Turn the map back, or export the model with the axes and the order of rows and "
                         "columns that the code behind it expects.");
    exray_finding_text(f, "kind", xr_map_kind(&fit->turn));
    exray_finding_text(f, "how", words);
    exray_finding_number(f, "right", fit->turn.right);
    exray_finding_number(f, "down", fit->turn.down);
    exray_finding_number(f, "residual_after", fit->after);
    exray_finding_number(f, "residual_before", fit->before);
    exray_finding_number(f, "runner_up_residual", fit->runner_up);
    exray_finding_number(f, "frames", (double)fit->frames);
    exray_finding_number(f, XR_EXPLAINS_OUTPUT, 1);
    exray_finding_alternative(f, "output.postprocess", 0.2);
}

/* Rows of a table in another order, or in another place, are told as rows. */
static bool is_of_a_picture(const xr_map_turn_fit *fit)
{
    return fit->smooth || fit->turn.transposed || strcmp(xr_map_kind(&fit->turn), "turned") == 0;
}

/* An output that is within noise as it was compared: with its dimensions exchanged, or as whole numbers (the
 * classes of pixels), of which noise says little. */
static bool is_hidden(const xr_map_turn_fit *fit)
{
    return fit->smooth && (isnan(fit->before) || (fit->after == 0 && fit->before > 0));
}

/* Another rounding of a resize or another padding shifts a map, too, and is the better explanation. */
static bool operator_shifts_it(const xr_map_turn_fit *fit, const exray_findings *findings)
{
    bool named = false;
    for (const exray_finding *f = findings->first; f; f = f->next)
        named = named || strcmp(f->cause, "model.operator") == 0;
    return named && strcmp(xr_map_kind(&fit->turn), "shifted") == 0;
}

static exray_status check_output(const exray_comparison *comparison, size_t i, exray_findings *findings,
                                 exray_error *error)
{
    const exray_io_pair *io = exray_comparison_output(comparison, i);
    const bool within = io->comparable && io->error <= io->noise;
    bool may_be = !within || (io->step[1] >= 1 && io->metrics.max_abs > 0);
    exray_status status = EXRAY_OK;
    if (!may_be)
        status = xr_map_is_exchanged(comparison, i, &may_be, error);
    xr_map_turn_fit fit = {0};
    if (status == EXRAY_OK && may_be)
        status = xr_map_fit_make(comparison, i, &fit, error);
    if (status != EXRAY_OK || !fit.explains || !(within ? is_hidden(&fit) : is_of_a_picture(&fit)))
        return status;
    if (operator_shifts_it(&fit, findings))
        return EXRAY_OK;
    /* A table of rows may be as smooth as a map, and exporters transpose it. */
    const bool table = within && isnan(fit.before) && fit.rank == 3;
    const exray_severity severity = table ? EXRAY_SEVERITY_INFO : xr_severity_by_told(comparison);
    report(comparison, io, &fit, severity, findings);
    if (severity != EXRAY_SEVERITY_INFO)
        xr_mark_reordered(findings, i);
    return EXRAY_OK;
}

exray_status xr_check_maps(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    exray_status status = EXRAY_OK;
    for (size_t i = 0; status == EXRAY_OK && i < exray_comparison_output_count(comparison); i++)
        if (!xr_is_reordered(findings, i))
            status = check_output(comparison, i, findings, error);
    return status;
}
