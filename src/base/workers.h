/* Work on several processors at once. */
#ifndef XR_WORKERS_H
#define XR_WORKERS_H

/* Calls work(user, job) for each job from 0 to jobs - 1, each on a thread of its own but job 0, which is on
 * the caller's; returns when all have ended.  Where a thread cannot be started, its job runs on the caller's,
 * after the others. */
void xr_workers_run(unsigned jobs, void (*work)(void *user, unsigned job), void *user);

/* Processors that this process may use; at least 1. */
unsigned xr_workers_processors(void);

#endif
