/* From what the walk over a log found to its frames. */
#ifndef XR_INDEX_FRAMES_H
#define XR_INDEX_FRAMES_H

#include "log/index_state.h"

/* Sorts frames and records into the log's tables.  False: out of memory. */
bool xr_index_frames(xr_builder *b);

#endif
