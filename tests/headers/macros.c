/* Every macro of the public headers, used.  Compiled as C99, C11, C17, C++11, C++17 and C++20 (compile.sh);
 * scripts/public_headers.py looks that none is missing. */
#include <exray/codecs.h>
#include <exray/exray.h>
#include <exray/link.h>
#include <exray/litert.h>
#include <exray/onnxruntime.h>
#include <exray/sound.h>
#include <exray/task.h>
#include <exray/text.h>
#include <exray/tflite.h>
#include <exray/validate.h>

/* ---- types.h ---- */

#define NAME_OF_DTYPE(name, number, bits) {#name, number, bits},
static const struct {
    const char *name;
    int number, bits;
} dtypes[] = {EXRAY_DTYPES(NAME_OF_DTYPE)};

#define NAME_OF(upper, lower) #lower,
static const char *const kinds[] = {EXRAY_KINDS(NAME_OF)};
static const char *const captures[] = {EXRAY_CAPTURES(NAME_OF)};
static const char *const events[] = {EXRAY_EVENTS(NAME_OF)};

static size_t use_types(void)
{
    int64_t shape[EXRAY_MAX_RANK] = {1,
                                     EXRAY_SKETCH_BUCKETS,
                                     EXRAY_SKETCH_SEED,
                                     EXRAY_SKETCH_VERSION,
                                     EXRAY_MAX_CHANNEL_STATS,
                                     EXRAY_HISTOGRAM_BINS};
    uint32_t index = EXRAY_NO_INDEX;
    size_t count = 0;
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        count += (size_t)dtypes[i].bits + (dtypes[i].name[0] == 'F');
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        count += events[i][0] == 'u';
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        count += kinds[i][0] == captures[i][0];
    return count + sizeof EXRAY_VERSION + (size_t)shape[0] + index;
}

/* ---- Configs: static, local, and the open functions, which are inline ---- */

static const exray_recorder_config recorder_defaults = EXRAY_RECORDER_CONFIG_INIT;
static const exray_flight_config flight_defaults = EXRAY_FLIGHT_CONFIG_INIT;

static exray_status open_all(exray_recorder *recorder, void *buffer, size_t size)
{
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    exray_recorder_parts parts = EXRAY_RECORDER_PARTS_INIT;
    exray_tflite_config tflite = EXRAY_TFLITE_CONFIG_INIT;
    exray_litert_config litert = EXRAY_LITERT_CONFIG_INIT;
    exray_ort_config ort = EXRAY_ORT_CONFIG_INIT;
    exray_tokenizer_config tokenizer = EXRAY_TOKENIZER_CONFIG_INIT;
    parts.stats = exray_stats_part_small();
    parts.flight = exray_flight_part_default();
    parts.events = exray_events_part_default();
    parts.retry = exray_retry_part_default();
    parts.flush = exray_flush_part_default();
    config.flight = &flight_defaults;
    tokenizer.kind = EXRAY_TOKENIZER_BYTES;
    exray_tokenizer_free(exray_tokenizer_new(&tokenizer, NULL));
    exray_recorder_trigger(recorder, EXRAY_FLIGHT_ALL, 0, "a");
    exray_link link;
    exray_link_config to = EXRAY_LINK_CONFIG_INIT;
    uint8_t packet[EXRAY_LINK_PACKET_LEAST];
    to.packet = packet;
    to.packet_size = sizeof packet;
    exray_link_open(&link, &to);
    config.codec = exray_codec_default();
    config.parts = &parts;
    exray_recorder_open_device(recorder, NULL, NULL, &config);
    tflite.kernels = litert.kernels = ort.kernels = "default";
    exray_tflite_attach(recorder, NULL, &tflite);
    exray_litert_attach(recorder, NULL, &litert);
    exray_ort_attach(recorder, NULL, NULL, &ort);
    exray_tflite_open(recorder, "a", &config, NULL, "model");
    exray_litert_open(recorder, "a", &config, NULL, "model");
    exray_ort_open(recorder, "a", &config, NULL, NULL, "model");
    exray_recorder_open_file(recorder, "a", &recorder_defaults);
    exray_recorder_open_callback(recorder, NULL, NULL, &config);
    return exray_recorder_open_memory(recorder, buffer, size, exray_recorder_config_of(EXRAY_CAPTURE_FULL));
}

/* ---- task.h ---- */

static const exray_task_options task_options = EXRAY_TASK_OPTIONS_INIT;
static bool fits_nothing(const exray_task_options *options, const exray_tensor_info *const *outputs,
                         size_t count, char *why, size_t why_size)
{
    (void)options, (void)outputs, (void)count, (void)why, (void)why_size;
    return false;
}
static const exray_task nothing_task = {
    sizeof(exray_task), "user.nothing", fits_nothing, NULL, NULL, NULL, NULL, NULL, NULL};
EXRAY_PLUGIN_TASKS(&nothing_task);
EXRAY_TASK_VISIBLE size_t labels_of_task(void);
size_t labels_of_task(void)
{
    return task_options.label_count;
}

/* ---- sound.h ---- */

static const exray_resampling resampling_defaults = EXRAY_RESAMPLING_INIT;
static const exray_mel mel_defaults = EXRAY_MEL_INIT;
static const exray_microfrontend_options front_end_of_lite_micro = EXRAY_MICROFRONTEND_OPTIONS_TFLM;
EXRAY_VISIBLE size_t sizes_of_sound(void);
size_t sizes_of_sound(void)
{
    exray_microfrontend_options usual = EXRAY_MICROFRONTEND_OPTIONS_INIT;
    usual.num_channels = front_end_of_lite_micro.num_channels;
    return resampling_defaults.size + mel_defaults.size + exray_microfrontend_columns(&usual);
}

/* ---- assertion.h, validate.h ---- */

EXRAY_ASSERTION(first, "user.first", "there are frames", "frames")
{
    if (exray_comparison_frame_count(comparison) == 0)
        exray_finding_summary(exray_findings_add(findings, "user.first", EXRAY_SEVERITY_ERROR, 1), "%s",
                              "none");
    (void)error;
}

EXRAY_INPUT_PROPERTY(second, "user.second", "inputs are small", in,
                     in->metrics.max_abs < 1 && in->step[EXRAY_SIDE_EDGE] < 1)

static exray_status run_third(const exray_comparison *comparison, exray_findings *findings,
                              exray_error *error)
{
    (void)comparison, (void)findings, (void)error;
    return EXRAY_OK;
}

static const exray_option third_options[] = {{"least", "a number", 1, 0, 2}, {NULL, NULL, 0, 0, 0}};
static const exray_assertion third = {
    sizeof(exray_assertion), EXRAY_ASSERTION_ABI, "user.third", "-", NULL, "-", run_third, third_options};

EXRAY_PLUGIN(&first, &second, &third);

EXRAY_VISIBLE int visible(void);
int visible(void)
{
    return 1;
}

static void say(int level, const char *format, ...) EXRAY_PRINTF;
static void say(int level, const char *format, ...)
{
    (void)level, (void)format;
}

static exray_verdict validate(const exray_log *edge, const exray_log *reference)
{
    exray_error error = {EXRAY_OK, ""};
    exray_assertion own = EXRAY_ASSERTION_INIT;
    exray_validation_options options = EXRAY_VALIDATION_OPTIONS_INIT;
    const exray_assertion *table[] = {NULL, NULL};
    own.name = "user.own";
    own.run = run_third;
    table[0] = &own;
    options.own = table;
    exray_validation *validation = exray_validation_run(edge, reference, &options, &error);
    exray_verdict verdict = exray_validation_verdict(validation);
    exray_validation_free(validation);
    say(1, "%d", (int)verdict);
    return verdict;
}

int main(void)
{
    static exray_recorder recorder;
    return EXRAY_WRITE_TOOK(1) + (int)use_types() + (int)open_all(&recorder, NULL, 0) +
           (int)validate(NULL, NULL);
}
