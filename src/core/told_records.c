/* /result and /truth: what the application told, and what is true.  In a file of its own, so that a program
 * which records neither has no code of them, however it is linked. */
#include "core/emit.h"
#include "core/events/events.h"
#include "core/frame.h"
#include "core/recorder_error.h"

static exray_status log_result(exray_recorder *recorder, const exray_result *result, const char *call,
                               const char *topic)
{
    xr_recorder *r = xr_of(recorder);
    exray_status status;
    if (!xr_frame_keeps(r, &status))
        return status;
    if (!xr_is_result(result))
        return xr_bad_call(r, call, ": an array is NULL, or a mask's size is wrong");
    const xr_result_message message = {r->next_frame, result};
    return xr_emit_topic(r, topic, XR_SCHEMA_RESULT, xr_encode_result, &message, xr_port_now(), XR_MAY_DROP);
}

exray_status exray_recorder_log_result(exray_recorder *recorder, const exray_result *result)
{
    return log_result(recorder, result, "log_result", "/result");
}

exray_status exray_recorder_log_truth(exray_recorder *recorder, const exray_result *truth)
{
    return log_result(recorder, truth, "log_truth", "/truth");
}
