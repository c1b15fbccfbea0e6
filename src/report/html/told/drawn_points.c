/* Key points of both sides on one picture, and how far they moved. */
#include "report/html/told/told_parts.h"

#include "report/html/drawing/svg.h"
#include "report/html/told/overlay.h"

#include <math.h>

enum { POINTS_MOST = 600 };
#define MOVED 0.02 /* of the picture's sides */

static uint32_t counted(const exray_result *r)
{
    return r->keypoint_count < POINTS_MOST ? r->keypoint_count : POINTS_MOST;
}

/* How far two points lie apart, in shares of the picture's sides. */
static double moved(const exray_keypoint *a, const exray_keypoint *b)
{
    return hypot((double)a->x - (double)b->x, (double)a->y - (double)b->y);
}

static void put_point(const xr_overlay_drawing *d, const exray_keypoint *k, const char *css)
{
    xr_coordinate_text x, y;
    xr_put(d->out,
           "<circle class=\"%s\" cx=\"%s\" cy=\"%s\" r=\"4\"><title>point %lld, score %.2f</title></circle>",
           css, xr_coordinate(x, xr_overlay_x(d, (double)k->x)),
           xr_coordinate(y, xr_overlay_y(d, (double)k->y)), (long long)k->id, (double)k->score);
}

static void put_move(const xr_overlay_drawing *d, const exray_keypoint *a, const exray_keypoint *b)
{
    xr_coordinate_text x0, y0, x1, y1;
    xr_put(d->out, "<path class=\"move\" d=\"M%s %sL%s %s\"/>",
           xr_coordinate(x0, xr_overlay_x(d, (double)a->x)), xr_coordinate(y0, xr_overlay_y(d, (double)a->y)),
           xr_coordinate(x1, xr_overlay_x(d, (double)b->x)),
           xr_coordinate(y1, xr_overlay_y(d, (double)b->y)));
}

/* Points of one number at one place of the lists are one point. */
static void put_words(xr_page *p, const exray_result *edge, const exray_result *reference)
{
    double most = 0, sum = 0;
    uint32_t both = 0, far = 0;
    long long worst = 0;
    for (uint32_t i = 0; i < counted(edge) && i < counted(reference); i++) {
        double apart = moved(&edge->keypoints[i], &reference->keypoints[i]);
        if (edge->keypoints[i].id != reference->keypoints[i].id || !isfinite(apart))
            continue;
        both++;
        sum += apart;
        far += apart >= MOVED;
        worst = apart > most ? (long long)edge->keypoints[i].id : worst;
        most = fmax(most, apart);
    }
    if (both == 0)
        fputs("<p>No point of the two sides can be compared.</p>\n", p->out);
    else if (far == 0)
        xr_put(p->out, "<p>All %u points are within %.1f %% of the picture's sides.</p>\n", (unsigned)both,
               100 * fmax(most, 0.001));
    else
        xr_put(
            p->out,
            "<p>%u of %u points are 2 %% of the picture's sides or more apart; the mean is %.1f %%, the most "
            "%.1f %% (point %lld).</p>\n",
            (unsigned)far, (unsigned)both, 100 * sum / both, 100 * most, worst);
}

void xr_put_told_points(xr_gallery *g, const exray_picture *ground, const xr_told_frame *told, size_t number)
{
    const exray_result *edge = &told->side[0], *reference = &told->side[1];
    char id[32], description[120];
    if (edge->keypoint_count == 0 && reference->keypoint_count == 0)
        return;
    snprintf(id, sizeof id, "points-%zu", number);
    snprintf(description, sizeof description, "%u points of the edge, %u of the reference",
             (unsigned)edge->keypoint_count, (unsigned)reference->keypoint_count);
    xr_put_overlay_key(g->page->out, told->has_truth && told->truth.keypoint_count);
    fputs("<div class=\"beside\">\n", g->page->out);
    xr_overlay_drawing d = xr_overlay_begin(g, ground, id, "Key points of both sides", description);
    for (uint32_t i = 0; i < counted(edge) && i < counted(reference); i++)
        if (edge->keypoints[i].id == reference->keypoints[i].id &&
            moved(&edge->keypoints[i], &reference->keypoints[i]) >= MOVED)
            put_move(&d, &reference->keypoints[i], &edge->keypoints[i]);
    for (uint32_t i = 0; told->has_truth && i < counted(&told->truth); i++)
        put_point(&d, &told->truth.keypoints[i], "truth");
    for (uint32_t i = 0; i < counted(reference); i++)
        put_point(&d, &reference->keypoints[i], "reference");
    for (uint32_t i = 0; i < counted(edge); i++)
        put_point(&d, &edge->keypoints[i], "edge");
    xr_overlay_end(&d, ground ? "" : "No picture was recorded: the points lie on an empty one.");
    fputs("<div>\n", g->page->out);
    put_words(g->page, edge, reference);
    fputs("</div></div>\n", g->page->out);
}
