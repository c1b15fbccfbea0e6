/* metadata_props of an ONNX model: the keys that exporters write names of classes under. */
#include "models/notes/note_names.h"
#include "models/notes/notes_formats.h"
#include "models/onnx/onnx.h"

#include <string.h>

enum { MODEL_PROPS = 14, PROP_KEY = 1, PROP_VALUE = 2 };

static bool is_key(const xr_span *key, const char *name)
{
    return key->size == strlen(name) && memcmp(key->data, name, key->size) == 0;
}

static bool read_prop(const xr_pb_field *prop, xr_model_notes *out)
{
    static const char *const names[] = {"names", "labels", "classes", "class_names"};
    xr_span key = {0}, value = {0};
    xr_pb pb = xr_pb_begin(prop->data, prop->size);
    xr_pb_field field;
    while (xr_pb_next(&pb, &field)) {
        if (xr_pb_is(&field, PROP_KEY, XR_PB_BYTES))
            key = (xr_span){field.data, field.size};
        if (xr_pb_is(&field, PROP_VALUE, XR_PB_BYTES))
            value = (xr_span){field.data, field.size};
    }
    if (pb.bad || !key.data || !value.data || !value.size || out->labels[0].count)
        return true;
    if (is_key(&key, "character")) { /* PaddleOCR: letters a line; its space comes last */
        out->are_letters = true;
        return xr_note_names_lines(&out->labels[0], (const char *)value.data, value.size) &&
               xr_note_names_lines(&out->labels[0], " ", 1);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_key(&key, names[i]))
            return xr_note_names_any(&out->labels[0], (const char *)value.data, value.size);
    return true;
}

bool xr_notes_onnx(const void *data, size_t size, xr_model_notes *out)
{
    xr_pb pb = xr_pb_begin(data, size);
    xr_pb_field field;
    while (xr_pb_next(&pb, &field))
        if (xr_pb_is(&field, MODEL_PROPS, XR_PB_BYTES) && !read_prop(&field, out))
            return false;
    return true;
}
