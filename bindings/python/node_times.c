/* The interpreter's Python package exports no profiler.  What it takes is a delegate: a struct of TensorFlow
 * Lite's C interface (common.h), which is shown each node with the functions that run it before it chooses
 * which to replace.  Ours replaces none, and puts a function that notes the time before each node's own.
 *
 * Facts of the interface, the same in all versions since 2.3: the first members of TfLiteContext, TfLiteNode
 * and TfLiteRegistration, as declared here.  A node whose functions live elsewhere (TfLiteOperator) is left
 * alone. */
#define _POSIX_C_SOURCE 200809L
#include "node_times.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct int_array {
    int size;
    int data[];
} int_array;

typedef struct context context;
typedef struct registration registration;

typedef struct node {
    int_array *inputs, *outputs;
} node;

struct context {
    size_t tensors_size;
    int (*GetExecutionPlan)(context *self, int_array **plan);
    void *tensors, *impl, *ResizeTensor, *ReportError, *AddTensors;
    int (*GetNodeAndRegistration)(context *self, int index, node **node, registration **registration);
};

typedef int invoke_function(context *self, node *node);

struct registration {
    void *init, *free, *prepare;
    invoke_function *invoke;
    void *profiling_string;
    int32_t builtin_code;
    const char *custom_name;
    int version;
    void *external; /* a TfLiteOperator, whose functions are called instead */
};

typedef struct delegate delegate;
struct delegate {
    void *data;
    int (*Prepare)(context *self, delegate *delegate);
    void *CopyFromBufferHandle, *CopyToBufferHandle, *FreeBufferHandle;
    int64_t flags;
    void *opaque_builder;
    void *reserved[4]; /* what later versions append */
};

enum { OK = 0, FAILED = 1, ALLOWS_DYNAMIC_TENSORS = 1 };

/* A node is known by its array of outputs: nodes move in memory when the interpreter's table of them grows.
 */
typedef struct observed {
    const int_array *outputs;
    invoke_function *invoke;
    uint32_t index;
} observed;

typedef struct noted {
    uint32_t node;
    uint64_t start_ns, duration_ns;
} noted;

struct xr_py_times {
    delegate delegate;
    xr_py_times *next;
    context *_Atomic primary; /* of the subgraph that is shown first */
    bool ready, on;
    int32_t *output_count;
    size_t count;
    observed *node; /* [nodes], sorted by address */
    size_t nodes;
    noted *run; /* [room] */
    size_t runs, room;
};

/* All there are, the newest first: a deleted interpreter's address may be a new one's. */
static xr_py_times *_Atomic all;

static size_t place_of(const xr_py_times *times, const int_array *outputs)
{
    size_t low = 0, high = times->nodes;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uintptr_t)times->node[middle].outputs < (uintptr_t)outputs)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const observed *find(const xr_py_times *times, const int_array *outputs)
{
    size_t at = place_of(times, outputs);
    return at < times->nodes && times->node[at].outputs == outputs ? &times->node[at] : NULL;
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int invoke_timed(context *self, node *node)
{
    xr_py_times *times = all;
    while (times && times->primary != self)
        times = times->next;
    const observed *one = times ? find(times, node->outputs) : NULL;
    if (!one)
        return FAILED; /* cannot be: only shown nodes have this function */
    if (!times->on || times->runs == times->room)
        return one->invoke(self, node);
    noted *entry = &times->run[times->runs++];
    entry->node = one->index;
    entry->start_ns = now();
    int status = one->invoke(self, node);
    entry->duration_ns = now() - entry->start_ns;
    return status;
}

static void add(xr_py_times *times, const observed *one)
{
    size_t at = place_of(times, one->outputs);
    if (at == times->nodes || times->node[at].outputs != one->outputs) {
        memmove(&times->node[at + 1], &times->node[at], (times->nodes - at) * sizeof times->node[0]);
        times->nodes++;
    }
    times->node[at] = *one;
}

/* Whether the graph is the one that was announced. */
static bool is_announced(const xr_py_times *times, context *self, const int_array *plan)
{
    size_t executed = 0;
    for (size_t i = 0; i < times->count; i++)
        executed += times->output_count[i] >= 0;
    if (plan->size < 0 || (size_t)plan->size != executed)
        return false;
    for (int i = 0; i < plan->size; i++) {
        node *n;
        registration *r;
        int index = plan->data[i];
        if (index < 0 || (size_t)index >= times->count ||
            self->GetNodeAndRegistration(self, index, &n, &r) != OK || !n->outputs ||
            n->outputs->size != times->output_count[index])
            return false;
    }
    return true;
}

/* The interpreter shows its nodes: once at first, and again where it makes its delegates anew. */
static int show_nodes(context *self, delegate *delegate)
{
    xr_py_times *times = delegate->data;
    int_array *plan;
    if (times->primary && times->primary != self)
        return OK;
    times->primary = self;
    times->ready = false;
    if (self->GetExecutionPlan(self, &plan) != OK || !is_announced(times, self, plan))
        return OK;
    /* Nodes that delegates made before stay: what they had may be in use. */
    observed *more = realloc(times->node, (times->nodes + (size_t)plan->size + 1) * sizeof *more);
    if (!more)
        return OK;
    times->node = more;
    for (int i = 0; i < plan->size; i++) {
        node *n;
        registration *r;
        if (self->GetNodeAndRegistration(self, plan->data[i], &n, &r) != OK || !r->invoke || r->external ||
            r->invoke == invoke_timed)
            continue;
        add(times, &(observed){n->outputs, r->invoke, (uint32_t)plan->data[i]});
        r->invoke = invoke_timed;
    }
    times->ready = true;
    return OK;
}

xr_py_times *xr_py_times_new(const int32_t *output_count, size_t count)
{
    xr_py_times *times = calloc(1, sizeof *times);
    if (!times)
        return NULL;
    times->room = count + 16; /* a node runs once a run */
    times->output_count = malloc((count + 1) * sizeof *output_count);
    times->run = malloc(times->room * sizeof *times->run);
    if (!times->output_count || !times->run) {
        free(times->output_count);
        free(times->run);
        free(times);
        return NULL;
    }
    if (count)
        memcpy(times->output_count, output_count, count * sizeof *output_count);
    times->count = count;
    times->delegate = (delegate){.data = times, .Prepare = show_nodes, .flags = ALLOWS_DYNAMIC_TENSORS};
    times->next = all;
    all = times;
    return times;
}

void *xr_py_times_delegate(xr_py_times *times)
{
    return &times->delegate;
}

bool xr_py_times_ready(const xr_py_times *times)
{
    return times->ready;
}

void xr_py_times_begin(xr_py_times *times, bool on)
{
    times->on = on;
    times->runs = 0;
}

size_t xr_py_times_read(const xr_py_times *times, uint32_t *node, uint64_t *start_ns, uint64_t *duration_ns,
                        size_t most)
{
    size_t count = times->runs < most ? times->runs : most;
    for (size_t i = 0; i < count; i++) {
        node[i] = times->run[i].node;
        start_ns[i] = times->run[i].start_ns;
        duration_ns[i] = times->run[i].duration_ns;
    }
    return count;
}
