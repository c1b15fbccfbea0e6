/* input.order: of several inputs, one or more have the values of another. */
#include "checks/builtin.h"
#include "checks/port/port_exchange.h"

#include <math.h>
#include <stdio.h>

/* The first port that has another's values. */
static size_t first_exchanged(const xr_port_exchange *exchange)
{
    size_t first = 0;
    while (first + 1 < exchange->count && exchange->origin[first].from == SIZE_MAX)
        first++;
    return first;
}

/* Where the other's values were changed as well, that is a fault of its own. */
static void report_map(const exray_comparison *comparison, const xr_port_exchange *exchange, size_t i,
                       exray_findings *findings)
{
    const xr_port_origin *o = &exchange->origin[i];
    const exray_io_pair *io = exray_comparison_input(comparison, i);
    const char *name = io->name[EXRAY_SIDE_EDGE];
    const char *other = exray_comparison_input(comparison, o->from)->name[EXRAY_SIDE_REFERENCE];
    if (o->reversed) {
        exray_finding *f = exray_findings_add(findings, "input.channel_order", EXRAY_SEVERITY_ERROR, 0.9);
        exray_finding_where(f, "input", name, EXRAY_NO_INDEX);
        exray_finding_summary(
            f, "What the edge gives input %.80s also has its channels in the reverse order.", name);
        exray_finding_detail(f, "It is what the reference gives %.80s, with channels 0 and 2 exchanged.",
                             other);
        exray_finding_fix(f,
                          "Once the inputs are in order, convert them to the reference's order of channels.");
    }
    double size = fmax(fabs(io->metrics.min[0]), fabs(io->metrics.max[0]));
    if (fabs(o->gain - 1) < 0.01 && fabs(o->offset) < 0.01 * size)
        return;
    exray_finding *f = exray_findings_add(findings, "input.normalization", EXRAY_SEVERITY_ERROR, 0.8);
    exray_finding_where(f, "input", name, EXRAY_NO_INDEX);
    exray_finding_summary(
        f, "What the edge gives input %.80s is also scaled otherwise than in the reference.", name);
    exray_finding_detail(f, "edge = %.5g * the values of the reference's %.80s %+.5g.", o->gain, other,
                         o->offset);
    exray_finding_fix(f, "Once the inputs are in order, normalize each as the reference does.");
    exray_finding_number(f, "gain", o->gain);
    exray_finding_number(f, "offset", o->offset);
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    xr_port_exchange exchange;
    exray_status status = xr_port_exchange_find(comparison, EXRAY_KIND_INPUT, &exchange, error);
    if (status != EXRAY_OK || exchange.exchanged == 0) {
        xr_port_exchange_free(&exchange);
        return status;
    }
    size_t first = first_exchanged(&exchange);
    exray_finding *f = exray_findings_add(findings, "input.order", EXRAY_SEVERITY_ERROR,
                                          exchange.origin[first].mapped ? 0.9 : 0.98);
    exray_finding_where(f, "input", exray_comparison_input(comparison, first)->name[EXRAY_SIDE_EDGE],
                        EXRAY_NO_INDEX);
    xr_say_exchange(f, comparison, EXRAY_KIND_INPUT, &exchange);
    exray_finding_fix(f, "Give each input its values by its name, not by its place in the model's list of "
                         "inputs: converters may list them otherwise.");
    for (size_t i = 0; i < exchange.count; i++)
        if (exchange.origin[i].from != SIZE_MAX && exchange.origin[i].mapped)
            report_map(comparison, &exchange, i, findings);
    xr_port_exchange_keep(findings, EXRAY_KIND_INPUT, &exchange);
    return EXRAY_OK;
}

static const char *const causes[] = {"input.order", "input.channel_order", "input.normalization", NULL};

const exray_assertion xr_assertion_input_order = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "input.order",
    .summary = "each input of the model has its own values, and not those of another",
    .causes = causes,
    .needs = "/input of both logs, with data; a model of several inputs",
    .run = run,
};
