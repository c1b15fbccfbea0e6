/* Shortest augmenting paths with potentials (Kuhn 1955; Jonker and Volgenant 1987): rows are added one by
 * one, each along the cheapest path of re-pairings. */
#include "compare/match/assignment.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct assign_work {
    const double *score;
    size_t rows, columns; /* rows <= columns */
    bool flipped;         /* the caller's columns are the rows here */
    double *of_row, *of_column, *least;
    size_t *row_of, *before; /* [columns + 1]: the last is where a path begins */
    bool *visited;
} assign_work;

static double cost(const assign_work *w, size_t row, size_t column)
{
    return w->flipped ? -w->score[column * w->rows + row] : -w->score[row * w->columns + column];
}

/* Lets the cheapest path grow by one column; returns that column. */
static size_t grow(assign_work *w, size_t at)
{
    size_t row = w->row_of[at], next = 0;
    double step = INFINITY;
    w->visited[at] = true;
    for (size_t j = 0; j < w->columns; j++) {
        if (w->visited[j])
            continue;
        double reduced = cost(w, row, j) - w->of_row[row] - w->of_column[j];
        if (reduced < w->least[j]) {
            w->least[j] = reduced;
            w->before[j] = at;
        }
        if (w->least[j] < step) {
            step = w->least[j];
            next = j;
        }
    }
    for (size_t j = 0; j <= w->columns; j++) {
        if (w->visited[j]) {
            w->of_row[w->row_of[j]] += step;
            w->of_column[j] -= step;
        } else
            w->least[j] -= step;
    }
    return next;
}

static void add_row(assign_work *w, size_t row)
{
    size_t at = w->columns;
    w->row_of[at] = row;
    for (size_t j = 0; j <= w->columns; j++) {
        w->least[j] = INFINITY;
        w->visited[j] = false;
    }
    do
        at = grow(w, at);
    while (w->row_of[at] != SIZE_MAX);
    while (at != w->columns) {
        size_t from = w->before[at];
        w->row_of[at] = w->row_of[from];
        at = from;
    }
}

bool xr_assign(const double *score, size_t rows, size_t columns, size_t *column_of)
{
    bool flipped = rows > columns;
    assign_work w = {.score = score,
                     .rows = flipped ? columns : rows,
                     .columns = flipped ? rows : columns,
                     .flipped = flipped};
    size_t room = w.columns + 1;
    w.of_row = calloc(room, sizeof *w.of_row);
    w.of_column = calloc(room, sizeof *w.of_column);
    w.least = calloc(room, sizeof *w.least);
    w.row_of = calloc(room, sizeof *w.row_of);
    w.before = calloc(room, sizeof *w.before);
    w.visited = calloc(room, sizeof *w.visited);
    bool ok = w.of_row && w.of_column && w.least && w.row_of && w.before && w.visited;
    for (size_t i = 0; i < rows; i++)
        column_of[i] = SIZE_MAX;
    for (size_t j = 0; ok && j <= w.columns; j++)
        w.row_of[j] = SIZE_MAX;
    for (size_t i = 0; ok && i < w.rows; i++)
        add_row(&w, i);
    for (size_t j = 0; ok && j < w.columns; j++)
        if (w.row_of[j] != SIZE_MAX) {
            if (flipped)
                column_of[j] = w.row_of[j];
            else
                column_of[w.row_of[j]] = j;
        }
    free(w.of_row);
    free(w.of_column);
    free(w.least);
    free(w.row_of);
    free(w.before);
    free(w.visited);
    return ok;
}
