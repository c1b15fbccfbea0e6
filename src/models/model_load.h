/* A model's file in memory, as it lies on the disk. */
#ifndef XR_MODEL_LOAD_H
#define XR_MODEL_LOAD_H

#include <exray/types.h>

/* The whole file, malloc'd.  NULL: error has the status, and as its message the reason alone
 * ("No such file or directory"): callers make their own sentence of it. */
void *xr_model_load(const char *path, size_t *size, exray_error *error);

/* A path's last part; NULL for NULL. */
const char *xr_model_base_name(const char *path);

#endif
