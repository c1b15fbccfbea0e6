/* BERT's tokenizer: the text is cleaned, words and signs are parted, and each is put together from the
 * longest pieces that the vocabulary has. */
#include "media/text/wordpiece.h"

#include "base/error.h"
#include "base/utf8.h"
#include "media/text/unicode.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_LETTERS = 100 }; /* of a word; longer ones are unknown */

/* ---- Characters ------------------------------------------------------------------------------------ */

/* Ideographs, which are words by themselves.  The ranges are those of Hugging Face's `tokenizers`. */
static bool is_ideograph(uint32_t code)
{
    static const xr_unicode_range ranges[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},
                                              {0x20000, 0x2A6DF}, {0x2A700, 0x2B81F}, {0x2B920, 0x2CEAF},
                                              {0x2F800, 0x2FA1F}};
    static const xr_unicode_class ideographs = {ranges, sizeof ranges / sizeof *ranges};
    return xr_unicode_is(&ideographs, code);
}

/* White space that is no control character, and the three of those that are. */
static bool is_space(uint32_t code)
{
    return code == '\t' || code == '\n' || code == '\r' ||
           (xr_unicode_is(&xr_unicode_spaces, code) && !xr_unicode_is(&xr_unicode_controls, code));
}

static bool is_left_out(uint32_t code)
{
    return code == 0 || code == 0xFFFD || xr_unicode_is(&xr_unicode_controls, code);
}

/* ---- One word ------------------------------------------------------------------------------------------ */

typedef struct pieces {
    const exray_tokenizer *tokenizer;
    xr_id_list *out;
    xr_utf8_text word, piece;
    size_t letters;
    bool no_memory;
} pieces;

static void add_id(pieces *p, int64_t id)
{
    p->no_memory = p->no_memory || !xr_id_list_add(p->out, id);
}

static void add_unknown(pieces *p)
{
    if (p->tokenizer->special.has_unknown)
        add_id(p, p->tokenizer->special.unknown);
}

/* The longest piece that begins at `at`: its end, or 0. */
static const xr_vocabulary_entry *longest_piece(pieces *p, size_t at, size_t *end)
{
    const xr_vocabulary *v = &p->tokenizer->vocabulary;
    size_t marks = at ? 2 : 0; /* "##" */
    if (p->piece.room < p->word.size + 2) {
        char *grown = realloc(p->piece.text, p->word.size + 2);
        if (!grown) {
            p->no_memory = true;
            return NULL;
        }
        p->piece.text = grown;
        p->piece.room = p->word.size + 2;
    }
    memcpy(p->piece.text, "##", 2);
    memcpy(p->piece.text + marks, p->word.text + at, p->word.size - at);
    for (*end = p->word.size; *end > at; (*end)--) {
        if (*end < p->word.size && ((unsigned char)p->word.text[*end] & 0xC0) == 0x80)
            continue; /* within a character */
        const xr_vocabulary_entry *e = xr_vocabulary_find(v, p->piece.text, marks + *end - at);
        if (e)
            return e;
    }
    return NULL;
}

/* Looks up the word that was collected, and begins another one. */
static void end_word(pieces *p)
{
    size_t before = p->out->count;
    bool known = p->letters <= MOST_LETTERS;
    for (size_t at = 0, end = 0; known && at < p->word.size; at = end) {
        const xr_vocabulary_entry *e = longest_piece(p, at, &end);
        known = e != NULL;
        if (e)
            add_id(p, e->id);
    }
    if (!known) {
        p->out->count = before;
        add_unknown(p);
    }
    p->word.size = 0;
    p->letters = 0;
}

static void add_letter(pieces *p, uint32_t code)
{
    p->no_memory = p->no_memory || !xr_utf8_text_add(&p->word, code);
    p->letters++;
}

/* A character that stands alone. */
static void add_sign(pieces *p, uint32_t code)
{
    end_word(p);
    add_letter(p, code);
    end_word(p);
}

/* ---- The text ---------------------------------------------------------------------------------------------
 */

static void add_character(pieces *p, uint32_t code)
{
    if (is_space(code))
        end_word(p);
    else if (xr_unicode_is(&xr_unicode_punctuation, code))
        add_sign(p, code);
    else
        add_letter(p, code);
}

static void add_lower(pieces *p, uint32_t code)
{
    uint32_t to[XR_UNICODE_MOST];
    size_t n = xr_unicode_apply(&xr_unicode_lower, code, to);
    for (size_t i = 0; i < n; i++)
        add_character(p, to[i]);
}

static void take(pieces *p, uint32_t code)
{
    uint32_t to[XR_UNICODE_MOST];
    if (is_space(code)) {
        end_word(p);
        return;
    }
    if (is_left_out(code))
        return;
    bool ideograph = is_ideograph(code);
    if (ideograph)
        end_word(p);
    if (p->tokenizer->config.keep_case)
        add_character(p, code);
    else {
        size_t n = xr_unicode_strip(code, to);
        for (size_t i = 0; i < n; i++)
            add_lower(p, to[i]);
    }
    if (ideograph)
        end_word(p);
}

exray_status xr_tokenize_wordpiece(const exray_tokenizer *t, const char *text, size_t size, xr_id_list *out,
                                   exray_error *error)
{
    pieces p = {.tokenizer = t, .out = out};
    for (size_t at = 0; at < size && !p.no_memory;) {
        uint32_t code;
        size_t width = xr_utf8_decode(text + at, size - at, &code);
        take(&p, code);
        at += width ? width : 1;
    }
    end_word(&p);
    free(p.word.text);
    free(p.piece.text);
    return p.no_memory ? xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a text of %zu bytes", size)
                       : EXRAY_OK;
}
