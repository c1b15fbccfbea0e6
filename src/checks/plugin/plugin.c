/* Users' assertions: loaded by dlopen, run in a child process. */
#include "checks/checks.h"
#include "checks/compatible.h"
#include "checks/options.h"
#include "checks/plugin/serialize.h"
#include "checks/plugin/subprocess.h"

#include <dlfcn.h>
#include <exray/task.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASSERTION_LIMIT = 1000, FINDING_LIMIT = 1000, LOAD_SECONDS = 30 };

/* ---- Loading ------------------------------------------------------------------------ */

static bool refuse(exray_error *error, exray_status status, const char *path, const char *why)
{
    error->status = status;
    snprintf(error->message, sizeof error->message, "plug-in '%.200s': %.240s", path, why);
    return false;
}

/* Lower-case words, joined by dots. */
static bool is_name(const char *name)
{
    size_t length = name ? strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") : 0;
    return length > 0 && length <= 80 && !name[length];
}

/* Checks an assertion.  Reads every string that exray will read later, so that an invalid pointer
 * crashes here, in the child process. */
static bool check_assertion(const exray_assertion *a, const char *path, exray_error *error)
{
    char why[240];
    const char *problem = xr_assertion_problem(a, why);
    if (problem)
        return refuse(error, EXRAY_E_UNSUPPORTED, path, problem);
    if (!a->name || !*a->name || !a->run)
        return refuse(error, EXRAY_E_FORMAT, path, "has an assertion without a name or a function");
    if (!is_name(a->name)) {
        snprintf(why, sizeof why, "'%.80s' is no name: use a-z, 0-9, '_', '-' and dots, at most 80", a->name);
        return refuse(error, EXRAY_E_FORMAT, path, why);
    }
    for (const char *const *cause = a->causes; cause && *cause; cause++)
        if (!is_name(*cause)) {
            snprintf(why, sizeof why, "%.80s declares the cause '%.80s', which is no name", a->name, *cause);
            return refuse(error, EXRAY_E_FORMAT, path, why);
        }
    size_t length = a->summary ? strlen(a->summary) : 0;
    length += a->needs ? strlen(a->needs) : 0;
    for (const exray_option *o = xr_options_of(a); o && o->name; o++) {
        length += strlen(o->name) + (o->meaning ? strlen(o->meaning) : 0);
        if (!*o->name || strpbrk(o->name, ".= \t\n")) {
            snprintf(why, sizeof why, "%.80s has an option '%.60s': no dots, '=' or blanks", a->name,
                     o->name);
            return refuse(error, EXRAY_E_FORMAT, path, why);
        }
    }
    return length < SIZE_MAX; /* uses `length`, so that the reads are not optimized away */
}

static const exray_assertion *const *load(const char *path, exray_error *error)
{
    /* dlopen looks for a name without a slash among the system's libraries. */
    char local[4096];
    snprintf(local, sizeof local, "%s%s", strchr(path, '/') ? "" : "./", path);
    void *library = dlopen(local, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror();
        refuse(error, EXRAY_E_IO, path, why ? why : "cannot be loaded");
        return NULL;
    }
    const exray_assertion *const *table = dlsym(library, "exray_plugin_assertions");
    static const exray_assertion *const none[] = {NULL};
    size_t tasks = 0;
    if (exray_task_load(path, &tasks, error) != EXRAY_OK)
        return NULL;
    if (!table && tasks)
        return none;
    if (!table) {
        refuse(error, EXRAY_E_FORMAT, path,
               "has no symbol exray_plugin_assertions: a plug-in ends with EXRAY_PLUGIN(its assertions)");
        return NULL;
    }
    size_t count = 0;
    for (; table[count] && count < ASSERTION_LIMIT; count++)
        if (!check_assertion(table[count], path, error))
            return NULL;
    if (count == ASSERTION_LIMIT || count == 0) {
        refuse(error, EXRAY_E_FORMAT, path,
               count ? "its table of assertions does not end with NULL" : "has no assertion in its table");
        return NULL;
    }
    return table;
}

typedef struct probe {
    const char *path;
} probe;

static void load_in_child(void *user, xr_reply *reply)
{
    exray_error error = {EXRAY_OK, ""};
    load(((const probe *)user)->path, &error);
    xr_reply_add(reply, &error, sizeof error);
}

/* Loads it in a child process first: a library's constructors and tables may crash. */
static const exray_assertion *const *load_after_trial(const char *path, exray_error *error)
{
    xr_reply reply;
    char why[200];
    probe p = {path};
    if (!xr_subprocess_run(LOAD_SECONDS, load_in_child, &p, &reply, why, sizeof why)) {
        char text[240];
        snprintf(text, sizeof text, "%s while it was loaded", why);
        refuse(error, EXRAY_E_FORMAT, path, text);
        return NULL;
    }
    exray_error there = {EXRAY_E_FORMAT, ""};
    if (reply.size == sizeof there)
        memcpy(&there, reply.data, sizeof there);
    free(reply.data);
    if (there.status != EXRAY_OK) {
        *error = there;
        return NULL;
    }
    return load(path, error);
}

static bool name_is_taken(const exray_assertion *const *table, const char *name)
{
    for (; *table; table++)
        if (strcmp((*table)->name, name) == 0)
            return true;
    return false;
}

static bool append(const exray_assertion ***all, size_t *count, const exray_assertion *const *table,
                   const char *path, exray_error *error)
{
    for (; *table; table++) {
        if (name_is_taken(xr_assertions, (*table)->name) || name_is_taken(*all, (*table)->name)) {
            char why[160];
            snprintf(why, sizeof why, "there is another assertion with the name %s", (*table)->name);
            return refuse(error, EXRAY_E_ARGUMENT, path, why);
        }
        const exray_assertion **grown = realloc(*all, (*count + 2) * sizeof *grown);
        if (!grown)
            return refuse(error, EXRAY_E_MEMORY, path, "out of memory");
        *all = grown;
        grown[(*count)++] = *table;
        grown[*count] = NULL;
    }
    return true;
}

const exray_assertion **xr_plugins_load(const char *const *path, size_t count, exray_error *error)
{
    const exray_assertion **all = calloc(1, sizeof *all);
    size_t total = 0;
    if (!all)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory"};
    for (size_t i = 0; all && i < count; i++) {
        const exray_assertion *const *table = load_after_trial(path[i], error);
        if (!table || !append(&all, &total, table, path[i], error)) {
            free(all);
            return NULL;
        }
    }
    return all;
}

/* ---- Running -------------------------------------------------------------------------- */

typedef struct job {
    const exray_comparison *comparison;
    exray_findings findings; /* empty, with the settings */
} job;

static void run_in_child(void *user, xr_reply *reply)
{
    job *j = user;
    exray_error error = {EXRAY_OK, ""};
    exray_status status = j->findings.assertion->run(j->comparison, &j->findings, &error);
    xr_findings_serialize(&j->findings, status, &error, reply);
}

void xr_plugin_run(const exray_comparison *comparison, double seconds, exray_findings *findings, xr_run *run)
{
    job j = {comparison,
             {.assertion = findings->assertion,
              .setting = findings->setting,
              .setting_count = findings->setting_count,
              .limit = FINDING_LIMIT}};
    xr_reply reply;
    char why[200];
    if (!xr_subprocess_run(seconds, run_in_child, &j, &reply, why, sizeof why)) {
        run->status = EXRAY_E_UNSUPPORTED;
        snprintf(run->message, sizeof run->message, "the plug-in %s; its findings are lost", why);
        return;
    }
    xr_findings_deserialize(&reply, exray_comparison_layer_count(comparison), findings, run);
    free(reply.data);
}
