#include "checks/input/pipeline_of.h"

#include "checks/op_name.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_order(const char *word, size_t length)
{
    if (length != 3)
        return false;
    bool seen[3] = {false, false, false};
    for (size_t i = 0; i < 3; i++) {
        const char *at = strchr("rgb", tolower((unsigned char)word[i]));
        if (!at || !*at)
            return false;
        seen[at - "rgb"] = true;
    }
    return seen[0] && seen[1] && seen[2];
}

/* Finds `channels: bgr` in a pipeline file, outside comments. */
static bool find_channels(const char *text, size_t size, char letters[4])
{
    static const char key[] = "channels:";
    for (size_t i = 0; i + sizeof key - 1 < size; i++) {
        if (text[i] == '#') {
            while (i < size && text[i] != '\n')
                i++;
            continue;
        }
        if (memcmp(text + i, key, sizeof key - 1) != 0)
            continue;
        size_t at = i + sizeof key - 1;
        while (at < size && (text[at] == ' ' || text[at] == '"' || text[at] == '\''))
            at++;
        size_t end = at;
        while (end < size && isalpha((unsigned char)text[end]))
            end++;
        if (!is_order(text + at, end - at))
            continue;
        for (size_t k = 0; k < 3; k++)
            letters[k] = (char)toupper((unsigned char)text[at + k]);
        return true;
    }
    return false;
}

static bool ends_with(const char *name, const char *end)
{
    const size_t length = strlen(name), of_end = strlen(end);
    return length > of_end && strcmp(name + length - of_end, end) == 0;
}

bool xr_is_pipeline_file(const exray_attachment *attachment)
{
    const char *name = attachment->name;
    return xr_has_word(name, "pipeline") || ends_with(name, ".yaml") || ends_with(name, ".yml");
}

/* The text of a log's pipeline file, of `slot` until its next use; NULL: it has none. */
static const char *text_of(const exray_log *log, exray_slot *slot, size_t *size)
{
    for (size_t i = 0; slot && i < exray_log_attachment_count(log); i++) {
        const exray_attachment *a = exray_log_attachment(log, i);
        const void *data;
        exray_error error;
        if (xr_is_pipeline_file(a) && a->size < 1 << 20 &&
            exray_log_read_attachment(log, i, slot, &data, size, &error) == EXRAY_OK)
            return data ? data : "";
    }
    return NULL;
}

bool xr_has_pipeline(const exray_comparison *comparison, exray_side side, char channels[4])
{
    exray_slot *slot = exray_slot_new();
    size_t size = 0;
    const char *text = text_of(exray_comparison_log(comparison, side), slot, &size);
    if (text && channels && !find_channels(text, size, channels))
        memcpy(channels, "RGB", sizeof "RGB");
    exray_slot_free(slot);
    return text != NULL;
}

/* The number that a text begins with; 0: none, or no rate. */
static double whole_rate(const char *text, size_t size)
{
    double rate = 0;
    size_t at = 0;
    for (; at < size && at < 7 && isdigit((unsigned char)text[at]); at++)
        rate = 10 * rate + (text[at] - '0');
    const bool ends = at == size || strchr(" \t\r\n,}#", text[at]);
    return ends && rate <= 768000 ? rate : 0;
}

static bool is_key(const char *text, size_t size, size_t at, const char *key)
{
    const size_t length = strlen(key);
    const char before = at ? text[at - 1] : '\n';
    return size - at > length && memcmp(text + at, key, length) == 0 && text[at + length] == ':' &&
           (before == '{' || before == ',' || isspace((unsigned char)before));
}

/* Finds `rate: 16000` below `audio`, outside comments. */
static double find_rate(const char *text, size_t size)
{
    bool inside = false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '#')
            while (i + 1 < size && text[i] != '\n')
                i++;
        inside = inside || is_key(text, size, i, "audio");
        if (!inside || !is_key(text, size, i, "rate"))
            continue;
        i += sizeof "rate:" - 1;
        while (i < size && text[i] == ' ')
            i++;
        return whole_rate(text + i, size - i);
    }
    return 0;
}

static double rate_of(const exray_log *log, exray_slot *slot)
{
    const char *told = exray_log_metadata(log, "audio.rate");
    size_t size = told ? strlen(told) : 0;
    double rate = told ? whole_rate(told, size) : 0;
    const char *text = rate > 0 ? NULL : text_of(log, slot, &size);
    return text ? find_rate(text, size) : rate;
}

double xr_pipeline_rate(const exray_comparison *comparison)
{
    double rate[2];
    for (int s = 0; s < 2; s++) {
        exray_slot *slot = exray_slot_new();
        rate[s] = rate_of(exray_comparison_log(comparison, (exray_side)s), slot);
        exray_slot_free(slot);
    }
    if (rate[0] > 0 && rate[1] > 0 && rate[0] != rate[1])
        return 0;
    return fmax(rate[0], rate[1]);
}

xr_key_words xr_pipeline_key(const exray_comparison *comparison, const char *format, ...)
{
    xr_key_words out = {""};
    char key[128];
    va_list values;
    va_start(values, format);
    vsnprintf(key, sizeof key, format, values);
    va_end(values);
    if (xr_has_pipeline(comparison, EXRAY_SIDE_REFERENCE, NULL) ||
        xr_has_pipeline(comparison, EXRAY_SIDE_EDGE, NULL))
        snprintf(out.text, sizeof out.text, "pipeline: `%s`; ", key);
    return out;
}
