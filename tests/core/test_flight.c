/* The flight recorder: which frames wait, which are written, once, with what they held; conditions, the level
 * at run time, a ring that is too small, the asynchronous mode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/flight/flight_ring.h"
#include "scan.h"
#include <exray/exray.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

enum { LOG_SIZE = 32 << 20, FRAMES = 64, VALUES = 300, LAYERS = 3 };

static uint8_t log_bytes[LOG_SIZE];
static uint8_t ring_memory[1 << 20];
static size_t log_used;

static int write_log(void *user, const void *data, size_t size)
{
    (void)user;
    assert_true(size <= LOG_SIZE - log_used);
    memcpy(log_bytes + log_used, data, size);
    log_used += size;
    return 0;
}

/* ---- An application ---- */

static void open_with(exray_recorder *r, exray_capture capture, exray_flight_config flight, size_t ring_size,
                      exray_policy policy)
{
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.capture = capture;
    config.flight = &flight;
    config.ring_size = ring_size;
    config.policy = policy;
    log_used = 0;
    if (exray_recorder_open_callback(r, write_log, NULL, &config))
        fail_msg("%s", exray_recorder_error_message(r));
}

static exray_flight_config in_memory(size_t size)
{
    exray_flight_config flight = EXRAY_FLIGHT_CONFIG_INIT;
    flight.memory = ring_memory;
    flight.memory_size = size;
    return flight;
}

static void log_values(exray_recorder *r, exray_kind kind, const char *name, uint32_t index, float value)
{
    static const int64_t shape[] = {VALUES};
    float values[VALUES];
    for (int i = 0; i < VALUES; i++)
        values[i] = value;
    const exray_tensor tensor = {
        .kind = kind,
        .info = {.name = name, .dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = shape},
        .index = index,
        .data = values,
        .size = sizeof values};
    if (exray_recorder_wants(r, kind, index, name))
        assert_int_equal(exray_recorder_log_tensor(r, &tensor), EXRAY_OK);
}

static void log_open_frame(exray_recorder *r, float score, float output)
{
    const uint64_t frame = exray_recorder_frame_index(r);
    exray_class class = {.id = 1, .score = score};
    log_values(r, EXRAY_KIND_INPUT, "image", 0, (float)frame);
    for (uint32_t i = 0; i < LAYERS; i++)
        log_values(r, EXRAY_KIND_LAYER, "layer", i, (float)(frame * 10 + i));
    const exray_class certain = {.id = 1, .score = 1}; /* the truth's score is none of the result */
    exray_recorder_log_truth(r, &(exray_result){.classes = &certain, .class_count = 1});
    log_values(r, EXRAY_KIND_OUTPUT, "scores", 0, output);
    exray_recorder_log_result(r, &(exray_result){.classes = &class, .class_count = 1});
}

static void log_frame(exray_recorder *r, float score, float output)
{
    exray_recorder_frame_begin(r, "camera");
    log_open_frame(r, score, output);
    assert_int_equal(exray_recorder_frame_end(r), EXRAY_OK);
}

static void log_frames(exray_recorder *r, int count)
{
    for (int i = 0; i < count; i++)
        log_frame(r, 0.9f, 1);
}

/* ---- Its log ---- */

static uint64_t field_of(const scan_message *m, uint32_t field)
{
    uint64_t value = 0;
    scan_field(m->data, m->size, field, &value, NULL);
    return value;
}

/* How often each frame has a record of the topic, with data or without. */
static void count_records(const scan *s, const char *topic, bool with_data, int counts[FRAMES])
{
    memset(counts, 0, FRAMES * sizeof *counts);
    for (size_t i = 0; i < s->count; i++) {
        const scan_message *m = &s->messages[i];
        uint64_t size = 0;
        const uint8_t *data;
        if (strcmp(m->topic, topic) != 0)
            continue;
        const bool has_data = scan_field(m->data, m->size, 3, &size, &data) && size == sizeof(float) * VALUES;
        const uint64_t frame = field_of(m, 1);
        assert_true(frame < FRAMES);
        if (has_data != with_data)
            continue;
        counts[frame]++;
        float value;
        memcpy(&value, data + size - sizeof value, sizeof value);
        if (strncmp(topic, "/layer/", 7) == 0)
            assert_true(value == (float)(frame * 10 + (uint64_t)atoi(topic + 7)));
    }
}

/* All layers of these frames, ended by -1, and of no others are in the log with data, once. */
static void check_rich(const scan *s, const int *frames)
{
    for (uint32_t layer = 0; layer < LAYERS; layer++) {
        char topic[16];
        int counts[FRAMES], expected[FRAMES] = {0};
        snprintf(topic, sizeof topic, "/layer/%u", layer);
        count_records(s, topic, true, counts);
        for (const int *f = frames; *f >= 0; f++)
            expected[*f] = 1;
        for (int f = 0; f < FRAMES; f++)
            if (counts[f] != expected[f])
                fail_msg("frame %d has %s %d times, not %d", f, topic, counts[f], expected[f]);
    }
}
#define FRAMES_ARE(s, ...) check_rich(s, (const int[]){__VA_ARGS__, -1})

/* The nth event of that kind: its text and frame; NULL: there are fewer. */
static const char *event(const scan *s, const char *kind, size_t nth, uint64_t *frame)
{
    static char text[512];
    for (size_t i = 0; i < s->count; i++) {
        const scan_message *m = &s->messages[i];
        uint64_t size;
        const uint8_t *bytes;
        if (strcmp(m->topic, "/event") != 0 || !scan_field(m->data, m->size, 1, &size, &bytes) ||
            size != strlen(kind) || memcmp(bytes, kind, size) != 0 || nth--)
            continue;
        assert_true(scan_field(m->data, m->size, 2, &size, &bytes) && size < sizeof text);
        memcpy(text, bytes, size);
        text[size] = 0;
        if (frame)
            *frame = field_of(m, 3);
        return text;
    }
    return NULL;
}

static scan close_and_scan(exray_recorder *r)
{
    if (exray_recorder_close(r))
        fail_msg("%s", exray_recorder_error_message(r));
    scan s = scan_log(log_bytes, log_used);
    assert_true(s.begun && s.complete);
    return s;
}

static void assert_has(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("'%s' does not have '%s'", text ? text : "(none)", part);
}

/* ---- Triggers ---- */

static void test_frames_before_and_after(void **state)
{
    (void)state;
    exray_recorder r;
    uint64_t frame = 99;
    open_with(&r, EXRAY_CAPTURE_FRAME, in_memory(sizeof ring_memory), 0, EXRAY_POLICY_DROP);
    log_frames(&r, 6);
    assert_int_equal(exray_recorder_trigger(&r, 3, 2, "a person pressed the button"), EXRAY_OK);
    log_frames(&r, 6);
    scan s = close_and_scan(&r);
    FRAMES_ARE(&s, 3, 4, 5, 6, 7);
    assert_int_equal(scan_count(&s, "/frame"), 12);
    assert_int_equal(scan_count(&s, "/result"), 12);
    assert_int_equal(scan_count(&s, "/input/image"), 5);
    assert_has(event(&s, "trigger", 0, &frame), "a person pressed the button (frames 3 to 5 and the next 2");
    assert_int_equal(frame, 5);
    assert_null(event(&s, "trigger", 1, NULL));
    assert_int_equal(exray_recorder_dropped(&r), 0);
    scan_free(&s);
}

static void test_a_trigger_within_a_frame(void **state)
{
    (void)state;
    exray_recorder r;
    uint64_t frame = 99;
    open_with(&r, EXRAY_CAPTURE_IO, in_memory(sizeof ring_memory), 0, EXRAY_POLICY_DROP);
    log_frames(&r, 4);
    exray_recorder_frame_begin(&r, NULL);
    log_values(&r, EXRAY_KIND_LAYER, "layer", 0, 40);
    exray_recorder_trigger(&r, 2, 1, NULL);
    log_values(&r, EXRAY_KIND_LAYER, "layer", 1, 41);
    log_values(&r, EXRAY_KIND_LAYER, "layer", 2, 42);
    exray_recorder_frame_end(&r);
    log_frames(&r, 3);
    scan s = close_and_scan(&r);
    FRAMES_ARE(&s, 3, 4, 5);
    assert_int_equal(scan_count(&s, "/input/image"), 7);
    assert_has(event(&s, "trigger", 0, &frame), "frames 3 to 4 and the next 1");
    assert_int_equal(frame, 4);
    scan_free(&s);
}

static void test_overlapping_triggers(void **state)
{
    (void)state;
    exray_recorder r;
    open_with(&r, EXRAY_CAPTURE_FRAME, in_memory(sizeof ring_memory), 0, EXRAY_POLICY_DROP);
    log_frames(&r, 4);
    exray_recorder_trigger(&r, 2, 4, "one");
    log_frames(&r, 2);
    exray_recorder_trigger(&r, 5, 1, "two"); /* frames 1 to 5: 2 to 5 are written already, or will be */
    exray_recorder_trigger(&r, 0, 3, "three");
    log_frames(&r, 6);
    exray_recorder_trigger(&r, EXRAY_FLIGHT_ALL, 0, "all");
    log_frames(&r, 2);
    scan s = close_and_scan(&r);
    FRAMES_ARE(&s, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    assert_has(event(&s, "trigger", 2, NULL), "three (no frame waits and the next 3");
    assert_has(event(&s, "trigger", 3, NULL), "all (frames 0 to 11");
    scan_free(&s);
}

static void test_more_triggers_than_wait(void **state)
{
    (void)state;
    exray_recorder r;
    open_with(&r, EXRAY_CAPTURE_FRAME, in_memory(sizeof ring_memory), 0, EXRAY_POLICY_DROP);
    log_frames(&r, 4);
    for (int i = 0; i < 8; i++)
        assert_int_equal(exray_recorder_trigger(&r, 1, 0, "many"), EXRAY_OK);
    assert_int_equal(exray_recorder_trigger(&r, 2, 1, "too many"), EXRAY_E_LIMIT);
    log_frames(&r, 3);
    assert_int_equal(exray_recorder_trigger(&r, 1, 0, "again"), EXRAY_OK);
    assert_int_equal(exray_recorder_error_status(&r), EXRAY_OK);
    scan s = close_and_scan(&r);
    FRAMES_ARE(&s, 2, 3, 4, 6);
    assert_has(event(&s, "trigger", 8, NULL),
               "1 more triggers at the same time (frames 2 to 3 and the next 1");
    assert_has(event(&s, "trigger", 9, NULL), "again");
    scan_free(&s);
}

static void test_without_a_flight_recorder(void **state)
{
    (void)state;
    exray_recorder r;
    log_used = 0;
    exray_recorder_open_callback(&r, write_log, NULL, exray_recorder_config_of(EXRAY_CAPTURE_FRAME));
    assert_int_equal(exray_recorder_trigger(&r, 1, 1, "nobody"), EXRAY_E_STATE);
    log_frames(&r, 2);
    assert_int_equal(exray_recorder_close(&r), EXRAY_OK);
    assert_int_equal(exray_recorder_trigger(&r, 1, 1, "closed"), EXRAY_E_STATE);
}

/* ---- What waits ---- */

static void test_limits(void **state)
{
    (void)state;
    exray_recorder r;
    exray_flight_config flight = in_memory(sizeof ring_memory);
    flight.frames = 3;
    open_with(&r, EXRAY_CAPTURE_FRAME, flight, 0, EXRAY_POLICY_DROP);
    log_frames(&r, 10);
    exray_recorder_trigger(&r, EXRAY_FLIGHT_ALL, 0, "");
    scan s = close_and_scan(&r);
    FRAMES_ARE(&s, 7, 8, 9);
    scan_free(&s);

    /* Five tensors of 1.2 KB a frame: about three frames in 20 KB. */
    open_with(&r, EXRAY_CAPTURE_FRAME, in_memory(24 << 10), 0, EXRAY_POLICY_DROP);
    log_frames(&r, 10);
    exray_recorder_trigger(&r, EXRAY_FLIGHT_ALL, 0, "");
    s = close_and_scan(&r);
    FRAMES_ARE(&s, 7, 8, 9);
    scan_free(&s);

    flight = in_memory(sizeof ring_memory);
    flight.milliseconds = 30;
    open_with(&r, EXRAY_CAPTURE_FRAME, flight, 0, EXRAY_POLICY_DROP);
    log_frames(&r, 3);
    for (const uint64_t begin = exray_recorder_now(&r); exray_recorder_now(&r) - begin < 40000000;)
        ;
    log_frames(&r, 2);
    exray_recorder_trigger(&r, EXRAY_FLIGHT_ALL, 0, "");
    s = close_and_scan(&r);
    FRAMES_ARE(&s, 3, 4);
    scan_free(&s);
}

static void test_frames_that_do_not_fit(void **state)
{
    (void)state;
    exray_recorder r;
    open_with(&r, EXRAY_CAPTURE_FRAME, in_memory(4 << 10), 0, EXRAY_POLICY_DROP);
    log_frames(&r, 5);
    exray_recorder_trigger(&r, 3, 2, "too large");
    log_frames(&r, 5);
    assert_int_equal(exray_recorder_error_status(&r), EXRAY_OK);
    /* Two frames of five tensors each were asked for while they could be had. */
    assert_int_equal(exray_recorder_dropped(&r), 10);
    scan s = close_and_scan(&r);
    FRAMES_ARE(&s, -1);
    assert_int_equal(scan_count(&s, "/frame"), 10);
    assert_has(event(&s, "error", 0, NULL), "a frame is larger than the flight recorder's memory, 4");
    assert_null(event(&s, "error", 1, NULL));
    assert_has(event(&s, "trigger", 0, NULL), "no frame waits and the next 2");
    assert_has(event(&s, "gap", 0, NULL), "10 records");
    scan_free(&s);
}

/* Where the log gets nothing of a frame, the trigger writes all of it. */
static void test_level_off(void **state)
{
    (void)state;
    exray_recorder r;
    open_with(&r, EXRAY_CAPTURE_OFF, in_memory(sizeof ring_memory), 0, EXRAY_POLICY_DROP);
    log_frames(&r, 6);
    exray_recorder_trigger(&r, 2, 1, "off");
    log_frames(&r, 4);
    scan s = close_and_scan(&r);
    FRAMES_ARE(&s, 4, 5, 6);
    assert_int_equal(scan_count(&s, "/frame"), 3);
    assert_int_equal(scan_count(&s, "/system"), 3);
    assert_int_equal(scan_count(&s, "/result"), 3);
    assert_int_equal(scan_count(&s, "/event"), 1);
    scan_free(&s);
}

/* Statistics are in the log at once; a trigger adds the data. */
static void test_stats_and_data(void **state)
{
    (void)state;
    exray_recorder r;
    open_with(&r, EXRAY_CAPTURE_STATS, in_memory(sizeof ring_memory), 0, EXRAY_POLICY_DROP);
    log_frames(&r, 5);
    exray_recorder_trigger(&r, 1, 1, "");
    log_frames(&r, 3);
    scan s = close_and_scan(&r);
    FRAMES_ARE(&s, 4, 5);
    assert_int_equal(scan_count(&s, "/input/image"), 8);
    assert_int_equal(scan_count(&s, "/output/scores"), 8);
    scan_free(&s);

    /* Nor does anything wait where the log's level is the same. */
    open_with(&r, EXRAY_CAPTURE_FULL, in_memory(sizeof ring_memory), 0, EXRAY_POLICY_DROP);
    log_frames(&r, 3);
    exray_recorder_trigger(&r, 1, 1, "");
    log_frames(&r, 1);
    s = close_and_scan(&r);
    FRAMES_ARE(&s, 0, 1, 2, 3);
    scan_free(&s);
}

/* ---- Conditions ---- */

static const char *every_fifth(void *user, const exray_flight_frame *frame)
{
    assert_ptr_equal(user, log_bytes);
    assert_true(frame->has_score && frame->score > 0.8f);
    assert_string_equal(frame->source, "camera");
    assert_true(frame->duration_ns > 0);
    return frame->index % 5 == 4 ? "a fifth frame" : NULL;
}

static void test_conditions(void **state)
{
    (void)state;
    exray_recorder r;
    exray_flight_config flight = in_memory(sizeof ring_memory);
    flight.before = 2;
    flight.after = 1;
    flight.score_below = 0.5f;
    open_with(&r, EXRAY_CAPTURE_FRAME, flight, 0, EXRAY_POLICY_DROP);
    log_frames(&r, 5);
    log_frame(&r, 0.25f, 1); /* 5 */
    log_frames(&r, 5);
    log_frame(&r, 0.25f, 1); /* 11: within a minute */
    log_frames(&r, 2);
    scan s = close_and_scan(&r);
    uint64_t frame = 0;
    FRAMES_ARE(&s, 4, 5, 6);
    assert_has(event(&s, "trigger", 0, &frame), "score 0.2500 is under 0.5000 (frames 4 to 5 and the next 1");
    assert_int_equal(frame, 5);
    assert_null(event(&s, "trigger", 1, NULL));
    scan_free(&s);

    flight.score_below = 0;
    flight.not_finite = true;
    flight.interval_ms = 1;
    open_with(&r, EXRAY_CAPTURE_FRAME, flight, 0, EXRAY_POLICY_DROP);
    log_frames(&r, 3);
    log_frame(&r, 0.9f, NAN);
    log_frames(&r, 3);
    while (exray_recorder_frame_elapsed(&r) < 2000000)
        ;
    log_open_frame(&r, 0.9f, INFINITY); /* 7 */
    exray_recorder_frame_end(&r);
    s = close_and_scan(&r);
    FRAMES_ARE(&s, 2, 3, 4, 6, 7);
    assert_has(event(&s, "trigger", 0, NULL), "NaN or infinity in output scores");
    scan_free(&s);

    flight.not_finite = false;
    flight.before = 1;
    flight.after = 0;
    flight.condition = every_fifth;
    flight.user = log_bytes;
    open_with(&r, EXRAY_CAPTURE_FRAME, flight, 0, EXRAY_POLICY_DROP);
    log_frames(&r, 9);
    s = close_and_scan(&r);
    FRAMES_ARE(&s, 4);
    assert_has(event(&s, "trigger", 0, NULL), "a fifth frame");
    scan_free(&s);
}

static void test_latency(void **state)
{
    (void)state;
    exray_recorder r;
    exray_flight_config flight = in_memory(sizeof ring_memory);
    flight.before = 1;
    flight.latency_above_ns = 50000000;
    open_with(&r, EXRAY_CAPTURE_FRAME, flight, 0, EXRAY_POLICY_DROP);
    for (int i = 0; i < 6; i++) {
        exray_recorder_frame_begin(&r, NULL);
        log_open_frame(&r, 1, 1);
        exray_recorder_frame_inference(&r, i == 2 || i == 4 ? 61500000 : 50000000);
        exray_recorder_frame_end(&r);
    }
    scan s = close_and_scan(&r);
    FRAMES_ARE(&s, 2);
    assert_has(event(&s, "trigger", 0, NULL), "the inference took 61.5 ms, over 50.0 ms");
    scan_free(&s);
}

/* ---- The level at run time ---- */

static void test_set_capture(void **state)
{
    (void)state;
    exray_recorder r;
    log_used = 0;
    exray_recorder_open_callback(&r, write_log, NULL, exray_recorder_config_of(EXRAY_CAPTURE_FRAME));
    log_frames(&r, 2);
    assert_false(exray_recorder_wants(&r, EXRAY_KIND_LAYER, 0, NULL));
    assert_int_equal(exray_recorder_set_capture(&r, EXRAY_CAPTURE_FULL), EXRAY_OK);
    assert_int_equal(exray_recorder_capture(&r), EXRAY_CAPTURE_FULL);
    assert_true(exray_recorder_wants(&r, EXRAY_KIND_LAYER, 0, NULL));
    log_frames(&r, 2);
    exray_recorder_frame_begin(&r, NULL);
    exray_recorder_set_capture(&r, EXRAY_CAPTURE_OFF);
    assert_true(exray_recorder_wants(&r, EXRAY_KIND_LAYER, 0, NULL)); /* the frame that is open */
    log_open_frame(&r, 1, 1);
    exray_recorder_frame_end(&r);
    log_frames(&r, 2);
    exray_recorder_set_capture(&r, EXRAY_CAPTURE_FRAME);
    log_frames(&r, 1);
    exray_recorder_set_capture(&r, EXRAY_CAPTURE_IO);
    exray_recorder_set_capture(&r, EXRAY_CAPTURE_FRAME); /* no change */
    log_frames(&r, 1);
    assert_int_equal(exray_recorder_set_capture(&r, (exray_capture)17), EXRAY_E_ARGUMENT);
    scan s = close_and_scan(&r);
    uint64_t frame = 0;
    FRAMES_ARE(&s, 2, 3, 4);
    assert_int_equal(scan_count(&s, "/frame"), 7);
    assert_has(event(&s, "level", 0, &frame), "capture full, before frame");
    assert_int_equal(frame, 2);
    assert_has(event(&s, "level", 1, &frame), "capture off, before full");
    assert_int_equal(frame, 5);
    assert_has(event(&s, "level", 2, &frame), "capture frame, before off");
    assert_int_equal(frame, 7);
    assert_null(event(&s, "level", 3, NULL));
    scan_free(&s);
    assert_int_equal(exray_recorder_set_capture(&r, EXRAY_CAPTURE_FULL), EXRAY_E_STATE);
    assert_int_equal(exray_recorder_capture(&r), EXRAY_CAPTURE_OFF);
}

static void test_set_capture_needs_its_parts(void **state)
{
    (void)state;
    exray_recorder r;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.capture = EXRAY_CAPTURE_FRAME;
    config.stream = true;
    log_used = 0;
    assert_int_equal(exray_recorder_open_device(&r, write_log, NULL, &config), EXRAY_OK);
    assert_int_equal(exray_recorder_set_capture(&r, EXRAY_CAPTURE_STATS), EXRAY_E_UNSUPPORTED);
    assert_int_equal(exray_recorder_set_capture(&r, EXRAY_CAPTURE_SKETCH), EXRAY_E_UNSUPPORTED);
    assert_int_equal(exray_recorder_set_capture(&r, EXRAY_CAPTURE_FULL), EXRAY_OK);
    log_frames(&r, 1);
    assert_int_equal(exray_recorder_close(&r), EXRAY_OK);
}

/* ---- The asynchronous mode ---- */

static void test_asynchronous(void **state)
{
    (void)state;
    for (int policy = EXRAY_POLICY_DROP; policy <= EXRAY_POLICY_BLOCK; policy++) {
        exray_recorder r;
        /* What waits is a multiple of what the ring to the writer takes. */
        open_with(&r, EXRAY_CAPTURE_FRAME, in_memory(sizeof ring_memory), 64 << 10, (exray_policy)policy);
        log_frames(&r, 40);
        exray_recorder_trigger(&r, 35, 3, "asynchronous");
        log_frames(&r, 10);
        assert_int_equal(exray_recorder_dropped(&r), 0);
        scan s = close_and_scan(&r);
        int frames[FRAMES], count = 0;
        for (int f = 5; f < 43; f++)
            frames[count++] = f;
        frames[count] = -1;
        check_rich(&s, frames);
        scan_free(&s);
    }
}

/* ---- Other threads ---- */

typedef struct presser {
    exray_recorder *recorder;
    atomic_bool stop;
    uint32_t made;
    bool refused;
} presser;

static void *press(void *user)
{
    presser *p = user;
    char reason[64];
    while (!atomic_load(&p->stop)) {
        snprintf(reason, sizeof reason, "press %u", p->made);
        const exray_status status = exray_recorder_trigger(p->recorder, 2, 1, reason);
        p->made += status == EXRAY_OK;
        p->refused |= status != EXRAY_OK && status != EXRAY_E_LIMIT;
        exray_recorder_set_capture(p->recorder, p->made % 2 ? EXRAY_CAPTURE_IO : EXRAY_CAPTURE_FRAME);
        exray_recorder_capture(p->recorder);
    }
    return NULL;
}

/* Nothing is lost, nothing written twice, whenever they come; the thread sanitizer sees this, too. */
static void test_other_threads(void **state)
{
    (void)state;
    for (int asynchronous = 0; asynchronous < 2; asynchronous++) {
        exray_recorder r;
        presser pressers[2] = {{.recorder = &r}, {.recorder = &r}};
        pthread_t threads[2];
        open_with(&r, EXRAY_CAPTURE_FRAME, in_memory(sizeof ring_memory), asynchronous ? 1 << 20 : 0,
                  EXRAY_POLICY_BLOCK);
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, press, &pressers[i]), 0);
        log_frames(&r, FRAMES);
        for (int i = 0; i < 2; i++) {
            atomic_store(&pressers[i].stop, true);
            pthread_join(threads[i], NULL);
            assert_false(pressers[i].refused);
        }
        scan s = close_and_scan(&r);
        for (uint32_t layer = 0; layer < LAYERS; layer++) {
            char topic[16];
            int counts[FRAMES];
            snprintf(topic, sizeof topic, "/layer/%u", layer);
            count_records(&s, topic, true, counts);
            for (int f = 0; f < FRAMES; f++)
                assert_in_range(counts[f], 0, 1);
        }
        size_t told = 0;
        while (event(&s, "trigger", told, NULL))
            told++;
        assert_true(told >= pressers[0].made + pressers[1].made);
        assert_int_equal(scan_count(&s, "/frame"), FRAMES);
        scan_free(&s);
    }
}

/* ---- Configs ---- */

static void test_problems(void **state)
{
    (void)state;
    static const struct {
        exray_flight_config flight;
        const char *says;
    } cases[] = {
        {{.size = sizeof(exray_flight_config)}, "memory_size is under 4 KiB"},
        {{.size = 0, .memory_size = 65536}, "config.flight does not begin as"},
        {{.size = sizeof(exray_flight_config), .memory_size = 65536, .capture = EXRAY_CAPTURE_FRAME},
         "capture is not one of IO"},
        {{.size = sizeof(exray_flight_config), .memory_size = 65536, .capture = (exray_capture)9},
         "capture is not one of IO"},
        {{.size = sizeof(exray_flight_config), .memory_size = 65535, .file = "x"}, "under 64 KiB"},
        {{.size = sizeof(exray_flight_config), .memory_size = 65536, .file = "x", .memory = ring_memory},
         "both memory and file"},
        {{.size = sizeof(exray_flight_config), .memory_size = 65536, .score_below = NAN}, "no number"},
        {{.size = sizeof(exray_flight_config), .memory_size = 65536, .file = "no/such/folder/box"},
         "cannot be made"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        exray_recorder r;
        exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
        config.flight = &cases[i].flight;
        assert_int_not_equal(exray_recorder_open_callback(&r, write_log, NULL, &config), EXRAY_OK);
        assert_has(exray_recorder_error_message(&r), cases[i].says);
    }
    /* The ring may be part of the recorder's own memory. */
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    const size_t without = exray_recorder_memory_needed(&config);
    const exray_flight_config flight = {.size = sizeof flight, .memory_size = 100000};
    config.flight = &flight;
    const size_t with = exray_recorder_memory_needed(&config);
    assert_in_range(with - without, 100000, 104000);
}

/* ---- The ring by itself, against a list ---- */

static uint32_t random_state = 12345;
static uint32_t next_random(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

static void test_ring(void **state)
{
    (void)state;
    for (size_t capacity = 4096; capacity < 4096 + 64 * 40; capacity += 64) {
        xr_flight_ring ring;
        uint64_t frame = 0;
        bool pinned;
        xr_flight_ring_begin(&ring, ring_memory + 3, capacity + 64);
        for (int i = 0; i < 500; i++, frame++) {
            const xr_box_entry begin = {.frame = frame, .kind = XR_BOX_BEGIN};
            assert_non_null(xr_flight_ring_add(&ring, &begin, 0, &pinned));
            const uint32_t records = next_random(6);
            bool whole = true;
            for (uint32_t k = 0; whole && k < records; k++) {
                const uint32_t size = next_random(2000);
                const xr_box_entry waits = {.frame = frame, .kind = XR_BOX_WAITS, .size = size};
                xr_box_entry *entry = xr_flight_ring_add(&ring, &waits, size, &pinned);
                whole = entry != NULL;
                if (entry)
                    memset(xr_flight_content(entry), (int)(frame & 0xFF), size);
            }
            const xr_box_entry end = {.frame = frame, .kind = XR_BOX_END};
            whole = whole && xr_flight_ring_add(&ring, &end, 0, &pinned);
            if (!whole) {
                assert_false(pinned);
                xr_flight_ring_forget_open(&ring);
            }
            /* Whole frames, in order, with what was put into them; the last one is there, if it fitted. */
            xr_flight_walk walk = xr_flight_walk_begin(&ring);
            uint64_t before = UINT64_MAX;
            uint32_t frames = 0;
            bool open = false;
            for (xr_box_entry *entry; (entry = xr_flight_walk_next(&walk));) {
                assert_int_equal(entry->kind == XR_BOX_BEGIN, !open);
                frames += entry->kind == XR_BOX_BEGIN;
                open = entry->kind != XR_BOX_END;
                assert_true(before == UINT64_MAX || entry->frame == before ||
                            (entry->frame > before && entry->kind == XR_BOX_BEGIN));
                before = entry->frame;
                for (uint32_t b = 0; b < entry->size; b++)
                    assert_int_equal(xr_flight_content(entry)[b], entry->frame & 0xFF);
            }
            assert_false(open);
            assert_int_equal(frames, ring.frames);
            assert_true(!whole || before == frame);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_before_and_after),
        cmocka_unit_test(test_a_trigger_within_a_frame),
        cmocka_unit_test(test_overlapping_triggers),
        cmocka_unit_test(test_more_triggers_than_wait),
        cmocka_unit_test(test_without_a_flight_recorder),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_frames_that_do_not_fit),
        cmocka_unit_test(test_level_off),
        cmocka_unit_test(test_stats_and_data),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_latency),
        cmocka_unit_test(test_set_capture),
        cmocka_unit_test(test_set_capture_needs_its_parts),
        cmocka_unit_test(test_asynchronous),
        cmocka_unit_test(test_other_threads),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
