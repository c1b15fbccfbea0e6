/* Reads JSON from memory, a value after the other, without building a tree: files of many million values are
 * read in no more room than their text.  After a fault nothing more is read (`fault`). */
#ifndef XR_JSON_READER_H
#define XR_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct xr_json_reader {
    const char *begin, *at, *end;
    const char *fault; /* what is wrong at `at`; NULL: nothing */
} xr_json_reader;

xr_json_reader xr_json_of(const char *text, size_t size);

/* Enters an object or an array, which must come next. */
bool xr_json_enter(xr_json_reader *reader, char bracket);
/* The next key of the object: its value comes next and must be read or skipped.  A key that is longer than
 * `size` is cut.  False: the object's end, or a fault. */
bool xr_json_key(xr_json_reader *reader, char *key, size_t size);
/* Whether another value of the array comes next.  False: its end, or a fault. */
bool xr_json_item(xr_json_reader *reader);

/* A number; of null, NaN and Infinity, which some programs write, *out is NAN. */
bool xr_json_number(xr_json_reader *reader, double *out);
/* true, false, or a number that is not 0. */
bool xr_json_flag(xr_json_reader *reader, bool *out);
/* A text; *size gets its bytes and `to` at most room - 1 of them, and a zero byte.  A zero byte within ends
 * it. */
bool xr_json_text(xr_json_reader *reader, char *to, size_t room, size_t *size);
/* Whatever comes next. */
bool xr_json_skip(xr_json_reader *reader);

/* The line that the reader is in, from 1. */
size_t xr_json_line(const xr_json_reader *reader);

#endif
