#include "checks/input/tokens/token_names.h"

#include "checks/input/pipeline_of.h"
#include "checks/op_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a vocabulary, and of a pipeline file. */
enum { MOST_VOCABULARY = 64 << 20, MOST_PIPELINE = 1 << 20 };

bool xr_token_word(const xr_token_names *names, int64_t id, char text[XR_TOKEN_WORD])
{
    size_t size = 0;
    const char *token = names->tokenizer ? exray_tokenizer_token(names->tokenizer, id, &size) : NULL;
    text[0] = 0;
    if (!token)
        return false;
    size_t shown = size < XR_TOKEN_WORD - 1 ? size : XR_TOKEN_WORD - 1;
    while (shown > 0 && shown < size && ((unsigned char)token[shown] & 0xC0) == 0x80)
        shown--; /* not within a character */
    for (size_t i = 0; i < shown; i++)
        text[i] = (unsigned char)token[i] < ' ' ? '?' : token[i];
    text[shown] = 0;
    return true;
}

const char *xr_token_name(const xr_token_names *names, int64_t id, char text[XR_TOKEN_NAME])
{
    char word[XR_TOKEN_WORD];
    text[0] = 0;
    if (xr_token_word(names, id, word))
        snprintf(text, XR_TOKEN_NAME, " (\"%s\")", word);
    return text;
}

/* ---- Which attachment ---------------------------------------------------------------------------- */

static bool is_readable(const exray_attachment *a)
{
    return a->size > 0 && a->size <= MOST_VOCABULARY && !xr_has_word(a->media_type, "yaml") &&
           !xr_has_word(a->media_type, "json") && !xr_has_word(a->media_type, "html");
}

/* The file's name behind `vocabulary:` in a pipeline file, without its folder; false: it has none. */
static bool named_in(const char *text, size_t size, char name[96])
{
    static const char key[] = "vocabulary:";
    for (size_t i = 0; i + sizeof key - 1 < size; i++) {
        if (memcmp(text + i, key, sizeof key - 1) != 0)
            continue;
        size_t at = i + sizeof key - 1, used = 0;
        while (at < size && strchr(" \"'", text[at]))
            at++;
        for (; at < size && text[at] && !strchr(",}\"'\r\n#", text[at]) && used < 95; at++) {
            name[used++] = text[at];
            if (text[at] == '/')
                used = 0;
        }
        while (used && name[used - 1] == ' ')
            used--;
        name[used] = 0;
        return used > 0;
    }
    return false;
}

static bool find_named(const exray_log *log, exray_slot *slot, char name[96])
{
    for (size_t i = 0; i < exray_log_attachment_count(log); i++) {
        const exray_attachment *a = exray_log_attachment(log, i);
        const void *data;
        size_t size;
        exray_error ignored; /* a damaged attachment is told by `info --check` */
        if (xr_is_pipeline_file(a) && a->size <= MOST_PIPELINE &&
            exray_log_read_attachment(log, i, slot, &data, &size, &ignored) == EXRAY_OK &&
            named_in(data, size, name))
            return true;
    }
    return false;
}

static bool take(const exray_log *log, size_t i, exray_slot *slot, xr_token_names *out)
{
    const void *data;
    exray_error ignored;
    if (exray_log_read_attachment(log, i, slot, &data, &out->size, &ignored) != EXRAY_OK)
        return false;
    exray_tokenizer_config config = EXRAY_TOKENIZER_CONFIG_INIT;
    config.vocabulary = data;
    config.vocabulary_size = out->size;
    exray_tokenizer *tokenizer = exray_tokenizer_new(&config, &ignored);
    char *kept = tokenizer ? malloc(out->size) : NULL;
    if (!kept) {
        exray_tokenizer_free(tokenizer);
        return false;
    }
    memcpy(kept, data, out->size);
    out->tokenizer = tokenizer;
    out->data = kept;
    snprintf(out->name, sizeof out->name, "%.95s", exray_log_attachment(log, i)->name);
    return true;
}

static bool read_log(const exray_log *log, xr_token_names *out)
{
    exray_slot *slot = exray_slot_new();
    char named[96] = "";
    bool found = false;
    if (slot)
        find_named(log, slot, named);
    for (size_t i = 0; slot && !found && i < exray_log_attachment_count(log); i++) {
        const exray_attachment *a = exray_log_attachment(log, i);
        bool is = *named ? strcmp(a->name, named) == 0 : xr_has_word(a->name, "vocab");
        if (is && is_readable(a))
            found = take(log, i, slot, out);
    }
    exray_slot_free(slot);
    return found;
}

void xr_token_names_read(const exray_comparison *comparison, exray_side side, xr_token_names *out)
{
    *out = (xr_token_names){.own = true};
    if (read_log(exray_comparison_log(comparison, side), out))
        return;
    *out = (xr_token_names){.own = false};
    if (!read_log(exray_comparison_log(comparison, (exray_side)!side), out))
        *out = (xr_token_names){.own = false};
}

void xr_token_names_free(xr_token_names *names)
{
    exray_tokenizer_free(names->tokenizer);
    free(names->data);
    names->tokenizer = NULL;
    names->data = NULL;
    names->size = 0;
    names->name[0] = 0;
}
