/* Result: what the user was told, and the truth. */
#include "core/encode/fields.h"
#include "core/encode/messages.h"

static void encode_class(xr_sink *sink, const void *object)
{
    static const xr_field_of fields[] = {XR_FIELD(1, exray_class, id), XR_FIELD(2, exray_class, score),
                                         XR_FIELD(3, exray_class, label)};
    XR_PUT_FIELDS(sink, fields, object);
}

static void encode_box(xr_sink *sink, const void *object)
{
    static const xr_field_of fields[] = {XR_FIELD(1, exray_box, x_min), XR_FIELD(2, exray_box, y_min),
                                         XR_FIELD(3, exray_box, x_max), XR_FIELD(4, exray_box, y_max),
                                         XR_FIELD(5, exray_box, id),    XR_FIELD(6, exray_box, score),
                                         XR_FIELD(7, exray_box, label), XR_FIELD(8, exray_box, crowd)};
    const exray_box *box = object;
    XR_PUT_FIELDS(sink, fields, box);
    if (box->corners)
        xr_pb_packed_float(sink, 9, box->corners, 8);
}

static void encode_keypoint(xr_sink *sink, const void *object)
{
    static const xr_field_of fields[] = {XR_FIELD(1, exray_keypoint, x), XR_FIELD(2, exray_keypoint, y),
                                         XR_FIELD(3, exray_keypoint, z), XR_FIELD(4, exray_keypoint, score),
                                         XR_FIELD(5, exray_keypoint, id)};
    XR_PUT_FIELDS(sink, fields, object);
}

static void encode_mask(xr_sink *sink, const void *object)
{
    static const xr_field_of fields[] = {XR_FIELD(1, exray_mask, width), XR_FIELD(2, exray_mask, height),
                                         XR_FIELD(4, exray_mask, wide)};
    const exray_mask *mask = object;
    XR_PUT_FIELDS(sink, fields, mask);
    xr_pb_bytes(sink, 3, mask->ids, mask->size);
}

static void encode_vector(xr_sink *sink, const void *object)
{
    const exray_vector *vector = object;
    xr_pb_string(sink, 1, vector->name);
    xr_pb_packed_float(sink, 2, vector->values, vector->count);
}

/* No more than `size` bytes are read in any case. */
static bool is_mask(const exray_mask *mask)
{
    return mask->ids && mask->size == (size_t)mask->width * mask->height << mask->wide;
}

bool xr_is_result(const exray_result *result)
{
    if (!result || (result->class_count && !result->classes) || (result->box_count && !result->boxes) ||
        (result->keypoint_count && !result->keypoints) || (result->vector_count && !result->vectors))
        return false;
    for (uint32_t i = 0; i < result->vector_count; i++)
        if (result->vectors[i].count && !result->vectors[i].values)
            return false;
    return !result->mask || is_mask(result->mask);
}

void xr_encode_result(xr_sink *sink, const void *object)
{
    const xr_result_message *message = object;
    const exray_result *result = message->result;
    xr_pb_uint(sink, 1, message->frame);
    XR_PUT_ALL(sink, 2, encode_class, result->classes, result->class_count);
    XR_PUT_ALL(sink, 3, encode_box, result->boxes, result->box_count);
    XR_PUT_ALL(sink, 5, encode_keypoint, result->keypoints, result->keypoint_count);
    XR_PUT_ALL(sink, 7, encode_vector, result->vectors, result->vector_count);
    xr_pb_string(sink, 4, result->text);
    if (result->mask)
        xr_pb_message(sink, 6, encode_mask, result->mask);
}
