/* The part of LiteRT's C API that is used here, as version 2.3.0 has it.  No
 * registry ships its headers; what dlsym finds is checked at run time, and so is
 * the version.  Handles are opaque; a status of 0 is success. */
#ifndef XR_LITERT_C_H
#define XR_LITERT_C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int LiteRtStatus;

typedef struct LiteRtEnvironmentT *LiteRtEnvironment;
typedef struct LiteRtModelT *LiteRtModel;
typedef struct LiteRtOptionsT *LiteRtOptions;
typedef struct LiteRtOpaqueOptionsT *LiteRtOpaqueOptions;
typedef struct LiteRtCompiledModelT *LiteRtCompiledModel;
typedef struct LiteRtSignatureT *LiteRtSignature;
typedef struct LiteRtTensorT *LiteRtTensor;
typedef struct LiteRtTensorBufferT *LiteRtTensorBuffer;
typedef struct LiteRtTensorBufferRequirementsT *LiteRtTensorBufferRequirements;
typedef struct LiteRtProfilerT *LiteRtProfiler;

enum { XR_LITERT_CPU = 1 }; /* a bit of LiteRtHwAccelerators */

enum { XR_LITERT_LOCK_READ = 0, XR_LITERT_LOCK_WRITE = 1 };

enum { XR_LITERT_ENV_ACCELERATORS = 24, XR_LITERT_ENV_LOGGER = 25 };

enum { XR_LITERT_ANY_INT = 2 };

enum { XR_LITERT_SEVERITY_ERROR = 3 };

typedef struct LiteRtEnvOption {
    int tag;
    struct {
        int type;
        union {
            bool as_bool;
            int64_t as_int;
            double as_real;
            const void *as_pointer;
        } value;
    } value;
} LiteRtEnvOption;

enum { XR_LITERT_MAX_RANK = 8 };

typedef struct LiteRtLayout {
    uint32_t rank_and_flags; /* rank: the low seven bits */
    int32_t dims[XR_LITERT_MAX_RANK];
    uint32_t strides[XR_LITERT_MAX_RANK];
} LiteRtLayout;

typedef struct LiteRtRankedTensorType {
    int32_t element_type; /* numbered as TfLiteType */
    LiteRtLayout layout;
} LiteRtRankedTensorType;

enum {
    XR_LITERT_OPERATOR_EVENT = 2, /* a node: metadata1 is its index in the graph */
    XR_LITERT_DELEGATE_EVENT = 8, /* an operator within a delegate; its start is not told */
};

typedef struct LiteRtProfilerEvent {
    const char *tag;
    int32_t type;
    uint64_t start_us, elapsed_us;
    uint64_t memory[2][3];
    uint64_t metadata1, metadata2; /* node, subgraph */
    int32_t source;
} LiteRtProfilerEvent;

/* X(result, name, arguments): every function that a session needs. */
#define XR_LITERT_FUNCTIONS(X)                                                                               \
    X(LiteRtStatus, CreateEnvironment, (int count, const LiteRtEnvOption *options, LiteRtEnvironment *made)) \
    X(void, DestroyEnvironment, (LiteRtEnvironment environment))                                             \
    X(LiteRtStatus, CreateModelFromBuffer,                                                                   \
      (LiteRtEnvironment environment, const void *data, size_t size, LiteRtModel *made))                     \
    X(void, DestroyModel, (LiteRtModel model))                                                               \
    X(LiteRtStatus, CreateOptions, (LiteRtOptions * made))                                                   \
    X(void, DestroyOptions, (LiteRtOptions options))                                                         \
    X(LiteRtStatus, SetOptionsHardwareAccelerators, (LiteRtOptions options, int set))                        \
    X(LiteRtStatus, CreateOpaqueOptions,                                                                     \
      (const char *identifier, void *payload, void (*free_payload)(void *), LiteRtOpaqueOptions *made))      \
    X(LiteRtStatus, AddOpaqueOptions, (LiteRtOptions options, LiteRtOpaqueOptions opaque))                   \
    X(LiteRtStatus, CreateCompiledModel,                                                                     \
      (LiteRtEnvironment environment, LiteRtModel model, LiteRtOptions options, LiteRtCompiledModel * made)) \
    X(void, DestroyCompiledModel, (LiteRtCompiledModel model))                                               \
    X(LiteRtStatus, GetNumModelSignatures, (LiteRtModel model, size_t * count))                              \
    X(LiteRtStatus, GetModelSignature, (LiteRtModel model, size_t index, LiteRtSignature * signature))       \
    X(LiteRtStatus, GetNumSignatureInputs, (LiteRtSignature signature, size_t * count))                      \
    X(LiteRtStatus, GetNumSignatureOutputs, (LiteRtSignature signature, size_t * count))                     \
    X(LiteRtStatus, GetSignatureInputTensorByIndex,                                                          \
      (LiteRtSignature signature, size_t index, LiteRtTensor * tensor))                                      \
    X(LiteRtStatus, GetSignatureOutputTensorByIndex,                                                         \
      (LiteRtSignature signature, size_t index, LiteRtTensor * tensor))                                      \
    X(LiteRtStatus, GetTensorIndex, (LiteRtTensor tensor, uint32_t * index))                                 \
    X(LiteRtStatus, GetRankedTensorType, (LiteRtTensor tensor, LiteRtRankedTensorType * type))               \
    X(LiteRtStatus, GetCompiledModelInputBufferRequirements,                                                 \
      (LiteRtCompiledModel model, size_t signature, size_t index,                                            \
       LiteRtTensorBufferRequirements * requirements))                                                       \
    X(LiteRtStatus, GetCompiledModelOutputBufferRequirements,                                                \
      (LiteRtCompiledModel model, size_t signature, size_t index,                                            \
       LiteRtTensorBufferRequirements * requirements))                                                       \
    X(LiteRtStatus, GetCompiledModelInputTensorLayout,                                                       \
      (LiteRtCompiledModel model, size_t signature, size_t index, LiteRtLayout * layout))                    \
    X(LiteRtStatus, GetCompiledModelOutputTensorLayouts,                                                     \
      (LiteRtCompiledModel model, size_t signature, size_t count, LiteRtLayout * layouts, bool allocate))    \
    X(LiteRtStatus, CreateManagedTensorBufferFromRequirements,                                               \
      (LiteRtEnvironment environment, const LiteRtRankedTensorType *type,                                    \
       LiteRtTensorBufferRequirements requirements, LiteRtTensorBuffer *made))                               \
    X(LiteRtStatus, GetTensorBufferTensorType, (LiteRtTensorBuffer buffer, LiteRtRankedTensorType * type))   \
    X(LiteRtStatus, GetTensorBufferSize, (LiteRtTensorBuffer buffer, size_t * size))                         \
    X(LiteRtStatus, LockTensorBuffer, (LiteRtTensorBuffer buffer, void **data, int mode))                    \
    X(LiteRtStatus, UnlockTensorBuffer, (LiteRtTensorBuffer buffer))                                         \
    X(void, DestroyTensorBuffer, (LiteRtTensorBuffer buffer))                                                \
    X(LiteRtStatus, RunCompiledModel,                                                                        \
      (LiteRtCompiledModel model, size_t signature, size_t input_count, LiteRtTensorBuffer * inputs,         \
       size_t output_count, LiteRtTensorBuffer * outputs))                                                   \
    X(LiteRtStatus, CompiledModelGetProfiler, (LiteRtCompiledModel model, LiteRtProfiler * profiler))        \
    X(LiteRtStatus, StartProfiler, (LiteRtProfiler profiler))                                                \
    X(LiteRtStatus, StopProfiler, (LiteRtProfiler profiler))                                                 \
    X(LiteRtStatus, ResetProfiler, (LiteRtProfiler profiler))                                                \
    X(LiteRtStatus, GetNumProfilerEvents, (LiteRtProfiler profiler, int *count))                             \
    X(LiteRtStatus, GetProfilerEvents, (LiteRtProfiler profiler, int count, LiteRtProfilerEvent *events))

typedef struct xr_litert_api {
#define XR_LITERT_MEMBER(result, name, arguments) result(*name) arguments;
    XR_LITERT_FUNCTIONS(XR_LITERT_MEMBER)
#undef XR_LITERT_MEMBER
} xr_litert_api;

#endif
