/* The operators of all engines in one vocabulary. */
#ifndef XR_STEP_WORDS_H
#define XR_STEP_WORDS_H

#include "checks/model/graph/op_steps.h"

/* The kind of step that an operator is, by its plain name (exray_node_plain_op), and the word for it: the
 * plain name itself where the table has none. */
xr_op_step_kind xr_step_kind_of(const char *plain, const char **word);

#endif
