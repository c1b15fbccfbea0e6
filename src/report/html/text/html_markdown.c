#include "report/html/text/html_markdown.h"

#include "report/html/text/html_text.h"

#include <stdbool.h>
#include <string.h>

enum { BLOCK_MOST = 4096 /* bytes of a paragraph; longer ones are cut */, LINE_MOST = 1024 };

typedef enum block_kind { NOTHING, PARAGRAPH, ITEM, CODE } block_kind;

typedef struct writer {
    FILE *out;
    block_kind kind;
    bool in_list, in_table;
    char text[BLOCK_MOST];
    size_t used;
} writer;

/* ---- Within a paragraph ------------------------------------------------------------------- */

static void put_character(FILE *out, char c)
{
    const char *escaped = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : NULL;
    if (escaped)
        fputs(escaped, out);
    else
        fputc(c, out);
}

static void put_range(FILE *out, const char *from, const char *to)
{
    while (from < to)
        put_character(out, *from++);
}

/* What is between `mark` and the next `mark`, as an element; NULL: there is no next one. */
static const char *put_marked(FILE *out, const char *at, const char *mark, const char *element)
{
    const char *from = at + strlen(mark), *to = strstr(from, mark);
    if (!to || to == from)
        return NULL;
    fprintf(out, "<%s>", element);
    put_range(out, from, to);
    fprintf(out, "</%s>", element);
    return to + strlen(mark);
}

/* "[words](target)": the words; NULL: it is no link. */
static const char *put_link(FILE *out, const char *at)
{
    const char *close = strstr(at, "]("), *end = close ? strchr(close, ')') : NULL,
               *open = strchr(at + 1, '[');
    if (!end || (open && open < close))
        return NULL;
    put_range(out, at + 1, close);
    return end + 1;
}

static void put_inline(FILE *out, const char *at)
{
    while (*at) {
        const char *next = NULL;
        if (*at == '`')
            next = put_marked(out, at, "`", "code");
        else if (strncmp(at, "**", 2) == 0)
            next = put_marked(out, at, "**", "b");
        else if (*at == '*' && at[1] != ' ')
            next = put_marked(out, at, "*", "em");
        else if (*at == '[')
            next = put_link(out, at);
        if (!next)
            put_character(out, *at);
        at = next ? next : at + 1;
    }
}

/* ---- Blocks ------------------------------------------------------------------------------------ */

static void end_list(writer *w)
{
    if (w->in_list)
        fputs("</ul>\n", w->out);
    w->in_list = false;
}

static void end_block(writer *w)
{
    static const char *const elements[] = {"", "p", "li", "pre"};
    const char *element = elements[w->kind];
    if (w->kind == NOTHING)
        return;
    if (w->kind != ITEM)
        end_list(w);
    else if (!w->in_list)
        fputs("<ul>\n", w->out);
    w->in_list = w->kind == ITEM;
    fprintf(w->out, "<%s>", element);
    if (w->kind == CODE)
        put_range(w->out, w->text, w->text + w->used);
    else
        put_inline(w->out, w->text);
    fprintf(w->out, "</%s>\n", element);
    w->kind = NOTHING;
    w->used = 0;
    w->text[0] = '\0';
}

static void add(writer *w, const char *line, size_t length, char between)
{
    if (w->used + length + 2 > BLOCK_MOST)
        return;
    if (w->used)
        w->text[w->used++] = between;
    memcpy(w->text + w->used, line, length);
    w->used += length;
    w->text[w->used] = '\0';
}

/* "| a | b |": a row; of the first one cells are headings.  "|---|---|" is none. */
static void put_row(writer *w, char *line)
{
    bool first = !w->in_table;
    if (strspn(line, "|-: ") == strlen(line))
        return;
    fputs(first ? "<div class=\"scroll\"><table>\n<tr>" : "<tr>", w->out);
    w->in_table = true;
    for (char *cell = line + 1, *bar; (bar = strchr(cell, '|')) != NULL; cell = bar + 1) {
        *bar = '\0';
        fputs(first ? "<th>" : "<td>", w->out);
        put_inline(w->out, cell + strspn(cell, " "));
        fputs(first ? "</th>" : "</td>", w->out);
    }
    fputs("</tr>\n", w->out);
}

static void end_table(writer *w)
{
    if (w->in_table)
        fputs("</table></div>\n", w->out);
    w->in_table = false;
}

static void take_line(writer *w, char *line, size_t length)
{
    size_t indent = strspn(line, " ");
    bool row = line[0] == '|';
    if (!row)
        end_table(w);
    if (length == 0 || row || strncmp(line, "![", 2) == 0) {
        end_block(w);
        end_list(w);
        if (row)
            put_row(w, line);
        return;
    }
    if (length > 2 && strncmp(line, "- ", 2) == 0) {
        end_block(w);
        w->kind = ITEM;
        add(w, line + 2, length - 2, ' ');
    } else if (indent >= 4 && (w->kind == NOTHING || w->kind == CODE) && length > 4) {
        w->kind = CODE;
        add(w, line + 4, length - 4, '\n');
    } else {
        if (w->kind == CODE)
            end_block(w);
        if (w->kind == NOTHING)
            w->kind = PARAGRAPH;
        if (indent < length)
            add(w, line + indent, length - indent, ' ');
    }
}

void xr_put_markdown(FILE *out, const char *text, size_t size)
{
    writer w = {.out = out, .kind = NOTHING};
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        char line[LINE_MOST];
        size_t kept = length < sizeof line ? length : sizeof line - 1;
        memcpy(line, text + at, kept);
        line[kept] = '\0';
        take_line(&w, line, kept);
        at += length + 1;
    }
    end_block(&w);
    end_table(&w);
    end_list(&w);
}
