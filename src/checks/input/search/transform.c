#include "checks/input/search/transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

xr_transform xr_transform_none(size_t frames)
{
    return (xr_transform){.frames = frames, .every = 1};
}

void xr_transform_free(xr_transform *transform)
{
    free(transform->order.source_frame);
    free(transform->crop.part);
    free(transform->crop.turn);
    *transform = (xr_transform){0};
}

size_t xr_source_frame(const xr_transform *transform, size_t frame)
{
    return transform->order.source_frame ? transform->order.source_frame[frame] : frame;
}

/* ---- Signs ------------------------------------------------------------------------------------- */

void xr_undo_sign_wrap(const xr_sign_wrap *wrap, xr_raster *edge)
{
    size_t pixels = edge->width * edge->height;
    for (size_t c = 0; c < edge->channels; c++)
        for (size_t i = c * pixels; i < (c + 1) * pixels; i++)
            edge->v[i] = xr_unwrapped(wrap, c, edge->v[i]);
}

/* ---- Pictures ---------------------------------------------------------------------------------- */

bool xr_crop_raster(const xr_raster *in, const xr_part *part, double turn, size_t width, size_t height,
                    xr_raster *out)
{
    if (!xr_raster_make(out, width, height, in->channels))
        return false;
    double sx = (part->x1 - part->x0) * (double)in->width / (double)width;
    double sy = (part->y1 - part->y0) * (double)in->height / (double)height;
    double middle_x = (part->x0 + part->x1) / 2 * (double)in->width,
           middle_y = (part->y0 + part->y1) / 2 * (double)in->height;
    double cosine = cos(turn), sine = sin(turn);
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            double dx = sx * ((double)x + 0.5 - (double)width / 2);
            double dy = sy * ((double)y + 0.5 - (double)height / 2);
            double u = middle_x + cosine * dx - sine * dy - 0.5;
            double v = middle_y + sine * dx + cosine * dy - 0.5;
            bool inside = u > -0.5 && v > -0.5 && u < (double)in->width - 0.5 && v < (double)in->height - 0.5;
            size_t x0 = u > 0 ? (size_t)u : 0, y0 = v > 0 ? (size_t)v : 0;
            size_t x1 = x0 + 1 < in->width ? x0 + 1 : x0, y1 = y0 + 1 < in->height ? y0 + 1 : y0;
            double fx = fmax(u - (double)x0, 0), fy = fmax(v - (double)y0, 0);
            for (size_t c = 0; c < in->channels; c++) {
                const float *p = in->v + c * in->width * in->height;
                double value = inside ? (1 - fy) * ((1 - fx) * (double)p[y0 * in->width + x0] +
                                                    fx * (double)p[y0 * in->width + x1]) +
                                            fy * ((1 - fx) * (double)p[y1 * in->width + x0] +
                                                  fx * (double)p[y1 * in->width + x1])
                                      : (double)NAN;
                out->v[(c * height + y) * width + x] = (float)value;
            }
        }
    return true;
}

/* ---- Values --------------------------------------------------------------------------------- */

double xr_mapped_value(const xr_value_map *map, const xr_pixel_unit *unit, double value, size_t c)
{
    double q;
    switch (map->kind) {
    case XR_VALUES_OTHER_CONVENTION:
        value = ((value - unit->offset[c]) / unit->gain[c] - map->mean[c % 3]) / map->std[c % 3];
        q = round(value / map->scale) + map->zero;
        break;
    case XR_VALUES_NORMALIZED_TWICE:
        q = round((unit->gain[c] * value + unit->offset[c]) / map->scale) + map->zero;
        break;
    case XR_VALUES_QUANTIZED_TWICE:
        q = round(fmin(fmax(round(value / map->scale) + map->zero, map->least), map->least + 255) /
                  map->scale) +
            map->zero;
        break;
    case XR_VALUES_ROUNDED:
        q = round(value);
        break;
    case XR_VALUES_TRUNCATED:
        q = trunc(value);
        break;
    default: /* quantized correctly */
        q = round(value / map->scale) + map->zero;
    }
    /* What the tensor cannot hold is clipped. */
    q = fmin(fmax(q, map->least), map->least + 255);
    return map->scale * (q - map->zero);
}

void xr_apply_value_map(const xr_value_map *map, const xr_pixel_unit *unit, xr_raster *r)
{
    size_t pixels = r->width * r->height;
    if (map->kind == XR_VALUES_RIGHT)
        return;
    for (size_t c = 0; c < r->channels; c++)
        for (size_t i = c * pixels; i < (c + 1) * pixels; i++)
            r->v[i] = (float)xr_mapped_value(map, unit, (double)r->v[i], c);
}

void xr_apply_value_map_near(const xr_value_map *map, const xr_pixel_unit *unit, double slack, xr_raster *r,
                             const xr_raster *edge)
{
    size_t pixels = r->width * r->height;
    if (map->kind == XR_VALUES_RIGHT)
        return;
    for (size_t c = 0; c < r->channels; c++)
        for (size_t i = c * pixels; i < (c + 1) * pixels; i++) {
            double v = r->v[i];
            double a = xr_mapped_value(map, unit, v - slack, c);
            double b = xr_mapped_value(map, unit, v + slack, c);
            r->v[i] = (float)fmin(fmax((double)edge->v[i], fmin(a, b)), fmax(a, b));
        }
}
