#include "report/html/told/overlay.h"

#include "report/html/drawing/svg.h"

#include <math.h>

enum { OVERLAY_MOST = 480, SMALL_OVERLAY_MOST = 320, EMPTY_SIDE = 320 };

xr_overlay_drawing xr_overlay_begin(xr_gallery *g, const exray_picture *ground, const char *id,
                                    const char *title, const char *description)
{
    FILE *out = g->page->out;
    xr_overlay_drawing d = {out, EMPTY_SIDE, EMPTY_SIDE};
    exray_picture *shown =
        ground ? xr_image_shrunk(ground, g->most == XR_IMAGE_MOST ? OVERLAY_MOST : SMALL_OVERLAY_MOST) : NULL;
    fputs("<figure class=\"overlay\"><div class=\"stack\">", out);
    if (shown && xr_put_image(out, shown, g->quality, "")) {
        double scale = OVERLAY_MOST / fmax(exray_picture_width(shown), exray_picture_height(shown));
        d.width = exray_picture_width(shown) * scale;
        d.height = exray_picture_height(shown) * scale;
    }
    xr_put(out,
           "<svg class=\"%s\" role=\"img\" viewBox=\"0 0 %g %g\" aria-labelledby=\"%s-title "
           "%s-desc\"><title id=\"%s-title\">%s</title><desc id=\"%s-desc\">%s</desc>\n",
           shown ? "marks" : "marks empty", d.width, d.height, id, id, id, title, id, description);
    exray_picture_free(shown);
    return d;
}

void xr_overlay_end(const xr_overlay_drawing *d, const char *caption)
{
    xr_put(d->out, "</svg></div><figcaption>%s</figcaption></figure>\n", caption);
}

static double near(double share)
{
    return isfinite(share) ? fmin(fmax(share, -0.5), 1.5) : 0;
}

double xr_overlay_x(const xr_overlay_drawing *d, double share)
{
    return near(share) * d->width;
}

double xr_overlay_y(const xr_overlay_drawing *d, double share)
{
    return near(share) * d->height;
}

void xr_put_overlay_key(FILE *out, bool truth)
{
    fputs("<p class=\"legend\"><span class=\"line edge\"></span> edge <span class=\"line reference\"></span> "
          "reference",
          out);
    fputs(truth ? " <span class=\"line truth\"></span> truth</p>\n" : "</p>\n", out);
}
