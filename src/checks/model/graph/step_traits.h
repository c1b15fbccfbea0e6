/* What a step's attributes come to, in the same terms for every format: the padding in rows and columns
 * that SAME means here, the epsilon that runs, the axis by what lies along it. */
#ifndef XR_STEP_TRAITS_H
#define XR_STEP_TRAITS_H

#include "checks/model/graph/step_graph.h"
#include "checks/model/graph/trait_list.h"

/* Whether the node's place of channels is the last of four dimensions. */
typedef enum xr_layout_of { XR_LAYOUT_UNKNOWN, XR_CHANNELS_FIRST, XR_CHANNELS_LAST } xr_layout_of;

xr_layout_of xr_step_layout(const xr_step_graph *graph, const xr_op_step *step);

/* Only what is known for certain is listed. */
void xr_step_traits_of(xr_step_graph *graph, const xr_op_step *step, xr_traits *out);

/* The traits that both have, with different values: their number; places in `a` and `b` at which[i][0] and
 * [1].  Those that cannot change a result (padding that is counted where there is none) are left out. */
size_t xr_traits_differ(const xr_traits *a, const xr_traits *b, size_t which[XR_TRAITS][2]);

/* "1,1,0,0", or the text, or the name. */
void xr_trait_words(const xr_trait *trait, char *text, size_t size);

#endif
