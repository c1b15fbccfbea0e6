#include "checks/compatible.h"

#include <stddef.h>
#include <stdio.h>

enum { LARGEST = 4096 }; /* no assertion gets that large: a greater size was never set */

const char *xr_assertion_problem(const exray_assertion *a, char why[160])
{
    if (a->abi != EXRAY_ASSERTION_ABI || a->size < offsetof(exray_assertion, options) || a->size > LARGEST) {
        snprintf(why, 160, "was built for assertion ABI %u, this exray has %u: build it again",
                 (unsigned)a->abi, (unsigned)EXRAY_ASSERTION_ABI);
        return why;
    }
    for (size_t i = sizeof *a; i < a->size; i++)
        if (((const unsigned char *)a)[i])
            return "sets a field that this exray does not know: take a newer exray, or build it with this "
                   "one's headers";
    return NULL;
}
