/* What `exray info` prints of nodes that run others of the model: a delegate's. */
#ifndef XR_INFO_INNER_H
#define XR_INFO_INNER_H

#include <cjson/cJSON.h>
#include <exray/types.h>

/* One line for each such operator: how many nodes it has, and how often each operator is
 * inside.  `label_width` is the table's first column's. */
void xr_put_inner(const exray_model *model, int label_width);

/* An array of one entry for each such node, with all that it runs: op, name, and the names of
 * the tensors that go in and out (null where there is none).  The caller frees it. */
cJSON *xr_describe_inner(const exray_model *model);

#endif
