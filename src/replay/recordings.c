#include "replay/recordings.h"

#include <stdlib.h>
#include <string.h>

/* The last '@' of FILE@SAMPLE; NULL: the source is none. */
static const char *find_sample(const char *source, uint64_t *sample)
{
    const char *at = source ? strrchr(source, '@') : NULL;
    size_t digits = at ? strspn(at + 1, "0123456789") : 0;
    if (!at || at == source || digits == 0 || digits > 19 || at[1 + digits])
        return NULL;
    *sample = strtoull(at + 1, NULL, 10);
    return at;
}

/* A file's name, or as much of its end as there is room for. */
static void keep_file(char file[512], const char *source, const char *end)
{
    size_t length = (size_t)(end - source);
    const char *from = length < 512 ? source : end - 511;
    length = (size_t)(end - from);
    memcpy(file, from, length);
    file[length] = 0;
}

bool xr_recordings_place(const char *source, char file[512], uint64_t *sample)
{
    const char *at = find_sample(source, sample);
    if (at)
        keep_file(file, source, at);
    return at != NULL;
}

bool xr_recordings_begins(xr_recordings *r, const xr_item *item)
{
    uint64_t sample = 0;
    const char *at = find_sample(item->source, &sample);
    char file[512] = "";
    if (at)
        keep_file(file, item->source, at);
    bool other = at && (strcmp(file, r->file) != 0 || sample < r->sample);
    bool begins = r->any && (other || item->resets || r->pending);
    memcpy(r->file, file, sizeof file);
    r->sample = sample;
    r->any = true;
    r->pending = false;
    return begins;
}

/* Whether it is of the same sound as the item before; *sample: where it begins. */
static bool is_same_sound(const xr_recordings *r, const xr_item *item, uint64_t *sample)
{
    const char *at = find_sample(item->source, sample);
    char file[512] = "";
    if (at)
        keep_file(file, item->source, at);
    return at && r->any && strcmp(file, r->file) == 0;
}

bool xr_recordings_goes_on(const xr_recordings *r, const xr_item *item)
{
    uint64_t sample = 0;
    return is_same_sound(r, item, &sample) && sample > r->sample && !item->resets && !r->pending;
}

bool xr_recordings_repeats(const xr_recordings *r, const xr_item *item)
{
    uint64_t sample = 0;
    return is_same_sound(r, item, &sample) && sample == r->sample;
}

void xr_recordings_unused(xr_recordings *r, bool began)
{
    r->pending = r->pending || began;
}
