/* Attributes of a step, as numbers or words. */
#ifndef XR_TRAIT_LIST_H
#define XR_TRAIT_LIST_H

#include <stddef.h>

enum { XR_TRAITS = 12, XR_TRAIT_NUMBERS = 24 };

typedef struct xr_trait {
    const char *key;  /* a constant string */
    const char *text; /* NULL: numbers */
    const char *name; /* NULL, or what these numbers are called */
    double number[XR_TRAIT_NUMBERS];
    size_t count;
} xr_trait;

typedef struct xr_traits {
    xr_trait trait[XR_TRAITS];
    size_t count;
} xr_traits;

/* Add one to the list: nothing where it is full, where a number is NAN or the text NULL (not known). */
void xr_traits_add_numbers(xr_traits *traits, const char *key, const double *number, size_t count);
void xr_traits_add_number(xr_traits *traits, const char *key, double number);
void xr_traits_add_text(xr_traits *traits, const char *key, const char *text);

/* The one of that key, or NULL. */
const xr_trait *xr_trait_of(const xr_traits *traits, const char *key);

#endif
