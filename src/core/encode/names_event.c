/* The names of events. */
#include <exray/exray.h>

const char *exray_event_kind_name(exray_event_kind kind)
{
    static const char *const names[] = {
#define EVENT_NAME(upper, lower) #lower,
        EXRAY_EVENTS(EVENT_NAME)
#undef EVENT_NAME
    };
    return (unsigned)kind < EXRAY_EVENT_OTHER ? names[kind] : "other";
}
