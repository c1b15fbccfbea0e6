#define _POSIX_C_SOURCE 200809L
#include "cli/stopped.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

void xr_stop_by_signal(void)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    /* No SA_RESTART: a read of a link that waits ends. */
    struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND}, before;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
}

bool xr_stopped(void)
{
    return stopped;
}
