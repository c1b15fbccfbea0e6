/* A command of the program and its options: the one place where they are written down.  Parsing
 * (command_line.h), help texts (help.h), completions, manual pages and docs/commands.md are made from it. */
#ifndef XR_COMMAND_H
#define XR_COMMAND_H

#include <stddef.h>

/* Exit statuses, every command. */
enum {
    XR_EXIT_OK = 0,      /* done, nothing wrong found */
    XR_EXIT_FOUND = 1,   /* validate found something wrong, diff something new or worse */
    XR_EXIT_FAILED = 2,  /* could not do it */
    XR_EXIT_UNKNOWN = 3, /* validate could not tell */
};

typedef struct xr_command xr_command;
typedef struct xr_option xr_option;

/* Puts an option's value (NULL: it takes none) into `values`, the struct that the command parses into.
 * Returns XR_EXIT_OK, or XR_EXIT_FAILED after printing why. */
typedef int xr_set_option(const xr_command *command, const xr_option *option, const char *value,
                          void *values);

/* What a shell completes as an option's value. */
typedef enum xr_value_kind {
    XR_VALUE_FILE,
    XR_VALUE_TEXT,    /* a number or a name that no shell can know */
    XR_VALUE_CHOICES, /* one of `choices` */
    XR_VALUE_ENGINE,  /* the name of one */
    XR_VALUE_KERNELS, /* those of an engine */
} xr_value_kind;

struct xr_option {
    const char *name;           /* behind "--" */
    char letter;                /* behind "-", or 0 */
    const char *value;          /* what help calls its value, such as "FILE"; NULL: it takes none */
    xr_value_kind kind;         /* of the value */
    const char *const *choices; /* NULL at the end */
    xr_set_option *set;
    size_t offset;       /* of the member of the command's struct that `set` fills */
    const char *text;    /* what it does, on one line; NULL: not shown */
    const char *refused; /* an option of another command only: the error line */
};

/* Options that belong together; `title` is NULL where there is one group only. */
typedef struct xr_option_group {
    const char *title;
    const xr_option *options; /* without a name at the end */
} xr_option_group;

/* One call of a command.  argv[0] is the command's name. */
typedef struct xr_call {
    const xr_command *command;
    const xr_command *const *commands; /* all of the program, NULL at the end */
    int argc;
    char **argv;
} xr_call;

struct xr_command {
    const char *name;
    const char *summary;                  /* one line for `exray --help` */
    const char *synopsis;                 /* behind "exray NAME " */
    const char *description;              /* one paragraph */
    const xr_option_group *const *groups; /* NULL at the end; NULL: no options */
    const char *notes;                    /* one paragraph behind the options; NULL: none */
    const char *example;                  /* lines */
    int (*run)(const xr_call *call);      /* returns an exit status */
};

/* X(name): every command, in the order of `exray --help`. */
#define XR_COMMANDS(X)                                                                                       \
    X(record)                                                                                                \
    X(replay)                                                                                                \
    X(validate)                                                                                              \
    X(diff)                                                                                                  \
    X(info)                                                                                                  \
    X(export)                                                                                                \
    X(recover)                                                                                               \
    X(scrub)                                                                                                 \
    X(receive)                                                                                               \
    X(expose)                                                                                                \
    X(engines)                                                                                               \
    X(assertions)                                                                                            \
    X(doctor)                                                                                                \
    X(completion)                                                                                            \
    X(man)                                                                                                   \
    X(version)

#define XR_COMMAND_DECLARE(name) extern const xr_command xr_command_##name;
XR_COMMANDS(XR_COMMAND_DECLARE)
#undef XR_COMMAND_DECLARE

#endif
