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
#include "checks/port/row_shift.h"

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

/* ---- Names ------------------------------------------------------------------------------ */

/* Whether two names are the same but for what counts: "StatefulPartitionedCall:1" is a place, and converters
 * list outputs as they like. */
static bool are_counted(const char *a, const char *b)
{
    static const char counts[] = "0123456789:_.";
    for (a += strspn(a, counts), b += strspn(b, counts); *a && *a == *b;) {
        a++;
        b++;
        a += strspn(a, counts);
        b += strspn(b, counts);
    }
    return !*a && !*b;
}

/* The output whose name on the edge is that of the reference's `pair`; `pair` itself where there is none. */
static size_t namesake_of(const exray_comparison *comparison, size_t pair)
{
    const char *name = exray_comparison_output(comparison, pair)->name[EXRAY_SIDE_REFERENCE];
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++)
        if (strcmp(exray_comparison_output(comparison, i)->name[EXRAY_SIDE_EDGE], name) == 0)
            return i;
    return pair;
}

/* Outputs that are paired by what makes them, and go by each other's names: who reads them by name gets
 * another one's values. */
static bool has_others_name(const exray_comparison *comparison, size_t pair)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    const exray_io_pair *other = exray_comparison_output(comparison, namesake_of(comparison, pair));
    return other != io && io->comparable && io->error <= io->noise && io->metrics.std[1] > 0 &&
           !are_counted(io->name[EXRAY_SIDE_EDGE], io->name[EXRAY_SIDE_REFERENCE]);
}

static void check_names(const exray_comparison *comparison, exray_findings *findings)
{
    size_t count = exray_comparison_output_count(comparison), named = 0, first = 0;
    for (size_t i = count; i-- > 0;)
        if (has_others_name(comparison, i)) {
            named++;
            first = i;
        }
    if (named < 2)
        return;
    const exray_io_pair *io = exray_comparison_output(comparison, first);
    exray_finding *f = exray_findings_add(findings, "output.order", xr_severity_by_told(comparison), 0.95);
    exray_finding_where(f, "output", io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f, "%zu outputs go by each other's names: output %.80s of the edge is the reference's %.80s.", named,
        io->name[EXRAY_SIDE_EDGE], io->name[EXRAY_SIDE_REFERENCE]);
    for (size_t i = first + 1; i < count; i++) {
        const exray_io_pair *other = exray_comparison_output(comparison, i);
        if (has_others_name(comparison, i))
            exray_finding_detail(f, "Output %.80s is the reference's %.80s.", other->name[EXRAY_SIDE_EDGE],
                                 other->name[EXRAY_SIDE_REFERENCE]);
    }
    exray_finding_detail(f,
                         "Their values are equal so paired, and the same part of the model makes them; code "
                         "that reads an output by its name gets another one's.");
    exray_finding_fix(f, "Give the outputs of the two files the same names where they are exported.");
    exray_finding_text(f, "kind", "names");
    exray_finding_number(f, "outputs", (double)named);
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

/* ---- Rows some places later or earlier ------------------------------------------------------ */

/* Of one output, with the names of those that are shifted likewise. */
static void report_shift(const exray_comparison *comparison, const xr_row_shift *shift, size_t pair,
                         const char *others, exray_findings *findings)
{
    const char *name = exray_comparison_output(comparison, pair)->name[EXRAY_SIDE_EDGE];
    const unsigned places = (unsigned)(shift->by > 0 ? shift->by : -shift->by);
    exray_finding *f = exray_findings_add(findings, "output.order", xr_severity_by_told(comparison), 0.95);
    exray_finding_where(f, "output", name, EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "Output %.80s has the reference's rows %u %s %s along dimension %u: its row k is the "
        "reference's row k %c %u.",
        name, places, places == 1 ? "step" : "steps", shift->by > 0 ? "late" : "early", (unsigned)shift->axis,
        shift->by > 0 ? '-' : '+', places);
    if (*others)
        exray_finding_detail(f, "So %s of %.300s.", strchr(others, ',') ? "are those" : "is that", others);
    exray_finding_detail(
        f,
        "So shifted, the two differ by %.2g of the deviation, as they are by %.2g, in all %zu "
        "frames that differ, where both have rows.",
        shift->after, shift->before, shift->frames);
    exray_finding_detail(f, "Its %s %u, which the reference has not there, %s.",
                         shift->by > 0 ? "first" : "last", places,
                         shift->empty ? "hold zeros" : "hold other values");
    exray_finding_fix(f,
                      "Read and write the output of each step in its own row: look for a step that is "
                      "counted from 1 for 0, a start that is put before the sequence on one side alone, or "
                      "labels shifted for training.");
    exray_finding_text(f, "kind", "shifted");
    exray_finding_number(f, "rows", (double)shift->rows);
    exray_finding_number(f, "dimension", shift->axis);
    exray_finding_number(f, "steps", shift->by);
    exray_finding_number(f, "residual_before", shift->before);
    exray_finding_number(f, "residual_after", shift->after);
    exray_finding_number(f, "frames", (double)shift->frames);
}

/* Whether another output is shifted in the same way. */
static bool is_same_shift(const xr_row_shift *a, const xr_row_shift *b)
{
    return b->explains && a->by == b->by && a->rows == b->rows;
}

/* Tells of the first output that is shifted, and with it of those that are shifted likewise. */
static void report_shifts(const exray_comparison *comparison, const xr_row_shift *shift, size_t count,
                          exray_findings *findings)
{
    for (size_t i = 0; i < count; i++) {
        char others[320] = "";
        size_t used = 0;
        if (!shift[i].explains || xr_is_reordered(findings, i))
            continue;
        for (size_t k = i + 1; k < count; k++) {
            if (!is_same_shift(&shift[i], &shift[k]))
                continue;
            if (used + 1 < sizeof others)
                used += (size_t)snprintf(others + used, sizeof others - used, "%s%.60s", used ? ", " : "",
                                         exray_comparison_output(comparison, k)->name[EXRAY_SIDE_EDGE]);
            xr_mark_reordered(findings, k);
        }
        xr_mark_reordered(findings, i);
        report_shift(comparison, &shift[i], i, others, findings);
    }
}

static exray_status check_shifts(const exray_comparison *comparison, exray_findings *findings,
                                 exray_error *error)
{
    size_t count = exray_comparison_output_count(comparison);
    xr_row_shift *shift = calloc(count + 1, sizeof *shift);
    exray_status status = shift ? EXRAY_OK : EXRAY_E_MEMORY;
    for (size_t i = 0; status == EXRAY_OK && i < count; i++)
        if (!xr_is_reordered(findings, i))
            status = xr_row_shift_make(comparison, i, &shift[i], error);
    if (status == EXRAY_OK)
        report_shifts(comparison, shift, count, findings);
    if (!shift)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the rows of outputs"};
    free(shift);
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
        status = xr_check_maps(comparison, findings, error);
    if (status == EXRAY_OK && any)
        status = check_rows(comparison, findings, error);
    if (status == EXRAY_OK && any)
        status = check_shifts(comparison, findings, error);
    if (status == EXRAY_OK && !xr_inputs_differ_by_any(comparison, findings))
        check_names(comparison, findings);
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
