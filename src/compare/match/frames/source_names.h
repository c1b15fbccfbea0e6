/* What two logs that name one frame's source differently still have in common. */
#ifndef XR_SOURCE_NAMES_H
#define XR_SOURCE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct xr_frame_key {
    const char *source; /* never NULL */
    char *part;         /* the memory of a source that is a part of the log's; else NULL */
    uint64_t index;
    size_t position;
    size_t occurrence; /* how many frames before have this source, where that counts */
} xr_frame_key;

/* Parts of a source, from the most telling one to the least. */
typedef enum xr_source_part {
    XR_SOURCE_FILE,       /* a/b/C.JPG: C.JPG */
    XR_SOURCE_BELOW,      /* what is below the folder that holds all of the log's sources: b/C.JPG */
    XR_SOURCE_STEM,       /* c: another type, or a system that does not tell cases apart */
    XR_SOURCE_BELOW_STEM, /* b/c */
    XR_SOURCE_PARTS
} xr_source_part;

/* Where the part begins that is not common to all sources: the length of the folder that holds them all. */
size_t xr_source_folder(const xr_frame_key *list, size_t count);

/* `part` of a source whose log's folder has the length `folder`; the caller frees it.  NULL: out of memory.
 */
char *xr_source_part_of(const char *source, size_t folder, xr_source_part part);

/* Whether the names of a log are one text with the numbers of a count: every recording has such ones.  The
 * numbers of a data set's pictures, or times, are not evenly apart. */
bool xr_sources_only_count(const xr_frame_key *list, size_t count);

#endif
