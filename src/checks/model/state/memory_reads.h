/* Layers that read what a model remembers: where its outputs are equal, they still show that it is another.
 */
#ifndef XR_MEMORY_READS_H
#define XR_MEMORY_READS_H

#include <exray/assertion.h>

/* Whether the layer reads a variable: it computes nothing, what it gives is what was remembered. */
bool xr_reads_variable(const exray_layer_pair *layer);

/* Whether some such layer differs: at all (exact: both sides compute to the last bit alike), or beyond its
 * noise. */
bool xr_memory_reads_differ(const exray_comparison *comparison, bool exact);

/* Sets differs[matched frame] where they do.  None is set where another layer differs before any of them, in
 * the order of frames and layers: what is remembered would follow from that.  False: out of memory. */
bool xr_memory_reads_find(const exray_comparison *comparison, bool exact, bool *differs);

#endif
