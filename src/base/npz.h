/* A NumPy .npz file: a zip archive of .npy members, stored, not compressed. */
#ifndef XR_NPZ_H
#define XR_NPZ_H

#include <exray/types.h>
#include <stdio.h>

typedef struct xr_npz xr_npz;

/* Creates the file; NULL if that failed (errno). */
xr_npz *xr_npz_open(const char *path);

/* Adds an array.  `descr` is NumPy's name of the type ("<f4"), `size` the bytes
 * of `data`, which the shape must account for.  A name that is there already
 * gets "~1", "~2", ... added.  Failures show at close. */
void xr_npz_add(xr_npz *npz, const char *name, const char *descr, const int64_t *shape, uint32_t rank,
                const void *data, size_t size);

/* Writes the archive's directory, closes and frees.  False: something had
 * failed (errno). */
bool xr_npz_close(xr_npz *npz);

#endif
