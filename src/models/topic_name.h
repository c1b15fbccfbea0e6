/* Names as the recorder takes them, and as the last part of a topic: /input/NAME, /output/NAME. */
#ifndef XR_TOPIC_NAME_H
#define XR_TOPIC_NAME_H

#include <exray/types.h>
#include <stddef.h>

/* Bytes of a name that the recorder takes, without a cut character; names of fused nodes are longer now
 * and then. */
enum { XR_NAME_MOST = 1000 };
size_t xr_name_size(const char *name);

/* The name of port `i` of `count` (`positions`: in `tensors`, or EXRAY_NO_INDEX); NULL where that is
 * empty or not unique among them: its topic has the number `i` then. */
const char *xr_topic_name(const exray_tensor_info *tensors, const uint32_t *positions, uint32_t count,
                          uint32_t i);

#endif
