/* Tokenizers, by the conventions of the pipeline file (docs/pipeline.md, `text:`): from a text to the ids
 * that a model takes.
 *
 * A tokenizer does not change after it was made.  Threads: any number may use one. */
#ifndef EXRAY_TEXT_H
#define EXRAY_TEXT_H

#include <exray/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* A tokenizer with its vocabulary.  Since 0.2.0. */
typedef struct exray_tokenizer exray_tokenizer;

/* How a text is split.  Since 0.2.0. */
typedef enum exray_tokenizer_kind {
    EXRAY_TOKENIZER_WORDS = 0, /* at a pattern; words are looked up */
    EXRAY_TOKENIZER_WORDPIECE =
        1, /* BERT's: words and signs, each from the longest pieces that the vocabulary has */
    EXRAY_TOKENIZER_BYTES = 2, /* the bytes are the ids */
} exray_tokenizer_kind;

/* Which part of a text that is too long is kept.  Since 0.2.0. */
typedef enum exray_truncation {
    EXRAY_TRUNCATION_DEFAULT = 0, /* BYTES: MIDDLE; others: RIGHT */
    EXRAY_TRUNCATION_RIGHT = 1,   /* the end is cut off */
    EXRAY_TRUNCATION_LEFT = 2,    /* the beginning is */
    EXRAY_TRUNCATION_MIDDLE =
        3, /* of bytes, as Magika takes them: the first half of the row is the text's beginning,
              the second its end, white space around it left out, each half padded alone */
} exray_truncation;

/* The ids of special tokens; a field counts where its has_... is set.  Since 0.2.0. */
typedef struct exray_special_ids {
    bool has_pad, has_start, has_end, has_unknown;
    int64_t pad, start, end, unknown;
} exray_special_ids;

/* EXRAY_TOKENIZER_CONFIG_INIT, then what differs from it.  Since 0.2.0. */
typedef struct exray_tokenizer_config {
    uint32_t size; /* sizeof(exray_tokenizer_config) */
    exray_tokenizer_kind kind;
    const void *vocabulary; /* the file's bytes, copied: one token a line, whose number is its id, or which
                               ends in a blank and its id; NULL: none (BYTES alone) */
    size_t vocabulary_size;
    const char *vocabulary_name; /* stands in errors; NULL: "vocabulary" */
    bool keep_case;              /* do not make lower case; WORDPIECE: nor strip accents */
    const char
        *pattern; /* WORDS: what stands between words, a regular expression as Python's; NULL: "[^\\w']+" */
    bool has_special; /* `special` is all there are; else WORDS: pad 0, start 1, unknown 2; WORDPIECE: the ids
                         of [PAD], [CLS], [SEP] and [UNK]; BYTES: pad 256 */
    exray_special_ids special;
    uint64_t length; /* ids of a row; 0: as many as the text has */
    bool pad_left;   /* in front of the text; else behind it */
    exray_truncation truncation;
} exray_tokenizer_config;

/* Since 0.2.0. */
#define EXRAY_TOKENIZER_CONFIG_INIT                                                                          \
    {                                                                                                        \
        sizeof(exray_tokenizer_config), EXRAY_TOKENIZER_WORDS, NULL, 0, NULL, false, NULL, false,            \
            {false, false, false, false, 0, 0, 0, 0}, 0, false, EXRAY_TRUNCATION_DEFAULT                     \
    }

/* Makes a tokenizer.  NULL on failure, with `error` filled: EXRAY_E_FORMAT (the vocabulary or the pattern is
 * none), EXRAY_E_LIMIT (too large), EXRAY_E_ARGUMENT (a vocabulary is needed; numbers that make no sense),
 * EXRAY_E_MEMORY. Free it with exray_tokenizer_free.  Since 0.2.0. */
exray_tokenizer *exray_tokenizer_new(const exray_tokenizer_config *config, exray_error *error);
void exray_tokenizer_free(exray_tokenizer *tokenizer);

/* The row of a text.  Since 0.2.0. */
typedef struct exray_token_row {
    uint64_t count;      /* ids of the row */
    uint64_t begin, end; /* ids begin .. end - 1 are the text's, special ones included, the others padding */
    bool split;          /* the reverse, of TRUNCATION_MIDDLE: those are padding, the others the text's */
    uint64_t tokens;     /* that the whole text has, special ones left out */
} exray_token_row;

/* Tokenizes `size` bytes of UTF-8 (BYTES: of anything) and writes the row's ids to `ids`, which has room for
 * so many; *row says how many there are, also where they do not fit (EXRAY_E_LIMIT) or `ids` is NULL
 * (EXRAY_OK). EXRAY_E_FORMAT: the text is no UTF-8; EXRAY_E_LIMIT: it has more than 1 MiB, or the pattern
 * takes too long on it; EXRAY_E_MEMORY.  Since 0.2.0. */
exray_status exray_tokenizer_run(const exray_tokenizer *tokenizer, const char *text, size_t size,
                                 int64_t *ids, uint64_t room, exray_token_row *row, exray_error *error);

/* The special ids in use.  Since 0.2.0. */
exray_special_ids exray_tokenizer_special(const exray_tokenizer *tokenizer);

/* The token of an id, and its length in bytes in *size (NULL: it is not asked for), which is not followed by
 * a NUL; NULL: the vocabulary has none.  Valid as long as the tokenizer.  Since 0.2.0. */
const char *exray_tokenizer_token(const exray_tokenizer *tokenizer, int64_t id, size_t *size);

/* The id of a token; -1: the vocabulary does not have it.  Since 0.2.0. */
int64_t exray_tokenizer_id(const exray_tokenizer *tokenizer, const char *token, size_t size);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
