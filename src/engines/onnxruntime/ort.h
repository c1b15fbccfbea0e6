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
    X(55, OrtStatus *, CastTypeInfoToTensorInfo, (const OrtTypeInfo *, const OrtTensorTypeAndShapeInfo **))  \
    X(60, OrtStatus *, GetTensorElementType, (const OrtTensorTypeAndShapeInfo *, int *))                     \
    X(61, OrtStatus *, GetDimensionsCount, (const OrtTensorTypeAndShapeInfo *, size_t *))                    \
    X(62, OrtStatus *, GetDimensions, (const OrtTensorTypeAndShapeInfo *, int64_t *, size_t))                \
    X(65, OrtStatus *, GetTensorTypeAndShape, (const OrtValue *, OrtTensorTypeAndShapeInfo **))              \
    X(69, OrtStatus *, CreateCpuMemoryInfo, (int allocator, int memory, OrtMemoryInfo **))                   \
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
    X(415, OrtStatus *, RunOptionsEnableProfiling, (OrtRunOptions *, const char *prefix))

typedef struct xr_ort_api {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration takes none */
#define XR_ORT_MEMBER(position, result, name, arguments) result(*name) arguments;
    XR_ORT_FUNCTIONS(XR_ORT_MEMBER)
#undef XR_ORT_MEMBER
    char version[32]; /* of the library */
} xr_ort_api;

/* The version of the interface that we are written for, and the library that brought it. */
enum { XR_ORT_API_VERSION = 29 };
#define XR_ORT_TESTED "1.32.0"

/* Fills the table from a dlopen handle.  EXRAY_E_ENGINE: it is too old, the message says
 * what it is and what is needed. */
exray_status xr_ort_find(void *library, xr_ort_api *api, exray_error *error);

/* Loads the library as library.h says; a dlopen handle or NULL, error filled. */
void *xr_ort_open_library(const char *wanted, exray_error *error);

/* The element types of ONNX and of exray, both ways; UNSPECIFIED, 0: none. */
exray_dtype xr_ort_dtype(int type);
int xr_ort_type(exray_dtype dtype);

#endif
