/* The byte budget: what a record costs, and which records there is still room for.
 *
 * A log that is one file keeps half of its budget for what tells most at least cost: frames, latencies,
 * system, readings, results, events.  Data of tensors (of constants, half as much) may take the first
 * quarter, statistics the second; what finds no room lowers the level of all that follows.  In the last
 * eighth only every 2nd frame is recorded, then every 4th, ...: the length of a run is unknown.
 *
 * A file that others follow (a series) needs none of that: the next one begins where this one is full. */
#ifndef XR_BUDGET_H
#define XR_BUDGET_H

#include "core/state.h"

/* How many bytes a file may have, beside what the head of a series takes in all of them. */
uint64_t xr_budget_of_file(const xr_budget *budget);
/* Begins a file of so many bytes, some of them spent. */
void xr_budget_begin(xr_recorder *r, uint64_t bytes, uint64_t spent);

#endif
