/* What the sections of a pipeline file are read with: errors that name the line, and values of one line.
 * `where` is the key's path in messages, such as "image.crop". */
#ifndef XR_PARSE_WORDS_H
#define XR_PARSE_WORDS_H

#include "pipeline/steps.h"
#include "pipeline/yaml_tree.h"

enum { XR_PARSE_WORDS = 8, XR_PARSE_WORD_SIZE = 32 };

typedef struct xr_parser {
    xr_pipeline *pipeline; /* being filled */
    exray_error *error;
} xr_parser;

/* A name and its value. */
typedef struct xr_choice {
    const char *name;
    int value;
} xr_choice;

#define XR_COUNT(array) (sizeof(array) / sizeof *(array))

/* These fill the error and return false.
 * "FILE:LINE: WHERE: TEXT" */
bool xr_parse_fail(xr_parser *p, unsigned line, const char *where, const char *text);
/* "unknown WHAT 'given'; did you mean x? one of a, b, c" */
bool xr_parse_fail_unknown(xr_parser *p, unsigned line, const char *where, const char *what,
                           const char *given, const xr_choice *choices, size_t count);
/* "'given' is not EXPECTED" */
bool xr_parse_fail_value(xr_parser *p, unsigned line, const char *where, const char *given,
                         const char *expected);

/* False, without an error, where the text is none. */
bool xr_parse_find(const char *name, const xr_choice *choices, size_t count, int *value);
/* A finite decimal number. */
bool xr_parse_number(const char *text, double *out);
bool xr_parse_integer(const char *text, int64_t min, int64_t max, int64_t *out);
/* "224x224"; each side 1..XR_MAX_TARGET_SIDE */
bool xr_parse_size(const char *text, uint32_t *width, uint32_t *height);

/* The node is a value, not a list, a map or nothing. */
bool xr_parse_need_scalar(xr_parser *p, const xr_yaml *node, const char *where);
/* The node is one of the names. */
bool xr_parse_choose(xr_parser *p, const xr_yaml *node, const char *where, const char *what,
                     const xr_choice *choices, size_t count, int *value);

typedef struct xr_words {
    unsigned count;
    char word[XR_PARSE_WORDS][XR_PARSE_WORD_SIZE];
} xr_words;

/* Splits a value at blanks: at least one word. */
bool xr_parse_split(xr_parser *p, const xr_yaml *node, const char *where, xr_words *out);

/* FILE relative to the folder of the pipeline file `base`; "" for base: as it is.  NULL: no memory.  Free it.
 */
char *xr_parse_resolve(const char *base, const char *file);

#endif
