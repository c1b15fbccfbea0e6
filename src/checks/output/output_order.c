/* output.order: of several outputs, one or more have the values of another; or an output has its rows in
 * another order. */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/findings.h"
#include "checks/input/moments/input_statistics.h"
#include "checks/map/map_check.h"
#include "checks/output/graph_tail.h"
#include "checks/output/labelling.h"
#include "checks/output/relation.h"
#include "checks/output/told.h"
#include "checks/port/port_exchange.h"
#include "checks/port/row_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Several outputs ------------------------------------------------------------------- */

static exray_status check_exchange(const exray_comparison *comparison, exray_findings *findings,
                                   exray_error *error)
{
    xr_port_exchange exchange;
    exray_status status = xr_port_exchange_find(comparison, EXRAY_KIND_OUTPUT, &exchange, error);
    size_t first = 0;
    while (first < exchange.count && exchange.exchanged && exchange.origin[first].from == SIZE_MAX)
        first++;
    if (status != EXRAY_OK || exchange.exchanged == 0) {
        xr_port_exchange_free(&exchange);
        return status;
    }
    exray_finding *f = exray_findings_add(findings, "output.order", xr_severity_by_told(comparison), 0.98);
    exray_finding_where(f, "output", exray_comparison_output(comparison, first)->name[EXRAY_SIDE_EDGE],
                        EXRAY_NO_INDEX);
    xr_say_exchange(f, comparison, EXRAY_KIND_OUTPUT, &exchange);
    exray_finding_fix(f, "Read each output by its name, not by its place in the model's list of outputs: "
                         "converters may list them otherwise.");
    xr_port_exchange_keep(findings, EXRAY_KIND_OUTPUT, &exchange);
    return EXRAY_OK;
}

/* ---- Rows of one ------------------------------------------------------------------------- */

static void report_rows(const exray_comparison *comparison, const xr_row_order *order, size_t pair,
                        const char *others, exray_findings *findings)
{
    char words[300];
    const char *name = exray_comparison_output(comparison, pair)->name[EXRAY_SIDE_EDGE];
    exray_finding *f = exray_findings_add(findings, "output.order", xr_severity_by_told(comparison), 0.97);
    exray_finding_where(f, "output", name, EXRAY_NO_INDEX);
    xr_row_order_words(order, words, sizeof words);
    exray_finding_summary(f, "Output %.80s has the reference's %zu rows in another order: %s.", name,
                          order->rows, words);
    if (*others)
        exray_finding_detail(f,
                             strchr(others, ',') ? "Outputs %.300s have them in the same order."
                                                 : "Output %.300s has them in the same order.",
                             others);
    exray_finding_detail(f,
                         "In order, the two differ by %.2g of the deviation, without it by %.2g, in all %zu "
                         "frames that differ.",
                         order->after, order->before, order->frames);
    exray_finding_fix(f, "Bring the rows into the order that the code behind the model expects (the levels "
                         "of a head, the sorting of boxes), or change that code.");
    exray_finding_number(f, "rows", (double)order->rows);
    exray_finding_number(f, "dimension", order->axis);
    exray_finding_number(f, "residual_before", order->before);
    exray_finding_number(f, "residual_after", order->after);
    exray_finding_number(f, "frames", (double)order->frames);
    exray_finding_text(f, "order", words);
}

/* Marks what one finding tells of, so that no other does. */
static exray_status report_with_others(const exray_comparison *comparison, const xr_row_order *order,
                                       size_t pair, bool *told, exray_findings *findings, exray_error *error)
{
    char others[320] = "";
    size_t used = 0;
    told[pair] = true;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *io = exray_comparison_output(comparison, i);
        bool holds = false;
        if (told[i] || !io->comparable || io->error <= io->noise)
            continue;
        exray_status status = xr_row_order_holds(comparison, i, order, &holds, error);
        if (status != EXRAY_OK)
            return status;
        if (!holds)
            continue;
        told[i] = true;
        if (used + 1 < sizeof others)
            used += (size_t)snprintf(others + used, sizeof others - used, "%s%.60s", used ? ", " : "",
                                     io->name[EXRAY_SIDE_EDGE]);
        xr_mark_reordered(findings, i);
    }
    xr_mark_reordered(findings, pair);
    report_rows(comparison, order, pair, others, findings);
    return EXRAY_OK;
}

/* Whether of four rows x and y are exchanged, and nothing else: boxes in another format. */
static bool exchanges_x_and_y(const xr_row_order *order)
{
    size_t first = 0, moved = 0;
    for (size_t k = 0; k < order->rows; k++)
        for (size_t f = 0; f < order->frame_count; f++)
            if (order->from[f * order->rows + k] != k && moved++ == 0)
                first = k;
    if (!order->fixed || first + 4 > order->rows || moved != 4 * order->frames)
        return false;
    for (size_t k = 0; k < 4; k++)
        for (size_t f = 0; f < order->frame_count; f++) {
            const size_t from = order->from[f * order->rows + first + k];
            if (from != first + k && from != first + (k ^ 1))
                return false;
        }
    return true;
}

static exray_status check_rows(const exray_comparison *comparison, exray_findings *findings,
                               exray_error *error)
{
    size_t count = exray_comparison_output_count(comparison);
    bool *told = calloc(count + 1, sizeof *told);
    exray_status status = told ? EXRAY_OK : EXRAY_E_MEMORY;
    for (size_t i = 0; status == EXRAY_OK && i < count; i++) {
        xr_row_order order = {0};
        if (told[i] || xr_is_reordered(findings, i))
            continue;
        status = xr_row_order_make(comparison, i, &order, error);
        if (status == EXRAY_OK && order.explains && !exchanges_x_and_y(&order))
            status = report_with_others(comparison, &order, i, told, findings, error);
        xr_row_order_free(&order);
    }
    free(told);
    if (status == EXRAY_E_MEMORY)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the rows of outputs"};
    return status;
}

/* ---- Outputs that are read by their place --------------------------------------------------- */

/* The place of an output in the list of the side's model, or SIZE_MAX. */
static size_t place_of(const exray_comparison *comparison, exray_side side, size_t pair)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    uint32_t tensor = xr_output_tensor(comparison, side, pair);
    for (uint32_t i = 0; model && i < model->output_count; i++)
        if (tensor != EXRAY_NO_INDEX && model->outputs[i] == tensor)
            return i;
    return SIZE_MAX;
}

/* from[place of the edge's] = place of the reference's; false: not known, or the same. */
static bool places(const exray_comparison *comparison, size_t *from, size_t count)
{
    bool moved = false;
    for (size_t i = 0; i < count; i++)
        from[i] = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t edge = place_of(comparison, EXRAY_SIDE_EDGE, i);
        size_t reference = place_of(comparison, EXRAY_SIDE_REFERENCE, i);
        if (edge >= count || reference >= count || from[edge] != SIZE_MAX)
            return false;
        from[edge] = reference;
        moved = moved || edge != reference;
    }
    return moved;
}

static exray_status check_places(const exray_comparison *comparison, exray_findings *findings,
                                 exray_error *error)
{
    enum { MOST_PLACES = 64 };
    size_t from[MOST_PLACES], count = exray_comparison_output_count(comparison);
    xr_told_places told;
    if (count < 2 || count > MOST_PLACES || !xr_outputs_equal(comparison) || !places(comparison, from, count))
        return EXRAY_OK;
    exray_status status = xr_told_by_place(comparison, from, count, &told, error);
    if (status != EXRAY_OK || !told.explains)
        return status;
    exray_finding *f = exray_findings_add(findings, "output.order", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "result", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's application reads the outputs by their place, as the reference's "
                             "file lists them; the edge's file lists them in another order.");
    exray_finding_detail(f,
                         "All outputs are equal. The text that it tells has the reference's %zu parts in "
                         "the order of the places, in all %zu frames where they differ (\"%s\" for \"%s\").",
                         count, told.frames, told.edge, told.reference);
    exray_finding_fix(f, "Read each output by its name, not by its place in the model's list of outputs.");
    exray_finding_number(f, "frames", (double)told.frames);
    exray_finding_text(f, "kind", "exchanged");
    return EXRAY_OK;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    bool any = false;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *io = exray_comparison_output(comparison, i);
        any = any || !io->comparable || !(io->error <= io->noise);
    }
    if (any && xr_inputs_differ_by_any(comparison, findings))
        return xr_abstain_for_inputs(error);
    exray_status status = any ? check_exchange(comparison, findings, error) : EXRAY_OK;
    if (status == EXRAY_OK && !xr_inputs_differ_by_any(comparison, findings))
        status = xr_check_maps(comparison, xr_severity_by_told(comparison), findings, error);
    if (status == EXRAY_OK && any)
        status = check_rows(comparison, findings, error);
    return status == EXRAY_OK ? check_places(comparison, findings, error) : status;
}

static const char *const causes[] = {"output.order", NULL};

const exray_assertion xr_assertion_output_order = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "output.order",
    .summary = "each output has its own values, and its rows are in the reference's order",
    .causes = causes,
    .needs = "/output of both logs, with data; equal inputs",
    .run = run,
};
