#include "models/tflite_types.h"

exray_dtype xr_tflite_dtype(int type, bool *pair)
{
    *pair = type == XR_TFLITE_COMPLEX64 || type == XR_TFLITE_COMPLEX128;
    switch (type) {
    case XR_TFLITE_FLOAT32:
    case XR_TFLITE_COMPLEX64:
        return EXRAY_DTYPE_FLOAT32;
    case XR_TFLITE_FLOAT64:
    case XR_TFLITE_COMPLEX128:
        return EXRAY_DTYPE_FLOAT64;
    case XR_TFLITE_FLOAT16:
        return EXRAY_DTYPE_FLOAT16;
    case XR_TFLITE_BFLOAT16:
        return EXRAY_DTYPE_BFLOAT16;
    case XR_TFLITE_INT4:
        return EXRAY_DTYPE_INT4;
    case XR_TFLITE_INT8:
        return EXRAY_DTYPE_INT8;
    case XR_TFLITE_UINT8:
        return EXRAY_DTYPE_UINT8;
    case XR_TFLITE_INT16:
        return EXRAY_DTYPE_INT16;
    case XR_TFLITE_UINT16:
        return EXRAY_DTYPE_UINT16;
    case XR_TFLITE_INT32:
        return EXRAY_DTYPE_INT32;
    case XR_TFLITE_UINT32:
        return EXRAY_DTYPE_UINT32;
    case XR_TFLITE_INT64:
        return EXRAY_DTYPE_INT64;
    case XR_TFLITE_UINT64:
        return EXRAY_DTYPE_UINT64;
    case XR_TFLITE_BOOL:
        return EXRAY_DTYPE_BOOL;
    case XR_TFLITE_STRING:
        return EXRAY_DTYPE_STRING;
    default: /* resources and variants are handles to something else, not values */
        return EXRAY_DTYPE_UNSPECIFIED;
    }
}
