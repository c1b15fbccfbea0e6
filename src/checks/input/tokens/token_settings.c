#include "checks/input/tokens/token_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SETTINGS = 64, MOST_FRONT = 2, MOST_BACK = 1 };

/* Stands for an unknown word until it is seen which id that is. */
#define UNKNOWN (-7)

static const char *const patterns[] = {"[^\\w']+",    "\\W+",       "\\s+",         "[^a-zA-Z0-9']+",
                                       "[^a-zA-Z']+", "[^a-zA-Z]+", "[\\s.,!?;:]+", " +"};

/* The ids of all texts by one setting. */
typedef struct setting_trial {
    int64_t **ids; /* [texts]; NULL: no text */
    uint64_t *count;
} setting_trial;

static void free_trial(setting_trial *t, size_t texts)
{
    for (size_t i = 0; t->ids && i < texts; i++)
        free(t->ids[i]);
    free(t->ids);
    free(t->count);
}

static bool tokenize(const exray_tokenizer *tokenizer, const xr_token_prompt *prompt, int64_t **ids,
                     uint64_t *count)
{
    exray_token_row row;
    exray_error ignored;
    const uint64_t most = 2 * prompt->size + 8; /* a token has a letter; few texts grow in lower case */
    *ids = malloc((size_t)most * sizeof **ids);
    if (!*ids ||
        exray_tokenizer_run(tokenizer, prompt->text, prompt->size, *ids, most, &row, &ignored) != EXRAY_OK)
        return false;
    *count = row.count;
    return true;
}

static bool try_setting(const xr_token_setting *s, const xr_token_names names[2],
                        const xr_token_prompt *prompts, size_t texts, setting_trial *out)
{
    exray_tokenizer_config config = EXRAY_TOKENIZER_CONFIG_INIT;
    exray_error ignored;
    config.kind = s->kind;
    config.keep_case = s->keep_case;
    config.pattern = s->pattern;
    config.vocabulary = names[s->vocabulary].data;
    config.vocabulary_size = names[s->vocabulary].size;
    config.has_special = true;
    config.special = (exray_special_ids){.has_unknown = true, .unknown = UNKNOWN};
    *out = (setting_trial){calloc(texts + 1, sizeof *out->ids), calloc(texts + 1, sizeof *out->count)};
    exray_tokenizer *tokenizer = exray_tokenizer_new(&config, &ignored);
    bool ok = tokenizer && out->ids && out->count;
    for (size_t i = 0; i < texts && ok; i++)
        ok = !prompts[i].text || tokenize(tokenizer, &prompts[i], &out->ids[i], &out->count[i]);
    exray_tokenizer_free(tokenizer);
    return ok;
}

/* Whether ids are those of the text, unknown words one and the same. */
static bool is_same(const int64_t *ids, const int64_t *tokens, size_t count, int64_t *unknown)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == tokens[i])
            continue;
        if (tokens[i] != UNKNOWN || (*unknown != UNKNOWN && *unknown != ids[i]))
            return false;
        *unknown = ids[i];
    }
    return true;
}

/* Whether a side's ids are the text's between `front` and `back` special ones, or a part of them where the
 * row is cut. */
static bool makes(const setting_trial *t, size_t i, const xr_token_text *text, int side, size_t front,
                  size_t back, int64_t *unknown)
{
    size_t length = xr_token_length(text, side), tokens = (size_t)t->count[i];
    const int64_t *ids = xr_token_ids(text, side);
    if (length < front + back)
        return tokens == 0;
    size_t inner = length - front - back;
    if (inner > tokens)
        return false;
    int64_t kept = *unknown;
    if (is_same(ids + front, t->ids[i], inner, unknown))
        return true;
    *unknown = kept;
    return inner < tokens && is_same(ids + front, t->ids[i] + (tokens - inner), inner, unknown);
}

static bool makes_side(const setting_trial *t, const xr_token_texts *texts, int side)
{
    for (size_t front = 0; front <= MOST_FRONT; front++)
        for (size_t back = 0; back <= MOST_BACK; back++) {
            int64_t unknown = UNKNOWN;
            bool ok = true;
            size_t cut = 0, seen = 0;
            for (size_t i = 0; i < texts->count && ok; i++) {
                if (!t->ids[i])
                    continue;
                ok = makes(t, i, &texts->text[i], side, front, back, &unknown);
                cut += xr_token_length(&texts->text[i], side) < t->count[i] + front + back;
                seen++;
            }
            /* Texts that are all cut may be other ones that begin alike. */
            if (ok && seen && (cut < seen || seen == 1))
                return true;
        }
    return false;
}

static size_t list_settings(const xr_token_names names[2], xr_token_setting list[MOST_SETTINGS])
{
    size_t count = 0;
    bool two = names[0].own && names[1].own && names[0].data && names[1].data &&
               (names[0].size != names[1].size || memcmp(names[0].data, names[1].data, names[0].size) != 0);
    for (int v = 1; v >= (two ? 0 : 1); v--)
        for (int keep = 0; keep < 2; keep++) {
            list[count++] = (xr_token_setting){EXRAY_TOKENIZER_WORDPIECE, keep, NULL, v};
            for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++)
                list[count++] = (xr_token_setting){EXRAY_TOKENIZER_WORDS, keep, patterns[p], v};
        }
    return count;
}

static size_t distance(const xr_token_setting *a, const xr_token_setting *b)
{
    bool patterns_differ = a->kind == b->kind && a->pattern != b->pattern;
    return 2 * (a->kind != b->kind) + (a->keep_case != b->keep_case) + patterns_differ +
           (a->vocabulary != b->vocabulary);
}

bool xr_token_settings_find(const xr_token_texts *texts, const xr_token_prompt *prompts,
                            const xr_token_names names[2], xr_token_settings *out)
{
    xr_token_setting list[MOST_SETTINGS];
    bool made[2][MOST_SETTINGS] = {{false}};
    *out = (xr_token_settings){.differences = SIZE_MAX};
    if (!prompts || !names[1].data)
        return false;
    size_t count = list_settings(names, list);
    for (size_t k = 0; k < count; k++) {
        setting_trial t;
        bool ok = try_setting(&list[k], names, prompts, texts->count, &t);
        for (int side = 0; side < 2; side++) {
            made[side][k] = ok && makes_side(&t, texts, side);
            if (made[side][k] && !out->found[side]) {
                out->found[side] = true;
                out->of[side] = list[k];
            }
        }
        free_trial(&t, texts->count);
    }
    for (size_t r = 0; r < count; r++)
        for (size_t e = 0; e < count; e++)
            if (made[0][e] && made[1][r] && distance(&list[e], &list[r]) < out->differences) {
                out->differences = distance(&list[e], &list[r]);
                out->of[0] = list[e];
                out->of[1] = list[r];
            }
    return out->found[0] || out->found[1];
}

void xr_token_setting_show(const xr_token_setting *s, char text[128])
{
    if (s->kind == EXRAY_TOKENIZER_WORDPIECE)
        snprintf(text, 128, "wordpiece, lower_case: %s", s->keep_case ? "false" : "true");
    else
        snprintf(text, 128, "words, lower_case: %s, pattern: %s", s->keep_case ? "false" : "true",
                 s->pattern);
}
