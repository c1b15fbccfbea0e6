#include "checks/input/where_different.h"

#include "checks/input/fit/pixel_view.h"
#include "checks/input/frames/frame_list.h"
#include "checks/input/frames/frame_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 256 };

/* Levels rms above which a frame, a row or a column differs: more than decoders and rounding explain. */
#define DIFFERS 1.5

/* Means of the squared differences, in levels, of each row and column in the frame where it is largest. */
typedef struct difference_map {
    double *row, *column;
    size_t rows, columns;
    bool *frame;              /* [matched frames] it differs */
    size_t frames, differing; /* that were looked at; that differ */
} difference_map;

/* Adds one frame; row and column have room for its means. */
static void add_frame(difference_map *m, const xr_input_fit *fit, size_t frame, const xr_pixel_view view[2],
                      const float *const values[2], double *row, double *column)
{
    const xr_channel_order *o = &fit->orders.list[fit->orders.used];
    size_t channels = view[0].channels < fit->values.channels ? view[0].channels : fit->values.channels;
    double all = 0, level = fit->level[EXRAY_SIDE_EDGE];
    memset(row, 0, m->rows * sizeof *row);
    memset(column, 0, m->columns * sizeof *column);
    for (size_t y = 0; y < m->rows; y++)
        for (size_t x = 0; x < m->columns; x++)
            for (size_t c = 0; c < channels; c++) {
                double e = xr_value_at(values[0], xr_element_place(&view[0], y, x, c));
                double r = xr_value_at(values[1], xr_element_place(&view[1], y, x, o->from[c]));
                double d = (fit->map.named ? e - o->map.gain[c] * r - o->map.offset[c] : e - r) / level;
                double square = isfinite(d) ? d * d / (double)channels : 0;
                row[y] += square / (double)m->columns;
                column[x] += square / (double)m->rows;
                all += square / (double)(m->rows * m->columns);
            }
    m->frame[frame] = sqrt(all) > DIFFERS;
    m->differing += m->frame[frame];
    m->frames++;
    for (size_t y = 0; y < m->rows; y++)
        m->row[y] = fmax(m->row[y], row[y]);
    for (size_t x = 0; x < m->columns; x++)
        m->column[x] = fmax(m->column[x], column[x]);
}

static bool read_views(const exray_comparison *comparison, const xr_input_fit *fit, size_t frame,
                       exray_slot *const slot[2], xr_pixel_view view[2], const float *values[2])
{
    exray_tensor_view tensor[2];
    return xr_pixel_sides_read(comparison, fit->pair, frame, slot, tensor, view, values) &&
           xr_is_same_size(&view[0], &view[1]) && view[0].channels <= XR_FIT_CHANNELS &&
           view[0].rows == fit->values.rows && view[0].columns == fit->values.columns;
}

static bool make_map(const exray_comparison *comparison, const xr_input_fit *fit, difference_map *m)
{
    size_t frames = exray_comparison_frame_count(comparison), rows = fit->values.rows,
           columns = fit->values.columns;
    *m = (difference_map){.row = calloc(rows + 1, sizeof *m->row),
                          .column = calloc(columns + 1, sizeof *m->column),
                          .rows = rows,
                          .columns = columns,
                          .frame = calloc(frames + 1, sizeof *m->frame)};
    double *row = calloc(rows + 1, sizeof *row), *column = calloc(columns + 1, sizeof *column);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    bool ok = m->row && m->column && m->frame && row && column && slot[0] && slot[1];
    for (size_t f = 0; ok && f < frames && f < MOST_FRAMES; f++) {
        xr_pixel_view view[2];
        const float *values[2];
        if (read_views(comparison, fit, f, slot, view, values))
            add_frame(m, fit, f, view, values, row, column);
    }
    free(row);
    free(column);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return ok && m->frames > 0;
}

/* "rows 10 to 49 of 96", "rows 0 to 9 and 80 to 95 of 96"; false: all of them, or none. */
static bool band_text(const double *lines, size_t count, const char *name, char *text, size_t size)
{
    size_t first = 0, end = count;
    while (first < count && sqrt(lines[first]) <= DIFFERS)
        first++;
    while (end > first && sqrt(lines[end - 1]) <= DIFFERS)
        end--;
    if (end <= first)
        return false;
    /* The widest gap between them. */
    size_t gap = first, width = 0;
    for (size_t i = first, run = 0; i < end; i++) {
        run = sqrt(lines[i]) <= DIFFERS ? run + 1 : 0;
        if (run > width)
            width = run, gap = i + 1 - run;
    }
    if (3 * width > count)
        snprintf(text, size, "%s %zu to %zu and %zu to %zu of %zu", name, first, gap - 1, gap + width,
                 end - 1, count);
    else if (end - first == count)
        return false;
    else if (end - first == 1)
        snprintf(text, size, "%.*s %zu of %zu", (int)strlen(name) - 1, name, first, count); /* row, column */
    else
        snprintf(text, size, "%s %zu to %zu of %zu", name, first, end - 1, count);
    return true;
}

static void say_map(const exray_comparison *comparison, const difference_map *m, exray_finding *finding)
{
    char rows[80], columns[80], list[256];
    bool by_rows = band_text(m->row, m->rows, "rows", rows, sizeof rows);
    bool by_columns = band_text(m->column, m->columns, "columns", columns, sizeof columns);
    if (by_rows || by_columns)
        exray_finding_detail(finding, "It lies in %s%s%s alone (counted from 0).", by_rows ? rows : "",
                             by_rows && by_columns ? " and " : "", by_columns ? columns : "");
    else
        exray_finding_detail(finding, "It lies all over the picture.");
    if (by_rows)
        exray_finding_text(finding, "rows", rows);
    if (by_columns)
        exray_finding_text(finding, "columns", columns);
    if (m->differing > 0 && m->differing < m->frames) {
        xr_list_frames(comparison, m->frame, list, sizeof list);
        exray_finding_detail(finding, "%zu of %zu frames differ by more than %.1f levels rms: %s.",
                             m->differing, m->frames, DIFFERS, list);
        exray_finding_text(finding, "frame_list", list);
        xr_say_reading(comparison, m->frame, finding);
    }
    exray_finding_number(finding, "frames_differing", (double)m->differing);
}

void xr_say_where(const exray_comparison *comparison, const xr_input_fit *fit, exray_finding *finding)
{
    difference_map m;
    if (!fit->values.picture || !fit->orders.count)
        return;
    if (make_map(comparison, fit, &m))
        say_map(comparison, &m, finding);
    free(m.row);
    free(m.column);
    free(m.frame);
}
