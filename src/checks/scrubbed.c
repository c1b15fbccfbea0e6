#include "checks/scrubbed.h"

#include <stdio.h>
#include <string.h>

/* Whether one pattern of a topic, of `n` characters, can stand for tensors or results. */
static bool is_of_values(const char *pattern, size_t n)
{
    static const char *const topics[] = {"/input", "/sensor", "/output", "/layer",    "/layers",   "/result",
                                         "/state", "/stage",  "/truth",  "/constant", "/constants"};
    const char *const wild = memchr(pattern, '*', n), *const choice = memchr(pattern, '[', n),
                      *const any = memchr(pattern, '?', n);
    const char *slash = n > 1 ? memchr(pattern + 1, '/', n - 1) : NULL;
    const size_t first = slash ? (size_t)(slash - pattern) : n;
    const char *const special[] = {wild, choice, any};
    for (int i = 0; i < 3; i++)
        if (special[i] && special[i] < pattern + first)
            return true;
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (strlen(topics[i]) == first && memcmp(topics[i], pattern, first) == 0)
            return true;
    return false;
}

/* The patterns of a list that can, separated by commas, into `out`; how many. */
static size_t patterns_of_values(const char *list, char *out, size_t size)
{
    size_t count = 0, used = 0;
    *out = 0;
    for (const char *at = list; *at; at += *at == ',') {
        const size_t n = strcspn(at, ",");
        if (n && is_of_values(at, n)) {
            const int wrote =
                snprintf(out + used, size - used, "%s%.*s", count ? ", " : "", (int)(n < 60 ? n : 60), at);
            count++;
            if (wrote < 0 || (size_t)wrote >= size - used) {
                memcpy(out + size - 4, "...", 4);
                return count;
            }
            used += (size_t)wrote;
        }
        at += n;
    }
    return count;
}

/* Adds what was done with the patterns of a key. */
static void add_patterns(const char *what, const char *list, char *text, size_t size)
{
    char patterns[120];
    const size_t used = strlen(text);
    if (patterns_of_values(list, patterns, sizeof patterns))
        snprintf(text + used, size - used, "%s%s %s", used ? "; " : "", what, patterns);
}

bool xr_scrubbed_next(const exray_log *log, xr_scrubbed_walk *walk, const char **what, const char **patterns)
{
    const char *name;
    const exray_key_value *pairs;
    for (;; walk->record++, walk->pair = 0) {
        const size_t count = exray_log_metadata_at(log, walk->record, &name, &pairs);
        if (!name)
            return false;
        while (strcmp(name, "exray.scrub") == 0 && walk->pair < count) {
            const exray_key_value *pair = &pairs[walk->pair++];
            const bool drop = strcmp(pair->key, "drop") == 0;
            if (!drop && strcmp(pair->key, "stats") != 0)
                continue;
            *what = drop ? "without" : "statistics alone of";
            *patterns = pair->value;
            return true;
        }
    }
}

/* "without /sensor/x; statistics alone of /input/x"; "" where nothing of values went. */
static void taken_out(const exray_log *log, char *text, size_t size)
{
    xr_scrubbed_walk walk = {0};
    const char *what, *patterns;
    *text = 0;
    while (xr_scrubbed_next(log, &walk, &what, &patterns))
        add_patterns(what, patterns, text, size);
}

void xr_scrubbed_words(const exray_comparison *comparison, char *text, size_t size)
{
    static const char *const sides[2] = {"edge", "reference"};
    *text = 0;
    for (int s = 0; s < 2; s++) {
        char taken[280];
        const size_t used = strlen(text);
        taken_out(exray_comparison_log(comparison, (exray_side)s), taken, sizeof taken);
        if (*taken)
            snprintf(text + used, size - used, "%sthe %s log was scrubbed (%s)", used ? ", " : "", sides[s],
                     taken);
    }
}

void xr_scrubbed_instead(char *message, size_t size, const char *words)
{
    char *capture = *words ? strstr(message, "--capture") : NULL, *from = NULL;
    if (!capture)
        return;
    for (char *at = message; at < capture; at++)
        if ((*at == ':' || *at == ';' || *at == '(') &&
            (strncmp(at, ": record ", 9) == 0 || strncmp(at, "; record ", 9) == 0 || at + 1 == capture))
            from = at;
    if (!from)
        return;
    while (from > message && from[-1] == ' ')
        from--;
    snprintf(from, size - (size_t)(from - message), ": %s", words);
}
