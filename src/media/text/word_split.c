/* Words between matches of a pattern. */
#include "media/text/word_split.h"

#include "base/error.h"
#include "base/utf8.h"
#include "media/text/unicode.h"

#include <stdlib.h>

/* Whether a letter stands next to a sigma, marks and apostrophes skipped: before it (step -1) or behind it.
 */
static bool has_letter(const char *text, size_t size, size_t at, bool before)
{
    for (;;) {
        uint32_t code;
        if (before) {
            if (at == 0)
                return false;
            do
                at--;
            while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80);
            xr_utf8_decode(text + at, size - at, &code);
        } else {
            if (at >= size)
                return false;
            at += xr_utf8_decode(text + at, size - at, &code);
        }
        if (xr_unicode_is(&xr_unicode_letters, code))
            return true;
        if (!xr_unicode_is(&xr_unicode_marks, code) && code != '\'' && code != 0xAD && code != 0x2019)
            return false;
    }
}

/* As Python's str.lower: a capital sigma at a word's end is the final one. */
static bool lower(const char *text, size_t size, xr_utf8_text *out)
{
    enum { CAPITAL_SIGMA = 0x3A3, FINAL_SIGMA = 0x3C2 };
    for (size_t at = 0; at < size;) {
        uint32_t code, to[XR_UNICODE_MOST];
        size_t width = xr_utf8_decode(text + at, size - at, &code);
        size_t n = xr_unicode_apply(&xr_unicode_lower, code, to);
        if (code == CAPITAL_SIGMA && has_letter(text, size, at, true) &&
            !has_letter(text, size, at + width, false))
            to[0] = FINAL_SIGMA;
        for (size_t i = 0; i < n; i++)
            if (!xr_utf8_text_add(out, to[i]))
                return false;
        at += width ? width : 1;
    }
    return true;
}

static bool add_word(const exray_tokenizer *t, const char *word, size_t size, xr_id_list *out)
{
    if (size == 0)
        return true;
    const xr_vocabulary_entry *e = xr_vocabulary_find(&t->vocabulary, word, size);
    if (!e && !t->special.has_unknown)
        return true;
    return xr_id_list_add(out, e ? e->id : t->special.unknown);
}

static exray_status split(const exray_tokenizer *t, const char *text, size_t size, xr_id_list *out,
                          exray_error *error)
{
    xr_pattern_search search = {.mark = 0};
    exray_status status = EXRAY_OK;
    for (size_t at = 0; at < size && status == EXRAY_OK;) {
        size_t begin, end;
        status = xr_pattern_find(t->pattern, &search, text, size, at, &begin, &end, error);
        if (status == EXRAY_OK && !add_word(t, text + at, begin - at, out))
            status = xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a text's words");
        at = end;
    }
    xr_pattern_search_free(&search);
    return status;
}

exray_status xr_tokenize_words(const exray_tokenizer *t, const char *text, size_t size, xr_id_list *out,
                               exray_error *error)
{
    if (t->config.keep_case)
        return split(t, text, size, out, error);
    xr_utf8_text letters = {NULL, 0, 0};
    exray_status status =
        lower(text, size, &letters)
            ? split(t, letters.text, letters.size, out, error)
            : xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a text of %zu bytes", size);
    free(letters.text);
    return status;
}
