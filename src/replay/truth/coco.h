/* Boxes of pictures in COCO's JSON: images, annotations, categories. */
#ifndef XR_COCO_H
#define XR_COCO_H

#include <exray/task.h>

typedef struct xr_coco xr_coco;

xr_coco *xr_coco_load(const char *path, exray_error *error);
/* The same of text in memory, which a message calls `path`. */
xr_coco *xr_coco_read(const char *path, const char *text, size_t size, exray_error *error);
bool xr_coco_has(const xr_coco *coco, const char *file);
/* The boxes of a picture as shares of its size, none too; as xr_truth_result. */
exray_status xr_coco_result(const xr_coco *coco, const char *file, exray_told *told, exray_result *out,
                            exray_error *error);
/* Pictures. */
size_t xr_coco_count(const xr_coco *coco);
void xr_coco_free(xr_coco *coco);

#endif
