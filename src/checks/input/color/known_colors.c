#include "checks/input/color/known_colors.h"

#include "checks/input/color/color_mixture.h"

#include <stdio.h>
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

static void add_conversion(xr_color_transform *list, size_t *count, const xr_color_transform *t)
{
    if (*count < XR_KNOWN_COLORS)
        list[(*count)++] = *t;
}

/* Gray, and YUV decoded otherwise than it was encoded. */
static void list_misread(xr_color_transform *list, size_t *count)
{
    static const double grays[][3] = {
        {0.299, 0.587, 0.114}, {0.2126, 0.7152, 0.0722}, {1 / 3.0, 1 / 3.0, 1 / 3.0}, {0.114, 0.587, 0.299}};
    for (size_t i = 0; i < sizeof grays / sizeof *grays; i++) {
        xr_color_transform t = {.kind = XR_COLOR_GRAY};
        for (int c = 0; c < 3; c++)
            memcpy(t.matrix[c], grays[i], sizeof grays[i]);
        add_conversion(list, count, &t);
    }
    for (int only = 0; only < 3; only++) {
        static const char *const channels[] = {"red", "green", "blue"};
        xr_color_transform t = {.kind = XR_COLOR_GRAY, .name = channels[only]};
        for (int c = 0; c < 3; c++)
            t.matrix[c][only] = 1;
        add_conversion(list, count, &t);
    }
    for (size_t i = 0; i < 3; i++) {
        xr_color_transform t = {.kind = XR_COLOR_UV};
        make_matrix(&t, &encodings[i], &encodings[i], true, 0);
        add_conversion(list, count, &t);
    }
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 3; k++)
            for (int range = -1; range <= 1; range++) {
                xr_color_transform t = {.kind = range ? XR_COLOR_RANGE : XR_COLOR_MATRIX};
                if ((i == k && !range) || (range && (i == 2 || k == 2)))
                    continue;
                t.from = i, t.to = k, t.range = range;
                make_matrix(&t, &encodings[i], &encodings[k], false, range);
                add_conversion(list, count, &t);
            }
    for (size_t i = 0; i < 2; i++)
        for (int limited = 0; limited < 2; limited++) {
            xr_color_transform t = {.kind = XR_COLOR_PACKED};
            make_packed(&t, &encodings[i], limited);
            add_conversion(list, count, &t);
        }
}

/* U, V or both read as 0: of limited or of full range. */
static void list_lost_chroma(xr_color_transform *list, size_t *count)
{
    static const char *const names[] = {"the U plane (Cb) is", "the V plane (Cr) is",
                                        "both chroma planes are"};
    for (size_t i = 0; i < 2; i++)
        for (int limited = 0; limited < 2; limited++)
            for (int plane = 0; plane < 3; plane++) {
                double in[3][3], out[3][3], zero = -128 * (limited ? 255.0 / 224 : 1);
                xr_color_transform t = {.kind = XR_COLOR_NO_CHROMA, .name = names[plane]};
                encode(&encodings[i], in);
                decode(&encodings[i], out);
                for (int c = 0; c < 3; c++)
                    for (int j = 0; j < 3; j++) {
                        bool lost = j > 0 && (plane == 2 || plane == j - 1);
                        t.matrix[c][3] += lost ? out[c][j] * zero : 0;
                        for (int k = 0; k < 3 && !lost; k++)
                            t.matrix[c][k] += out[c][j] * in[j][k];
                    }
                add_conversion(list, count, &t);
            }
}

/* The values of another color space fed as RGB; first the linear ones. */
static void list_codes(xr_color_transform *list, size_t *count)
{
    static const struct {
        const char *name;
        size_t encoding;
        bool limited;
        unsigned char row[3];
    } linear[] = {{"YCbCr (YUV)", 0, false, {0, 1, 2}},
                  {"YCrCb (OpenCV's order)", 0, false, {0, 2, 1}},
                  {"YCbCr (YUV) of limited range", 0, true, {0, 1, 2}},
                  {"YCrCb of limited range", 0, true, {0, 2, 1}},
                  {"YCbCr (YUV) of BT.709", 1, false, {0, 1, 2}}};
    for (size_t i = 0; i < sizeof linear / sizeof *linear; i++) {
        double in[3][3];
        xr_color_transform t = {.kind = XR_COLOR_CODED, .name = linear[i].name};
        encode(&encodings[linear[i].encoding], in);
        for (int c = 0; c < 3; c++) {
            int row = linear[i].row[c];
            double scale = !linear[i].limited ? 1 : row ? 224.0 / 255 : 219.0 / 255;
            for (int k = 0; k < 3; k++)
                t.matrix[c][k] = scale * in[row][k];
            t.matrix[c][3] = row ? 128 : linear[i].limited ? 16 : 0;
        }
        add_conversion(list, count, &t);
    }
    /* The reverse: the reference feeds such values, the edge RGB. */
    for (int order = 0; order < 2; order++) {
        double out[3][3];
        xr_color_transform t = {.kind = XR_COLOR_CODED,
                                .backward = true,
                                .name = order ? "YCrCb (OpenCV's order)" : "YCbCr (YUV)"};
        decode(&encodings[0], out);
        for (int c = 0; c < 3; c++)
            for (int j = 0; j < 3; j++) {
                t.matrix[c][order && j ? 3 - j : j] = out[c][j];
                t.matrix[c][3] -= j ? 128 * out[c][j] : 0;
            }
        add_conversion(list, count, &t);
    }
    /* OpenCV's YUV, whose chroma has other factors. */
    xr_color_transform yuv = {.kind = XR_COLOR_CODED,
                              .name = "YUV",
                              .matrix = {{0.299, 0.587, 0.114, 0},
                                         {-0.492 * 0.299, -0.492 * 0.587, 0.492 * 0.886, 128},
                                         {0.877 * 0.701, -0.877 * 0.587, -0.877 * 0.114, 128}}};
    add_conversion(list, count, &yuv);
    xr_color_transform codes[] = {{.code = XR_CODE_HSV, .name = "HSV"},
                                  {.code = XR_CODE_HSV_180, .name = "HSV with a hue of 0 to 179"},
                                  {.code = XR_CODE_HLS, .name = "HLS"},
                                  {.code = XR_CODE_LAB, .name = "L*a*b*"}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        codes[i].kind = XR_COLOR_CODED;
        add_conversion(list, count, &codes[i]);
    }
}

size_t xr_known_colors(xr_color_transform list[XR_KNOWN_COLORS])
{
    static const double gammas[] = {2.2, 1 / 2.2, 1.8, 1 / 1.8, 1.5, 1 / 1.5, 1.2, 1 / 1.2, 2.6, 1 / 2.6};
    static const unsigned char bits[][3] = {{5, 6, 5}, {5, 5, 5}, {4, 4, 4}, {3, 3, 2}, {6, 6, 6}};
    size_t count = 0;
    list_misread(list, &count);
    list_lost_chroma(list, &count);
    list_codes(list, &count);
    for (size_t i = 0; i < sizeof gammas / sizeof *gammas; i++) {
        xr_color_transform t = {.kind = XR_COLOR_GAMMA, .gamma = gammas[i]};
        add_conversion(list, &count, &t);
    }
    add_conversion(list, &count, &(xr_color_transform){.kind = XR_COLOR_SWAPPED});
    for (int backward = 0; backward < 2; backward++)
        add_conversion(
            list, &count,
            &(xr_color_transform){.kind = XR_COLOR_SWAPPED, .bits = {5, 5, 5}, .backward = backward});
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        for (int low_zero = 0; low_zero < 2; low_zero++) {
            xr_color_transform t = {.kind = XR_COLOR_COARSE, .low_zero = low_zero};
            memcpy(t.bits, bits[i], sizeof t.bits);
            add_conversion(list, &count, &t);
        }
    return count;
}

bool xr_is_nonlinear(const xr_color_transform *t)
{
    return t->kind == XR_COLOR_NO_CHROMA || t->kind == XR_COLOR_SWAPPED || t->kind == XR_COLOR_COARSE ||
           t->kind == XR_COLOR_GAMMA || t->kind == XR_COLOR_HUE || t->clipped ||
           (t->kind == XR_COLOR_CODED && t->code != XR_CODE_MATRIX);
}

void xr_color_text(const xr_color_transform *t, char *text, size_t size, const char **fix)
{
    *fix = "Convert the camera's YUV with the matrix and the range that it was encoded with (the media of "
           "the sensor "
           "record; OpenCV: COLOR_YUV2RGB_NV12 and its like are BT.601, limited).";
    switch (t->kind) {
    case XR_COLOR_GRAY:
        if (t->name)
            snprintf(text, size, "a grey picture, the %s channel in all three; the reference's has colours",
                     t->name);
        else
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
    case XR_COLOR_NO_CHROMA:
        snprintf(text, size, "%s read as 0, which is no colour (that is 128)", t->name);
        *fix = "Fill all planes of the camera's buffer, or convert it with the strides and offsets that its "
               "planes have; no chroma is 128, not 0.";
        break;
    case XR_COLOR_CODED:
        if (t->backward) {
            snprintf(text, size, "R, G and B are fed where the reference feeds the values of %s", t->name);
            *fix = "Feed the colour space that the model was trained with; the reference's, if it is right.";
            break;
        }
        snprintf(text, size, "the values of %s are fed as if they were R, G and B", t->name);
        *fix = "Convert to RGB before the model.";
        break;
    case XR_COLOR_SWAPPED:
        if (t->bits[0]) {
            snprintf(text, size, "16-bit colours of %s bits are read as if they were of %s",
                     t->backward ? "5, 5 and 5" : "5, 6 and 5 (RGB565)",
                     t->backward ? "5, 6 and 5 (RGB565)" : "5, 5 and 5");
            *fix = "Take the camera's 16-bit colours apart by the bits that they have.";
            break;
        }
        snprintf(text, size, "the two bytes of each 16-bit colour (RGB565) are exchanged");
        *fix = "Read the camera's 16-bit colours in its byte order (most cameras send the high byte first): "
               "exchange the two bytes of each pixel.";
        break;
    case XR_COLOR_COARSE:
        snprintf(text, size, "%u, %u and %u bits for red, green and blue where the reference has 8",
                 t->bits[0], t->bits[1], t->bits[2]);
        *fix = "Nothing, as long as the decisions hold; else have the camera deliver 8 bits a colour.";
        break;
    case XR_COLOR_MIXED:
        xr_mixture_text(t, text, size);
        if (xr_is_filter_shift(t)) {
            *fix =
                "Read the sensor's filters in the order that they have (media.format of the sensor record; "
                "OpenCV names BayerRG by the second row), from the first row and column on.";
            break;
        }
        if (xr_is_scaling(t)) {
            *fix =
                "Take out what scales the pixels (a white balance, an exposure, a contrast: an augmentation "
                "of training that is left on, or a correction that is done twice), or have it on both "
                "sides.";
            break;
        }
        *fix = "Take out what mixes the colours (a saturation, a colour matrix, a display's profile), or "
               "have it "
               "on both sides.";
        break;
    case XR_COLOR_CHANNELS: {
        static const char *const letters[] = {"first", "second", "third"};
        int used = snprintf(text, size, "its channels are");
        for (int c = 0; c < 3 && used > 0 && (size_t)used < size; c++)
            used += t->channel[c] < 3
                        ? snprintf(text + used, size - (size_t)used, "%s the reference's %s", c ? "," : "",
                                   letters[t->channel[c]])
                        : snprintf(text + used, size - (size_t)used, "%s the constant %.0f%s", c ? "," : "",
                                   t->constant, t->constant > 253.5 ? " (an alpha that is opaque)" : "");
        *fix =
            "Read each colour at its own byte of the pixel: the camera's pixels have four bytes in another "
            "order (ARGB, ABGR, RGBA, BGRA), one of which is alpha.";
        break;
    }
    case XR_COLOR_HUE:
        snprintf(text, size, "their hue is turned by %.0f degrees (saturation and value are the reference's)",
                 360 * (t->turn > 0.5 ? t->turn - 1 : t->turn));
        *fix = "Take out what turns the hue (an augmentation of training that is left on, a hue of 0 to 255 "
               "where one of 0 to 179 is meant), or have it on both sides.";
        break;
    default:
        snprintf(text, size, "a gamma of %.2f is applied", t->gamma);
        *fix = "Feed the camera's sRGB values as they are: neither linearize them nor apply a gamma.";
    }
}

void xr_say_range(exray_finding *finding, int range)
{
    exray_finding_summary(finding, "The edge's colours are made differently: %s.",
                          range > 0 ? "limited range is taken for full range (16..235 are left as they are)"
                                    : "full range is taken for limited range (16..235 are stretched)");
    exray_finding_fix(
        finding, "Convert the camera's YUV with the range that it was encoded with (media.full_range of the "
                 "sensor record).");
}
