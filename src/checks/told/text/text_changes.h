/* One text, and changes of it. */
#ifndef XR_TEXT_CHANGES_H
#define XR_TEXT_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Code points, composed, without blanks at the ends and with one for several within. */
typedef struct xr_told_text {
    uint32_t *letter; /* [count] */
    size_t count;
} xr_told_text;

bool xr_same_told_text(const xr_told_text *a, const xr_told_text *b);

/* Each writes a text of at most as many letters into `out`, whose letters have room for them. */
void xr_merge_repeats(const xr_told_text *text, xr_told_text *out);
void xr_without_blanks(const xr_told_text *text, xr_told_text *out);
void xr_without_token(const xr_told_text *text, const xr_told_text *token, xr_told_text *out);
void xr_lower_case(const xr_told_text *text, xr_told_text *out);
void xr_reversed_text(const xr_told_text *text, xr_told_text *out);

/* Whether both have the same words, in whatever order. */
bool xr_same_words(const xr_told_text *a, const xr_told_text *b);

/* Whether both are the same but for numbers that are near each other: of scores that noise changed. */
bool xr_same_but_numbers(const xr_told_text *a, const xr_told_text *b);

/* Letters that both begin with. */
size_t xr_common_beginning(const xr_told_text *a, const xr_told_text *b);

#endif
