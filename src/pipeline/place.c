#include "pipeline/place.h"

#include <math.h>

xr_seen_part xr_place_whole(void)
{
    return (xr_seen_part){.known = true, .xu = 1, .yv = 1};
}

bool xr_place_is_whole(const xr_seen_part *p)
{
    return !p->known || (p->x0 == 0 && p->xu == 1 && p->xv == 0 && p->y0 == 0 && p->yu == 0 && p->yv == 1);
}

void xr_place_point(const xr_seen_part *p, double u, double v, double *x, double *y)
{
    *x = p->x0 + p->xu * u + p->xv * v;
    *y = p->y0 + p->yu * u + p->yv * v;
}

bool xr_place_inverse(const xr_seen_part *p, xr_seen_part *out)
{
    const double area = p->xu * p->yv - p->xv * p->yu;
    if (!p->known || !isfinite(area) || fabs(area) < 1e-12)
        return false;
    *out = (xr_seen_part){
        .known = true, .xu = p->yv / area, .xv = -p->xv / area, .yu = -p->yu / area, .yv = p->xu / area};
    out->x0 = -(out->xu * p->x0 + out->xv * p->y0);
    out->y0 = -(out->yu * p->x0 + out->yv * p->y0);
    return true;
}

/* The step's own way back, then the place so far. */
static void compose(xr_seen_part *p, const xr_seen_part *step)
{
    const xr_seen_part was = *p;
    xr_place_point(&was, step->x0, step->y0, &p->x0, &p->y0);
    p->xu = was.xu * step->xu + was.xv * step->yu;
    p->xv = was.xu * step->xv + was.xv * step->yv;
    p->yu = was.yu * step->xu + was.yv * step->yu;
    p->yv = was.yu * step->xv + was.yv * step->yv;
}

void xr_place_cut(xr_seen_part *p, double left, double top, double width, double height, double of_width,
                  double of_height)
{
    const xr_seen_part step = {
        .x0 = left / of_width, .xu = width / of_width, .y0 = top / of_height, .yv = height / of_height};
    compose(p, &step);
}

void xr_place_turn(xr_seen_part *p, unsigned quarters)
{
    /* The top left corner of what was turned is the top right one of before. */
    static const xr_seen_part quarter = {.x0 = 1, .xv = -1, .yu = 1};
    for (unsigned i = 0; i < quarters % 4; i++)
        compose(p, &quarter);
}

void xr_place_flip(xr_seen_part *p, bool horizontal)
{
    const xr_seen_part step =
        horizontal ? (xr_seen_part){.x0 = 1, .xu = -1, .yv = 1} : (xr_seen_part){.xu = 1, .y0 = 1, .yv = -1};
    compose(p, &step);
}

void xr_place_region(xr_seen_part *p, const double region[5], double of_width, double of_height)
{
    const double c = cos(region[4]), s = sin(region[4]), w = region[2], h = region[3];
    const xr_seen_part step = {.xu = c * w / of_width,
                               .xv = -s * h / of_width,
                               .yu = s * w / of_height,
                               .yv = c * h / of_height,
                               .x0 = (region[0] - (c * w - s * h) / 2) / of_width,
                               .y0 = (region[1] - (s * w + c * h) / 2) / of_height};
    compose(p, &step);
}
