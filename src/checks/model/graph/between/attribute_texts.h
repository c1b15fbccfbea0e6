/* Attributes whose text tells less than they hold: the bodies of a branch or a loop by the operators that
 * they run, a tensor by its type and shape. */
#ifndef XR_ATTRIBUTE_TEXTS_H
#define XR_ATTRIBUTE_TEXTS_H

#include <stdbool.h>

/* Whether two such texts may be of attributes that compute the same; false for all other texts.
 *
 * Bodies ("graph of Mul,Tanh") may where an engine can have made one of the other: it moves values, folds
 * constants and fuses operators as it likes, but adds and takes away no function.  Where a body has operators
 * that are not known here (fused ones, further branches), that cannot be told.  Tensors ("float32 [1]") may
 * where they are of one shape, in floats of any type. */
bool xr_texts_may_agree(const char *a, const char *b);

/* Whether two bodies of the same operators have as many weights ("graph of Mul; float32 64 mean 0.01 rms
 * 0.5"), of which mean or root mean square differ by more than what rounding changes. */
bool xr_bodies_weigh_otherwise(const char *a, const char *b);

/* Whether an attribute of an ONNX operator, of which the default is known here, has another value: no
 * optimizer wrote that out. */
bool xr_attribute_is_meant(const char *op, const char *key, const char *text);

/* Whether it has that default: who leaves it out says the same. */
bool xr_attribute_is_default(const char *op, const char *key, const char *text);

#endif
