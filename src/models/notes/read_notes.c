#include "models/notes/read_notes.h"

#include "models/notes/note_names.h"
#include "models/notes/notes_formats.h"

#include <string.h>

void xr_model_notes_free(xr_model_notes *notes)
{
    for (int i = 0; i < XR_NOTES_OUTPUTS; i++)
        xr_note_names_free(&notes->labels[i]);
    *notes = (xr_model_notes){0};
}

bool xr_model_notes_read(const void *data, size_t size, xr_inflate_fn *inflate, xr_model_notes *out)
{
    *out = (xr_model_notes){0};
    const bool is_tflite = size >= 8 && memcmp((const char *)data + 4, "TFL3", 4) == 0;
    const bool good = is_tflite ? xr_notes_tflite(data, size, inflate, out) : xr_notes_onnx(data, size, out);
    if (!good)
        xr_model_notes_free(out);
    return good;
}
