/* Loading an external delegate, as TensorFlow Lite's own tools do. */
#define _GNU_SOURCE /* RTLD_NOLOAD with RTLD_GLOBAL is not in POSIX.1-2008 */
#include "engines/tflite/session_delegate.h"

#include "models/refuse.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CREATE  "tflite_plugin_create_delegate"
#define DESTROY "tflite_plugin_destroy_delegate"

typedef TfLiteDelegate *(*create_function)(char **keys, char **values, size_t count,
                                           void (*report_error)(const char *));

/* The parsed spec, in one block. */
typedef struct parsed {
    char *text; /* owns what the others point into */
    char *library;
    char **keys, **values;
    size_t count;
} parsed;

static exray_status refuse(exray_error *error, exray_status status, const char *what, const char *which,
                           const char *advice)
{
    return xr_refuse(error, status, "--delegate: %s %.250s%s%.200s", what, which, advice ? "; " : "",
                     advice ? advice : "");
}

/* ---- The spec ------------------------------------------------------------------ */

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* Cuts the text after the library's name; returns the options, "" if none. */
static char *cut_library(char *text)
{
    char *first = strchr(text, ':');
    for (char *colon = first; colon; colon = strchr(colon + 1, ':')) {
        *colon = '\0';
        if (is_file(text))
            return colon + 1;
        *colon = ':';
    }
    if (!first || is_file(text))
        return text + strlen(text);
    *first = '\0';
    return first + 1;
}

static exray_status parse_options(parsed *p, char *options, exray_error *error)
{
    size_t room = 1;
    for (const char *c = options; *c; c++)
        room += *c == ';';
    p->keys = calloc(room, sizeof *p->keys);
    p->values = calloc(room, sizeof *p->values);
    if (!p->keys || !p->values)
        return refuse(error, EXRAY_E_MEMORY, "no memory for the options of", p->library, NULL);
    while (*options) {
        char *end = options + strcspn(options, ";"), *next = *end ? end + 1 : end;
        *end = '\0';
        char *colon = strchr(options, ':');
        if (*options && (!colon || colon == options))
            return refuse(error, EXRAY_E_ARGUMENT, "cannot understand the option", options,
                          "write LIB:KEY:VALUE;KEY:VALUE");
        if (colon) {
            *colon = '\0';
            p->keys[p->count] = options;
            p->values[p->count++] = colon + 1;
        }
        options = next;
    }
    return EXRAY_OK;
}

static exray_status parse(const char *spec, parsed *p, exray_error *error)
{
    p->text = strdup(spec);
    if (!p->text)
        return refuse(error, EXRAY_E_MEMORY, "no memory for", spec, NULL);
    char *options = cut_library(p->text);
    p->library = p->text;
    if (!*p->library)
        return refuse(error, EXRAY_E_ARGUMENT, "no library in", spec, "write LIB[:KEY:VALUE;...]");
    return parse_options(p, options, error);
}

static void free_parsed(parsed *p)
{
    free(p->keys);
    free(p->values);
    free(p->text);
}

/* ---- The library ----------------------------------------------------------------- */

/* Delegates that call TensorFlow Lite's C functions without linking a library of their own find those of the
 * engine in use. */
static void make_visible(void *tflite)
{
    char version[32], path[1024];
    xr_tflite_identify(tflite, version, path);
    if (path[0])
        dlopen(path, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
}

static exray_status open_library(const char *name, void **library, exray_error *error)
{
    char *path = is_file(name) ? realpath(name, NULL) : NULL; /* or the loader would not look here */
    if (!path && strchr(name, '/'))
        return refuse(error, EXRAY_E_ENGINE, "there is no file", name,
                      "give the path of the delegate's shared library");
    *library = dlopen(path ? path : name, RTLD_NOW | RTLD_LOCAL);
    free(path);
    if (*library)
        return EXRAY_OK;
    const char *why = dlerror();
    return refuse(error, EXRAY_E_ENGINE, "cannot load", why ? why : name,
                  "it must be a shared library for this machine");
}

static exray_status find_functions(void *library, const char *name, create_function *create,
                                   xr_tflite_external *out, exray_error *error)
{
    void *create_address = dlsym(library, CREATE), *destroy_address = dlsym(library, DESTROY);
    if (!create_address || !destroy_address) {
        return xr_refuse(error, EXRAY_E_ENGINE,
                         "--delegate: %.250s has no symbol %s: it is no external delegate of TensorFlow Lite",
                         name, create_address ? DESTROY : CREATE);
    }
    /* POSIX promises that function pointers look like object pointers. */
    memcpy(create, &create_address, sizeof *create);
    memcpy(&out->destroy, &destroy_address, sizeof out->destroy);
    return EXRAY_OK;
}

/* The reporter that a delegate calls takes no pointer of ours. */
static _Thread_local char complaint[200];

static void keep_complaint(const char *message)
{
    if (complaint[0] || !message)
        return;
    snprintf(complaint, sizeof complaint, "%s", message);
    complaint[strcspn(complaint, "\r\n")] = '\0';
}

exray_status xr_tflite_load_delegate(void *tflite, const char *spec, xr_tflite_external *out,
                                     exray_error *error)
{
    parsed p = {0};
    void *library = NULL;
    create_function create = NULL;
    *out = (xr_tflite_external){0};
    exray_status status = parse(spec, &p, error);
    if (status == EXRAY_OK) {
        make_visible(tflite);
        status = open_library(p.library, &library, error);
    }
    if (status == EXRAY_OK)
        status = find_functions(library, p.library, &create, out, error);
    if (status == EXRAY_OK && create) {
        complaint[0] = '\0';
        out->delegate = create(p.keys, p.values, p.count, keep_complaint);
        if (!out->delegate)
            status = xr_refuse(error, EXRAY_E_ENGINE, "--delegate: %.200s made no delegate: %s", p.library,
                               complaint[0] ? complaint : "it does not say why; check its options");
    }
    /* A library that cannot be used is closed; one that made a delegate stays loaded, as the engine does, for
     * its threads and drivers. */
    if (status != EXRAY_OK && library)
        dlclose(library);
    free_parsed(&p);
    return status;
}

void xr_tflite_free_delegate(xr_tflite_external *external)
{
    if (external->delegate)
        external->destroy(external->delegate);
    external->delegate = NULL;
}
