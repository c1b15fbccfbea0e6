/* Boxes of both sides, and of the truth, on one picture; and which of them are of one object. */
#include "report/html/told/told_parts.h"

#include "report/html/drawing/svg.h"
#include "report/html/text/html_names.h"
#include "report/html/told/overlay.h"
#include "report/html/told/told_match.h"

#include <math.h>

enum { NAMED_MOST = 16 /* boxes that are named in the drawing */, LISTED = 20 };

/* ---- In the picture ---------------------------------------------------------------------- */

static void put_outline(const xr_overlay_drawing *d, const exray_box *b, const char *css)
{
    xr_coordinate_text x, y;
    xr_put(d->out, "<path class=\"%s\" d=\"", css);
    for (int k = 0; k < 4; k++) {
        const float upright[8] = {b->x_min, b->y_min, b->x_max, b->y_min,
                                  b->x_max, b->y_max, b->x_min, b->y_max};
        const float *corner = (b->corners ? b->corners : upright) + 2 * k;
        fprintf(d->out, "%c%s %s", k ? 'L' : 'M', xr_coordinate(x, xr_overlay_x(d, (double)corner[0])),
                xr_coordinate(y, xr_overlay_y(d, (double)corner[1])));
    }
    fputs("z\"/>", d->out);
}

/* The edge's names stand above their boxes, the reference's below: they do not cover each other. */
static void put_name(xr_page *p, const xr_overlay_drawing *d, const exray_box *b, exray_side side)
{
    const char *name = b->label && *b->label ? b->label : xr_class_name_of(p, side, b->id);
    bool edge = side == EXRAY_SIDE_EDGE;
    double place = xr_overlay_y(d, (double)(edge ? b->y_min : b->y_max)) + (edge ? -5 : 15);
    char text[32];
    xr_coordinate_text x, y;
    if (name)
        snprintf(text, sizeof text, "%.24s", name);
    else
        snprintf(text, sizeof text, "class %lld", (long long)b->id);
    xr_put(d->out, "<text class=\"%s\" x=\"%s\" y=\"%s\">", xr_side_name(side),
           xr_coordinate(x, fmin(fmax(xr_overlay_x(d, (double)b->x_min), 2), d->width - 60)),
           xr_coordinate(y, fmin(fmax(place, 13), d->height - 4)));
    xr_put(d->out, "%s %.2f</text>\n", text, (double)b->score);
}

static void put_box(xr_page *p, const xr_overlay_drawing *d, const exray_box *b, exray_side side, bool same,
                    bool named)
{
    static const char *const css[2][2] = {{"edge", "edge same"}, {"reference", "reference same"}};
    if (!same)
        put_outline(d, b, "halo");
    put_outline(d, b, css[side][same]);
    if (named)
        put_name(p, d, b, side);
    fputc('\n', d->out);
}

/* Whether the name at the edge's box is that of the reference's as well. */
static bool is_named_already(const exray_result *edge, const exray_result *reference, const xr_box_pair *pair)
{
    if (pair->edge == XR_NO_BOX)
        return false;
    const exray_box *a = &edge->boxes[pair->edge], *b = &reference->boxes[pair->reference];
    return a->id == b->id && !xr_names_differ(a->label, b->label);
}

static void put_drawing(xr_gallery *g, const exray_picture *ground, const xr_told_frame *told,
                        const xr_box_pair *pairs, size_t count, size_t number)
{
    char id[32], description[160];
    const exray_result *side = told->side;
    snprintf(id, sizeof id, "boxes-%zu", number);
    snprintf(description, sizeof description, "%u boxes of the edge, %u of the reference; the table has them",
             (unsigned)side[0].box_count, (unsigned)side[1].box_count);
    xr_overlay_drawing d = xr_overlay_begin(g, ground, id, "Boxes of both sides", description);
    for (uint32_t i = 0; told->has_truth && i < told->truth.box_count && i < XR_BOXES_MOST; i++)
        put_outline(&d, &told->truth.boxes[i], "truth");
    for (size_t i = 0; i < count; i++) {
        const xr_box_pair *pair = &pairs[i];
        if (pair->reference != XR_NO_BOX)
            put_box(g->page, &d, &side[1].boxes[pair->reference], EXRAY_SIDE_REFERENCE, pair->same,
                    i < NAMED_MOST && !is_named_already(&side[0], &side[1], pair));
        if (pair->edge != XR_NO_BOX)
            put_box(g->page, &d, &side[0].boxes[pair->edge], EXRAY_SIDE_EDGE, pair->same, i < NAMED_MOST);
    }
    xr_overlay_end(&d, ground ? "" : "No picture was recorded: the boxes lie on an empty one.");
}

/* ---- In a table -------------------------------------------------------------------------------- */

static void put_cell(xr_page *p, const exray_result *r, exray_side side, int i)
{
    if (i == XR_NO_BOX) {
        fputs("<td class=\"differs\">none</td>", p->out);
        return;
    }
    fputs("<td>", p->out);
    xr_put_class(p, side, r->boxes[i].id, r->boxes[i].label);
    xr_put(p->out, " <span class=\"id\">score %.3g</span></td>", (double)r->boxes[i].score);
}

static void put_row(xr_page *p, const xr_told_frame *told, const xr_box_pair *pair)
{
    fputs(pair->same ? "<tr class=\"same\">" : "<tr>", p->out);
    put_cell(p, &told->side[0], EXRAY_SIDE_EDGE, pair->edge);
    put_cell(p, &told->side[1], EXRAY_SIDE_REFERENCE, pair->reference);
    if (pair->edge != XR_NO_BOX && pair->reference != XR_NO_BOX)
        xr_put(p->out, "<td class=\"n\">%.2f</td></tr>\n", pair->overlap);
    else
        fputs("<td class=\"n\">\xE2\x80\x93</td></tr>\n", p->out);
}

/* Those that differ first. */
static void put_table(xr_page *p, const xr_told_frame *told, const xr_box_pair *pairs, size_t count)
{
    size_t listed = 0;
    fputs("<div class=\"scroll\"><table class=\"objects\"><thead><tr><th scope=\"col\">Edge</th><th "
          "scope=\"col\">Reference</th><th scope=\"col\" class=\"n\" title=\"what two boxes share by what "
          "they "
          "cover together; 1 is equal\">Overlap</th></tr></thead><tbody>\n",
          p->out);
    for (int same = 0; same < 2; same++)
        for (size_t i = 0; i < count; i++)
            if (pairs[i].same == same && listed++ < LISTED)
                put_row(p, told, &pairs[i]);
    fputs("</tbody></table></div>\n", p->out);
    if (count > LISTED)
        xr_put(p->out, "<p class=\"legend\">And %zu more.</p>\n", count - LISTED);
}

static void put_left_out(xr_page *p, const xr_told_frame *told)
{
    for (int s = 0; s < 2; s++)
        if (told->side[s].box_count > XR_BOXES_MOST)
            xr_put(p->out, "<p class=\"legend\">Of the %s's %u boxes the first %d are shown.</p>\n",
                   xr_side_name((exray_side)s), (unsigned)told->side[s].box_count, XR_BOXES_MOST);
}

void xr_put_told_boxes(xr_gallery *g, const exray_picture *ground, const xr_told_frame *told, size_t number)
{
    xr_box_pair pairs[2 * XR_BOXES_MOST];
    bool truth = told->has_truth && told->truth.box_count;
    if (told->side[0].box_count == 0 && told->side[1].box_count == 0 && !truth)
        return;
    size_t count = xr_pair_boxes(&told->side[0], &told->side[1], pairs);
    xr_put_overlay_key(g->page->out, truth);
    fputs("<div class=\"beside\">\n", g->page->out);
    put_drawing(g, ground, told, pairs, count, number);
    fputs("<div>\n", g->page->out);
    if (count)
        put_table(g->page, told, pairs, count);
    put_left_out(g->page, told);
    fputs("</div></div>\n", g->page->out);
}
