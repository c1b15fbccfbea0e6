/* How well both sides do their task: all measures; those of single classes folded. */
#include "report/html/page.h"

#include "checks/gate/measures.h"
#include "report/measure_words.h"

#include <math.h>
#include <stdlib.h>

enum { CLASSES_LISTED = 20 };

typedef struct measure_list {
    xr_measure all[XR_MEASURES_MOST];
    size_t count;
} measure_list;

bool xr_html_has_measures(const xr_page *p)
{
    return exray_comparison_accuracy(p->comparison)->frames > 0 ||
           exray_comparison_measure_count(p->comparison) > 0;
}

/* ---- Tables --------------------------------------------------------------------------------- */

static bool has_truth(const xr_measure *const *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (isfinite(rows[i]->edge) || isfinite(rows[i]->reference))
            return true;
    return false;
}

static void put_value(xr_page *p, const xr_measure *m, double value)
{
    char text[XR_MEASURE_VALUE_MOST];
    xr_put(p->out, "<td class=\"n\">%s</td>",
           isfinite(value) ? xr_measure_value(text, value, m->unit, "\xC2\xA0%") : "\xE2\x80\x93");
}

static void put_name(xr_page *p, const xr_measure *m)
{
    char words[XR_MEASURE_WORDS_MOST];
    bool same = m->agreement == (m->higher ? 1 : 0);
    fputs(same ? "<tr class=\"same\">" : "<tr>", p->out);
    xr_put(p->out, "<th scope=\"row\" title=\"in --require: %s\">%s", m->name,
           m->group ? m->group : xr_measure_words(words, m->name));
    if (m->output)
        xr_put(p->out, " <span class=\"id\">%s</span>", m->output);
    fputs("</th>", p->out);
}

static void put_table(xr_page *p, const xr_measure *const *rows, size_t count, const char *first,
                      const char *legend)
{
    const bool truth = has_truth(rows, count);
    xr_put(
        p->out,
        "<p class=\"legend\">%s</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">"
        "<table class=\"measures\"><thead><tr><th scope=\"col\">%s</th>",
        legend, legend, first);
    if (truth)
        fputs("<th scope=\"col\" class=\"n\" title=\"against the truth\">Edge</th><th scope=\"col\" "
              "class=\"n\" "
              "title=\"against the truth\">Reference</th>",
              p->out);
    fputs("<th scope=\"col\" class=\"n\" title=\"of the edge with the reference\">Agreement</th><th "
          "scope=\"col\">Better</th><th scope=\"col\" class=\"n\">Frames</th></tr></thead><tbody>\n",
          p->out);
    for (size_t i = 0; i < count; i++) {
        put_name(p, rows[i]);
        if (truth) {
            put_value(p, rows[i], rows[i]->edge);
            put_value(p, rows[i], rows[i]->reference);
        }
        put_value(p, rows[i], rows[i]->agreement);
        xr_put(p->out, "<td>%s</td><td class=\"n\">%zu</td></tr>\n", rows[i]->higher ? "higher" : "lower",
               rows[i]->frames);
    }
    fputs("</tbody></table></div>\n", p->out);
}

/* ---- Of classes --------------------------------------------------------------------------------- */

/* More is worse; -INFINITY: unknown. */
static double disagreement(const xr_measure *m)
{
    if (!isfinite(m->agreement))
        return -INFINITY;
    return m->higher ? 1 - m->agreement : m->agreement;
}

/* What the edge loses against the truth, or, without one, the disagreement. */
static double loss_of(const xr_measure *m)
{
    if (isfinite(m->edge) && isfinite(m->reference))
        return m->higher ? m->reference - m->edge : m->edge - m->reference;
    return disagreement(m);
}

static int by_loss(const void *a, const void *b)
{
    const xr_measure *x = *(const xr_measure *const *)a, *y = *(const xr_measure *const *)b;
    const double loss[2] = {loss_of(x), loss_of(y)}, apart[2] = {disagreement(x), disagreement(y)};
    if (loss[0] != loss[1])
        return loss[0] > loss[1] ? -1 : 1;
    if (apart[0] != apart[1])
        return apart[0] > apart[1] ? -1 : 1;
    return (x > y) - (x < y); /* entries of one list: its order */
}

static bool is_of_one_list(const xr_measure *a, const xr_measure *b)
{
    return a->group && b->group && strcmp(a->name, b->name) == 0 &&
           strcmp(a->output ? a->output : "", b->output ? b->output : "") == 0;
}

/* Is it the first of the list that is of a class and has that name? */
static bool begins_classes(const measure_list *list, size_t at)
{
    if (!list->all[at].group)
        return false;
    for (size_t i = 0; i < at; i++)
        if (is_of_one_list(&list->all[i], &list->all[at]))
            return false;
    return true;
}

static void put_classes(xr_page *p, const measure_list *list, size_t first)
{
    const xr_measure *rows[XR_MEASURES_MOST];
    char words[XR_MEASURE_WORDS_MOST];
    size_t count = 0;
    for (size_t i = first; i < list->count; i++)
        if (is_of_one_list(&list->all[i], &list->all[first]))
            rows[count++] = &list->all[i];
    qsort(rows, count, sizeof *rows, by_loss);
    xr_put(p->out, "<details><summary>Of each class: %s", xr_measure_words(words, list->all[first].name));
    if (list->all[first].output)
        xr_put(p->out, " of %s", list->all[first].output);
    if (count > CLASSES_LISTED)
        xr_put(p->out, " (the worst %d of %zu)", CLASSES_LISTED, count);
    fputs("</summary>\n", p->out);
    put_table(p, rows, count < CLASSES_LISTED ? count : CLASSES_LISTED, "Class",
              has_truth(rows, count) ? "The classes that lose most against the truth first."
                                     : "The classes that agree least first.");
    fputs("</details>\n", p->out);
}

void xr_html_measures(xr_page *p)
{
    measure_list list;
    const xr_measure *rows[XR_MEASURES_MOST];
    size_t count = 0;
    list.count = xr_measures(p->comparison, list.all);
    for (size_t i = 0; i < list.count; i++)
        if (!list.all[i].group)
            rows[count++] = &list.all[i];
    if (list.count == 0)
        return;
    fputs("<section id=\"measures\"><h2>How well both do the task</h2>\n", p->out);
    if (count)
        put_table(p, rows, count, "Measure",
                  has_truth(rows, count)
                      ? "Each side against the truth, and the edge against the reference (agreement)."
                      : "The edge against the reference; no truth or label was recorded.");
    for (size_t i = 0; i < list.count; i++)
        if (begins_classes(&list, i))
            put_classes(p, &list, i);
    fputs("</section>\n", p->out);
}
