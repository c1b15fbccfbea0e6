/* The tokens that ids stand for, of a vocabulary that a log has attached. */
#ifndef XR_TOKEN_NAMES_H
#define XR_TOKEN_NAMES_H

#include <exray/assertion.h>

typedef struct xr_token_names {
    char **token; /* [count], by id; NULL: none */
    size_t count;
} xr_token_names;

/* ` ("word")`, or "" where the id has no token: what stands behind an id in a sentence. */
const char *xr_token_name(const xr_token_names *names, int64_t id, char text[80]);

/* The vocabulary that is attached to a side's log, else to the other's: a text whose name has "vocab", a
 * token a line; its id is the number behind the last blank, where all lines have one, else the line's, from 0
 * on.  None: count 0.  Free in any case. */
void xr_token_names_read(const exray_comparison *comparison, exray_side side, xr_token_names *out);
void xr_token_names_free(xr_token_names *names);

#endif
