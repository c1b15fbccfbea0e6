/* Which nodes of the reference's model file compute a layer, from what the edge recorded. */
#ifndef XR_PLAN_H
#define XR_PLAN_H

#include "models/model_file.h"

#include <exray/assertion.h>

/* Where the edge recorded a tensor of the reference's model file. */
typedef struct xr_source {
    bool known;
    exray_kind kind; /* INPUT or LAYER */
    size_t pair;     /* among the comparison's of that kind */
} xr_source;

/* How the reference's model file corresponds to the comparison. */
typedef struct xr_plan {
    const exray_comparison *comparison;
    const xr_model_file *file;
    uint32_t *tensor_of;              /* [reference log's tensors]: the file's tensor, or EXRAY_NO_INDEX */
    xr_source *source;                /* [file's tensors] */
    uint32_t *producer;               /* [file's tensors]: the node of the main graph that computes it */
    exray_tensor_info *known;         /* [file's tensors]: types and shapes as logged */
    int64_t (*shape)[EXRAY_MAX_RANK]; /* [file's tensors]: shapes that only a record tells */
} xr_plan;

/* The file's tensor that is the log's tensor t, or EXRAY_NO_INDEX. */
uint32_t xr_find_tensor(const exray_model *file, const exray_model *log, uint32_t t);

/* False: out of memory. */
bool xr_plan_init(xr_plan *plan, const exray_comparison *comparison, const xr_model_file *file);
void xr_plan_free(xr_plan *plan);

enum { XR_BLOCK_MOST = 64 };

/* The nodes, ascending, that compute a layer's counterpart from tensors that the edge recorded: as few as
 * possible, or enough to contain `least` of the edge's layers.  Returns their number; 0: it cannot be cut
 * out, *why (constant text) says why. */
uint32_t xr_plan_block(const xr_plan *plan, size_t layer, uint32_t least, uint32_t nodes[XR_BLOCK_MOST],
                       const char **why);

/* Notes the shape of a tensor, as a record has it, where the file and the log's model leave it open. */
void xr_plan_settle(xr_plan *plan, uint32_t tensor, const exray_tensor_info *record);
/* Whether it is open. */
bool xr_plan_is_open(const xr_plan *plan, uint32_t tensor);

/* The edge's other nodes between a layer and what `sources` tell (what the block that computes it reads):
 * what the reference computes in that block.  Returns their number, at most XR_BLOCK_MOST. */
uint32_t xr_plan_edge_nodes(const xr_plan *plan, size_t layer, const xr_source *sources, uint32_t count,
                            uint32_t nodes[XR_BLOCK_MOST]);

/* Whether one of the nodes keeps values from run to run: a variable, the state of a recurrent layer. */
bool xr_plan_keeps_state(const xr_plan *plan, const uint32_t *nodes, uint32_t count);

#endif
