#include "report/html/told/html_told.h"

#include "report/html/told/told_parts.h"

/* Whether something of it lies on the picture. */
static bool has_places(const exray_result *r)
{
    return r->box_count || r->keypoint_count || r->mask;
}

void xr_html_told(xr_gallery *g, size_t frame, size_t number)
{
    FILE *out = g->page->out;
    exray_picture *ground = NULL;
    xr_told_frame told;
    bool any = xr_told_read(g->page, frame, &told);
    if (any && ((told.has[0] && has_places(&told.side[0])) || (told.has[1] && has_places(&told.side[1])))) {
        ground = xr_gallery_ground(g, frame);
        any = xr_told_read(g->page, frame, &told); /* the picture took the page's slots */
    }
    if (any) {
        fputs(told.decided ? "<div class=\"told\"><h4>What the outputs mean</h4>\n"
                           : "<div class=\"told\"><h4>What was told</h4>\n",
              out);
        for (int s = 0; s < 2; s++)
            if (!told.has[s])
                xr_put(out, "<p>The %s told nothing in this frame.</p>\n", xr_side_name((exray_side)s));
        xr_put_told_boxes(g, ground, &told, number);
        xr_put_told_points(g, ground, &told, number);
        xr_put_told_masks(g, ground, &told);
        xr_put_told_text(g->page, &told);
        xr_put_told_classes(g->page, &told);
        xr_put_told_vectors(g->page, &told);
        fputs("</div>\n", out);
    }
    exray_picture_free(ground);
}
