/* input.stride: rows read with a wrong stride. */
#include "checks/input/input_findings.h"
#include "checks/input/search/residual.h"

#include <inttypes.h>
#include <stdio.h>

/* Blocks that differ by more, levels rms, show another picture. */
#define UNLIKE 12.0
/* In a picture with fewer rows, each row finds a similar one by chance. */
enum { FEWEST_ROWS = 64 };

static const char *fields_text(xr_field_order order)
{
    static const char *const texts[XR_FIELD_ORDERS] = {
        "each even row is in the place of the odd one below it, and the reverse (the two fields of an "
        "interlaced picture are exchanged)",
        "the even rows lie above, the odd ones below (the two fields of an interlaced picture, not woven)",
        "the odd rows lie above, the even ones below (the two fields of an interlaced picture, not woven)",
        "those of the upper half with those of the lower half between them (woven as the two fields of an "
        "interlaced picture, which it is not)",
        "those of the lower half with those of the upper half between them (woven as the two fields of an "
        "interlaced picture, which it is not)",
        "each even row is there twice, the odd ones are lost (one field of an interlaced picture)",
        "each odd row is there twice, the even ones are lost (one field of an interlaced picture)"};
    return texts[order];
}

static const char *fields_name(xr_field_order order)
{
    static const char *const names[XR_FIELD_ORDERS] = {
        "exchanged", "apart", "apart_odd_first", "woven", "woven_low_first", "even_twice", "odd_twice"};
    return names[order];
}

/* Of readings that put whole items into another order. */
static const char *describe_order(const xr_reading *r, const char *item, char *text, size_t size)
{
    const char *where = r->on_sensor ? "camera's picture" : "input";
    if (r->kind == XR_READ_GROUPS) {
        snprintf(text, size,
                 "In the edge's %s each %" PRId64 " %s that follow each other are in reverse order (as words "
                 "of %" PRId64 " %s in the other byte order are).",
                 where, r->step, item, r->step, item);
        return r->items == XR_ITEMS_PIXELS ? "input.stride" : "input.dtype";
    }
    snprintf(text, size,
             r->kind == XR_READ_TILES ? "The edge's %s is stored in tiles of %" PRId64 "x%" PRId64
                                        " pixels, one after another, which are read as rows."
                                      : "The edge's %s is stored in rows, which are read as tiles of %" PRId64
                                        "x%" PRId64 " pixels, one after another.",
             where, r->step, r->step);
    return "input.stride";
}

/* What a way to read the buffer is, in words; returns the cause. */
static const char *describe_reading(const xr_explanation *e, char *text, size_t size)
{
    const xr_reading *r = &e->transform->reading;
    const xr_input_values *v = &e->before->values;
    bool values = r->items != XR_ITEMS_PIXELS;
    int64_t width = (int64_t)v->columns;
    int64_t length = r->items == XR_ITEMS_INTERLEAVED || r->kind == XR_READ_UNRESIZED
                         ? width * (int64_t)v->channels
                         : width;
    const char *item = values ? "values" : "pixels";
    switch (r->kind) {
    case XR_READ_COLUMNS:
        snprintf(text, size,
                 "The edge fills its input column by column where the model reads rows of %" PRId64
                 " pixels (the picture is transposed in memory).",
                 width);
        return "input.layout";
    case XR_READ_EXCHANGED:
        snprintf(text, size,
                 "The edge makes a picture of %zux%zu (width x height) where the model reads %zux%zu: "
                 "width and height are exchanged, so that rows have another length.",
                 v->rows, v->columns, v->columns, v->rows);
        return "input.stride";
    case XR_READ_UNRESIZED:
        if (r->step == length)
            snprintf(text, size,
                     "The edge copies the camera's bytes into its input as they are, from byte %" PRId64
                     " on, as if the camera's rows were as short as the input's (%zu pixels).",
                     r->offset, v->columns);
        else
            snprintf(text, size,
                     "The edge cuts %zux%zu pixels out of the camera's picture, from byte %" PRId64
                     " on, where the reference resizes it.",
                     v->columns, v->rows, r->offset);
        return r->step == length ? "input.stride" : "input.crop";
    case XR_READ_FIELDS:
        snprintf(text, size, "The edge's rows are in another order%s: %s.",
                 r->on_sensor ? " before the resize" : "", fields_text(r->fields));
        return "input.stride";
    case XR_READ_TILES:
    case XR_READ_AS_TILES:
    case XR_READ_GROUPS:
        return describe_order(r, item, text, size);
    case XR_READ_UNPADDED:
        snprintf(text, size,
                 "The edge reads rows with the wrong stride of the sensor's picture: rows with padding as "
                 "if they were packed.");
        return "input.stride";
    case XR_WRITTEN_AT_STEP:
        if (r->length)
            snprintf(text, size,
                     "The edge fills only the first %" PRId64 " of the %" PRId64 " values of each row of "
                     "its input; the rest is never written.",
                     r->length, length);
        else
            snprintf(text, size,
                     "The edge %s rows with the wrong stride%s: %s (%" PRId64 " for %" PRId64 " %s).",
                     r->step < length ? "writes" : "reads", r->on_sensor ? " of the sensor's picture" : "",
                     r->step < length ? "each begins before the one above it ends, which it overwrites"
                                      : "rows with padding as if they were packed",
                     r->step, r->on_sensor ? r->step : length, item);
        return "input.stride";
    default:
        break;
    }
    if (r->limit)
        snprintf(text, size,
                 "The edge fills only the first %" PRId64 " of the %" PRId64 " values of its input; the "
                 "rows below are never written.",
                 r->limit, length * (int64_t)(v->rows));
    else if (r->offset)
        snprintf(text, size, "The edge's buffer begins %" PRId64 " values %s where the model's input begins.",
                 r->offset < 0 ? -r->offset : r->offset, r->offset > 0 ? "behind" : "in front of");
    else
        snprintf(text, size,
                 "The edge reads rows with the wrong stride%s: packed rows as if they were of another "
                 "length (%" PRId64 " %s).",
                 r->on_sensor ? " of the sensor's picture" : "", r->step, item);
    return "input.stride";
}

static void say_fix(const xr_reading *r, exray_finding *f)
{
    if (r->kind == XR_READ_COLUMNS)
        exray_finding_fix(
            f, "Write pixel (x, y) at (y * width + x) * channels, not at (x * height + y) * channels.");
    else if (r->kind == XR_READ_EXCHANGED)
        exray_finding_fix(f,
                          "Resize to the model's width and height in that order (its shape names the height "
                          "first), and fill the input row by row.");
    else if (r->kind == XR_READ_UNRESIZED)
        exray_finding_fix(f,
                          "Resize the camera's picture to the model's size, as the reference does, stepping "
                          "through the camera's rows by their own length.");
    else if (r->kind == XR_READ_FIELDS)
        exray_finding_fix(f,
                          "Put the rows where they belong: the even ones of an interlaced picture are those "
                          "of its first (top) field, the odd ones of its second; a progressive picture has "
                          "no fields.");
    else if (r->kind == XR_READ_TILES || r->kind == XR_READ_AS_TILES)
        exray_finding_fix(f,
                          "Copy the picture out of the texture by the graphics library, into rows, or step "
                          "through its tiles.");
    else if (r->kind == XR_READ_GROUPS)
        exray_finding_fix(f,
                          "Read the buffer in the byte order, and with the width of words, in which it was "
                          "written.");
    else if (r->length || r->limit)
        exray_finding_fix(
            f, "Copy all of it: sizes are counted in values times the bytes of a value (sizeof(float) "
               "is 4), and rows in values of all channels.");
    else
        exray_finding_fix(
            f, "Step from row to row by the buffer's own row stride (bytes per line), not by width * "
               "bytes per pixel.");
}

void xr_report_stride(const xr_explanation *e, exray_findings *findings)
{
    const xr_reading *r = &e->transform->reading;
    char text[320];
    const char *cause = describe_reading(e, text, sizeof text);
    exray_finding *f =
        xr_begin_step(e, findings, cause, XR_STEP_STRIDE, xr_step_confidence(e, XR_STEP_STRIDE));
    exray_finding_summary(f, "%s", text);
    say_fix(r, f);
    if (r->length || r->limit)
        exray_finding_alternative(f, "input.crop", 0.1);
    if (r->kind == XR_READ_EXCHANGED)
        exray_finding_alternative(f, "input.layout", 0.1);
    if (r->items == XR_ITEMS_PIXELS && r->kind <= XR_WRITTEN_AT_STEP && !r->on_sensor)
        exray_finding_number(f, "pixels_per_row", (double)(r->step - (int64_t)e->before->values.columns));
    if (r->kind == XR_READ_FIELDS)
        exray_finding_text(f, "fields", fields_name(r->fields));
    if (r->kind != XR_READ_UNPADDED && r->step)
        exray_finding_number(f, "step", (double)r->step);
}

bool xr_report_shifted_rows(xr_input_pair *pair, const xr_input_fit *fit, exray_findings *findings)
{
    size_t frames, notability;
    if (fit->residual.explained || fit->residual.blocks < UNLIKE || pair->height < FEWEST_ROWS ||
        !xr_rows_are_shifted(pair, &frames, &notability))
        return false;
    exray_finding *f = exray_findings_add(findings, "input.stride", EXRAY_SEVERITY_ERROR, 0.85);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge reads the camera's rows with the wrong stride: its rows are the "
                             "reference's, each moved sideways by another amount.");
    exray_finding_detail(f, "%s",
                         pair->has_sensor ? "No stride that exray knows makes this of the sensor's picture."
                                          : "By how much cannot be told without the sensor's record.");
    exray_finding_fix(f,
                      "Step from row to row by the buffer's own row stride (bytes per line), not by width * "
                      "bytes per pixel.");
    exray_finding_number(f, "residual_levels", fit->residual.pixels);
    exray_finding_number(f, "frames_supporting", (double)frames);
    exray_finding_number(f, "frames", (double)notability);
    return true;
}
