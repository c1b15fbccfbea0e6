/* The text of ONNX Runtime's profiles. */
#ifndef XR_ORT_PROFILE_TEXT_H
#define XR_ORT_PROFILE_TEXT_H

#include <stdint.h>

typedef struct xr_ort_event {
    char name[1000]; /* the node's, or its output's */
    uint64_t start_ns, duration_ns;
} xr_ort_event;

/* Hands the events of a profile's text, read from `fd`, to `seen`.  Takes no memory; damaged text has
 * fewer events. */
void xr_ort_read_profile(int fd, void (*seen)(void *user, const xr_ort_event *event), void *user);

#endif
