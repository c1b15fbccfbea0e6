/* X(name): every built-in assertion, in the order in which data pass through the model.  Each
 * is one file that defines xr_assertion_NAME. */
#ifndef XR_BUILTIN_H
#define XR_BUILTIN_H

#include <exray/assertion.h>

#include <string.h>

#define XR_BUILTIN_ASSERTIONS(X)                                                                             \
    X(input_order)                                                                                           \
    X(input)                                                                                                 \
    X(model_state)                                                                                           \
    X(model_mode)                                                                                            \
    X(model_version)                                                                                         \
    X(model_weights)                                                                                         \
    X(model_operator)                                                                                        \
    X(layer_nan)                                                                                             \
    X(layer_per_tensor_weights)                                                                              \
    X(layer_range)                                                                                           \
    X(layer_constant)                                                                                        \
    X(layer_precision)                                                                                       \
    X(layer_kernel)                                                                                          \
    X(layer_unknown)                                                                                         \
    X(output_order)                                                                                          \
    X(output_frame_order)                                                                                    \
    X(output_label_offset)                                                                                   \
    X(output_labels)                                                                                         \
    X(output_activation)                                                                                     \
    X(output_dequantization)                                                                                 \
    X(output_box_format)                                                                                     \
    X(output_postprocess)                                                                                    \
    X(output_shape)                                                                                          \
    X(perf_application)                                                                                      \
    X(perf_straggler)                                                                                        \
    X(perf_fallback)                                                                                         \
    X(perf_frames)                                                                                           \
    X(perf_memory_growth)                                                                                    \
    X(perf_dropped)                                                                                          \
    X(log_perturbed)                                                                                         \
    X(log_truncated)                                                                                         \
    X(log_incomplete)

/* For "%.*s": the name of a fused layer lists all its parts; this prints the first. */
#define XR_SHORT_NAME(name) (int)strcspn((name), ";"), (name)

#define XR_BUILTIN_DECLARE(name) extern const exray_assertion xr_assertion_##name;
XR_BUILTIN_ASSERTIONS(XR_BUILTIN_DECLARE)
#undef XR_BUILTIN_DECLARE

#endif
