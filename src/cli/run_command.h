/* What `record` and `replay` share: their options, and telling how it goes. */
#ifndef XR_RUN_COMMAND_H
#define XR_RUN_COMMAND_H

#include "cli/cli.h"
#include "replay/replay.h"

typedef struct xr_run_command {
    xr_run_options run;
    const char *data;   /* record: --data */
    const char *labels; /* --labels */
    const char *sensor; /* replay: --sensor */
    bool from_input;    /* replay: --from input */
    const char *log;    /* replay: the edge's log */
} xr_run_command;

/* The part of the usage text that both share. */
#define XR_RUN_OPTIONS_HELP                                                                                  \
    "  --engine E          tflite (`exray engines` lists what is there; default: by the model's name)\n"     \
    "  --model M           the model file\n"                                                                 \
    "  --pipeline P.yaml   how a picture becomes the model's input\n"                                        \
    "  -o, --output LOG    the log to write\n"                                                               \
    "  --capture LEVEL     off, frame, io, stats, sketch or full (default full)\n"                           \
    "  --layers LIST       keep only these layers: names with * and ?, #12, #3-9\n"                          \
    "  --every N           layers and io of every Nth frame only\n"                                          \
    "  --first N           layers and io of the first N frames only\n"                                       \
    "  --byte-budget N     bytes of log; layer data beyond becomes stats, then drops, counted\n"             \
    "  --no-io-data        leave out the data of sensor and input records\n"                                 \
    "  --compress HOW      none, lz4 or zstd (default none)\n"                                               \
    "  --stream            write without chunks and index, as a small device does\n"                         \
    "  --kernels K         default, builtin or xnnpack\n"                                                    \
    "  --threads N         threads of the engine (default 1)\n"                                              \
    "  --frames N          stop after N frames\n"                                                            \
    "  --engine-lib FILE   the engine's library\n"                                                           \
    "  --delegate LIB[:K:V;K:V]  an external delegate (tflite), with its options\n"

/* Parses the command line.  Returns XR_EXIT_OK to go on, else the exit status
 * (said). */
int xr_run_command_parse(const xr_command *command, int argc, char **argv, xr_run_command *out);

/* Runs the items, prints progress (on a terminal), what was skipped, and one
 * closing line.  Returns an exit status; frees `items`. */
int xr_run_command_run(xr_run_command *command, xr_items *items);

#endif
