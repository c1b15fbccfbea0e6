/* Values that are the reference's, place by place, but for one mistake: limits (input.quantization), a sign
 * bit (input.dtype), pixels of another number of bytes (input.stride), another layout (input.layout). */
#include "checks/input/input_findings.h"
#include "checks/input/memory/find_values.h"

#include <stdio.h>

static void say_limits(const xr_found_values *v, exray_finding *f)
{
    char which[96];
    if (v->at_low && v->at_high)
        snprintf(which, sizeof which, "%.4g to %.4g", v->low, v->high);
    else
        snprintf(which, sizeof which, "%s %.4g", v->at_low ? "at least" : "at most",
                 v->at_low ? v->low : v->high);
    exray_finding_summary(
        f,
        "%.0f %% of the edge's values are clipped: they are %s, where the reference's reach from "
        "%.4g to %.4g.",
        100 * v->changed, which, v->reference[0], v->reference[1]);
    exray_finding_fix(f, "Clip to the range that the model takes, after normalizing, or not at all.");
    exray_finding_number(f, "low", v->low);
    exray_finding_number(f, "high", v->high);
    exray_finding_number(f, "clipped_share", v->changed);
    exray_finding_alternative(f, "input.normalization", 0.2);
}

static void say_pixels(const xr_found_values *v, exray_finding *f)
{
    bool four = v->mistake == XR_MISTAKE_FOUR_FOR_THREE;
    exray_finding_summary(f, four ? "The edge's pixels have four bytes (RGBA, RGBX) and are read as if they "
                                    "had three: every fourth "
                                    "value is none of a colour, and the rows begin elsewhere."
                                  : "The edge's pixels have three bytes (RGB) and are read as if they had "
                                    "four: every fourth value is "
                                    "left out, and the rows begin elsewhere.");
    exray_finding_fix(f, "Step from pixel to pixel by the number of bytes that the buffer's pixels have.");
    exray_finding_number(f, "values_per_pixel", four ? 4 : 3);
    exray_finding_alternative(f, "input.layout", 0.1);
}

static void say_planes(exray_finding *f)
{
    exray_finding_summary(
        f, "The edge's input holds pixels of four interleaved values (RGBA, RGBX) where the model reads "
           "three planes (NHWC for NCHW, and a fourth channel): only three quarters of the picture "
           "are in it.");
    exray_finding_fix(
        f, "Write each channel into its plane: out[(c * height + y) * width + x]; leave the fourth out.");
    exray_finding_number(f, "values_per_pixel", 4);
    exray_finding_alternative(f, "input.stride", 0.1);
}

static void say_layout(exray_finding *f)
{
    exray_finding_summary(
        f, "The two sides write the picture in different layouts: what lies in the reference's input as "
           "one layout is the edge's picture in the other (NCHW and NHWC exchanged).");
    exray_finding_fix(
        f, "Transpose the tensor to the model's layout: out[(y * width + x) * channels + c] for NHWC, "
           "out[(c * height + y) * width + x] for NCHW.");
}

void xr_report_values(const xr_input_fit *fit, const xr_found_values *values, exray_findings *findings)
{
    static const char *const causes[XR_VALUE_MISTAKES] = {
        [XR_MISTAKE_LIMITS] = "input.quantization",   [XR_MISTAKE_SIGN_BIT] = "input.dtype",
        [XR_MISTAKE_FOUR_FOR_THREE] = "input.stride", [XR_MISTAKE_THREE_FOR_FOUR] = "input.stride",
        [XR_MISTAKE_FOUR_AS_PLANES] = "input.layout", [XR_MISTAKE_OTHER_LAYOUT] = "input.layout",
    };
    exray_finding *f = exray_findings_add(findings, causes[values->mistake], EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    if (values->mistake == XR_MISTAKE_LIMITS)
        say_limits(values, f);
    else if (values->mistake == XR_MISTAKE_SIGN_BIT) {
        exray_finding_summary(f,
                              "The edge's %s have the wrong sign: signed bytes%s taken for unsigned, or the "
                              "other way round (values wrap around at half of their range).",
                              values->stored ? "stored input bytes" : "pixels",
                              values->stored ? "" : " (pixel - 128)");
        exray_finding_fix(f, "%s",
                          values->stored
                              ? "Write the type that the model takes, with its own zero point: not a "
                                "cast of the other one's "
                                "bytes."
                              : "Keep pixels as uint8_t until they are normalized; not char or int8_t.");
    } else if (values->mistake == XR_MISTAKE_FOUR_AS_PLANES)
        say_planes(f);
    else if (values->mistake == XR_MISTAKE_OTHER_LAYOUT)
        say_layout(f);
    else
        say_pixels(values, f);
    exray_finding_detail(f,
                         "So read, each value is one of the reference's, to the level, in %zu of %zu frames.",
                         values->supporting, values->frames);
    exray_finding_number(f, "frames", (double)values->frames);
    exray_finding_number(f, "frames_supporting", (double)values->supporting);
}
