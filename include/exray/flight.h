/* The flight recorder: the last frames wait in memory at a rich capture level; a trigger writes them.
 *
 *     static uint8_t ring[64 << 20];
 *     exray_flight_config flight = EXRAY_FLIGHT_CONFIG_INIT;
 *     flight.memory = ring;
 *     flight.memory_size = sizeof ring;
 *     flight.score_below = 0.4f;
 *     flight.before = 30;
 *     flight.after = 10;
 *     exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
 *     config.capture = EXRAY_CAPTURE_FRAME;
 *     config.flight = &flight;
 *     exray_recorder_open_file(&recorder, "edge.mcap", &config);
 *
 * Every frame is written at config.capture, as without it.  What flight.capture keeps beyond that is copied
 * into a ring of fixed size, where the oldest frame makes room for the newest.  A trigger, by a call or by a
 * condition that is checked at the end of each frame, writes what waits of the frames before it, and of the
 * frames that follow; an /event of kind "trigger" tells the reason.  A frame is written once, however many
 * triggers ask for it.  docs/flight-recorder.md has examples and figures.
 *
 * Cost of a frame: one copy of what waits (with `file`, a CRC-32 of it as well), and one pass over the
 * outputs where `not_finite` is set.  A trigger's own cost is that of writing what it asks for: with
 * ring_size 0 at the end of the frame that it falls into, else little by little, as the writer thread has
 * room for it.  No heap, no lock. */
#ifndef EXRAY_FLIGHT_H
#define EXRAY_FLIGHT_H

#include <exray/recorder.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* `before` of a trigger: all frames that wait.  Since 0.2.0. */
#define EXRAY_FLIGHT_ALL UINT32_MAX

/* What is known of a frame that ends, for a condition of the application's.  Since 0.2.0. */
typedef struct exray_flight_frame {
    uint64_t index;
    const char *source;     /* "": unknown */
    uint64_t duration_ns;   /* from its begin to its end */
    uint64_t inference_ns;  /* 0: not told */
    bool has_score;         /* it has a /result with classes or boxes */
    float score;            /* the highest of them */
    const char *not_finite; /* the output that has a NaN or an infinity; NULL: none, or `not_finite` of the
                               config is false */
} exray_flight_frame;

/* Called at the end of each frame, on the thread that ends it.  Returns the reason of a trigger, one line
 * that the callee owns, or NULL: no trigger.  Since 0.2.0. */
typedef const char *(*exray_flight_condition_fn)(void *user, const exray_flight_frame *frame);

/* What waits, where, and what triggers.  Begin with EXRAY_FLIGHT_CONFIG_INIT; every other field that is zero
 * means its default.  Read at open, and only then, but for `memory`, which is borrowed until close.
 * Since 0.2.0. */
struct exray_flight_config {
    uint32_t size; /* sizeof(exray_flight_config) */

    exray_capture capture; /* the level that waits; 0: FULL; from IO on */

    /* Where frames wait, and how many: as many as all three limits allow. */
    void *memory;       /* NULL: `memory_size` bytes of the recorder's own block */
    size_t memory_size; /* bytes; at least 4 KiB; over 64 KiB where `file` is set.  A frame that is larger
                           keeps config.capture alone, which is told in the log */
    const char *file;   /* NULL: none.  A file of memory_size bytes that is mapped and outlives the process:
                           `exray recover` makes a log of it.  The recorder makes it anew; one that a crash
                           left is renamed to FILE.1, FILE.2, ... first.  `memory` must then be NULL */
    uint32_t frames;    /* 0: no limit but the others */
    uint32_t milliseconds; /* how long ago a frame may have begun; 0: no limit but the others */

    /* What a condition writes. */
    uint32_t before; /* frames up to the one that ends, that one included; 0: all that wait */
    uint32_t after;  /* frames that follow */

    /* Conditions. */
    float score_below;                   /* the highest score of the frame's /result is under it; 0: never */
    uint64_t latency_above_ns;           /* the inference, else the frame, took longer; 0: never */
    bool not_finite;                     /* an output has a NaN or an infinity */
    exray_flight_condition_fn condition; /* or NULL */
    void *user;                          /* for it */

    /* At most one trigger of a condition in so many milliseconds (each condition by itself); 0: 60,000.
     * Those held back are counted and told by the next one. */
    uint32_t interval_ms;
};

/* exray_flight_config flight = EXRAY_FLIGHT_CONFIG_INIT;  Since 0.2.0. */
#define EXRAY_FLIGHT_CONFIG_INIT                                                                             \
    {                                                                                                        \
        sizeof(exray_flight_config), EXRAY_CAPTURE_DEFAULT, NULL, 0, NULL, 0, 0, 0, 0, 0, 0, false, NULL,    \
            NULL, 0                                                                                          \
    }

/* Has the recorder write the last `before` frames that wait, and the `after` frames that follow, at the rich
 * level.  The last of `before` is the open frame or, between frames, the one that ended last.  Frames that
 * were written before, or are no longer there, are not counted again: at most `before` are written.  It takes
 * effect when a frame ends or begins, or at close.  `reason`: one line for the /event; its first 159 bytes
 * are copied; NULL: none.
 *
 * Any thread, at any time between open and close.  EXRAY_E_STATE: the recorder has no flight recorder, or is
 * not open; EXRAY_E_LIMIT: eight triggers wait already (what they ask for is written; this one's reason is
 * not told).  Neither is the recorder's error.  Since 0.2.0. */
exray_status exray_recorder_trigger(exray_recorder *recorder, uint32_t before, uint32_t after,
                                    const char *reason);

/* The part that config.flight needs: a constant table, never NULL; any thread.  Since 0.2.0. */
const exray_flight_part *exray_flight_part_default(void);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
