/* Tasks out of a shared library. */
#include <dlfcn.h>
#include <exray/task.h>
#include <stdio.h>
#include <string.h>

static exray_status fail(exray_error *error, exray_status status, const char *path, const char *why)
{
    if (error) {
        error->status = status;
        snprintf(error->message, sizeof error->message, "plug-in '%.200s': %.240s", path, why);
    }
    return status;
}

exray_status exray_task_load(const char *path, size_t *count, exray_error *error)
{
    /* dlopen looks for a name without a slash among the system's libraries. */
    char local[4096];
    snprintf(local, sizeof local, "%s%s", strchr(path, '/') ? "" : "./", path);
    *count = 0;
    void *library = dlopen(local, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror();
        return fail(error, EXRAY_E_IO, path, why ? why : "cannot be loaded");
    }
    const exray_task *const *tasks = dlsym(library, "exray_plugin_tasks");
    for (; tasks && tasks[*count]; ++*count) {
        exray_error why = {EXRAY_OK, ""};
        if (exray_task_register(tasks[*count], &why) != EXRAY_OK)
            return fail(error, why.status, path, why.message);
    }
    return EXRAY_OK;
}
