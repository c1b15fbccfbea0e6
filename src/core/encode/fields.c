#include "core/encode/fields.h"

void xr_put_fields(xr_sink *sink, const xr_field_of *fields, size_t count, const void *object)
{
    for (const xr_field_of *f = fields; f < fields + count; f++) {
        const void *at = (const uint8_t *)object + f->at;
        switch ((xr_field_kind)f->kind) {
        case XR_FIELD_U8:
            xr_pb_uint(sink, f->number, *(const uint8_t *)at);
            break;
        case XR_FIELD_U32:
            xr_pb_uint(sink, f->number, *(const uint32_t *)at);
            break;
        case XR_FIELD_I32:
            xr_pb_int(sink, f->number, *(const int32_t *)at);
            break;
        case XR_FIELD_U64:
            xr_pb_uint(sink, f->number, *(const uint64_t *)at);
            break;
        case XR_FIELD_FLOAT:
            xr_pb_float(sink, f->number, *(const float *)at);
            break;
        case XR_FIELD_DOUBLE:
            xr_pb_double(sink, f->number, *(const double *)at);
            break;
        case XR_FIELD_TEXT:
            xr_pb_string(sink, f->number, *(const char *const *)at);
            break;
        }
    }
}
