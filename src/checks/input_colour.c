/* Colours that no order of channels and no line explains: other matrices, exchanged
 * chroma, grey, gamma; and integers that were quantized once too often, or not at all.
 * Each is a function of a pixel, tried as such, clipping and rounding included. */
#include "input_search.h"
#include "input_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Pixels' unit ------------------------------------------------------------------------ */

/* reference = gain * pixel[from] + offset: known from the sensor's picture, else from the
 * convention that the reference's values follow. */
bool xr_chain_unit(const xr_scene *scene, xr_chain *chain)
{
    if (chain->scaled)
        return true;
    bool exact;
    const xr_convention *k = xr_convention_of(scene->fit, EXRAY_REFERENCE, &exact);
    if (!k)
        return false;
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

enum { TINTS = 40 };

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

static double try_tint(const xr_scene *scene, const xr_chain *chain, const placed_frames *frames)
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
    return xr_unexplained_by_order(&sums, scene->channels, NULL);
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
        double left = try_tint(scene, &next, &frames);
        if (left < least * 0.95) {
            least = left;
            best = i;
        }
    }
    next.tint = list[best];
    for (double step = 0.1; next.tint.kind == XR_TINT_GAMMA && step > 0.004; step /= 2)
        for (int sign = -1; sign <= 1; sign += 2) {
            xr_chain other = next;
            other.tint.gamma *= 1 + sign * step;
            double left = try_tint(scene, &other, &frames);
            if (left < least) {
                least = left;
                next = other;
            }
        }
    for (size_t f = 0; f < frames.count; f++) {
        xr_raster_free(&frames.edge[f]);
        xr_raster_free(&frames.reference[f]);
    }
    double a = sqrt(least) * spread_levels, b = sqrt(before) * spread_levels;
    if (frames.count == 0 || b < 1.8 * a + 0.4)
        return false;
    chain->tint = next.tint;
    chain->untinted_left = before;
    return true;
}

/* ---- Integers --------------------------------------------------------------------------------- */

/* The edge's value for a reference's value, under each mistake; in the edge's unit. */
static double remapped(const xr_remap *m, double value, double gain, double offset, size_t c)
{
    double q;
    switch (m->kind) {
    case XR_REMAP_NORMALIZED: /* another convention, then quantized */
        value = ((value - offset) / gain - m->mean[c % 3]) / m->std[c % 3];
        q = round(value / m->scale) + m->zero;
        break;
    case XR_REMAP_TWICE:
        q = round(fmin(fmax(round(value / m->scale) + m->zero, m->least), m->least + 255) / m->scale) +
            m->zero;
        break;
    case XR_REMAP_NOT: /* cast, or rounded, as it is */
        q = round(value);
        break;
    case XR_REMAP_CAST:
        q = trunc(value);
        break;
    default: /* as it should be; what the tensor cannot hold is clipped */
        q = round(value / m->scale) + m->zero;
    }
    q = fmin(fmax(q, m->least), m->least + 255);
    return m->scale * (q - m->zero);
}

void xr_remap_apply(const xr_chain *chain, xr_raster *r)
{
    size_t pixels = r->width * r->height;
    if (chain->remap.kind == XR_REMAP_NONE)
        return;
    for (size_t c = 0; c < r->channels; c++)
        for (size_t i = c * pixels; i < (c + 1) * pixels; i++)
            r->v[i] = (float)remapped(&chain->remap, (double)r->v[i], chain->gain[c], chain->offset[c], c);
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* How far apart two sets of values are as distributions: mean distance of equal ranks. */
static double apart(const float *edge_sorted, float *other, size_t n)
{
    double sum = 0;
    qsort(other, n, sizeof *other, ascending);
    for (size_t i = 0; i < n; i++)
        sum += fabs((double)edge_sorted[i] - (double)other[i]);
    return n ? sum / (double)n : 0;
}

static size_t sample(const xr_scene *scene, exray_side side, float *out, size_t room, size_t *channel)
{
    size_t n = 0;
    for (size_t f = 0; f < scene->count; f++) {
        const xr_raster *r = side == EXRAY_EDGE ? &scene->frame[f].edge[0] : &scene->frame[f].reference;
        size_t pixels = r->width * r->height, step = pixels * scene->count * scene->channels / room + 1;
        for (size_t c = 0; c < r->channels; c++)
            for (size_t i = 0; i < pixels && n < room; i += step) {
                if (channel)
                    channel[n] = c;
                out[n++] = r->v[c * pixels + i];
            }
    }
    return n;
}

/* What the edge's tensor holds; false where it is no quantized tensor of 8 bits. */
static bool stored_as(xr_scene *scene, xr_remap *m)
{
    exray_tensor_view view;
    const float *values;
    exray_error error;
    if (exray_comparison_values(scene->comparison, EXRAY_EDGE, scene->frame[0].frame, EXRAY_INPUT,
                                scene->pair, scene->slot, &view, &values, &error) != EXRAY_OK)
        return false;
    const exray_quantization *q = &view.info.quantization;
    if (q->count != 1 || (view.info.dtype != EXRAY_INT8 && view.info.dtype != EXRAY_UINT8) ||
        !(q->scale[0] > 0))
        return false;
    *m = (xr_remap){.scale = (double)q->scale[0],
                    .zero = q->zero_point ? (double)q->zero_point[0] : 0,
                    .least = view.info.dtype == EXRAY_INT8 ? -128 : 0};
    return true;
}

void xr_find_remap(xr_scene *scene, xr_chain *chain)
{
    enum { ROOM = 12000 };
    xr_remap m;
    if (scene->count == 0 || !stored_as(scene, &m))
        return;
    scene->low = m.scale * (m.least - m.zero);
    scene->high = m.scale * (m.least + 255 - m.zero);
    scene->clamped = scene->fit->clipped > 0.01 * scene->fit->counted;
    float *edge = malloc(ROOM * sizeof *edge), *reference = malloc(ROOM * sizeof *reference),
          *other = malloc(ROOM * sizeof *other);
    size_t *channel = malloc(ROOM * sizeof *channel);
    if (edge && reference && other && channel) {
        size_t n = sample(scene, EXRAY_EDGE, edge, ROOM, NULL);
        if (sample(scene, EXRAY_REFERENCE, reference, ROOM, channel) != n)
            n = 0;
        double ends[2] = {0, 0};
        for (size_t i = 0; i < n; i++) {
            ends[0] +=
                (double)edge[i] < scene->low + m.scale / 4 || (double)edge[i] > scene->high - m.scale / 4;
            ends[1] += fabs((double)reference[i] - scene->low) < m.scale ||
                       fabs((double)reference[i] - scene->high) < m.scale;
        }
        double share = n ? ends[0] / (double)n : 0;
        qsort(edge, n, sizeof *edge, ascending);
        size_t levels = n > 0;
        for (size_t i = 1; i < n; i++)
            levels += edge[i] != edge[i - 1];
        scene->censored = n && share > 0.01 && share > 1.2 * ends[1] / (double)n + 0.01;
        /* Values hardly left to fit a line to: what could have flattened them? */
        if (n && (share > 0.8 || levels < 12)) {
            for (size_t i = 0; i < n; i++)
                other[i] = (float)remapped(&m, (double)reference[i], 1, 0, 0);
            double least = apart(edge, other, n), same = least;
            bool unit = xr_chain_unit(scene, chain);
            for (int kind = XR_REMAP_NORMALIZED; kind <= XR_REMAP_CAST; kind++)
                for (size_t k = 0; k < (kind == XR_REMAP_NORMALIZED ? xr_convention_count() : 1); k++) {
                    xr_remap now = m;
                    now.kind = (xr_remap_kind)kind;
                    if (kind == XR_REMAP_NORMALIZED) {
                        if (!unit)
                            continue;
                        const xr_convention *convention = xr_convention_at(k);
                        memcpy(now.mean, convention->mean, sizeof now.mean);
                        memcpy(now.std, convention->std, sizeof now.std);
                        now.name = convention->name;
                    }
                    for (size_t i = 0; i < n; i++)
                        other[i] = (float)remapped(&now, (double)reference[i], chain->gain[channel[i]],
                                                   chain->offset[channel[i]], channel[i]);
                    double left = apart(edge, other, n);
                    /* Constants that do the same as a second quantization, or the other way round. */
                    if (chain->remap.kind && kind != (int)chain->remap.kind &&
                        left < 1.25 * least + 0.01 * m.scale)
                        chain->remap.tied = true;
                    if (left < 0.8 * least) {
                        least = left;
                        chain->remap = now;
                    }
                }
            if (least > 0.2 * same || same < 2 * m.scale)
                chain->remap.kind = XR_REMAP_NONE;
            if (chain->remap.kind)
                scene->censored = false;
        }
    }
    free(edge);
    free(reference);
    free(other);
    free(channel);
}
