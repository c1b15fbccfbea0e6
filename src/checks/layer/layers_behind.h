/* Which layers read what others made, by the edge's graph. */
#ifndef XR_LAYERS_BEHIND_H
#define XR_LAYERS_BEHIND_H

#include <exray/assertion.h>

/* Whether a node reads more than it lists: a body may read what is outside, a variable is written elsewhere.
 */
bool xr_reads_more(const exray_node *node);

/* Marks all layers that read, maybe through others, what a marked one made; where the edge's log has no
 * model, all that follow.  layer: [layers of the comparison].  False: out of memory. */
bool xr_mark_behind(const exray_comparison *comparison, bool *layer);

#endif
