#include "engines/onnxruntime/serve.h"

#include "engines/onnxruntime/exposed_graph.h"

#include <string.h>

/* Position of an output among those that the exposed graph's run is asked for; SIZE_MAX: it is none. */
static size_t exposed_output(const xr_ort_observer *o, const char *name)
{
    for (size_t k = 0; k < o->output_count; k++)
        if (strcmp(o->output_name[k], name) == 0)
            return k;
    return SIZE_MAX;
}

/* In doubt, no: the application's options may ask for anything, its values may be used twice. */
static bool can_serve(const xr_ort_observer *o, const xr_ort_call *call)
{
    if (call->options)
        return false;
    for (size_t i = 0; i < call->output_count; i++) {
        if (exposed_output(o, call->output_name[i]) == SIZE_MAX)
            return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(call->output_name[k], call->output_name[i]) == 0 ||
                (call->output[i] && call->output[k] == call->output[i]))
                return false;
    }
    return true;
}

/* Where the application's own value is to be written to; false: the run's does not fit there. */
static bool find_room(const xr_ort_observer *o, const OrtValue *theirs, const OrtValue *ours,
                      const void **from, const void **to, size_t *size)
{
    exray_tensor_info a = {0}, b = {0};
    int64_t shape[2][EXRAY_MAX_RANK];
    size_t room;
    return xr_ort_describe(o->api, theirs, &a, shape[0], to, &room) &&
           xr_ort_describe(o->api, ours, &b, shape[1], from, size) && a.dtype == b.dtype &&
           a.rank == b.rank && memcmp(shape[0], shape[1], a.rank * sizeof *shape[0]) == 0 && room == *size;
}

static bool fits(const xr_ort_observer *o, const xr_ort_call *call)
{
    for (size_t i = 0; i < call->output_count; i++) {
        const void *from, *to;
        size_t size;
        const OrtValue *ours = o->value[exposed_output(o, call->output_name[i])];
        if (!ours || (call->output[i] && !find_room(o, call->output[i], ours, &from, &to, &size)))
            return false;
    }
    return true;
}

/* Values that the application made are filled, the others become its own. */
static void hand_over(const xr_ort_observer *o, const xr_ort_call *call)
{
    for (size_t i = 0; i < call->output_count; i++) {
        size_t k = exposed_output(o, call->output_name[i]);
        const void *from, *to;
        size_t size;
        void *memory = NULL;
        exray_error ignored = {EXRAY_OK, ""};
        if (!call->output[i]) {
            call->output[i] = o->value[k];
            o->value[k] = NULL;
        } else if (find_room(o, call->output[i], o->value[k], &from, &to, &size) &&
                   !xr_ort_check(o->api, o->api->GetTensorMutableData(call->output[i], &memory), "",
                                 &ignored)) {
            memcpy(memory, from, size);
        }
    }
}

bool xr_ort_serve(xr_ort_observer *o, const xr_ort_call *call)
{
    exray_error why = {EXRAY_OK, ""};
    if (!can_serve(o, call))
        return false;
    bool ok = xr_ort_run_exposed(o, call, &why) == EXRAY_OK;
    if (!ok)
        xr_serving_give_up(&o->serving, o->recorder, why.message);
    if (ok && fits(o, call))
        return true;
    xr_ort_release_values(o->api, o->value, o->output_count);
    return false;
}

void xr_ort_serve_end(xr_ort_observer *o, const xr_ort_call *call)
{
    hand_over(o, call);
    o->serving.served++;
    xr_ort_release_values(o->api, o->value, o->output_count);
}
