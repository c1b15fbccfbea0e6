/* LiteRT's functions, looked up at run time.
 *
 * The library does not know its version, and between versions functions of one name took other arguments:
 * calling a wrong guess would be undefined behavior. So only known files are used, or the version that the
 * user states. */
#define _GNU_SOURCE /* dladdr, RTLD_DEFAULT */
#include "engines/library.h"
#include "engines/litert/litert.h"

#include "models/model_hash.h"
#include "models/refuse.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TESTED "2.3.0"

/* SHA-256 of the libraries that this adapter was tested with. */
static const struct {
    const char *version;
    const char *sha256;
} known[] = {
    {TESTED, "eec47eb35e2924b3166015887e652a58edc9af823ae38e02bf83bef2548300bb"}, /* x86-64 */
    {TESTED, "b57687dc234d2b8b0598aef5a9c961ed24263df8f8b3f56adbee1cff618e544b"}, /* arm64 */
};

static bool hash_file(const char *path, char hex[65])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    bool ok = fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0;
    void *data = ok ? mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    if (data == MAP_FAILED)
        return false;
    uint8_t digest[32];
    xr_model_hash(data, (size_t)status.st_size, digest);
    munmap(data, (size_t)status.st_size);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", (unsigned)digest[i]);
    return true;
}

void *xr_litert_symbol(void *library, const char *name)
{
    return dlsym(library ? library : RTLD_DEFAULT, name);
}

void xr_litert_locate(void *library, char path[1024])
{
    path[0] = '\0';
    void *address = xr_litert_symbol(library, XR_LITERT_OWN_SYMBOL);
    Dl_info info;
    if (address && dladdr(address, &info) && info.dli_fname)
        snprintf(path, 1024, "%s", info.dli_fname);
}

exray_status xr_litert_identify(const char *path, const char *stated, char version[32], exray_error *error)
{
    char hex[65];
    bool hashed = hash_file(path, hex);
    for (size_t i = 0; hashed && i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(hex, known[i].sha256) == 0) {
            snprintf(version, 32, "%s", known[i].version);
            return EXRAY_OK;
        }
    }
    if (!stated)
        stated = getenv("EXRAY_LITERT_VERSION");
    if (stated && strcmp(stated, TESTED) == 0) {
        snprintf(version, 32, "%s (stated)", TESTED);
        return EXRAY_OK;
    }
    snprintf(version, 32, "%s", "unknown");
    return xr_refuse(error, EXRAY_E_ENGINE,
                     "refused: no known build of LiteRT " TESTED
                     ", and other versions' functions differ; take the one in the Python "
                     "package " XR_PACKAGE_LITERT ", or set EXRAY_LITERT_VERSION=" TESTED
                     " if it is that version "
                     "(%.200s)",
                     path[0] ? path : "no path");
}

exray_status xr_litert_find(void *library, const char *path, xr_litert_api *api, exray_error *error)
{
    static const struct {
        const char *name;
        size_t offset;
    } symbols[] = {
#define ENTRY(result, name, arguments) {"LiteRt" #name, offsetof(xr_litert_api, name)},
        XR_LITERT_FUNCTIONS(ENTRY)
#undef ENTRY
    };
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *address = xr_litert_symbol(library, symbols[i].name);
        if (!address) {
            return xr_refuse(error, EXRAY_E_ENGINE,
                             "LiteRT (%.300s) has no %s: version " TESTED
                             " is needed; the Python package " XR_PACKAGE_LITERT " carries it",
                             path, symbols[i].name);
        }
        /* ISO C has no cast from an object pointer to a function pointer. */
        memcpy((char *)api + symbols[i].offset, &address, sizeof address);
    }
    return EXRAY_OK;
}
