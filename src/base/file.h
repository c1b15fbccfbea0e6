/* Whole files in memory. */
#ifndef XR_FILE_H
#define XR_FILE_H

#include <exray/types.h>

/* Reads a file of at most `limit` bytes; the bytes are malloc'd and followed by
 * a zero byte.  NULL on failure, with a line that names the path. */
void *xr_file_read(const char *path, size_t limit, size_t *size, exray_error *error);

/* Reads the first bytes of a regular file, at most `room`; 0: it is empty, a device, a pipe, or cannot be
 * read. */
size_t xr_file_begin(const char *path, void *begin, size_t room);

/* Most bytes of a picture or a sound, and of a model file. */
#define XR_LIMIT_SENSOR      ((size_t)1 << 30)
#define XR_LIMIT_MODEL       ((size_t)1 << 32)
#define XR_LIMIT_TEXT        ((size_t)64 << 20)
#define XR_LIMIT_ANNOTATIONS ((size_t)512 << 20)

/* Behind the byte order mark, if `text` begins with one, as editors on Windows write it. */
char *xr_text_begin(char *text);

/* The path at which a file of this name is, or would be made, where `path` is a link (to a link, ...): what
 * is moved to `path` itself would take the link's place.  Else, and for a device or a pipe, `path` itself.
 * false: the links lead nowhere, errno says why; or `room` bytes are too few (ENAMETOOLONG). */
bool xr_file_behind_links(const char *path, char *out, size_t room);

/* What is behind a log's name while it is written, beside its place. */
#define XR_BESIDE ".part"

/* The last part of a path. */
const char *xr_base_name(const char *path);

#endif
