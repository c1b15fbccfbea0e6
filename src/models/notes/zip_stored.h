/* Files of a zip archive that are stored as they are (not compressed), wherever in the bytes it begins. */
#ifndef XR_ZIP_STORED_H
#define XR_ZIP_STORED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The file of that name; false: there is none, it is compressed or damaged. */
bool xr_zip_find(const uint8_t *data, size_t size, const char *name, const uint8_t **file, size_t *file_size);

#endif
