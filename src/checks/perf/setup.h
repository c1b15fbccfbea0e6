/* What the two sides ran on and with: whether their times may be compared. */
#ifndef XR_SETUP_H
#define XR_SETUP_H

#include <exray/assertion.h>

/* Equal, and not empty. */
bool xr_same_text(const char *a, const char *b);

/* Whether both models ran by the same engine, version and kernels with as many threads; what neither names
 * counts as the same. */
bool xr_is_same_runtime(const exray_model *a, const exray_model *b);

/* Whether both logs name the same processor, or neither names one. */
bool xr_is_same_processor(const exray_comparison *comparison);

/* Both logs come from one machine, as far as they say. */
bool xr_is_same_host(const exray_comparison *comparison);

/* Whether each layer should take the same share of time on both sides: the same engine, kernels, processor,
 * threads and model file. */
bool xr_is_same_setup(const exray_comparison *comparison);

/* Whether the logs tell nothing by which the times of the two would differ: one host, engine, number of
 * threads and graph; kernels that neither names count as the same. */
bool xr_tells_same_setup(const exray_comparison *comparison);

/* Whether the edge runs the engine's reference kernels, and the reference does not. */
bool xr_runs_reference_kernels(const exray_comparison *comparison);

/* Partitions of a side's model that a delegate runs. */
size_t xr_partitions(const exray_comparison *comparison, exray_side side);

/* Processors that a side's process could use; 0: not recorded. */
uint32_t xr_processors(const exray_comparison *comparison, exray_side side);

/* How many times slower the edge's inference is: by the median and by the least, whichever is smaller, as
 * other programs delay some frames but not all.  NAN: not known. */
double xr_times_slower(const exray_comparison *comparison);

#endif
