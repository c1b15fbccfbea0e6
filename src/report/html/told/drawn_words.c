/* What was told in words and numbers: classes, texts, vectors. */
#include "report/html/told/told_parts.h"

#include "report/html/text/html_names.h"
#include "report/html/told/told_match.h"

#include <math.h>
#include <string.h>

enum { CLASSES_SHOWN = 5, VALUES_SHOWN = 8, VECTORS_SHOWN = 8, BEFORE = 160, WITHIN = 400, AFTER = 120 };

/* ---- Classes ------------------------------------------------------------------------------- */

static void put_class_cell(xr_page *p, exray_side side, const exray_result *r, uint32_t i)
{
    if (i >= r->class_count) {
        fputs("<td>\xE2\x80\x93</td>", p->out);
        return;
    }
    fputs("<td>", p->out);
    xr_put_class(p, side, r->classes[i].id, r->classes[i].label);
    xr_put(p->out, " <span class=\"id\">score %.3g</span></td>", (double)r->classes[i].score);
}

void xr_put_told_classes(xr_page *p, const xr_told_frame *told)
{
    const exray_result *side = told->side;
    uint32_t most = side[0].class_count > side[1].class_count ? side[0].class_count : side[1].class_count;
    if (most == 0)
        return;
    fputs("<div class=\"scroll\"><table class=\"objects\"><thead><tr><th scope=\"col\" "
          "class=\"n\">Place</th><th "
          "scope=\"col\">Edge</th><th scope=\"col\">Reference</th></tr></thead><tbody>\n",
          p->out);
    for (uint32_t i = 0; i < most && i < CLASSES_SHOWN; i++) {
        bool same = i < side[0].class_count && i < side[1].class_count &&
                    side[0].classes[i].id == side[1].classes[i].id &&
                    !xr_names_differ(side[0].classes[i].label, side[1].classes[i].label);
        fputs(same ? "<tr class=\"same\">" : "<tr>", p->out);
        xr_put(p->out, "<td class=\"n\">%u</td>", (unsigned)i + 1);
        put_class_cell(p, EXRAY_SIDE_EDGE, &side[0], i);
        put_class_cell(p, EXRAY_SIDE_REFERENCE, &side[1], i);
        fputs("</tr>\n", p->out);
    }
    fputs("</tbody></table></div>\n", p->out);
}

/* ---- Texts ------------------------------------------------------------------------------------- */

static bool is_inner(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80; /* of a character in UTF-8, but its first byte */
}

/* Bytes at the beginning, and at the end of what is left, that both have. */
static void find_common(const char *a, const char *b, size_t *head, size_t *tail)
{
    size_t sizes[2] = {strlen(a), strlen(b)}, least = sizes[0] < sizes[1] ? sizes[0] : sizes[1];
    for (*head = 0; *head < least && a[*head] == b[*head];)
        ++*head;
    while (*head > 0 && (is_inner(a[*head]) || is_inner(b[*head])))
        --*head;
    for (*tail = 0; *tail < least - *head && a[sizes[0] - *tail - 1] == b[sizes[1] - *tail - 1];)
        ++*tail;
    while (*tail > 0 && is_inner(a[sizes[0] - *tail]))
        --*tail;
}

static void put_part(FILE *out, const char *text, size_t size)
{
    char part[WITHIN + 1];
    size_t kept = size < WITHIN ? size : WITHIN;
    memcpy(part, text, kept);
    part[kept] = '\0';
    xr_put(out, "%s", part);
    if (kept < size)
        fputs("\xE2\x80\xA6", out);
}

/* A text of which all but `head` and `tail` bytes differ from the other one: around the difference alone. */
static void put_text(FILE *out, const char *text, size_t head, size_t tail, bool differs)
{
    size_t size = strlen(text), from = head > BEFORE ? head - BEFORE : 0, end = size - tail;
    while (from < head && is_inner(text[from]))
        from++;
    if (from)
        fputs("\xE2\x80\xA6", out);
    put_part(out, text + from, head - from);
    if (differs && end == head)
        fputs("<mark class=\"gap\" title=\"nothing here\">\xC2\xA0</mark>", out);
    else if (differs) {
        fputs("<mark>", out);
        put_part(out, text + head, end - head);
        fputs("</mark>", out);
    }
    size_t after = tail < AFTER ? tail : AFTER;
    put_part(out, text + end, after);
    if (after < tail)
        fputs("\xE2\x80\xA6", out);
}

static size_t characters(const char *text, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += !is_inner(text[i]);
    return count;
}

static void put_text_row(FILE *out, const char *who, const char *text, size_t head, size_t tail, bool differs)
{
    xr_put(out, "<div><dt>%s</dt><dd>", who);
    if (*text)
        put_text(out, text, head, tail, differs);
    else
        fputs("<span class=\"none\">(no text)</span>", out);
    fputs("</dd></div>\n", out);
}

void xr_put_told_text(xr_page *p, const xr_told_frame *told)
{
    const char *edge = told->side[0].text ? told->side[0].text : "";
    const char *reference = told->side[1].text ? told->side[1].text : "";
    size_t head, tail;
    if (!*edge && !*reference)
        return;
    bool differs = strcmp(edge, reference) != 0;
    find_common(edge, reference, &head, &tail);
    if (differs)
        xr_put(p->out, "<p>The texts differ from character %zu on.</p>\n", characters(edge, head) + 1);
    else
        fputs("<p>Both texts are equal.</p>\n", p->out);
    fputs("<dl class=\"texts\">\n", p->out);
    put_text_row(p->out, "edge", edge, head, tail, differs);
    put_text_row(p->out, "reference", reference, head, tail, differs);
    if (told->has_truth && told->truth.text && *told->truth.text)
        xr_put(p->out, "<div><dt>truth</dt><dd>%s</dd></div>\n", told->truth.text);
    fputs("</dl>\n", p->out);
}

/* ---- Vectors ---------------------------------------------------------------------------------- */

static void put_values(xr_page *p, const exray_result *r, uint32_t i)
{
    const exray_vector *v = i < r->vector_count ? &r->vectors[i] : NULL;
    xr_number_text n;
    fputs("<td>", p->out);
    for (uint32_t k = 0; v && k < v->count && k < VALUES_SHOWN; k++)
        xr_put(p->out, k ? ", %s" : "%s", xr_number(n, (double)v->values[k]));
    if (!v)
        fputs("\xE2\x80\x93", p->out);
    else if (v->count > VALUES_SHOWN)
        xr_put(p->out, ", \xE2\x80\xA6 <span class=\"id\">%u numbers</span>", (unsigned)v->count);
    fputs("</td>", p->out);
}

static void put_vector_row(xr_page *p, const xr_told_frame *told, uint32_t i)
{
    const exray_result *side = told->side;
    bool both = i < side[0].vector_count && i < side[1].vector_count;
    double cosine = both ? xr_vectors_cosine(&side[0].vectors[i], &side[1].vectors[i]) : NAN;
    const exray_vector *named = i < side[1].vector_count ? &side[1].vectors[i] : &side[0].vectors[i];
    fputs(cosine >= 0.99999 ? "<tr class=\"same\">" : "<tr>", p->out);
    xr_put(p->out, "<th scope=\"row\">%s</th>", named->name && *named->name ? named->name : "numbers");
    put_values(p, &side[0], i);
    put_values(p, &side[1], i);
    if (isnan(cosine))
        fputs("<td class=\"n\">\xE2\x80\x93</td></tr>\n", p->out);
    else
        xr_put(p->out, "<td class=\"n\">%.5f</td></tr>\n", cosine);
}

void xr_put_told_vectors(xr_page *p, const xr_told_frame *told)
{
    const exray_result *side = told->side;
    uint32_t most = side[0].vector_count > side[1].vector_count ? side[0].vector_count : side[1].vector_count;
    if (most == 0)
        return;
    fputs("<div class=\"scroll\"><table class=\"objects\"><thead><tr><th scope=\"col\">Name</th><th "
          "scope=\"col\">Edge</th><th scope=\"col\">Reference</th><th scope=\"col\" class=\"n\" title=\"1 is "
          "equal up "
          "to a factor\">Cosine</th></tr></thead><tbody>\n",
          p->out);
    for (uint32_t i = 0; i < most && i < VECTORS_SHOWN; i++)
        put_vector_row(p, told, i);
    fputs("</tbody></table></div>\n", p->out);
    if (most > VECTORS_SHOWN)
        xr_put(p->out, "<p class=\"legend\">And %u more.</p>\n", (unsigned)(most - VECTORS_SHOWN));
}
