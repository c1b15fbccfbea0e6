#include "report/html/told/html_told.h"

#include "report/html/told/told_parts.h"

/* Whether something of it lies on the picture. */
static bool has_places(const exray_result *r)
{
    return r->box_count || r->keypoint_count || r->mask;
}

/* The picture has to be there before the results: both are read into the page's slots. */
static exray_picture *ground_of(xr_gallery *g, size_t frame)
{
    xr_told_frame told;
    bool places = xr_told_read(g->page, frame, &told) &&
                  ((told.has[0] && has_places(&told.side[0])) || (told.has[1] && has_places(&told.side[1])));
    return places ? xr_gallery_ground(g, frame) : NULL;
}

void xr_html_told(xr_gallery *g, size_t frame, size_t number)
{
    FILE *out = g->page->out;
    exray_picture *ground = ground_of(g, frame);
    xr_told_frame told;
    if (xr_told_read(g->page, frame, &told)) {
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
