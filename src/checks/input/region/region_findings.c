/* input.crop: both sides show a region of the sensor's picture, as a tracker's or a detector's, but another
 * one. */
#include "checks/input/input_findings.h"
#include "checks/input/region/locate_part.h"

#include <math.h>
#include <stdio.h>

enum { FRAMES = 3 };

/* What a region that is right leaves of the variance of cells; a rendering by another kernel leaves less. */
#define FOUND 0.03
/* Regions whose borders are closer, in the model's pixels, are one. */
#define ONE_REGION 2.0

/* What both sides show in a frame. */
typedef struct regions {
    xr_part side[2];
    double residual[2];
    size_t frame;
    double width, height; /* of the sensor's picture */
} regions;

static bool locate(const xr_search_frame *s, size_t channels, const regions *seed, regions *out)
{
    xr_area picture;
    bool ok = xr_area_of_picture(&picture, s->picture, channels);
    out->frame = s->frame;
    out->width = exray_picture_width(s->picture);
    out->height = exray_picture_height(s->picture);
    for (int side = 1; ok && side >= 0; side--) {
        const xr_area *shown = side == EXRAY_SIDE_EDGE ? &s->edge_area[0] : &s->reference_area;
        out->residual[side] =
            xr_locate_part(&picture, shown, seed ? &seed->side[side] : NULL, &out->side[side]);
        ok = out->residual[side] <= FOUND;
    }
    xr_area_free(&picture);
    return ok;
}

/* The farthest distance of their borders, in pixels of the model's input. */
static double distance(const regions *r, double columns, double rows)
{
    const xr_part *a = &r->side[EXRAY_SIDE_EDGE], *b = &r->side[EXRAY_SIDE_REFERENCE];
    return fmax(fmax(fabs(a->x0 - b->x0), fabs(a->x1 - b->x1)) * columns / (b->x1 - b->x0),
                fmax(fabs(a->y0 - b->y0), fabs(a->y1 - b->y1)) * rows / (b->y1 - b->y0));
}

static void region_text(const regions *r, int side, char *text, size_t size)
{
    const xr_part *p = &r->side[side];
    snprintf(text, size, "%.0f x %.0f pixels at (%.0f, %.0f)", (p->x1 - p->x0) * r->width,
             (p->y1 - p->y0) * r->height, p->x0 * r->width, p->y0 * r->height);
}

static void tell(xr_input_pair *pair, const xr_input_fit *fit, const regions *r, size_t count,
                 exray_findings *findings)
{
    char edge[80], reference[80];
    region_text(r, EXRAY_SIDE_EDGE, edge, sizeof edge);
    region_text(r, EXRAY_SIDE_REFERENCE, reference, sizeof reference);
    exray_finding *f = exray_findings_add(findings, "input.crop", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "The edge shows the model another region of the camera's picture: in frame %zu %s; the "
        "reference %s.",
        r->frame, edge, reference);
    exray_finding_detail(f, "Both are parts of the picture in each of the %zu frames that were searched.",
                         count);
    exray_finding_fix(
        f, "Give the region in the pixels of the picture that it is cut out of (x before y, not those of "
           "a preview or of the model's input), the same on both sides.");
    exray_finding_text(f, "edge_part", edge);
    exray_finding_text(f, "reference_part", reference);
    exray_finding_text(f, "kind", "region");
    static const char *const keys[] = {"edge_left", "edge_top", "reference_left", "reference_top"};
    for (size_t k = 0; k < 4; k++) {
        const xr_part *p = &r->side[k / 2 ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE];
        exray_finding_number(f, keys[k], k % 2 ? p->y0 * r->height : p->x0 * r->width);
    }
    exray_finding_number(f, "residual_share", r->residual[EXRAY_SIDE_EDGE]);
    exray_finding_number(f, "frames", (double)exray_comparison_frame_count(pair->comparison));
}

bool xr_report_region(xr_input_pair *pair, const xr_input_fit *fit, exray_findings *findings)
{
    regions r[FRAMES];
    size_t count = 0, apart = 0;
    if (fit->residual.explained || !pair->has_sensor || pair->pictures != 1)
        return false;
    for (size_t f = 0; f < pair->count && count < FRAMES; f++) {
        if (!pair->frame[f].picture)
            continue;
        if (!locate(&pair->frame[f], pair->channels, count ? &r[0] : NULL, &r[count]))
            return false;
        apart += distance(&r[count], (double)pair->width, (double)pair->height) > ONE_REGION;
        count++;
    }
    if (count == 0 || apart < count)
        return false;
    tell(pair, fit, &r[0], count, findings);
    return true;
}
