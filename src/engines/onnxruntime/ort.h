/* The part of ONNX Runtime's C interface that exray uses, declared by ourselves: wheels
 * carry no header.  OrtApi is a table of functions that is only ever appended to, so a
 * function is known by its position, whatever the version of the library. */
#ifndef XR_ORT_H
#define XR_ORT_H

#include <exray/types.h>

typedef struct OrtEnv OrtEnv;
typedef struct OrtStatus OrtStatus;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtValue OrtValue;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;

/* GraphOptimizationLevel */
enum { XR_ORT_LEVEL_NONE = 0, XR_ORT_LEVEL_EXTENDED = 2, XR_ORT_LEVEL_ALL = 99 };
enum { XR_ORT_LOG_ERROR = 3 };
enum { XR_ORT_DEVICE_ALLOCATOR = 0, XR_ORT_DEFAULT_MEMORY = 0 };

/* X(position in OrtApi, result, name, arguments) */
#define XR_ORT_FUNCTIONS(X)                                                                                  \
    X(2, const char *, GetErrorMessage, (const OrtStatus *))                                                 \
    X(3, OrtStatus *, CreateEnv, (int level, const char *id, OrtEnv **))                                     \
    X(8, OrtStatus *, CreateSessionFromArray,                                                                \
      (const OrtEnv *, const void *model, size_t size, const OrtSessionOptions *, OrtSession **))            \
    X(9, OrtStatus *, Run,                                                                                   \
      (OrtSession *, const OrtRunOptions *, const char *const *input_names, const OrtValue *const *inputs,   \
       size_t input_count, const char *const *output_names, size_t output_count, OrtValue **outputs))        \
    X(10, OrtStatus *, CreateSessionOptions, (OrtSessionOptions **))                                         \
    X(11, OrtStatus *, SetOptimizedModelFilePath, (OrtSessionOptions *, const char *path))                   \
    X(12, OrtStatus *, CloneSessionOptions, (const OrtSessionOptions *, OrtSessionOptions **))               \
    X(15, OrtStatus *, DisableProfiling, (OrtSessionOptions *))                                              \
    X(22, OrtStatus *, SetSessionLogSeverityLevel, (OrtSessionOptions *, int level))                         \
    X(23, OrtStatus *, SetSessionGraphOptimizationLevel, (OrtSessionOptions *, int level))                   \
    X(24, OrtStatus *, SetIntraOpNumThreads, (OrtSessionOptions *, int threads))                             \
    X(30, OrtStatus *, SessionGetInputCount, (const OrtSession *, size_t *))                                 \
    X(31, OrtStatus *, SessionGetOutputCount, (const OrtSession *, size_t *))                                \
    X(33, OrtStatus *, SessionGetInputTypeInfo, (const OrtSession *, size_t, OrtTypeInfo **))                \
    X(34, OrtStatus *, SessionGetOutputTypeInfo, (const OrtSession *, size_t, OrtTypeInfo **))               \
    X(36, OrtStatus *, SessionGetInputName, (const OrtSession *, size_t, OrtAllocator *, char **))           \
    X(37, OrtStatus *, SessionGetOutputName, (const OrtSession *, size_t, OrtAllocator *, char **))          \
    X(39, OrtStatus *, CreateRunOptions, (OrtRunOptions **))                                                 \
    X(49, OrtStatus *, CreateTensorWithDataAsOrtValue,                                                       \
      (const OrtMemoryInfo *, void *data, size_t size, const int64_t *shape, size_t rank, int type,          \
       OrtValue **))                                                                                         \
    X(50, OrtStatus *, IsTensor, (const OrtValue *, int *))                                                  \
    X(51, OrtStatus *, GetTensorMutableData, (OrtValue *, void **))                                          \
    X(53, OrtStatus *, GetStringTensorDataLength, (const OrtValue *, size_t *))                              \
    X(54, OrtStatus *, GetStringTensorContent,                                                               \
      (const OrtValue *, void *text, size_t size, size_t *offsets, size_t count))                            \
    X(55, OrtStatus *, CastTypeInfoToTensorInfo, (const OrtTypeInfo *, const OrtTensorTypeAndShapeInfo **))  \
    X(60, OrtStatus *, GetTensorElementType, (const OrtTensorTypeAndShapeInfo *, int *))                     \
    X(61, OrtStatus *, GetDimensionsCount, (const OrtTensorTypeAndShapeInfo *, size_t *))                    \
    X(62, OrtStatus *, GetDimensions, (const OrtTensorTypeAndShapeInfo *, int64_t *, size_t))                \
    X(65, OrtStatus *, GetTensorTypeAndShape, (const OrtValue *, OrtTensorTypeAndShapeInfo **))              \
    X(69, OrtStatus *, CreateCpuMemoryInfo, (int allocator, int memory, OrtMemoryInfo **))                   \
    X(71, OrtStatus *, MemoryInfoGetName, (const OrtMemoryInfo *, const char **))                            \
    X(76, OrtStatus *, AllocatorFree, (OrtAllocator *, void *))                                              \
    X(78, OrtStatus *, GetAllocatorWithDefaultOptions, (OrtAllocator **))                                    \
    X(92, void, ReleaseEnv, (OrtEnv *))                                                                      \
    X(93, void, ReleaseStatus, (OrtStatus *))                                                                \
    X(94, void, ReleaseMemoryInfo, (OrtMemoryInfo *))                                                        \
    X(95, void, ReleaseSession, (OrtSession *))                                                              \
    X(96, void, ReleaseValue, (OrtValue *))                                                                  \
    X(97, void, ReleaseRunOptions, (OrtRunOptions *))                                                        \
    X(98, void, ReleaseTypeInfo, (OrtTypeInfo *))                                                            \
    X(99, void, ReleaseTensorTypeAndShapeInfo, (OrtTensorTypeAndShapeInfo *))                                \
    X(100, void, ReleaseSessionOptions, (OrtSessionOptions *))                                               \
    X(194, OrtStatus *, GetTensorMemoryInfo, (const OrtValue *, const OrtMemoryInfo **))                     \
    X(415, OrtStatus *, RunOptionsEnableProfiling, (OrtRunOptions *, const char *prefix))

typedef struct xr_ort_api {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration takes none */
#define XR_ORT_MEMBER(position, result, name, arguments) result(*name) arguments;
    XR_ORT_FUNCTIONS(XR_ORT_MEMBER)
#undef XR_ORT_MEMBER
    char version[32]; /* of the library */
} xr_ort_api;

/* The version of the interface that exray uses, and the library's first release with it. */
enum { XR_ORT_API_VERSION = 29 };
#define XR_ORT_TESTED "1.32.0"

typedef void (*xr_ort_function)(void);

/* What OrtGetApiBase returns. */
typedef struct OrtApiBase {
    const xr_ort_function *(*GetApi)(uint32_t version);
    const char *(*GetVersionString)(void);
} OrtApiBase;

/* Fills the table.  EXRAY_E_ENGINE: the library is too old, the message has its version and the one that is
 * needed. */
exray_status xr_ort_fill(const OrtApiBase *base, xr_ort_api *api, exray_error *error);

/* Fills error with a failed call's message, frees the status; EXRAY_OK where there is none. */
exray_status xr_ort_check(const xr_ort_api *api, OrtStatus *status, const char *what, exray_error *error);

exray_status xr_ort_no_memory(exray_error *error);

/* The optimization level of a name such as "default" (NULL, too); false: no such name. */
bool xr_ort_level(const char *kernels, int *level);

/* How sessions are made. */
typedef struct xr_ort_making {
    const OrtEnv *env;
    const OrtSessionOptions *options; /* cloned; NULL: ONNX Runtime's own, on the processor */
    int level;
    unsigned threads;  /* 0: as the options have it */
    const char *saved; /* where ONNX Runtime writes the graph that it made; NULL: nowhere */
} xr_ort_making;

/* A session of a model in memory. */
exray_status xr_ort_create(const xr_ort_api *api, const xr_ort_making *how, const void *model, size_t size,
                           OrtSession **out, exray_error *error);

/* The arguments of OrtApi.Run. */
typedef struct xr_ort_call {
    OrtSession *session;
    const OrtRunOptions *options;
    const char *const *input_name;
    const OrtValue *const *input;
    size_t input_count;
    const char *const *output_name;
    size_t output_count;
    OrtValue **output;
} xr_ort_call;

OrtStatus *xr_ort_run(const xr_ort_api *api, const xr_ort_call *call);

/* A tensor's current shape, type and bytes; false: its elements have no fixed size, or are not in the
 * processor's memory. */
bool xr_ort_describe(const xr_ort_api *api, const OrtValue *value, exray_tensor_info *info,
                     int64_t shape[EXRAY_MAX_RANK], const void **data, size_t *size);

/* The element types of ONNX and of exray, both ways; UNSPECIFIED, 0: none. */
exray_dtype xr_ort_dtype(int type);
int xr_ort_type(exray_dtype dtype);

#endif
