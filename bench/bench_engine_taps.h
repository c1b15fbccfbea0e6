/* What the benchmarks of the taps that take the place of a run share: rounds, a texture as input, reports. */
#ifndef XR_BENCH_ENGINE_TAPS_H
#define XR_BENCH_ENGINE_TAPS_H

#include "timing.h"

#include <exray/exray.h>
#include <stdio.h>
#include <string.h>

enum { BENCH_ROUNDS = 61, BENCH_WARM_UP = 5 };

static inline void *bench_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    long length = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    void *bytes = length > 0 ? malloc((size_t)length) : NULL;
    *size = length > 0 ? (size_t)length : 0;
    if (bytes)
        rewind(file);
    if (!bytes || fread(bytes, 1, *size, file) != *size) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(2);
    }
    fclose(file);
    return bytes;
}

/* A texture: zeros would let caches and branches look too good. */
static inline void bench_texture(void *bytes, size_t size, bool is_float)
{
    for (size_t i = 0; i < size / (is_float ? 4 : 1); i++) {
        float value = (float)((i * 2654435761u) >> 24 & 255u) / 128.0f - 1.0f;
        if (is_float)
            memcpy((char *)bytes + 4 * i, &value, 4);
        else
            ((uint8_t *)bytes)[i] = (uint8_t)(127.0f * value + 128.0f);
    }
}

static inline void bench_report(const char *name, double *times)
{
    printf("%s_ms %.4f\n", name, bench_median(times, BENCH_ROUNDS)); /* sorts them */
    printf("%s_least_ms %.4f\n", name, times[0]);
}

#endif
