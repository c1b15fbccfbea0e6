/* The part of TensorFlow Lite's C interface that exray uses, declared by
 * ourselves: no registry ships headers of the versions in use, and everything is
 * looked up at run time (symbols.h), so that one build works with any of them.
 * Facts: the C API of TensorFlow Lite 2.14 to 2.20. */
#ifndef XR_TFLITE_C_H
#define XR_TFLITE_C_H

#include "models/tflite_types.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct TfLiteModel TfLiteModel;
typedef struct TfLiteInterpreterOptions TfLiteInterpreterOptions;
typedef struct TfLiteInterpreter TfLiteInterpreter;
typedef struct TfLiteTensor TfLiteTensor;
typedef struct TfLiteDelegate TfLiteDelegate; /* opaque delegates are passed as such, too */
typedef struct TfLiteOpaqueContext TfLiteOpaqueContext;
typedef struct TfLiteOpaqueNode TfLiteOpaqueNode;
typedef struct TfLiteOpaqueTensor TfLiteOpaqueTensor; /* the same object as a TfLiteTensor */
typedef struct TfLiteOperator TfLiteOperator;
typedef struct TfLiteTelemetrySettings TfLiteTelemetrySettings;

typedef enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 } TfLiteStatus;

/* TfLiteAllocationType: where a tensor's data lives. */
enum { XR_TFLITE_MMAP_RO = 1, XR_TFLITE_PERSISTENT_RO = 5 };

typedef struct TfLiteIntArray {
    int size;
    int data[];
} TfLiteIntArray;

typedef struct TfLiteFloatArray {
    int size;
    float data[];
} TfLiteFloatArray;

enum { XR_TFLITE_AFFINE_QUANTIZATION = 1 };

/* Returned by value. */
typedef struct TfLiteQuantization {
    int type;
    void *params; /* TfLiteAffineQuantization where type says so */
} TfLiteQuantization;

typedef struct TfLiteAffineQuantization {
    TfLiteFloatArray *scale;
    TfLiteIntArray *zero_point;
    int32_t quantized_dimension;
} TfLiteAffineQuantization;

enum { XR_TFLITE_DELEGATE_ALLOWS_DYNAMIC_TENSORS = 1 };

typedef struct TfLiteOpaqueDelegateBuilder {
    void *data;
    TfLiteStatus (*Prepare)(TfLiteOpaqueContext *context, TfLiteDelegate *delegate, void *data);
    TfLiteStatus (*CopyFromBufferHandle)(TfLiteOpaqueContext *context, TfLiteDelegate *delegate, void *data,
                                         int handle, TfLiteOpaqueTensor *tensor);
    TfLiteStatus (*CopyToBufferHandle)(TfLiteOpaqueContext *context, TfLiteDelegate *delegate, void *data,
                                       int handle, TfLiteOpaqueTensor *tensor);
    void (*FreeBufferHandle)(TfLiteOpaqueContext *context, TfLiteDelegate *delegate, void *data, int *handle);
    int64_t flags;
} TfLiteOpaqueDelegateBuilder;

/* What the kernel of a delegate gets at its Init, and what the builtin data of its node are. */
typedef struct TfLiteDelegateParams {
    TfLiteDelegate *delegate;
    TfLiteIntArray *nodes_to_replace;
    TfLiteIntArray *input_tensors;
    TfLiteIntArray *output_tensors;
} TfLiteDelegateParams;

/* The same, of an opaque delegate. */
typedef struct TfLiteOpaqueDelegateParams {
    TfLiteDelegate *delegate;
    void *delegate_data; /* the builder's `data` */
    TfLiteIntArray *nodes_to_replace;
    TfLiteIntArray *input_tensors;
    TfLiteIntArray *output_tensors;
} TfLiteOpaqueDelegateParams;

/* Every function must be set: the library calls them unchecked. */
typedef struct TfLiteTelemetryProfilerStruct TfLiteTelemetryProfilerStruct;
struct TfLiteTelemetryProfilerStruct {
    void *data;
    void (*ReportTelemetryEvent)(TfLiteTelemetryProfilerStruct *self, const char *name, uint64_t status);
    void (*ReportTelemetryOpEvent)(TfLiteTelemetryProfilerStruct *self, const char *name, int64_t op,
                                   int64_t subgraph, uint64_t status);
    void (*ReportSettings)(TfLiteTelemetryProfilerStruct *self, const char *name,
                           const TfLiteTelemetrySettings *settings);
    uint32_t (*ReportBeginOpInvokeEvent)(TfLiteTelemetryProfilerStruct *self, const char *op_name, int64_t op,
                                         int64_t subgraph);
    void (*ReportEndOpInvokeEvent)(TfLiteTelemetryProfilerStruct *self, uint32_t handle);
    void (*ReportOpInvokeEvent)(TfLiteTelemetryProfilerStruct *self, const char *op_name, uint64_t elapsed_us,
                                int64_t op, int64_t subgraph);
};

/* What TfLiteXNNPackDelegateOptionsDefault returns by value begins with these;
 * versions differ in what follows (reserved generously, so that the library
 * never writes past the end).  Only num_threads is ours to set. */
typedef struct TfLiteXNNPackDelegateOptions {
    int32_t num_threads;
    uint32_t runtime_flags;
    uint32_t flags;
    uint32_t unknown[125];
} TfLiteXNNPackDelegateOptions;

/* For functions of this type: the compiler checks what they pass on. */
#if defined(__GNUC__)
#define XR_TFLITE_REPORTER __attribute__((format(printf, 2, 0)))
#else
#define XR_TFLITE_REPORTER
#endif
typedef void (*XrTfLiteErrorReporter)(void *user_data, const char *format, va_list args);

#endif
