/* LiteRT's profile of a run as latencies of the model's nodes.
 *
 * A node that LiteRT ran itself has an event with its index.  XNNPACK reports its
 * own operators instead, in the order of its nodes, with how long each took: which node an operator belongs
 * to follows from their names. Where operators or nodes are left over, XNNPACK's nodes get no latencies, and
 * the log says so. */
#include "engines/litert/litert.h"

#include <string.h>

enum { UNKNOWN = 0, DIRECT, DELEGATED }; /* log->ran */

/* ---- Nodes and XNNPACK's operators -------------------------------------------------- */

/* The names of XNNPACK's operators for a node, one or two. */
static const struct {
    const char *op;
    const char *tags[2];
} operators[] = {
    {"CONV_2D", {"Convolution", "Fully Connected"}},
    {"DEPTHWISE_CONV_2D", {"Convolution", NULL}},
    {"TRANSPOSE_CONV", {"Deconvolution", NULL}},
    {"FULLY_CONNECTED", {"Fully Connected", NULL}},
    {"BATCH_MATMUL", {"Batch Matrix Multiply", NULL}},
    {"ADD", {"Add", NULL}},
    {"SUB", {"Subtract", NULL}},
    {"MUL", {"Multiply", NULL}},
    {"DIV", {"Divide", NULL}},
    {"MEAN", {"Mean", "Global Average Pooling"}},
    {"SUM", {"Sum", NULL}},
    {"SOFTMAX", {"Softmax", NULL}},
    {"LOGISTIC", {"Sigmoid", NULL}},
    {"AVERAGE_POOL_2D", {"Average Pooling", "Global Average Pooling"}},
    {"MAX_POOL_2D", {"Max Pooling", NULL}},
    {"RESHAPE", {"Static Reshape", "Copy"}},
    {"SQUEEZE", {"Static Reshape", "Copy"}},
    {"EXPAND_DIMS", {"Static Reshape", "Copy"}},
    {"CONCATENATION", {"Concatenate", "Copy"}},
    {"TRANSPOSE", {"Transpose", NULL}},
    {"PAD", {"Constant Pad", NULL}},
    {"QUANTIZE", {"Convert", NULL}},
    {"DEQUANTIZE", {"Convert", NULL}},
};

/* Operators that XNNPACK adds to those of a node, and nodes that it may merge into their neighbors. */
static const char *const helpers[] = {"Static Reshape", "Copy", "Convert", "Transpose", "Constant Pad", NULL};
static const char *const dispensable[] = {"RESHAPE",  "SQUEEZE",    "EXPAND_DIMS", "PAD",
                                          "QUANTIZE", "DEQUANTIZE", NULL};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_helper(const char *tag)
{
    for (size_t i = 0; helpers[i]; i++)
        if (begins(tag, helpers[i]))
            return true;
    return false;
}

static bool is_dispensable(const char *op)
{
    for (size_t i = 0; dispensable[i]; i++)
        if (strcmp(op, dispensable[i]) == 0)
            return true;
    return false;
}

static bool is_made_of(const char *op, const char *tag)
{
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (strcmp(op, operators[i].op) == 0)
            return begins(tag, operators[i].tags[0]) ||
                   (operators[i].tags[1] && begins(tag, operators[i].tags[1]));
    return !is_helper(tag);
}

/* ---- Sharing out ------------------------------------------------------------------------ */

typedef struct cursor {
    uint32_t next;   /* the first node that may be the next operator */
    uint32_t last;   /* the last node that got one, or EXRAY_NO_INDEX */
    uint64_t end_ns; /* of the event before, for events without a start */
} cursor;

/* Gives the next of XNNPACK's operators to a node; false: none fits. */
static bool place_operator(xr_litert_log *log, cursor *at, const char *tag, uint64_t elapsed_ns)
{
    const exray_node *nodes = log->file->model.nodes;
    for (;; at->next++) {
        while (at->next < log->main_nodes && log->ran[at->next] == DIRECT)
            at->next++;
        bool more = at->next < log->main_nodes;
        if (more && is_made_of(nodes[at->next].op, tag)) {
            at->last = at->next++;
            log->ran[at->last] = DELEGATED;
            log->latency_start[at->last] = at->end_ns;
            log->latency_duration[at->last] = elapsed_ns;
            break;
        }
        if (is_helper(tag)) {
            if (at->last != EXRAY_NO_INDEX)
                log->latency_duration[at->last] += elapsed_ns;
            break;
        }
        if (!more || !is_dispensable(nodes[at->next].op))
            return false;
    }
    at->end_ns += elapsed_ns;
    return true;
}

/* Whether all nodes that got no operator need none. */
static bool rest_needs_none(const xr_litert_log *log)
{
    for (uint32_t i = 0; i < log->main_nodes; i++)
        if (log->ran[i] == UNKNOWN && !is_dispensable(log->file->model.nodes[i].op))
            return false;
    return true;
}

static bool is_node(const xr_litert_log *log, const LiteRtProfilerEvent *event)
{
    return event->type == XR_LITERT_OPERATOR_EVENT && event->metadata2 == 0 &&
           event->metadata1 < log->main_nodes;
}

/* Marks the nodes that have events of their own; returns how many there are.
 * `base` gets the run's begin on the profiler's clock. */
static uint32_t find_direct(xr_litert_log *log, uint32_t events, uint64_t *base)
{
    uint32_t count = 0;
    *base = UINT64_MAX;
    memset(log->ran, UNKNOWN, log->main_nodes);
    for (uint32_t i = 0; i < events; i++) {
        const LiteRtProfilerEvent *event = &log->events[i];
        if (event->start_us && event->start_us < *base)
            *base = event->start_us;
        if (is_node(log, event) && log->ran[event->metadata1] == UNKNOWN) {
            log->ran[event->metadata1] = DIRECT;
            count++;
        }
    }
    return count;
}

/* Notes in the first run that XNNPACK runs nodes; recorded at close. */
static void note_delegation(xr_litert_log *log, uint32_t delegated, uint32_t count, bool sound)
{
    if (log->delegate_operators || count == 0)
        return;
    log->delegated = delegated;
    log->delegate_operators = count;
    log->delegate_sound = sound;
}

/* Moves the latencies that are known to the front; returns how many they are. */
static uint32_t compact(xr_litert_log *log, bool sound)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < log->main_nodes; i++) {
        if (log->ran[i] == UNKNOWN || (log->ran[i] == DELEGATED && !sound))
            continue;
        log->latency_node[count] = i;
        log->latency_start[count] = log->latency_start[i];
        log->latency_duration[count] = log->latency_duration[i];
        count++;
    }
    return count;
}

void xr_litert_log_latency(xr_litert_log *log, const xr_litert_program *program, uint64_t offset_ns)
{
    const xr_litert_api *api = program->api;
    int found = 0;
    if (api->GetNumProfilerEvents(program->profiler, &found) != 0 || found <= 0)
        return;
    uint32_t events = (uint32_t)found < log->event_capacity ? (uint32_t)found : log->event_capacity;
    if (api->GetProfilerEvents(program->profiler, (int)events, log->events) != 0)
        return;
    uint64_t base;
    uint32_t delegated = log->main_nodes - find_direct(log, events, &base), count = 0;
    cursor at = {.last = EXRAY_NO_INDEX, .end_ns = offset_ns};
    bool sound = true;
    for (uint32_t i = 0; i < events; i++) {
        const LiteRtProfilerEvent *event = &log->events[i];
        uint64_t elapsed_ns = event->elapsed_us * 1000;
        if (is_node(log, event)) {
            log->latency_start[event->metadata1] = offset_ns + (event->start_us - base) * 1000;
            log->latency_duration[event->metadata1] = elapsed_ns;
            at.end_ns = log->latency_start[event->metadata1] + elapsed_ns;
        } else if (event->type == XR_LITERT_DELEGATE_EVENT) {
            count++;
            sound = sound && place_operator(log, &at, event->tag ? event->tag : "", elapsed_ns);
        }
    }
    sound = sound && rest_needs_none(log);
    note_delegation(log, delegated, count, sound);
    uint32_t known = compact(log, sound);
    if (known)
        exray_recorder_log_latency(log->recorder, log->latency_node, log->latency_start,
                                   log->latency_duration, known);
}
