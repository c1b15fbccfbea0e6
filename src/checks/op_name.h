/* What an op is, whatever the engine calls it; words in names. */
#ifndef XR_OP_NAME_H
#define XR_OP_NAME_H

#include <stdbool.h>

/* Whether the op is the one of that name in lower case without underscores ("logsoftmax").  Engines
 * differ in case and underscores, and ONNX's 8-bit ops have a prefix: LOG_SOFTMAX, LogSoftmax,
 * QLinearSoftmax.  op may be NULL. */
bool xr_is_op(const char *op, const char *name);

/* Whether a name has that word (in lower case, not empty) anywhere, in whatever case. */
bool xr_has_word(const char *name, const char *word);

#endif
