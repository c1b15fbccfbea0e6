/* dlopen of users' assertions. */
#include "checks.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const exray_assertion *const *refuse(exray_error *error, exray_status status, const char *path,
                                            const char *why)
{
    error->status = status;
    snprintf(error->message, sizeof error->message, "plug-in '%.200s': %.240s", path, why);
    return NULL;
}

const exray_assertion *const *xr_plugin_load(const char *path, exray_error *error)
{
    /* A bare name would be looked for among the system's libraries. */
    char local[4096];
    snprintf(local, sizeof local, "%s%s", strchr(path, '/') ? "" : "./", path);
    void *library = dlopen(local, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror();
        return refuse(error, EXRAY_E_IO, path, why ? why : "cannot be loaded");
    }
    const exray_assertion *const *table = dlsym(library, "exray_plugin_assertions");
    if (!table)
        return refuse(error, EXRAY_E_FORMAT, path,
                      "has no symbol exray_plugin_assertions (see docs/assertions.md)");
    for (size_t i = 0; table[i]; i++) {
        char why[160];
        const exray_assertion *a = table[i];
        if (a->abi != EXRAY_ASSERTION_ABI || a->size < sizeof *a) {
            snprintf(why, sizeof why, "was built for assertion ABI %u, this exray has %u: build it again",
                     (unsigned)a->abi, (unsigned)EXRAY_ASSERTION_ABI);
            return refuse(error, EXRAY_E_UNSUPPORTED, path, why);
        }
        if (!a->name || !*a->name || !a->run)
            return refuse(error, EXRAY_E_FORMAT, path, "has an assertion without a name or a function");
    }
    return table;
}
