/* The time of each node of a TensorFlow Lite interpreter that Python has: exray.litert.tap(). */
#ifndef XR_NODE_TIMES_H
#define XR_NODE_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nodes of one interpreter, observed.  It lives until the process ends, as the interpreter may call it until
 * it is deleted. */
typedef struct xr_py_times xr_py_times;

/* Makes one.  output_count: [count] how many outputs each node of the primary subgraph has, by index; -1: it
 * is not executed.  A graph that differs is left alone.  NULL: out of memory. */
xr_py_times *xr_py_times_new(const int32_t *output_count, size_t count);

/* The TfLiteDelegate to give to the interpreter, which then replaces no node, but observes all. */
void *xr_py_times_delegate(xr_py_times *times);

/* Whether it observes: the interpreter has shown the nodes that were announced. */
bool xr_py_times_ready(const xr_py_times *times);

/* Begins a run; what was noted before is forgotten.  `on`: note times from now on. */
void xr_py_times_begin(xr_py_times *times, bool on);

/* What ran since, in order: indexes of nodes, begin and duration in nanoseconds of the monotonic clock.
 * Returns how many, `most` at most. */
size_t xr_py_times_read(const xr_py_times *times, uint32_t *node, uint64_t *start_ns, uint64_t *duration_ns,
                        size_t most);

#endif
