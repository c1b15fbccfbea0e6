/* Values that one side told in steps: whole numbers, tens, the levels of 8 bits. */
#ifndef XR_VECTOR_STEPS_H
#define XR_VECTOR_STEPS_H

#include "checks/told/stages/stage_series.h"

/* Of all values together: what is told in larger steps than that may change what follows from it. */
#define XR_LARGEST_ROUNDING 0.01

typedef struct xr_vector_steps {
    exray_side side; /* that told them in steps */
    double step;
    bool cut;     /* to the next lower step, or towards 0; else to the nearest */
    double error; /* root of the squared difference by that of the reference's values, of all frames */
    size_t lost,
        row; /* a place of each row whose values that leaves nothing of, of `row` places; row 0: none */
} xr_vector_steps;

/* Whether every value of one side is a multiple of a step, the other's are not, and they are that near each
 * other: noise is what the outputs behind them differ by, relative.  Places of a row that hold values of
 * other kinds (a box's corners, its score) are judged each by its own values, too: what is small in all of
 * them may be all that one has.  *found; false: out of memory. */
bool xr_vector_steps_find(const xr_stage_series *series, double noise, xr_vector_steps *out, bool *found);

#endif
