/* Text into HTML and JSON. */
#include "report/html/text/html_text.h"

#include "base/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* The character at `at`, and its length: 1 and U+FFFD where the bytes are no UTF-8. */
static uint32_t decode(const char *at, size_t *length)
{
    uint32_t code;
    size_t size = xr_utf8_decode(at, XR_UTF8_MOST, &code);
    *length = size ? size : 1;
    return code;
}

/* Controls, and marks that change the direction of writing, which could make a name look like another. */
static bool is_unseen(uint32_t c)
{
    return (c < 0x20 && c != '\n') || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
           (c & 0xFFFE) == 0xFFFE || (c >= 0xFFF0 && c < 0xFFFD);
}

static void put_character(FILE *out, const char *at, size_t length, uint32_t c)
{
    if (c == 0xFFFD || is_unseen(c))
        fputs("\xEF\xBF\xBD", out);
    else
        fwrite(at, 1, length, out);
}

static void put_escaped(FILE *out, const char *text, bool prose)
{
    const char *at = text ? text : "";
    size_t length;
    bool code = false;
    for (size_t used = 0; *at; at += length, used += length) {
        if (used >= XR_TEXT_MOST) {
            fputs("\xE2\x80\xA6", out);
            break;
        }
        uint32_t c = decode(at, &length);
        if (prose && c == '`' && (code || strchr(at + 1, '`'))) {
            fputs(code ? "</code>" : "<code>", out);
            code = !code;
            continue;
        }
        switch (c) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            put_character(out, at, length, c);
        }
    }
    if (code)
        fputs("</code>", out);
}

void xr_put_prose(FILE *out, const char *text)
{
    put_escaped(out, text, true);
}

void xr_put_json_text(FILE *out, const char *text)
{
    const char *at = text ? text : "";
    size_t length;
    fputc('"', out);
    for (size_t used = 0; *at && used < XR_TEXT_MOST; at += length, used += length) {
        uint32_t c = decode(at, &length);
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", (int)c);
        else if (c < 0x20 || c == '<' || c == '>' || c == '&' || c == '\'')
            fprintf(out, "\\u%04x", (unsigned)c);
        else
            put_character(out, at, length, c);
    }
    fputc('"', out);
}

void xr_put_json_number(FILE *out, double value, int digits)
{
    if (isfinite(value))
        fprintf(out, "%.*g", digits, value);
    else
        fputs("null", out);
}

void xr_put_base64(FILE *out, const uint8_t *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t three = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                         (left > 2 ? data[i + 2] : 0);
        fputc(digits[three >> 18], out);
        fputc(digits[three >> 12 & 63], out);
        fputc(left > 1 ? digits[three >> 6 & 63] : '=', out);
        fputc(left > 2 ? digits[three & 63] : '=', out);
    }
}

/* ---- Formats --------------------------------------------------------------------------- */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* parts of a literal that was checked */
/* One conversion that is not %s: `spec` is its text, from % to the letter. */
static void put_one(FILE *out, const char *spec, va_list *arguments)
{
    size_t length = strlen(spec);
    char kind = spec[length - 1];
    if (kind == 'f' || kind == 'g')
        fprintf(out, spec, va_arg(*arguments, double));
    else if (strstr(spec, "zu"))
        fprintf(out, spec, va_arg(*arguments, size_t));
    else if (strstr(spec, "lld"))
        fprintf(out, spec, va_arg(*arguments, long long));
    else if (strstr(spec, "llu"))
        fprintf(out, spec, va_arg(*arguments, unsigned long long));
    else if (kind == 'u')
        fprintf(out, spec, va_arg(*arguments, unsigned));
    else
        fprintf(out, spec, va_arg(*arguments, int)); /* d, c */
}
#pragma GCC diagnostic pop

void xr_put(FILE *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    while (*format) {
        size_t plain = strcspn(format, "%");
        fwrite(format, 1, plain, out);
        format += plain;
        if (*format == '\0')
            break;
        size_t length = 1 + strcspn(format + 1, "%csdufg") + 1;
        char spec[16] = "";
        if (length < sizeof spec)
            memcpy(spec, format, length);
        format += length;
        if (strcmp(spec, "%%") == 0)
            fputc('%', out);
        else if (strcmp(spec, "%s") == 0)
            put_escaped(out, va_arg(arguments, const char *), false);
        else if (*spec)
            put_one(out, spec, &arguments);
    }
    va_end(arguments);
}

const char *xr_number(xr_number_text buffer, double value)
{
    if (isnan(value))
        strcpy(buffer, "\xE2\x80\x93");
    else if (isinf(value))
        strcpy(buffer, value > 0 ? "\xE2\x88\x9E" : "\xE2\x88\x92\xE2\x88\x9E");
    else
        snprintf(buffer, sizeof(xr_number_text), "%s%.3g", value < 0 ? "\xE2\x88\x92" : "", fabs(value));
    return buffer;
}

const char *xr_milliseconds(xr_number_text buffer, double nanoseconds)
{
    double ms = nanoseconds / 1e6;
    if (isnan(ms))
        strcpy(buffer, "\xE2\x80\x93");
    else
        snprintf(buffer, sizeof(xr_number_text), ms < 0.1 ? "%.3f ms" : ms < 10 ? "%.2f ms" : "%.1f ms", ms);
    return buffer;
}

const char *xr_short_name(xr_name_text buffer, const char *name)
{
    int first = (int)strcspn(name, ";");
    if (first == 0)
        strcpy(buffer, "(no name)");
    else
        snprintf(buffer, sizeof(xr_name_text), "%.*s", first > 200 ? 200 : first, name);
    return buffer;
}

const char *xr_side_name(exray_side side)
{
    return side == EXRAY_SIDE_EDGE ? "edge" : "reference";
}

const char *xr_role_class(exray_layer_role role)
{
    static const char *const names[] = {"clean", "origin", "passes", "unjudged"};
    return names[role <= EXRAY_LAYER_ROLE_UNJUDGED ? role : EXRAY_LAYER_ROLE_UNJUDGED];
}

const char *xr_role_words(exray_layer_role role)
{
    static const char *const words[] = {"within noise", "wrong by itself", "passes an error on",
                                        "not judged"};
    return words[role <= EXRAY_LAYER_ROLE_UNJUDGED ? role : EXRAY_LAYER_ROLE_UNJUDGED];
}
