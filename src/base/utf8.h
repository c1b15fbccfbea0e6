/* UTF-8, the encoding of all text in logs, JSON, XML and HTML. */
#ifndef XR_UTF8_H
#define XR_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that a character takes at most.  It also serves as the size of a NUL-terminated text: the NUL ends
 * any character. */
enum { XR_UTF8_MOST = 4 };

/* The number of bytes of the character at `at`, and the character; 0 and U+FFFD where the bytes are no UTF-8
 * (overlong forms and surrogates are none).  `code` may be NULL. */
size_t xr_utf8_decode(const char *at, size_t size, uint32_t *code);

/* Replaces each byte that is no part of a character by '?'; the size stays. */
void xr_utf8_repair(char *text, size_t size);

/* A repaired copy, freed by the caller; NULL: out of memory. */
char *xr_utf8_copy(const char *text);

/* Writes a character's UTF-8 (code: at most 0x10FFFF), and returns the number of bytes. */
size_t xr_utf8_encode(uint32_t code, char out[4]);

#endif
