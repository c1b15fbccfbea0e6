/* A record among those that a slot holds, for going over a long log. */
#ifndef XR_FIND_IN_H
#define XR_FIND_IN_H

#include <exray/log.h>

/* The same as exray_log_find, valid as long as what exray_log_records_in gives. */
const exray_record *xr_log_find_in(const exray_log *log, size_t frame, exray_kind kind, uint32_t index,
                                   uint32_t output, const char *name, exray_slot *slot);

#endif
