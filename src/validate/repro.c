#define _POSIX_C_SOURCE 200809L
#include "validate/repro.h"

#include "base/error.h"
#include "base/npz.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static bool fail(const xr_repro *r, const char *path)
{
    xr_error_set(r->error, errno == ENOSPC ? EXRAY_E_NO_SPACE : EXRAY_E_IO,
                 "cannot write '%.300s': %s; name a folder that may be written to", path, strerror(errno));
    return false;
}

static bool write_bytes(const xr_repro *r, const char *name, const void *data, size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%.4000s/%.60s", r->folder, name);
    FILE *file = fopen(path, "wb");
    if (!file)
        return fail(r, path);
    bool ok = fwrite(data, 1, size, file) == size;
    ok = fclose(file) == 0 && ok;
    return ok || fail(r, path);
}

static bool write_tensors(const xr_repro *r, const char *name, const xr_isolated_tensor *tensors,
                          size_t count)
{
    char path[4096];
    snprintf(path, sizeof path, "%.4000s/%.60s", r->folder, name);
    xr_npz *npz = xr_npz_open(path);
    if (!npz)
        return fail(r, path);
    for (size_t i = 0; i < count; i++)
        xr_npz_add(npz, tensors[i].name ? tensors[i].name : "", "<f4", tensors[i].info->shape,
                   tensors[i].info->rank, tensors[i].values, tensors[i].count * sizeof(float));
    return xr_npz_close(npz) || fail(r, path);
}

static bool write_readme(const xr_repro *r, const xr_isolated *what, const char *model)
{
    const exray_layer_pair *layer = exray_comparison_layer(r->comparison, what->layer);
    const exray_model *edge = exray_log_model(exray_comparison_log(r->comparison, EXRAY_SIDE_EDGE));
    char text[4096];
    int length = snprintf(
        text, sizeof text,
        "A layer that is wrong by itself: %u (%.60s) %.200s.\n\n"
        "%-16s the layer (or block), cut out of the reference's model\n"
        "inputs.npz       what the edge gave it, dequantized\n"
        "edge.npz         what the edge made of it\n"
        "reference.npz    what the model above makes of it with %.40s\n\n"
        "The outputs differ by %.3g of the signal's deviation (better lower); data types explain %.3g.\n"
        "The edge: %.40s %.40s, kernels %.40s, on model %.200s.\n",
        (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE], layer->name[EXRAY_SIDE_EDGE],
        model, r->engine->name, what->error, what->noise, edge && edge->engine ? edge->engine : "?",
        edge && edge->engine_version ? edge->engine_version : "", edge && edge->kernels ? edge->kernels : "?",
        edge && edge->name ? edge->name : "?");
    return write_bytes(r, "README.txt", text,
                       (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

bool xr_repro_write(void *user, const xr_isolated *what)
{
    xr_repro *r = user;
    char model[32];
    snprintf(model, sizeof model, "layer.%.20s", what->format);
    if (mkdir(r->folder, 0777) != 0 && errno != EEXIST)
        return fail(r, r->folder);
    r->written = write_bytes(r, model, what->model.data, what->model.size) &&
                 write_tensors(r, "inputs.npz", what->inputs, what->input_count) &&
                 write_tensors(r, "edge.npz", &what->edge, 1) &&
                 write_tensors(r, "reference.npz", &what->reference, 1) && write_readme(r, what, model);
    return r->written;
}
