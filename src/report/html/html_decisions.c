/* Which frames changed their class. */
#include "report/html/frames/html_frames.h"

#include "checks/input/picture/sensor_picture.h"
#include "report/html/drawing/html_image.h"
#include "report/html/text/html_names.h"

#include <stdlib.h>

enum { THUMBNAILS = 48, LISTED = 400, QUALITY = 75, CONFUSIONS = 8 };

bool xr_html_has_decisions(const xr_page *p)
{
    return exray_comparison_accuracy(p->comparison)->frames > 0;
}

/* ---- Sums ----------------------------------------------------------------------------------- */

typedef struct decision_counts {
    size_t decided, changed, labelled;
    size_t right[2][2]; /* [edge is right][reference is right] */
} decision_counts;

static decision_counts add_up(const xr_frame_facts *facts, size_t count)
{
    decision_counts s = {0};
    for (size_t f = 0; f < count; f++) {
        const xr_decision *d = &facts[f].decision;
        if (!facts[f].decided)
            continue;
        s.decided++;
        s.changed += d->top[0] != d->top[1];
        if (!d->has_label)
            continue;
        s.labelled++;
        s.right[d->top[EXRAY_SIDE_EDGE] == d->label][d->top[EXRAY_SIDE_REFERENCE] == d->label]++;
    }
    return s;
}

static void put_matrix(xr_page *p, const decision_counts *s)
{
    xr_put(p->out,
           "<table class=\"matrix\"><caption>Of %zu frames with a label</caption><thead><tr><td></td><th "
           "scope=\"col\">reference right</th><th scope=\"col\">reference wrong</th></tr></thead><tbody>\n"
           "<tr><th scope=\"row\">edge right</th><td>%zu</td><td>%zu</td></tr>\n"
           "<tr><th scope=\"row\">edge wrong</th><td",
           s->labelled, s->right[1][1], s->right[1][0]);
    fputs(s->right[0][1] ? " class=\"lost\">" : ">", p->out);
    xr_put(p->out, "%zu</td><td>%zu</td></tr>\n</tbody></table>\n", s->right[0][1], s->right[0][0]);
}

/* ---- One frame ---------------------------------------------------------------------------------- */

/* The sensor's picture, else the reference's input. */
static exray_picture *thumbnail(xr_page *p, size_t frame, exray_slot *slot)
{
    exray_media media;
    exray_picture *picture = xr_sensor_picture(p->comparison, frame, NULL, slot, &media);
    if (!picture) {
        size_t pair = xr_shown_input(p->comparison);
        exray_tensor_view view;
        const float *values;
        exray_error error;
        xr_raster raster = {0};
        if (pair == EXRAY_NO_INDEX ||
            exray_comparison_values(p->comparison, EXRAY_SIDE_REFERENCE, frame, EXRAY_KIND_INPUT, pair, slot,
                                    &view, &values, &error) != EXRAY_OK)
            return NULL;
        const exray_metrics *m = &exray_comparison_input(p->comparison, pair)->metrics;
        xr_shades shades = {m->min[EXRAY_SIDE_REFERENCE], m->max[EXRAY_SIDE_REFERENCE]};
        if (xr_raster_load(&raster, &view.info, view.count, values, false, XR_ALL_PICTURES) &&
            raster.height >= 8 && raster.width >= 8)
            picture = xr_image_of_raster(&raster, &shades);
        xr_raster_free(&raster);
    }
    exray_picture *small = picture ? xr_image_shrunk(picture, XR_THUMBNAIL_MOST) : NULL;
    exray_picture_free(picture);
    return small;
}

/* The name that a side's own result of the frame gives its first class, in all messages of the frame; or
 * NULL. */
static const char *told_name(xr_page *p, exray_side side, size_t frame, const xr_decision *d)
{
    exray_result result;
    exray_error error;
    size_t position = exray_comparison_frame(p->comparison, frame).frame[side];
    if (exray_log_read_told(exray_comparison_log(p->comparison, side), position, EXRAY_MESSAGE_RESULT,
                            p->slot[side], &result, &error) != EXRAY_OK ||
        result.class_count == 0 || result.classes[0].id != d->top[side])
        return NULL;
    return result.classes[0].label;
}

static void put_decision(xr_page *p, exray_side side, size_t frame, const xr_decision *d)
{
    bool right = d->has_label && d->label == d->top[side];
    fputs("<td>", p->out);
    xr_put_class(p, side, d->top[side], told_name(p, side, frame, d));
    xr_put(p->out, "%s <span class=\"id\">score %.3g</span></td>", right ? " \xE2\x9C\x93" : "",
           (double)d->score[side]);
}

static void put_frame(xr_page *p, size_t frame, const xr_frame_facts *facts, bool pictured, exray_slot *slot)
{
    const xr_decision *d = &facts->decision;
    xr_frame_text name;
    exray_picture *picture = pictured ? thumbnail(p, frame, slot) : NULL;
    fputs("<tr><td class=\"thumb\">", p->out);
    if (picture)
        xr_put_image(p->out, picture, QUALITY, "");
    exray_picture_free(picture);
    xr_put(p->out, "</td><th scope=\"row\">%s</th>", xr_frame_name(p, frame, name));
    put_decision(p, EXRAY_SIDE_EDGE, frame, d);
    put_decision(p, EXRAY_SIDE_REFERENCE, frame, d);
    fputs("<td>", p->out);
    if (d->has_label)
        xr_put_class(p, EXRAY_SIDE_REFERENCE, d->label, NULL);
    else
        fputs("\xE2\x80\x93", p->out);
    fputs("</td></tr>\n", p->out);
}

/* ---- Confusions ----------------------------------------------------------------------------------- */

typedef struct confusion {
    int64_t reference, edge;
    size_t count;
} confusion;

static int by_pair(const void *a, const void *b)
{
    const confusion *x = a, *y = b;
    if (x->reference != y->reference)
        return x->reference < y->reference ? -1 : 1;
    return (x->edge > y->edge) - (x->edge < y->edge);
}

static int by_count(const void *a, const void *b)
{
    const confusion *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : by_pair(a, b);
}

/* Pairs of classes that changed into each other more than once. */
static void put_confusions(xr_page *p, const xr_frame_facts *facts, size_t count, size_t changed)
{
    confusion *pairs = calloc(changed + 1, sizeof *pairs);
    size_t n = 0, kinds = 0;
    for (size_t f = 0; pairs && f < count && n < changed; f++)
        if (facts[f].decided && facts[f].decision.top[0] != facts[f].decision.top[1])
            pairs[n++] = (confusion){facts[f].decision.top[EXRAY_SIDE_REFERENCE],
                                     facts[f].decision.top[EXRAY_SIDE_EDGE], 1};
    if (n > 1)
        qsort(pairs, n, sizeof *pairs, by_pair);
    for (size_t i = 0; i < n; i++) {
        if (kinds && by_pair(&pairs[kinds - 1], &pairs[i]) == 0)
            pairs[kinds - 1].count++;
        else
            pairs[kinds++] = pairs[i];
    }
    if (kinds > 1)
        qsort(pairs, kinds, sizeof *pairs, by_count);
    for (size_t i = 0; i < kinds && i < CONFUSIONS && pairs[i].count > 1; i++) {
        fputs(i ? "; " : "<p>Most often: ", p->out);
        xr_class_words from, to;
        xr_put(p->out, "%s became %s %zu times",
               xr_class_in_words(p, EXRAY_SIDE_REFERENCE, pairs[i].reference, from),
               xr_class_in_words(p, EXRAY_SIDE_EDGE, pairs[i].edge, to), pairs[i].count);
    }
    if (kinds && pairs[0].count > 1)
        fputs(".</p>\n", p->out);
    free(pairs);
}

static void put_changed(xr_page *p, const xr_frame_facts *facts, size_t count, exray_slot *slot)
{
    size_t listed = 0;
    fputs("<div class=\"scroll tall\" tabindex=\"0\" role=\"region\" aria-label=\"Frames that changed "
          "class\"><table class=\"changes\">"
          "<caption>Frames that changed class</caption><thead><tr><th scope=\"col\">Picture</th><th "
          "scope=\"col\">Frame</th><th "
          "scope=\"col\">Edge</th><th scope=\"col\">Reference</th><th "
          "scope=\"col\">Label</th></tr></thead><tbody>\n",
          p->out);
    for (size_t f = 0; f < count && listed < LISTED; f++)
        if (facts[f].decided && facts[f].decision.top[0] != facts[f].decision.top[1])
            put_frame(p, f, &facts[f], listed++ < THUMBNAILS, slot);
    fputs("</tbody></table></div>\n", p->out);
}

void xr_html_decisions(xr_page *p)
{
    if (!xr_html_has_decisions(p))
        return;
    size_t count = exray_comparison_frame_count(p->comparison);
    xr_frame_facts *facts = xr_frame_facts_read(p);
    exray_slot *slot = exray_slot_new();
    fputs("<section id=\"decisions\"><h2>What was decided</h2>\n", p->out);
    if (facts && slot) {
        decision_counts s = add_up(facts, count);
        xr_put(p->out, "<p>The first class changed in %zu of %zu frames.</p>\n", s.changed, s.decided);
        if (s.labelled)
            put_matrix(p, &s);
        put_confusions(p, facts, count, s.changed);
        if (s.changed)
            put_changed(p, facts, count, slot);
        if (s.changed > LISTED)
            xr_put(p->out, "<p>And %zu more.</p>\n", s.changed - LISTED);
    }
    fputs("</section>\n", p->out);
    exray_slot_free(slot);
    free(facts);
}
