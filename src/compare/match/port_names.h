/* What the names of a model's inputs and outputs say about which is which. */
#ifndef XR_PORT_NAMES_H
#define XR_PORT_NAMES_H

#include <stdbool.h>

typedef enum xr_name_match {
    XR_NAMES_DIFFER,
    XR_NAMES_NUMBERED, /* the same name, but one that only counts: "output_1", "StatefulPartitionedCall:0" */
    XR_NAMES_ALIKE,    /* the same up to what converters add: "serving_default_ids:0" and "ids" */
    XR_NAMES_SAME,
} xr_name_match;

xr_name_match xr_match_names(const char *a, const char *b);

/* Whether a name says no more than which place the tensor has in a list. */
bool xr_is_numbering(const char *name);

#endif
