/* Running a side's model again: what the check of states asks of whoever has an engine and the model's file.
 */
#ifndef XR_RERUNS_H
#define XR_RERUNS_H

#include <exray/assertion.h>

typedef struct xr_reruns {
    void *user;
    /* The model that a side ran, as it ran it; NULL: it is not at hand, or there is no engine for it. */
    void *(*open)(void *user, exray_side side, exray_error *error);
    void (*close)(void *run);
    /* The input of that name gets that output of the run before, and zeros first. */
    exray_status (*loop)(void *run, const char *input, const char *output, exray_error *error);
    /* What the model remembers is as before its first run. */
    exray_status (*reset)(void *run, exray_error *error);
    /* Runs once on the inputs that the log recorded in the frame at that position; zeros: on zeros in their
     * place, as bytes (1) or as numbers (2; of quantized inputs), but for inputs of one element.
     * EXRAY_E_STATE: there are none, or the time for all runs is over. */
    exray_status (*run)(void *run, const exray_log *log, size_t frame, int zeros, exray_error *error);
    /* An output of the last run; borrowed until the next; NULL: there is none. */
    const void *(*output)(void *run, const char *name, exray_tensor_info *info, size_t *size);
    /* The engine's name. */
    const char *(*engine)(void *run);
} xr_reruns;

#endif
