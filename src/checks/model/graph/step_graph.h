/* A model's graph as the steps that it computes, in the same terms whatever wrote it: fused operators are
 * taken apart, functions of single elements are put together to one step each, and what changes no number
 * (types, quantization, dropout) is left out. */
#ifndef XR_STEP_GRAPH_H
#define XR_STEP_GRAPH_H

#include "checks/model/graph/op_steps.h"

/* The log has a model, and so has that of the other side: what it has one operator for is put together.
 * False: out of memory. */
bool xr_step_graph_open(const exray_log *log, const exray_log *other, xr_step_graph *out);
void xr_step_graph_close(xr_step_graph *graph);

/* Computes the function that tensor `tensor` is of tensor `from` (its root, or one between), for `count` of
 * the latter's values.  False: out of memory, or it is none. */
bool xr_step_graph_compute(const xr_step_graph *graph, uint32_t from, uint32_t tensor, const double *value,
                           size_t count, double *out);

/* The functions that the function of a tensor is made of, one after another, as far as they have names: a
 * ReLU and what follows it.  `part`: their tensors, the last is `tensor` itself.  Returns how many. */
enum { XR_FUNCTION_PARTS = 6 };
size_t xr_step_graph_parts(const xr_step_graph *graph, uint32_t tensor, uint32_t part[XR_FUNCTION_PARTS]);

/* The operators that the function of a tensor is made of, in turn, with their numbers: "Mul 4, Cast, Tanh".
 * False: they are too many to list. */
bool xr_step_graph_operators(const xr_step_graph *graph, uint32_t tensor, char *text, size_t size);

/* The tensor's description, or NULL for one that a fused operator hides. */
const exray_tensor_info *xr_step_graph_info(const xr_step_graph *graph, uint32_t tensor);

/* The tensor that one has the numbers of in another type (quantized, cast); EXRAY_NO_INDEX: it is computed.
 */
uint32_t xr_step_graph_unpacked(const xr_step_graph *graph, uint32_t tensor);

/* The tensor whose values one has in another shape alone, or itself: an optimizer that makes products of
 * matrices gives each such a copy of what it reads. */
uint32_t xr_step_graph_before_shapes(const xr_step_graph *graph, uint32_t tensor);

/* The step's constant of the most elements: its weights; EXRAY_NO_INDEX: none has `fewest` or more. */
uint32_t xr_step_largest_constant(const xr_step_graph *graph, const xr_op_step *step, uint64_t fewest);

/* Whether a step is a framework's layer with weights of its own (an attention, a block), or runs a graph of
 * its own (a loop): what it is made of is not known. */
bool xr_step_is_whole(const xr_op_step *step);

/* The name that a step is known by: its tensor's, else its node's. */
const char *xr_step_name(const xr_step_graph *graph, const xr_op_step *step);

#endif
