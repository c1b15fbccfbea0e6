#include "checks/input/tokens/token_origin.h"

#include "checks/input/tokens/token_prompts.h"
#include "checks/input/tokens/token_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words that show a rule. */
enum { FEWEST_WORDS = 3, MOST_FRONT = 2 };

/* ---- Tokenized again ------------------------------------------------------------------------------- */

static void say_settings(const xr_token_settings *s, const xr_token_names names[2], exray_finding *f)
{
    const xr_token_setting *edge = &s->of[0], *reference = &s->of[1];
    if (edge->kind != reference->kind) {
        exray_finding_detail(
            f, "Tokenized again, the text in the log gives the edge's ids as %s, the reference's as %s.",
            edge->kind == EXRAY_TOKENIZER_WORDS ? "words" : "word pieces",
            reference->kind == EXRAY_TOKENIZER_WORDS ? "words" : "word pieces");
        exray_finding_text(f, "setting", "tokenizer");
        exray_finding_fix(f, "Use the tokenizer that the model was trained with on both sides.");
    } else if (edge->vocabulary != reference->vocabulary) {
        exray_finding_detail(
            f,
            "Tokenized again, the text in the log gives the edge's ids by the vocabulary %s of %s log, "
            "the reference's by %s of %s.",
            names[edge->vocabulary].name, edge->vocabulary ? "the reference's" : "its own",
            names[reference->vocabulary].name, reference->vocabulary ? "its own" : "the edge's");
        exray_finding_text(f, "setting", "vocabulary");
        exray_finding_fix(f,
                          "Use one vocabulary file on both sides, the one that the model was trained with.");
    } else if (edge->keep_case != reference->keep_case) {
        exray_finding_detail(
            f,
            "Tokenized again, the text in the log gives the edge's ids %s lower case, the reference's "
            "%s (lower_case: %s for %s).",
            edge->keep_case ? "without" : "in", reference->keep_case ? "without" : "in lower case",
            edge->keep_case ? "false" : "true", reference->keep_case ? "false" : "true");
        exray_finding_text(f, "setting", "case");
        exray_finding_fix(f, edge->keep_case
                                 ? "Make the text lower case before it is split on the edge, as the "
                                   "reference does (lower_case: true)."
                                 : "Keep the text's case on the edge, as the reference does "
                                   "(lower_case: false).");
    }
    if (edge->kind == reference->kind && edge->pattern != reference->pattern) {
        exray_finding_detail(
            f,
            "Tokenized again, the text in the log gives the edge's ids split at `%s`, the reference's "
            "at `%s`.",
            edge->pattern, reference->pattern);
        if (edge->keep_case == reference->keep_case && edge->vocabulary == reference->vocabulary) {
            exray_finding_text(f, "setting", "pattern");
            exray_finding_fix(f, "Split the text at `%s` on the edge, as the reference does.",
                              reference->pattern);
        }
    }
}

static bool say_tokenized(const xr_token_texts *texts, const xr_token_prompt *prompts,
                          const xr_token_names names[2], exray_finding *f)
{
    static const char *const keys[] = {"edge_tokenizer", "reference_tokenizer"};
    xr_token_settings s;
    char text[128];
    if (!xr_token_settings_find(texts, prompts, names, &s))
        return false;
    for (int side = 0; side < 2; side++)
        if (s.found[side]) {
            xr_token_setting_show(&s.of[side], text);
            exray_finding_text(f, keys[side], text);
        }
    if (s.found[0] && s.found[1] && s.differences > 0)
        say_settings(&s, names, f);
    else if (s.found[0] && s.found[1])
        exray_finding_detail(
            f, "Tokenized again, the text in the log gives both sides' ids alike: the rows that they "
               "are written into differ, not the tokenizer.");
    else if (s.found[1])
        exray_finding_detail(
            f,
            "Tokenized again, the text in the log gives the reference's ids (%s); no usual setting "
            "gives the edge's.",
            text);
    return s.found[0] && s.found[1] && s.differences > 0;
}

/* ---- Words that became unknown ------------------------------------------------------------------------- */

/* One word of a text, and what of it may keep it from being found. */
typedef struct word {
    bool capital, touches; /* has a capital letter; punctuation stands at it without a blank */
} word;

static bool is_word_byte(unsigned char c)
{
    return isalnum(c) || c == '_' || c == '\'' || c >= 0x80;
}

static bool is_sign(unsigned char c)
{
    return c && !isspace(c) && !is_word_byte(c);
}

/* The words of a text, split as most programs do; list has room for one a byte. */
static size_t split(const xr_token_prompt *p, word *list)
{
    size_t count = 0;
    const unsigned char *text = (const unsigned char *)p->text;
    for (size_t at = 0; at < p->size;) {
        if (!is_word_byte(text[at])) {
            at++;
            continue;
        }
        word w = {.touches = at > 0 && is_sign(text[at - 1])};
        for (; at < p->size && is_word_byte(text[at]); at++)
            w.capital = w.capital || isupper(text[at]);
        w.touches = w.touches || (at < p->size && is_sign(text[at]));
        list[count++] = w;
    }
    return count;
}

/* Over all words: those replaced and kept, by what they have. */
typedef struct word_counts {
    size_t replaced, capital_replaced, capital_kept, touching_replaced, touching_kept;
    bool fits; /* every text has as many words as ids */
} word_counts;

static void count_word(const word *w, bool kept, word_counts *c)
{
    c->replaced += !kept;
    c->capital_replaced += w->capital && !kept;
    c->capital_kept += w->capital && kept;
    c->touching_replaced += w->touches && !kept;
    c->touching_kept += w->touches && kept;
}

/* The words of one text against the reference's ids behind `front` others. */
static bool count_text(const xr_token_texts *texts, const xr_token_story *story, int64_t unknown, size_t i,
                       const xr_token_prompt *p, size_t front, word_counts *c)
{
    const xr_token_text *t = &texts->text[i];
    size_t length = xr_token_length(t, EXRAY_SIDE_REFERENCE);
    word *list = malloc((p->size + 1) * sizeof *list);
    size_t *from = malloc((t->places + 1) * sizeof *from);
    bool *kept = calloc(t->places + 1, sizeof *kept);
    bool ok = list && from && kept;
    size_t words = ok ? split(p, list) : 0;
    ok = ok &&
         (words + front == length || (xr_token_is_full(t, EXRAY_SIDE_REFERENCE) && words + front > length));
    if (ok)
        xr_token_story_align(texts, story, i, from);
    for (size_t k = 0; ok && k < t->places; k++)
        if (from[k] != SIZE_MAX && t->id[0][k] == t->id[1][from[k]])
            kept[from[k]] = true;
    for (size_t w = 0; ok && w < words && w + front < length; w++) {
        size_t at = t->begin[1] + front + w;
        /* What the reference does not know either says nothing. */
        if (t->id[1][at] != unknown || !kept[at])
            count_word(&list[w], kept[at], c);
    }
    free(list);
    free(from);
    free(kept);
    return ok;
}

static bool count_words(const xr_token_texts *texts, const xr_token_story *story,
                        const xr_token_prompt *prompts, int64_t unknown, word_counts *out)
{
    for (size_t front = 0; front <= MOST_FRONT; front++) {
        *out = (word_counts){.fits = true};
        for (size_t i = 0; i < texts->count && out->fits; i++)
            out->fits = !prompts[i].text || count_text(texts, story, unknown, i, &prompts[i], front, out);
        if (out->fits && out->replaced >= FEWEST_WORDS)
            return true;
    }
    return false;
}

static void say_words(const xr_token_texts *texts, const xr_token_story *story,
                      const xr_token_prompt *prompts, exray_finding *f)
{
    word_counts c;
    bool unknown = story->has_edits ? story->edits.kind == XR_TOKEN_EDITS_ONE_EDGE
                                    : story->map.kind == XR_TOKEN_MAP_ONE_EDGE;
    if (!unknown || !count_words(texts, story, prompts,
                                 story->has_edits ? story->edits.id[0] : story->map.first.edge, &c))
        return;
    if (c.capital_replaced == c.replaced && c.capital_kept == 0) {
        exray_finding_detail(
            f,
            "All %zu words of the text with capital letters became unknown, and no others: the text is "
            "not made lower case on the edge.",
            c.replaced);
        exray_finding_text(f, "setting", "case");
        exray_finding_fix(
            f, "Make the text lower case before words are looked up on the edge, as the reference does.");
    } else if (c.touching_replaced == c.replaced && c.touching_kept == 0) {
        exray_finding_detail(
            f,
            "All %zu words of the text that punctuation stands at became unknown, and no others: it is "
            "not parted from words on the edge.",
            c.replaced);
        exray_finding_text(f, "setting", "pattern");
        exray_finding_fix(f, "Part punctuation from words on the edge, as the reference does.");
    }
}

void xr_say_token_origin(const exray_comparison *comparison, const xr_token_texts *texts,
                         const xr_token_story *story, const xr_token_names names[2], exray_finding *finding)
{
    if (story->frame_order || story->stale)
        return;
    xr_token_prompt *prompts = xr_token_prompts_read(comparison, texts);
    if (prompts && !say_tokenized(texts, prompts, names, finding))
        say_words(texts, story, prompts, finding);
    xr_token_prompts_free(prompts, texts);
}
