#include "base/json_reader.h"

#include "base/utf8.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

xr_json_reader xr_json_of(const char *text, size_t size)
{
    return (xr_json_reader){text, text, text + size, NULL};
}

static bool fail(xr_json_reader *r, const char *fault)
{
    if (!r->fault)
        r->fault = fault;
    return false;
}

/* The next byte that is no space; 0: a fault, or the end. */
static char peek(xr_json_reader *r)
{
    while (!r->fault && r->at < r->end &&
           (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
        r->at++;
    if (r->fault)
        return 0;
    if (r->at == r->end || !*r->at)
        fail(r, r->at == r->end ? "it ends early" : "a zero byte is no JSON");
    return r->fault ? 0 : *r->at;
}

bool xr_json_enter(xr_json_reader *r, char bracket)
{
    if (peek(r) != bracket)
        return fail(r, bracket == '{' ? "an object is expected" : "a list is expected");
    r->at++;
    return true;
}

/* Whether something follows before the closing bracket, which is passed. */
static bool follows(xr_json_reader *r, char bracket)
{
    char next = peek(r);
    if (next == ',') {
        r->at++;
        next = peek(r);
    }
    if (next == bracket)
        r->at++;
    return next && next != bracket;
}

bool xr_json_item(xr_json_reader *r)
{
    return follows(r, ']');
}

bool xr_json_key(xr_json_reader *r, char *key, size_t size)
{
    size_t length;
    if (!follows(r, '}') || !xr_json_text(r, key, size, &length))
        return false;
    if (peek(r) != ':')
        return fail(r, "a colon is expected");
    r->at++;
    return true;
}

static bool is_word(xr_json_reader *r, const char *word)
{
    const size_t length = strlen(word);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
        return false;
    r->at += length;
    return true;
}

bool xr_json_number(xr_json_reader *r, double *out)
{
    char text[64];
    size_t length = 0;
    *out = NAN;
    if (!peek(r))
        return false;
    if (is_word(r, "null") || is_word(r, "NaN") || is_word(r, "Infinity") || is_word(r, "-Infinity"))
        return true;
    while (r->at < r->end && length < sizeof text - 1 && *r->at && strchr("+-.0123456789eE", *r->at))
        text[length++] = *r->at++;
    text[length] = '\0';
    char *end;
    *out = strtod(text, &end);
    return length && !*end ? true : fail(r, "a number is expected");
}

bool xr_json_flag(xr_json_reader *r, bool *out)
{
    double number;
    *out = false;
    if (!peek(r))
        return false;
    if (is_word(r, "true"))
        return *out = true;
    if (is_word(r, "false"))
        return true;
    if (!xr_json_number(r, &number))
        return false;
    *out = isfinite(number) && number != 0;
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The four digits of \uXXXX; -1: they are none. */
static long read_hex(xr_json_reader *r)
{
    long value = 0;
    if (r->end - r->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const int digit = hex_digit(r->at[i]);
        if (digit < 0)
            return -1;
        value = 16 * value + digit;
    }
    r->at += 4;
    return value;
}

/* Behind \u: a character, of two such where it takes both.  Halves alone become U+FFFD. */
static long read_escaped(xr_json_reader *r)
{
    const long first = read_hex(r);
    if (first < 0xD800 || first > 0xDFFF)
        return first;
    if (first > 0xDBFF || r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u')
        return 0xFFFD;
    r->at += 2;
    const long second = read_hex(r);
    return second < 0                           ? -1
           : second < 0xDC00 || second > 0xDFFF ? 0xFFFD
                                                : 0x10000 + ((first - 0xD800) << 10) + second - 0xDC00;
}

/* One character of a text, as it is meant; 0: a fault. */
static size_t read_character(xr_json_reader *r, char out[4])
{
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    out[0] = *r->at++;
    if (out[0] != '\\')
        return 1;
    const char kind = r->at < r->end ? *r->at++ : 0;
    if (kind == 'u') {
        const long code = read_escaped(r);
        if (code >= 0)
            return xr_utf8_encode((uint32_t)code, out);
    }
    const char *found = kind ? strchr(escapes, kind) : NULL;
    if (!found) {
        fail(r, "an escape in a text is none");
        return 0;
    }
    out[0] = meant[found - escapes];
    return 1;
}

bool xr_json_text(xr_json_reader *r, char *to, size_t room, size_t *size)
{
    size_t used = 0;
    bool fits = true;
    *size = 0;
    if (room)
        *to = '\0';
    if (peek(r) != '"')
        return fail(r, "a text is expected");
    r->at++;
    while (r->at < r->end && *r->at != '"') {
        char character[4];
        const size_t length = read_character(r, character);
        if (length == 0)
            return false;
        *size += length;
        fits = fits && used + length < room;
        if (fits) {
            memcpy(to + used, character, length);
            used += length;
            to[used] = '\0';
        }
    }
    if (r->at == r->end)
        return fail(r, "a text does not end");
    r->at++;
    return true;
}

bool xr_json_skip(xr_json_reader *r)
{
    uint64_t depth = 0;
    size_t size;
    do {
        const char next = peek(r);
        if (next == '"') {
            xr_json_text(r, NULL, 0, &size);
        } else if (next) {
            depth += next == '{' || next == '[';
            if ((next == '}' || next == ']') && depth-- == 0)
                return fail(r, "a value is expected");
            r->at++;
            if (!strchr("{}[],:", next))
                while (r->at < r->end && !strchr(" \n\t\r{}[],:\"", *r->at))
                    r->at++;
        }
    } while (!r->fault && depth);
    return !r->fault;
}

size_t xr_json_line(const xr_json_reader *r)
{
    size_t line = 1;
    for (const char *c = r->begin; c < r->at; c++)
        line += *c == '\n';
    return line;
}
