#include "checks/input/pipeline_of.h"

#include <ctype.h>
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

bool xr_is_pipeline_file(const exray_attachment *attachment)
{
    const size_t length = strlen(attachment->name);
    return strstr(attachment->name, "pipeline") ||
           (length > 5 && strcmp(attachment->name + length - 5, ".yaml") == 0);
}

bool xr_has_pipeline(const exray_comparison *comparison, exray_side side, char channels[4])
{
    const exray_log *log = exray_comparison_log(comparison, side);
    exray_slot *slot = exray_slot_new();
    bool found = false;
    for (size_t i = 0; slot && !found && i < exray_log_attachment_count(log); i++) {
        const exray_attachment *a = exray_log_attachment(log, i);
        const void *data;
        size_t size;
        exray_error error;
        if (!xr_is_pipeline_file(a) || a->size >= 1 << 20 ||
            exray_log_read_attachment(log, i, slot, &data, &size, &error) != EXRAY_OK)
            continue;
        found = true;
        if (channels && !find_channels(data, size, channels))
            memcpy(channels, "RGB", sizeof "RGB");
    }
    exray_slot_free(slot);
    return found;
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
