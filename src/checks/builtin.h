/* X(name): every built-in assertion, in the order of the data's way.  Each is one
 * file that defines xr_assertion_NAME and uses the public header alone. */
#ifndef XR_BUILTIN_H
#define XR_BUILTIN_H

#include "checks.h"

#define XR_BUILTIN_ASSERTIONS(X)                                                                             \
    X(input_channel_order)                                                                                   \
    X(input_normalization)                                                                                   \
    X(input_unknown)                                                                                         \
    X(layer_nan)                                                                                             \
    X(layer_unknown)                                                                                         \
    X(output_postprocess)                                                                                    \
    X(log_truncated)

#define XR_BUILTIN_DECLARE(name) extern const exray_assertion xr_assertion_##name;
XR_BUILTIN_ASSERTIONS(XR_BUILTIN_DECLARE)
#undef XR_BUILTIN_DECLARE

#endif
