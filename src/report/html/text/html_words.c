#include "report/html/text/html_words.h"

#include "report/html/text/html_text.h"

#include <string.h>

enum { WORD_MOST = 64 };

typedef struct spelling {
    const char *key, *words;
} spelling;

/* Words that are not written as they stand in a key. */
static const spelling spellings[] = {
    {"nrmse", "nRMSE"},
    {"rmse", "RMSE"},
    {"iou", "IoU"},
    {"sqnr", "SQNR"},
    {"snr", "SNR"},
    {"psnr", "PSNR"},
    {"cer", "CER"},
    {"wer", "WER"},
    {"nms", "NMS"},
    {"std", "standard deviation"},
    {"cpu", "CPU"},
    {"macs", "multiply-accumulates"},
    {"nan", "NaN"},
    {"inf", "infinity"},
    {"rgb", "RGB"},
    {"bgr", "BGR"},
    {"yuv", "YUV"},
    {"nhwc", "NHWC"},
    {"nchw", "NCHW"},
    {"dtype", "type"},
    {"exif", "EXIF"},
    {"jpeg", "JPEG"},
    {"pcan", "PCAN"},
    {"fft", "FFT"},
    {"os", "operating system"},
    {"arch", "architecture"},
    {"sha256", "SHA-256"},
    {"dct", "DCT"},
};

static const spelling units[] = {
    {"ms", "ms"},         {"us", "\xC2\xB5s"},  {"ns", "ns"},           {"seconds", "s"},
    {"hz", "Hz"},         {"khz", "kHz"},       {"mhz", "MHz"},         {"db", "dB"},
    {"mb", "MB"},         {"mib", "MiB"},       {"kib", "KiB"},         {"bytes", "bytes"},
    {"levels", "levels"}, {"pixels", "pixels"}, {"samples", "samples"}, {"percent", "%"},
};

static const char *find(const spelling *table, size_t count, const char *word, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(table[i].key) == length && strncmp(table[i].key, word, length) == 0)
            return table[i].words;
    return NULL;
}

const char *xr_unit_of_key(const char *key)
{
    const char *last = strrchr(key, '_');
    const char *unit =
        last && last != key ? find(units, sizeof units / sizeof *units, last + 1, strlen(last + 1)) : NULL;
    return unit ? unit : "";
}

void xr_put_key(FILE *out, const char *key)
{
    size_t size = *xr_unit_of_key(key) ? (size_t)(strrchr(key, '_') - key) : strlen(key);
    for (size_t at = 0; at < size;) {
        size_t length = strcspn(key + at, "_");
        char word[WORD_MOST];
        if (length > size - at)
            length = size - at;
        const char *spelled = find(spellings, sizeof spellings / sizeof *spellings, key + at, length);
        snprintf(word, sizeof word, "%.*s", (int)(length < WORD_MOST ? length : WORD_MOST - 1), key + at);
        if (length)
            xr_put(out, at ? " %s" : "%s", spelled ? spelled : word);
        at += length + 1;
    }
}
