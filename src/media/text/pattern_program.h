/* A compiled pattern: instructions of a machine that runs all ways through the pattern at once. */
#ifndef XR_PATTERN_PROGRAM_H
#define XR_PATTERN_PROGRAM_H

#include "media/text/pattern.h"

enum { XR_PATTERN_STEPS = 2048, XR_PATTERN_ITEMS = 1024 };

/* A part of a class of characters. */
typedef struct xr_pattern_item {
    uint32_t first, last; /* a range; or, where `set` is not 0, one of its characters */
    char set;             /* 'w', 'd', 's', their capitals: all but those */
} xr_pattern_item;

typedef enum xr_pattern_op {
    XR_PATTERN_CLASS, /* one character of items first_item .. first_item + item_count - 1, or of no other */
    XR_PATTERN_ANY,   /* one that is no end of a line */
    XR_PATTERN_SPLIT, /* go on at `to`, and, less preferred, at `other` */
    XR_PATTERN_JUMP,  /* go on at `to` */
    XR_PATTERN_MATCH,
} xr_pattern_op;

typedef struct xr_pattern_step {
    xr_pattern_op op;
    uint32_t to, other;
    uint32_t first_item, item_count;
    bool negated;
} xr_pattern_step;

struct xr_pattern {
    xr_pattern_step step[XR_PATTERN_STEPS];
    uint32_t count;
    xr_pattern_item item[XR_PATTERN_ITEMS];
    uint32_t item_count;
};

/* Whether a CLASS or ANY takes a character. */
bool xr_pattern_takes(const xr_pattern *pattern, const xr_pattern_step *step, uint32_t code);

#endif
