#include "media/text/tokenizer.h"

#include "base/error.h"
#include "base/utf8.h"
#include "core/sized.h"
#include "media/text/byte_rows.h"
#include "media/text/word_split.h"
#include "media/text/wordpiece.h"

#include <stdlib.h>
#include <string.h>

/* Ids of a row. */
#define MOST_LENGTH ((uint64_t)1 << 22)

/* ---- Making one ------------------------------------------------------------------------------------- */

static bool id_of(const exray_tokenizer *t, const char *token, int64_t *id)
{
    const xr_vocabulary_entry *e = xr_vocabulary_find(&t->vocabulary, token, strlen(token));
    *id = e ? e->id : 0;
    return e != NULL;
}

static void set_special(exray_tokenizer *t)
{
    exray_special_ids *s = &t->special;
    if (t->config.has_special) {
        *s = t->config.special;
        return;
    }
    switch (t->config.kind) {
    case EXRAY_TOKENIZER_WORDS:
        *s = (exray_special_ids){true, true, false, true, 0, 1, 0, 2};
        break;
    case EXRAY_TOKENIZER_WORDPIECE:
        s->has_pad = id_of(t, "[PAD]", &s->pad);
        s->has_start = id_of(t, "[CLS]", &s->start);
        s->has_end = id_of(t, "[SEP]", &s->end);
        s->has_unknown = id_of(t, "[UNK]", &s->unknown);
        break;
    default:
        *s = (exray_special_ids){.has_pad = true, .pad = 256};
        break;
    }
}

static exray_status set_up(exray_tokenizer *t, exray_error *error)
{
    static const char default_pattern[] = "[^\\w']+";
    const exray_tokenizer_config *c = &t->config;
    const char *name = c->vocabulary_name ? c->vocabulary_name : "vocabulary";
    if ((unsigned)c->kind > EXRAY_TOKENIZER_BYTES || (unsigned)c->truncation > EXRAY_TRUNCATION_MIDDLE)
        return xr_error_set(error, EXRAY_E_ARGUMENT, "there is no such tokenizer or truncation");
    if (c->truncation == EXRAY_TRUNCATION_MIDDLE && c->kind != EXRAY_TOKENIZER_BYTES)
        return xr_error_set(error, EXRAY_E_ARGUMENT, "truncate: middle is for the tokenizer bytes alone");
    if (c->length > MOST_LENGTH)
        return xr_error_set(error, EXRAY_E_ARGUMENT, "a row of %llu ids is too long (at most %llu)",
                            (unsigned long long)c->length, (unsigned long long)MOST_LENGTH);
    if (c->kind != EXRAY_TOKENIZER_BYTES && !c->vocabulary)
        return xr_error_set(
            error, EXRAY_E_ARGUMENT,
            "the tokenizer needs a vocabulary: a file of one token a line, the one that the model was "
            "trained with");
    exray_status status = EXRAY_OK;
    if (c->vocabulary)
        status = xr_vocabulary_read(c->vocabulary, c->vocabulary_size, name, &t->vocabulary, error);
    if (status == EXRAY_OK && c->kind == EXRAY_TOKENIZER_WORDS &&
        !(t->pattern = xr_pattern_new(c->pattern ? c->pattern : default_pattern, error)))
        status = error->status;
    return status;
}

exray_tokenizer *exray_tokenizer_new(const exray_tokenizer_config *config, exray_error *error)
{
    exray_error none;
    error = error ? error : &none;
    exray_tokenizer *t = calloc(1, sizeof *t);
    if (!t) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a tokenizer");
        return NULL;
    }
    const char *why = xr_sized_read(&t->config, sizeof t->config, config);
    exray_status status =
        why ? xr_error_set(error, EXRAY_E_ARGUMENT, "exray_tokenizer_config: %s", why) : set_up(t, error);
    if (status != EXRAY_OK) {
        exray_tokenizer_free(t);
        return NULL;
    }
    set_special(t);
    t->config.vocabulary = NULL;
    t->config.vocabulary_name = t->config.pattern = NULL;
    return t;
}

void exray_tokenizer_free(exray_tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    xr_pattern_free(tokenizer->pattern);
    xr_vocabulary_free(&tokenizer->vocabulary);
    free(tokenizer);
}

/* ---- Running it ------------------------------------------------------------------------------------------
 */

static exray_status check_text(const exray_tokenizer *t, const char *text, size_t size, exray_error *error)
{
    if (size > XR_MOST_TEXT)
        return xr_error_set(error, EXRAY_E_LIMIT,
                            "the text has %zu bytes; at most %zu (1 MiB) are tokenized: cut it before", size,
                            XR_MOST_TEXT);
    for (size_t at = 0; at < size && t->config.kind != EXRAY_TOKENIZER_BYTES;) {
        size_t width = xr_utf8_decode(text + at, size - at, NULL);
        if (!width)
            return xr_error_set(
                error, EXRAY_E_FORMAT,
                "the text is no UTF-8: byte %zu is 0x%02X, which is no character; convert it to UTF-8", at,
                (unsigned)(unsigned char)text[at]);
        at += width;
    }
    return EXRAY_OK;
}

/* Which of the ids are kept, and where they stand. */
static void plan_row(const exray_tokenizer *t, uint64_t length, size_t tokens, exray_token_row *row,
                     uint64_t *kept)
{
    uint64_t special = (uint64_t)t->special.has_start + t->special.has_end;
    *kept = tokens;
    if (length && *kept + special > length)
        *kept = length > special ? length - special : 0;
    uint64_t used = *kept + special;
    used = length && used > length ? length : used;
    row->tokens = tokens;
    row->count = length ? length : used;
    row->begin = t->config.pad_left ? row->count - used : 0;
    row->end = row->begin + used;
}

static void write_row(const exray_tokenizer *t, const xr_id_list *list, uint64_t kept,
                      const exray_token_row *row, int64_t *ids)
{
    bool end = t->config.truncation == EXRAY_TRUNCATION_LEFT;
    const int64_t *from = list->count ? list->id + (end ? list->count - kept : 0) : NULL;
    uint64_t at = row->begin;
    for (uint64_t i = 0; i < row->count; i++)
        ids[i] = t->special.has_pad ? t->special.pad : 0;
    if (t->special.has_start && at < row->end)
        ids[at++] = t->special.start;
    for (uint64_t i = 0; i < kept; i++)
        ids[at++] = from[i];
    if (t->special.has_end && at < row->end)
        ids[at] = t->special.end;
}

static exray_status run_bytes(const exray_tokenizer *t, uint64_t length, const char *text, size_t size,
                              int64_t *ids, uint64_t room, exray_token_row *row, exray_error *error)
{
    length = length ? length : size;
    *row = (exray_token_row){.count = length, .tokens = size};
    if (ids && room < length)
        return xr_error_set(error, EXRAY_E_LIMIT, "the text has %llu ids, there is room for %llu",
                            (unsigned long long)length, (unsigned long long)room);
    if (ids)
        xr_row_of_bytes(t, (const uint8_t *)text, size, ids, length, row);
    return EXRAY_OK;
}

exray_status xr_tokenizer_run_row(const exray_tokenizer *t, uint64_t length, const char *text, size_t size,
                                  int64_t *ids, uint64_t room, exray_token_row *row, exray_error *error)
{
    *row = (exray_token_row){.count = 0};
    exray_status status = check_text(t, text, size, error);
    if (status != EXRAY_OK)
        return status;
    if (t->config.kind == EXRAY_TOKENIZER_BYTES)
        return run_bytes(t, length, text, size, ids, room, row, error);
    xr_id_list list = {NULL, 0, 0};
    status = t->config.kind == EXRAY_TOKENIZER_WORDS ? xr_tokenize_words(t, text, size, &list, error)
                                                     : xr_tokenize_wordpiece(t, text, size, &list, error);
    uint64_t kept;
    if (status == EXRAY_OK) {
        plan_row(t, length, list.count, row, &kept);
        if (ids && room < row->count)
            status = xr_error_set(error, EXRAY_E_LIMIT, "the text has %llu ids, there is room for %llu",
                                  (unsigned long long)row->count, (unsigned long long)room);
        else if (ids)
            write_row(t, &list, kept, row, ids);
    }
    free(list.id);
    return status;
}

exray_status exray_tokenizer_run(const exray_tokenizer *tokenizer, const char *text, size_t size,
                                 int64_t *ids, uint64_t room, exray_token_row *row, exray_error *error)
{
    return xr_tokenizer_run_row(tokenizer, tokenizer->config.length, text, size, ids, room, row, error);
}

/* ---- Tokens ---------------------------------------------------------------------------- */

exray_special_ids exray_tokenizer_special(const exray_tokenizer *tokenizer)
{
    return tokenizer->special;
}

const char *exray_tokenizer_token(const exray_tokenizer *tokenizer, int64_t id, size_t *size)
{
    const xr_vocabulary_entry *e =
        tokenizer->vocabulary.count ? xr_vocabulary_of(&tokenizer->vocabulary, id) : NULL;
    if (size)
        *size = e ? e->size : 0;
    return e ? e->token : NULL;
}

int64_t exray_tokenizer_id(const exray_tokenizer *tokenizer, const char *token, size_t size)
{
    const xr_vocabulary_entry *e =
        tokenizer->vocabulary.count ? xr_vocabulary_find(&tokenizer->vocabulary, token, size) : NULL;
    return e ? e->id : -1;
}
