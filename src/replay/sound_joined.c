#include "replay/sound_joined.h"

#include "replay/recordings.h"

#include <stdlib.h>
#include <string.h>

void xr_sound_joined_free(xr_sound_joined *j)
{
    free(j->bytes);
    *j = (xr_sound_joined){0};
}

/* Where it begins and in which file; false: it is no part of a recording. */
static bool place_of(const xr_sound_window *w, char file[512], uint64_t *begin)
{
    const size_t each = xr_sound_sample_size(&w->media);
    return each && w->size && w->size % each == 0 && xr_recordings_place(w->source, file, begin) &&
           *begin < UINT64_MAX / 2;
}

static bool append(xr_sound_joined *j, const void *data, size_t size)
{
    if (size > SIZE_MAX / 4 - j->size)
        return false;
    if (j->size + size > j->room) {
        const size_t room = 2 * (j->size + size);
        uint8_t *grown = realloc(j->bytes, room);
        if (!grown)
            return false;
        j->bytes = grown;
        j->room = room;
    }
    memcpy(j->bytes + j->size, data, size);
    j->size += size;
    return true;
}

bool xr_sound_joined_begin(xr_sound_joined *j, const xr_sound_window *w)
{
    uint64_t begin = 0;
    j->size = 0;
    j->file[0] = 0;
    if (!place_of(w, j->file, &begin) || !append(j, w->data, w->size)) {
        j->file[0] = 0;
        return false;
    }
    j->each = xr_sound_sample_size(&w->media);
    j->rate = w->media.sample_rate;
    j->channels = w->media.channels;
    j->floats = strcmp(w->media.format, "f32") == 0;
    j->window = j->begin = begin;
    return true;
}

uint64_t xr_sound_joined_end(const xr_sound_joined *j)
{
    return j->begin + (j->each ? j->size / j->each : 0);
}

bool xr_sound_joined_add(xr_sound_joined *j, const xr_sound_window *w)
{
    char file[512] = "";
    uint64_t begin = 0;
    if (!j->file[0] || w->resets || !place_of(w, file, &begin) || strcmp(file, j->file) != 0 ||
        w->media.sample_rate != j->rate || w->media.channels != j->channels ||
        (strcmp(w->media.format, "f32") == 0) != j->floats)
        return false;
    const uint64_t end = xr_sound_joined_end(j), length = w->size / j->each;
    if (begin <= j->window || begin < j->begin || begin > end || begin + length < end)
        return false;
    const size_t shared = (size_t)(end - begin) * j->each;
    if (memcmp(j->bytes + (j->size - shared), w->data, shared) != 0 ||
        !append(j, (const uint8_t *)w->data + shared, w->size - shared))
        return false;
    j->window = begin;
    return true;
}

void xr_sound_joined_cut(xr_sound_joined *j, uint64_t sample)
{
    if (sample <= j->begin || sample > xr_sound_joined_end(j))
        return;
    const size_t gone = (size_t)(sample - j->begin) * j->each;
    memmove(j->bytes, j->bytes + gone, j->size - gone);
    j->size -= gone;
    j->begin = sample;
}
