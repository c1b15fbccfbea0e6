/* Crop, resize, rotate, flip. */
#include "camera.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* ---- Resize ------------------------------------------------------------------------------ */

/* Output sample i is the sum of weight[k] * in[first + k], indices clamped. */
typedef struct tap {
    int first, count;
    double *weight;
} tap;

static double cubic(double x, double a)
{
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static double sinc(double x)
{
    const double pi = 3.14159265358979323846;
    return fabs(x) < 1e-9 ? 1 : sin(pi * x) / (pi * x);
}

static double kernel(const settings *s, double x)
{
    switch (s->filter) {
    case FILTER_BILINEAR:
        return fmax(0, 1 - fabs(x));
    case FILTER_BICUBIC:
        return cubic(x, s->antialias ? -0.5 : -0.75);
    case FILTER_LANCZOS:
        return fabs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
    case FILTER_AREA:
        return x >= -0.5 && x < 0.5 ? 1 : 0;
    case FILTER_NEAREST:
        break;
    }
    return 0;
}

static double reach(filter f)
{
    return f == FILTER_BILINEAR ? 1 : f == FILTER_BICUBIC ? 2 : f == FILTER_LANCZOS ? 3 : 0.5;
}

static double position(const settings *s, int i, int in, int out)
{
    double scale = (double)in / out;
    if (s->grid == GRID_ALIGN_CORNERS)
        return out > 1 ? i * (double)(in - 1) / (out - 1) : 0;
    return s->grid == GRID_ASYMMETRIC ? i * scale : (i + 0.5) * scale - 0.5;
}

/* What of the input's samples the pixel [i, i + 1) of the output covers. */
static tap area_tap(int i, double scale, int in)
{
    double from = i * scale, to = (i + 1) * scale;
    tap t = {.first = (int)floor(from)};
    t.count = clamp((int)ceil(to - 1e-9), t.first + 1, in) - t.first;
    t.weight = camera_allocate(sizeof(double) * (size_t)t.count);
    for (int k = 0; k < t.count; k++)
        t.weight[k] = (fmin(to, t.first + k + 1) - fmax(from, t.first + k)) / scale;
    return t;
}

static tap make_tap(const settings *s, int i, int in, int out)
{
    double scale = (double)in / out;
    if (s->filter == FILTER_NEAREST) {
        double at = s->grid == GRID_ALIGN_CORNERS ? floor(position(s, i, in, out) + 0.5) : floor(i * scale);
        tap t = {(int)at, 1, camera_allocate(sizeof(double))};
        t.weight[0] = 1;
        return t;
    }
    if (s->filter == FILTER_AREA && scale > 1)
        return area_tap(i, scale, in);
    double stretch = s->antialias && scale > 1 ? scale : 1;
    double center = position(s, i, in, out), support = reach(s->filter) * stretch, sum = 0;
    tap t = {.first = (int)floor(center - support)};
    t.count = (int)ceil(center + support) - t.first + 1;
    t.weight = camera_allocate(sizeof(double) * (size_t)t.count);
    for (int k = 0; k < t.count; k++) {
        int at = t.first + k;
        /* Antialiased filters leave out what is not there, the others repeat the edge. */
        bool outside = s->antialias && (at < 0 || at >= in);
        t.weight[k] = outside ? 0 : kernel(s, (at - center) / stretch);
        sum += t.weight[k];
    }
    for (int k = 0; k < t.count; k++)
        t.weight[k] /= sum;
    return t;
}

static tap *make_taps(const settings *s, int in, int out)
{
    tap *taps = camera_allocate(sizeof *taps * (size_t)out);
    for (int i = 0; i < out; i++)
        taps[i] = make_tap(s, i, in, out);
    return taps;
}

static void free_taps(tap *taps, int out)
{
    for (int i = 0; i < out; i++)
        free(taps[i].weight);
    free(taps);
}

static picture resize(picture in, const settings *s, int width, int height)
{
    picture out = {width, height, camera_allocate((size_t)width * (size_t)height * 3)};
    float *rows = camera_allocate(sizeof *rows * (size_t)width * (size_t)in.height * 3);
    tap *across = make_taps(s, in.width, width), *down = make_taps(s, in.height, height);
    for (int y = 0; y < in.height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++) {
                double sum = 0;
                for (int k = 0; k < across[x].count; k++) {
                    int column = clamp(across[x].first + k, 0, in.width - 1);
                    sum += across[x].weight[k] *
                           in.rgb[((size_t)y * (size_t)in.width + (size_t)column) * 3 + (size_t)c];
                }
                rows[((size_t)y * (size_t)width + (size_t)x) * 3 + (size_t)c] = (float)sum;
            }
    for (int y = 0; y < height; y++)
        for (size_t x = 0; x < (size_t)width * 3; x++) {
            double sum = 0;
            for (int k = 0; k < down[y].count; k++) {
                int row = clamp(down[y].first + k, 0, in.height - 1);
                sum += down[y].weight[k] * (double)rows[(size_t)row * (size_t)width * 3 + x];
            }
            out.rgb[(size_t)y * (size_t)width * 3 + x] = (uint8_t)(sum <= 0     ? 0
                                                                   : sum >= 255 ? 255
                                                                                : sum + 0.5);
        }
    free_taps(across, width);
    free_taps(down, height);
    free(rows);
    free(in.rgb);
    return out;
}

/* ---- Crop ----------------------------------------------------------------------------------- */

/* The window of width x height at (x, y), moved inside the picture. */
static picture cut(picture in, int x, int y, int width, int height)
{
    width = clamp(width, 1, in.width);
    height = clamp(height, 1, in.height);
    x = clamp(x, 0, in.width - width);
    y = clamp(y, 0, in.height - height);
    picture out = {width, height, camera_allocate((size_t)width * (size_t)height * 3)};
    for (int row = 0; row < height; row++)
        memcpy(out.rgb + (size_t)row * (size_t)width * 3,
               in.rgb + ((size_t)(y + row) * (size_t)in.width + (size_t)x) * 3, (size_t)width * 3);
    free(in.rgb);
    return out;
}

static picture letterbox(picture in, const settings *s, int width, int height)
{
    double ratio = fmin((double)width / in.width, (double)height / in.height);
    int w = clamp((int)floor(in.width * ratio + 0.5), 1, width),
        h = clamp((int)floor(in.height * ratio + 0.5), 1, height);
    picture small = resize(in, s, w, h);
    picture out = {width, height, camera_allocate((size_t)width * (size_t)height * 3)};
    memset(out.rgb, s->pad, (size_t)width * (size_t)height * 3);
    for (int row = 0; row < h; row++)
        memcpy(out.rgb + ((size_t)((height - h) / 2 + row) * (size_t)width + (size_t)((width - w) / 2)) * 3,
               small.rgb + (size_t)row * (size_t)w * 3, (size_t)w * 3);
    free(small.rgb);
    return out;
}

static picture crop_and_resize(picture in, const settings *s, int width, int height)
{
    if (s->crop == CROP_LETTERBOX)
        return letterbox(in, s, width, height);
    if (s->crop == CROP_NONE)
        return resize(in, s, width, height);
    int shorter = in.width < in.height ? in.width : in.height;
    if (s->resize_first) {
        double ratio = width / s->crop_fraction / shorter;
        int w = (int)floor(in.width * ratio + 0.5), h = (int)floor(in.height * ratio + 0.5);
        picture whole = resize(in, s, w, h);
        return cut(whole, (w - width) / 2 + s->offset_x, (h - height) / 2 + s->offset_y, width, height);
    }
    int side = (int)floor(s->crop_fraction * shorter + 0.5);
    in = cut(in, (in.width - side) / 2 + s->offset_x, (in.height - side) / 2 + s->offset_y, side, side);
    return resize(in, s, width, height);
}

/* ---- Turns ------------------------------------------------------------------------------------ */

picture camera_turn(picture in, int degrees)
{
    if (degrees % 360 == 0)
        return in;
    bool swap = degrees % 180 != 0;
    picture out = {swap ? in.height : in.width, swap ? in.width : in.height,
                   camera_allocate((size_t)in.width * (size_t)in.height * 3)};
    for (int y = 0; y < out.height; y++)
        for (int x = 0; x < out.width; x++) {
            int from_x = degrees == 90 ? in.width - 1 - y : degrees == 180 ? in.width - 1 - x : y;
            int from_y = degrees == 90 ? x : degrees == 180 ? in.height - 1 - y : in.height - 1 - x;
            memcpy(out.rgb + ((size_t)y * (size_t)out.width + (size_t)x) * 3,
                   in.rgb + ((size_t)from_y * (size_t)in.width + (size_t)from_x) * 3, 3);
        }
    free(in.rgb);
    return out;
}

static void mirror(picture *p, char how)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            int to_x = how == 'h' ? p->width - 1 - x : x, to_y = how == 'v' ? p->height - 1 - y : y;
            size_t a = ((size_t)y * (size_t)p->width + (size_t)x) * 3;
            size_t b = ((size_t)to_y * (size_t)p->width + (size_t)to_x) * 3;
            for (size_t c = 0; c < 3 && a < b; c++) {
                uint8_t kept = p->rgb[a + c];
                p->rgb[a + c] = p->rgb[b + c];
                p->rgb[b + c] = kept;
            }
        }
}

picture camera_shape(picture in, const settings *s, int width, int height)
{
    bool swap = s->rotate % 180 != 0;
    picture out = crop_and_resize(in, s, swap ? height : width, swap ? width : height);
    out = camera_turn(out, s->rotate);
    if (s->flip)
        mirror(&out, s->flip);
    return out;
}
