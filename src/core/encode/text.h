/* Building short texts without stdio: what does not fit is left out, and the
 * text always ends with a NUL. */
#ifndef XR_TEXT_H
#define XR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct xr_text_builder {
    char *at;
    size_t room; /* the NUL's byte included */
} xr_text_builder;

xr_text_builder xr_text_in(char *buffer, size_t size);
void xr_text_add(xr_text_builder *text, const char *more);
void xr_text_add_part(xr_text_builder *text, const char *more, size_t size);
void xr_text_add_number(xr_text_builder *text, uint64_t number);
void xr_text_add_padded(xr_text_builder *text, uint64_t number, int digits); /* leading zeros */
void xr_text_add_hex(xr_text_builder *text, const uint8_t *bytes, size_t size);

/* How many bytes at `at` form one UTF-8 character; 0: they form none. */
size_t xr_utf8_length(const char *at, size_t size);

/* The nth, from 0 on, of texts that each end with a 0. */
const char *xr_nth_text(const char *texts, unsigned n);

#endif
