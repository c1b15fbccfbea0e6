#include "core/host/log_names.h"

#include "core/encode/text.h"
#include <string.h>

static void put_digits(char *to, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        to[i] = (char)('0' + value % 10);
}

void xr_log_time(uint64_t wall, char out[XR_LOG_TIME])
{
    const uint64_t seconds = wall / 1000000000u, days = seconds / 86400, of_day = seconds % 86400;
    /* Years from March on, in eras of 400: the leap day is a year's last, and 146097 days an era.
     * 1970-01-01 is day 719468 since 0000-03-01. */
    const uint64_t since = days + 719468, era = since / 146097, of_era = since % 146097;
    const uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const uint64_t month = (5 * of_year + 2) / 153; /* 0: March */
    put_digits(out, year + era * 400 + (month >= 10), 4);
    put_digits(out + 4, month < 10 ? month + 3 : month - 9, 2);
    put_digits(out + 6, of_year - (153 * month + 2) / 5 + 1, 2);
    out[8] = 'T';
    put_digits(out + 9, of_day / 3600, 2);
    put_digits(out + 11, of_day / 60 % 60, 2);
    put_digits(out + 13, of_day % 60, 2);
    out[15] = 'Z';
    out[16] = 0;
}

size_t xr_log_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash + 1 - path) : 0;
}

bool xr_log_has(const char *path, char letter)
{
    for (; *path; path++)
        if (path[0] == '%' && path[1] == letter)
            return true;
    return false;
}

bool xr_log_insert(const char *path, const char *what, char out[XR_LOG_PATH])
{
    const char *dot = strrchr(path + xr_log_folder(path), '.');
    const size_t size = strlen(path);
    const size_t before = dot && dot != path + xr_log_folder(path) ? (size_t)(dot - path) : size;
    if (size + strlen(what) >= XR_LOG_PATH)
        return false;
    xr_text_builder text = xr_text_in(out, XR_LOG_PATH);
    xr_text_add_part(&text, path, before);
    xr_text_add(&text, what);
    xr_text_add(&text, path + before);
    return true;
}

/* Four digits at least: names then sort as numbers do. */
static void add_number(xr_text_builder *text, uint64_t number)
{
    static const char zeros[] = "0000";
    int digits = 1;
    for (uint64_t n = number; n >= 10; n /= 10)
        digits++;
    xr_text_add(text, zeros + (digits < 4 ? digits : 4));
    xr_text_add_number(text, number);
}

bool xr_log_expand(const char *pattern, const char *time, uint64_t number, char out[XR_LOG_PATH])
{
    size_t size = strlen(pattern);
    for (const char *at = pattern; *at; at++)
        size += at[0] == '%' && (at[1] == 't' || at[1] == 'n') ? 20 : 0;
    if (size >= XR_LOG_PATH)
        return false;
    xr_text_builder text = xr_text_in(out, XR_LOG_PATH);
    for (; *pattern; pattern++) {
        const bool is_time = pattern[0] == '%' && pattern[1] == 't';
        if (is_time)
            xr_text_add(&text, time);
        else if (pattern[0] == '%' && pattern[1] == 'n')
            add_number(&text, number);
        else
            xr_text_add(&text, (char[]){*pattern, 0});
        pattern += pattern[0] == '%' && (pattern[1] == 't' || pattern[1] == 'n');
    }
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_time(const char **name, char time[XR_LOG_TIME])
{
    for (int i = 0; i < XR_LOG_TIME - 1; i++) {
        const char c = (*name)[i];
        if (i == 8 ? c != 'T' : i == 15 ? c != 'Z' : !is_digit(c))
            return false;
        time[i] = c;
    }
    time[XR_LOG_TIME - 1] = 0;
    *name += XR_LOG_TIME - 1;
    return true;
}

static bool take_number(const char **name, uint64_t *number)
{
    const char *from = *name;
    *number = 0;
    for (; is_digit(**name) && *name - from < 18; (*name)++)
        *number = *number * 10 + (uint64_t)(**name - '0');
    return *name - from >= 4;
}

bool xr_log_matches(const char *pattern, const char *name, char time[XR_LOG_TIME], uint64_t *number)
{
    for (; *pattern; pattern++) {
        const char letter = pattern[0] == '%' ? pattern[1] : 0;
        if (letter == 't' || letter == 'n') {
            if (letter == 't' ? !take_time(&name, time) : !take_number(&name, number))
                return false;
            pattern++;
        } else if (*pattern != *name++) {
            return false;
        }
    }
    return !*name;
}
