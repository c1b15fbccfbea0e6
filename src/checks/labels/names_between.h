/* How the names of the edge's classes relate to those of the reference's. */
#ifndef XR_NAMES_BETWEEN_H
#define XR_NAMES_BETWEEN_H

#include "checks/labels/class_names.h"

typedef struct xr_names_between {
    size_t classes;   /* that both sides name */
    size_t otherwise; /* of those: by names that have not the same words */
    size_t elsewhere; /* of those: by a name that the reference has for another class */
    bool shifted;     /* the edge's name of class c is the reference's of c + shift, for all that have both */
    int64_t shift;
    bool by_alphabet[2];    /* by exray_side: names in the order of their classes are sorted */
    const char *example[2]; /* of one class named otherwise: the names, borrowed */
    int64_t example_class;  /* the reference's number */
} xr_names_between;

/* Class c of the edge is class c - difference of the reference.  False: out of memory. */
bool xr_names_between_make(const xr_class_names *edge, const xr_class_names *reference, int64_t difference,
                           xr_names_between *out);

/* Whether the names belong to another label file, or to another order of the same one. */
bool xr_names_between_differ(const xr_names_between *between);

#endif
