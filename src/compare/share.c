/* What an assertion computes on several threads. */
#include "base/workers.h"
#include "compare/comparison.h"

typedef struct shared_calls {
    void (*work)(void *user, size_t i);
    void *user;
    size_t count;
    atomic_size_t next;
} shared_calls;

static void make_calls(void *user, unsigned job)
{
    shared_calls *s = user;
    (void)job;
    for (size_t i; (i = atomic_fetch_add(&s->next, 1)) < s->count;)
        s->work(s->user, i);
}

void exray_comparison_share(const exray_comparison *comparison, size_t count,
                            void (*work)(void *user, size_t i), void *user)
{
    /* Which thread runs is no property of the comparison. */
    atomic_bool *sharing = &((exray_comparison *)(uintptr_t)comparison)->sharing;
    shared_calls s = {.work = work, .user = user, .count = count};
    enum { MOST = 16 }; /* more take longer to start than they save */
    unsigned jobs = comparison->jobs < MOST ? comparison->jobs : MOST;
    jobs = count < jobs ? (unsigned)count : jobs;
    if (jobs < 2 || atomic_exchange(sharing, true)) {
        make_calls(&s, 0);
        return;
    }
    xr_workers_run(jobs, make_calls, &s);
    atomic_store(sharing, false);
}
