/* How the two values of a difference are written. */
#ifndef XR_DIFFERENCE_WORDS_H
#define XR_DIFFERENCE_WORDS_H

#include <stddef.h>

/* "2; 2" is "2" where both sides say one thing of all of an attribute's names. */
void xr_join_equal_words(char *const text[2]);

/* Adds at most 60 characters to a text, behind the separator where there is something before. */
void xr_append_words(char *text, size_t size, const char *separator, const char *more);

/* "1,2,1e-05", as many as there is room for. */
void xr_constant_words(const double *value, size_t count, char *text, size_t size);

#endif
