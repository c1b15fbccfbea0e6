/* TensorFlow Lite's functions, looked up at run time. */
#ifndef XR_TFLITE_SYMBOLS_H
#define XR_TFLITE_SYMBOLS_H

#include "engines/tflite/tflite_c.h"

#include <exray/exray.h>

/* X(result, Name, OlderName, arguments) for the function TfLiteName; OlderName
 * is what versions before a renaming call it. */

/* What the tap needs. */
#define XR_TFLITE_TAP_FUNCTIONS(X)                                                                           \
    X(const char *, Version, Version, (void))                                                                \
    X(TfLiteDelegate *, OpaqueDelegateCreate, OpaqueDelegateCreate, (const TfLiteOpaqueDelegateBuilder *))   \
    X(void, OpaqueDelegateDelete, OpaqueDelegateDelete, (TfLiteDelegate *))                                  \
    X(void, InterpreterOptionsAddDelegate, InterpreterOptionsAddDelegate,                                    \
      (TfLiteInterpreterOptions *, TfLiteDelegate *))                                                        \
    X(void, InterpreterOptionsSetTelemetryProfiler, InterpreterOptionsSetTelemetryProfiler,                  \
      (TfLiteInterpreterOptions *, TfLiteTelemetryProfilerStruct *))                                         \
    X(TfLiteStatus, OpaqueContextGetExecutionPlan, OpaqueContextGetExecutionPlan,                            \
      (TfLiteOpaqueContext *, TfLiteIntArray **))                                                            \
    X(TfLiteStatus, OpaqueContextGetNodeAndRegistration, OpaqueContextGetNodeAndRegistration,                \
      (TfLiteOpaqueContext *, int, TfLiteOpaqueNode **, TfLiteOperator **))                                  \
    X(TfLiteStatus, OpaqueContextGetInputs, OpaqueContextGetInputs,                                          \
      (const TfLiteOpaqueContext *, const int **, int *))                                                    \
    X(TfLiteStatus, OpaqueContextGetOutputs, OpaqueContextGetOutputs,                                        \
      (const TfLiteOpaqueContext *, const int **, int *))                                                    \
    X(size_t, OpaqueContextGetNumNodes, OpaqueContextGetNumNodes, (const TfLiteOpaqueContext *))             \
    X(size_t, OpaqueContextGetNumTensors, OpaqueContextGetNumTensors, (const TfLiteOpaqueContext *))         \
    X(TfLiteOpaqueTensor *, OpaqueContextGetOpaqueTensor, OpaqueContextGetOpaqueTensor,                      \
      (const TfLiteOpaqueContext *, int))                                                                    \
    X(TfLiteStatus, OpaqueContextAcquireSubgraphContext, OpaqueContextAcquireSubgraphContext,                \
      (TfLiteOpaqueContext *, int, TfLiteOpaqueContext **))                                                  \
    X(TfLiteStatus, OpaqueContextReleaseSubgraphContext, OpaqueContextReleaseSubgraphContext,                \
      (TfLiteOpaqueContext *, int))                                                                          \
    X(TfLiteStatus, OpaqueNodeInputs, OpaqueNodeInputs, (const TfLiteOpaqueNode *, const int **, int *))     \
    X(TfLiteStatus, OpaqueNodeOutputs, OpaqueNodeOutputs, (const TfLiteOpaqueNode *, const int **, int *))   \
    X(void *, OpaqueNodeGetBuiltinData, OpaqueNodeGetBuiltinData, (const TfLiteOpaqueNode *))                \
    X(int, OperatorGetBuiltInCode, RegistrationExternalGetBuiltInCode, (const TfLiteOperator *))             \
    X(const char *, OperatorGetCustomName, RegistrationExternalGetCustomName, (const TfLiteOperator *))      \
    X(int, OpaqueTensorType, OpaqueTensorType, (const TfLiteOpaqueTensor *))                                 \
    X(int32_t, OpaqueTensorNumDims, OpaqueTensorNumDims, (const TfLiteOpaqueTensor *))                       \
    X(int32_t, OpaqueTensorDim, OpaqueTensorDim, (const TfLiteOpaqueTensor *, int32_t))                      \
    X(TfLiteStatus, OpaqueTensorGetNumDimsSignature, OpaqueTensorGetNumDimsSignature,                        \
      (const TfLiteOpaqueTensor *, int32_t *))                                                               \
    X(TfLiteStatus, OpaqueTensorGetDimSignature, OpaqueTensorGetDimSignature,                                \
      (const TfLiteOpaqueTensor *, int32_t, int32_t *))                                                      \
    X(size_t, OpaqueTensorByteSize, OpaqueTensorByteSize, (const TfLiteOpaqueTensor *))                      \
    X(void *, OpaqueTensorData, OpaqueTensorData, (const TfLiteOpaqueTensor *))                              \
    X(int, OpaqueTensorGetAllocationType, OpaqueTensorGetAllocationType, (const TfLiteOpaqueTensor *))       \
    X(const char *, OpaqueTensorName, OpaqueTensorName, (const TfLiteOpaqueTensor *))                        \
    X(TfLiteQuantization, OpaqueTensorGetQuantization, OpaqueTensorGetQuantization,                          \
      (const TfLiteOpaqueTensor *))

/* What a session needs besides. */
#define XR_TFLITE_SESSION_FUNCTIONS(X)                                                                       \
    X(TfLiteModel *, ModelCreateWithErrorReporter, ModelCreateWithErrorReporter,                             \
      (const void *, size_t, XrTfLiteErrorReporter, void *))                                                 \
    X(void, ModelDelete, ModelDelete, (TfLiteModel *))                                                       \
    X(TfLiteInterpreterOptions *, InterpreterOptionsCreate, InterpreterOptionsCreate, (void))                \
    X(void, InterpreterOptionsDelete, InterpreterOptionsDelete, (TfLiteInterpreterOptions *))                \
    X(void, InterpreterOptionsSetNumThreads, InterpreterOptionsSetNumThreads,                                \
      (TfLiteInterpreterOptions *, int32_t))                                                                 \
    X(void, InterpreterOptionsSetErrorReporter, InterpreterOptionsSetErrorReporter,                          \
      (TfLiteInterpreterOptions *, XrTfLiteErrorReporter, void *))                                           \
    X(TfLiteInterpreter *, InterpreterCreate, InterpreterCreate,                                             \
      (const TfLiteModel *, const TfLiteInterpreterOptions *))                                               \
    X(void, InterpreterDelete, InterpreterDelete, (TfLiteInterpreter *))                                     \
    X(TfLiteStatus, InterpreterAllocateTensors, InterpreterAllocateTensors, (TfLiteInterpreter *))           \
    X(TfLiteStatus, InterpreterResizeInputTensor, InterpreterResizeInputTensor,                              \
      (TfLiteInterpreter *, int32_t, const int *, int32_t))                                                  \
    X(TfLiteStatus, InterpreterInvoke, InterpreterInvoke, (TfLiteInterpreter *))                             \
    X(int32_t, InterpreterGetInputTensorCount, InterpreterGetInputTensorCount, (const TfLiteInterpreter *))  \
    X(TfLiteTensor *, InterpreterGetInputTensor, InterpreterGetInputTensor,                                  \
      (const TfLiteInterpreter *, int32_t))                                                                  \
    X(int32_t, InterpreterGetOutputTensorCount, InterpreterGetOutputTensorCount,                             \
      (const TfLiteInterpreter *))                                                                           \
    X(const TfLiteTensor *, InterpreterGetOutputTensor, InterpreterGetOutputTensor,                          \
      (const TfLiteInterpreter *, int32_t))                                                                  \
    X(TfLiteStatus, TensorCopyFromBuffer, TensorCopyFromBuffer, (TfLiteTensor *, const void *, size_t))

/* Where the library exports XNNPACK. */
#define XR_TFLITE_XNNPACK_FUNCTIONS(X)                                                                       \
    X(TfLiteXNNPackDelegateOptions, XNNPackDelegateOptionsDefault, XNNPackDelegateOptionsDefault, (void))    \
    X(TfLiteDelegate *, XNNPackDelegateCreate, XNNPackDelegateCreate,                                        \
      (const TfLiteXNNPackDelegateOptions *))                                                                \
    X(void, XNNPackDelegateDelete, XNNPackDelegateDelete, (TfLiteDelegate *))

/* NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration takes none */
#define XR_TFLITE_MEMBER(result, name, older, arguments) result(*name) arguments;
typedef struct xr_tflite_tap_api {
    XR_TFLITE_TAP_FUNCTIONS(XR_TFLITE_MEMBER)
} xr_tflite_tap_api;
typedef struct xr_tflite_session_api {
    XR_TFLITE_SESSION_FUNCTIONS(XR_TFLITE_MEMBER)
} xr_tflite_session_api;
typedef struct xr_tflite_xnnpack_api {
    XR_TFLITE_XNNPACK_FUNCTIONS(XR_TFLITE_MEMBER)
} xr_tflite_xnnpack_api;
#undef XR_TFLITE_MEMBER

/* Fill a table from a dlopen handle; NULL: the program and what it is linked
 * with.  EXRAY_E_ENGINE where one is missing: the message names the first such
 * symbol, the library's version and file, and the version that is needed. */
exray_status xr_tflite_find_tap(void *library, xr_tflite_tap_api *api, exray_error *error);
exray_status xr_tflite_find_session(void *library, xr_tflite_session_api *api, exray_error *error);
exray_status xr_tflite_find_xnnpack(void *library, xr_tflite_xnnpack_api *api, exray_error *error);

/* The library's version ("2.17.1"; "" if unknown) and the file that it
 * was loaded from ("" if unknown), for messages and the log. */
void xr_tflite_identify(void *library, char version[32], char path[1024]);

#endif
