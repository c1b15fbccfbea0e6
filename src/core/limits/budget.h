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

/* What a record costs from. */
typedef enum xr_share {
    XR_SHARE_FRAMES,
    XR_SHARE_HEAD, /* the model, attachments, metadata */
    XR_SHARE_STATS,
    XR_SHARE_DATA,
    XR_SHARE_CONSTANTS, /* their data */
} xr_share;

/* Begins a file of so many bytes, some of them spent. */
void xr_budget_begin(xr_recorder *r, uint64_t bytes, uint64_t spent);
/* How many bytes a file of the series may have, beside what its head takes in all of them. */
uint64_t xr_budget_of_file(const xr_budget *budget);
/* Something at the head of each file cost so much. */
void xr_budget_head(xr_recorder *r, uint64_t cost);
/* What a message of that size costs on its channel. */
uint64_t xr_budget_cost(const xr_recorder *r, uint32_t channel, uint64_t size);
/* Whether there would be room for it in an empty file. */
bool xr_budget_could(const xr_recorder *r, xr_share share, uint64_t cost);
/* Whether there is room for it, and (spend) takes it. */
bool xr_budget_allows(const xr_recorder *r, xr_share share, uint64_t cost);
void xr_budget_spend(xr_recorder *r, xr_share share, uint64_t cost);
/* A record found no room: lowers the level, and tells so. */
void xr_budget_refused(xr_recorder *r, xr_share share, uint64_t cost);
/* Whether the frame that begins is recorded. */
bool xr_budget_keeps_frame(xr_recorder *r, uint64_t index);

#endif
