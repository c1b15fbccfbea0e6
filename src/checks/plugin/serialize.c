#include "checks/plugin/serialize.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 64 << 10 }; /* bytes of one string; longer ones are cut */

/* ---- Writing ---------------------------------------------------------------------- */

static void put_u32(xr_reply *b, size_t value)
{
    uint32_t v = (uint32_t)value;
    xr_reply_add(b, &v, sizeof v);
}

static void put_double(xr_reply *b, double value)
{
    xr_reply_add(b, &value, sizeof value);
}

/* Length + 1, so that 0 is NULL. */
static void put_text(xr_reply *b, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    if (length > TEXT_LIMIT)
        length = TEXT_LIMIT;
    put_u32(b, text ? length + 1 : 0);
    xr_reply_add(b, text, length);
}

static void put_finding(xr_reply *b, const exray_finding *f)
{
    put_text(b, f->cause);
    put_u32(b, (size_t)f->severity);
    put_double(b, f->confidence);
    put_text(b, f->summary);
    put_text(b, f->fix);
    put_text(b, f->stage);
    put_text(b, f->tensor);
    put_u32(b, f->layer);
    put_u32(b, f->detail_count);
    for (size_t i = 0; i < f->detail_count; i++)
        put_text(b, f->detail[i]);
    put_u32(b, f->evidence_count);
    for (size_t i = 0; i < f->evidence_count; i++) {
        put_text(b, f->evidence[i].key);
        put_text(b, f->evidence[i].text);
        put_double(b, f->evidence[i].number);
    }
    put_u32(b, f->alternative_count);
    for (size_t i = 0; i < f->alternative_count; i++) {
        put_text(b, f->alternative[i].cause);
        put_double(b, f->alternative[i].confidence);
    }
}

void xr_findings_serialize(const exray_findings *from, exray_status status, const exray_error *error,
                           xr_reply *to)
{
    char message[sizeof error->message];
    memcpy(message, error->message, sizeof message);
    message[sizeof message - 1] = '\0';
    put_u32(to, (size_t)status);
    put_text(to, message);
    put_u32(to, from->refused);
    put_u32(to, from->out_of_memory);
    put_u32(to, from->count);
    for (const exray_finding *f = from->first; f; f = f->next)
        put_finding(to, f);
}

/* ---- Reading ---------------------------------------------------------------------- */

typedef struct reply_reader {
    const uint8_t *at, *end;
    bool broken;
    char *text[2]; /* the last two strings read: two are used at a time */
    unsigned turn;
} reply_reader;

static void take(reply_reader *r, void *out, size_t size)
{
    memset(out, 0, size);
    if (r->broken || (size_t)(r->end - r->at) < size) {
        r->broken = true;
        return;
    }
    memcpy(out, r->at, size);
    r->at += size;
}

static uint32_t take_u32(reply_reader *r)
{
    uint32_t v;
    take(r, &v, sizeof v);
    return v;
}

static double take_double(reply_reader *r)
{
    double v;
    take(r, &v, sizeof v);
    return v;
}

/* Bytes of the UTF-8 character at `p`; 0 where it is not valid. */
static size_t character_size(const unsigned char *p)
{
    size_t size = *p < 0x80                 ? 1
                  : *p >= 0xC2 && *p < 0xE0 ? 2
                  : *p >= 0xE0 && *p < 0xF0 ? 3
                  : *p >= 0xF0 && *p < 0xF5 ? 4
                                            : 0;
    for (size_t i = 1; i < size; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, and code points beyond Unicode are not valid. */
    bool none = (*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] >= 0xA0) || (*p == 0xF0 && p[1] < 0x90) ||
                (*p == 0xF4 && p[1] >= 0x90);
    return none ? 0 : size;
}

/* Replaces control characters that a terminal would act on by blanks, and invalid UTF-8 by
 * question marks. */
static void clean(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p;) {
        size_t size = character_size(p);
        if (size == 0)
            *p = '?';
        else if (*p == 033 || *p == '\r' || *p == '\n' || *p == '\b' || *p == 0x7F ||
                 (*p == 0xC2 && p[1] < 0xA0))
            *p = size == 1 ? ' ' : '?';
        p += size > 1 && *p != '?' ? size : 1;
    }
}

/* NULL where there is none; valid until the second call from here. */
static const char *take_text(reply_reader *r)
{
    uint32_t size = take_u32(r);
    if (size == 0 || r->broken)
        return NULL;
    size--;
    if ((size_t)(r->end - r->at) < size) {
        r->broken = true;
        return NULL;
    }
    char *text = malloc((size_t)size + 1);
    if (!text) {
        r->broken = true;
        return NULL;
    }
    memcpy(text, r->at, size);
    text[size] = '\0';
    r->at += size;
    clean(text);
    free(r->text[r->turn & 1]);
    return r->text[r->turn++ & 1] = text;
}

/* Records the first violation; later ones are ignored. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
misuse(xr_run *run, const char *format, ...)
{
    if (run->status != EXRAY_OK)
        return;
    va_list arguments;
    va_start(arguments, format);
    run->status = EXRAY_E_ARGUMENT;
    vsnprintf(run->message, sizeof run->message, format, arguments);
    va_end(arguments);
}

static bool may_name(const exray_assertion *a, const char *cause)
{
    for (const char *const *c = a->causes; c && *c; c++)
        if (strcmp(*c, cause) == 0)
            return true;
    size_t length = strspn(cause, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
    return strncmp(cause, "user.", 5) == 0 && cause[5] && !cause[length] && length <= 80;
}

static void take_lists(reply_reader *r, exray_finding *f)
{
    for (uint32_t n = take_u32(r); n && !r->broken; n--) {
        const char *text = take_text(r);
        exray_finding_detail(f, "%s", text ? text : "");
    }
    for (uint32_t n = take_u32(r); n && !r->broken; n--) {
        const char *key = take_text(r), *text = take_text(r);
        double number = take_double(r);
        if (r->broken || !key)
            continue;
        if (text)
            exray_finding_text(f, key, text);
        else
            exray_finding_number(f, key, number);
    }
    for (uint32_t n = take_u32(r); n && !r->broken; n--) {
        const char *cause = take_text(r);
        double confidence = take_double(r);
        if (cause && !r->broken)
            exray_finding_alternative(f, cause, confidence >= 0 && confidence <= 1 ? confidence : 0);
    }
}

static void take_where(reply_reader *r, exray_finding *f, size_t layers, xr_run *run)
{
    const char *stage = take_text(r), *tensor = take_text(r);
    uint32_t layer = take_u32(r);
    if (layer != EXRAY_NO_INDEX && layer >= layers) {
        misuse(run, "gave layer %u as the place of %s; there are %zu", (unsigned)layer, f->cause, layers);
        layer = EXRAY_NO_INDEX;
    }
    exray_finding_where(f, stage, tensor, layer);
}

static void take_finding(reply_reader *r, size_t layers, exray_findings *to, xr_run *run)
{
    exray_findings nowhere = {.assertion = to->assertion}; /* takes a finding that is left out */
    const char *cause = take_text(r);
    uint32_t severity = take_u32(r);
    double confidence = take_double(r);
    if (r->broken)
        return;
    bool known = cause && may_name(to->assertion, cause);
    if (!known)
        misuse(run, "named the cause '%.100s', which it does not declare and which is no user.NAME; left out",
               cause ? cause : "(NULL)");
    if (severity > EXRAY_SEVERITY_ERROR)
        misuse(run, "gave %s the severity %u; it is taken as an error", cause ? cause : "(NULL)",
               (unsigned)severity);
    if (!(confidence >= 0 && confidence <= 1))
        misuse(run, "gave %s the confidence %g, which is not in 0..1", cause ? cause : "(NULL)", confidence);
    exray_finding *f = exray_findings_add(
        known ? to : &nowhere, known ? cause : "",
        severity > EXRAY_SEVERITY_ERROR ? EXRAY_SEVERITY_ERROR : (exray_severity)severity, confidence);
    const char *summary = take_text(r);
    if (summary)
        exray_finding_summary(f, "%s", summary);
    const char *fix = take_text(r);
    if (fix)
        exray_finding_fix(f, "%s", fix);
    take_where(r, f, layers, run);
    take_lists(r, f);
    xr_findings_clear(&nowhere);
}

void xr_findings_deserialize(const xr_reply *from, size_t layers, exray_findings *to, xr_run *run)
{
    reply_reader r = {.at = from->data, .end = from->data + from->size};
    uint32_t status = take_u32(&r);
    const char *message = take_text(&r);
    if (status != EXRAY_OK) {
        run->status = status <= EXRAY_E_UNSUPPORTED ? (exray_status)status : EXRAY_E_ARGUMENT;
        snprintf(run->message, sizeof run->message, "%s",
                 message && *message ? message : exray_status_name(run->status));
    }
    uint32_t refused = take_u32(&r);
    bool no_memory = take_u32(&r) != 0;
    uint32_t count = take_u32(&r);
    for (uint32_t i = 0; i < count && !r.broken; i++)
        take_finding(&r, layers, to, run);
    if (refused)
        misuse(run, "reported %u findings more than the %u that are taken", (unsigned)refused,
               (unsigned)count);
    if (no_memory)
        misuse(run, "ran out of memory");
    if (r.broken)
        misuse(run, "handed back findings that cannot be read");
    free(r.text[0]);
    free(r.text[1]);
}
