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

/* Whether the node is ONNX's Gemm, whatever is fused into it; and whether it adds a third input, which its
 * factor alpha does not reach. */
bool xr_is_gemm(const exray_node *node);
bool xr_product_is_biased(const exray_node *node);

/* Whether the plain name of an operator is that of a recurrent layer. */
bool xr_is_recurrent_word(const char *word);

/* Or that of one that repeats its first input's values as often as a further one says. */
bool xr_is_repeating_word(const char *word);

/* Two values of an attribute as people write them: files have the number that is nearest in 32 bits
 * (9.99999975e-06).  What is no number, and numbers that differ in later digits alone, stay as they are. */
enum { XR_ATTRIBUTE_NUMBER = 32 };
void xr_attribute_words(const char *value[2], char text[2][XR_ATTRIBUTE_NUMBER]);

/* Whether scales and zero points are constants of the node. */
bool xr_is_of_integers(const exray_node *node);

/* Whether a node's bodies read tensors by name: the order in which they are found says nothing. */
bool xr_reads_by_name(const exray_node *node);

/* Whether attributes of these names ("a, b") are what files of one model say differently, and what changes no
 * result. */
bool xr_key_computes_nothing(const char *key);

#endif
