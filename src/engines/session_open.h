/* What the sessions of all engines share. */
#ifndef XR_SESSION_OPEN_H
#define XR_SESSION_OPEN_H

#include "engines/engine.h"

/* xr_engine.open: `start` fills the adapter's own struct of `size` bytes, zeroed; `close` undoes what it did
 * where it fails, and frees the struct. */
xr_session *xr_session_open(size_t size,
                            exray_status (*start)(xr_session *session, const xr_session_config *config,
                                                  exray_error *error),
                            void (*close)(xr_session *session), const xr_session_config *config,
                            exray_error *error);

/* Whether input `i` of `count` takes `given` bytes: it takes `size`, and its name is `name`. */
exray_status xr_session_check_input(uint32_t i, uint32_t count, const char *name, size_t size, size_t given,
                                    exray_error *error);

/* Of set_shape: EXRAY_E_ARGUMENT unless a shape is the declared one (-1: open), with sizes above 0. */
exray_status xr_session_check_shape(uint32_t i, const exray_tensor_info *declared, const int64_t *shape,
                                    uint32_t rank, exray_error *error);

/* xr_engine.probe's last step: why the library cannot be used, "" if it can. */
void xr_engine_info_problem(xr_engine_info *info, const exray_error *error);

#endif
