/* Which layers of two models have one name. */
#ifndef XR_NAMING_H
#define XR_NAMING_H

#include "compare/match/layers.h"

/* A name, or the beginning of one. */
typedef struct xr_name_part {
    const char *name;
    size_t length;
} xr_name_part;

typedef struct xr_naming {
    /* [edge layers]: the reference's layer of the same unique name, however exporters and quantizers spell
     * it, or EXRAY_NO_INDEX: a hint. */
    uint32_t *namesake;
    /* [layers of that side]: the other's layer whose tensor has the very same name, which no other tensor of
     * either side has, or EXRAY_NO_INDEX. */
    uint32_t *same[2];
    /* The tensors' names come from one file, or from one graph: `same` is the same tensor, whatever an
     * optimizer made of the nodes, and no other layer is. */
    bool shared;
    bool one_file;        /* both sides run the same file */
    xr_name_part *series; /* [series_count] sorted: beginnings of names that an engine counts */
    size_t series_count;
    bool renumbered; /* of another number of nodes: numbers for names were given anew */
} xr_naming;

/* False: out of memory. */
bool xr_naming_init(xr_naming *naming, const xr_layers side[2]);
void xr_naming_free(xr_naming *naming);

/* Whether names alone say that the two are the same tensor; that they are not. */
bool xr_naming_proves(const xr_naming *naming, uint32_t edge, uint32_t reference);
bool xr_naming_forbids(const xr_naming *naming, uint32_t edge, uint32_t reference);

/* Whether both layers' tensors have one number for a name, which an engine gave, or an exporter to an
 * operator without a name of its own: in another graph the same number is of another tensor, so that values
 * may refute it. */
bool xr_naming_is_by_number(const xr_naming *naming, const xr_layer *edge, const xr_layer *reference);

#endif
