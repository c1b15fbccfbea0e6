#include "checks/head/head_check.h"

#include "checks/beyond_noise.h"
#include "checks/findings.h"
#include "checks/head/head_rows.h"
#include "checks/input/moments/input_statistics.h"
#include "checks/model/coarse.h"
#include "checks/output/relation.h"
#include "checks/output/told.h"
#include "checks/port/row_order.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of float models: rows beyond this share of their own deviation are no rounding, whatever hides them. */
#define HIDDEN 0.05
/* In 8 bits, where the boxes' unit is that of the scores. */
#define HIDDEN_IN_8_BITS 1.0

typedef struct head_report {
    const exray_comparison *comparison;
    exray_findings *findings;
    const exray_io_pair *io;
    const xr_head *head;
    exray_severity severity;
} head_report;

/* ---- Rows in words -------------------------------------------------------------------------- */

/* "rows 4 to 15", "rows 4, 7 and 9 to 11" of those with the relation; how many. */
static size_t row_words(const xr_head *h, xr_head_relation which, char *text, size_t size)
{
    enum { MOST_RANGES = 6 };
    size_t count = 0, ranges = 0, used = 0;
    *text = 0;
    for (size_t j = 0; j < h->rows[1]; j++) {
        size_t n = 0;
        while (j + n < h->rows[1] && h->row[j + n].relation == which)
            n++;
        if (n == 0)
            continue;
        count += n;
        if (ranges++ < MOST_RANGES && used < size)
            used += (size_t)(n == 1 ? snprintf(text + used, size - used, "%s%zu", ranges > 1 ? ", " : "", j)
                                    : snprintf(text + used, size - used, "%s%zu to %zu",
                                               ranges > 1 ? ", " : "", j, j + n - 1));
        j += n;
    }
    if (ranges > MOST_RANGES && used < size)
        snprintf(text + used, size - used, ", ...");
    return count;
}

/* ---- Findings ------------------------------------------------------------------------------- */

static exray_finding *begin(const head_report *r, const char *cause, double sure)
{
    exray_finding *f = exray_findings_add(r->findings, cause, r->severity,
                                          xr_inputs_known(r->comparison) ? sure : 0.9 * sure);
    exray_finding_where(f, "output", r->io->name[EXRAY_SIDE_EDGE], xr_output_layer(r->comparison, r->io));
    return f;
}

static void finish(const head_report *r, exray_finding *f)
{
    exray_finding_number(f, "rows", (double)r->head->rows[1]);
    exray_finding_number(f, "columns", (double)r->head->columns);
    exray_finding_number(f, "dimension", r->head->axes.axis[1]);
    exray_finding_number(f, "frames", (double)r->head->frames);
    if (strcmp(f->cause, "layer.unknown") != 0 && (r->head->shifted || r->head->other == 0))
        exray_finding_number(f, XR_EXPLAINS_OUTPUT, 1);
    if (r->severity == EXRAY_SEVERITY_WARNING)
        exray_finding_detail(f, "Both sides told the same all the same: the edge's application knows its "
                                "model's format.");
}

static void report_boxes(const head_report *r)
{
    const xr_head *h = r->head;
    const xr_box_fit *fit = &h->box;
    const bool unit = fit->gain[0] != 1 || fit->gain[1] != 1;
    const bool only_unit = strcmp(fit->change, xr_box_change_name(0)) == 0;
    exray_finding *f = begin(r, "output.box_format", fit->runner_up < 2 * fit->after ? 0.6 : 0.95);
    char factors[80];
    if (fabs(fit->gain[0] - fit->gain[1]) <= 1e-3 * fit->gain[0])
        snprintf(factors, sizeof factors, "times %.5g (1 / %.5g)", fit->gain[0], 1 / fit->gain[0]);
    else
        snprintf(factors, sizeof factors, "times %.5g and %.5g (1 / %.5g and 1 / %.5g)", fit->gain[0],
                 fit->gain[1], 1 / fit->gain[0], 1 / fit->gain[1]);
    if (only_unit)
        exray_finding_summary(f,
                              "The edge's boxes, rows %zu to %zu of output %.80s, are in another unit: the "
                              "reference's %s.",
                              h->box_row, h->box_row + 3, r->io->name[EXRAY_SIDE_EDGE], factors);
    else
        exray_finding_summary(f,
                              "The edge's boxes, rows %zu to %zu of output %.80s, are the reference's in "
                              "another format: %s.",
                              h->box_row, h->box_row + 3, r->io->name[EXRAY_SIDE_EDGE], fit->change);
    if (unit && !only_unit)
        exray_finding_detail(f, "Their unit is another, too: %s.", factors);
    if (h->boxes > 1)
        exray_finding_detail(f, "So are %zu more groups of four rows.", h->boxes - 1);
    exray_finding_detail(
        f, "That leaves %.2g of the boxes' deviation, without it %.2g, in %zu boxes of %zu frames.",
        fit->after, fit->before, fit->boxes, h->frames);
    exray_finding_fix(f,
                      unit ? "Read the boxes in the unit that the edge's model gives them in (pixels of the "
                             "model's picture, or shares of it), or export it as the reference's."
                           : "Read the boxes in the format that the edge's model gives them in, or export it "
                             "as the reference's.");
    exray_finding_text(f, "change", fit->change);
    exray_finding_number(f, "box_row", (double)h->box_row);
    exray_finding_number(f, "gain_0", fit->gain[0]);
    exray_finding_number(f, "gain_1", fit->gain[1]);
    exray_finding_number(f, "residual_before", fit->before);
    exray_finding_number(f, "residual_after", fit->after);
    exray_finding_number(f, "noise", fit->noise);
    if (unit)
        exray_finding_alternative(f, "output.dequantization", 0.2);
    finish(r, f);
}

typedef struct relation_words {
    const char *summary, *relation, *fix;
} relation_words;

static const relation_words activation_words[] = {
    [XR_HEAD_SIGMOID_ADDED] = {"The edge applies a sigmoid that the reference does not have",
                               "edge = sigmoid(reference)",
                               "Remove the sigmoid on the edge, or add it to the reference."},
    [XR_HEAD_SIGMOID_MISSING] = {"The sigmoid is missing on the edge: logits for scores",
                                 "reference = sigmoid(edge)",
                                 "Apply a sigmoid to these rows on the edge, or export the model with it."},
    [XR_HEAD_SOFTMAX_ADDED] = {"The edge applies a softmax that the reference does not have",
                               "edge = softmax(reference)",
                               "Remove the softmax on the edge, or add it to the reference."},
    [XR_HEAD_SOFTMAX_MISSING] = {"The softmax is missing on the edge: logits for scores",
                                 "reference = softmax(edge)",
                                 "Apply a softmax to these rows on the edge, or export the model with it."},
};

static const xr_head_row *worst(const xr_head *h, xr_head_relation which)
{
    const xr_head_row *found = NULL;
    for (size_t j = 0; j < h->rows[1]; j++)
        if (h->row[j].relation == which && (!found || h->row[j].after > found->after))
            found = &h->row[j];
    return found;
}

static void say_rows(const head_report *r, exray_finding *f, xr_head_relation which, const char *rows,
                     size_t count)
{
    const xr_head *h = r->head;
    const xr_head_row *row = worst(h, which);
    exray_finding_detail(
        f,
        "So are %zu of the %zu rows along dimension %u; the worst of them leaves %.2g of its "
        "deviation, without it %.2g, in %zu frames.",
        count, h->rows[1], (unsigned)h->axes.axis[1], row->after, row->before, h->frames);
    exray_finding_text(f, "which_rows", rows);
    exray_finding_number(f, "rows_of_it", (double)count);
    exray_finding_number(f, "residual_before", row->before);
    exray_finding_number(f, "residual_after", row->after);
    exray_finding_number(f, "noise", h->noise);
}

static void report_activation(const head_report *r, xr_head_relation which)
{
    char rows[160];
    const size_t count = row_words(r->head, which, rows, sizeof rows);
    if (count == 0)
        return;
    const relation_words *w = &activation_words[which];
    exray_finding *f = begin(r, "output.activation", 0.97);
    exray_finding_summary(f, "%s, in row%s %s of output %.80s.", w->summary, count == 1 ? "" : "s", rows,
                          r->io->name[EXRAY_SIDE_EDGE]);
    say_rows(r, f, which, rows, count);
    exray_finding_fix(f, "%s", w->fix);
    exray_finding_text(f, "relation", w->relation);
    finish(r, f);
}

/* One factor for all rows that have one. */
static void report_scale(const head_report *r)
{
    char rows[160];
    const size_t count = row_words(r->head, XR_HEAD_SCALE, rows, sizeof rows);
    if (count == 0)
        return;
    const double gain = worst(r->head, XR_HEAD_SCALE)->gain;
    exray_finding *f = begin(r, "output.dequantization", 0.8);
    exray_finding_summary(f, "Row%s %s of output %.80s are the reference's times %.5g.",
                          count == 1 ? "" : "s", rows, r->io->name[EXRAY_SIDE_EDGE], gain);
    say_rows(r, f, XR_HEAD_SCALE, rows, count);
    exray_finding_fix(f, "Read these rows in the unit that the edge's model gives them in: divide by %.5g.",
                      gain);
    exray_finding_number(f, "gain", gain);
    exray_finding_alternative(f, "output.box_format", 0.1);
    finish(r, f);
}

static void report_shift(const head_report *r)
{
    const xr_head *h = r->head;
    const bool more = h->shift > 0;
    const size_t n = (size_t)abs(h->shift);
    const char *name = r->io->name[EXRAY_SIDE_EDGE];
    char own[64];
    snprintf(own, sizeof own, n == 1 ? "row %zu" : "rows %zu to %zu", h->shift_from, h->shift_from + n - 1);
    exray_finding *f = begin(r, "output.label_offset", 0.95);
    exray_finding_summary(f,
                          "The %zu rows of classes behind %s of output %.80s are %+d from the reference's: "
                          "%s %s the %s does not have (%zu rows, the reference %zu).",
                          h->shift_equal, own, more ? name : r->io->name[EXRAY_SIDE_REFERENCE], h->shift, own,
                          n == 1 ? "is one that" : "are some that", more ? "reference" : "edge", h->rows[0],
                          h->rows[1]);
    exray_finding_detail(
        f,
        "It may be a class of background in front, or the score of the box as a whole.  The rows "
        "before and behind it are equal: within %.2g of their deviation, in %zu frames.",
        h->shift_residual, h->frames);
    exray_finding_fix(
        f,
        "Begin to read the classes %zu row%s %s on the edge, or set label_offset so that classes "
        "are %zu %s; or export both models alike.",
        n, n == 1 ? "" : "s", more ? "later" : "earlier", n, more ? "lower" : "higher");
    exray_finding_number(f, "difference", h->shift);
    exray_finding_number(f, "first_row", (double)h->shift_from);
    exray_finding_number(f, "rows_equal", (double)h->shift_equal);
    exray_finding_number(f, "residual_after", h->shift_residual);
    finish(r, f);
}

/* ---- What is not named ------------------------------------------------------------------------ */

/* The finding that says that this output differs, or NULL. */
static exray_finding *about_output(const head_report *r, const char *prefix)
{
    for (exray_finding *f = r->findings->first; f; f = f->next)
        if (strncmp(f->cause, prefix, strlen(prefix)) == 0 && f->stage && strcmp(f->stage, "output") == 0 &&
            f->tensor && strcmp(f->tensor, r->io->name[EXRAY_SIDE_EDGE]) == 0)
            return f;
    return NULL;
}

static void report_hidden(const head_report *r, const char *rows, size_t count)
{
    double error = 0;
    for (size_t j = 0; j < r->head->rows[1]; j++)
        if (r->head->row[j].relation == XR_HEAD_OTHER)
            error = fmax(error, r->head->row[j].error);
    exray_finding *f = begin(r, "layer.unknown", 0.8);
    exray_finding_summary(f, "Row%s %s of output %.80s differ%s beyond noise though the inputs do not.",
                          count == 1 ? "" : "s", rows, r->io->name[EXRAY_SIDE_EDGE], count == 1 ? "s" : "");
    exray_finding_detail(
        f,
        "By %.2g of their own deviation; of the whole output that is %.2g, which larger rows hide. "
        "Which side is right, the logs do not say.",
        error, r->io->error);
    exray_finding_fix(f, "Record both sides with --capture full to see in which layer it begins.");
    exray_finding_text(f, "which_rows", rows);
    exray_finding_number(f, "row_error", error);
    finish(r, f);
}

static void report_others(const head_report *r, bool hidden)
{
    char rows[160];
    const xr_head *h = r->head;
    const size_t count = row_words(h, XR_HEAD_OTHER, rows, sizeof rows);
    if (count == 0 || 2 * count > h->rows[1])
        return;
    exray_finding *f = about_output(r, "");
    if (f)
        exray_finding_detail(f,
                             "Row%s %s of %zu along dimension %u differ%s, by nothing that is known; the "
                             "others are equal or explained.",
                             count == 1 ? "" : "s", rows, h->rows[1], (unsigned)h->axes.axis[1],
                             count == 1 ? "s" : "");
    else if (hidden)
        report_hidden(r, rows, count);
}

/* ---- All outputs -------------------------------------------------------------------------------- */

/* Whether rows that differ do so beyond what may be healthy in an output that as a whole is. */
static bool is_beyond(const exray_io_pair *io, xr_head *h)
{
    const bool of_floats = h->noise <= XR_COARSE_NOISE;
    if (!io->comparable || io->error > io->noise || h->shifted)
        return true;
    bool any = false;
    for (size_t j = 0; j < h->rows[1]; j++) {
        xr_head_row *row = &h->row[j];
        const bool small = row->error < (of_floats ? HIDDEN : HIDDEN_IN_8_BITS);
        if (small || (row->relation == XR_HEAD_OTHER && !of_floats))
            row->relation = row->relation == XR_HEAD_BOX ? row->relation : XR_HEAD_EQUAL;
        any = any || (row->relation != XR_HEAD_EQUAL && !small);
    }
    return any && h->axes.axis[0] == h->axes.axis[1];
}

static void report(const head_report *r)
{
    const bool hidden = r->io->comparable && r->io->error <= r->io->noise;
    if (r->head->shifted) {
        report_shift(r);
        return;
    }
    if (r->head->rows[0] != r->head->rows[1])
        return;
    if (r->head->boxes)
        report_boxes(r);
    for (int k = XR_HEAD_SIGMOID_ADDED; k <= XR_HEAD_SOFTMAX_MISSING; k++)
        report_activation(r, (xr_head_relation)k);
    report_scale(r);
    report_others(r, hidden);
}

exray_status xr_check_heads(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    if (xr_inputs_differ_by_any(comparison, findings))
        return EXRAY_OK; /* others abstain for them */
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        xr_head head;
        head_report r = {comparison, findings, exray_comparison_output(comparison, i), &head,
                         EXRAY_SEVERITY_ERROR};
        if (xr_is_reordered(findings, i) || about_output(&r, "output."))
            continue;
        const exray_status status = xr_head_make(comparison, i, &head, error);
        if (status == EXRAY_OK && head.frames && is_beyond(r.io, &head)) {
            r.severity = xr_severity_by_told(comparison);
            report(&r);
        }
        xr_head_free(&head);
        if (status != EXRAY_OK)
            return status;
    }
    return EXRAY_OK;
}
