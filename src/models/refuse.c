#include "models/refuse.h"

#include <stdarg.h>
#include <stdio.h>

exray_status xr_refuse(exray_error *error, exray_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return error->status = status;
}

exray_status xr_refuse_as_recorder(exray_error *error, const exray_recorder *recorder)
{
    exray_status status = exray_recorder_error_status(recorder);
    return status ? xr_refuse(error, status, "%s", exray_recorder_error_message(recorder)) : EXRAY_OK;
}
