#include "base/workers.h"

#include "core/port/port.h"

#include <stdlib.h>

typedef struct thread_job {
    void (*work)(void *user, unsigned job);
    void *user;
    unsigned number;
    xr_port_worker *thread; /* NULL: it has none */
} thread_job;

static void run_job(void *argument)
{
    const thread_job *j = argument;
    j->work(j->user, j->number);
}

static void start(thread_job *j)
{
    j->thread = malloc(xr_port_worker_size());
    if (j->thread && xr_port_worker_start(j->thread, run_job, j) != 0) {
        free(j->thread);
        j->thread = NULL;
    }
}

void xr_workers_run(unsigned jobs, void (*work)(void *user, unsigned job), void *user)
{
    thread_job *all = jobs > 1 ? calloc(jobs, sizeof *all) : NULL;
    for (unsigned i = 1; all && i < jobs; i++) {
        all[i] = (thread_job){work, user, i, NULL};
        start(&all[i]);
    }
    work(user, 0);
    for (unsigned i = 1; i < jobs; i++) {
        if (all && all[i].thread) {
            xr_port_worker_join(all[i].thread);
            free(all[i].thread);
        } else
            work(user, i);
    }
    free(all);
}

unsigned xr_workers_processors(void)
{
    const xr_port_usage_files none = {-1, -1, -1};
    xr_port_usage usage = {0};
    xr_port_usage_read(&none, true, &usage);
    return usage.processors > 0 ? usage.processors : 1;
}
