/* What `record` and `replay` share: their options, and running with progress. */
#ifndef XR_RUN_COMMAND_H
#define XR_RUN_COMMAND_H

#include "cli/command_line.h"
#include "replay/replay.h"

typedef struct xr_run_command {
    xr_run_options run;
    const char *data;   /* record: --data */
    const char *labels; /* --labels */
    const char *sensor; /* replay: --sensor */
    bool from_input;    /* replay: --from input */
    const char *log;    /* replay: the edge's log; NULL: `record` */
    bool compress_by_need;
} xr_run_command;

/* The options that both have. */
extern const xr_option_group xr_run_model_options, xr_run_log_options;

/* --role; NAME is the default. */
#define XR_ROLE_OPTION(NAME)                                                                                 \
    {                                                                                                        \
        .name = "role", .value = "ROLE", .kind = XR_VALUE_CHOICES, .choices = xr_role_names,                 \
        .set = xr_set_role, .text = "edge or reference (default " NAME ")"                                   \
    }
extern const char *const xr_role_names[];
xr_set_option xr_set_role;

#define XR_LABELS_OPTION                                                                                     \
    {                                                                                                        \
        .name = "labels", .value = "PATH", XR_INTO(text, xr_run_command, labels),                            \
        .text = "what is true of the pictures: lines FILE CLASS (.txt), COCO's boxes (.json), a folder of "  \
                "masks (NAME.png), or texts (.tsv)"                                                          \
    }

/* What both do at Ctrl-C. */
#define XR_STOP_TEXT                                                                                         \
    "Ctrl-C or SIGTERM ends it after the frame at hand: the log is closed and takes its place, one line "    \
    "says how many "                                                                                         \
    "frames it has, and the exit status is 2; a second one ends it at once."

/* The options' defaults. */
xr_run_command xr_run_command_defaults(exray_role role);

/* Checks that the options can be run. Returns XR_EXIT_OK, or an exit status after printing why not. */
int xr_run_command_check(const xr_command *command, xr_run_command *given);

/* Runs the items, prints progress (on a terminal), what was skipped, and one
 * closing line.  Returns an exit status; frees `items`. */
int xr_run_command_run(xr_run_command *command, xr_items *items);

#endif
