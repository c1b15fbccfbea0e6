#include "checks/input/columns/report_columns.h"

#include "checks/input/columns/column_relation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Factors and offsets of columns that differ by less, relative, are the same. */
#define ALIKE 0.01
enum { LISTED = 8, WORDS = 256 };

/* ---- Words ---------------------------------------------------------------------------------------- */

typedef struct words {
    char text[WORDS];
    size_t used;
} words;

static void add_words(words *w, const char *between, const char *text)
{
    const int more =
        snprintf(w->text + w->used, sizeof w->text - w->used, "%s%s", w->used ? between : "", text);
    if (more > 0)
        w->used += (size_t)more < sizeof w->text - w->used ? (size_t)more : sizeof w->text - 1 - w->used;
}

/* "column 3", "columns 0, 1 and 2", "12 columns": those that `chosen` has. */
static void say_which(const xr_column_relation *r, const bool *chosen, const char *name, char *text,
                      size_t size)
{
    words w = {0};
    size_t count = 0, said = 0;
    for (size_t c = 0; c < r->columns; c++)
        count += chosen[c];
    for (size_t c = 0; c < r->columns && count <= LISTED; c++)
        if (chosen[c]) {
            char number[24];
            snprintf(number, sizeof number, "%zu", c);
            add_words(&w, ++said == count ? " and " : ", ", number);
        }
    if (count > LISTED)
        snprintf(text, size, "%zu %ss", count, name);
    else
        snprintf(text, size, "%s%s %.120s", name, count > 1 ? "s" : "", w.text);
}

/* What a factor usually is, where nothing else is done. */
static const char *meaning(double gain, double offset, double spread)
{
    static const struct {
        double gain;
        const char *words;
    } usual[] = {{-1, "the sign is the other one"},
                 {9.80665, "m/s2 for g"},
                 {1 / 9.80665, "g for m/s2"},
                 {57.295780, "degrees for radians"},
                 {0.01745329, "radians for degrees"},
                 {3.6, "km/h for m/s"},
                 {1 / 3.6, "m/s for km/h"},
                 {255, "0..255 for 0..1"},
                 {1 / 255., "0..1 for 0..255"},
                 {1000, "thousandths for whole ones"},
                 {0.001, "whole ones for thousandths"},
                 {100, "hundredths for whole ones"},
                 {0.01, "whole ones for hundredths"}};
    for (size_t i = 0; i < sizeof usual / sizeof *usual && fabs(offset) <= 0.01 * spread; i++)
        if (fabs(gain - usual[i].gain) < 1e-3 * fabs(usual[i].gain))
            return usual[i].words;
    return "";
}

/* ---- Another order ---------------------------------------------------------------------------------- */

static void say_order(const xr_column_relation *r, const char *name, exray_finding *f)
{
    words order = {0}, moved = {0};
    size_t said = 0;
    for (size_t c = 0; c < r->columns; c++) {
        char text[80];
        snprintf(text, sizeof text, "%zu", r->column[c].from);
        add_words(&order, ",", text);
        if (r->column[c].from == c || said++ >= LISTED)
            continue;
        snprintf(text, sizeof text, "%s %zu has the reference's %zu", name, c, r->column[c].from);
        add_words(&moved, ", ", text);
    }
    exray_finding_summary(f, "The edge's %ss are in another order than the reference's: %.200s%s.", name,
                          moved.text, r->moved > LISTED ? ", ..." : "");
    if (r->repeated)
        exray_finding_detail(f, "Some of the reference's %ss are there twice, and others are missing.", name);
    if (r->after_order)
        exray_finding_detail(f, "Each was normalized with the constants of the place it was put in.");
    exray_finding_text(f, "order", order.text);
    exray_finding_number(f, "columns_moved", (double)r->moved);
}

static void report_order(const xr_input_fit *fit, const xr_column_relation *r, const char *name,
                         exray_findings *findings)
{
    exray_finding *f = exray_findings_add(findings, "input.channel_order", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    say_order(r, name, f);
    exray_finding_detail(f, "So read, each leaves less than a thousandth of its variance in all frames.");
    exray_finding_fix(f, "Fill the %ss in one order on both sides, by their names.", name);
    exray_finding_text(f, "kind", "columns");
    exray_finding_number(f, "residual_share_before", r->before);
    exray_finding_number(f, "residual_share", r->after);
    exray_finding_number(f, "frames", (double)fit->values.frames);
}

/* ---- Other values ------------------------------------------------------------------------------------ */

static bool is_alike(const xr_column_map *a, const xr_column_map *b)
{
    return fabs(a->gain - b->gain) <= ALIKE * fabs(a->gain) &&
           fabs(a->offset - b->offset) <= ALIKE * fmax(fabs(a->offset), 1e-6);
}

/* The columns that have the factor and offset of the first mapped one that is not said yet. */
static size_t take_alike(const xr_column_relation *r, bool *said, bool *chosen)
{
    size_t first = SIZE_MAX;
    for (size_t c = 0; c < r->columns; c++) {
        if (first == SIZE_MAX && r->column[c].mapped && !said[c])
            first = c;
        chosen[c] = first != SIZE_MAX && r->column[c].mapped && !said[c] &&
                    is_alike(&r->column[first], &r->column[c]);
        said[c] = said[c] || chosen[c];
    }
    return first;
}

/* "columns 0, 1 and 2 are 0.102 times the reference's (g for m/s2)". */
static void say_map(const xr_column_relation *r, const xr_column_table *t, size_t column, const char *which,
                    char *text, size_t size)
{
    const xr_column_map *m = &r->column[column];
    const float *v = xr_column(t, EXRAY_SIDE_EDGE, column);
    double most = 0;
    for (size_t i = 0; i < t->samples; i++)
        most = fmax(most, fabs((double)v[i]));
    const char *known = meaning(m->gain, m->offset, most);
    char added[48] = "";
    if (fabs(m->offset) > 1e-3 * most)
        snprintf(added, sizeof added, " %c %.4g", m->offset < 0 ? '-' : '+', fabs(m->offset));
    snprintf(text, size, "%s: %.4g times the reference's%s%s%s%s", which, m->gain, added, *known ? " (" : "",
             known, *known ? ")" : "");
}

static void say_own(const xr_column_relation *r, const bool *mapped, const char *name, exray_finding *f)
{
    char which[160];
    say_which(r, mapped, name, which, sizeof which);
    exray_finding_summary(f,
                          "The edge's values of %s are the reference's by a factor and an offset that vary "
                          "from frame to frame.",
                          which);
    exray_finding_fix(f, "Normalize every frame by the same numbers, those that the model was trained with.");
    exray_finding_text(f, "kind", "own_columns");
}

static void say_maps(const xr_column_relation *r, const xr_column_table *t, const bool *mapped,
                     const char *name, exray_finding *f)
{
    bool said[XR_COLUMNS_MOST] = {false}, chosen[XR_COLUMNS_MOST];
    char which[160], text[256];
    say_which(r, mapped, name, which, sizeof which);
    size_t groups = 0, first = take_alike(r, said, chosen);
    for (; first != SIZE_MAX && groups < LISTED; groups++) {
        char alike[160];
        say_which(r, chosen, name, alike, sizeof alike);
        say_map(r, t, first, alike, text, sizeof text);
        if (groups == 0) {
            exray_finding_summary(f, "The edge's values of %s are scaled otherwise than the reference's: %s.",
                                  which, text);
            exray_finding_number(f, "gain", r->column[first].gain);
            exray_finding_number(f, "offset", r->column[first].offset);
        } else
            exray_finding_detail(f, "%s.", text);
        first = take_alike(r, said, chosen);
    }
    exray_finding_fix(f, "Give these %ss the unit and the scale that the reference gives them.", name);
    exray_finding_text(f, "kind", "columns");
}

static void report_maps(const xr_input_fit *fit, const xr_column_relation *r, const xr_column_table *t,
                        const char *name, exray_findings *findings)
{
    bool mapped[XR_COLUMNS_MOST];
    for (size_t c = 0; c < r->columns; c++)
        mapped[c] = r->column[c].mapped;
    exray_finding *f = exray_findings_add(findings, "input.normalization", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    if (r->own)
        say_own(r, mapped, name, f);
    else
        say_maps(r, t, mapped, name, f);
    exray_finding_detail(f, "That leaves less than a thousandth of their variance in all frames.");
    exray_finding_number(f, "columns", (double)r->mapped);
    exray_finding_number(f, "residual_share_before", r->before);
    exray_finding_number(f, "residual_share", r->after);
    exray_finding_number(f, "frames", (double)fit->values.frames);
}

/* ---- One value ------------------------------------------------------------------------------------------
 */

static void report_blank(const xr_input_fit *fit, const xr_column_relation *r, const char *name,
                         exray_findings *findings)
{
    bool blank[XR_COLUMNS_MOST];
    char which[160];
    size_t first = SIZE_MAX;
    for (size_t c = 0; c < r->columns; c++) {
        blank[c] = r->column[c].blank;
        first = blank[c] && first == SIZE_MAX ? c : first;
    }
    say_which(r, blank, name, which, sizeof which);
    exray_finding *f = exray_findings_add(findings, "input.unknown", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f,
                          "The edge's values of %s are constant (%.4g), where the reference's are not; all "
                          "others are the same.",
                          which, r->column[first].offset);
    exray_finding_fix(f, "Look why nothing fills these %ss: a sensor that is off, a field of another name.",
                      name);
    exray_finding_text(f, "kind", "blank_columns");
    exray_finding_number(f, "columns", (double)r->blank);
    exray_finding_number(f, "frames", (double)fit->values.frames);
}

/* ---- All of it ---------------------------------------------------------------------------------------- */

enum { CHANNELS = XR_FIT_CHANNELS, PICTURE_SIDE = 32, NARROW = 9 };

uint32_t xr_edge_shape(const exray_comparison *comparison, const xr_input_fit *fit, int64_t d[EXRAY_MAX_RANK])
{
    exray_slot *slot = exray_slot_new();
    exray_tensor_view view;
    const float *value;
    exray_error ignored;
    uint32_t rank = 0;
    if (slot &&
        exray_comparison_values(comparison, EXRAY_SIDE_EDGE, 0, EXRAY_KIND_INPUT, fit->pair, slot, &view,
                                &value, &ignored) == EXRAY_OK &&
        view.info.rank <= EXRAY_MAX_RANK) {
        rank = view.info.rank;
        memcpy(d, view.info.shape, rank * sizeof *d);
    }
    exray_slot_free(slot);
    return rank;
}

xr_input_form xr_form_by_shape(const xr_input_fit *fit, uint32_t rank, const int64_t *d)
{
    if (rank == 4)
        return d[1] > CHANNELS && d[3] > CHANNELS ? XR_IS_BANDS : XR_IS_PICTURE;
    if (rank == 3 && fit->values.picture)
        if (d[0] != 1 || (d[1] >= PICTURE_SIDE && d[2] >= PICTURE_SIDE))
            return XR_IS_PICTURE;
    if (rank == 3)
        return d[1] <= NARROW || d[2] <= NARROW ? XR_IS_NARROW_TABLE : XR_IS_TABLE;
    return rank == 2 ? XR_IS_TABLE : XR_IS_PICTURE;
}

xr_input_form xr_form_of(const exray_comparison *comparison, const xr_input_fit *fit)
{
    int64_t d[EXRAY_MAX_RANK];
    const uint32_t rank = xr_edge_shape(comparison, fit, d);
    return xr_form_by_shape(fit, rank, d);
}

/* Which dimension may be columns, the likeliest first: of a table the last one, of a picture of many bands
 * that of these.  Pictures of up to four channels have none (fit/input_fit.h judges these). */
static size_t list_axes(xr_input_form kind, uint32_t rank, const int64_t *d, uint32_t axes[2])
{
    size_t count = 0;
    if (kind == XR_IS_BANDS)
        axes[count++] = d[1] <= d[3] ? 1 : 3;
    if (kind == XR_IS_TABLE || kind == XR_IS_NARROW_TABLE)
        axes[count++] = rank - 1;
    if ((kind == XR_IS_TABLE || kind == XR_IS_NARROW_TABLE) && rank == 3)
        axes[count++] = 1;
    return count;
}

bool xr_report_columns(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings)
{
    int64_t d[EXRAY_MAX_RANK];
    const uint32_t rank = xr_edge_shape(comparison, fit, d);
    const xr_input_form kind = xr_form_by_shape(fit, rank, d);
    const char *name = kind == XR_IS_BANDS ? "channel" : "column";
    uint32_t axes[2];
    const size_t count = list_axes(kind, rank, d, axes);
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        xr_column_table t;
        xr_column_relation r;
        if (!xr_column_table_read(comparison, fit->pair, axes[i], &t))
            continue;
        found = xr_relate_columns(&t, &r);
        if (found && r.blank)
            report_blank(fit, &r, name, findings);
        if (found && r.moved)
            report_order(fit, &r, name, findings);
        if (found && r.mapped && !r.after_order)
            report_maps(fit, &r, &t, name, findings);
        if (found)
            xr_column_relation_free(&r);
        xr_column_table_free(&t);
    }
    return found;
}
