/* The names that a side has for its classes: as it told them, or as its label file has them. */
#ifndef XR_CLASS_NAMES_H
#define XR_CLASS_NAMES_H

#include <exray/assertion.h>

enum { XR_CLASS_NAME_SIZE = 96 };

typedef struct xr_class_name {
    int64_t id;
    char text[XR_CLASS_NAME_SIZE];  /* as told, cut */
    char plain[XR_CLASS_NAME_SIZE]; /* its words alone: ASCII in lower case, one space between them */
} xr_class_name;

/* What `plain` is of a name: letters, digits and whatever is not ASCII stay, cut; all else is a space between
 * words. */
void xr_class_name_plain(const char *text, size_t size, char out[XR_CLASS_NAME_SIZE]);

/* Sorted by id, each class once (with the name that it was first told by). */
typedef struct xr_class_names {
    xr_class_name *name;
    size_t count, room;
    size_t several; /* names told of a class that had another one before */
} xr_class_names;

/* All names told with classes and boxes in the matched frames of a side.  Anything but EXRAY_OK is an error;
 * free in any case. */
exray_status xr_class_names_told(const exray_comparison *comparison, exray_side side, xr_class_names *out,
                                 exray_error *error);

/* The lines of a label file that is attached to a side's log: class = line, counted from 0, or the number
 * that each line begins with.  None: count 0. */
exray_status xr_class_names_attached(const exray_comparison *comparison, exray_side side, xr_class_names *out,
                                     exray_error *error);
void xr_class_names_free(xr_class_names *names);

/* The entry of a class, or NULL. */
const xr_class_name *xr_class_names_find(const xr_class_names *names, int64_t id);

/* Whether one of two plain names has all words of the other, in their order: "tench", "tench tinca tinca". */
bool xr_class_names_related(const char *a, const char *b);

#endif
