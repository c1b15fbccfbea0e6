/* The last part of a topic: /input/NAME, /output/NAME. */
#ifndef XR_TOPIC_NAME_H
#define XR_TOPIC_NAME_H

#include <exray/types.h>

/* The name of port `i` of `count` (`positions`: in `tensors`, or EXRAY_NO_INDEX); NULL where that is
 * empty or not unique among them: its topic has the number `i` then. */
const char *xr_topic_name(const exray_tensor_info *tensors, const uint32_t *positions, uint32_t count,
                          uint32_t i);

#endif
