#define _POSIX_C_SOURCE 200809L
#include "replay/truth/mask_folder.h"

#include "base/error.h"
#include "base/file.h"
#include "media/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH = 4096 };

static bool is_there(const char *folder, const char *name, char path[PATH])
{
    const char *dot = strrchr(xr_base_name(name), '.');
    const size_t length = dot ? (size_t)(dot - name) : strlen(name);
    struct stat info;
    if (length > PATH / 2 || snprintf(path, PATH, "%s/%.*s.png", folder, (int)length, name) >= PATH)
        return false;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static bool find(const char *folder, const char *file, char path[PATH])
{
    const bool below = *file && *file != '/' && !strstr(file, "..");
    return (below && is_there(folder, file, path)) ||
           (*xr_base_name(file) && is_there(folder, xr_base_name(file), path));
}

bool xr_mask_folder_has(const char *folder, const char *file)
{
    char path[PATH];
    return find(folder, file, path);
}

exray_status xr_mask_folder_result(const char *folder, const char *file, exray_told *told, exray_result *out,
                                   exray_error *error)
{
    char path[PATH];
    size_t size;
    exray_picture picture = {0};
    exray_error why = {0};
    *out = (exray_result){0};
    if (!find(folder, file, path))
        return EXRAY_E_STATE;
    void *bytes = xr_file_read(path, XR_LIMIT_SENSOR, &size, error);
    if (!bytes)
        return error ? error->status : EXRAY_E_IO;
    exray_status status = xr_mask_decode(bytes, size, &picture, &why);
    free(bytes);
    if (status)
        return xr_error_set(error, status, "%.200s: %.250s", path, why.message);
    const size_t pixels = (size_t)picture.width * picture.height;
    exray_mask *mask = exray_told_room(told, 1, sizeof *mask);
    void *ids = exray_told_room(told, pixels, 1);
    if (mask && ids) {
        memcpy(ids, picture.pixels, pixels);
        *mask = (exray_mask){.width = picture.width, .height = picture.height, .ids = ids, .size = pixels};
        out->mask = mask;
    } else
        status = xr_error_set(error, EXRAY_E_MEMORY, "%.200s: out of memory", path);
    xr_picture_clear(&picture);
    return status;
}
