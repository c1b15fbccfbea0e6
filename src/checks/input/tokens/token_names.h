/* Vocabularies that the logs have attached, and the tokens that ids stand for. */
#ifndef XR_TOKEN_NAMES_H
#define XR_TOKEN_NAMES_H

#include <exray/assertion.h>
#include <exray/text.h>

/* The vocabulary of a side: its own, else the other side's. */
typedef struct xr_token_names {
    char name[96]; /* of the attachment; "": none */
    char *data;    /* its bytes, `size` of them */
    size_t size;
    bool own;                   /* attached to this side's log */
    exray_tokenizer *tokenizer; /* looks tokens up; NULL: none */
} xr_token_names;

enum { XR_TOKEN_WORD = 72, XR_TOKEN_NAME = 80 };

/* The token of an id, cut where it is long; false: it has none. */
bool xr_token_word(const xr_token_names *names, int64_t id, char text[XR_TOKEN_WORD]);

/* ` ("word")`, or "" where the id has no token: what stands behind an id in a sentence. */
const char *xr_token_name(const xr_token_names *names, int64_t id, char text[XR_TOKEN_NAME]);

/* An attachment whose name says vocabulary, or which an attached pipeline names so.  Free in any case. */
void xr_token_names_read(const exray_comparison *comparison, exray_side side, xr_token_names *out);
void xr_token_names_free(xr_token_names *names);

#endif
