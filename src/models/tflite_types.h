/* Element types as TensorFlow Lite's and LiteRT's interfaces number them. */
#ifndef XR_TFLITE_TYPES_H
#define XR_TFLITE_TYPES_H

#include <exray/types.h>

/* TfLiteType; the file's own numbering differs. */
enum {
    XR_TFLITE_NO_TYPE = 0,
    XR_TFLITE_FLOAT32 = 1,
    XR_TFLITE_INT32 = 2,
    XR_TFLITE_UINT8 = 3,
    XR_TFLITE_INT64 = 4,
    XR_TFLITE_STRING = 5,
    XR_TFLITE_BOOL = 6,
    XR_TFLITE_INT16 = 7,
    XR_TFLITE_COMPLEX64 = 8,
    XR_TFLITE_INT8 = 9,
    XR_TFLITE_FLOAT16 = 10,
    XR_TFLITE_FLOAT64 = 11,
    XR_TFLITE_COMPLEX128 = 12,
    XR_TFLITE_UINT64 = 13,
    XR_TFLITE_RESOURCE = 14,
    XR_TFLITE_VARIANT = 15,
    XR_TFLITE_UINT32 = 16,
    XR_TFLITE_UINT16 = 17,
    XR_TFLITE_INT4 = 18,
    XR_TFLITE_BFLOAT16 = 19,
};

/* A tensor's type as the log has it.  Complex numbers are pairs: the shape gets
 * one more dimension of 2 (`pair`). */
exray_dtype xr_tflite_dtype(int type, bool *pair);

#endif
