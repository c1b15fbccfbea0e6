/* The texts that both sides give one input, as ids: what of each row is text, and what is padding. */
#ifndef XR_TOKEN_TEXTS_H
#define XR_TOKEN_TEXTS_H

#include <exray/assertion.h>

/* What stands behind the end of a row that is shorter than others; the id of no token. */
#define XR_TOKEN_ABSENT INT64_MIN

/* Sound is whole numbers on both sides of zero; an id of the reference's is below it at most as padding. */
enum { XR_LEAST_ID = -100 };

/* One row of ids of one frame, on both sides: ids begin .. end - 1 are the text, the others padding. */
typedef struct xr_token_text {
    size_t frame; /* matched frame */
    size_t row;   /* among those of the frame */
    size_t places;
    const int64_t *id[2]; /* [places], by exray_side */
    size_t begin[2], end[2];
} xr_token_text;

/* What a side fills its rows with. */
typedef struct xr_token_padding {
    bool known; /* some row is padded */
    bool front; /* in front of the text; else behind it */
    int64_t id;
} xr_token_padding;

typedef struct xr_token_texts {
    xr_token_text *text; /* [count] */
    size_t count;
    xr_token_padding padding[2]; /* by exray_side */
    int64_t least[2], most[2];   /* of all ids */
    uint64_t ids;                /* on one side */
    bool floats;                 /* some side's type is one of floating point */
    bool open;                   /* rows are as long as their texts: behind them stands XR_TOKEN_ABSENT */
    int64_t *storage;
} xr_token_texts;

typedef enum xr_token_input {
    XR_TOKENS_NONE,  /* no whole numbers, or not on both sides */
    XR_TOKENS_FLAGS, /* zeros and ones alone */
    XR_TOKENS_IDS,
} xr_token_input;

/* Reads an input of all matched frames in which it has one shape, or of all where rows are as long as their
 * texts (token_open.h); the first ones, where there are very many.
 * *kind NONE: it holds no tokens, and *out is empty.  Anything but EXRAY_OK is an error of reading or of
 * memory; free in any case. */
exray_status xr_token_texts_read(const exray_comparison *comparison, size_t pair, xr_token_texts *out,
                                 xr_token_input *kind, exray_error *error);
void xr_token_texts_free(xr_token_texts *texts);

/* Length of a text on a side. */
static inline size_t xr_token_length(const xr_token_text *t, int side)
{
    return t->end[side] - t->begin[side];
}

/* Its ids. */
static inline const int64_t *xr_token_ids(const xr_token_text *t, int side)
{
    return t->id[side] + t->begin[side];
}

/* Whether a text fills its row on a side: more of it may be cut off. */
static inline bool xr_token_is_full(const xr_token_text *t, int side)
{
    return xr_token_length(t, side) == t->places;
}

/* Whether both sides have the same ids in the same places. */
bool xr_token_is_equal(const xr_token_text *t);

#endif
