/* Colours that no order of channels and no line explains: other matrices, exchanged
 * chroma, grey, gamma.  Each is a function of a pixel, tried as such, clipping included. */
#include "checks/input/input_words.h"
#include "checks/input/search/input_search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Pixels' unit ------------------------------------------------------------------------ */

/* By no convention that is known: values that use all of the range of a pixel, as those of a few
 * photographs do, show what its ends became. */
static bool unit_of_range(const xr_input_fit *fit, xr_chain *chain)
{
    for (size_t c = 0; c < fit->channels; c++) {
        double range = fit->max[EXRAY_SIDE_REFERENCE][c] - fit->min[EXRAY_SIDE_REFERENCE][c];
        /* The level is that of the channel with the largest. */
        if (!(range > 0) || range / fit->level[EXRAY_SIDE_REFERENCE] > 600)
            return false;
        chain->from[c] = (unsigned char)c;
        chain->gain[c] = range / 255;
        chain->offset[c] = fit->min[EXRAY_SIDE_REFERENCE][c];
    }
    return fit->channels > 0;
}

/* reference = gain * pixel[from] + offset: known from the sensor's picture, else from the
 * convention that the reference's values follow. */
bool xr_chain_unit(const xr_scene *scene, xr_chain *chain)
{
    if (chain->scaled)
        return true;
    bool exact;
    const xr_convention *k = xr_convention_of(scene->fit, EXRAY_SIDE_REFERENCE, &exact);
    if (!k)
        return unit_of_range(scene->fit, chain);
    for (size_t c = 0; c < XR_FIT_CHANNELS; c++) {
        chain->from[c] = (unsigned char)c;
        chain->gain[c] = 1 / k->std[c % 3];
        chain->offset[c] = -k->mean[c % 3] / k->std[c % 3];
    }
    return true;
}

/* ---- Tints -------------------------------------------------------------------------------- */

static double tint_byte(double v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

static void tint_pixel(const xr_tint *t, const double in[3], double out[3])
{
    if (t->kind == XR_TINT_GAMMA) {
        for (int c = 0; c < 3; c++)
            out[c] = 255 * pow(tint_byte(in[c]) / 255, t->gamma);
        return;
    }
    for (int c = 0; c < 3; c++)
        out[c] = tint_byte(t->matrix[c][0] * in[0] + t->matrix[c][1] * in[1] + t->matrix[c][2] * in[2] +
                           t->matrix[c][3]);
}

void xr_tint_apply(const xr_chain *chain, xr_raster *r)
{
    size_t pixels = r->width * r->height;
    if (chain->tint.kind == XR_TINT_NONE || r->channels != 3)
        return;
    for (size_t i = 0; i < pixels; i++) {
        double in[3], out[3];
        for (size_t c = 0; c < 3; c++)
            in[chain->from[c]] = ((double)r->v[c * pixels + i] - chain->offset[c]) / chain->gain[c];
        tint_pixel(&chain->tint, in, out);
        for (size_t c = 0; c < 3; c++)
            r->v[c * pixels + i] = (float)(chain->gain[c] * out[chain->from[c]] + chain->offset[c]);
    }
}

/* ---- Those that are known ------------------------------------------------------------------ */

typedef struct encoding {
    const char *name;
    double kr, kb;
} encoding;
static const encoding encodings[] = {
    {"BT.601", 0.299, 0.114}, {"BT.709", 0.2126, 0.0722}, {"BT.2020", 0.2627, 0.0593}};

/* Y, U, V of full range from R, G, B. */
static void encode(const encoding *e, double m[3][3])
{
    double kg = 1 - e->kr - e->kb, y[3] = {e->kr, kg, e->kb};
    for (int c = 0; c < 3; c++) {
        m[0][c] = y[c];
        m[1][c] = ((c == 2) - y[c]) / (2 * (1 - e->kb));
        m[2][c] = ((c == 0) - y[c]) / (2 * (1 - e->kr));
    }
}

static void decode(const encoding *e, double m[3][3])
{
    double kg = 1 - e->kr - e->kb;
    double rows[3][3] = {{1, 0, 2 * (1 - e->kr)},
                         {1, -2 * (1 - e->kb) * e->kb / kg, -2 * (1 - e->kr) * e->kr / kg},
                         {1, 2 * (1 - e->kb), 0}};
    memcpy(m, rows, sizeof rows);
}

/* range: 0 as it was; 1 limited taken for full (greyer); -1 full taken for limited. */
static void make_matrix(xr_tint *t, const encoding *reference, const encoding *edge, bool swap, int range)
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

/* Luma where chroma belongs and the other way round; the two chroma samples, which lie one
 * pixel apart, as their mean. */
static void make_packed(xr_tint *t, const encoding *e, bool limited)
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

enum { TINTS = 44 };

static void add_tint(xr_tint *list, size_t *count, const xr_tint *t)
{
    if (*count < TINTS)
        list[(*count)++] = *t;
}

static size_t known_tints(xr_tint list[TINTS])
{
    static const double greys[][3] = {
        {0.299, 0.587, 0.114}, {0.2126, 0.7152, 0.0722}, {1 / 3.0, 1 / 3.0, 1 / 3.0}, {0.114, 0.587, 0.299}};
    static const double gammas[] = {2.2, 1 / 2.2, 1.8, 1 / 1.8, 1.5, 1 / 1.5, 1.2, 1 / 1.2, 2.6, 1 / 2.6};
    size_t count = 0;
    for (size_t i = 0; i < sizeof greys / sizeof *greys; i++) {
        xr_tint t = {.kind = XR_TINT_GREY};
        for (int c = 0; c < 3; c++)
            memcpy(t.matrix[c], greys[i], sizeof greys[i]);
        add_tint(list, &count, &t);
    }
    for (size_t i = 0; i < 3; i++)
        for (int range = 0; i < 2 && range < 2; range++) {
            xr_tint t = {.kind = XR_TINT_UV};
            make_matrix(&t, &encodings[i], &encodings[i], true, range ? -1 : 0);
            if (!range)
                add_tint(list, &count, &t);
        }
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 3; k++)
            for (int range = -1; range <= 1; range++) {
                xr_tint t = {.kind = range ? XR_TINT_RANGE : XR_TINT_MATRIX};
                if ((i == k && !range) || (range && (i == 2 || k == 2)))
                    continue;
                t.from = i, t.to = k, t.range = range;
                make_matrix(&t, &encodings[i], &encodings[k], false, range);
                add_tint(list, &count, &t);
            }
    for (size_t i = 0; i < 2; i++)
        for (int limited = 0; limited < 2; limited++) {
            xr_tint t = {.kind = XR_TINT_PACKED};
            make_packed(&t, &encodings[i], limited);
            add_tint(list, &count, &t);
        }
    for (size_t i = 0; i < sizeof gammas / sizeof *gammas; i++) {
        xr_tint t = {.kind = XR_TINT_GAMMA, .gamma = gammas[i]};
        add_tint(list, &count, &t);
    }
    return count;
}

void xr_tint_text(const xr_tint *t, char *text, size_t size, const char **fix)
{
    *fix = "Convert the camera's YUV with the matrix and the range that it was encoded with (the media of "
           "the sensor "
           "record; OpenCV: COLOR_YUV2RGB_NV12 and its like are BT.601, limited).";
    switch (t->kind) {
    case XR_TINT_GREY:
        snprintf(text, size, "a grey picture, its channels equal; the reference's has colours");
        *fix = "Feed the model the colour picture (pipeline: `channels: rgb`).";
        break;
    case XR_TINT_UV:
        snprintf(text, size, "U and V are exchanged (NV12 read as NV21, or the other way round)");
        *fix = "Read the chroma in the camera's order: U V in NV12, V U in NV21 (media.format of the sensor "
               "record).";
        break;
    case XR_TINT_PACKED:
        snprintf(text, size, "luma and chroma are exchanged (YUYV read as UYVY, or the other way round)");
        *fix = "Read the camera's bytes in the format that it delivers (media.format of the sensor record).";
        break;
    case XR_TINT_MATRIX:
        snprintf(text, size, "YUV is decoded as %s, where the reference has %s", encodings[t->to].name,
                 encodings[t->from].name);
        break;
    case XR_TINT_RANGE:
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

/* ---- Trying them ----------------------------------------------------------------------------- */

/* What is left under a tint, on the frames searched on: a share of the edge's variance. */
static double tinted_left(xr_scene *scene, const xr_chain *chain)
{
    xr_fit_sums sums = xr_chain_sums(scene, chain);
    return xr_unexplained_by_order(&sums, scene->channels, NULL);
}

/* The placed frames without a tint, kept while tints are tried on copies of them. */
typedef struct placed_frames {
    xr_raster edge[XR_SEARCH_FRAMES], reference[XR_SEARCH_FRAMES];
    size_t count;
} placed_frames;

static void place_frames(xr_scene *scene, const xr_chain *chain, placed_frames *out)
{
    enum { MOST = 4 };
    *out = (placed_frames){0};
    for (size_t f = 0; f < scene->count && out->count < MOST; f++) {
        xr_applied applied = {.scene = scene, .chain = chain};
        xr_placed p;
        exray_error error;
        if (xr_apply_chain(&applied, scene->frame[f].frame, &p, &error) != EXRAY_OK) {
            xr_applied_free(&applied);
            continue;
        }
        out->edge[out->count] = applied.edge;
        out->reference[out->count++] = applied.reference;
    }
}

/* plain: what no gain and no offset may explain. */
static double try_tint(const xr_scene *scene, const xr_chain *chain, const placed_frames *frames, bool plain)
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
            xr_tint_apply(chain, &sample);
            xr_sums_add(&sums, scene->channels, edge.v, sample.v, NULL, few, 1);
        }
        xr_raster_free(&edge);
        xr_raster_free(&sample);
    }
    return plain ? xr_unexplained_plainly(&sums, scene->channels)
                 : xr_unexplained_by_order(&sums, scene->channels, NULL);
}

/* The gamma nearby that leaves least. */
static double refine_gamma(const xr_scene *scene, xr_chain *chain, const placed_frames *frames, bool plain)
{
    double least = try_tint(scene, chain, frames, plain);
    double step = 0.1;
    for (int halvings = 0; halvings < 6; halvings++, step /= 2)
        for (int sign = -1; sign <= 1; sign += 2) {
            xr_chain other = *chain;
            other.tint.gamma *= 1 + sign * step;
            double left = try_tint(scene, &other, frames, plain);
            if (left < least) {
                least = left;
                *chain = other;
            }
        }
    return least;
}

bool xr_find_tint(xr_scene *scene, xr_chain *chain, double spread_levels)
{
    xr_tint list[TINTS];
    placed_frames frames;
    if (scene->channels != 3 || chain->tint.kind || !xr_chain_unit(scene, chain))
        return false;
    double before = tinted_left(scene, chain), least = 2;
    size_t count = known_tints(list), best = 0;
    place_frames(scene, chain, &frames);
    xr_chain next = *chain;
    for (size_t i = 0; i < count; i++) {
        next.tint = list[i];
        double left = try_tint(scene, &next, &frames, false);
        if (left < least * 0.95) {
            least = left;
            best = i;
        }
    }
    next.tint = list[best];
    if (next.tint.kind == XR_TINT_GAMMA) {
        xr_chain plain = next;
        least = refine_gamma(scene, &next, &frames, false);
        /* A line beside it hides what the gamma is: without one, if it does as well. */
        if (refine_gamma(scene, &plain, &frames, true) < xr_no_worse(least, spread_levels)) {
            next = plain;
            least = try_tint(scene, &plain, &frames, false);
        }
    }
    for (size_t f = 0; f < frames.count; f++) {
        xr_raster_free(&frames.edge[f]);
        xr_raster_free(&frames.reference[f]);
    }
    double a = sqrt(least) * spread_levels, b = sqrt(before) * spread_levels;
    if (frames.count == 0 || b < 1.8 * a + 0.4)
        return false;
    /* A grey picture leaves no colour at all: less is something else. */
    if (next.tint.kind == XR_TINT_GREY && a > fmax(0.25 * b, 2))
        return false;
    chain->tint = next.tint;
    chain->untinted_left = before;
    return true;
}
