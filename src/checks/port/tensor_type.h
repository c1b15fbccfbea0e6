/* What a tensor's type says of its numbers. */
#ifndef XR_TENSOR_TYPE_H
#define XR_TENSOR_TYPE_H

#include <exray/types.h>

/* int8 or uint8: the types of cameras and 8-bit networks. */
bool xr_is_byte(exray_dtype dtype);
/* Floats of 8 bits: where they have a scale, it is no step. */
bool xr_is_float8(exray_dtype dtype);
/* Integers or bools without a scale, such as ids and levels: their numbers have no unit. */
bool xr_is_unitless(const exray_tensor_info *info);
/* What integers of 8 bits with one scale can hold, in its unit; false: they are none. */
bool xr_byte_limits(const exray_tensor_info *info, double *low, double *high);

#endif
