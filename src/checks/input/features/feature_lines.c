#include "checks/input/features/feature_lines.h"

#include "checks/input/features/feature_sounds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LEAST_CELLS = 12, /* from which a line of its own says something */
    LEAST_LINES = 4
};
/* The bins (of frames) that must have a line: others are constant on both sides. */
#define JUDGED 0.8

typedef struct line_fits {
    size_t count;              /* lines that were fitted */
    double rest, worst;        /* the variance that they leave together, and the worst, of that of all */
    double gain[2], offset[2]; /* the least and the greatest */
    double spread;             /* of the edge's values, within lines */
} line_fits;

static exray_finding *begin(const xr_feature_frames *n, exray_findings *findings, const char *cause,
                            double confidence)
{
    exray_finding *f = exray_findings_add(findings, cause, EXRAY_SEVERITY_ERROR, confidence);
    exray_finding_where(f, "input", n->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    return f;
}

static void end(const xr_feature_frames *n, exray_finding *f, const char *kind)
{
    exray_finding_detail(f, "Its features are %zu rows in time of %zu bins.", n->rows, n->bins);
    exray_finding_text(f, "kind", kind);
    exray_finding_number(f, "rows", (double)n->rows);
    exray_finding_number(f, "bins", (double)n->bins);
    exray_finding_number(f, "frames", (double)n->differing);
}

/* ---- Lines of their own --------------------------------------------------------------------------- */

/* What the lines belong to. */
typedef enum line_owner { OF_BINS, OF_FRAMES, OF_BINS_IN_FRAMES } line_owner;

static void add_cells(const xr_feature_frames *n, size_t frame, size_t bin, xr_feature_line *line)
{
    const xr_feature_frame *f = &n->list[frame];
    for (size_t r = 0; f->differs && r < n->rows; r++)
        xr_feature_line_add(line, f->side[0][r * n->bins + bin], f->side[1][r * n->bins + bin]);
}

static void note(line_fits *out, const xr_feature_line *line, double *left, double *all)
{
    const double variance = line->yy - line->y * line->y / line->n;
    double gain, offset;
    xr_feature_line_fit(line, &gain, &offset);
    const double shared = line->xy - line->x * line->y / line->n;
    const double rest = gain > 0 ? fmax(0, 1 - gain * shared / variance) : 1;
    *left += rest * variance, *all += variance;
    out->worst = fmax(out->worst, rest * variance / line->n);
    out->gain[0] = fmin(out->gain[0], gain), out->gain[1] = fmax(out->gain[1], gain);
    out->offset[0] = fmin(out->offset[0], offset), out->offset[1] = fmax(out->offset[1], offset);
    out->count++;
}

/* A line that can be fitted: both sides vary, by more than the last digits of floats. */
static bool varies(const xr_feature_line *l)
{
    const double x = l->xx / l->n - (l->x / l->n) * (l->x / l->n),
                 y = l->yy / l->n - (l->y / l->n) * (l->y / l->n);
    return l->n >= LEAST_CELLS && x > 1e-9 * (l->xx / l->n) && y > 1e-9 * (l->yy / l->n);
}

static line_fits fit_lines(const xr_feature_frames *n, line_owner owner)
{
    line_fits out = {.gain = {INFINITY, -INFINITY}, .offset = {INFINITY, -INFINITY}};
    const size_t outer = owner == OF_BINS ? 1 : n->count, inner = owner == OF_FRAMES ? 1 : n->bins;
    double left = 0, all = 0, cells = 0;
    size_t wanted = 0;
    for (size_t o = 0; o < outer; o++)
        for (size_t i = 0; i < inner; i++) {
            xr_feature_line line = {0};
            for (size_t f = owner == OF_BINS ? 0 : o; f < (owner == OF_BINS ? n->count : o + 1); f++)
                for (size_t b = owner == OF_FRAMES ? 0 : i; b < (owner == OF_FRAMES ? n->bins : i + 1); b++)
                    add_cells(n, f, b, &line);
            if (line.n == 0)
                continue; /* of frames that do not differ */
            wanted++;
            cells += line.n;
            if (varies(&line))
                note(&out, &line, &left, &all);
        }
    out.rest = all > 0 ? left / all : 1;
    out.spread = cells > 0 ? sqrt(all / cells) : 0;
    out.worst = all > 0 ? out.worst / (all / cells) : 1;
    if ((double)out.count < JUDGED * (double)wanted || out.count < (owner == OF_FRAMES ? 2 : LEAST_LINES))
        out.rest = out.worst = 1;
    return out;
}

/* The two moments of a side's values in a line's place, and its greatest value: what normalization leaves the
 * same. */
typedef struct left_same {
    bool moments, greatest, mean;
} left_same;

static left_same what_is_same(const xr_feature_frames *n, int side, line_owner owner)
{
    left_same out = {true, true, true};
    double first = NAN;
    for (size_t i = 0; i < n->count; i++)
        for (size_t o = 0; n->list[i].differs && o < (owner == OF_FRAMES ? 1 : n->bins); o++) {
            const size_t from = owner == OF_FRAMES ? 0 : o, to = owner == OF_FRAMES ? n->bins : o + 1;
            double sum = 0, square = 0, most = -INFINITY, cells = 0;
            for (size_t r = 0; r < n->rows; r++)
                for (size_t b = from; b < to; b++) {
                    const double v = n->list[i].side[side][r * n->bins + b];
                    sum += v, square += v * v, most = fmax(most, v), cells++;
                }
            const double mean = sum / cells, deviation = sqrt(fmax(0, square / cells - mean * mean));
            first = isnan(first) ? most : first;
            out.mean = out.mean && fabs(mean) < 0.01 * deviation;
            out.moments = out.moments && fabs(mean) < 0.01 && fabs(deviation - 1) < 0.05;
            out.greatest = out.greatest && fabs(most - first) < 1e-4 * deviation;
        }
    return out;
}

/* What one side does that makes it so; NULL: not known. */
static const char *same_words(const left_same *same)
{
    return same->moments    ? "have the mean 0 and the deviation 1"
           : same->mean     ? "have the mean 0"
           : same->greatest ? "have one greatest value"
                            : NULL;
}

static void add_whose(const xr_feature_frames *n, line_owner owner, exray_finding *f)
{
    for (int s = 0; s < 2 && owner != OF_BINS; s++) {
        const left_same same = what_is_same(n, s, owner), other = what_is_same(n, !s, owner);
        const char *words = same_words(&same), *others = same_words(&other);
        if (words && words != others)
            exray_finding_detail(
                f, "The %s's values %s in each %s: they are normalized by what they are themselves.",
                s == EXRAY_SIDE_EDGE ? "edge" : "reference", words,
                owner == OF_FRAMES ? "frame" : "bin of each frame");
    }
}

static void report_lines(const xr_feature_frames *n, const line_fits *lines, line_owner owner,
                         exray_findings *findings)
{
    static const char *const kinds[] = {"own_bins", "own_frames", "own_bins_in_frames"};
    static const char *const words[] = {"each bin, the same in all frames", "each frame",
                                        "each bin in each frame"};
    const bool factors = lines->gain[1] - lines->gain[0] > 1e-3 * fabs(lines->gain[1]);
    const bool offsets = fmax(fabs(lines->offset[0]), fabs(lines->offset[1])) > 0.01 * lines->spread;
    char by[160] = "", offset[80] = "";
    if (offsets)
        snprintf(offset, sizeof offset, "%soffsets from %.3g to %.3g", factors ? " and " : "",
                 lines->offset[0], lines->offset[1]);
    if (factors)
        snprintf(by, sizeof by, "factors from %.3g to %.3g%s", lines->gain[0], lines->gain[1], offset);
    else
        snprintf(by, sizeof by, "%s", offset);
    exray_finding *f = begin(n, findings, "input.normalization", 0.9);
    exray_finding_summary(f, "The edge's features are the reference's by a line of its own for %s: %s.",
                          words[owner], by);
    exray_finding_detail(f, "No one line for all does; these leave %.2g of the variance.", lines->rest);
    if (owner == OF_BINS)
        exray_finding_detail(
            f, "So it is where one side leaves out, or has otherwise, %s.",
            offsets ? "a mean and a deviation for each bin (or the areas of the bank's triangles)"
                    : "a factor for each bin, as a lifter of cepstra or a bank's areas are");
    add_whose(n, owner, f);
    exray_finding_fix(
        f, "Normalize the features as the reference does: by the same constants, over the same values (all, "
           "each frame's, each bin's).");
    exray_finding_number(f, "gain_least", lines->gain[0]);
    exray_finding_number(f, "gain_most", lines->gain[1]);
    exray_finding_number(f, "offset_least", lines->offset[0]);
    exray_finding_number(f, "offset_most", lines->offset[1]);
    exray_finding_number(f, "residual_share", lines->rest);
    exray_finding_alternative(f, "input.features", owner == OF_BINS ? 0.3 : 0.1);
    end(n, f, kinds[owner]);
}

bool xr_report_own_lines(const xr_feature_frames *n, exray_findings *findings)
{
    for (int owner = OF_BINS; owner <= OF_BINS_IN_FRAMES; owner++) {
        const line_fits lines = fit_lines(n, (line_owner)owner);
        if (lines.rest > n->allowed || lines.worst > 25 * n->allowed)
            continue;
        report_lines(n, &lines, (line_owner)owner, findings);
        return true;
    }
    return false;
}

/* ---- Bins at other places ------------------------------------------------------------------------- */

static bool is_bin(const xr_feature_frames *n, size_t edge, size_t reference)
{
    for (size_t i = 0; i < n->count; i++)
        for (size_t r = 0; n->list[i].differs && r < n->rows; r++) {
            const float a = n->list[i].side[0][r * n->bins + edge],
                        b = n->list[i].side[1][r * n->bins + reference];
            if (!(fabsf(a - b) <= 1e-6F * fabsf(b) + (float)n->scale / 2))
                return false;
        }
    return true;
}

/* Whether a side's bin has one value in all rows of each frame; *value: the same in all frames, else NAN. */
static bool is_constant(const xr_feature_frames *n, int side, size_t bin, double *value)
{
    bool found = false;
    for (size_t i = 0; i < n->count; i++) {
        const float *v = n->list[i].side[side] + bin;
        for (size_t r = 1; n->list[i].differs && r < n->rows; r++)
            if (v[r * n->bins] != v[0])
                return false;
        if (n->list[i].differs)
            *value = !found || *value == (double)v[0] ? (double)v[0] + 0.0 : NAN;
        found = found || n->list[i].differs;
    }
    return found;
}

/* "0 to 12, 20" of the marked ones. */
static void list_places(const bool *marked, size_t count, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0, listed = 0; i < count && used < size; i++) {
        size_t last = i;
        if (!marked[i])
            continue;
        while (last + 1 < count && marked[last + 1])
            last++;
        int more = listed == 4 ? snprintf(text + used, size - used, ", ...")
                   : last == i
                       ? snprintf(text + used, size - used, "%s%zu", listed ? ", " : "", i)
                       : snprintf(text + used, size - used, "%s%zu to %zu", listed ? ", " : "", i, last);
        used += more > 0 ? (size_t)more : size;
        i = last;
        if (listed++ == 4)
            return;
    }
}

static bool report_order(const xr_feature_frames *n, const size_t *from, exray_findings *findings)
{
    enum { RUNS = 4 };
    char list[200] = "";
    size_t moved = 0, used = 0, runs = 0;
    for (size_t i = 0; i < n->bins; i++)
        moved += from[i] != i;
    for (size_t i = 0; i < n->bins && runs < RUNS && used < sizeof list; runs++) {
        size_t last = i;
        while (last + 1 < n->bins && from[last + 1] == from[last] + 1)
            last++;
        int more = snprintf(list + used, sizeof list - used, "%s%zu to %zu are the reference's %zu to %zu",
                            used ? ", " : "", i, last, from[i], from[last]);
        used += more > 0 ? (size_t)more : sizeof list;
        i = last + 1;
        if (i < n->bins && runs + 1 == RUNS && used < sizeof list)
            snprintf(list + used, sizeof list - used, ", ...");
    }
    exray_finding *f = begin(n, findings, "input.layout", 0.95);
    exray_finding_summary(
        f, "The edge's features are the reference's with their columns in another order: bins %s.", list);
    exray_finding_detail(f, "So in each frame that differs, value for value.");
    exray_finding_fix(
        f, "Put the parts of a row (static and delta features, stacked frames) together in the reference's "
           "order.");
    exray_finding_number(f, "bins_moved", (double)moved);
    exray_finding_alternative(f, "input.features", 0.2);
    end(n, f, "bins_exchanged");
    return true;
}

static bool report_part(const xr_feature_frames *n, const bool *differs, size_t count,
                        exray_findings *findings)
{
    double value[2] = {0, 0}, now = 0;
    bool constant[2] = {true, true};
    char list[120], one[40] = "";
    for (size_t b = 0, seen = 0; b < n->bins; b++) {
        for (int s = 0; s < 2 && differs[b]; s++) {
            constant[s] = constant[s] && is_constant(n, s, b, &now);
            value[s] = seen && now != value[s] ? NAN : now;
        }
        seen += differs[b];
    }
    const int side = constant[EXRAY_SIDE_EDGE] ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE;
    const bool missing = constant[0] != constant[1];
    list_places(differs, n->bins, list, sizeof list);
    exray_finding *f = begin(n, findings, "input.features", 0.9);
    if (missing && !isnan(value[side]))
        snprintf(one, sizeof one, ", %.4g", value[side] + 0.0);
    if (missing)
        exray_finding_summary(
            f, "Bins %s of %zu (from 0) of the %s's features are constant%s; all others are equal.", list,
            n->bins, side == EXRAY_SIDE_EDGE ? "edge" : "reference", one);
    else
        exray_finding_summary(
            f,
            "Bins %s of %zu (from 0) of the edge's features are computed otherwise; all others are "
            "equal.",
            list, n->bins);
    exray_finding_fix(
        f, "Compute these columns as the reference does (deltas, the energy, bins beyond a limit of the "
           "band).");
    exray_finding_number(f, "bins_differing", (double)count);
    if (missing) {
        exray_finding_number(f, "value", value[side]);
        exray_finding_alternative(f, "input.sample_rate", 0.15);
    }
    end(n, f, missing ? "bins_missing" : "bins_other");
    return true;
}

bool xr_report_bins(const xr_feature_frames *n, exray_findings *findings)
{
    enum { MOST_BINS = 512 };
    size_t *from = n->bins <= MOST_BINS ? calloc(n->bins, sizeof *from) : NULL;
    bool *differs = from ? calloc(n->bins, sizeof *differs) : NULL,
         *taken = differs ? calloc(n->bins, sizeof *taken) : NULL;
    size_t other = 0, placed = 0, reversed = 0;
    for (size_t b = 0; taken && b < n->bins; b++) {
        differs[b] = !is_bin(n, b, b);
        taken[b] = !differs[b];
        from[b] = b;
        other += differs[b];
    }
    for (size_t b = 0; taken && b < n->bins; b++) {
        if (!differs[b])
            continue;
        size_t k = 0;
        while (k < n->bins && (taken[k] || !is_bin(n, b, k)))
            k++;
        if (k == n->bins)
            break;
        from[b] = k, taken[k] = true, placed++;
        reversed += k == n->bins - 1 - b;
    }
    bool told = false;
    if (taken && n->differing && other >= 2 && placed == other && reversed < other)
        told = report_order(n, from, findings);
    else if (taken && n->differing && other > 0 && 4 * other <= 3 * n->bins)
        told = report_part(n, differs, other, findings);
    free(from);
    free(differs);
    free(taken);
    return told;
}

/* ---- Bins moved as a whole ------------------------------------------------------------------------ */

bool xr_report_moved_bins(const xr_feature_frames *n, exray_findings *findings)
{
    enum { MOST = 8 };
    for (long by = 1; by <= MOST && 2 * by <= (long)n->bins; by++)
        for (int sign = 1; sign >= -1; sign -= 2) {
            const long up = sign * by;
            long b = up > 0 ? up : 0;
            const long last = (long)n->bins + (up < 0 ? up : 0);
            while (b < last && is_bin(n, (size_t)b, (size_t)(b - up)))
                b++;
            if (b < last || n->differing == 0)
                continue;
            exray_finding *f = begin(n, findings, "input.features", 0.95);
            exray_finding_summary(
                f,
                "The edge's features are the reference's moved %s by %ld bin%s: its bin %ld is the "
                "reference's bin %ld, and so on.",
                up > 0 ? "up" : "down", by, by == 1 ? "" : "s", up > 0 ? by : 0, up > 0 ? 0 : by);
            exray_finding_detail(
                f, "So in each frame that differs, value for value, but for the %ld at the end.", by);
            exray_finding_fix(
                f, "Let rows begin with the same value: look for an energy or a first bin (of 0 Hz) that "
                   "one side puts before the others, or leaves out.");
            exray_finding_number(f, "bins_up", (double)up);
            exray_finding_alternative(f, "input.layout", 0.2);
            end(n, f, "bins_moved");
            return true;
        }
    return false;
}

/* ---- A part of a row late --------------------------------------------------------------------------- */

/* Whether the edge's values are the reference's of so many places before (after: negative). */
static bool is_shifted(const xr_feature_frames *n, long by)
{
    const long count = (long)(n->rows * n->bins);
    for (size_t i = 0; i < n->count; i++)
        for (long k = by > 0 ? by : 0; n->list[i].differs && k < count && k - by < count; k++) {
            const float a = n->list[i].side[0][k], b = n->list[i].side[1][k - by];
            if (!(fabsf(a - b) <= 1e-6F * fabsf(b) + (float)n->scale / 2))
                return false;
        }
    return n->differing > 0;
}

bool xr_report_part_of_row(const xr_feature_frames *n, exray_findings *findings)
{
    enum { LEAST_PART = 4, MOST_PARTS = 16 };
    for (size_t parts = 2; parts <= MOST_PARTS; parts++) {
        const long part = (long)(n->bins / parts);
        if (n->bins % parts || part < LEAST_PART)
            continue;
        for (long k = 1; k < (long)parts; k++)
            for (int sign = -1; sign < 2; sign += 2) {
                if (!is_shifted(n, sign * k * part))
                    continue;
                exray_finding *f = begin(n, findings, "input.delay", 0.95);
                exray_finding_summary(
                    f,
                    "The edge's features are %s by %ld of the %zu frames that are stacked in each row, "
                    "%ld values: the stack begins elsewhere.",
                    sign > 0 ? "late" : "early", k, parts, k * part);
                exray_finding_fix(
                    f, "Begin the first stack at the frame where the reference does (and repeat as many "
                       "frames before it).");
                exray_finding_number(f, "late_rows", (double)(sign * k) / (double)parts);
                exray_finding_number(f, "late_values", (double)(sign * k * part));
                end(n, f, "part_of_row");
                return true;
            }
    }
    return false;
}

/* ---- Rows that differ while others are equal -------------------------------------------------------- */

static bool is_row_equal(const xr_feature_frames *n, size_t row)
{
    for (size_t i = 0; i < n->count; i++)
        for (size_t k = row * n->bins; n->list[i].differs && k < (row + 1) * n->bins; k++) {
            const float a = n->list[i].side[0][k], b = n->list[i].side[1][k];
            if (!(fabsf(a - b) <= 1e-5F * (fabsf(b) + 1e-2F) + (float)n->scale / 2))
                return false;
        }
    return true;
}

/* Where rows differ: at the ends of the table alone, or in runs of one length that begin as far apart. */
typedef enum row_pattern { ROWS_SOME, ROWS_AT_ENDS, ROWS_IN_CHUNKS } row_pattern;

static row_pattern pattern_of(const bool *differs, size_t rows, size_t *every)
{
    enum { LEAST_RUNS = 3, AT_ENDS = 8 };
    const size_t end = rows / AT_ENDS > 1 ? rows / AT_ENDS : 1;
    size_t runs = 0, before = 0, length = 0;
    bool ends = true, even = true;
    for (size_t r = 0; r < rows; r++) {
        ends = ends && (!differs[r] || r < end || r + end >= rows);
        if (!differs[r] || (r > 0 && differs[r - 1]))
            continue;
        size_t now = 1;
        while (r + now < rows && differs[r + now])
            now++;
        if (runs == 1)
            *every = r - before;
        even = even && (runs == 0 || now == length) && (runs < 2 || r - before == *every);
        before = r, length = now;
        runs++;
    }
    return ends ? ROWS_AT_ENDS : even && runs >= LEAST_RUNS ? ROWS_IN_CHUNKS : ROWS_SOME;
}

bool xr_report_rows(const xr_feature_frames *n, exray_findings *findings)
{
    enum { LEAST_EQUAL = 2 };
    bool *differs = calloc(n->rows + 1, sizeof *differs);
    size_t other = 0, every = 0;
    char list[120];
    for (size_t r = 0; differs && r < n->rows; r++)
        other += differs[r] = !is_row_equal(n, r);
    if (!differs || other == 0 || n->rows - other < LEAST_EQUAL) {
        free(differs);
        return false;
    }
    const row_pattern pattern = 2 * other <= n->rows ? pattern_of(differs, n->rows, &every) : ROWS_SOME;
    list_places(differs, n->rows, list, sizeof list);
    free(differs);
    exray_finding *f = begin(n, findings, pattern == ROWS_SOME ? "input.unknown" : "input.features", 0.85);
    exray_finding_summary(f, "Rows %s of %zu (from 0) of the edge's features differ; all others are equal.",
                          list, n->rows);
    if (pattern == ROWS_AT_ENDS)
        exray_finding_detail(
            f, "The windows at the ends see other samples: zeros or the mirrored sound around it, or what "
               "lies beyond.");
    else if (pattern == ROWS_IN_CHUNKS)
        exray_finding_detail(
            f,
            "They begin every %zu rows: windows that reach back beyond a chunk see other samples there, "
            "such as silence for the end of the chunk before.",
            every);
    exray_finding_fix(
        f, pattern == ROWS_AT_ENDS ? "Pad the sound in the same way on both sides (pipeline: `center`)."
           : pattern == ROWS_IN_CHUNKS
               ? "Keep the end of each chunk for the windows of the next."
               : "Look at how these rows are computed: what the front end keeps from row to row, and what it "
                 "begins with.");
    exray_finding_number(f, "rows_differing", (double)other);
    if (pattern == ROWS_IN_CHUNKS) {
        exray_finding_number(f, "every", (double)every);
        exray_finding_alternative(f, "model.state", 0.15);
    }
    end(n, f, pattern == ROWS_AT_ENDS ? "ends" : pattern == ROWS_IN_CHUNKS ? "chunks" : "rows");
    return true;
}
