/* Which layers read what others made, by the edge's graph. */
#ifndef XR_LAYERS_BEHIND_H
#define XR_LAYERS_BEHIND_H

#include <exray/assertion.h>

/* Whether a node reads more than it lists: a body may read what is outside, a variable is written elsewhere.
 */
bool xr_reads_more(const exray_node *node);

/* Whether the nearest compared layers that a layer is computed from on the edge are those of the reference,
 * in the same order where it matters.  Else an input of it is another one, however right each layer before it
 * is. True where that is not known. */
bool xr_reads_alike(const exray_comparison *comparison, size_t layer);

/* Marks all layers that read, maybe through others, what a marked one made; where the edge's log has no
 * model, all that follow.  layer: [layers of the comparison].  False: out of memory. */
bool xr_mark_behind(const exray_comparison *comparison, bool *layer);

/* The same of those that read what a node of the edge's model makes, and of the node's own. */
bool xr_mark_behind_node(const exray_comparison *comparison, uint32_t node, bool *layer);

#endif
