/* Attaching the tap: the observer delegate and the telemetry profiler. */
#include "core/host/taps.h"
#include "engines/tflite/tap_events.h"
#include "engines/tflite/tap_file.h"
#include "engines/tflite/tap_prepare.h"

#include "models/refuse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Close ------------------------------------------------------------------ */

/* The interpreter keeps pointers to the delegate and the profiler until it is
 * deleted, which may be after the recorder's close, and no callback says when. So a tap's struct and delegate
 * (four kilobytes) stay until the process exits, reachable from this list; its tables are freed at close. */
static _Atomic(xr_tap *) all_taps;

static void keep_until_exit(xr_tap *tap)
{
    tap->next = atomic_load(&all_taps);
    while (!atomic_compare_exchange_weak(&all_taps, &tap->next, tap))
        continue;
}

static void record_losses(const xr_tap *tap)
{
    const xr_unobserved losses[] = {
        {"latencies_without_room", tap->lost_latencies},
        {"executions_of_unknown_subgraphs", tap->lost_events},
        {"executions_of_overwritten_partitions", tap->lost_partitions},
        {"executions_of_partitions_without_latency", tap->lost_times},
        {"tensors_without_memory", tap->lost_values},
        {"runs_that_failed", tap->unfinished},
    };
    xr_record_unobserved(tap->recorder, losses, sizeof losses / sizeof losses[0]);
}

static void free_tap_memory(xr_tap *tap)
{
    xr_tap_free_tables(tap->tables);
    tap->tables = NULL;
    xr_tap_free(&tap->blocks);
}

static const char too_late[] = "exray_tflite: no interpreter was created with the options after the tap was "
                               "added to them, so nothing was "
                               "observed; call exray_tflite_open (or attach) before TfLiteInterpreterCreate";

static void on_close(void *user)
{
    xr_tap *tap = user;
    if (!tap->tables && atomic_load(&tap->live) && xr_is_recording(tap->recorder))
        xr_tap_fail(tap, EXRAY_E_STATE, too_late);
    record_losses(tap);
    atomic_store(&tap->live, false);
    free_tap_memory(tap);
}

/* ---- Attach ----------------------------------------------------------------- */

static void ignore_op_event(TfLiteTelemetryProfilerStruct *self, const char *name, int64_t op,
                            int64_t subgraph, uint64_t status)
{
    (void)self, (void)name, (void)op, (void)subgraph, (void)status;
}

static void ignore_settings(TfLiteTelemetryProfilerStruct *self, const char *name,
                            const TfLiteTelemetrySettings *settings)
{
    (void)self, (void)name, (void)settings;
}

static void take_config(xr_tap *tap, exray_recorder *recorder, const exray_tflite_config *config)
{
    tap->recorder = recorder;
    tap->threads = config->threads ? config->threads : 1;
    tap->no_constants = config->no_constants;
    if (config->kernels)
        snprintf(tap->kernels, sizeof tap->kernels, "%s", config->kernels);
    char path[1024];
    xr_tflite_identify(config->library, tap->version, path);
    tap->profiler = (TfLiteTelemetryProfilerStruct){
        .data = tap,
        .ReportTelemetryEvent = xr_tap_event,
        .ReportTelemetryOpEvent = ignore_op_event,
        .ReportSettings = ignore_settings,
        .ReportBeginOpInvokeEvent = xr_tap_begin_op,
        .ReportEndOpInvokeEvent = xr_tap_end_op,
        .ReportOpInvokeEvent = xr_tap_delegate_op,
    };
}

static exray_status no_memory(exray_error *error)
{
    return xr_refuse(error, EXRAY_E_MEMORY, "cannot attach to TensorFlow Lite: out of memory");
}

/* Everything that can fail, before `options` is touched. */
static exray_status prepare_tap(xr_tap *tap, const exray_tflite_config *config, exray_error *error)
{
    exray_status status = xr_tflite_find_tap(config->library, &tap->api, error);
    if (status == EXRAY_OK)
        status = xr_tap_read_model(tap, config, error);
    if (status != EXRAY_OK)
        return status;
    const TfLiteOpaqueDelegateBuilder builder = {
        .data = tap,
        .Prepare = xr_tap_prepare,
        .flags = XR_TFLITE_DELEGATE_ALLOWS_DYNAMIC_TENSORS, /* or such graphs would refuse us */
    };
    tap->delegate = tap->api.OpaqueDelegateCreate(&builder);
    return tap->delegate ? EXRAY_OK : no_memory(error);
}

exray_status exray_tflite_attach(exray_recorder *recorder, struct TfLiteInterpreterOptions *options,
                                 const exray_tflite_config *config)
{
    if (exray_recorder_error_status(recorder) != EXRAY_OK)
        return exray_recorder_error_status(recorder);
    if (!options)
        return exray_recorder_fail(recorder, EXRAY_E_ARGUMENT, "exray_tflite_attach: options is NULL");
    static const exray_tflite_config defaults = EXRAY_TFLITE_CONFIG_INIT;
    exray_tflite_config known;
    if (xr_tap_config(recorder, &known, sizeof known, config ? config : &defaults,
                      "exray_tflite_attach: config (EXRAY_TFLITE_CONFIG_INIT): "))
        return exray_recorder_error_status(recorder);
    exray_error error = {EXRAY_OK, ""};
    xr_tap *tap = calloc(1, sizeof *tap);
    if (!tap) {
        no_memory(&error);
        return exray_recorder_fail(recorder, error.status, error.message);
    }
    take_config(tap, recorder, &known);
    exray_status status = prepare_tap(tap, &known, &error);
    if (status == EXRAY_OK) {
        status = exray_recorder_on_close(recorder, on_close, tap);
        if (status != EXRAY_OK)
            tap->api.OpaqueDelegateDelete(tap->delegate);
    } else
        exray_recorder_fail(recorder, error.status, error.message);
    if (status != EXRAY_OK) {
        free_tap_memory(tap);
        free(tap);
        return status;
    }
    atomic_store(&tap->live, true);
    keep_until_exit(tap);
    tap->api.InterpreterOptionsAddDelegate(options, tap->delegate);
    tap->api.InterpreterOptionsSetTelemetryProfiler(options, &tap->profiler);
    return EXRAY_OK;
}

void exray_tflite_run_begin(exray_recorder *recorder)
{
    xr_tap *tap = atomic_load(&all_taps);
    while (tap && (tap->recorder != recorder || !atomic_load(&tap->live)))
        tap = tap->next;
    if (!tap)
        return;
    if (!tap->tables && xr_is_recording(recorder)) {
        xr_tap_fail(tap, EXRAY_E_STATE, too_late);
        return;
    }
    tap->announced = true;
    tap->announced_ns = exray_recorder_now(recorder);
}
