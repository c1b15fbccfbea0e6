/* How the ids of one side follow from those of the other that stand in the same places of a text. */
#ifndef XR_TOKEN_MAP_H
#define XR_TOKEN_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One place: the edge's id and the reference's. */
typedef struct xr_token_pair {
    int64_t edge, reference;
} xr_token_pair;

typedef enum xr_token_map_kind {
    XR_TOKEN_MAP_NONE,          /* no rule */
    XR_TOKEN_MAP_EQUAL,         /* no place differs */
    XR_TOKEN_MAP_ONE_ID,        /* one id of the reference is always one other of the edge */
    XR_TOKEN_MAP_EXCHANGED,     /* two ids, each in place of the other */
    XR_TOKEN_MAP_OFFSET,        /* all that differ, by one number */
    XR_TOKEN_MAP_ONE_EDGE,      /* several ids of the reference are one and the same of the edge */
    XR_TOKEN_MAP_ONE_REFERENCE, /* one id of the reference stands where the edge has several */
    XR_TOKEN_MAP_WRAPPED,       /* what fewer bits keep of the reference's */
    XR_TOKEN_MAP_ONE_TO_ONE,    /* each id is always the same other id */
} xr_token_map_kind;

typedef struct xr_token_map {
    xr_token_map_kind kind;
    size_t places, differing;      /* pairs; those that differ */
    size_t ids[2];                 /* different ids among those that differ, by exray_side */
    size_t repeats;                /* pairs beyond the first of each of the reference's ids that differ */
    xr_token_pair first;           /* an example */
    int64_t offset;                /* OFFSET: edge - reference */
    unsigned bits;                 /* WRAPPED */
    int64_t kept_least, kept_most; /* the reference's ids where both are equal */
    int64_t replaced_least, replaced_most; /* the reference's ids where they differ */
    int64_t edge_least, edge_most;         /* the edge's ids there */
    size_t kept;                           /* how many different ones are kept */
    size_t mixed; /* different ids of the reference that are kept in some places and replaced in others */
} xr_token_map;

/* Reorders `pair`. */
void xr_token_map_find(xr_token_pair *pair, size_t count, xr_token_map *out);

#endif
