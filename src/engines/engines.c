/* The table of adapters in this build. */
#include "engines/engine.h"

#include "models/model_file.h"
#include "models/notes/read_notes.h"

#include <string.h>

extern const xr_engine xr_engine_tflite;
extern const xr_engine xr_engine_litert;
extern const xr_engine xr_engine_onnxruntime;

const xr_engine *const xr_engines[] = {&xr_engine_tflite, &xr_engine_litert, &xr_engine_onnxruntime, NULL};

const xr_engine *xr_engine_by_name(const char *name)
{
    for (const xr_engine *const *engine = xr_engines; name && *engine; engine++)
        if (strcmp((*engine)->name, name) == 0)
            return *engine;
    return NULL;
}

exray_status xr_engine_whole_model(const char *path, void **data, size_t *size, exray_error *error)
{
    return xr_model_complete(path, data, size, error);
}

bool xr_engine_notes(const void *data, size_t size, xr_inflate_fn *inflate, xr_model_notes *out)
{
    return xr_model_notes_read(data, size, inflate, out);
}

void xr_engine_notes_free(xr_model_notes *notes)
{
    xr_model_notes_free(notes);
}
