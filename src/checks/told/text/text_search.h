/* How the edge's texts follow from the reference's: the simplest way that holds in all frames that differ. */
#ifndef XR_TEXT_SEARCH_H
#define XR_TEXT_SEARCH_H

#include "checks/told/text/text_frames.h"

typedef enum xr_text_way {
    XR_TEXTS_SAME,
    XR_TEXTS_NONE,      /* the edge tells none where the reference does */
    XR_TEXTS_ADDED,     /* the edge alone tells one */
    XR_TEXTS_EXCHANGED, /* each of some texts is told for another of them */
    XR_TEXTS_LATE,      /* of the frame `lag` before */
    XR_TEXTS_CONSTANT,  /* one text for all */
    XR_TEXTS_REPEATED,  /* letters stand several times */
    XR_TEXTS_MERGED,    /* letters that stand twice stand once */
    XR_TEXTS_TOKEN,     /* with `token` in between */
    XR_TEXTS_RAW,       /* ... and letters several times */
    XR_TEXTS_BLANKS,    /* other blanks */
    XR_TEXTS_CASE,
    XR_TEXTS_REVERSED,
    XR_TEXTS_WORDS,   /* the words in another order */
    XR_TEXTS_CUT,     /* the beginning alone */
    XR_TEXTS_LONGER,  /* with more behind it */
    XR_TEXTS_LETTERS, /* each letter is another one, always the same: `step` apart, or 0 */
    XR_TEXTS_RENAMED, /* one text for each, always the same */
    XR_TEXTS_UNKNOWN,
} xr_text_way;

enum { XR_LONGEST_TOKEN = 12 };

typedef struct xr_text_story {
    xr_text_way way;
    long lag;
    xr_told_text token; /* letters of its own */
    uint32_t token_letters[XR_LONGEST_TOKEN];
    int64_t step;
    size_t supporting; /* frames that differ so */
} xr_text_story;

/* Searches.  False: out of memory. */
bool xr_text_search(const xr_text_frames *frames, xr_text_story *out);

#endif
