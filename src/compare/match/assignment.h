/* The best way to pair two lists, one with one. */
#ifndef XR_ASSIGNMENT_H
#define XR_ASSIGNMENT_H

#include <stdbool.h>
#include <stddef.h>

/* score[i * columns + j]: what pairing row i with column j is worth, any finite number.  Fills in
 * column_of[rows], SIZE_MAX where a row has none, so that as many as possible are paired and the sum of
 * their scores is the largest.  Takes rows * rows * columns steps.  False: out of memory. */
bool xr_assign(const double *score, size_t rows, size_t columns, size_t *column_of);

#endif
