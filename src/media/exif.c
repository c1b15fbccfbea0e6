#include "media/decoders.h"

#include <libexif/exif-data.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(ExifLong size)
{
    return calloc(1, size);
}

static void *reallocate(void *memory, ExifLong size)
{
    return realloc(memory, size);
}

unsigned xr_exif_orientation(const uint8_t *data, size_t size)
{
    static const uint8_t header[6] = {'E', 'x', 'i', 'f', 0, 0};
    uint8_t with_header[64 * 1024];
    if (size < sizeof header || size > sizeof with_header - sizeof header)
        return 1;
    if (memcmp(data, header, sizeof header) != 0) { /* a PNG's block begins with the TIFF header */
        memcpy(with_header, header, sizeof header);
        memcpy(with_header + sizeof header, data, size);
        data = with_header;
        size += sizeof header;
    }
    unsigned orientation = 1;
    /* By ours, which counts what fails (base/memory.h): the library only finds less. */
    ExifMem *memory = exif_mem_new(allocate, reallocate, free);
    ExifData *exif = memory ? exif_data_new_mem(memory) : NULL;
    if (memory)
        exif_mem_unref(memory);
    if (!exif)
        return 1;
    /* Read as it is: no tags "corrected", no maker's notes interpreted. */
    exif_data_unset_option(exif, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
    exif_data_unset_option(exif, EXIF_DATA_OPTION_IGNORE_UNKNOWN_TAGS);
    exif_data_set_option(exif, EXIF_DATA_OPTION_DONT_CHANGE_MAKER_NOTE);
    exif_data_load_data(exif, data, (unsigned)size);
    const ExifEntry *entry = exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    if (entry && entry->data && entry->format == EXIF_FORMAT_SHORT && entry->size >= 2)
        orientation = exif_get_short(entry->data, exif_data_get_byte_order(exif));
    exif_data_unref(exif);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
}
