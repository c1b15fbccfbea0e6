/* Weights of LSTMs and GRUs, whose gates every framework stacks in an order of its own. */
#ifndef XR_GATES_H
#define XR_GATES_H

#include "checks/model/weight_constant.h"

enum { XR_MOST_GATE_PARTS = 4 };

/* How a constant, or its part, stacks gates: `gates` blocks of `hidden` rows; or of columns, where they are
 * last. */
typedef struct xr_gate_layout {
    uint32_t gates;
    const char *order;  /* a letter for each: i(nput) f(orget) c(ell) o(utput); r(eset) z (update) h(idden) */
    const char *sorted; /* the order that xr_gates_sort gives */
    uint64_t hidden, columns;
    uint64_t offset; /* where the part begins */
    bool last;       /* [columns][gates x hidden] */
} xr_gate_layout;

/* False: it is no weight or bias of a recurrent node, or of a framework that is not known. */
bool xr_gate_layout_of(const exray_model *model, const xr_node_constant *constant, xr_gate_layout *out);

/* In how many parts other frameworks have it: a part for each direction, and of ONNX's biases two. */
uint32_t xr_gate_parts(const exray_model *model, const xr_node_constant *constant);

/* What a weight multiplies with. */
typedef struct xr_gate_place {
    uint32_t direction; /* and layer, where a node has several: they count on in the same order */
    bool of_state;      /* else of the inputs */
} xr_gate_place;

/* The place of a recurrent node's weight, or of its biases where they are not added up; false: it is none (a
 * peephole), or not known. */
bool xr_gate_place_of(const exray_model *model, const xr_node_constant *constant, xr_gate_place *out);

/* Joins a constant with others of its node where `other`, the model of the other side, has them in one:
 * TFLite's constants of a gate each, against stacked ones; two biases against their sum.  False: it is one of
 * those others, and not to be listed. */
bool xr_gates_join(const exray_model *model, const exray_model *other, xr_node_constant *constant);

/* Copies the part's values, gates in the order "ifco" (of peepholes "ifo") or "rzh": [gates x
 * hidden][columns]. */
void xr_gates_sort(const xr_gate_layout *layout, const float *values, float *out);

/* Which gates differ by more: a bit for each, in sorted order. */
unsigned xr_gates_that_differ(const xr_gate_layout *layout, const float *const values[2], double within);

/* Whether one side's gates are the other's in another order: values as xr_gates_sort gives them, `within` the
 * largest rms difference of a gate that is the same. */
bool xr_gates_are_exchanged(const xr_gate_layout *layout, const float *const values[2], double within);

#endif
