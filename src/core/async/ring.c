/* The asynchronous mode: a bounded ring of whole messages between the thread
 * that records (the only producer) and a writer thread (the only consumer). */
#include "core/recorder_error.h"
#include "core/state.h"

struct xr_ring {
    xr_mcap
        mcap; /* the writer thread's, from start to stop: the recorder itself may lie in a function that */
    xr_mcap *home; /* returned, when the process ends without a close; and whose it is before and after */
    xr_port_worker *worker;
    uint8_t *bytes;
    size_t capacity; /* a power of two */

    /* Positions only grow; the byte at position p is bytes[p & (capacity - 1)]. */
    atomic_size_t head; /* the producer's */
    atomic_size_t tail; /* the consumer's */
    atomic_int error;   /* the first error number of the writer, 0: none */
    atomic_bool discard;
    /* Who waits, and must be woken: set before a last look at head and tail. */
    atomic_bool writer_waits, producer_waits;
    bool stop; /* under the worker's lock */
    uint64_t bytes_written;
    bool drain, drained; /* likewise: the process ends */
    bool unflushed;      /* the writer's own */
    uint64_t process;
};
typedef struct xr_ring xr_ring;

/* Entries lie in one piece each; where one does not fit before the end of the
 * memory, a SKIP fills it. */
typedef enum ring_entry_kind { ENTRY_SKIP, ENTRY_MESSAGE, ENTRY_CALL, ENTRY_FLUSH } ring_entry_kind;

typedef struct ring_entry {
    uint32_t kind;
    uint32_t channel;
    size_t total; /* bytes, this header included */
    uint32_t sequence;
    int how; /* xr_flush */
    uint64_t log_time;
    size_t size; /* of the message that follows */
    xr_writer_call function;
    const void *object;
} ring_entry;

enum {
    ALIGNMENT = 16, /* a SKIP needs its kind alone: it always fits */
    SMALLEST_RING = 16 << 10,
};

static size_t entry_total(size_t payload)
{
    return (sizeof(ring_entry) + payload + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ---- The writer thread ---- */

static void run_entry(xr_ring *ring, const ring_entry *e)
{
    const xr_message message = {.channel = e->channel,
                                .sequence = e->sequence,
                                .log_time = e->log_time,
                                .size = e->size,
                                .head = e + 1,
                                .head_size = e->size};
    switch ((ring_entry_kind)e->kind) {
    case ENTRY_MESSAGE:
        xr_mcap_message(&ring->mcap, &message);
        break;
    case ENTRY_CALL:
        e->function(&ring->mcap, e->object);
        break;
    case ENTRY_FLUSH:
        xr_mcap_flush(&ring->mcap, (xr_flush)e->how);
        break;
    case ENTRY_SKIP:
        break;
    }
}

/* Frees the entry's room, and says so to a producer that waits for it.  After an
 * error entries are still consumed: whoever waits must get on. */
static void release(xr_ring *ring, size_t tail)
{
    int none = 0;
    if (ring->mcap.error)
        atomic_compare_exchange_strong(&ring->error, &none, ring->mcap.error);
    atomic_store(&ring->tail, tail);
    if (!atomic_load(&ring->producer_waits))
        return;
    xr_port_lock(ring->worker);
    ring->bytes_written = ring->mcap.before + ring->mcap.position;
    xr_port_signal(ring->worker, XR_PORT_SPACE);
    xr_port_unlock(ring->worker);
}

/* How long the writer may sleep: what it holds must not grow too old.  0: until it is woken. */
static uint64_t sleep_ns(const xr_ring *ring)
{
    const uint64_t flush = ring->mcap.flush_ns, sync = ring->mcap.sync_ns;
    return !ring->unflushed || !ring->mcap.flush ? 0 : sync && sync < flush ? sync : flush;
}

/* Waits until there is something at `tail`.  false: stop. */
static bool wait_for_work(xr_ring *ring, size_t tail)
{
    bool late = false;
    xr_port_lock(ring->worker);
    ring->bytes_written = ring->mcap.before + ring->mcap.position;
    atomic_store(&ring->writer_waits, true);
    while (atomic_load(&ring->head) == tail && !ring->stop) {
        if (ring->drain && !ring->drained) {
            xr_port_unlock(ring->worker);
            xr_mcap_flush(&ring->mcap, XR_FLUSH_CHUNK);
            xr_port_lock(ring->worker);
            ring->drained = true;
            xr_port_signal(ring->worker, XR_PORT_SPACE);
        } else if (late) {
            xr_port_unlock(ring->worker);
            const uint64_t now = xr_port_now();
            if (ring->mcap.flush)
                ring->mcap.flush->written(&ring->mcap, now);
            ring->unflushed = ring->mcap.sync_ns && ring->mcap.sync && ring->mcap.synced_ns < now;
            xr_port_lock(ring->worker);
            late = false;
        } else {
            late = !xr_port_wait(ring->worker, XR_PORT_WORK, sleep_ns(ring));
        }
    }
    atomic_store(&ring->writer_waits, false);
    const bool more = atomic_load_explicit(&ring->head, memory_order_acquire) != tail;
    xr_port_unlock(ring->worker);
    return more;
}

static void write_entries(void *argument)
{
    xr_ring *ring = argument;
    size_t tail = 0;
    for (;;) {
        if (atomic_load_explicit(&ring->head, memory_order_acquire) == tail && !wait_for_work(ring, tail))
            return;
        if (atomic_load(&ring->discard))
            return;
        const size_t at = tail & (ring->capacity - 1);
        const ring_entry *e = (const ring_entry *)(const void *)(ring->bytes + at);
        if (e->kind == ENTRY_SKIP) {
            tail += ring->capacity - at;
        } else {
            run_entry(ring, e);
            ring->unflushed = true;
            tail += e->total;
        }
        release(ring, tail);
    }
}

/* ---- The end of the process ---- */

/* Rings whose files get what waits when the application ends without a close: as many as fit. */
static _Atomic(xr_ring *) remembered[16];
static atomic_flag exit_is_watched = ATOMIC_FLAG_INIT;
#define EXIT_WAIT_NS 2000000000u /* a slow disk must not keep the process for ever */

/* The thread stays: whoever records later, a destructor say, must find it. */
static void drain_all(void)
{
    for (size_t i = 0; i < sizeof remembered / sizeof *remembered; i++) {
        xr_ring *ring = atomic_exchange(&remembered[i], NULL);
        if (!ring || ring->process != xr_port_process())
            continue; /* none, or its thread is the parent process's */
        xr_port_lock(ring->worker);
        ring->drain = true;
        atomic_store(&ring->producer_waits, true);
        xr_port_signal(ring->worker, XR_PORT_WORK);
        const uint64_t end = xr_port_now() + EXIT_WAIT_NS;
        for (uint64_t now = xr_port_now(); !ring->drained && now < end; now = xr_port_now())
            xr_port_wait(ring->worker, XR_PORT_SPACE, end - now);
        xr_port_unlock(ring->worker);
    }
}

static void remember(xr_ring *ring)
{
    ring->process = xr_port_process();
    if (!atomic_flag_test_and_set(&exit_is_watched))
        xr_port_at_exit(drain_all);
    for (size_t i = 0; i < sizeof remembered / sizeof *remembered; i++) {
        xr_ring *none = NULL;
        if (atomic_compare_exchange_strong(&remembered[i], &none, ring))
            return;
    }
}

static void forget(xr_ring *ring)
{
    for (size_t i = 0; i < sizeof remembered / sizeof *remembered; i++) {
        xr_ring *it = ring;
        atomic_compare_exchange_strong(&remembered[i], &it, NULL);
    }
}

/* ---- The producer ---- */

static exray_status start(xr_recorder *r)
{
    xr_ring *ring = r->ring;
    char buffer[128];
    ring->mcap = r->mcap;
    ring->home = &r->mcap;
    /* Touch the memory now: page faults do not belong into an inference. */
    memset(ring->bytes, 0, ring->capacity);
    const int error = xr_port_worker_start(ring->worker, write_entries, ring);
    if (error)
        return xr_fail_with(r, EXRAY_E_UNSUPPORTED, "cannot start the writer thread: ",
                            xr_port_error_text(error, buffer, sizeof buffer),
                            "; open the recorder with ring_size 0");
    r->writer_error = &ring->error;
    if (r->file && r->memory) /* neither ends with a function of the application's */
        remember(ring);
    return EXRAY_OK;
}

static size_t used(xr_ring *ring)
{
    return atomic_load_explicit(&ring->head, memory_order_relaxed) -
           atomic_load_explicit(&ring->tail, memory_order_acquire);
}

/* A writer that is at work looks at `head` before it sleeps: to wake it would only take time. */
static void wake_writer(xr_ring *ring)
{
    if (!atomic_load(&ring->writer_waits))
        return;
    xr_port_lock(ring->worker);
    xr_port_signal(ring->worker, XR_PORT_WORK);
    xr_port_unlock(ring->worker);
}

/* Waits until at most `limit` bytes are in the ring. */
static void wait_until_used(xr_ring *ring, size_t limit)
{
    xr_port_lock(ring->worker);
    atomic_store(&ring->producer_waits, true);
    xr_port_signal(ring->worker, XR_PORT_WORK);
    while (atomic_load(&ring->head) - atomic_load(&ring->tail) > limit)
        xr_port_wait(ring->worker, XR_PORT_SPACE, 0);
    atomic_store(&ring->producer_waits, false);
    xr_port_unlock(ring->worker);
}

/* Room for an entry of `total` bytes in one piece, or NULL. */
static ring_entry *reserve(xr_ring *ring, size_t total, bool wait)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    const size_t at = head & (ring->capacity - 1);
    const size_t skip = ring->capacity - at < total ? ring->capacity - at : 0;
    if (used(ring) > ring->capacity - total - skip) {
        if (!wait)
            return NULL;
        wait_until_used(ring, ring->capacity - total - skip);
    }
    if (skip) {
        const uint32_t kind = ENTRY_SKIP;
        memcpy(ring->bytes + at, &kind, sizeof kind);
        head += skip;
        atomic_store_explicit(&ring->head, head, memory_order_release);
    }
    return (ring_entry *)(void *)(ring->bytes + (head & (ring->capacity - 1)));
}

static void publish(xr_ring *ring, const ring_entry *e)
{
    const size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    atomic_store(&ring->head, head + e->total);
}

/* Takes the message in.  false: there was no room, and `wait` was not set or the
 * message is larger than half the ring (see call).  `spare`: a sixteenth of the ring
 * must stay free behind it, unless it waits. */
static bool push(xr_ring *ring, const xr_message *message, bool wait, bool spare)
{
    const size_t size = message->size;
    if (size > ring->capacity / 2 - sizeof(ring_entry) - ALIGNMENT)
        return false;
    if (!wait && used(ring) + (spare ? ring->capacity / 16 : 0) + entry_total(size) > ring->capacity)
        return false;
    ring_entry *e = reserve(ring, entry_total(size), wait);
    if (!e)
        return false;
    *e = (ring_entry){.kind = ENTRY_MESSAGE,
                      .channel = message->channel,
                      .total = entry_total(size),
                      .sequence = message->sequence,
                      .log_time = message->log_time,
                      .size = size};
    xr_memory_sink memory = xr_memory_sink_at(e + 1);
    xr_mcap_put_content(&memory.sink, message);
    publish(ring, e);
    /* A wake-up costs a system call: the end of a frame is early enough, unless
     * the ring fills. */
    if (used(ring) > ring->capacity / 4)
        wake_writer(ring);
    return true;
}

/* Whether the message leaves half of the ring to what is recorded meanwhile; true as well of one that could
 * never be taken. */
static bool has_room(xr_ring *ring, size_t size)
{
    if (size > ring->capacity / 2 - sizeof(ring_entry) - ALIGNMENT)
        return true;
    return used(ring) + entry_total(size) <= ring->capacity / 2;
}

/* Has the writer thread run function(mcap, object) after all that was pushed
 * before, and waits for it: the way of what is too large for the ring, or too
 * dear to be dropped. */
static void call(xr_ring *ring, xr_writer_call function, const void *object)
{
    ring_entry *e = reserve(ring, entry_total(0), true);
    *e = (ring_entry){.kind = ENTRY_CALL, .total = entry_total(0), .function = function, .object = object};
    publish(ring, e);
    wait_until_used(ring, 0);
}

static int write_message(xr_mcap *mcap, const void *message)
{
    return xr_mcap_message(mcap, message);
}

/* The way of a recorder's message.  false: no room. */
static bool send(xr_recorder *r, const xr_message *message, bool must)
{
    const bool wait = must || r->policy == EXRAY_POLICY_BLOCK;
    /* Tensors leave room for what is small and tells most: /frame, /system. */
    if (push(r->ring, message, wait, r->channels.table[message->channel].schema == XR_SCHEMA_TENSOR))
        return true;
    if (wait) /* larger than half the ring: the writer takes it from where it lies */
        call(r->ring, write_message, message);
    return wait;
}

static bool post(xr_ring *ring, xr_writer_call function, const void *object)
{
    ring_entry *e = reserve(ring, entry_total(0), false);
    if (!e)
        return false;
    *e = (ring_entry){.kind = ENTRY_CALL, .total = entry_total(0), .function = function, .object = object};
    publish(ring, e);
    wake_writer(ring);
    return true;
}

/* Has the writer thread write out what it holds, without waiting for it. */
static void flush(xr_ring *ring, int how)
{
    ring_entry *e = reserve(ring, entry_total(0), false);
    if (e) {
        *e = (ring_entry){.kind = ENTRY_FLUSH, .total = entry_total(0), .how = how};
        publish(ring, e);
    }
    wake_writer(ring);
}

/* Ends the writer thread: after all that was pushed, or (discard) at once. */
static void stop(xr_ring *ring, bool discard)
{
    forget(ring);
    atomic_store(&ring->discard, discard);
    xr_port_lock(ring->worker);
    ring->stop = true;
    xr_port_signal(ring->worker, XR_PORT_WORK);
    xr_port_unlock(ring->worker);
    xr_port_worker_join(ring->worker);
    *ring->home = ring->mcap;
}

/* Bytes of the log, as of when the writer last had nothing more to do. */
static uint64_t bytes_written(xr_ring *ring)
{
    xr_port_lock(ring->worker);
    const uint64_t bytes = ring->bytes_written;
    xr_port_unlock(ring->worker);
    return bytes;
}

/* ---- The part ---- */

static const char *problem(const exray_recorder_config *config)
{
    if (config->ring_size < SMALLEST_RING)
        return "config.ring_size is under 16 KiB; a frame's records need more (several MiB are usual)";
    return NULL;
}

static xr_ring *place(const exray_recorder_config *config, xr_memory_block *block)
{
    size_t capacity = 1;
    while (capacity <= config->ring_size / 2)
        capacity *= 2;
    xr_ring *ring = xr_block_take(block, 1, sizeof *ring);
    xr_port_worker *worker = xr_block_take(block, 1, xr_port_worker_size());
    uint8_t *bytes = xr_block_take(block, capacity, 1);
    if (!ring)
        return NULL;
    memset(ring, 0, sizeof *ring);
    ring->worker = worker;
    ring->bytes = bytes;
    ring->capacity = capacity;
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    atomic_init(&ring->error, 0);
    atomic_init(&ring->discard, false);
    return ring;
}

const exray_async_part *exray_async_part_default(void)
{
    static const exray_async_part part = {.problem = problem,
                                          .place = place,
                                          .start = start,
                                          .send = send,
                                          .has_room = has_room,
                                          .call = call,
                                          .post = post,
                                          .flush = flush,
                                          .stop = stop,
                                          .bytes_written = bytes_written};
    return &part;
}
