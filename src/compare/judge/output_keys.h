/* How outputs are read, as a log says it: the keys `output:` of a pipeline in its metadata (output.head,
 * output.threshold, ...), the letters and anchors that are attached to it. */
#ifndef XR_OUTPUT_KEYS_H
#define XR_OUTPUT_KEYS_H

#include "base/anchors.h"

#include <exray/log.h>
#include <exray/task.h>

/* The options borrow from it. */
typedef struct xr_output_keys_read {
    exray_task_options options;
    bool any;   /* the log has keys */
    bool whole; /* output.seen: the input shows the whole upright picture, so that a place in it is one in the
                   picture */
    char head[16], boxes[40];
    char *letters; /* their bytes, each line ends with a zero */
    const char **label;
    xr_anchors anchors;
} xr_output_keys_read;

/* Those of both logs, by exray_side; a side that has none is read by those of the other, as outputs of one
 * model are, with its own label offset where it has one.  Numbers out of range and damaged files are as if
 * they were not there.  NULL: out of memory. */
xr_output_keys_read *xr_output_keys_of(const exray_log *const log[2]);
void xr_output_keys_free(xr_output_keys_read *keys); /* both */

#endif
