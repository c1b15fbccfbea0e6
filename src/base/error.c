#include "base/error.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

exray_status xr_error_set(exray_error *error, exray_status status, const char *format, ...)
{
    if (status == EXRAY_E_MEMORY) /* of malloc's, too; or a library of others had none */
        xr_memory_lacked();
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        error->status = status;
        vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
    }
    return status;
}

const char *xr_show(const char *text, char out[XR_SHOWN])
{
    size_t n = 0;
    for (; text[n] && n < XR_SHOWN - 4; n++)
        out[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7F ? '?' : text[n];
    if (text[n]) {
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
            n--; /* not in the middle of a UTF-8 character */
        memcpy(out + n, "...", 3);
        n += 3;
    }
    out[n] = 0;
    return out;
}
