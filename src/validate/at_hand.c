#define _POSIX_C_SOURCE 200809L
#include "validate/at_hand.h"

#include "base/file.h"
#include "models/model_file.h"
#include "models/model_hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Beside the log, under the base name that it recorded.  The log may be hostile: what it names is a name in
 * its own folder, and counts only as the very file that was run. */
static bool find_beside(const exray_log *log, char path[512])
{
    const exray_model *model = exray_log_model(log);
    const char *name = model && model->name ? model->name : "", *at = exray_log_path(log);
    const char *slash = strrchr(at, '/');
    if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || !model->sha256)
        return false;
    int folder = slash ? (int)(slash - at) + 1 : 0;
    int length = snprintf(path, 512, "%.*s%s", folder, at, name);
    struct stat is;
    return length > 0 && length < 512 && stat(path, &is) == 0 && S_ISREG(is.st_mode) && is.st_size > 0;
}

static bool is_file_of(const exray_log *log, const void *bytes, size_t size)
{
    const exray_model *model = exray_log_model(log);
    uint8_t hash[32];
    xr_model_hash(bytes, size, hash);
    return model && model->sha256 && memcmp(hash, model->sha256, sizeof hash) == 0;
}

/* The engine that is here and takes the file: the reference's own before others. */
static const xr_engine *find_engine(const exray_log *log, const void *bytes, size_t size, const char *library)
{
    xr_model_file file;
    exray_error ignored = {EXRAY_OK, ""};
    if (xr_model_read(bytes, size, &file, &ignored) != EXRAY_OK)
        return NULL;
    bool onnx = strcmp(file.format->name, "onnx") == 0;
    xr_model_release(&file);
    const exray_model *model = exray_log_model(log);
    const char *own = model && model->engine ? model->engine : "";
    const xr_engine *found = NULL;
    for (int round = 0; round < 2 && !found; round++)
        for (const xr_engine *const *e = xr_engines; *e && !found; e++) {
            bool is_own = strcmp((*e)->name, own) == 0;
            xr_engine_info info;
            if (is_own != (round == 0) || (strcmp((*e)->name, "onnxruntime") == 0) != onnx)
                continue;
            (*e)->probe(is_own ? library : NULL, &info);
            found = info.found ? *e : NULL;
        }
    return found;
}

void xr_at_hand_find(const exray_log *log, const char *side, const char *named, const xr_side_model *model,
                     const char *library, xr_at_hand *out)
{
    exray_error ignored = {EXRAY_OK, ""};
    *out = (xr_at_hand){.model = model->bytes, .size = model->size};
    if (named)
        snprintf(out->path, sizeof out->path, "%.500s", named);
    else if (find_beside(log, out->path))
        out->model = out->own = xr_file_read(out->path, XR_LIMIT_MODEL, &out->size, &ignored);
    if (!out->model) {
        out->path[0] = '\0';
        snprintf(out->why, sizeof out->why,
                 "the model file that the %s ran is not at hand (--%s-model, or beside its log)", side, side);
        return;
    }
    bool same = is_file_of(log, out->model, out->size);
    if (out->own && xr_model_complete(out->path, &out->own, &out->size, &ignored) != EXRAY_OK) {
        snprintf(out->why, sizeof out->why, "%.300s", ignored.message);
        return;
    }
    out->model = out->own ? out->own : out->model;
    if (!same && !is_file_of(log, out->model, out->size)) { /* tensors may lie in files beside it */
        snprintf(out->why, sizeof out->why, "%.200s is not the file that the %s ran, by its SHA-256",
                 out->path, side);
        return;
    }
    out->is_file = true;
    out->engine = find_engine(log, out->model, out->size, library);
    const exray_model *told = exray_log_model(log);
    if (!out->engine)
        snprintf(out->why, sizeof out->why, "no engine was found here that runs %.200s (`exray engines`)",
                 out->path);
    else if (told->engine && strcmp(told->engine, out->engine->name) == 0)
        out->library = library;
}

void xr_at_hand_free(xr_at_hand *at_hand)
{
    free(at_hand->own);
    *at_hand = (xr_at_hand){0};
}
