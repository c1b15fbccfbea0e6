/* Masks of pictures: a folder of PNGs with the pictures' names. */
#ifndef XR_MASK_FOLDER_H
#define XR_MASK_FOLDER_H

#include <exray/task.h>

/* Whether the folder has a mask of a picture: the picture's path below it with the ending .png, else its base
 * name. */
bool xr_mask_folder_has(const char *folder, const char *file);
/* Its mask; as xr_truth_result. */
exray_status xr_mask_folder_result(const char *folder, const char *file, exray_told *told, exray_result *out,
                                   exray_error *error);

#endif
