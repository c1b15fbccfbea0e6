/* What the commands share.  Each command is one file, cmd_NAME.c, that defines
 * one xr_command; main.c has the table. */
#ifndef XR_CLI_H
#define XR_CLI_H

#include <exray/types.h>
#include <stdio.h>

/* Exit statuses, every command. */
enum {
    XR_EXIT_OK = 0,      /* done, nothing wrong found */
    XR_EXIT_FOUND = 1,   /* validate found something wrong */
    XR_EXIT_FAILED = 2,  /* could not do it */
    XR_EXIT_UNKNOWN = 3, /* validate could not tell */
};

typedef struct xr_command {
    const char *name;
    const char *summary; /* one line for `exray --help` */
    const char *usage;   /* the whole text of `exray NAME --help`, with an example */
    /* argv[0] is the command's name.  Returns an exit status. */
    int (*run)(int argc, char **argv);
} xr_command;

/* X(name): every command. */
#define XR_COMMANDS(X)                                                                                       \
    X(record)                                                                                                \
    X(replay)                                                                                                \
    X(validate)                                                                                              \
    X(info)                                                                                                  \
    X(export)                                                                                                \
    X(recover)                                                                                               \
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

/* main.c: all of them, NULL at the end. */
extern const xr_command *const xr_commands[];

/* Prints "exray: <message>" and returns XR_EXIT_FAILED. */
int xr_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for an error that a library filled. */
int xr_fail_error(const exray_error *error);
/* "exray NAME: <message>" and where to find help; returns XR_EXIT_FAILED. */
int xr_usage_error(const xr_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Opens `path` for writing; "-" is standard output.  NULL: failed, said.  A log
 * that is there is not overwritten: it may be the one that is being read. */
FILE *xr_open_output(const char *path);
/* The same for a log, which takes the place of another log, and of nothing else. */
FILE *xr_open_log_output(const char *path);
/* Whether a log may be written to `path`; false: said. */
bool xr_may_write_log(const char *path);
/* Whether two names are of one file. */
bool xr_names_one_file(const char *a, const char *b);
/* Whether two outputs would end in one file, which may not be there yet; NULL is none. */
bool xr_same_output(const char *a, const char *b);
/* A half-written log is of no use; a device is not ours to remove. */
void xr_remove_output(const char *path);
/* Closes it (not standard output); false: writing had failed, said. */
bool xr_close_output(FILE *file, const char *path);

/* Writes `root` (taken over) as indented JSON to `path`; "-" is standard
 * output.  Returns an exit status, failures said. */
struct cJSON;
int xr_print_json(struct cJSON *root, const char *path);

#endif
