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

exray_status xr_session_check_shape(uint32_t i, const exray_tensor_info *declared, const int64_t *shape,
                                    uint32_t rank, exray_error *error)
{
    *error = (exray_error){EXRAY_OK, ""};
    bool fits = declared && declared->rank == rank && rank <= EXRAY_MAX_RANK;
    for (uint32_t k = 0; fits && k < rank; k++)
        fits = shape[k] > 0 && shape[k] <= INT32_MAX &&
               (declared->shape[k] < 0 || declared->shape[k] == shape[k]);
    if (fits)
        return EXRAY_OK;
    char given[80] = "", takes[80] = "";
    for (uint32_t k = 0, at = 0; k < rank && k < EXRAY_MAX_RANK && at < sizeof given; k++)
        at += (uint32_t)snprintf(given + at, sizeof given - at, "%s%lld", k ? "," : "", (long long)shape[k]);
    for (uint32_t k = 0, at = 0; declared && k < declared->rank && at < sizeof takes; k++)
        at += (uint32_t)snprintf(takes + at, sizeof takes - at, "%s%lld", k ? "," : "",
                                 (long long)declared->shape[k]);
    return xr_refuse(error, EXRAY_E_ARGUMENT, "input %u (%.100s) takes the shape [%s], given [%s]",
                     (unsigned)i, declared && declared->name ? declared->name : "", takes, given);
}

void xr_engine_info_problem(xr_engine_info *info, const exray_error *error)
{
    /* A longer message is cut: its end is advice. */
    snprintf(info->problem, sizeof info->problem, "%.*s", (int)sizeof info->problem - 1, error->message);
}
