#include "checks/port/tensor_type.h"

bool xr_is_byte(exray_dtype dtype)
{
    return dtype == EXRAY_DTYPE_INT8 || dtype == EXRAY_DTYPE_UINT8;
}

bool xr_is_float8(exray_dtype dtype)
{
    return dtype == EXRAY_DTYPE_FLOAT8_E4M3 || dtype == EXRAY_DTYPE_FLOAT8_E5M2;
}

bool xr_is_unitless(const exray_tensor_info *info)
{
    return info->quantization.count == 0 && info->dtype >= EXRAY_DTYPE_INT8 && !xr_is_float8(info->dtype);
}

bool xr_byte_limits(const exray_tensor_info *info, double *low, double *high)
{
    if (info->quantization.count != 1 || !xr_is_byte(info->dtype))
        return false;
    const double zero = info->quantization.zero_point ? (double)info->quantization.zero_point[0] : 0;
    const double least = info->dtype == EXRAY_DTYPE_INT8 ? -128 : 0, scale = info->quantization.scale[0];
    *low = scale * (least - zero);
    *high = scale * (least + 255 - zero);
    return scale > 0;
}
