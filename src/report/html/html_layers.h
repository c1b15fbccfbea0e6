/* The columns of the layer charts, and what table and details show of a layer as well. */
#ifndef XR_HTML_LAYERS_H
#define XR_HTML_LAYERS_H

#include "report/html/page.h"

/* Inputs, then layers, then outputs. */
typedef struct xr_columns {
    size_t inputs, layers, outputs, count;
} xr_columns;
xr_columns xr_columns_of(const exray_comparison *comparison);

typedef struct xr_column {
    const char *name, *op;
    uint32_t node; /* of the edge; EXRAY_NO_INDEX: an input or output of the model */
    exray_layer_role role;
    double error, low, high, noise; /* as in exray_layer_pair; low and high are its bounds */
    const exray_metrics *metrics;
    const exray_layer_pair *layer; /* NULL: an input or output */
} xr_column;
xr_column xr_column_get(const exray_comparison *comparison, const xr_columns *columns, size_t i);

/* The magnitude up to which values are shown: where a few layers have values far beyond all others, such as
 * the -3e38 that stands for minus infinity in a mask, the others would be flattened by them.  `beyond` (or
 * NULL): how many columns reach further. */
double xr_shown_magnitude(const exray_comparison *comparison, const xr_columns *columns, size_t *beyond);

/* A layer's node as the name of its column: those that `step` divides; else NULL.  It is valid until the next
 * call. */
const char *xr_node_number(const exray_layer_pair *layer, size_t step);

/* The tensor that a layer writes, from the side's model; NULL: no model in the log. */
const exray_tensor_info *xr_stored_tensor(const exray_comparison *comparison, const exray_layer_pair *layer,
                                          exray_side side);
/* The values that the edge's integer tensor can hold; false: it is none, or quantized by channel. */
bool xr_storable(const exray_comparison *comparison, const exray_layer_pair *layer, double *low,
                 double *high);

#endif
