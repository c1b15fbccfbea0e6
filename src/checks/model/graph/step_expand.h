/* Nodes as steps: one each, or several where an operator is fused of several. */
#ifndef XR_STEP_EXPAND_H
#define XR_STEP_EXPAND_H

#include "checks/model/graph/step_graph.h"

/* Memory that is freed all at once. */
typedef struct step_memory {
    struct memory_block *block;
    bool failed;
} step_memory;

void *xr_step_take(step_memory *memory, size_t count, size_t size);
void xr_step_memory_free(step_memory *memory);

/* Fills raw, raw_count, tensor_count of a graph whose model is set; marks constants in `constant`
 * ([model->tensor_count]) as it goes.  False: out of memory. */
bool xr_step_expand(xr_step_graph *graph, bool *constant);

#endif
