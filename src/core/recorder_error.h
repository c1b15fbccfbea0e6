/* What goes wrong with a recorder: calls that are refused, which cost a record, and what ends the log. */
#ifndef XR_RECORDER_ERROR_H
#define XR_RECORDER_ERROR_H

#include "core/state.h"

/* A forked child has the recorder's memory, but no writer thread, and the file is its parent's. */
static inline bool xr_is_of_another_process(const xr_recorder *r)
{
    return r->process_of && r->process_of() != r->process;
}

/* EXRAY_OK where the recorder takes records, else what a call returns. */
exray_status xr_check(xr_recorder *r);
/* The writer thread's error becomes the recorder's. */
void xr_look_for_writer_error(xr_recorder *r);
/* Sets the error, unless the log has ended; returns it.  The texts are joined; NULL ends them early. */
exray_status xr_fail_with(xr_recorder *r, exray_status status, const char *a, const char *b, const char *c);
/* A sink that is gone: ends the log. */
exray_status xr_fail_write(xr_recorder *r, int error);
/* "cannot write to ...: ..." */
void xr_say_refused(const xr_recorder *r, int error, char *out, size_t size);

#endif
