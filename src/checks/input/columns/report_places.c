/* Values that are the reference's of other places (input.delay, input.flip, input.sample_rate, input.layout).
 */
#include "checks/input/columns/place_relation.h"
#include "checks/input/columns/report_columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAYS = 2 };

/* The dimensions to look along: of a table its rows and columns; of a picture the same, for a roll alone. */
typedef struct place_axes {
    uint32_t axis[WAYS];
    const char *name[WAYS]; /* one step along it */
    size_t count;
} place_axes;

static place_axes list_axes(xr_input_form kind, uint32_t rank, const int64_t *d)
{
    enum { CHANNELS = XR_FIT_CHANNELS };
    place_axes a = {.count = 0};
    if (rank < 2 || rank > 4)
        return a;
    const bool last = (kind == XR_IS_PICTURE || kind == XR_IS_BANDS) && rank > 2 &&
                      (d[rank - 1] <= CHANNELS || (kind == XR_IS_BANDS && d[3] < d[1]));
    const uint32_t rows = last ? rank - 3 : rank - 2;
    a.count = rank == 2 ? 1 : 2;
    a.axis[0] = rank == 2 ? 1 : rows, a.name[0] = rank == 2 ? "value" : "row";
    a.axis[1] = rows + 1, a.name[1] = "column";
    return a;
}

static void say_later(const xr_place_relation *r, const char *name, exray_finding *f)
{
    const size_t by = (size_t)labs(r->by);
    exray_finding_summary(f, "The edge's input is %zu %s%s %s: its values are the reference's of %s places.",
                          by, name, by > 1 ? "s" : "", r->by > 0 ? "late" : "early",
                          r->by > 0 ? "earlier" : "later");
    exray_finding_fix(
        f, "Begin each frame at the same moment on both sides; look at the buffer it is cut from.");
    exray_finding_number(f, "late_rows", (double)r->by);
}

static void say_rolled(const xr_place_relation *r, const char *name, exray_finding *f)
{
    const bool half = 2 * labs(r->by) == (long)r->length;
    exray_finding_summary(f,
                          "The edge's %ss are rolled by %ld of %zu: what falls out at one end comes in at "
                          "the other%s.",
                          name, labs(r->by), r->length,
                          half ? " (the halves are exchanged, as by a spectrum that one side centers)" : "");
    exray_finding_fix(f, half ? "Center the spectrum on both sides or on none (fftshift)."
                              : "Read the ring buffer from its oldest value on, on both sides.");
    exray_finding_text(f, "kind", "rolled");
    exray_finding_number(f, "late_rows", (double)r->by);
}

static void say_reversed(const char *name, exray_finding *f)
{
    exray_finding_summary(f, "The edge's %ss are in reverse order: the last one is the reference's first.",
                          name);
    exray_finding_fix(f, "Write the %ss in the reference's direction.", name);
    exray_finding_text(f, "kind", "reversed");
}

static void say_held(const xr_place_relation *r, const char *name, exray_finding *f)
{
    if (r->step < 1)
        exray_finding_summary(
            f, "The edge's input runs at %.3g times the reference's rate: each %s is there %.3g times.",
            1 / r->step, name, 1 / r->step);
    else
        exray_finding_summary(
            f, "The edge's input runs at %.3g of the reference's rate: it has one of %.3g %ss.", 1 / r->step,
            r->step, name);
    exray_finding_fix(f, "Sample at the rate that the model was trained with, or resample to it.");
    exray_finding_text(f, "kind", "held");
    exray_finding_number(f, "ratio", 1 / r->step);
}

/* By letters: of bands C, H and W in the order in which the model reads them; of a table rows and columns. */
static void say_turned(const xr_place_relation *r, exray_finding *f)
{
    if (r->rank < 4)
        exray_finding_summary(f,
                              "The edge's table is transposed: its columns are written where rows belong.");
    else {
        const char *read = r->bands == 1 ? "CHW" : "HWC";
        char written[XR_TURNED_AXES + 1] = "";
        for (uint32_t i = 0; i < XR_TURNED_AXES; i++)
            written[i] = read[r->order[i]];
        exray_finding_summary(f,
                              "The edge's values are written in the order %s where the model reads %s (C: "
                              "channels, H: rows, W: columns of the picture).",
                              written, read);
        exray_finding_text(f, "written_as", written);
        exray_finding_text(f, "read_as", read);
    }
    exray_finding_fix(f, "Transpose before copying into the model's input.");
    exray_finding_text(f, "kind", "dimensions");
}

static void report(const xr_input_fit *fit, const xr_place_relation *r, const char *name,
                   exray_findings *findings)
{
    static const char *const causes[] = {"input.delay", "input.delay", "input.flip", "input.sample_rate",
                                         "input.layout"};
    exray_finding *f = exray_findings_add(findings, causes[r->kind], EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    if (r->kind == XR_PLACES_LATER)
        say_later(r, name, f);
    else if (r->kind == XR_PLACES_ROLLED)
        say_rolled(r, name, f);
    else if (r->kind == XR_PLACES_REVERSED)
        say_reversed(name, f);
    else if (r->kind == XR_PLACES_HELD)
        say_held(r, name, f);
    else
        say_turned(r, f);
    exray_finding_detail(f, "So read, they differ by %.2g of their variance, as they are by %.2g.", r->after,
                         r->before);
    exray_finding_number(f, "residual_share_before", r->before);
    exray_finding_number(f, "residual_share", r->after);
    exray_finding_number(f, "frames", (double)r->frames);
}

bool xr_report_places(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings)
{
    int64_t d[EXRAY_MAX_RANK];
    const uint32_t rank = xr_edge_shape(comparison, fit, d);
    const xr_input_form kind = xr_form_by_shape(fit, rank, d);
    const place_axes a = list_axes(kind, rank, d);
    xr_place_relation r;
    if (kind != XR_IS_PICTURE && xr_relate_turned(comparison, fit->pair, &r)) {
        report(fit, &r, "", findings);
        return true;
    }
    for (size_t i = 0; i < a.count; i++)
        if (xr_relate_places(comparison, fit->pair, a.axis[i], kind == XR_IS_PICTURE || kind == XR_IS_BANDS,
                             &r)) {
            report(fit, &r, a.name[i], findings);
            return true;
        }
    return false;
}
