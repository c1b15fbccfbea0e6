/* Values of tensors, for functions that are computed from them; and what those share. */
#ifndef XR_VALUE_ARRAY_H
#define XR_VALUE_ARRAY_H

#include <exray/types.h>

/* Values in C order, owned. */
typedef struct xr_array {
    float *value; /* NULL: there is none, an input that is left out */
    uint64_t count;
    uint32_t rank;
    int64_t shape[EXRAY_MAX_RANK];
} xr_array;

/* Room for a shape; false: out of memory, or more than 2^27 elements. */
bool xr_array_make(xr_array *out, uint32_t rank, const int64_t *shape);
void xr_array_free(xr_array *array);

/* The shape that two broadcast to; false: they do not. */
bool xr_broadcast_shape(const xr_array *a, const xr_array *b, uint32_t *rank, int64_t shape[EXRAY_MAX_RANK]);

/* An attribute that is a number. */
double xr_function_number(const exray_node *node, const char *key, double otherwise);

#endif
