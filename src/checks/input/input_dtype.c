/* input.dtype: values wrapped around because of a wrong signedness, bytes that are values of another type, or
 * mistakes on the bytes of 16-bit pixels. */
#include "checks/input/input_findings.h"
#include "checks/input/memory/find_bytes.h"
#include "checks/input/memory/find_words.h"
#include "checks/input/memory/find_wrapped.h"

#include <math.h>

void xr_report_sign_wrap(const xr_explanation *e, exray_findings *findings)
{
    exray_finding *f = xr_begin_step(e, findings, "input.dtype", XR_STEP_SIGN_WRAP,
                                     xr_step_confidence(e, XR_STEP_SIGN_WRAP));
    exray_finding_summary(
        f,
        "The edge's %s have the wrong sign: signed bytes taken for unsigned, or the other way "
        "round (values wrap around at half of their range).",
        e->transform->sign_wrap.stored ? "stored input bytes" : "pixels");
    exray_finding_fix(
        f, "%s",
        e->transform->sign_wrap.stored
            ? "Write the type that the model takes: for int8, (int8_t)(pixel - 128), not a cast."
            : "Keep pixels as uint8_t until they are normalized; not char or int8_t.");
}

bool xr_report_bytes(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings)
{
    xr_byte_reading r;
    if (!xr_find_bytes(comparison, fit->pair, &r))
        return false;
    exray_finding *f = exray_findings_add(findings, "input.dtype", EXRAY_SEVERITY_ERROR, 0.97);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "The edge's input holds bytes that are %s values, pixels of %zu%s, not values of the "
        "type that the model reads.",
        r.type, r.channels,
        r.channels <= 3 ? ""
        : r.first       ? " of which the first is alpha"
                        : " of which the last is alpha");
    if (r.filled < 0.99)
        exray_finding_detail(f, "They fill %.0f %% of the input; what follows is not of the picture.",
                             100 * r.filled);
    else if (r.filled > 1.01)
        exray_finding_detail(f, "Only %.0f %% of the picture fits in.", 100 / r.filled);
    exray_finding_detail(f,
                         "Read as such, they show the reference's picture: %.2g of their variance is left "
                         "unexplained, where the values as they are leave %.2g; in %zu of %zu frames.",
                         r.residual, r.residual_as_typed, r.supporting, r.frames);
    exray_finding_fix(f,
                      "Convert each value to the type of the model's input (and normalize or quantize it), "
                      "instead of copying the bytes of the buffer.");
    exray_finding_text(f, "read_as", r.type);
    exray_finding_number(f, "values_per_pixel", (double)r.channels);
    exray_finding_number(f, "residual_share", r.residual);
    exray_finding_number(f, "residual_share_as_typed", r.residual_as_typed);
    exray_finding_number(f, "frames", (double)r.frames);
    exray_finding_number(f, "frames_supporting", (double)r.supporting);
    return true;
}

bool xr_report_wrapped(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings)
{
    xr_wrapped w;
    if (!xr_find_wrapped(comparison, fit, &w))
        return false;
    exray_finding *f = exray_findings_add(findings, "input.dtype", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f,
                          "The edge's pixels wrap around: they are the reference's times %.3g %c %.0f of 256 "
                          "levels, computed in 8 bits, and what exceeds those comes back at the other end.",
                          w.gain, w.offset < 0 ? '-' : '+', fabs(w.offset));
    exray_finding_detail(f, "%.1f %% of the values do, in %zu frames; %.2f %% are otherwise.", 100 * w.share,
                         w.frames, 100 * w.odd);
    exray_finding_fix(f,
                      "Compute in wider numbers (floats, 16 bits), and limit to 0 to 255 before 8 bits are "
                      "stored; and leave the factor out where the reference has none.");
    exray_finding_text(f, "kind", "wrapped");
    exray_finding_number(f, "gain", w.gain);
    exray_finding_number(f, "offset_levels", w.offset);
    exray_finding_number(f, "wrapped_share", w.share);
    exray_finding_number(f, "frames", (double)w.frames);
    return true;
}

/* What the edge does with the two bytes, and what to do instead. */
typedef struct word_words {
    const char *kind, *does, *fix;
} word_words;

static const word_words words_of[XR_WORD_MISTAKES] = {
    [XR_WORD_EXCHANGED] = {"bytes_exchanged", "have their two bytes exchanged (the other byte order)",
                           "Read each pixel in the byte order that it was written in."},
    [XR_WORD_LOW_BYTE] = {"low_byte", "are read by their low byte alone, so that they wrap around every 256",
                          "Read two bytes a pixel, and scale the whole value."},
    [XR_WORD_SIGNED] = {"signed", "are read as signed: from 32768 on they are negative (65536 less)",
                        "Keep pixels as uint16_t until they are normalized; not int16_t."},
    [XR_WORD_LOW_OF_REDUCED] =
        {"low_byte", "are read by their low byte alone, where the reference takes their high bits",
         "Shift each pixel down to 8 bits as the reference does; do not cut off its high "
         "byte."},
};

bool xr_report_words(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings)
{
    xr_word_reading r;
    if (!xr_find_words(comparison, fit, &r))
        return false;
    const word_words *w = &words_of[r.mistake];
    exray_finding *f = exray_findings_add(findings, "input.dtype", EXRAY_SEVERITY_ERROR, 0.96);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's pixels of 16 bits %s.", w->does);
    if (r.mistake == XR_WORD_LOW_OF_REDUCED)
        exray_finding_detail(f,
                             "The upper %u bits of its values are the lower %u of the reference's, pixel by "
                             "pixel, in %zu of %zu frames.",
                             8 - r.bits, 8 - r.bits, r.frames, r.frames);
    else
        exray_finding_detail(
            f,
            "So read, %s (%.0f to %.0f) are the edge's values but for %.1g of their variance, "
            "in %zu of %zu frames.",
            r.by_sensor ? "the sensor's pixels" : "the reference's values", r.least, r.most, r.residual,
            r.frames, r.frames);
    exray_finding_fix(f, "%s", w->fix);
    exray_finding_text(f, "kind", w->kind);
    exray_finding_number(f, "frames", (double)r.frames);
    if (!r.by_sensor)
        exray_finding_number(f, "unit", r.unit);
    return true;
}
