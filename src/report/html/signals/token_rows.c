#include "report/html/signals/token_rows.h"

enum { TOKENS_MOST = 96, BEFORE = 24 };

/* The first place that differs; `count` of the shorter one: none up to there. */
static uint64_t first_difference(const xr_signal sides[2])
{
    uint64_t i = 0;
    while (i < sides[0].count && i < sides[1].count && sides[0].values[i] == sides[1].values[i])
        i++;
    return i;
}

/* Behind the last id that is not the padding's: the ids after it are all alike. */
static uint64_t end_of_text(const xr_signal *s)
{
    uint64_t end = s->count;
    while (end > 1 && s->values[end - 1] == s->values[end - 2])
        end--;
    return end;
}

static void put_token(xr_page *p, const xr_token_names *names, double id, bool differs)
{
    char word[XR_TOKEN_WORD];
    bool known = id >= 0 && id < 1e15 && xr_token_word(names, (int64_t)id, word);
    fputs(differs ? "<mark class=\"token\">" : "<span class=\"token\">", p->out);
    if (known)
        xr_put(p->out, "%s <span class=\"id\">%.0f</span>", *word ? word : "\xE2\x90\xA3", id);
    else
        xr_put(p->out, "%.0f", id);
    fputs(differs ? "</mark> " : "</span> ", p->out);
}

static void put_row(xr_page *p, const char *who, exray_side side, const xr_signal sides[2], uint64_t from,
                    uint64_t to)
{
    const xr_signal *s = &sides[side], *other = &sides[1 - side];
    uint64_t end = to < s->count ? to : s->count;
    xr_put(p->out, "<p class=\"tokens\"><b>%s</b> ", who);
    if (from)
        fputs("\xE2\x80\xA6 ", p->out);
    for (uint64_t i = from; i < end; i++)
        put_token(p, &p->tokens[side], (double)s->values[i],
                  other->count && (i >= other->count || s->values[i] != other->values[i]));
    if (end < s->count)
        xr_put(p->out, "and %llu more", (unsigned long long)(s->count - end));
    fputs("</p>\n", p->out);
}

static void read_names(xr_page *p)
{
    for (int s = 0; s < 2 && !p->tokens_read; s++)
        xr_token_names_read(p->comparison, (exray_side)s, &p->tokens[s]);
    p->tokens_read = true;
}

void xr_put_token_rows(xr_page *p, const char *input, const xr_signal sides[2])
{
    read_names(p);
    bool both = sides[0].count && sides[1].count;
    uint64_t first = both ? first_difference(sides) : 0,
             ends[2] = {end_of_text(&sides[0]), end_of_text(&sides[1])};
    uint64_t end = ends[0] > ends[1] ? ends[0] : ends[1],
             longest = sides[0].count > sides[1].count ? sides[0].count : sides[1].count;
    bool differ = both && first < longest;
    first = differ ? first : 0;
    uint64_t from = first > TOKENS_MOST - BEFORE ? first - BEFORE : 0;
    end = end + 2 < from + TOKENS_MOST ? end + 2 : from + TOKENS_MOST;
    xr_put(p->out, "<p class=\"label\">Input <code>%s</code>", input);
    if (differ)
        xr_put(p->out, ": the first difference is at place %llu, counted from 0", (unsigned long long)first);
    else if (both)
        fputs(": equal", p->out);
    fputs(".</p>\n", p->out);
    for (int s = 0; s < (both && !differ ? 1 : 2); s++)
        if (sides[s].count)
            put_row(p, both && !differ ? "both" : xr_side_name((exray_side)s), (exray_side)s, sides, from,
                    end > first ? end : first + 2);
}
