#define _POSIX_C_SOURCE 200809L
#include "engines/library.h"

#include "models/refuse.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From the program's folder: as built; from build/tests and the like; as installed. */
static const char *const prefixes[] = {"", "../", EXRAY_INSTALLED "/"};

static void *open_named(const xr_library_place *place, const char *path, const char *named_by,
                        exray_error *error)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror();
        xr_refuse(error, EXRAY_E_ENGINE, "cannot load the library that %s names: %.350s", named_by,
                  why ? why : path);
    } else if (!dlsym(library, place->symbol)) {
        const char *slash = strrchr(place->bundled, '/');
        dlclose(library);
        library = NULL;
        xr_refuse(error, EXRAY_E_ENGINE, "%.280s, which %s names, is not %s: it has no symbol %s; name a %s",
                  path, named_by, place->engine, place->symbol, slash ? slash + 1 : place->bundled);
    }
    return library;
}

/* A path from the program's folder: false where there is no such file. */
static bool find_bundled(const char *prefix, const char *bundled, char path[4096])
{
    ssize_t length = readlink("/proc/self/exe", path, 4096 - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash || (size_t)(slash - path) + 1 + strlen(prefix) + strlen(bundled) >= 4096)
        return false;
    strcpy(slash + 1, prefix);
    strcat(slash + 1, bundled);
    return access(path, R_OK) == 0;
}

void *xr_library_open(const xr_library_place *place, const char *wanted, exray_error *error)
{
    if (wanted)
        return open_named(place, wanted, "--engine-lib", error);
    const char *environment = getenv(place->environment);
    if (environment && *environment)
        return open_named(place, environment, place->environment, error);
    char path[4096];
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (find_bundled(prefixes[i], place->bundled, path))
            return open_named(place, path, "the program's own folder", error);
    for (const char *const *name = place->system_names; *name; name++) {
        void *library = dlopen(*name, RTLD_NOW | RTLD_LOCAL);
        if (library)
            return library;
    }
    xr_refuse(error, EXRAY_E_ENGINE,
              "%s's C library was not found (%s beside the program, or on the system): name it with "
              "--engine-lib or %s; the Python package %s carries it",
              place->engine, place->bundled, place->environment, place->package);
    return NULL;
}
