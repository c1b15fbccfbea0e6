/* From a pattern's text to its program.  Each construct is compiled where it stands; one that is repeated is
 * compiled again from its text. */
#include "media/text/pattern_program.h"

#include "base/error.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 32, MOST_REPEATS = 255, MOST_WORK = 1 << 17 };

typedef struct parser {
    xr_pattern *pattern;
    const char *text;
    size_t size, at;
    unsigned depth, work; /* atoms that were compiled, again ones too */
    exray_error *error;
} parser;

static bool fail(parser *p, const char *what)
{
    xr_error_set(p->error, EXRAY_E_FORMAT, "pattern: %s, at character %zu", what, p->at + 1);
    return false;
}

static uint32_t add(parser *p, xr_pattern_step step)
{
    if (p->pattern->count < XR_PATTERN_STEPS)
        p->pattern->step[p->pattern->count] = step;
    return p->pattern->count++;
}

static bool has_room(parser *p)
{
    return p->pattern->count < XR_PATTERN_STEPS ||
           fail(p, "it is too long (its repetitions are written out)");
}

static bool add_item(parser *p, xr_pattern_item item)
{
    if (p->pattern->item_count == XR_PATTERN_ITEMS)
        return fail(p, "it has too many characters and classes");
    p->pattern->item[p->pattern->item_count++] = item;
    return true;
}

static uint32_t next_code(parser *p)
{
    uint32_t code = 0xFFFD;
    size_t n = xr_utf8_decode(p->text + p->at, p->size - p->at, &code);
    p->at += n ? n : 1;
    return code;
}

/* Behind a backslash: an item. */
static bool parse_escape(parser *p, xr_pattern_item *item)
{
    static const char letters[] = "ntrfv", meant[] = "\n\t\r\f\v";
    if (p->at == p->size)
        return fail(p, "a backslash stands at its end");
    char c = p->text[p->at];
    if (strchr("wWdDsS", c)) {
        *item = (xr_pattern_item){.set = c};
        p->at++;
        return true;
    }
    const char *letter = strchr(letters, c);
    if (!letter && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
        return fail(p, "of escapes with letters and digits it may have \\w \\d \\s \\W \\D \\S \\n \\t \\r "
                       "\\f \\v alone");
    uint32_t code = letter ? (uint32_t)meant[letter - letters] : next_code(p);
    p->at += letter != NULL;
    *item = (xr_pattern_item){code, code, 0};
    return true;
}

static bool parse_item(parser *p, xr_pattern_item *item)
{
    if (p->text[p->at] == '\\') {
        p->at++;
        return parse_escape(p, item);
    }
    uint32_t code = next_code(p);
    *item = (xr_pattern_item){code, code, 0};
    return true;
}

/* Behind "[". */
static bool parse_class(parser *p)
{
    xr_pattern_step step = {.op = XR_PATTERN_CLASS, .first_item = p->pattern->item_count};
    if (p->at < p->size && p->text[p->at] == '^') {
        step.negated = true;
        p->at++;
    }
    for (bool first = true; p->at < p->size && (first || p->text[p->at] != ']'); first = false) {
        xr_pattern_item item, last;
        if (!parse_item(p, &item))
            return false;
        bool range = p->at + 1 < p->size && p->text[p->at] == '-' && p->text[p->at + 1] != ']';
        if (range) {
            p->at++;
            if (!parse_item(p, &last))
                return false;
            if (item.set || last.set || last.last < item.first)
                return fail(p, "a range in brackets does not go up");
            item.last = last.last;
        }
        if (!add_item(p, item))
            return false;
        step.item_count++;
    }
    if (p->at == p->size)
        return fail(p, "a bracket is not closed");
    p->at++;
    add(p, step);
    return true;
}

static bool parse_alternatives(parser *p);

/* Behind "(". */
static bool parse_group(parser *p)
{
    if (p->size - p->at < 2 || p->text[p->at] != '?' || p->text[p->at + 1] != ':')
        return fail(p, "groups are written (?:...)");
    p->at += 2;
    if (++p->depth > MOST_DEPTH)
        return fail(p, "its groups are nested too deeply");
    if (!parse_alternatives(p))
        return false;
    p->depth--;
    if (p->at == p->size)
        return fail(p, "a group is not closed");
    p->at++;
    return true;
}

static bool parse_atom(parser *p)
{
    char c = p->text[p->at];
    if (++p->work > MOST_WORK)
        return fail(p, "it is too complex");
    if (strchr("*+?{", c))
        return fail(p, "nothing stands before a repetition");
    if (c == '^' || c == '$')
        return fail(p, "it may not have ^ or $ (outside of brackets)");
    if (c == '[' || c == '(' || c == '.') {
        p->at++;
        if (c == '.')
            add(p, (xr_pattern_step){.op = XR_PATTERN_ANY});
        return c == '[' ? parse_class(p) : c == '(' ? parse_group(p) : true;
    }
    xr_pattern_item item;
    xr_pattern_step step = {.op = XR_PATTERN_CLASS, .first_item = p->pattern->item_count, .item_count = 1};
    if (!parse_item(p, &item) || !add_item(p, item))
        return false;
    add(p, step);
    return true;
}

/* A number of at most MOST_REPEATS; -1: none. */
static int parse_number(parser *p)
{
    int value = -1;
    while (p->at < p->size && p->text[p->at] >= '0' && p->text[p->at] <= '9') {
        value = (value < 0 ? 0 : value) * 10 + (p->text[p->at++] - '0');
        if (value > MOST_REPEATS)
            return MOST_REPEATS + 1;
    }
    return value;
}

/* What stands behind an atom: at least, at most (-1: any number). */
static bool parse_repeat(parser *p, int *least, int *most, bool *lazy)
{
    *least = *most = 1;
    *lazy = false;
    if (p->at == p->size || !strchr("*+?{", p->text[p->at]))
        return true;
    char c = p->text[p->at++];
    *least = c == '+';
    *most = c == '?' ? 1 : -1;
    if (c == '{') {
        *least = parse_number(p);
        *most = *least;
        if (p->at < p->size && p->text[p->at] == ',') {
            p->at++;
            *most = parse_number(p);
        }
        if (p->at == p->size || p->text[p->at] != '}' || *least < 0 || *least > MOST_REPEATS ||
            *most > MOST_REPEATS || (*most >= 0 && *most < *least))
            return fail(p, "a repetition is written {m}, {m,} or {m,n}, of at most 255");
        p->at++;
    }
    if (p->at < p->size && p->text[p->at] == '?') {
        *lazy = true;
        p->at++;
    }
    if (p->at < p->size && strchr("*+{", p->text[p->at]))
        return fail(p, "a repetition is repeated");
    return true;
}

static uint32_t add_split(parser *p)
{
    return add(p, (xr_pattern_step){.op = XR_PATTERN_SPLIT});
}

/* The preferred way first. */
static void set_split(parser *p, uint32_t at, uint32_t into, uint32_t behind, bool lazy)
{
    if (at >= XR_PATTERN_STEPS)
        return;
    p->pattern->step[at].to = lazy ? behind : into;
    p->pattern->step[at].other = lazy ? into : behind;
}

/* Compiles the atom at `begin` again. */
static bool again(parser *p, size_t begin)
{
    size_t behind = p->at;
    p->at = begin;
    bool ok = has_room(p) && parse_atom(p);
    p->at = behind;
    return ok && has_room(p);
}

static bool parse_piece(parser *p)
{
    size_t begin = p->at;
    uint32_t start = p->pattern->count, items = p->pattern->item_count;
    int least, most;
    bool lazy;
    if (!parse_atom(p) || !parse_repeat(p, &least, &most, &lazy) || !has_room(p))
        return false;
    if (least == 1 && most == 1)
        return true;
    p->pattern->count = start;
    p->pattern->item_count = items;
    for (int i = 0; i < least; i++)
        if (!again(p, begin))
            return false;
    if (most < 0) {
        uint32_t split = add_split(p);
        if (!again(p, begin))
            return false;
        add(p, (xr_pattern_step){.op = XR_PATTERN_JUMP, .to = split});
        set_split(p, split, split + 1, p->pattern->count, lazy);
        return has_room(p);
    }
    uint32_t splits[MOST_REPEATS], count = 0;
    for (int i = least; i < most; i++) {
        splits[count++] = add_split(p);
        if (!again(p, begin))
            return false;
    }
    for (uint32_t i = 0; i < count; i++)
        set_split(p, splits[i], splits[i] + 1, p->pattern->count, lazy);
    return true;
}

static bool parse_sequence(parser *p)
{
    while (p->at < p->size && p->text[p->at] != '|' && p->text[p->at] != ')')
        if (!parse_piece(p))
            return false;
    return true;
}

/* a|b|c: split to a and the rest; jumps behind all of them are set at the end. */
static bool parse_alternatives(parser *p)
{
    uint32_t jumps[64], count = 0;
    for (;;) {
        size_t begin = p->at;
        uint32_t start = p->pattern->count, items = p->pattern->item_count;
        if (!parse_sequence(p))
            return false;
        if (p->at == p->size || p->text[p->at] != '|')
            break;
        /* There is another one: this one stands behind a split. */
        size_t behind = p->at;
        p->pattern->count = start;
        p->pattern->item_count = items;
        p->at = begin;
        uint32_t split = add_split(p);
        if (count == 64 || !has_room(p) || !parse_sequence(p))
            return count == 64 ? fail(p, "it has too many alternatives") : false;
        p->at = behind + 1;
        jumps[count++] = add(p, (xr_pattern_step){.op = XR_PATTERN_JUMP});
        if (!has_room(p))
            return false;
        set_split(p, split, split + 1, p->pattern->count, false);
    }
    for (uint32_t i = 0; i < count; i++)
        p->pattern->step[jumps[i]].to = p->pattern->count;
    return true;
}

/* Whether nothing at all is a match. */
static bool matches_nothing(const xr_pattern *pattern, uint32_t at, bool *seen)
{
    while (!seen[at]) {
        const xr_pattern_step *step = &pattern->step[at];
        seen[at] = true;
        if (step->op == XR_PATTERN_MATCH)
            return true;
        if (step->op != XR_PATTERN_JUMP && step->op != XR_PATTERN_SPLIT)
            return false;
        if (step->op == XR_PATTERN_SPLIT && matches_nothing(pattern, step->other, seen))
            return true;
        at = step->to;
    }
    return false;
}

xr_pattern *xr_pattern_new(const char *text, exray_error *error)
{
    xr_pattern *pattern = calloc(1, sizeof *pattern);
    if (!pattern) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a pattern");
        return NULL;
    }
    parser p = {.pattern = pattern, .text = text, .size = strlen(text), .error = error};
    bool ok = parse_alternatives(&p);
    if (ok && p.at < p.size)
        ok = fail(&p, "a group is closed that was not opened");
    add(&p, (xr_pattern_step){.op = XR_PATTERN_MATCH});
    ok = ok && (pattern->count <= XR_PATTERN_STEPS || fail(&p, "it is too long"));
    bool seen[XR_PATTERN_STEPS] = {false};
    if (ok && matches_nothing(pattern, 0, seen))
        ok = fail(&p, "it may match nothing, and would part all letters; say + for *");
    if (ok)
        return pattern;
    free(pattern);
    return NULL;
}

void xr_pattern_free(xr_pattern *pattern)
{
    free(pattern);
}
