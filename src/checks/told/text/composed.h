/* Letters that are written as one character or as a letter and marks: the same text (Unicode's canonical
 * composition, as far as marks are in its order). */
#ifndef XR_COMPOSED_H
#define XR_COMPOSED_H

#include <stdint.h>

/* What `letter` and the character behind it are together, or 0: they stay two. */
uint32_t xr_compose(uint32_t letter, uint32_t next);

#endif
