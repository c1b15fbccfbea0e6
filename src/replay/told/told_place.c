#include "replay/told/told_place.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

enum { MOST_SIDE = 4096 };

static exray_status no_memory(exray_error *error)
{
    return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for /result");
}

/* Corners of a box, from the top left one clockwise: pairs of x and y. */
static void corners_of(const exray_box *box, float at[8])
{
    const float upright[8] = {box->x_min, box->y_min, box->x_max, box->y_min,
                              box->x_max, box->y_max, box->x_min, box->y_max};
    memcpy(at, box->corners ? box->corners : upright, 8 * sizeof *at);
}

static bool is_turned(const xr_seen_part *p)
{
    return !((p->xv == 0 && p->yu == 0) || (p->xu == 0 && p->yv == 0));
}

static exray_status place_boxes(exray_result *result, const xr_seen_part *place, exray_told *told,
                                exray_error *error)
{
    exray_box *boxes = exray_told_room(told, result->box_count, sizeof *boxes);
    if (!boxes)
        return no_memory(error);
    memcpy(boxes, result->boxes, result->box_count * sizeof *boxes);
    for (uint32_t i = 0; i < result->box_count; i++) {
        exray_box *box = &boxes[i];
        const bool turned = box->corners || is_turned(place);
        float at[8];
        corners_of(box, at);
        for (int k = 0; k < 8; k += 2) {
            double x, y;
            xr_place_point(place, at[k], at[k + 1], &x, &y);
            at[k] = (float)x;
            at[k + 1] = (float)y;
            box->x_min = k == 0 ? at[0] : fminf(box->x_min, at[k]);
            box->x_max = k == 0 ? at[0] : fmaxf(box->x_max, at[k]);
            box->y_min = k == 0 ? at[1] : fminf(box->y_min, at[k + 1]);
            box->y_max = k == 0 ? at[1] : fmaxf(box->y_max, at[k + 1]);
        }
        if (!turned)
            continue;
        float *kept = exray_told_room(told, 8, sizeof *kept);
        if (!kept)
            return no_memory(error);
        memcpy(kept, at, sizeof at);
        box->corners = kept;
    }
    result->boxes = boxes;
    return EXRAY_OK;
}

static exray_status place_keypoints(exray_result *result, const xr_seen_part *place, exray_told *told,
                                    exray_error *error)
{
    exray_keypoint *points = exray_told_room(told, result->keypoint_count, sizeof *points);
    if (!points)
        return no_memory(error);
    memcpy(points, result->keypoints, result->keypoint_count * sizeof *points);
    for (uint32_t i = 0; i < result->keypoint_count; i++) {
        double x, y;
        xr_place_point(place, points[i].x, points[i].y, &x, &y);
        points[i].x = (float)x;
        points[i].y = (float)y;
    }
    result->keypoints = points;
    return EXRAY_OK;
}

/* A side of the mask of the whole picture, at the resolution of the part's. */
static uint32_t whole_side(double side)
{
    return side >= MOST_SIDE ? MOST_SIDE : side >= 1 ? (uint32_t)(side + 0.5) : 1;
}

/* What lies beyond the part does not count. */
static exray_status place_mask(exray_result *result, const xr_seen_part *place, exray_told *told,
                               exray_error *error)
{
    xr_seen_part back;
    const exray_mask *from = result->mask;
    if (!xr_place_inverse(place, &back))
        return EXRAY_OK;
    const uint32_t width = whole_side(hypot(back.xu * from->width, back.yu * from->height));
    const uint32_t height = whole_side(hypot(back.xv * from->width, back.yv * from->height));
    const size_t each = from->wide ? 2 : 1, size = (size_t)width * height * each;
    exray_mask *mask = exray_told_room(told, 1, sizeof *mask);
    uint8_t *ids = exray_told_room(told, size, 1);
    if (!mask || !ids)
        return no_memory(error);
    memset(ids, 0xFF, size);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            double u, v;
            xr_place_point(&back, (x + 0.5) / width, (y + 0.5) / height, &u, &v);
            if (!(u >= 0 && u < 1 && v >= 0 && v < 1))
                continue;
            const size_t at = (size_t)(v * from->height) * from->width + (size_t)(u * from->width);
            memcpy(ids + ((size_t)y * width + x) * each, (const uint8_t *)from->ids + at * each, each);
        }
    *mask = (exray_mask){.width = width, .height = height, .ids = ids, .size = size, .wide = from->wide};
    result->mask = mask;
    return EXRAY_OK;
}

exray_status xr_told_place(exray_result *result, const xr_seen_part *place, exray_told *told,
                           exray_error *error)
{
    exray_status status = EXRAY_OK;
    if (xr_place_is_whole(place))
        return EXRAY_OK;
    if (result->box_count)
        status = place_boxes(result, place, told, error);
    if (!status && result->keypoint_count)
        status = place_keypoints(result, place, told, error);
    return !status && result->mask ? place_mask(result, place, told, error) : status;
}
