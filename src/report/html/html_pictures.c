/* What was captured, what both sides fed the model, and the difference that is left after correcting the
 * named cause. */
#include "report/html/page.h"

#include "checks/input/picture/sensor_picture.h"
#include "checks/input/search/corrected.h"
#include "checks/scrubbed.h"
#include "report/html/html_frames.h"
#include "report/html/html_image.h"
#include "report/html/html_signals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { QUALITY = 85 };

/* What the frames of one page share. */
typedef struct gallery {
    xr_page *page;
    size_t pair;
    const exray_io_pair *io;
    xr_shades shades;
    xr_corrected_input *corrected; /* NULL: nothing explains the difference */
    exray_slot *sensor;
} gallery;

/* ---- One picture ---------------------------------------------------------------------------- */

/* Takes the picture over; NULL is "cannot be shown". */
static void put_picture(xr_page *p, exray_picture *picture, const char *caption, const char *remark,
                        const char *alt, const char *css)
{
    exray_picture *small = picture ? xr_image_shrunk(picture, XR_IMAGE_MOST) : NULL;
    xr_put(p->out, "<figure class=\"%s\">", css);
    if (!small || !xr_put_image(p->out, small, QUALITY, alt))
        fputs("<span class=\"absent\">cannot be shown</span>", p->out);
    xr_put(p->out, "<figcaption>%s", caption);
    if (*remark)
        xr_put(p->out, "<span>%s</span>", remark);
    fputs("</figcaption></figure>\n", p->out);
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

static void put_difference(gallery *g, const xr_raster *a, const xr_raster *b, double gain,
                           const char *caption)
{
    char remark[96], of[32] = "";
    double left = apart(a, b, g->io);
    if (gain > 1 && left >= 0.0005)
        snprintf(of, sizeof of, ", shown %g times", gain);
    snprintf(remark, sizeof remark, "nRMSE %.3f%s", left, of);
    if (left == 0)
        snprintf(remark, sizeof remark, "none: equal");
    put_picture(g->page, xr_image_of_difference(a, b, &g->shades, gain), caption, remark,
                "Map of the difference: black is equal, lighter is more", "difference");
}

/* ---- One frame ---------------------------------------------------------------------------------- */

static void put_sensor(gallery *g, size_t frame)
{
    exray_media media;
    exray_picture *picture = xr_sensor_picture(g->page->comparison, frame, NULL, g->sensor, &media);
    char remark[96];
    if (!picture)
        return;
    snprintf(remark, sizeof remark, "%u x %u, %.20s", (unsigned)exray_picture_width(picture),
             (unsigned)exray_picture_height(picture), media.format ? media.format : "");
    put_picture(g->page, picture, "What the sensor saw", remark, "The sensor's picture", "sensor");
}

static bool load_side(gallery *g, exray_side side, size_t frame, xr_raster *out)
{
    exray_tensor_view view;
    const float *values;
    exray_error error;
    *out = (xr_raster){0};
    return exray_comparison_values(g->page->comparison, side, frame, EXRAY_KIND_INPUT, g->pair,
                                   g->page->slot[side], &view, &values, &error) == EXRAY_OK &&
           xr_raster_load(out, &view.info, view.count, values, false);
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

static void put_corrected(gallery *g, size_t frame, double gain)
{
    char names[64];
    xr_corrected_frame corrected;
    if (!g->corrected || !xr_correct_frame(g->corrected, frame, &corrected))
        return;
    list_corrected(g->corrected, names, sizeof names);
    if (g->corrected->corrected)
        put_picture(g->page, xr_image_of_raster(&corrected.edge, &g->shades), "The edge's, fault undone",
                    names, "The edge's input with the named fault undone", "mended");
    if (g->corrected->applied) {
        char remark[64] = "as exray predicts the edge's";
        if (corrected.source_frame != frame)
            snprintf(remark, sizeof remark, "of frame %llu, which the edge shows",
                     index_of(g->page, corrected.source_frame));
        put_picture(g->page, xr_image_of_raster(&corrected.side[EXRAY_SIDE_REFERENCE], &g->shades),
                    "The reference's, with the fault", remark,
                    "The reference's input with the named fault applied to it", "mended");
    }
    put_difference(g, &corrected.side[EXRAY_SIDE_EDGE], &corrected.side[EXRAY_SIDE_REFERENCE], gain,
                   "Remaining difference");
    xr_corrected_frame_free(&corrected);
}

static void put_frame_pictures(gallery *g, size_t frame)
{
    static const char *const captions[2] = {"What the edge fed the model", "What the reference fed it"};
    static const char *const alts[2] = {"The edge's model input", "The reference's model input"};
    xr_raster side[2];
    bool loaded[2];
    put_sensor(g, frame);
    for (int s = 0; s < 2; s++) {
        char remark[64] = "not recorded";
        loaded[s] = load_side(g, (exray_side)s, frame, &side[s]);
        if (loaded[s])
            snprintf(remark, sizeof remark, "%zu x %zu x %zu", side[s].width, side[s].height,
                     side[s].channels);
        put_picture(g->page, loaded[s] ? xr_image_of_raster(&side[s], &g->shades) : NULL, captions[s], remark,
                    alts[s], "input");
    }
    double gain = 1;
    if (loaded[0] && loaded[1] && same_shape(&side[0], &side[1])) {
        gain = gain_for(&side[0], &side[1], &g->shades);
        put_difference(g, &side[0], &side[1], gain, "The difference");
    }
    put_corrected(g, frame, gain);
    for (int s = 0; s < 2; s++)
        xr_raster_free(&side[s]);
}

static void put_decision(xr_page *p, const xr_frame_facts *facts)
{
    const xr_decision *d = &facts->decision;
    if (!facts->decided)
        return;
    if (d->top[0] == d->top[1])
        xr_put(p->out, " <span class=\"decision\">Both decide class %lld", (long long)d->top[0]);
    else
        xr_put(p->out, " <span class=\"decision\">Edge: class %lld; reference: class %lld",
               (long long)d->top[0], (long long)d->top[1]);
    if (d->has_label)
        xr_put(p->out, "; label: %lld", (long long)d->label);
    fputs(".</span>", p->out);
}

/* ---- The section ------------------------------------------------------------------------------------ */

/* Whether both sides' inputs of a pair are pictures: rows and columns of a few channels. */
static bool is_picture(gallery *g, size_t frame)
{
    xr_raster r;
    bool loaded = load_side(g, EXRAY_SIDE_EDGE, frame, &r) || load_side(g, EXRAY_SIDE_REFERENCE, frame, &r);
    bool picture = loaded && r.height >= 8 && r.width >= 8 && r.channels <= 4;
    xr_raster_free(&r);
    return picture;
}

/* Black to white is the range of the reference's values for both sides, so that another normalization of the
 * edge's is visible. */
static void choose_shades(gallery *g)
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

static void put_legend(gallery *g)
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

static void put_frames(gallery *g, const xr_frame_facts *facts, size_t count)
{
    xr_notable_frame notable[XR_NOTABLE_MOST];
    xr_frame_text name;
    size_t picked = xr_pick_notable(facts, count, notable);
    bool picture = picked && is_picture(g, notable[0].frame);
    xr_put(g->page->out, "<p>Input <code>%s</code>, the notable ones of %zu matched frames.</p>\n",
           g->io->name[EXRAY_SIDE_EDGE], count);
    if (picture)
        put_legend(g);
    for (size_t i = 0; i < picked; i++) {
        size_t frame = notable[i].frame;
        xr_put(g->page->out, "<div class=\"frame\"><h3>%s</h3><p class=\"why\">%s.",
               xr_frame_name(g->page, frame, name), notable[i].why);
        put_decision(g->page, &facts[frame]);
        fputs("</p>\n", g->page->out);
        if (picture) {
            fputs("<div class=\"row\">\n", g->page->out);
            put_frame_pictures(g, frame);
            fputs("</div>", g->page->out);
        } else
            xr_html_signal(g->page, g->pair, frame, i);
        fputs("</div>\n", g->page->out);
    }
}

static void put_none(xr_page *p)
{
    char words[640];
    xr_scrubbed_words(p->comparison, words, sizeof words);
    if (*words)
        xr_put(p->out, "<p class=\"none\">No model input is in both logs: %s.</p>\n", words);
    else
        fputs("<p class=\"none\">No model input is in both logs: record with <code>--capture io</code> or "
              "more to see them here.</p>\n",
              p->out);
}

void xr_html_pictures(xr_page *p)
{
    gallery g = {.page = p, .pair = xr_shown_input(p->comparison), .sensor = exray_slot_new()};
    size_t count = exray_comparison_frame_count(p->comparison);
    fputs("<section id=\"pictures\"><h2>What the model was given</h2>\n", p->out);
    xr_frame_facts *facts = g.pair == EXRAY_NO_INDEX ? NULL : xr_frame_facts_read(p);
    if (facts && g.sensor) {
        g.io = exray_comparison_input(p->comparison, g.pair);
        g.corrected = xr_corrected_of(&p->report->outcome->findings, g.pair);
        choose_shades(&g);
        put_frames(&g, facts, count);
    } else {
        put_none(p);
    }
    fputs("</section>\n", p->out);
    free(facts);
    exray_slot_free(g.sensor);
}
