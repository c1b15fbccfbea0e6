/* Writing JSON. */
#ifndef XR_JSON_OUT_H
#define XR_JSON_OUT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

/* Writes `root` (taken over; NULL: out of memory) indented, with a newline at the end.  False:
 * out of memory. */
bool xr_json_put(cJSON *root, FILE *out);

#endif
