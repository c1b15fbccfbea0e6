/* Text from a log may come from anywhere: escaped for a terminal, a CSV file or JSON. */
#ifndef XR_TEXT_OUT_H
#define XR_TEXT_OUT_H

#include <stdint.h>
#include <stdio.h>

/* For a terminal: control characters become '?'. */
void xr_put_plain(FILE *out, const char *text);
/* One field of a CSV file, quoted if necessary (RFC 4180). */
void xr_put_csv(FILE *out, const char *text);
/* A JSON string with its quotes. */
void xr_put_json(FILE *out, const char *text);
/* "27.8 MB"; `buffer` is returned. */
const char *xr_format_bytes(char buffer[32], uint64_t bytes);

#endif
