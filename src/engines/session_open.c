#include "engines/session_open.h"

#include "models/refuse.h"

#include <stdio.h>
#include <stdlib.h>

xr_session *xr_session_open(size_t size,
                            exray_status (*start)(xr_session *session, const xr_session_config *config,
                                                  exray_error *error),
                            void (*close)(xr_session *session), const xr_session_config *config,
                            exray_error *error)
{
    *error = (exray_error){EXRAY_OK, ""};
    xr_session *session = calloc(1, size);
    if (!session) {
        xr_refuse(error, EXRAY_E_MEMORY, "out of memory");
        return NULL;
    }
    if (start(session, config, error) == EXRAY_OK)
        return session;
    close(session);
    return NULL;
}

exray_status xr_session_check_input(uint32_t i, uint32_t count, const char *name, size_t size, size_t given,
                                    exray_error *error)
{
    *error = (exray_error){EXRAY_OK, ""};
    if (i >= count)
        return xr_refuse(error, EXRAY_E_ARGUMENT, "the model has %u inputs, none numbered %u",
                         (unsigned)count, (unsigned)i);
    if (size != given)
        return xr_refuse(error, EXRAY_E_ARGUMENT, "input %u (%.200s) takes %zu bytes, given %zu", (unsigned)i,
                         name ? name : "", size, given);
    return EXRAY_OK;
}

void xr_engine_info_problem(xr_engine_info *info, const exray_error *error)
{
    /* A longer message is cut: its end is advice. */
    snprintf(info->problem, sizeof info->problem, "%.*s", (int)sizeof info->problem - 1, error->message);
}
