#include "checks/builtin.h"
#include "checks/checks.h"

const exray_assertion *const xr_assertions[] = {
#define XR_ASSERTION_ENTRY(name) &xr_assertion_##name,
    XR_BUILTIN_ASSERTIONS(XR_ASSERTION_ENTRY)
#undef XR_ASSERTION_ENTRY
        NULL};
