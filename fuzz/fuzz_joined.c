/* Joins windows of a recording as a hostile log has them: any places, lengths and formats, overlaps of any
 * bytes. */
#include "replay/sound_joined.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 6 };

/* Every byte that is promised is there, and the newest window begins among what the samples are of. */
static void check(const xr_sound_joined *joined)
{
    volatile unsigned sum = 0;
    for (size_t i = 0; i < joined->size; i++)
        sum = sum + joined->bytes[i];
    if (joined->size > joined->room || joined->each == 0 || joined->size % joined->each != 0 ||
        xr_sound_joined_end(joined) < joined->window)
        abort();
}

/* HEAD bytes say where a window is, of what kind, and how long; the next bytes are its samples. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"s16", "f32", "wav", NULL};
    xr_sound_joined joined = {0};
    bool known = false;
    while (size >= HEAD) {
        char source[64];
        const size_t said = data[4] | (size_t)data[5] << 8, length = said < size - HEAD ? said : size - HEAD;
        const unsigned place = data[0] | (unsigned)data[1] << 8;
        if (data[2] & 4)
            snprintf(source, sizeof source, "f@%u%s", place, data[2] & 8 ? "99999999999999999" : "");
        else
            snprintf(source, sizeof source, "f@%u", place & 63);
        const xr_sound_window window = {
            .source = source,
            .resets = data[2] & 16,
            .media = {.format = formats[data[2] & 3], .channels = data[3] & 3, .sample_rate = data[3] & 4},
            .data = data + HEAD,
            .size = length,
        };
        if (!known || !xr_sound_joined_add(&joined, &window))
            known = xr_sound_joined_begin(&joined, &window);
        if (known)
            check(&joined);
        if (known && data[3] & 8) {
            xr_sound_joined_cut(&joined, joined.begin + (data[3] >> 4));
            if (joined.size % joined.each != 0)
                abort();
        }
        data += HEAD + length, size -= HEAD + length;
    }
    xr_sound_joined_free(&joined);
    return 0;
}
