/* TensorFlow Lite's metadata: numbers of fields by metadata_schema.fbs. */
#include "models/flatbuffer.h"
#include "models/notes/note_names.h"
#include "models/notes/notes_formats.h"
#include "models/notes/zip_member.h"
#include "models/tflite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    METADATA_NAME = 0,
    METADATA_BUFFER = 1,
    MODEL_SUBGRAPHS = 3,
    SUBGRAPH_INPUTS = 2,
    SUBGRAPH_OUTPUTS = 3,
    TENSOR_PROCESS_UNITS = 4,
    TENSOR_FILES = 6,
    UNIT_OPTIONS_TYPE = 0,
    UNIT_OPTIONS = 1,
    UNIT_NORMALIZATION = 1,
    NORMALIZATION_MEAN = 0,
    NORMALIZATION_STD = 1,
    FILE_NAME = 0,
    FILE_TYPE = 2,
    FILE_LOCALE = 3,
    AXIS_LABELS = 2,
    VALUE_LABELS = 3,
};

/* The buffer of that name; empty: none. */
static xr_flat metadata_of(const void *data, size_t size)
{
    xr_flat flat = {data, size, false}, found = {0};
    const xr_flat_table root = xr_flat_root(&flat);
    const xr_flat_vector entries = xr_flat_children(&flat, &root, XR_MODEL_METADATA, 4);
    const xr_flat_vector buffers = xr_flat_children(&flat, &root, XR_MODEL_BUFFERS, 4);
    for (uint32_t i = 0; i < entries.count && !flat.damaged; i++) {
        const xr_flat_table entry = xr_flat_table_at(&flat, &entries, i);
        uint32_t length;
        const char *name = xr_flat_string(&flat, &entry, METADATA_NAME, &length);
        const uint32_t number = xr_flat_u32(&flat, &entry, METADATA_BUFFER);
        if (!name || strcmp(name, "TFLITE_METADATA") != 0 || number >= buffers.count)
            continue;
        const xr_flat_table buffer = xr_flat_table_at(&flat, &buffers, number);
        const xr_flat_vector bytes = xr_flat_children(&flat, &buffer, XR_BUFFER_DATA, 1);
        if (bytes.at && !flat.damaged && bytes.at + bytes.count <= size)
            found = (xr_flat){(const uint8_t *)data + bytes.at, bytes.count, false};
    }
    return found;
}

/* Values of a vector of floats, where they are 1 or 3 finite numbers. */
static unsigned numbers(xr_flat *flat, const xr_flat_table *table, unsigned field, double out[3])
{
    const xr_flat_vector values = xr_flat_children(flat, table, field, 4);
    if (values.count != 1 && values.count != 3)
        return 0;
    for (uint32_t i = 0; i < values.count; i++) {
        out[i] = (double)xr_flat_f32_at(flat, &values, i);
        if (!isfinite(out[i]))
            return 0;
    }
    return values.count;
}

static void read_normalization(xr_flat *flat, const xr_flat_table *tensor, xr_model_notes *out)
{
    const xr_flat_vector units = xr_flat_children(flat, tensor, TENSOR_PROCESS_UNITS, 4);
    for (uint32_t i = 0; i < units.count && !flat->damaged; i++) {
        const xr_flat_table unit = xr_flat_table_at(flat, &units, i);
        if (xr_flat_u8(flat, &unit, UNIT_OPTIONS_TYPE) != UNIT_NORMALIZATION)
            continue;
        const xr_flat_table options = xr_flat_child(flat, &unit, UNIT_OPTIONS);
        double mean[3], std[3];
        const unsigned means = numbers(flat, &options, NORMALIZATION_MEAN, mean);
        const unsigned stds = numbers(flat, &options, NORMALIZATION_STD, std);
        if (!means || !stds || flat->damaged)
            continue;
        out->mean_count = means > stds ? means : stds;
        for (unsigned k = 0; k < out->mean_count; k++) {
            out->mean[k] = mean[means == 1 ? 0 : k];
            out->std[k] = std[stds == 1 ? 0 : k];
            if (!(fabs(out->std[k]) > 1e-9))
                out->mean_count = 0;
        }
    }
}

/* The labels of an output: the file for no language in particular, else for English, else the first. */
static bool read_labels(xr_flat *flat, const xr_flat_table *tensor, const void *data, size_t size,
                        xr_inflate_fn *inflate, xr_note_names *out)
{
    const xr_flat_vector files = xr_flat_children(flat, tensor, TENSOR_FILES, 4);
    const char *best = NULL;
    int best_rank = 0;
    for (uint32_t i = 0; i < files.count && !flat->damaged; i++) {
        const xr_flat_table file = xr_flat_table_at(flat, &files, i);
        uint32_t length;
        const uint32_t type = xr_flat_u8(flat, &file, FILE_TYPE);
        const char *name = xr_flat_string(flat, &file, FILE_NAME, &length);
        const char *locale = xr_flat_string(flat, &file, FILE_LOCALE, &length);
        const int rank = !locale || !*locale ? 3 : strncmp(locale, "en", 2) == 0 ? 2 : 1;
        if (!name || (type != AXIS_LABELS && type != VALUE_LABELS) || rank <= best_rank)
            continue;
        best = name;
        best_rank = rank;
    }
    if (flat->damaged || !best)
        return true;
    xr_zip_member text;
    bool good = xr_zip_find(data, size, best, inflate, &text);
    if (good && text.data)
        good = xr_note_names_lines(out, (const char *)text.data, text.size);
    free(text.unpacked);
    return good;
}

bool xr_notes_tflite(const void *data, size_t size, xr_inflate_fn *inflate, xr_model_notes *out)
{
    xr_flat flat = metadata_of(data, size);
    if (!flat.size)
        return true;
    const xr_flat_table root = xr_flat_root(&flat);
    const xr_flat_vector subgraphs = xr_flat_children(&flat, &root, MODEL_SUBGRAPHS, 4);
    if (flat.damaged || !subgraphs.count)
        return true;
    const xr_flat_table main = xr_flat_table_at(&flat, &subgraphs, 0);
    const xr_flat_vector inputs = xr_flat_children(&flat, &main, SUBGRAPH_INPUTS, 4);
    const xr_flat_vector outputs = xr_flat_children(&flat, &main, SUBGRAPH_OUTPUTS, 4);
    for (uint32_t i = 0; i < inputs.count && i < 1 && !flat.damaged; i++) {
        const xr_flat_table tensor = xr_flat_table_at(&flat, &inputs, i);
        read_normalization(&flat, &tensor, out);
    }
    for (uint32_t i = 0; i < outputs.count && i < XR_NOTES_OUTPUTS && !flat.damaged; i++) {
        const xr_flat_table tensor = xr_flat_table_at(&flat, &outputs, i);
        if (!read_labels(&flat, &tensor, data, size, inflate, &out->labels[i]))
            return false;
    }
    return true;
}
