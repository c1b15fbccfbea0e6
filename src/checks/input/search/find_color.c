/* Colors that no order of channels and no map explains: other matrices, exchanged chroma, gray, gamma.
 * Each is tried as a function of a pixel, clipping included. */
#include "checks/input/search/find.h"

#include "checks/input/search/apply.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Known conversions ------------------------------------------------------------------------- */

typedef struct yuv_encoding {
    const char *name;
    double kr, kb;
} yuv_encoding;
static const yuv_encoding encodings[] = {
    {"BT.601", 0.299, 0.114}, {"BT.709", 0.2126, 0.0722}, {"BT.2020", 0.2627, 0.0593}};

/* Y, U, V of full range from R, G, B. */
static void encode(const yuv_encoding *e, double m[3][3])
{
    double kg = 1 - e->kr - e->kb, y[3] = {e->kr, kg, e->kb};
    for (int c = 0; c < 3; c++) {
        m[0][c] = y[c];
        m[1][c] = ((c == 2) - y[c]) / (2 * (1 - e->kb));
        m[2][c] = ((c == 0) - y[c]) / (2 * (1 - e->kr));
    }
}

static void decode(const yuv_encoding *e, double m[3][3])
{
    double kg = 1 - e->kr - e->kb;
    double rows[3][3] = {{1, 0, 2 * (1 - e->kr)},
                         {1, -2 * (1 - e->kb) * e->kb / kg, -2 * (1 - e->kr) * e->kr / kg},
                         {1, 2 * (1 - e->kb), 0}};
    memcpy(m, rows, sizeof rows);
}

/* swap: U and V exchanged.  range: 0 as encoded; 1 limited taken for full (grayer); -1 full taken for
 * limited. */
static void make_matrix(xr_color_transform *t, const yuv_encoding *reference, const yuv_encoding *edge,
                        bool swap, int range)
{
    double in[3][3], out[3][3], scale[3] = {1, 1, 1}, offset = 0;
    encode(reference, in);
    decode(edge, out);
    if (range > 0) {
        scale[0] = 219.0 / 255, scale[1] = scale[2] = 224.0 / 255, offset = 16;
    } else if (range < 0) {
        scale[0] = 255.0 / 219, scale[1] = scale[2] = 255.0 / 224, offset = -16 * 255.0 / 219;
    }
    for (int c = 0; c < 3; c++) {
        for (int k = 0; k < 3; k++) {
            t->matrix[c][k] = 0;
            for (int j = 0; j < 3; j++)
                t->matrix[c][k] += out[c][j] * scale[j] * in[swap && j ? 3 - j : j][k];
        }
        t->matrix[c][3] = offset;
    }
}

/* Luma read as chroma and the reverse; the two chroma samples, which are one pixel apart, as their
 * mean. */
static void make_packed(xr_color_transform *t, const yuv_encoding *e, bool limited)
{
    double in[3][3], out[3][3], luma = limited ? 219.0 / 255 : 1, chroma = limited ? 224.0 / 255 : 1;
    double black = limited ? 16 : 0, bytes[3][4] = {{0}}, misread[3][4];
    encode(e, in);
    decode(e, out);
    for (int k = 0; k < 3; k++) {
        bytes[0][k] = luma * in[0][k];
        bytes[1][k] = chroma * in[1][k];
        bytes[2][k] = chroma * in[2][k];
    }
    bytes[0][3] = black, bytes[1][3] = bytes[2][3] = 128;
    for (int k = 0; k < 4; k++) {
        misread[0][k] = ((bytes[1][k] + bytes[2][k]) / 2 - (k == 3 ? black : 0)) / luma;
        misread[1][k] = misread[2][k] = (bytes[0][k] - (k == 3 ? 128 : 0)) / chroma;
    }
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 4; k++) {
            t->matrix[c][k] = 0;
            for (int j = 0; j < 3; j++)
                t->matrix[c][k] += out[c][j] * misread[j][k];
        }
}

enum { CONVERSIONS = 44 };

static void add_conversion(xr_color_transform *list, size_t *count, const xr_color_transform *t)
{
    if (*count < CONVERSIONS)
        list[(*count)++] = *t;
}

static size_t known_conversions(xr_color_transform list[CONVERSIONS])
{
    static const double grays[][3] = {
        {0.299, 0.587, 0.114}, {0.2126, 0.7152, 0.0722}, {1 / 3.0, 1 / 3.0, 1 / 3.0}, {0.114, 0.587, 0.299}};
    static const double gammas[] = {2.2, 1 / 2.2, 1.8, 1 / 1.8, 1.5, 1 / 1.5, 1.2, 1 / 1.2, 2.6, 1 / 2.6};
    size_t count = 0;
    for (size_t i = 0; i < sizeof grays / sizeof *grays; i++) {
        xr_color_transform t = {.kind = XR_COLOR_GRAY};
        for (int c = 0; c < 3; c++)
            memcpy(t.matrix[c], grays[i], sizeof grays[i]);
        add_conversion(list, &count, &t);
    }
    for (size_t i = 0; i < 3; i++)
        for (int range = 0; i < 2 && range < 2; range++) {
            xr_color_transform t = {.kind = XR_COLOR_UV};
            make_matrix(&t, &encodings[i], &encodings[i], true, range ? -1 : 0);
            if (!range)
                add_conversion(list, &count, &t);
        }
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 3; k++)
            for (int range = -1; range <= 1; range++) {
                xr_color_transform t = {.kind = range ? XR_COLOR_RANGE : XR_COLOR_MATRIX};
                if ((i == k && !range) || (range && (i == 2 || k == 2)))
                    continue;
                t.from = i, t.to = k, t.range = range;
                make_matrix(&t, &encodings[i], &encodings[k], false, range);
                add_conversion(list, &count, &t);
            }
    for (size_t i = 0; i < 2; i++)
        for (int limited = 0; limited < 2; limited++) {
            xr_color_transform t = {.kind = XR_COLOR_PACKED};
            make_packed(&t, &encodings[i], limited);
            add_conversion(list, &count, &t);
        }
    for (size_t i = 0; i < sizeof gammas / sizeof *gammas; i++) {
        xr_color_transform t = {.kind = XR_COLOR_GAMMA, .gamma = gammas[i]};
        add_conversion(list, &count, &t);
    }
    return count;
}

void xr_color_text(const xr_color_transform *t, char *text, size_t size, const char **fix)
{
    *fix = "Convert the camera's YUV with the matrix and the range that it was encoded with (the media of "
           "the sensor "
           "record; OpenCV: COLOR_YUV2RGB_NV12 and its like are BT.601, limited).";
    switch (t->kind) {
    case XR_COLOR_GRAY:
        snprintf(text, size, "a grey picture, its channels equal; the reference's has colours");
        *fix = "Feed the model the colour picture, not a grey one.";
        break;
    case XR_COLOR_UV:
        snprintf(text, size, "U and V are exchanged (NV12 read as NV21, or the other way round)");
        *fix = "Read the chroma in the camera's order: U V in NV12, V U in NV21 (media.format of the sensor "
               "record).";
        break;
    case XR_COLOR_PACKED:
        snprintf(text, size, "luma and chroma are exchanged (YUYV read as UYVY, or the other way round)");
        *fix = "Read the camera's bytes in the format that it delivers (media.format of the sensor record).";
        break;
    case XR_COLOR_MATRIX:
        snprintf(text, size, "YUV is decoded as %s, where the reference has %s", encodings[t->to].name,
                 encodings[t->from].name);
        break;
    case XR_COLOR_RANGE:
        snprintf(text, size, "%s%s%s",
                 t->range > 0 ? "limited range is taken for full range (16..235 are left as they are)"
                              : "full range is taken for limited range (16..235 are stretched)",
                 t->from != t->to ? ", and YUV decoded as " : "",
                 t->from != t->to ? encodings[t->to].name : "");
        break;
    default:
        snprintf(text, size, "a gamma of %.2f is applied", t->gamma);
        *fix = "Feed the camera's sRGB values as they are: neither linearize them nor apply a gamma.";
    }
}

/* ---- Trying them ------------------------------------------------------------------------------- */

/* The residual of the transform as it is, in the best order of channels. */
static double current_residual(xr_input_pair *pair, const xr_transform *transform)
{
    xr_fit_sums sums = xr_transform_sums(pair, transform);
    return xr_unexplained_by_order(&sums, pair->channels, NULL);
}

/* Frames with the transform applied; conversions are tried on copies of them. */
typedef struct placed_frames {
    xr_raster edge[XR_SEARCH_FRAMES], reference[XR_SEARCH_FRAMES];
    size_t count;
} placed_frames;

static void place_frames(xr_input_pair *pair, const xr_transform *transform, placed_frames *out)
{
    enum { MOST = 4 };
    *out = (placed_frames){0};
    for (size_t f = 0; f < pair->count && out->count < MOST; f++) {
        xr_applied applied = {.pair = pair, .transform = transform};
        xr_placed p;
        exray_error error;
        if (xr_apply_transform(&applied, pair->frame[f].frame, &p, &error) != EXRAY_OK) {
            xr_applied_free(&applied);
            continue;
        }
        out->edge[out->count] = applied.edge;
        out->reference[out->count++] = applied.reference;
    }
}

/* The residual with transform->color; plain: without a gain and an offset. */
static double try_color(const xr_input_pair *pair, const xr_transform *transform, const placed_frames *frames,
                        bool plain)
{
    xr_fit_sums sums = {0};
    enum { STEP = 7 };
    for (size_t f = 0; f < frames->count; f++) {
        const xr_raster *e = &frames->edge[f], *r = &frames->reference[f];
        size_t pixels = r->width * r->height, few = pixels / STEP;
        xr_raster edge, sample;
        bool ok = xr_raster_make(&edge, few, 1, r->channels);
        ok = xr_raster_make(&sample, few, 1, r->channels) && ok;
        for (size_t c = 0; ok && c < r->channels; c++)
            for (size_t i = 0; i < few; i++) {
                edge.v[c * few + i] = e->v[c * pixels + i * STEP];
                sample.v[c * few + i] = r->v[c * pixels + i * STEP];
            }
        if (ok) {
            xr_apply_color(&transform->color, &transform->unit, &sample);
            xr_sums_add(&sums, pair->channels, edge.v, sample.v, NULL, few, 1);
        }
        xr_raster_free(&edge);
        xr_raster_free(&sample);
    }
    return plain ? xr_unexplained_plainly(&sums, pair->channels)
                 : xr_unexplained_by_order(&sums, pair->channels, NULL);
}

/* Improves the gamma by steps that are halved. */
static double refine_gamma(const xr_input_pair *pair, xr_transform *transform, const placed_frames *frames,
                           bool plain)
{
    double least = try_color(pair, transform, frames, plain);
    double step = 0.1;
    for (int halvings = 0; halvings < 6; halvings++, step /= 2)
        for (int sign = -1; sign <= 1; sign += 2) {
            xr_transform other = *transform;
            other.color.gamma *= 1 + sign * step;
            double residual = try_color(pair, &other, frames, plain);
            if (residual < least) {
                least = residual;
                *transform = other;
            }
        }
    return least;
}

bool xr_find_color(xr_input_pair *pair, xr_transform *transform)
{
    xr_color_transform list[CONVERSIONS];
    placed_frames frames;
    if (pair->channels != 3 || transform->color.kind || !xr_find_pixel_unit(pair, &transform->unit))
        return false;
    double before = current_residual(pair, transform), least = 2, spread = pair->spread[EXRAY_SIDE_EDGE];
    size_t count = known_conversions(list), best = 0;
    place_frames(pair, transform, &frames);
    xr_transform next = *transform;
    for (size_t i = 0; i < count; i++) {
        next.color = list[i];
        double residual = try_color(pair, &next, &frames, false);
        if (residual < least * 0.95) {
            least = residual;
            best = i;
        }
    }
    next.color = list[best];
    if (next.color.kind == XR_COLOR_GAMMA) {
        xr_transform plain = next;
        least = refine_gamma(pair, &next, &frames, false);
        /* A gain and an offset make the gamma uncertain: it is fitted without them if that is as good. */
        if (refine_gamma(pair, &plain, &frames, true) < xr_no_worse(least, spread)) {
            next = plain;
            least = try_color(pair, &plain, &frames, false);
        }
    }
    for (size_t f = 0; f < frames.count; f++) {
        xr_raster_free(&frames.edge[f]);
        xr_raster_free(&frames.reference[f]);
    }
    double a = sqrt(least) * spread, b = sqrt(before) * spread; /* levels */
    if (frames.count == 0 || b < 1.8 * a + 0.4)
        return false;
    /* A gray picture has no color at all; with a larger residual it is something else. */
    if (next.color.kind == XR_COLOR_GRAY && a > fmax(0.25 * b, 2))
        return false;
    transform->color = next.color;
    transform->color.residual_without = before;
    return true;
}
