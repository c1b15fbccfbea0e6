#include "checks/input/features/feature_row_order.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The lines of a table: its rows, or its columns. */
typedef struct table_lines {
    size_t count, length, step, next; /* values of a line; from one to the next in it; from line to line */
} table_lines;

static bool is_line(const table_lines *t, const xr_feature_frame *f, size_t edge, size_t reference)
{
    const float *a = f->side[EXRAY_SIDE_EDGE] + edge * t->next,
                *b = f->side[EXRAY_SIDE_REFERENCE] + reference * t->next;
    for (size_t i = 0; i < t->length; i++)
        if (a[i * t->step] != b[i * t->step])
            return false;
    return true;
}

/* Whether it is in each frame that differs: rows that are equal in one (silence) are told apart by others. */
static bool is_line_in_all(const table_lines *t, const xr_feature_frames *n, size_t edge, size_t reference)
{
    for (size_t k = 0; k < n->count; k++)
        if (n->list[k].differs && !is_line(t, &n->list[k], edge, reference))
            return false;
    return true;
}

/* from[line]: which of the reference's rows each of the edge's is, its own one where it may be; false: one is
 * none. */
static bool find_order(const table_lines *t, const xr_feature_frames *n, size_t *from)
{
    for (size_t i = 0; i < t->count; i++) {
        const bool own = is_line_in_all(t, n, i, i);
        from[i] = own ? i : 0;
        while (!own && from[i] < t->count && !is_line_in_all(t, n, i, from[i]))
            from[i]++;
        if (from[i] == t->count)
            return false;
    }
    return true;
}

static bool report_lines(const xr_feature_frames *n, const table_lines *t, const char *name,
                         exray_findings *findings)
{
    enum { LISTED = 6 };
    size_t *from = calloc(t->count + 1, sizeof *from), frames = 0, moved = 0, used = 0;
    char list[160] = "";
    bool found = from && t->length > 1 && find_order(t, n, from);
    for (size_t i = 0; i < n->count; i++)
        frames += n->list[i].differs;
    for (size_t i = 0; found && i < t->count; i++)
        if (from[i] != i && moved++ < LISTED && used < sizeof list) {
            int more = snprintf(list + used, sizeof list - used, "%s%s %zu has %s %zu", used ? ", " : "",
                                name, i, name, from[i]);
            used += more > 0 ? (size_t)more : sizeof list;
        }
    found = found && frames > 0 && moved >= 2 && 2 * moved <= t->count;
    if (found) {
        exray_finding *f = exray_findings_add(findings, "input.frame_order", EXRAY_SEVERITY_ERROR, 0.95);
        exray_finding_where(f, "input", n->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
        exray_finding_summary(f, "The edge's input has %zu of %zu %ss at the places of others: %s%s.", moved,
                              t->count, name, list, moved > LISTED ? ", ..." : "");
        exray_finding_detail(f, "So in each of %zu frames that differ, value for value.", frames);
        exray_finding_fix(
            f,
            "Write each %s at its own place: look at the index of the buffer of %ss, and at what "
            "writes to it at the same time.",
            name, name);
        exray_finding_text(f, "kind", "rows_exchanged");
        exray_finding_text(f, "lines", name);
        exray_finding_number(f, "rows_moved", (double)moved);
        exray_finding_number(f, "frames", (double)frames);
    }
    free(from);
    return found;
}

/* By how many lines a frame is turned, as a ring that is read from its first place on; 0: it is not. */
static size_t turn_of(const table_lines *t, const xr_feature_frame *f)
{
    for (size_t by = 1; by < t->count; by++) {
        size_t i = 0;
        while (i < t->count && is_line(t, f, i, (i + by) % t->count))
            i++;
        if (i == t->count)
            return by;
    }
    return 0;
}

/* Each frame that differs is turned, by numbers of its own. */
static bool report_ring(const xr_feature_frames *n, const table_lines *t, const char *name,
                        exray_findings *findings)
{
    size_t frames = 0, least = SIZE_MAX, most = 0;
    for (size_t i = 0; i < n->count; i++) {
        if (!n->list[i].differs)
            continue;
        const size_t by = t->length > 1 ? turn_of(t, &n->list[i]) : 0;
        if (by == 0)
            return false;
        least = by < least ? by : least, most = by > most ? by : most;
        frames++;
    }
    if (frames < 2 || least == most)
        return false;
    exray_finding *f = exray_findings_add(findings, "input.frame_order", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "input", n->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "In the edge's input the %ss are turned, as in a ring that is read from its first place "
        "and not from the oldest on: %s 0 is the reference's %s %zu in one frame, %zu in another.",
        name, name, name, least, most);
    exray_finding_detail(f, "So in each of %zu frames that differ, value for value.", frames);
    exray_finding_fix(f, "Begin at the oldest %s: at the ring's write index.", name);
    exray_finding_text(f, "kind", "ring");
    exray_finding_text(f, "lines", name);
    exray_finding_number(f, "turned_least", (double)least);
    exray_finding_number(f, "turned_most", (double)most);
    exray_finding_number(f, "frames", (double)frames);
    return true;
}

bool xr_report_row_order(const xr_feature_frames *n, exray_findings *findings)
{
    /* What is no table of features has two dimensions as well. */
    const bool as_stored = n->rows == 1 && n->dimensions == 2;
    const size_t count = as_stored ? n->size[0] : n->rows, length = as_stored ? n->size[1] : n->bins;
    const table_lines rows = {count, length, 1, length}, columns = {length, count, length, 1};
    const bool turned = n->dimensions == 2 && count != n->size[0]; /* against how it is stored */
    return report_lines(n, &rows, turned ? "column" : "row", findings) ||
           report_lines(n, &columns, turned ? "row" : "column", findings) ||
           report_ring(n, &rows, turned ? "column" : "row", findings) ||
           report_ring(n, &columns, turned ? "row" : "column", findings);
}
