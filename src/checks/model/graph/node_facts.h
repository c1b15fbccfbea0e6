/* What a node of a model's graph says: its operator's plain name, its attributes as numbers. */
#ifndef XR_NODE_FACTS_H
#define XR_NODE_FACTS_H

#include <exray/types.h>

enum { XR_PLAIN_NAME = 48 };

/* Lower case, letters and digits only, without the prefixes of quantized, fused and channels-last forms:
 * "conv2d" of CONV_2D, "conv" of QLinearConv and FusedConv. */
void xr_plain_op(const char *op, char out[XR_PLAIN_NAME]);

/* The text of an attribute, or NULL. */
const char *xr_attribute_text(const exray_node *node, const char *key);

/* An attribute that is one number; `otherwise` where the node has none of that name. */
double xr_attribute_number(const exray_node *node, const char *key, double otherwise);

/* Whether an attribute is said to be true ("true", "True", "1"); `otherwise` where there is none. */
bool xr_attribute_flag(const exray_node *node, const char *key, bool otherwise);

/* An attribute's numbers, whatever separates them: "1,2", "(1, 2)", "[1, 2]".  At most `room`; how many
 * there are, or 0 where it is something else. */
size_t xr_attribute_numbers(const exray_node *node, const char *key, double *out, size_t room);

#endif
