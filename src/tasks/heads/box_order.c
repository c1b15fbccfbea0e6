#include "tasks/heads/box_order.h"

#include <string.h>

bool xr_box_order_read(const char *text, xr_box_order standard, xr_box_order *out)
{
    static const struct {
        const char *name;
        xr_box_order order;
    } orders[] = {{"xyxy", {false, false, false, XR_BOX_UNSAID}},
                  {"yxyx", {true, false, false, XR_BOX_UNSAID}},
                  {"xywh", {false, true, false, XR_BOX_UNSAID}},
                  {"cxcywh", {false, true, true, XR_BOX_UNSAID}},
                  {"cycxhw", {true, true, true, XR_BOX_UNSAID}}};
    *out = standard;
    if (!text || !*text)
        return true;
    const size_t length = strcspn(text, " ");
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (strlen(orders[i].name) == length && memcmp(text, orders[i].name, length) == 0) {
            const char *unit = text + length + strspn(text + length, " ");
            *out = orders[i].order;
            out->unit = !*unit                        ? standard.unit
                        : strcmp(unit, "shares") == 0 ? XR_BOX_SHARES
                        : strcmp(unit, "pixels") == 0 ? XR_BOX_PIXELS
                                                      : XR_BOX_UNSAID;
            return !*unit || out->unit != XR_BOX_UNSAID;
        }
    return false;
}

exray_box xr_box_of(const xr_box_order *order, const float at[4], float width, float height)
{
    float x = at[order->y_first ? 1 : 0], y = at[order->y_first ? 0 : 1];
    float to_x = at[order->y_first ? 3 : 2], to_y = at[order->y_first ? 2 : 3];
    if (order->centered) {
        x -= to_x / 2;
        y -= to_y / 2;
    }
    if (order->sized) {
        to_x += x;
        to_y += y;
    }
    if (order->unit != XR_BOX_PIXELS)
        width = height = 1;
    return (exray_box){
        .x_min = x / width, .y_min = y / height, .x_max = to_x / width, .y_max = to_y / height};
}
