#include "pipeline/text/parse_text.h"

#include "base/error.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LENGTH = 1 << 20 };

static bool parse_special(xr_parser *p, const xr_yaml *node, const char *where)
{
    enum { PAD, START, END, UNKNOWN };
    static const xr_choice keys[] = {{"pad", PAD}, {"start", START}, {"end", END}, {"unknown", UNKNOWN}};
    exray_special_ids *s = &p->pipeline->text.config.special;
    p->pipeline->text.config.has_special = true;
    if (node->kind != XR_YAML_MAP)
        return xr_parse_fail(p, node->line, where, "needs ids, such as {pad: 0, start: 1, unknown: 2}");
    for (const xr_yaml *child = node->first; child; child = child->next) {
        int key;
        int64_t id;
        if (!xr_parse_find(child->key, keys, XR_COUNT(keys), &key))
            return xr_parse_fail_unknown(p, child->key_line, where, "key", child->key, keys, XR_COUNT(keys));
        if (!xr_parse_need_scalar(p, child, where))
            return false;
        if (!xr_parse_integer(child->text, -1000000000, 1000000000, &id))
            return xr_parse_fail_value(p, child->line, where, child->text, "an id, a whole number");
        bool *has[] = {&s->has_pad, &s->has_start, &s->has_end, &s->has_unknown};
        int64_t *to[] = {&s->pad, &s->start, &s->end, &s->unknown};
        *has[key] = true;
        *to[key] = id;
    }
    return true;
}

static bool keep_text(xr_parser *p, const xr_yaml *node, const char *where, char **out)
{
    free(*out);
    *out = xr_parse_resolve("", node->text);
    return *out || xr_parse_fail(p, node->line, where, "out of memory");
}

static bool parse_vocabulary(xr_parser *p, const xr_yaml *node, const char *where)
{
    xr_text_source *t = &p->pipeline->text;
    if (!*node->text)
        return xr_parse_fail(p, node->line, where, "needs the path of a file");
    t->vocabulary_line = node->line;
    t->vocabulary = xr_parse_resolve(p->pipeline->name, node->text);
    return t->vocabulary || xr_parse_fail(p, node->line, where, "out of memory");
}

static bool parse_pattern(xr_parser *p, const xr_yaml *node, const char *where)
{
    exray_tokenizer_config only = EXRAY_TOKENIZER_CONFIG_INIT;
    exray_error error = {EXRAY_OK, ""};
    only.vocabulary = "a";
    only.vocabulary_size = 1;
    only.pattern = node->text;
    exray_tokenizer *tokenizer = exray_tokenizer_new(&only, &error);
    exray_tokenizer_free(tokenizer);
    if (!tokenizer) {
        const char *why = strncmp(error.message, "pattern: ", 9) == 0 ? error.message + 9 : error.message;
        return xr_parse_fail(p, node->line, where, why);
    }
    return keep_text(p, node, where, &p->pipeline->text.pattern);
}

static bool parse_key(xr_parser *p, const xr_yaml *child, int key, const char *where)
{
    static const xr_choice kinds[] = {{"words", EXRAY_TOKENIZER_WORDS},
                                      {"wordpiece", EXRAY_TOKENIZER_WORDPIECE},
                                      {"bytes", EXRAY_TOKENIZER_BYTES}};
    static const xr_choice truths[] = {{"true", 1}, {"false", 0}};
    static const xr_choice sides[] = {{"right", 0}, {"left", 1}};
    static const xr_choice truncations[] = {{"right", EXRAY_TRUNCATION_RIGHT},
                                            {"left", EXRAY_TRUNCATION_LEFT},
                                            {"middle", EXRAY_TRUNCATION_MIDDLE}};
    exray_tokenizer_config *c = &p->pipeline->text.config;
    int value = 0;
    int64_t number;
    bool ok = true;
    switch (key) {
    case 0:
        ok = xr_parse_choose(p, child, where, "tokenizer", kinds, XR_COUNT(kinds), &value);
        c->kind = (exray_tokenizer_kind)value;
        return ok;
    case 1:
        return parse_vocabulary(p, child, where);
    case 2:
        ok = xr_parse_choose(p, child, where, "value", truths, XR_COUNT(truths), &value);
        c->keep_case = !value;
        return ok;
    case 3:
        return parse_pattern(p, child, where);
    case 4:
        if (!xr_parse_integer(child->text, 1, MOST_LENGTH, &number))
            return xr_parse_fail_value(p, child->line, where, child->text, "a number of ids, 1 to 1048576");
        c->length = (uint64_t)number;
        return true;
    case 5:
        ok = xr_parse_choose(p, child, where, "side", sides, XR_COUNT(sides), &value);
        c->pad_left = value;
        return ok;
    default:
        ok = xr_parse_choose(p, child, where, "side", truncations, XR_COUNT(truncations), &value);
        c->truncation = (exray_truncation)value;
        return ok;
    }
}

/* What only all keys together tell. */
static bool check(xr_parser *p, unsigned line)
{
    const xr_text_source *t = &p->pipeline->text;
    bool bytes = t->config.kind == EXRAY_TOKENIZER_BYTES;
    if (!bytes && !t->vocabulary)
        return xr_parse_fail(p, line, "text",
                             "the tokenizer has no vocabulary; name the one that the model was trained with: "
                             "'vocabulary: FILE', one token a line");
    if (bytes && t->vocabulary)
        return xr_parse_fail(p, t->vocabulary_line, "text.vocabulary", "the tokenizer bytes has none");
    if (!bytes && t->config.truncation == EXRAY_TRUNCATION_MIDDLE)
        return xr_parse_fail(p, line, "text.truncate", "middle is for the tokenizer bytes alone");
    if (t->pattern && t->config.kind != EXRAY_TOKENIZER_WORDS)
        return xr_parse_fail(p, line, "text.pattern", "is for the tokenizer words alone");
    return true;
}

bool xr_parse_text(xr_parser *p, const xr_yaml *node)
{
    static const xr_choice keys[] = {{"tokenizer", 0}, {"vocabulary", 1}, {"lower_case", 2}, {"pattern", 3},
                                     {"length", 4},    {"pad", 5},        {"truncate", 6},   {"special", 7}};
    xr_text_source *t = &p->pipeline->text;
    t->config = (exray_tokenizer_config)EXRAY_TOKENIZER_CONFIG_INIT;
    t->line = node->line;
    if (node->kind != XR_YAML_MAP)
        return xr_parse_fail(p, node->line, "text", "needs keys below it, such as 'tokenizer: words'");
    for (const xr_yaml *child = node->first; child; child = child->next) {
        int key;
        char where[64];
        if (!xr_parse_find(child->key, keys, XR_COUNT(keys), &key))
            return xr_parse_fail_unknown(p, child->key_line, "text", "key", child->key, keys, XR_COUNT(keys));
        snprintf(where, sizeof where, "text.%s", child->key);
        if (key == 7 ? !parse_special(p, child, where)
                     : !xr_parse_need_scalar(p, child, where) || !parse_key(p, child, key, where))
            return false;
    }
    return check(p, node->line);
}

exray_status xr_text_open(xr_pipeline *pipeline, exray_error *error)
{
    xr_text_source *t = &pipeline->text;
    exray_error why = {EXRAY_OK, ""};
    if (!t->line)
        return EXRAY_OK;
    exray_tokenizer_config config = t->config;
    if (t->vocabulary) {
        t->file = xr_file_read(t->vocabulary, XR_LIMIT_TEXT, &t->file_size, &why);
        if (!t->file)
            return xr_error_set(error, why.status, "%s:%u: text.vocabulary: %.300s", pipeline->name,
                                t->vocabulary_line, why.message);
        config.vocabulary = t->file;
        config.vocabulary_size = t->file_size;
        config.vocabulary_name = t->vocabulary;
    }
    config.pattern = t->pattern;
    t->tokenizer = exray_tokenizer_new(&config, &why);
    return t->tokenizer
               ? EXRAY_OK
               : xr_error_set(error, why.status, "%s:%u: text: %.300s", pipeline->name, t->line, why.message);
}
