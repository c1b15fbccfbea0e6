/* What the attributes of a node say: numbers and flags. */
#ifndef XR_NODE_FACTS_H
#define XR_NODE_FACTS_H

#include <exray/log.h>

/* Room for an operator's plain name (exray_node_plain_op). */
enum { XR_PLAIN_NAME = 48 };

/* An attribute that is one number; `otherwise` where the node has none of that name. */
double xr_attribute_number(const exray_node *node, const char *key, double otherwise);

/* Whether an attribute is said to be true ("true", "True", "1"); `otherwise` where there is none. */
bool xr_attribute_flag(const exray_node *node, const char *key, bool otherwise);

/* An attribute's numbers, whatever separates them: "1,2", "(1, 2)", "[1, 2]".  At most `room`; how many
 * there are, or 0 where it is something else. */
size_t xr_attribute_numbers(const exray_node *node, const char *key, double *out, size_t room);

#endif
