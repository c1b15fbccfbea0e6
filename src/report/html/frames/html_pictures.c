/* What was captured, what both sides fed the model, and the difference that is left after correcting the
 * named cause. */
#include "report/html/frames/html_pictures.h"

#include "checks/input/picture/sensor_picture.h"

#include <math.h>
#include <string.h>

/* ---- One picture ---------------------------------------------------------------------------- */

void xr_put_picture(xr_gallery *g, exray_picture *picture, const char *caption, const char *remark,
                    const char *alt, const char *css)
{
    FILE *out = g->page->out;
    exray_picture *small = picture ? xr_image_shrunk(picture, g->most) : NULL;
    xr_put(out, "<figure class=\"%s\">", css);
    if (!small || !xr_put_image(out, small, g->quality, alt))
        fputs("<span class=\"absent\">cannot be shown</span>", out);
    xr_put(out, "<figcaption>%s", caption);
    if (*remark)
        xr_put(out, "<span>%s</span>", remark);
    fputs("</figcaption></figure>\n", out);
    exray_picture_free(small);
    exray_picture_free(picture);
}

/* The factor that makes the largest difference visible. */
static double gain_for(const xr_raster *a, const xr_raster *b, const xr_shades *shades)
{
    double most = 0, range = shades->high > shades->low ? shades->high - shades->low : 1;
    size_t pixels = a->width * a->height;
    for (size_t i = 0; i < pixels; i++) {
        double sum = 0;
        for (size_t c = 0; c < a->channels; c++)
            sum += fabs((double)a->v[c * pixels + i] - (double)b->v[c * pixels + i]);
        sum /= range * (double)a->channels;
        if (isfinite(sum))
            most = fmax(most, sum);
    }
    double gain = 1;
    while (gain < 32 && gain * most < 0.5)
        gain *= 2;
    return gain;
}

static bool same_shape(const xr_raster *a, const xr_raster *b)
{
    return a->width == b->width && a->height == b->height && a->channels == b->channels;
}

/* nRMSE by the range of the reference's values over all frames. */
static double apart(const xr_raster *a, const xr_raster *b, const exray_io_pair *io)
{
    double sum = 0;
    size_t known = 0, count = a->width * a->height * a->channels;
    for (size_t i = 0; i < count; i++) {
        double d = (double)a->v[i] - (double)b->v[i];
        if (isfinite(d)) {
            sum += d * d;
            known++;
        }
    }
    return known ? sqrt(sum / (double)known) /
                       (io->metrics.max[EXRAY_SIDE_REFERENCE] - io->metrics.min[EXRAY_SIDE_REFERENCE])
                 : NAN;
}

static void put_difference(xr_gallery *g, const xr_raster *a, const xr_raster *b, double gain,
                           const char *caption)
{
    char remark[96], of[32] = "";
    double left = apart(a, b, g->io);
    if (gain > 1 && left >= 0.0005)
        snprintf(of, sizeof of, ", shown %g times", gain);
    snprintf(remark, sizeof remark, "nRMSE %.3f%s", left, of);
    if (left == 0)
        snprintf(remark, sizeof remark, "none: equal");
    xr_put_picture(g, xr_image_of_difference(a, b, &g->shades, gain), caption, remark,
                   "Map of the difference: black is equal, lighter is more", "difference");
}

/* ---- One frame ---------------------------------------------------------------------------------- */

static void put_sensor(xr_gallery *g, size_t frame)
{
    exray_media media;
    exray_picture *picture = xr_sensor_picture(g->page->comparison, frame, NULL, g->sensor, &media);
    char remark[96];
    if (!picture)
        return;
    snprintf(remark, sizeof remark, "%u x %u, %.20s", (unsigned)exray_picture_width(picture),
             (unsigned)exray_picture_height(picture), media.format ? media.format : "");
    xr_put_picture(g, picture, "What the sensor saw", remark, "The sensor's picture", "sensor");
}

static bool load_side(xr_gallery *g, exray_side side, size_t frame, xr_raster *out)
{
    exray_tensor_view view;
    const float *values;
    exray_error error;
    *out = (xr_raster){0};
    return g->pair != EXRAY_NO_INDEX &&
           exray_comparison_values(g->page->comparison, side, frame, EXRAY_KIND_INPUT, g->pair,
                                   g->page->slot[side], &view, &values, &error) == EXRAY_OK &&
           xr_raster_load(out, &view.info, view.count, values, false, XR_ALL_PICTURES);
}

static bool looks_like_picture(const xr_raster *r)
{
    return r->height >= 8 && r->width >= 8 && r->channels <= 4;
}

/* "channel order and values". */
static void list_corrected(const xr_corrected_input *input, char *text, size_t size)
{
    const xr_input_fit *fit = &input->fit;
    const struct {
        bool set;
        const char *name;
    } steps[] = {{fit->orders.named || fit->orders.tied, "channel order"},
                 {fit->map.named || fit->map.after_exchange, "values"},
                 {input->transform.layout, "layout"},
                 {input->transform.sign_wrap.set, "sign"},
                 {input->transform.turn.orientation != 0, "turn"}};
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i].set && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", steps[i].name);
}

/* A matched frame's number in the reference's log. */
static unsigned long long index_of(const xr_page *p, size_t frame)
{
    const exray_log *log = exray_comparison_log(p->comparison, EXRAY_SIDE_REFERENCE);
    size_t position = exray_comparison_frame(p->comparison, frame).frame[EXRAY_SIDE_REFERENCE];
    return exray_log_frame(log, position)->index;
}

static void put_corrected(xr_gallery *g, size_t frame, double gain)
{
    char names[64];
    xr_corrected_frame corrected;
    if (!g->corrected || !xr_correct_frame(g->corrected, frame, &corrected))
        return;
    list_corrected(g->corrected, names, sizeof names);
    if (g->corrected->corrected)
        xr_put_picture(g, xr_image_of_raster(&corrected.edge, &g->shades), "The edge's, fault undone", names,
                       "The edge's input with the named fault undone", "mended");
    if (g->corrected->applied) {
        char remark[64] = "as exray predicts the edge's";
        if (corrected.source_frame != frame)
            snprintf(remark, sizeof remark, "of frame %llu, which the edge shows",
                     index_of(g->page, corrected.source_frame));
        xr_put_picture(g, xr_image_of_raster(&corrected.side[EXRAY_SIDE_REFERENCE], &g->shades),
                       "The reference's, with the fault", remark,
                       "The reference's input with the named fault applied to it", "mended");
    }
    put_difference(g, &corrected.side[EXRAY_SIDE_EDGE], &corrected.side[EXRAY_SIDE_REFERENCE], gain,
                   "Remaining difference");
    xr_corrected_frame_free(&corrected);
}

static void put_side(xr_gallery *g, const xr_raster *raster, bool loaded, const char *caption,
                     const char *alt)
{
    char remark[64] = "not recorded";
    if (loaded)
        snprintf(remark, sizeof remark, "%zu x %zu x %zu", raster->width, raster->height, raster->channels);
    xr_put_picture(g, loaded ? xr_image_of_raster(raster, &g->shades) : NULL, caption, remark, alt, "input");
}

static void put_both(xr_gallery *g, size_t frame, const xr_raster side[2], const bool loaded[2])
{
    double gain = 1;
    put_side(g, &side[0], loaded[0], "What the edge fed the model", "The edge's model input");
    put_side(g, &side[1], loaded[1], "What the reference fed it", "The reference's model input");
    if (loaded[0] && loaded[1] && same_shape(&side[0], &side[1])) {
        gain = gain_for(&side[0], &side[1], &g->shades);
        put_difference(g, &side[0], &side[1], gain, "The difference");
    }
    put_corrected(g, frame, gain);
}

void xr_put_gallery_frame(xr_gallery *g, size_t frame, bool brief)
{
    xr_raster side[2];
    bool loaded[2];
    fputs("<div class=\"row\">\n", g->page->out);
    put_sensor(g, frame);
    for (int s = 0; s < 2; s++)
        loaded[s] = load_side(g, (exray_side)s, frame, &side[s]);
    if (brief && loaded[0] && loaded[1] && same_shape(&side[0], &side[1]) &&
        apart(&side[0], &side[1], g->io) == 0)
        put_side(g, &side[0], true, "What both fed the model", "The model input of both sides, equal");
    else
        put_both(g, frame, side, loaded);
    for (int s = 0; s < 2; s++)
        xr_raster_free(&side[s]);
    fputs("</div>\n", g->page->out);
}

exray_picture *xr_gallery_ground(xr_gallery *g, size_t frame)
{
    exray_media media;
    exray_picture *picture = xr_sensor_picture(g->page->comparison, frame, NULL, g->sensor, &media);
    for (int s = EXRAY_SIDE_REFERENCE; !picture && s >= EXRAY_SIDE_EDGE; s--) {
        xr_raster raster = {0};
        if (load_side(g, (exray_side)s, frame, &raster) && looks_like_picture(&raster))
            picture = xr_image_of_raster(&raster, &g->shades);
        xr_raster_free(&raster);
    }
    return picture;
}

/* ---- The gallery ------------------------------------------------------------------------------------ */

bool xr_gallery_is_picture(xr_gallery *g, size_t frame)
{
    xr_raster r;
    bool loaded = load_side(g, EXRAY_SIDE_EDGE, frame, &r) || load_side(g, EXRAY_SIDE_REFERENCE, frame, &r);
    bool picture = loaded && looks_like_picture(&r);
    xr_raster_free(&r);
    return picture;
}

/* Black to white is the range of the reference's values for both sides, so that another normalization of the
 * edge's is visible. */
static void choose_shades(xr_gallery *g)
{
    const exray_metrics *m = &g->io->metrics;
    int s =
        isfinite(m->min[EXRAY_SIDE_REFERENCE]) && m->max[EXRAY_SIDE_REFERENCE] > m->min[EXRAY_SIDE_REFERENCE]
            ? EXRAY_SIDE_REFERENCE
            : EXRAY_SIDE_EDGE;
    g->shades = (xr_shades){m->min[s], m->max[s]};
    if (!isfinite(g->shades.low) || !isfinite(g->shades.high) || g->shades.high <= g->shades.low)
        g->shades = (xr_shades){0, 255};
}

static bool blames_inputs(const xr_page *p)
{
    for (size_t i = 0; i < p->report->outcome->shown_count; i++)
        if (strncmp(p->report->outcome->shown[i]->cause, "input.", 6) == 0)
            return true;
    return false;
}

void xr_put_gallery_legend(const xr_gallery *g)
{
    xr_number_text low, high;
    xr_put(
        g->page->out,
        "<p class=\"legend\">Model inputs are shown from their values, both sides alike: %s is black, %s is "
        "white "
        "(the range of the reference's values), channels 0, 1, 2 as red, green, blue. In a difference black "
        "is equal; violet, orange, pale yellow are more.</p>\n",
        xr_number(low, g->shades.low), xr_number(high, g->shades.high));
    if (g->corrected && g->corrected->applied)
        fputs("<p class=\"legend\">The named fault loses pixels for good, so it is applied "
              "to the "
              "reference's input: where that equals the edge's, the fault explains it.</p>\n",
              g->page->out);
    if (!g->corrected && blames_inputs(g->page))
        fputs("<p class=\"legend\">How exactly the edge's input was made cannot be told from these logs, so "
              "the "
              "fault is not shown undone.</p>\n",
              g->page->out);
}

bool xr_gallery_begin(xr_gallery *g, xr_page *p, size_t pair)
{
    *g = (xr_gallery){.page = p,
                      .pair = pair,
                      .sensor = exray_slot_new(),
                      .shades = {0, 255},
                      .most = XR_IMAGE_MOST,
                      .quality = XR_IMAGE_QUALITY};
    if (pair != EXRAY_NO_INDEX) {
        g->io = exray_comparison_input(p->comparison, pair);
        g->corrected = xr_corrected_of(&p->report->outcome->findings, pair);
        choose_shades(g);
    }
    return g->sensor != NULL;
}

void xr_gallery_end(xr_gallery *g)
{
    exray_slot_free(g->sensor);
}
