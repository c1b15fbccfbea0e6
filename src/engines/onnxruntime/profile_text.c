/* The text of ONNX Runtime's profiles: an array of flat objects, each with an object "args" that is skipped.
 * Read byte by byte, with room for one event: a device has no JSON library, and a frame no time to build a
 * tree. */
#define _POSIX_C_SOURCE 200809L
#include "engines/onnxruntime/profile_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What ONNX Runtime adds to the name of a node that it has fused or blocked. */
static size_t without_ending(const char *name, size_t n)
{
    static const char blocked[] = "_nchwc", fused[] = "_token_";
    if (n > sizeof blocked - 1 && memcmp(name + n - (sizeof blocked - 1), blocked, sizeof blocked - 1) == 0)
        return n - (sizeof blocked - 1);
    size_t digits = n;
    while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
        digits--;
    if (digits < n && digits > sizeof fused - 1 &&
        memcmp(name + digits - (sizeof fused - 1), fused, sizeof fused - 1) == 0)
        return digits - (sizeof fused - 1);
    return n;
}

/* "NAME_kernel_time" is the node NAME. */
static bool node_name(const char *event, char name[1000])
{
    static const char end[] = "_kernel_time";
    size_t n = strlen(event);
    if (n <= sizeof end - 1 || strcmp(event + n - (sizeof end - 1), end) != 0)
        return false;
    n = without_ending(event, n - (sizeof end - 1));
    snprintf(name, 1000, "%.*s", (int)(n < 999 ? n : 999), event);
    return true;
}

/* ---- The text ------------------------------------------------------------------------- */

enum { LIST = 1, EVENT = 2 }; /* depths */

typedef struct scanner {
    void (*seen)(void *user, const xr_ort_event *event);
    void *user;
    unsigned depth;
    bool in_string, escaped, in_value;
    char key[16];
    char text[1200]; /* the current string or number; longer ones are cut */
    size_t length;
    bool node; /* the event's category is "Node" */
    char name[1200];
    double begin, duration; /* microseconds; -1: unknown */
    double first;           /* begin of the first event */
} scanner;

static void end_event(scanner *s)
{
    xr_ort_event event;
    if (!s->node || !(s->begin >= 0) || !(s->duration >= 0) || s->duration > 1e12 ||
        !node_name(s->name, event.name))
        return;
    if (s->first < 0)
        s->first = s->begin;
    double since = s->begin > s->first ? s->begin - s->first : 0;
    event.start_ns = (uint64_t)(since < 1e12 ? since * 1000 : 0);
    event.duration_ns = (uint64_t)(s->duration * 1000);
    s->seen(s->user, &event);
}

/* The current text is the value of the key. */
static void end_value(scanner *s, bool string)
{
    s->text[s->length] = '\0';
    if (s->depth == EVENT && s->in_value) {
        if (string && strcmp(s->key, "cat") == 0)
            s->node = strcmp(s->text, "Node") == 0;
        else if (string && strcmp(s->key, "name") == 0)
            memcpy(s->name, s->text, s->length + 1);
        else if (!string && s->length && strcmp(s->key, "ts") == 0)
            s->begin = strtod(s->text, NULL);
        else if (!string && s->length && strcmp(s->key, "dur") == 0)
            s->duration = strtod(s->text, NULL);
    } else if (string && s->depth == EVENT)
        snprintf(s->key, sizeof s->key, "%.15s", s->text);
    s->length = 0;
}

static void keep(scanner *s, char c)
{
    if (s->length + 1 < sizeof s->text)
        s->text[s->length++] = c;
}

static void open_level(scanner *s)
{
    s->depth++;
    s->length = 0;
    s->in_value = false;
    if (s->depth != EVENT)
        return;
    s->node = false;
    s->name[0] = s->key[0] = '\0';
    s->begin = s->duration = -1;
}

static void close_level(scanner *s)
{
    end_value(s, false);
    if (s->depth == EVENT)
        end_event(s);
    s->depth -= s->depth > 0;
    s->in_value = false;
}

static void take_string(scanner *s, char c)
{
    if (s->escaped || (c != '"' && c != '\\')) {
        s->escaped = false;
        keep(s, c); /* names have escapes of quotes and of path separators only */
    } else if (c == '\\')
        s->escaped = true;
    else {
        s->in_string = false;
        end_value(s, true);
    }
}

static void take(scanner *s, char c)
{
    if (s->in_string)
        take_string(s, c);
    else if (c == '"') {
        s->in_string = true;
        s->length = 0;
    } else if (c == '{' || c == '[')
        open_level(s);
    else if (c == '}' || c == ']')
        close_level(s);
    else if (c == ':') {
        s->in_value = true;
        s->length = 0;
    } else if (c == ',') {
        end_value(s, false);
        s->in_value = false;
    } else if (c > ' ')
        keep(s, c);
}

void xr_ort_read_profile(int fd, void (*seen)(void *user, const xr_ort_event *event), void *user)
{
    scanner s = {.seen = seen, .user = user, .first = -1};
    char block[4096];
    for (;;) {
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        for (ssize_t i = 0; i < got; i++)
            take(&s, block[i]);
    }
}
