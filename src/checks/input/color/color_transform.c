#include "checks/input/color/color_transform.h"

#include <math.h>
#include <stdlib.h>

static double clip_byte(double v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

/* ---- Color spaces ------------------------------------------------------------------------------ */

/* Hue in sixths of a turn, 0..6. */
static double hue_of(const double in[3], double most, double range)
{
    double hue = 0;
    if (!(range > 0))
        return 0;
    if (in[0] >= most)
        hue = (in[1] - in[2]) / range;
    else if (in[1] >= most)
        hue = 2 + (in[2] - in[0]) / range;
    else
        hue = 4 + (in[0] - in[1]) / range;
    return hue < 0 ? hue + 6 : hue;
}

static void to_hsv(const double in[3], double hues, double out[3])
{
    double most = fmax(in[0], fmax(in[1], in[2])), least = fmin(in[0], fmin(in[1], in[2]));
    out[0] = hue_of(in, most, most - least) / 6 * hues;
    out[1] = most > 0 ? 255 * (most - least) / most : 0;
    out[2] = most;
}

static void to_hls(const double in[3], double out[3])
{
    double most = fmax(in[0], fmax(in[1], in[2])), least = fmin(in[0], fmin(in[1], in[2]));
    double room = most + least < 255 ? most + least : 510 - most - least;
    out[0] = hue_of(in, most, most - least) / 6 * 180;
    out[1] = (most + least) / 2;
    out[2] = room > 0 ? 255 * (most - least) / room : 0;
}

/* The color of a hue (in sixths of a turn) whose largest and smallest channel are given. */
static void from_hue(double hue, double most, double least, double out[3])
{
    static const double first[3] = {0, 4,
                                    2}; /* where red, green and blue are on their way from most to least */
    for (int c = 0; c < 3; c++) {
        const double at = fmod(hue + first[c], 6), away = fabs(at - 3); /* 3: opposite */
        out[c] = least + (most - least) * fmin(fmax(away - 1, 0), 1);
    }
}

static void turn_hue(double turn, const double in[3], double out[3])
{
    const double most = fmax(in[0], fmax(in[1], in[2])), least = fmin(in[0], fmin(in[1], in[2]));
    from_hue(fmod(hue_of(in, most, most - least) + 6 * turn, 6), most, least, out);
}

static double linear_light(double v)
{
    v = clip_byte(v) / 255;
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static double cube_root_or_line(double t)
{
    return t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116;
}

/* CIE L*a*b* of sRGB under D65. */
static void to_lab(const double in[3], double out[3])
{
    double r = linear_light(in[0]), g = linear_light(in[1]), b = linear_light(in[2]);
    double x = cube_root_or_line((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.950456);
    double y = cube_root_or_line(0.212671 * r + 0.715160 * g + 0.072169 * b);
    double z = cube_root_or_line((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.088754);
    out[0] = clip_byte((116 * y - 16) * 255 / 100);
    out[1] = clip_byte(500 * (x - y) + 128);
    out[2] = clip_byte(200 * (y - z) + 128);
}

/* ---- Words of 16 bits -------------------------------------------------------------------------- */

/* A value of few bits as a byte: its high bits repeated, as most decoders do. */
static double widened(unsigned v, unsigned bits)
{
    double most = (double)((1U << bits) - 1);
    return bits >= 8 ? v : floor(v * 255 / most + 0.5);
}

static unsigned narrowed(double v, unsigned bits)
{
    return (unsigned)floor(clip_byte(v) + 0.5) >> (8 - bits);
}

/* The colors of a word of 5, 6 and 5 bits whose bytes are exchanged. */
static void swap_bytes(const double in[3], double out[3])
{
    unsigned word = narrowed(in[0], 5) << 11 | narrowed(in[1], 6) << 5 | narrowed(in[2], 5);
    word = (word & 255) << 8 | word >> 8;
    out[0] = widened(word >> 11, 5);
    out[1] = widened(word >> 5 & 63, 6);
    out[2] = widened(word & 31, 5);
}

/* Words of 5, 6 and 5 bits read as words of 5, 5 and 5, whose highest bit is none; or the reverse. */
static void reread(bool backward, const double in[3], double out[3])
{
    const unsigned green = backward ? 5 : 6, as = backward ? 6 : 5;
    const unsigned word =
        narrowed(in[0], 5) << (5 + green) | narrowed(in[1], green) << 5 | narrowed(in[2], 5);
    out[0] = widened(word >> (5 + as) & 31, 5);
    out[1] = widened(word >> 5 & ((1u << as) - 1), as);
    out[2] = widened(word & 31, 5);
}

/* ---- All of them ------------------------------------------------------------------------------- */

static void code(const xr_color_transform *t, const double in[3], double out[3])
{
    double clipped[3] = {clip_byte(in[0]), clip_byte(in[1]), clip_byte(in[2])};
    switch (t->code) {
    case XR_CODE_HSV:
        to_hsv(clipped, 255, out);
        break;
    case XR_CODE_HSV_180:
        to_hsv(clipped, 180, out);
        break;
    case XR_CODE_HLS:
        to_hls(clipped, out);
        break;
    default:
        to_lab(clipped, out);
    }
    /* As whole numbers: a hue that is rounded up to a whole turn is none. */
    bool down = t->code == XR_CODE_HSV; /* Pillow's */
    for (int c = 0; c < 3; c++)
        out[c] = floor(out[c] + (down ? 0 : 0.5));
    if ((t->code == XR_CODE_HSV_180 || t->code == XR_CODE_HLS) && out[0] >= 180)
        out[0] = 0;
}

void xr_convert_pixel(const xr_color_transform *t, const double in[3], double out[3])
{
    if (t->kind == XR_COLOR_CODED && t->code != XR_CODE_MATRIX) {
        code(t, in, out);
        return;
    }
    if (t->kind == XR_COLOR_SWAPPED) {
        if (t->bits[0])
            reread(t->backward, in, out);
        else
            swap_bytes(in, out);
        return;
    }
    if (t->kind == XR_COLOR_HUE) {
        turn_hue(t->turn, in, out);
        return;
    }
    for (int c = 0; c < 3; c++)
        switch (t->kind) {
        case XR_COLOR_GAMMA:
            out[c] = 255 * pow(clip_byte(in[c]) / 255, t->gamma);
            break;
        case XR_COLOR_COARSE:
            out[c] = t->low_zero ? (double)(narrowed(in[c], t->bits[c]) << (8 - t->bits[c]))
                                 : widened(narrowed(in[c], t->bits[c]), t->bits[c]);
            break;
        case XR_COLOR_CHANNELS:
            out[c] = t->channel[c] < 3 ? in[t->channel[c]] : t->constant;
            break;
        default:
            out[c] = clip_byte(t->matrix[c][0] * in[0] + t->matrix[c][1] * in[1] + t->matrix[c][2] * in[2] +
                               t->matrix[c][3]);
        }
}

void xr_apply_color(const xr_color_transform *color, const xr_pixel_unit *unit, xr_raster *r)
{
    size_t pixels = r->width * r->height;
    if (color->kind == XR_COLOR_NONE || r->channels != 3)
        return;
    for (size_t i = 0; i < pixels; i++) {
        double in[3], out[3];
        for (size_t c = 0; c < 3; c++)
            in[unit->from[c]] = ((double)r->v[c * pixels + i] - unit->offset[c]) / unit->gain[c];
        if (isfinite(in[0] + in[1] + in[2]))
            xr_convert_pixel(color, in, out);
        else
            out[0] = out[1] = out[2] = NAN;
        for (size_t c = 0; c < 3; c++)
            r->v[c * pixels + i] = (float)(unit->gain[c] * out[unit->from[c]] + unit->offset[c]);
    }
}

/* Conversions of each channel by itself, as a table; false: it is none. */
static bool make_table(const xr_color_transform *color, uint8_t table[3][256])
{
    if (color->kind != XR_COLOR_GAMMA && color->kind != XR_COLOR_COARSE)
        return false;
    for (int v = 0; v < 256; v++) {
        double in[3] = {v, v, v}, out[3];
        xr_convert_pixel(color, in, out);
        for (int c = 0; c < 3; c++)
            table[c][v] = (uint8_t)floor(clip_byte(out[c]) + 0.5);
    }
    return true;
}

/* A row of pixels; table may be NULL. */
static void convert_row(const xr_color_transform *color, uint8_t table[3][256], const uint8_t *from,
                        size_t width, size_t channels, uint8_t *to)
{
    size_t green = channels > 1 ? 1 : 0, blue = channels > 1 ? 2 : 0;
    for (size_t x = 0; x < width; x++, from += channels, to += 3) {
        double exact[3] = {from[0], from[green], from[blue]}, out[3] = {0, 0, 0};
        if (table) {
            to[0] = table[0][from[0]];
            to[1] = table[1][from[green]];
            to[2] = table[2][from[blue]];
            continue;
        }
        xr_convert_pixel(color, exact, out);
        for (size_t c = 0; c < 3; c++)
            to[c] = (uint8_t)floor(clip_byte(out[c]) + 0.5);
    }
}

exray_picture *xr_color_rows(const xr_color_transform *color, const exray_picture *in, const bool *needed)
{
    uint32_t width = exray_picture_width(in), height = exray_picture_height(in),
             channels = exray_picture_channels(in);
    const uint8_t *from = exray_picture_pixels(in);
    uint8_t *bytes = calloc((size_t)width * height, 3), table[3][256];
    exray_error error;
    if (!bytes)
        return NULL;
    bool by_table = make_table(color, table);
    for (size_t y = 0; y < height; y++)
        if (!needed || needed[y])
            convert_row(color, by_table ? table : NULL, from + y * width * channels, width, channels,
                        bytes + 3 * y * width);
    exray_picture *made = exray_picture_new(width, height, 3, bytes, &error);
    free(bytes);
    return made;
}

exray_picture *xr_color_picture(const xr_color_transform *color, const exray_picture *in)
{
    return xr_color_rows(color, in, NULL);
}
