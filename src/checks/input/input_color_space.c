/* input.color_space and input.decoder: colors converted, or bytes decoded, in another way. */
#include "checks/findings.h"
#include "checks/input/color/color_mixture.h"
#include "checks/input/color/known_colors.h"
#include "checks/input/input_findings.h"
#include "checks/input/search/find.h"
#include "checks/input/search/residual.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The luma counts as equal up to this median, in levels; all channels together must differ by this many
 * times more. */
#define SAME_LUMA    1.2
#define OTHER_CHROMA 3.0

/* Fewer bits of color are a warning where no decision changes. */
static void judge_severity(const xr_explanation *e, const xr_color_transform *t, exray_finding *f)
{
    const exray_accuracy *accuracy = exray_comparison_accuracy(e->comparison);
    if (t->kind == XR_COLOR_COARSE && !(accuracy->frames > 0 && accuracy->agreement < 1)) {
        f->severity = EXRAY_SEVERITY_WARNING;
        exray_finding_detail(f, "It is a warning, as no decision changes.");
    }
}

/* A factor and an offset of each color are a normalization, clipped or not. */
static const char *cause_of(const xr_color_transform *t)
{
    return t->clipped && xr_is_scaling(t) ? "input.normalization" : "input.color_space";
}

static void add_color(const xr_color_transform *t, exray_finding *f)
{
    char text[256];
    const char *fix;
    xr_color_text(t, text, sizeof text, &fix);
    exray_finding_summary(f, "The edge's colours are made differently: %s.", text);
    exray_finding_fix(f, "%s", fix);
    double saturation;
    if (t->kind == XR_COLOR_GAMMA)
        exray_finding_number(f, "gamma", t->gamma);
    static const char *const gains[] = {"gain_red", "gain_green", "gain_blue"};
    for (int c = 0; c < 3 && t->clipped && xr_is_scaling(t); c++)
        exray_finding_number(f, gains[c], t->matrix[c][c]);
    if (t->kind == XR_COLOR_HUE)
        exray_finding_number(f, "hue_degrees", 360 * (t->turn > 0.5 ? t->turn - 1 : t->turn));
    if (t->kind == XR_COLOR_MIXED && xr_is_saturation(t, &saturation))
        exray_finding_number(f, "saturation", saturation);
}

/* Mistakes on the planes, inks or numbers of a format, by the way that makes them (exray/picture.h). */
static void say_way(const char *way, exray_finding *f)
{
    static const char *const planes_fix =
        "Fill all planes of the camera's buffer, or convert it with the strides and "
        "offsets that its planes have (media of the sensor record).";
    static const struct {
        const char *way, *what, *fix;
    } ways[] = {
        {"u0", "the U plane (Cb) is read as 0, which is no colour (that is 128)", NULL},
        {"v0", "the V plane (Cr) is read as 0, which is no colour (that is 128)", NULL},
        {"uv0", "both chroma planes are read as 0, which is no colour (that is 128)", NULL},
        {"step1",
         "U and V lie side by side in one chroma plane, and are read as if each had a plane of its own (a "
         "pixel "
         "stride of 2 taken for 1)",
         "Step through the chroma planes by their pixel stride (Android: Image.Plane.getPixelStride(), which "
         "is 2 "
         "where U and V are interleaved)."},
        {"step1p",
         "U and V lie side by side in one chroma plane, and are read as if each had a plane of its own (a "
         "pixel "
         "stride of 2 taken for 1), its rows without padding",
         "Step through the chroma planes by their pixel and row strides (Android: "
         "Image.Plane.getPixelStride(), "
         "getRowStride()); I420 is no copy of such planes."},
        {"cmy", "the black ink (K) of a CMYK picture is left out",
         "Convert all four inks (Pillow: convert(\"RGB\")), or refuse pictures in CMYK."},
        {"plain",
         "the inks of a CMYK picture are not inverted, as nearly all programs write them (a negative)",
         "Invert the inks (Adobe's CMYK JPEGs hold 255 - ink) before they are converted."},
        {"ids", "the indices of a picture with a palette are taken for gray values",
         "Look the indices up in the picture's palette (Pillow: convert(\"RGB\") of mode P)."},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(way, ways[i].way) == 0) {
            exray_finding_summary(f, "The edge's colours are made differently: %s.", ways[i].what);
            exray_finding_fix(f, "%s", ways[i].fix ? ways[i].fix : planes_fix);
        }
}

void xr_report_decoding(const xr_explanation *e, exray_findings *findings)
{
    const xr_decode_variant *r = &e->transform->decode;
    const char *cause = r->kind == XR_DECODE_REDUCED ? "input.decoder" : cause_of(&r->color);
    exray_finding *f =
        xr_begin_step(e, findings, cause, XR_STEP_DECODE, xr_step_confidence(e, XR_STEP_DECODE));
    const char *way = strchr(r->format, '/');
    if (r->kind == XR_DECODE_REDUCED) {
        exray_finding_summary(f,
                              "The edge decodes the JPEG at 1/%s of its size and enlarges what is left: fine "
                              "detail is lost.",
                              way ? way + 1 : "2");
        exray_finding_fix(
            f, "Decode the picture in full (libjpeg: scale_denom = 1; Android: inSampleSize = 1; Pillow: no "
               "draft mode), then resize it.");
    } else if (r->kind == XR_DECODE_ALPHA) {
        exray_finding_summary(
            f,
            "The edge blends the picture with its alpha (transparency) on %s; the reference "
            "drops it.",
            way ? way + 1 : "black");
        exray_finding_fix(
            f, "Take the colours without alpha, as the reference does (Android: setPremultiplied"
               "(false) or a bitmap without alpha; OpenCV: IMREAD_COLOR; Pillow: convert(\"RGB\")).");
    } else if (r->kind == XR_DECODE_FORMAT && way)
        say_way(way + 1, f);
    else if (r->kind == XR_DECODE_FORMAT && strcmp(r->format, "gray8") == 0) {
        exray_finding_summary(f,
                              "The edge takes what lies behind the sensor's color filters (a mosaic) for a "
                              "gray picture: it is not demosaiced.");
        exray_finding_fix(f,
                          "Interpolate the colors of the sensor's filters (OpenCV: COLOR_BayerRGGB2RGB and "
                          "its like) before the resize.");
    } else if (r->kind == XR_DECODE_FORMAT) {
        exray_finding_summary(f, "The edge reads the camera's bytes as %s, which they are not.", r->format);
        exray_finding_fix(
            f, "Read the camera's bytes in the format that it delivers (media.format of the sensor record).");
    } else {
        add_color(&r->color, f);
        judge_severity(e, &r->color, f);
    }
    if (*r->format)
        exray_finding_text(f, "read_as", r->format);
}

void xr_report_color(const xr_explanation *e, exray_findings *findings)
{
    const xr_color_transform *t = &e->transform->color;
    exray_finding *f =
        xr_begin_step(e, findings, cause_of(t), XR_STEP_COLOR, xr_step_confidence(e, XR_STEP_COLOR));
    add_color(t, f);
    judge_severity(e, t, f);
    exray_finding_number(f, "untinted_share", t->residual_without);
}

bool xr_report_chroma(xr_input_pair *pair, const xr_input_fit *fit, const xr_transform *transform,
                      exray_findings *findings)
{
    double luma, all;
    /* Pixels that wrap on one side only are few and far off: with equal luma they are explained, without a
     * finding. */
    if (transform->sign_wrap.set)
        return !fit->residual.explained && xr_measure_luma(pair, transform, &luma, &all) && luma <= SAME_LUMA;
    if (fit->residual.explained || !xr_measure_luma(pair, transform, &luma, &all) || luma > SAME_LUMA ||
        all < OTHER_CHROMA * SAME_LUMA)
        return false;
    exray_finding *f = exray_findings_add(findings, "input.color_space", EXRAY_SEVERITY_ERROR, 0.85);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f,
                          "The edge's colours are made differently: the luma is the reference's, the chroma "
                          "is not, and no mixture of colours explains it.");
    exray_finding_detail(f,
                         "So do chroma bytes that are read in another format (NV12 as I420), or from another "
                         "place.%s",
                         pair->has_sensor ? "" : " The sensor's record would tell which.");
    exray_finding_fix(f,
                      "Read the camera's bytes in the format that it delivers, with its strides and offsets "
                      "of planes (media of the sensor record).");
    exray_finding_number(f, "luma_median_levels", luma);
    exray_finding_number(f, "all_median_levels", all);
    exray_finding_number(f, "frames", (double)fit->values.frames);
    return true;
}

/* " (BGR taken for RGB)", where the weights of red and blue are exchanged. */
static const char *exchange_text(const xr_gray gray[2])
{
    const double *e = gray[EXRAY_SIDE_EDGE].weight, *r = gray[EXRAY_SIDE_REFERENCE].weight;
    const bool exchanged = gray[0].way == XR_GRAY_WEIGHTS && gray[1].way == XR_GRAY_WEIGHTS &&
                           fabs(e[0] - r[2]) < 0.03 && fabs(e[2] - r[0]) < 0.03 && fabs(e[1] - r[1]) < 0.03;
    return exchanged ? " (red and blue are exchanged: BGR taken for RGB)" : "";
}

static const char *gray_text(const xr_gray *gray, char *text, size_t size)
{
    static const char *const ways[] = {NULL, "the largest of the three (the value of HSV)",
                                       "the smallest of the three",
                                       "the mean of the largest and the smallest (the lightness of HLS)"};
    if (gray->way != XR_GRAY_WEIGHTS)
        return ways[gray->way];
    snprintf(text, size, "%.3f red, %.3f green, %.3f blue", gray->weight[0], gray->weight[1],
             gray->weight[2]);
    return text;
}

bool xr_report_gray(xr_input_pair *pair, const xr_input_fit *fit, const xr_transform *transform,
                    exray_findings *findings)
{
    static const char *const keys[2][3] = {{"edge_red", "edge_green", "edge_blue"},
                                           {"reference_red", "reference_green", "reference_blue"}};
    static const char *const ways[] = {"weights", "largest", "smallest", "extremes"};
    xr_gray w[2];
    char edge[80], reference[80];
    if (fit->residual.explained || !xr_find_gray_weights(pair, transform, w))
        return false;
    exray_finding *f = exray_findings_add(findings, "input.color_space", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f, "The edge's grey is made of the colours in another way: it is %s; the reference's is %s%s.",
        gray_text(&w[0], edge, sizeof edge), gray_text(&w[1], reference, sizeof reference), exchange_text(w));
    exray_finding_detail(f, "So say the sensor's pictures, rendered as the reference does, in %zu frames.",
                         pair->count);
    exray_finding_fix(f,
                      "Convert to grey with the reference's weights, from pixels in the order that they have "
                      "(OpenCV: COLOR_BGR2GRAY for BGR, COLOR_RGB2GRAY for RGB).");
    exray_finding_text(f, "kind", "grey_weights");
    exray_finding_text(f, "edge_grey", ways[w[0].way]);
    exray_finding_text(f, "reference_grey", ways[w[1].way]);
    for (int s = 0; s < 2; s++)
        for (int k = 0; k < 3 && w[s].way == XR_GRAY_WEIGHTS; k++)
            exray_finding_number(f, keys[s][k], w[s].weight[k]);
    return true;
}
