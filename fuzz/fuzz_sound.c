/* Decodes any bytes: as a WAV file, and as the raw format that the last bytes describe. */
#include <exray/sound.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const exray_media *media, const uint8_t *data, size_t size)
{
    exray_error error = {EXRAY_OK, ""};
    exray_sound *sound = exray_sound_decode(media, data, size, &error);
    if (!sound) {
        if (error.status == EXRAY_OK || !*error.message || strchr(error.message, '\n'))
            abort();
        return;
    }
    /* Every promised sample can be read, and none was made of nothing. */
    size_t count = exray_sound_length(sound) * exray_sound_channels(sound);
    volatile float sum = 0;
    for (size_t i = 0; i < count; i++)
        sum = sum + exray_sound_samples(sound)[i];
    if (count > size)
        abort();
    exray_sound_free(sound);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode(NULL, data, size);
    if (size >= 2) {
        const exray_media media = {.format = data[size - 1] & 1 ? "s16" : "f32", .channels = data[size - 2]};
        decode(&media, data, size - 2);
    }
    return 0;
}
