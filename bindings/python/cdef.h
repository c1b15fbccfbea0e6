/* What of the public headers the package uses, in cffi's dialect: no preprocessor.  The
 * compiler holds every declaration against the headers. */

/* ---- types.h ---- */
typedef int exray_status;
typedef int exray_dtype;
typedef int exray_kind;
typedef int exray_capture;
#define EXRAY_MAX_RANK ...
typedef struct exray_error { exray_status status; char message[480]; } exray_error;
const char *exray_status_name(exray_status status);
const char *exray_dtype_name(exray_dtype dtype);
unsigned exray_dtype_bits(exray_dtype dtype);
const char *exray_kind_name(exray_kind kind);
int exray_capture_from_name(const char *name);
typedef struct exray_quantization {
    uint32_t count, axis; const float *scale; const int64_t *zero_point; ...;
} exray_quantization;
typedef struct exray_tensor_info {
    const char *name, *layout; exray_dtype dtype; uint32_t rank; const int64_t *shape;
    exray_quantization quantization; bool constant; ...;
} exray_tensor_info;
typedef struct exray_key_value { const char *key, *value; ...; } exray_key_value;
typedef struct exray_node {
    const char *op, *name; uint32_t subgraph;
    const uint32_t *inputs; uint32_t input_count; const uint32_t *outputs; uint32_t output_count;
    const exray_key_value *attributes; uint32_t attribute_count;
    const struct exray_node *inner; uint32_t inner_count; ...;
} exray_node;
typedef struct exray_model {
    const char *name; const uint8_t *sha256; const char *engine, *engine_version, *kernels; uint32_t threads;
    const exray_tensor_info *tensors; uint32_t tensor_count; const exray_node *nodes; uint32_t node_count;
    const uint32_t *inputs; uint32_t input_count; const uint32_t *outputs; uint32_t output_count; ...;
} exray_model;
typedef struct exray_media {
    const char *format; uint32_t width, height, row_stride; const char *matrix; bool full_range;
    uint32_t rotation, sample_rate, channels; ...;
} exray_media;
typedef struct exray_stats {
    uint64_t count, nan_count, inf_count, zero_count; double min, max, mean, variance;
    uint64_t low_count, high_count; ...;
} exray_stats;
typedef struct exray_sketch { uint32_t version, count; uint64_t seed; const float *bucket; ...; } exray_sketch;
typedef struct exray_class { int64_t id; float score; const char *label; ...; } exray_class;
typedef struct exray_box {
    float x_min, y_min, x_max, y_max; int64_t id; float score; const char *label; ...;
} exray_box;
typedef struct exray_result {
    const exray_class *classes; uint32_t class_count; const exray_box *boxes; uint32_t box_count;
    const char *text; ...;
} exray_result;

/* ---- exray.h ---- */
const char *exray_version(void);
typedef struct exray_recorder { ...; } exray_recorder;
typedef int exray_role;
typedef int exray_compression;
typedef int exray_policy;
typedef struct exray_codec exray_codec;
typedef struct exray_config {
    exray_capture capture; const char *layers; uint64_t every_nth, first_frames, byte_budget; bool no_io_data;
    bool stream; uint32_t chunk_size; exray_compression compression; const exray_codec *codec;
    size_t ring_size; exray_policy policy; uint32_t max_channels, max_chunks;
    exray_role role; const char *task, *session, *replay_of, *device, *app;
    const exray_key_value *metadata; uint32_t metadata_count; ...;
} exray_config;
const exray_codec *exray_codecs(void);
exray_status exray_open_file(exray_recorder *recorder, const char *path, const exray_config *config);
exray_status exray_close(exray_recorder *recorder);
void exray_abandon(exray_recorder *recorder);
uint64_t exray_bytes_written(const exray_recorder *recorder);
exray_status exray_error_status(const exray_recorder *recorder);
const char *exray_error_message(const exray_recorder *recorder);
uint64_t exray_dropped(const exray_recorder *recorder);
exray_status exray_frame_begin(exray_recorder *recorder, const char *source);
exray_status exray_frame_begin_at(exray_recorder *recorder, uint64_t index, const char *source);
exray_status exray_frame_label(exray_recorder *recorder, int64_t label);
exray_status exray_frame_inference(exray_recorder *recorder, uint64_t nanoseconds);
exray_status exray_frame_end(exray_recorder *recorder);
uint64_t exray_frame_index(const exray_recorder *recorder);
typedef struct exray_tensor {
    exray_kind kind; exray_tensor_info info; uint32_t index, output, occurrence; bool in_model, info_differs;
    uint32_t model_tensor; const void *data; size_t size; const exray_media *media; ...;
} exray_tensor;
exray_status exray_record_tensor(exray_recorder *recorder, const exray_tensor *tensor);
bool exray_wants(const exray_recorder *recorder, exray_kind kind, uint32_t index, const char *name);
exray_status exray_record_image(exray_recorder *recorder, const char *name, const exray_media *media,
                                const void *data, size_t size);
exray_status exray_record_encoded(exray_recorder *recorder, const char *name, const char *format,
                                  const void *data, size_t size);
exray_status exray_record_scalar(exray_recorder *recorder, const char *name, double value);
exray_status exray_record_span(exray_recorder *recorder, const char *name, uint64_t nanoseconds);
exray_status exray_record_reading(exray_recorder *recorder, const char *name, const double *values,
                                  size_t count, const char *unit);
exray_status exray_record_result(exray_recorder *recorder, const exray_result *result);
exray_status exray_record_model(exray_recorder *recorder, const exray_model *model);
bool exray_has_model(const exray_recorder *recorder);
exray_status exray_record_latency(exray_recorder *recorder, const uint32_t *node, const uint64_t *start_ns,
                                  const uint64_t *duration_ns, size_t count);
uint64_t exray_frame_elapsed(exray_recorder *recorder);
exray_status exray_attach(exray_recorder *recorder, const char *name, const char *media_type,
                          const void *data, size_t size);

/* ---- log.h ---- */
typedef struct exray_log exray_log;
typedef struct exray_slot exray_slot;
exray_log *exray_log_open(const char *path, exray_error *error);
void exray_log_close(exray_log *log);
const char *exray_log_truncated(const exray_log *log);
uint64_t exray_log_damaged(const exray_log *log);
size_t exray_log_metadata_at(const exray_log *log, size_t i, const char **name, const exray_key_value **pairs);
const exray_model *exray_log_model(const exray_log *log);
typedef struct exray_frame {
    uint64_t index; const char *source; bool has_label; int64_t label;
    uint64_t begin_ns, end_ns, inference_ns; bool complete; size_t first_record, record_count; ...;
} exray_frame;
size_t exray_log_frame_count(const exray_log *log);
const exray_frame *exray_log_frame(const exray_log *log, size_t i);
typedef int exray_message;
#define EXRAY_MESSAGE_TENSOR ...
#define EXRAY_MESSAGE_LATENCY ...
#define EXRAY_MESSAGE_SYSTEM ...
#define EXRAY_MESSAGE_READING ...
#define EXRAY_MESSAGE_RESULT ...
typedef struct exray_record {
    exray_message message; exray_kind kind; uint32_t index, output, occurrence; bool has_data;
    uint64_t log_time, frame; const char *topic, *name; uint64_t position, size; uint32_t chunk;
    bool has_sketch; ...;
} exray_record;
const exray_record *exray_log_records(const exray_log *log, size_t frame);
const exray_record *exray_log_constants(const exray_log *log, size_t *count);
exray_slot *exray_slot_new(void);
void exray_slot_free(exray_slot *slot);
typedef struct exray_tensor_view {
    exray_tensor_info info; uint64_t count; const void *data; size_t size; bool has_stats; exray_stats stats;
    bool has_media; exray_media media; uint32_t model_tensor; bool has_sketch; exray_sketch sketch; ...;
} exray_tensor_view;
exray_status exray_log_read_tensor(const exray_log *log, const exray_record *record, exray_slot *slot,
                                   exray_tensor_view *out, exray_error *error);
exray_status exray_log_read_values(const exray_log *log, const exray_record *record, exray_slot *slot,
                                   exray_tensor_view *out, const float **values, exray_error *error);
typedef struct exray_latency {
    const uint32_t *node; const uint64_t *start_ns, *duration_ns; size_t count; ...;
} exray_latency;
typedef struct exray_system {
    bool has_rss, has_peak_rss, has_arena, has_celsius, has_mhz, has_dropped;
    uint64_t rss_bytes, peak_rss_bytes, arena_bytes, dropped_records; double cpu_celsius, cpu_mhz; ...;
} exray_system;
typedef struct exray_reading { const double *value; size_t count; const char *unit; ...; } exray_reading;
exray_status exray_log_read_latency(const exray_log *, const exray_record *, exray_slot *, exray_latency *,
                                    exray_error *);
exray_status exray_log_read_system(const exray_log *, const exray_record *, exray_slot *, exray_system *,
                                   exray_error *);
exray_status exray_log_read_reading(const exray_log *, const exray_record *, exray_slot *, exray_reading *,
                                    exray_error *);
exray_status exray_log_read_result(const exray_log *, const exray_record *, exray_slot *, exray_result *,
                                   exray_error *);
typedef struct exray_named_value { const char *name; double value; ...; } exray_named_value;
typedef struct exray_named_span { const char *name; uint64_t nanoseconds; ...; } exray_named_span;
const exray_named_value *exray_log_frame_values(const exray_log *log, size_t frame, size_t *count);
const exray_named_span *exray_log_frame_spans(const exray_log *log, size_t frame, size_t *count);
size_t exray_log_attachment_count(const exray_log *log);
typedef struct exray_attachment { const char *name, *media_type; uint64_t size, position; ...; } exray_attachment;
const exray_attachment *exray_log_attachment(const exray_log *log, size_t i);
exray_status exray_log_read_attachment(const exray_log *, size_t i, exray_slot *, const void **data,
                                       size_t *size, exray_error *);

/* ---- picture.h ---- */
typedef struct exray_picture exray_picture;
exray_picture *exray_picture_decode(const exray_media *media, const void *data, size_t size,
                                    exray_error *error);
void exray_picture_free(exray_picture *picture);
uint32_t exray_picture_width(const exray_picture *picture);
uint32_t exray_picture_height(const exray_picture *picture);
uint32_t exray_picture_channels(const exray_picture *picture);
unsigned exray_picture_orientation(const exray_picture *picture);
const uint8_t *exray_picture_pixels(const exray_picture *picture);
exray_picture *exray_picture_orient(const exray_picture *picture, unsigned orientation, exray_error *error);

/* ---- assertion.h ---- */
typedef struct exray_comparison exray_comparison;
typedef int exray_side;
typedef struct exray_frame_pair { size_t frame[2]; ...; } exray_frame_pair;
size_t exray_comparison_frame_count(const exray_comparison *comparison);
exray_frame_pair exray_comparison_frame(const exray_comparison *comparison, size_t i);
size_t exray_comparison_unmatched_frames(const exray_comparison *comparison, exray_side side);
const char *exray_comparison_matched_by(const exray_comparison *comparison);
typedef struct exray_metrics {
    uint64_t count; double nrmse, rmse, cosine, max_abs, sqnr_db, min[2], max[2], mean[2], std[2];
    uint64_t nan_count[2], inf_count[2]; ...;
} exray_metrics;
typedef int exray_role_of_layer;
typedef struct exray_layer_pair {
    uint32_t node[2]; const char *name[2]; const char *op[2]; uint32_t output; exray_role_of_layer role;
    bool from_stats; exray_metrics metrics; double error, noise; const char *problem;
    uint32_t reference_output; const char *matched_by; double own_noise, isolated_error; bool from_sketch; ...;
} exray_layer_pair;
size_t exray_comparison_layer_count(const exray_comparison *comparison);
const exray_layer_pair *exray_comparison_layer(const exray_comparison *comparison, size_t i);
typedef struct exray_io_pair {
    const char *name[2]; bool comparable; exray_metrics metrics; double error, noise, step[2];
    const char *problem; ...;
} exray_io_pair;
size_t exray_comparison_input_count(const exray_comparison *comparison);
const exray_io_pair *exray_comparison_input(const exray_comparison *comparison, size_t i);
size_t exray_comparison_output_count(const exray_comparison *comparison);
const exray_io_pair *exray_comparison_output(const exray_comparison *comparison, size_t i);
exray_status exray_comparison_values(const exray_comparison *comparison, exray_side side, size_t frame,
                                     exray_kind kind, size_t pair, exray_slot *slot, exray_tensor_view *view,
                                     const float **values, exray_error *error);
typedef struct exray_accuracy {
    const char *task; size_t frames, labelled; double top1[2], top5[2], agreement; ...;
} exray_accuracy;
const exray_accuracy *exray_comparison_accuracy(const exray_comparison *comparison);
typedef struct exray_findings exray_findings;
typedef struct exray_finding exray_finding;
typedef int exray_severity;
exray_finding *exray_find(exray_findings *findings, const char *cause, exray_severity severity,
                          double confidence);
void exray_finding_summary(exray_finding *finding, const char *format, ...);
void exray_finding_detail(exray_finding *finding, const char *format, ...);
void exray_finding_fix(exray_finding *finding, const char *format, ...);
void exray_finding_where(exray_finding *finding, const char *stage, const char *tensor, uint32_t layer);
void exray_finding_number(exray_finding *finding, const char *key, double value);
void exray_finding_text(exray_finding *finding, const char *key, const char *value);
void exray_finding_alternative(exray_finding *finding, const char *cause, double confidence);
#define EXRAY_ASSERTION_ABI ...
typedef struct exray_option { const char *name, *meaning; double value, min, max; ...; } exray_option;
typedef struct exray_assertion {
    uint32_t size, abi; const char *name, *summary; const char *const *causes; const char *needs;
    exray_status (*run)(const exray_comparison *comparison, exray_findings *findings, exray_error *error);
    const exray_option *options; ...;
} exray_assertion;
double exray_option_value(const exray_findings *findings, const char *name);

/* ---- validate.h ---- */
typedef int exray_verdict;
typedef struct exray_validate_options {
    uint32_t size; const char *assertions; const char *const *set; size_t set_count;
    const char *const *plugin; size_t plugin_count; double plugin_seconds;
    const exray_assertion *const *own; double min_coverage; bool fail_on_perf, fail_on_log; const char *html; ...;
} exray_validate_options;
typedef struct exray_validation exray_validation;
exray_validation *exray_validate(const exray_log *edge, const exray_log *reference,
                                 const exray_validate_options *options, exray_error *error);
void exray_validation_free(exray_validation *validation);
exray_verdict exray_validation_verdict(const exray_validation *validation);
const exray_comparison *exray_validation_comparison(const exray_validation *validation);
const char *exray_validation_json(exray_validation *validation, exray_error *error);
const char *exray_validation_text(exray_validation *validation, exray_error *error);

/* ---- glue.h ---- */
exray_status xr_py_run(const exray_comparison *comparison, exray_findings *findings, exray_error *error);
typedef struct xr_py_model xr_py_model;
xr_py_model *xr_py_model_read(const void *data, size_t size, exray_error *error);
const exray_model *xr_py_model_get(const xr_py_model *model);
const void *xr_py_model_constant(const xr_py_model *model, uint32_t tensor, size_t *size);
const void *xr_py_model_expose(xr_py_model *model, size_t *size, exray_error *error);
void xr_py_model_free(xr_py_model *model);
bool xr_py_is_mapped(const exray_log *log, const void *data);
extern "Python+C" exray_status xr_py_assertion(const exray_assertion *assertion, const exray_comparison *comparison,
                                             exray_findings *findings, exray_error *error);
