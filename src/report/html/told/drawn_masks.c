/* Masks of both sides over the picture, where they differ, and the share of each class. */
#include "report/html/told/told_parts.h"

#include "report/html/text/html_names.h"
#include "report/html/told/told_match.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLORS = 12, LISTED = 12, CLASSES = 1 << 16, LEAST = 96, SIDE_MOST = 1 << 14 };

/* Colors of classes 1, 2, ...; the style sheet has the same for the swatches (.m1 ...).  Class 0 is what the
 * picture shows by itself. */
static const uint8_t colors[COLORS][3] = {{230, 97, 35},  {46, 134, 222}, {38, 166, 91},   {200, 60, 160},
                                          {240, 190, 40}, {110, 80, 200}, {20, 170, 175},  {220, 50, 60},
                                          {140, 190, 50}, {150, 100, 60}, {240, 130, 170}, {90, 110, 130}};

/* ---- Pictures ---------------------------------------------------------------------------- */

typedef struct canvas {
    uint32_t width, height;
    exray_picture *ground; /* of this size; NULL: gray */
} canvas;

static uint32_t at_least_one(double v)
{
    return v < 1 ? 1 : (uint32_t)v;
}

/* As large as the ground is shown; without one, as the mask. */
static canvas make_canvas(const xr_gallery *g, const exray_picture *ground, const exray_mask *mask)
{
    const uint32_t most = g->most;
    double width = ground ? exray_picture_width(ground) : mask->width;
    double height = ground ? exray_picture_height(ground) : mask->height;
    double longer = fmax(width, height), scale = longer > most    ? most / longer
                                                 : longer < LEAST ? LEAST / longer
                                                                  : 1;
    canvas c = {at_least_one(width * scale), at_least_one(height * scale), NULL};
    exray_error error;
    if (ground)
        c.ground = exray_picture_resize(ground, NULL, EXRAY_FILTER_AREA, EXRAY_SAMPLING_HALF_PIXEL, c.width,
                                        c.height, &error);
    return c;
}

static unsigned mask_at(const exray_mask *m, const canvas *c, uint32_t x, uint32_t y)
{
    size_t column = (size_t)((uint64_t)x * m->width / c->width),
           row = (size_t)((uint64_t)y * m->height / c->height);
    return xr_mask_at(m, row * m->width + column);
}

static uint8_t ground_at(const canvas *c, uint32_t x, uint32_t y, unsigned channel)
{
    if (!c->ground)
        return 96;
    unsigned channels = exray_picture_channels(c->ground);
    return exray_picture_pixels(
        c->ground)[((size_t)y * c->width + x) * channels + (channels == 3 ? channel : 0)];
}

static unsigned ignored(const exray_mask *m)
{
    return m->wide ? 65535 : 255;
}

static void tint(uint8_t rgb[3], unsigned id, unsigned ignore)
{
    if (id == 0)
        return;
    for (int k = 0; k < 3; k++)
        rgb[k] = id == ignore ? (uint8_t)(rgb[k] / 3 + 150)
                              : (uint8_t)((rgb[k] * 2 + colors[(id - 1) % COLORS][k] * 3) / 5);
}

/* The picture with the mask's classes as colors. */
static exray_picture *draw_mask(const canvas *c, const exray_mask *m)
{
    uint8_t *rgb = malloc((size_t)c->width * c->height * 3);
    exray_error error;
    for (uint32_t y = 0; rgb && y < c->height; y++)
        for (uint32_t x = 0; x < c->width; x++) {
            uint8_t *pixel = rgb + ((size_t)y * c->width + x) * 3;
            for (unsigned k = 0; k < 3; k++)
                pixel[k] = ground_at(c, x, y, k);
            tint(pixel, mask_at(m, c, x, y), ignored(m));
        }
    exray_picture *picture = rgb ? exray_picture_new(c->width, c->height, 3, rgb, &error) : NULL;
    free(rgb);
    return picture;
}

/* Where the two differ, in one color on a gray picture; *apart: the share of the pixels. */
static exray_picture *draw_difference(const canvas *c, const exray_mask *a, const exray_mask *b,
                                      double *apart)
{
    uint8_t *rgb = malloc((size_t)c->width * c->height * 3);
    size_t differ = 0;
    exray_error error;
    for (uint32_t y = 0; rgb && y < c->height; y++)
        for (uint32_t x = 0; x < c->width; x++) {
            uint8_t *pixel = rgb + ((size_t)y * c->width + x) * 3;
            uint8_t gray =
                (uint8_t)((ground_at(c, x, y, 0) + ground_at(c, x, y, 1) + ground_at(c, x, y, 2)) / 6);
            bool other = mask_at(a, c, x, y) != mask_at(b, c, x, y);
            differ += other;
            memset(pixel, gray, 3);
            if (other)
                memcpy(pixel, (const uint8_t[3]){240, 112, 32}, 3);
        }
    *apart = (double)differ / ((double)c->width * c->height);
    exray_picture *picture = rgb ? exray_picture_new(c->width, c->height, 3, rgb, &error) : NULL;
    free(rgb);
    return picture;
}

static void put_pictures(xr_gallery *g, const canvas *c, const exray_mask *const mask[2])
{
    static const char *const captions[2] = {"The edge's mask", "The reference's mask"};
    char remark[96];
    fputs("<div class=\"row\">\n", g->page->out);
    for (int s = 0; s < 2; s++) {
        snprintf(remark, sizeof remark, "none was told");
        if (mask[s])
            snprintf(remark, sizeof remark, "%u x %u", (unsigned)mask[s]->width, (unsigned)mask[s]->height);
        xr_put_picture(g, mask[s] ? draw_mask(c, mask[s]) : NULL, captions[s], remark, captions[s], "mask");
    }
    if (mask[0] && mask[1]) {
        double shown, apart = xr_masks_apart(mask[0], mask[1]);
        exray_picture *difference = draw_difference(c, mask[0], mask[1], &shown);
        if (isnan(apart))
            snprintf(remark, sizeof remark, "%.1f %% of the pixels; the sizes differ", 100 * shown);
        else if (apart == 0)
            snprintf(remark, sizeof remark, "none: equal");
        else
            snprintf(remark, sizeof remark, "%.2g %% of the pixels", 100 * apart);
        xr_put_picture(g, difference, "Where they differ", remark, "Where the masks differ", "mask");
    }
    fputs("</div>\n", g->page->out);
}

/* ---- Classes ----------------------------------------------------------------------------------- */

typedef struct class_share {
    unsigned id;
    double share[2];
} class_share;

static int by_share(const void *a, const void *b)
{
    const class_share *x = a, *y = b;
    double most[2] = {fmax(x->share[0], x->share[1]), fmax(y->share[0], y->share[1])};
    return most[0] != most[1] ? (most[0] < most[1] ? 1 : -1) : (x->id > y->id) - (x->id < y->id);
}

static void count_classes(const exray_mask *m, int side, class_share *all)
{
    size_t pixels = (size_t)m->width * m->height;
    for (size_t i = 0; i < pixels; i++)
        all[xr_mask_at(m, i)].share[side] += 1.0 / (double)pixels;
}

static void put_class_row(xr_page *p, const class_share *c, const exray_mask *const mask[2])
{
    bool ignore =
        (mask[0] && c->id == ignored(mask[0])) || (!mask[0] && mask[1] && c->id == ignored(mask[1]));
    fputs(fabs(c->share[0] - c->share[1]) < 5e-4 ? "<tr class=\"same\">" : "<tr>", p->out);
    if (ignore)
        fputs("<td><span class=\"swatch m-ignored\"></span> not counted", p->out);
    else {
        xr_put(p->out, "<td><span class=\"swatch m%u\"></span> ", c->id ? (c->id - 1) % COLORS + 1 : 0);
        xr_put_class(p, EXRAY_SIDE_REFERENCE, c->id, NULL);
    }
    fputs("</td>", p->out);
    for (int s = 0; s < 2; s++)
        xr_put(p->out, "<td class=\"n\">%.1f\xC2\xA0%%</td>", 100 * c->share[s]);
    fputs("</tr>\n", p->out);
}

static void put_classes(xr_page *p, const exray_mask *const mask[2])
{
    class_share *all = calloc(CLASSES, sizeof *all);
    size_t kinds = 0;
    if (!all)
        return;
    for (unsigned i = 0; i < CLASSES; i++)
        all[i].id = i;
    for (int s = 0; s < 2; s++)
        if (mask[s])
            count_classes(mask[s], s, all);
    for (size_t i = 0; i < CLASSES; i++)
        if (all[i].share[0] > 0 || all[i].share[1] > 0)
            all[kinds++] = all[i];
    qsort(all, kinds, sizeof *all, by_share);
    fputs("<div class=\"scroll\"><table class=\"objects\"><thead><tr><th scope=\"col\">Class</th><th "
          "scope=\"col\" "
          "class=\"n\">Edge</th><th scope=\"col\" class=\"n\">Reference</th></tr></thead><tbody>\n",
          p->out);
    for (size_t i = 0; i < kinds && i < LISTED; i++)
        put_class_row(p, &all[i], mask);
    fputs("</tbody></table></div>\n", p->out);
    if (kinds > LISTED)
        xr_put(p->out, "<p class=\"legend\">And %zu more classes.</p>\n", kinds - LISTED);
    free(all);
}

/* A mask that can be shown; else NULL. */
static const exray_mask *shown_mask(const exray_result *r)
{
    const exray_mask *m = r->mask;
    return m && m->width && m->height && m->width <= SIDE_MOST && m->height <= SIDE_MOST ? m : NULL;
}

void xr_put_told_masks(xr_gallery *g, const exray_picture *ground, const xr_told_frame *told)
{
    const exray_mask *const mask[2] = {shown_mask(&told->side[0]), shown_mask(&told->side[1])};
    if (!mask[0] && !mask[1])
        return;
    canvas c = make_canvas(g, ground, mask[0] ? mask[0] : mask[1]);
    put_pictures(g, &c, mask);
    put_classes(g->page, mask);
    exray_picture_free(c.ground);
}
