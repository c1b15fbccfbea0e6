/* Any bytes as a model's file whose notes (metadata, files of a zip archive) are read. */
#include "base/inflate.h"
#include "models/notes/read_notes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1); /* so that a sanitizer sees a byte too many */
    xr_model_notes notes;
    if (!exact)
        return 0;
    memcpy(exact, data, size);
    if (xr_model_notes_read(exact, size, xr_inflate, &notes)) {
        volatile size_t sum = 0;
        for (int i = 0; i < XR_NOTES_OUTPUTS; i++)
            for (size_t k = 0; k < notes.labels[i].count; k++)
                sum += strlen(notes.labels[i].name[k]);
        xr_model_notes_free(&notes);
    }
    free(exact);
    return 0;
}
