/* Result: what the user was told, and the truth. */
#include "log/decode_messages.h"

enum { BOX_CORNERS = 8 /* numbers */ };

static bool decode_class(const xr_field *from, xr_arena *arena, exray_class *out)
{
    *out = (exray_class){.label = ""};
    xr_wire wire = xr_wire_begin(from->data, from->size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 1, XR_WIRE_VARINT))
            out->id = (int64_t)f.value;
        else if (xr_is(&f, 2, XR_WIRE_FIXED32))
            out->score = xr_field_float(&f);
        else if (xr_is(&f, 3, XR_WIRE_BYTES))
            out->label = xr_field_string(&f, arena);
    }
    return !wire.bad && !arena->failed;
}

static bool decode_box(const xr_field *from, xr_arena *arena, exray_box *out)
{
    *out = (exray_box){.label = ""};
    xr_wire wire = xr_wire_begin(from->data, from->size);
    xr_list corners = {0};
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (f.number == 9) {
            if (!xr_add_float(&f, &corners, arena))
                return false;
        } else if (f.type == XR_WIRE_FIXED32) {
            float *sides[] = {&out->x_min, &out->y_min, &out->x_max, &out->y_max};
            if (f.number >= 1 && f.number <= 4)
                *sides[f.number - 1] = xr_field_float(&f);
            else if (f.number == 6)
                out->score = xr_field_float(&f);
        } else if (xr_is(&f, 5, XR_WIRE_VARINT)) {
            out->id = (int64_t)f.value;
        } else if (xr_is(&f, 7, XR_WIRE_BYTES)) {
            out->label = xr_field_string(&f, arena);
        } else if (xr_is(&f, 8, XR_WIRE_VARINT)) {
            out->crowd = f.value != 0;
        }
    }
    out->corners = corners.items;
    return !wire.bad && !arena->failed && (corners.count == 0 || corners.count == BOX_CORNERS);
}

static bool decode_keypoint(const xr_field *from, exray_keypoint *out)
{
    *out = (exray_keypoint){0};
    xr_wire wire = xr_wire_begin(from->data, from->size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        float *numbers[] = {&out->x, &out->y, &out->z, &out->score};
        if (f.type == XR_WIRE_FIXED32 && f.number >= 1 && f.number <= 4)
            *numbers[f.number - 1] = xr_field_float(&f);
        else if (xr_is(&f, 5, XR_WIRE_VARINT))
            out->id = (int64_t)f.value;
    }
    return !wire.bad;
}

/* The ids stay where they are; a mask whose size is not that of its pixels is none. */
static bool decode_mask(const xr_field *from, exray_mask *out)
{
    *out = (exray_mask){0};
    xr_wire wire = xr_wire_begin(from->data, from->size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 3, XR_WIRE_BYTES)) {
            out->ids = f.data;
            out->size = f.size;
        } else if (f.type == XR_WIRE_VARINT && (f.number == 1 || f.number == 2)) {
            if (f.value > UINT32_MAX)
                return false;
            *(f.number == 1 ? &out->width : &out->height) = (uint32_t)f.value;
        } else if (xr_is(&f, 4, XR_WIRE_VARINT)) {
            out->wide = f.value != 0;
        }
    }
    /* Products of two 32-bit numbers fit; twice that need not. */
    const uint64_t pixels = (uint64_t)out->width * out->height;
    return !wire.bad && out->size % (out->wide ? 2 : 1) == 0 && out->size / (out->wide ? 2 : 1) == pixels;
}

static bool decode_vector(const xr_field *from, xr_arena *arena, exray_vector *out)
{
    *out = (exray_vector){.name = ""};
    xr_wire wire = xr_wire_begin(from->data, from->size);
    xr_list values = {0};
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 1, XR_WIRE_BYTES))
            out->name = xr_field_string(&f, arena);
        else if (f.number == 2 && !xr_add_float(&f, &values, arena))
            return false;
    }
    out->values = values.items;
    out->count = (uint32_t)values.count;
    return !wire.bad && !arena->failed && values.count <= UINT32_MAX;
}

/* The lists of a result while they grow. */
typedef struct result_lists {
    xr_list classes, boxes, keypoints, vectors;
    exray_mask *mask;
} result_lists;

static bool add_field(const xr_field *f, xr_arena *arena, result_lists *lists)
{
    void *item;
    switch (f->number) {
    case 2:
        item = xr_list_add(&lists->classes, arena, sizeof(exray_class));
        return item && decode_class(f, arena, item);
    case 3:
        item = xr_list_add(&lists->boxes, arena, sizeof(exray_box));
        return item && decode_box(f, arena, item);
    case 5:
        item = xr_list_add(&lists->keypoints, arena, sizeof(exray_keypoint));
        return item && decode_keypoint(f, item);
    case 6:
        if (!lists->mask)
            lists->mask = xr_arena_take(arena, sizeof *lists->mask);
        return lists->mask && decode_mask(f, lists->mask);
    case 7:
        item = xr_list_add(&lists->vectors, arena, sizeof(exray_vector));
        return item && decode_vector(f, arena, item);
    default:
        return true;
    }
}

bool xr_decode_result(const uint8_t *data, size_t size, xr_arena *arena, exray_result *out)
{
    *out = (exray_result){.text = ""};
    xr_wire wire = xr_wire_begin(data, size);
    result_lists lists = {0};
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (f.type != XR_WIRE_BYTES)
            continue;
        if (f.number == 4)
            out->text = xr_field_string(&f, arena);
        else if (!add_field(&f, arena, &lists))
            return false;
    }
    /* Each element takes at least two bytes, so that no count is over 32 bits in a message of under 8 GiB. */
    out->classes = lists.classes.items;
    out->class_count = (uint32_t)lists.classes.count;
    out->boxes = lists.boxes.items;
    out->box_count = (uint32_t)lists.boxes.count;
    out->keypoints = lists.keypoints.items;
    out->keypoint_count = (uint32_t)lists.keypoints.count;
    out->vectors = lists.vectors.items;
    out->vector_count = (uint32_t)lists.vectors.count;
    out->mask = lists.mask;
    return !wire.bad && !arena->failed;
}
