/* Parsing a command line by the command's option table. */
#ifndef XR_COMMAND_LINE_H
#define XR_COMMAND_LINE_H

#include "cli/command.h"

#include <stdbool.h>
#include <stdint.h>

/* The arguments that are no options, in their order. */
typedef struct xr_operands {
    char **at;
    int count;
} xr_operands;

/* Fills `values`, the command's struct, and `operands`.  Options are "--name VALUE", "--name=VALUE", a
 * beginning of the name that is unique, "-o VALUE" and "-oVALUE"; behind "--" are operands alone. Returns
 * XR_EXIT_OK, or XR_EXIT_FAILED after printing why. */
int xr_parse_options(const xr_call *call, void *values, xr_operands *operands);

/* The same for a command that takes no operands. */
int xr_parse_only_options(const xr_call *call, void *values);

/* Where one is in a command's table: {command->groups, 0} to begin with. */
typedef struct xr_option_place {
    const xr_option_group *const *group;
    size_t index;
} xr_option_place;
/* The next option, whatever its group; NULL: there are no more. */
const xr_option *xr_next_option(xr_option_place *place);

/* The i-th value that an option takes; NULL: there are no more, or any value will do. */
const char *xr_value_choice(const xr_option *option, size_t i);

/* The same for a command that takes one operand: with more or fewer the error is "name one log", where `what`
 * is "log". */
int xr_parse_one_operand(const xr_call *call, void *values, const char *what, const char **operand);

/* Whether an argument is that option as it stands: "--name" or "-letter". */
bool xr_is_option(const xr_option *option, const char *argument);

/* ---- What options set ---------------------------------------------------------- */

/* --json, of most commands. */
#define XR_JSON_OPTION(type, member)                                                                         \
    {                                                                                                        \
        .name = "json", .value = "F", XR_INTO(text, type, member), .text = "as JSON; - is standard output"   \
    }

/* Where a value goes, in an xr_option: XR_INTO(text, record_options, model). */
#define XR_INTO(kind, type, member) .set = xr_set_##kind, .offset = offsetof(type, member)

xr_set_option xr_set_text;  /* a const char *; the last one counts */
xr_set_option xr_set_flag;  /* a bool */
xr_set_option xr_set_count; /* a uint64_t of at least 1 */

/* A whole number from 1 to `most`; false: it is none. */
bool xr_parse_count(const char *text, uint64_t most, uint64_t *out);

/* The position of `value` among the option's choices; -1: not among them; printed. */
int xr_choice(const xr_command *command, const xr_option *option, const char *value);

/* Values of an option that may be repeated. */
enum { XR_LIST_ROOM = 64 };
typedef struct xr_value_list {
    const char *value[XR_LIST_ROOM];
    size_t count;
} xr_value_list;

/* Appends to it.  Beyond `most` (at most XR_LIST_ROOM) it prints "at most 16 plug-ins" and returns
 * XR_EXIT_FAILED. */
int xr_add_value(const xr_command *command, xr_value_list *list, size_t most, const char *things,
                 const char *value);

/* Plug-ins, at most 16, into an xr_value_list. */
xr_set_option xr_set_plugin;

/* "--engine tflit: no such engine (did you mean tflite?)"; returns XR_EXIT_FAILED. */
int xr_no_engine(const xr_command *command, const char *given);

#endif
