/* The names of statuses. */
#include <exray/exray.h>

const char *exray_status_name(exray_status status)
{
    static const char *const names[] = {
        "EXRAY_OK",         "EXRAY_E_ARGUMENT", "EXRAY_E_STATE", "EXRAY_E_MEMORY", "EXRAY_E_IO",
        "EXRAY_E_NO_SPACE", "EXRAY_E_FORMAT",   "EXRAY_E_LIMIT", "EXRAY_E_ENGINE", "EXRAY_E_UNSUPPORTED"};
    return (unsigned)status < sizeof names / sizeof *names ? names[status] : "EXRAY_E_UNKNOWN";
}
