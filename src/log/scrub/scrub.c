#include "log/scrub/scrub.h"

#include "base/error.h"
#include "core/encode/sink.h"
#include "log/scrub/scrub_message.h"

#include <exray/log.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct scrub {
    xr_scrub_rules *rules;
    xr_scrubbed *result;
    const exray_log *log; /* what it is: its model describes tensors */
    exray_error *error;   /* the first problem */
    bool failed;
} scrub;

static void fail(scrub *s, const char *pattern, const char *what)
{
    if (!s->failed)
        xr_error_set(s->error, EXRAY_E_ARGUMENT, "cannot scrub %s: \"%s\" %s", exray_log_path(s->log),
                     pattern, what);
    s->failed = true;
}

/* ---- Messages -------------------------------------------------------------------- */

static bool is_tensor_topic(const char *topic, exray_kind *kind)
{
    for (int k = 0; k < EXRAY_KIND_COUNT; k++) {
        const char *name = exray_kind_name((exray_kind)k);
        const size_t size = strlen(name);
        *kind = (exray_kind)k;
        if (topic[0] == '/' && strncmp(topic + 1, name, size) == 0 && topic[1 + size] == '/')
            return true;
    }
    return false;
}

/* Topics without which nothing reads the log. */
/* Statistics of many tensors in one message. */
static bool is_gathered(const char *topic)
{
    return strcmp(topic, "/layers") == 0 || strcmp(topic, "/constants") == 0;
}

static bool is_needed(const char *topic)
{
    return strcmp(topic, "/frame") == 0 || strcmp(topic, "/model") == 0;
}

static bool keep_topic(void *context, const char *topic)
{
    scrub *s = context;
    xr_scrub_rule *rule;
    exray_kind kind;
    switch (xr_scrub_fate_of(s->rules, topic, &rule)) {
    case XR_SCRUB_DROP:
        if (!is_needed(topic)) {
            rule->met++;
            return false;
        }
        /* A pattern that only happens to match it ("*") means the others. */
        if (strcmp(rule->pattern, topic) == 0)
            fail(s, rule->pattern,
                 "cannot go: a log is nothing without; --drop '/frame/source' takes the names of "
                 "files out of frames");
        return true;
    case XR_SCRUB_STATS:
        if (!is_tensor_topic(topic, &kind) && !is_gathered(topic) && !is_needed(topic))
            fail(s, rule->pattern, "holds no tensors to make statistics of: keep it, or --drop it");
        return true;
    case XR_SCRUB_KEEP:
        break;
    }
    return true;
}

static xr_fate fate_of(bool good)
{
    return good ? XR_FATE_REPLACE : XR_FATE_DROP; /* what is no message may hold anything */
}

static xr_fate rewrite_message(void *context, const char *topic, const uint8_t *content, size_t size,
                               xr_buffer *out)
{
    scrub *s = context;
    xr_scrub_rule *rule;
    exray_kind kind;
    if (strcmp(topic, "/frame") == 0)
        return fate_of(xr_scrub_frame(s->rules, content, size, out));
    if (is_gathered(topic))
        return fate_of(xr_scrub_layers(s->rules, strcmp(topic, "/layers") == 0 ? "layer" : "constant",
                                       content, size, out));
    if (xr_scrub_fate_of(s->rules, topic, &rule) != XR_SCRUB_STATS || !is_tensor_topic(topic, &kind))
        return XR_FATE_KEEP;
    rule->met++;
    s->result->to_stats++;
    return fate_of(xr_scrub_tensor(content, size, kind, exray_log_model(s->log), out));
}

static void count_dropped(void *context, uint64_t messages)
{
    ((scrub *)context)->result->dropped += messages;
}

/* ---- Attachments and metadata ---------------------------------------------------- */

/* "/KIND/NAME" */
static bool drops_named(scrub *s, const char *kind, const char *name)
{
    char topic[1100];
    snprintf(topic, sizeof topic, "/%s/%s", kind, name);
    return xr_scrub_drops(s->rules, topic);
}

static bool keep_attachment(void *context, const char *name)
{
    scrub *s = context;
    const bool dropped = drops_named(s, "attachment", name);
    s->result->dropped_attachments += dropped;
    return !dropped;
}

static void add_text(xr_buffer *out, const char *text, size_t size)
{
    xr_buffer_add_number(out, size, 4);
    xr_buffer_add(out, text, size);
}

/* A pair of a metadata record: whether it stays. */
static bool keep_pair(scrub *s, xr_text key)
{
    char text[256];
    if (key.size >= sizeof text)
        return false;
    memcpy(text, key.data, key.size);
    text[key.size] = '\0';
    /* Without its role it is no log. */
    return strcmp(text, "role") == 0 || !drops_named(s, "metadata", text);
}

static xr_fate rewrite_metadata(void *context, const uint8_t *content, size_t size, xr_buffer *out)
{
    scrub *s = context;
    xr_cursor c = xr_cursor_begin(content, size);
    const xr_text name = xr_cursor_text(&c), map = xr_cursor_text(&c);
    add_text(out, name.data, name.size);
    const size_t at = out->size;
    xr_buffer_add_number(out, 0, 4);
    for (xr_cursor m = xr_cursor_begin(map.data, map.size); !m.bad && m.at != m.end;) {
        const xr_text key = xr_cursor_text(&m), value = xr_cursor_text(&m);
        if (!m.bad && keep_pair(s, key)) {
            add_text(out, key.data, key.size);
            add_text(out, value.data, value.size);
        }
    }
    if (!out->failed)
        xr_store_u32(out->data + at, (uint32_t)(out->size - at - 4));
    return XR_FATE_REPLACE;
}

/* The patterns with commas between them; the caller frees it.  NULL: out of memory. */
static char *pattern_list(const xr_scrub_rule *rules, size_t count)
{
    xr_buffer list = {0};
    for (size_t i = 0; i < count; i++) {
        xr_buffer_add(&list, ",", i > 0);
        xr_buffer_add(&list, rules[i].pattern, strlen(rules[i].pattern));
    }
    xr_buffer_add(&list, "", 1);
    if (!list.failed)
        return (char *)list.data;
    xr_buffer_free(&list);
    return NULL;
}

/* The copy says what it is. */
static void write_what_was_done(void *context, xr_mcap_writer *w)
{
    const scrub *s = context;
    const xr_scrub_rules *rules = s->rules;
    const uint64_t numbers[3] = {s->result->dropped, s->result->to_stats, s->result->dropped_attachments};
    char text[3][24];
    for (size_t i = 0; i < 3; i++)
        snprintf(text[i], sizeof text[i], "%" PRIu64, numbers[i]);
    char *drop = pattern_list(rules->drop, rules->drop_count),
         *stats = pattern_list(rules->stats, rules->stats_count);
    exray_key_value pairs[5];
    size_t count = 0;
    if (rules->drop_count)
        pairs[count++] = (exray_key_value){"drop", drop};
    if (rules->stats_count)
        pairs[count++] = (exray_key_value){"stats", stats};
    pairs[count++] = (exray_key_value){"dropped_messages", text[0]};
    pairs[count++] = (exray_key_value){"messages_to_stats", text[1]};
    pairs[count++] = (exray_key_value){"dropped_attachments", text[2]};
    w->no_memory = w->no_memory || !drop || !stats;
    if (drop && stats)
        xr_mcap_writer_add_metadata(w, "exray.scrub", pairs, count);
    free(drop);
    free(stats);
}

/* ---- All of it ------------------------------------------------------------------- */

static bool check_rules(scrub *s)
{
    const char *idle = xr_scrub_idle_rule(s->rules);
    if (idle)
        fail(s, idle, "meets nothing in it, so that nothing is left out; `exray info` lists its topics");
    return !s->failed;
}

bool xr_scrub(const char *from, FILE *to, xr_scrub_rules *rules, xr_scrubbed *result, exray_error *error)
{
    *result = (xr_scrubbed){0};
    exray_log *log = exray_log_open(from, error);
    if (!log)
        return false;
    scrub s = {.rules = rules, .result = result, .log = log, .error = error};
    const xr_rewrite rewrite = {.context = &s,
                                .topic = keep_topic,
                                .message = rewrite_message,
                                .dropped = count_dropped,
                                .attachment = keep_attachment,
                                .metadata = rewrite_metadata,
                                .end = write_what_was_done};
    const bool good =
        xr_recover_rewritten(from, to, &rewrite, &result->copy, s.failed ? NULL : error) && check_rules(&s);
    exray_log_close(log);
    return good;
}
