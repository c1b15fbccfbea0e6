/* What the causes mean: the part of exray's own documentation (docs/causes-*.md) that is about those that
 * were found. */
#include "report/html/text/html_causes.h"

#include "report/html/text/html_markdown.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* docs/causes-*.md, embedded by cmake/embed.cmake. */
#define XR_CAUSES(X) X(input) X(layer) X(output) X(perf) X(log)
#define DECLARE(name)                                                                                        \
    extern const unsigned char xr_causes_##name[];                                                           \
    extern const size_t xr_causes_##name##_size;
XR_CAUSES(DECLARE)

typedef struct document {
    const unsigned char *text;
    const size_t *size;
} document;
#define ROW(name) {xr_causes_##name, &xr_causes_##name##_size},
static const document documents[] = {XR_CAUSES(ROW)};

enum { SECTIONS_MOST = 64 };

/* A section: its heading ("input.rotation, input.flip"), and the text below it. */
typedef struct section {
    const char *heading, *body;
    size_t heading_size, body_size;
} section;

/* ---- Finding one -------------------------------------------------------------------------- */

static const char *line_end(const char *at, const char *end)
{
    const char *found = memchr(at, '\n', (size_t)(end - at));
    return found ? found : end;
}

/* Whether a heading is about the cause: one of the names between its commas. */
static bool is_about(const section *s, const char *cause)
{
    const char *at = s->heading, *end = at + s->heading_size;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;
        while (at < stop && *at == ' ')
            at++;
        if ((size_t)(stop - at) == strlen(cause) && strncmp(at, cause, strlen(cause)) == 0)
            return true;
        at = stop + 1;
    }
    return false;
}

/* The section that begins at or after *at; false: there is none. */
static bool next_section(const char **at, const char *end, section *out)
{
    while (*at < end && **at != '#') {
        const char *stop = line_end(*at, end);
        *at = stop < end ? stop + 1 : end;
    }
    if (*at >= end)
        return false;
    const char *stop = line_end(*at, end);
    while (*at < stop && (**at == '#' || **at == ' '))
        ++*at;
    out->heading = *at;
    out->heading_size = (size_t)(stop - *at);
    out->body = stop < end ? stop + 1 : end;
    for (*at = out->body; *at < end && **at != '#';) {
        stop = line_end(*at, end);
        *at = stop < end ? stop + 1 : end;
    }
    out->body_size = (size_t)(*at - out->body);
    return true;
}

static bool find_section(const char *cause, section *out)
{
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        const char *at = (const char *)documents[i].text, *end = at + *documents[i].size;
        while (next_section(&at, end, out))
            if (is_about(out, cause))
                return true;
    }
    return false;
}

/* The page's id of a section: "cause-input-rotation". */
static void make_id(const section *s, xr_cause_id id)
{
    size_t used = 6;
    memcpy(id, "cause-", used);
    for (size_t i = 0; i < s->heading_size && s->heading[i] != ',' && used + 1 < sizeof(xr_cause_id); i++)
        id[used++] = (char)(isalnum((unsigned char)s->heading[i]) ? s->heading[i] : '-');
    id[used] = '\0';
}

bool xr_cause_is_explained(const char *cause, xr_cause_id id)
{
    section s;
    if (!find_section(cause, &s))
        return false;
    make_id(&s, id);
    return true;
}

/* ---- On the page ------------------------------------------------------------------------------ */

void xr_put_cause(FILE *out, const char *cause)
{
    xr_cause_id id;
    if (xr_cause_is_explained(cause, id))
        xr_put(out, "<a class=\"meaning\" href=\"#%s\" title=\"What this cause means\"><code>%s</code></a>",
               id, cause);
    else
        xr_put(out, "<code>%s</code>", cause);
}

typedef struct section_list {
    section all[SECTIONS_MOST];
    size_t count;
} section_list;

static void collect(section_list *list, const char *cause)
{
    section s;
    if (list->count == SECTIONS_MOST || !find_section(cause, &s))
        return;
    for (size_t i = 0; i < list->count; i++)
        if (list->all[i].body == s.body)
            return;
    list->all[list->count++] = s;
}

static void put_section(xr_page *p, const section *s)
{
    xr_cause_id id;
    char heading[160];
    make_id(s, id);
    snprintf(heading, sizeof heading, "%.*s", (int)(s->heading_size < 159 ? s->heading_size : 159),
             s->heading);
    xr_put(p->out, "<article class=\"meant\" id=\"%s\"><h3><code>%s</code></h3>\n", id, heading);
    xr_put_markdown(p->out, s->body, s->body_size);
    fputs("</article>\n", p->out);
}

void xr_html_causes(xr_page *p)
{
    const xr_outcome *o = p->report->outcome;
    section_list list = {.count = 0};
    for (size_t i = 0; i < o->shown_count; i++)
        collect(&list, o->shown[i]->cause);
    for (size_t i = 0; i < o->shown_count; i++)
        for (size_t k = 0; k < o->shown[i]->alternative_count; k++)
            collect(&list, o->shown[i]->alternative[k].cause);
    if (list.count == 0)
        return;
    fputs("<section id=\"causes\"><h2>What these causes mean</h2>\n"
          "<p class=\"legend\">From exray's documentation: how a cause is told, and the usual fix.</p>\n",
          p->out);
    for (size_t i = 0; i < list.count; i++)
        put_section(p, &list.all[i]);
    fputs("</section>\n", p->out);
}
