/* Frame by frame: what the model was given, and what was told.  Without its script the page shows the notable
 * frames, and any other one that a link of the strip names; the script steps through them. */
#include "report/html/frames/html_frames.h"

#include "report/html/frames/frames_along.h"

#include "checks/scrubbed.h"
#include "report/html/frames/html_pictures.h"
#include "report/html/signals/html_signals.h"
#include "report/html/text/html_names.h"
#include "report/html/told/html_told.h"

#include <stdlib.h>

typedef struct viewer {
    xr_page *page;
    const xr_frame_facts *facts;
    xr_shown_frame shown[XR_FRAMES_MOST];
    size_t count, first;
    xr_gallery gallery;
} viewer;

/* ---- The strip ---------------------------------------------------------------------------- */

static void put_strip(const viewer *v)
{
    FILE *out = v->page->out;
    xr_frame_text name;
    if (v->count < 2)
        return;
    fputs("<nav class=\"strip\" aria-label=\"Frames\">\n", out);
    for (size_t i = 0; i < v->count; i++) {
        size_t frame = v->shown[i].frame;
        bool differs = xr_frame_differs(&v->facts[frame]);
        xr_put(out, "<a href=\"#frame-%zu\" class=\"%s\" title=\"%s%s\">%zu</a>\n", frame,
               differs ? "differs" : "same", xr_frame_name(v->page, frame, name), differs ? ", differs" : "",
               frame);
    }
    fputs("</nav>\n", out);
}

/* How many there are, how many are shown, and how one steps through them. */
static void put_lead(const viewer *v, size_t all)
{
    FILE *out = v->page->out;
    if (v->gallery.io)
        xr_put(out, "<p>Input <code>%s</code>; ", v->gallery.io->name[EXRAY_SIDE_EDGE]);
    else
        fputs("<p>", out);
    if (v->count == all)
        xr_put(out, all == 1 ? "one matched frame." : "all of the %zu matched frames.", all);
    else
        xr_put(out,
               "%zu of the %zu matched frames: those that are notable, others that differ, and of the "
               "rest some that are evenly spaced.",
               v->count, all);
    fputs("<span class=\"how\" hidden> Step with the arrow keys, or choose below.</span></p>\n", out);
}

/* ---- One frame -------------------------------------------------------------------------------- */

static void put_decision(const viewer *v, size_t frame)
{
    const xr_decision *d = &v->facts[frame].decision;
    xr_class_words edge, reference, label;
    if (!v->facts[frame].decided)
        return;
    xr_class_in_words(v->page, EXRAY_SIDE_EDGE, d->top[EXRAY_SIDE_EDGE], edge);
    xr_class_in_words(v->page, EXRAY_SIDE_REFERENCE, d->top[EXRAY_SIDE_REFERENCE], reference);
    if (d->top[0] == d->top[1] && strcmp(edge, reference) == 0)
        xr_put(v->page->out, " <span class=\"decision\">Both decide %s", reference);
    else
        xr_put(v->page->out, " <span class=\"decision\">Edge: %s; reference: %s", edge, reference);
    if (d->has_label)
        xr_put(v->page->out, "; label: %s",
               xr_class_in_words(v->page, EXRAY_SIDE_REFERENCE, d->label, label));
    fputs(".</span>", v->page->out);
}

/* A table of what the microphone heard is as large as a picture, and none. */
static bool is_picture(viewer *v, size_t frame)
{
    return xr_gallery_is_picture(&v->gallery, frame) && !xr_is_features(v->page, v->gallery.pair, frame);
}

static void put_frame(viewer *v, size_t i)
{
    FILE *out = v->page->out;
    xr_frame_text name;
    const xr_shown_frame *shown = &v->shown[i];
    bool differs = xr_frame_differs(&v->facts[shown->frame]), notable = shown->why != NULL;
    xr_put(out, "<div class=\"frame %s %s\" id=\"frame-%zu\"><h3>%s</h3><p class=\"why\">%s",
           notable ? "notable" : "more", differs ? "differs" : "same", shown->frame,
           xr_frame_name(v->page, shown->frame, name),
           notable   ? shown->why
           : differs ? "It differs"
                     : "");
    fputs(notable || differs ? "." : "", out);
    put_decision(v, shown->frame);
    fputs("</p>\n", out);
    v->gallery.most = notable ? XR_IMAGE_MOST : XR_SMALL_IMAGE_MOST;
    v->gallery.quality = notable ? XR_IMAGE_QUALITY : XR_SMALL_IMAGE_QUALITY;
    if (v->gallery.pair == EXRAY_NO_INDEX)
        ;
    else if (is_picture(v, shown->frame))
        xr_put_gallery_frame(&v->gallery, shown->frame, !notable);
    else
        xr_html_signal(v->page, v->gallery.pair, shown->frame, i, notable);
    xr_html_told(&v->gallery, shown->frame, i);
    fputs("</div>\n", out);
}

/* ---- The section ---------------------------------------------------------------------------------- */

static void put_no_input(xr_page *p)
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

static void put_all(viewer *v, size_t count)
{
    v->count = xr_pick_frames(v->facts, count, v->shown, &v->first);
    put_lead(v, count);
    if (v->count && is_picture(v, v->shown[v->first].frame))
        xr_put_gallery_legend(&v->gallery);
    put_strip(v);
    xr_put(v->page->out, "<div id=\"viewer\" data-first=\"frame-%zu\">\n", v->shown[v->first].frame);
    for (size_t i = 0; i < v->count; i++)
        put_frame(v, i);
    fputs("</div>\n", v->page->out);
}

static bool any_told(const xr_frame_facts *facts, size_t count)
{
    for (size_t f = 0; f < count; f++)
        if (facts[f].told)
            return true;
    return false;
}

void xr_html_viewer(xr_page *p)
{
    viewer v = {.page = p};
    size_t count = exray_comparison_frame_count(p->comparison), pair = xr_shown_input(p->comparison);
    xr_frame_facts *facts = xr_frame_facts_read(p);
    fputs("<section id=\"pictures\"><h2>Frame by frame</h2>\n", p->out);
    v.facts = facts;
    if (pair == EXRAY_NO_INDEX)
        put_no_input(p);
    if (facts && xr_gallery_begin(&v.gallery, p, pair)) {
        if (pair != EXRAY_NO_INDEX || any_told(facts, count))
            put_all(&v, count);
        xr_put_along(p, facts, count);
        xr_gallery_end(&v.gallery);
    }
    fputs("</section>\n", p->out);
    free(facts);
}
