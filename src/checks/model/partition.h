/* Nodes that run within others: those of a delegate's partition. */
#ifndef XR_PARTITION_H
#define XR_PARTITION_H

#include <exray/log.h>

/* Whether the node, or one of those within it, reads the tensor; that a whole partition reads it does not
 * count. */
bool xr_partition_reads(const exray_node *node, uint32_t tensor);

/* The node that reads (makes) the tensor, whatever it runs within; NULL: none. */
const exray_node *xr_reader_within(const exray_model *model, uint32_t tensor);
const exray_node *xr_maker_within(const exray_model *model, uint32_t tensor);

/* Whether a model runs graphs of its own (loops, branches), whose weights the log may not list. */
bool xr_has_bodies(const exray_model *model);

#endif
