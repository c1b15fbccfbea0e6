/* Public structs that the caller fills and that may grow: they begin with `uint32_t size`. */
#ifndef XR_SIZED_H
#define XR_SIZED_H

#include <stddef.h>

/* Reads the caller's struct `from` into `to`, whose size here is `known`; `size` becomes that.  Fields that
 * an older header did not have are 0.  Returns NULL, or why it cannot be read (then `to` is all 0). */
const char *xr_sized_read(void *to, size_t known, const void *from);

#endif
