/* An assertion examines a comparison, two logs whose frames, inputs, outputs and layers are matched, and
 * reports findings.  The built-in assertions see of a comparison what this header declares.
 * docs/assertions.md is the guide.
 *
 * Ownership: what a function returns by pointer belongs to the comparison (or the findings) and is valid as
 * long as that.  `comparison` and `findings` are valid during the assertion's run; one of
 * exray_validation_comparison as long as the validation.
 *
 * Structs that are returned by pointer may get more fields at their end.
 *
 * Threads: a comparison may be read by any number of threads (exray_comparison_share has some); findings
 * belong to the thread of the run. */
#ifndef EXRAY_ASSERTION_H
#define EXRAY_ASSERTION_H

#include <exray/log.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* ---- What is compared ---------------------------------------------------- */

/* Two logs, matched; read-only.  Since 0.1.0. */
typedef struct exray_comparison exray_comparison;

/* The log of the device under test, and the one it is compared with.  Arrays of 2 are indexed by it.
 * Since 0.1.0 (enumerators by these names: 0.2.0). */
typedef enum exray_side { EXRAY_SIDE_EDGE = 0, EXRAY_SIDE_REFERENCE = 1 } exray_side;

/* The log of one side; never NULL.  Since 0.1.0. */
const exray_log *exray_comparison_log(const exray_comparison *comparison, exray_side side);

/* A frame of each side: positions in the logs' tables of frames (exray_log_frame).  Since 0.1.0. */
typedef struct exray_frame_pair {
    size_t frame[2]; /* by exray_side */
} exray_frame_pair;

/* How many frames were matched; the pair at position i, which must be less than that.  Since 0.1.0. */
size_t exray_comparison_frame_count(const exray_comparison *comparison);
exray_frame_pair exray_comparison_frame(const exray_comparison *comparison, size_t i);

/* Frames of one side that have no counterpart.  Since 0.1.0. */
size_t exray_comparison_unmatched_frames(const exray_comparison *comparison, exray_side side);

/* How frames were matched: "index" or "source".  Since 0.1.0. */
const char *exray_comparison_matched_by(const exray_comparison *comparison);

/* Metrics of a pair of tensors, over all elements of all matched frames, on dequantized values; a is the
 * edge's value, b the reference's.  NAN where a metric is not defined (docs/metrics.md).  Since 0.1.0. */
typedef struct exray_metrics {
    uint64_t count; /* elements compared */
    double nrmse;   /* sqrt(mean((a-b)^2)) / (max(b) - min(b)); lower is better; 0: equal */
    double rmse;    /* sqrt(mean((a-b)^2)), in the tensor's unit; lower is better; 0: equal */
    double cosine;  /* a.b / (|a| |b|); higher is better; 1: equal up to a positive factor */
    double max_abs; /* max |a-b|, in the tensor's unit; lower is better; 0: equal */
    double sqnr_db; /* 10 log10(sum b^2 / sum (a-b)^2), dB; higher is better; INFINITY: equal */
    double min[2], max[2], mean[2]; /* by exray_side, over finite values */
    double std[2];                  /* standard deviation, likewise */
    uint64_t nan_count[2], inf_count[2];
} exray_metrics;

/* What a layer has to do with the error at its output.  Since 0.2.0. */
typedef enum exray_layer_role {
    EXRAY_LAYER_ROLE_CLEAN = 0,      /* its error is noise */
    EXRAY_LAYER_ROLE_ORIGINATES = 1, /* its inputs do not explain its error */
    EXRAY_LAYER_ROLE_PROPAGATES = 2, /* its inputs explain its error */
    EXRAY_LAYER_ROLE_UNJUDGED = 3,   /* data of a side is missing */
} exray_layer_role;

/* A matched pair of layers; each is one output of a node.  Since 0.1.0. */
typedef struct exray_layer_pair {
    uint32_t node[2];    /* by exray_side: position in exray_model.nodes */
    const char *name[2]; /* exray_node_name; "" where it has none */
    const char *op[2];   /* the engine's name of the operator */
    uint32_t output;     /* which output of the edge's node */
    exray_layer_role role;
    bool from_stats; /* only statistics were recorded: of the metrics, counts, min, max and mean are set */
    exray_metrics metrics;
    double error; /* rmse / standard deviation of the reference's values: lower is better, 0 is equal; from
                     statistics a lower bound of it.  NAN: unknown */
    double noise; /* the error that data types and healthy inputs explain; an error above it is not noise */
    const char *problem;       /* why there are no metrics ("different shapes", ...); NULL: there are */
    uint32_t reference_output; /* which output of the reference's node */
    const char *matched_by;    /* the evidence that they are the same layer: "name", "values", "position",
                                  "producers" (the layers that feed them), "number" (no model in the logs) */
    double own_noise; /* the part of noise that this layer may add by itself; once it was run alone, the
                         error that may then remain: for integers of one model file, a rounding step */
    /* With `engine` and `reference_model` (exray/validate.h): the layer was cut out of the reference's model
     * and run on the inputs that the edge recorded.  The error of the edge's output against that result:
     * above own_noise, the layer itself computes wrongly; below, its inputs were wrong.  NAN: not run. */
    double isolated_error;
    /* Layers that pass one by one and fail together, a block that this layer ends: the edge's node that it
     * begins with, and its error; else EXRAY_NO_INDEX and NAN. */
    uint32_t block_first;
    double block_error;
    bool from_sketch; /* data of one side or both is missing, but there are sketches: nrmse, rmse, cosine,
                         sqnr_db and error are estimates; there is no max_abs */
    /* 99.9 % bounds of the estimates.  Without from_sketch they are equal to the value, except with
     * from_stats: there error_high is INFINITY.  NAN where the value is. */
    double error_low, error_high;
    double nrmse_low, nrmse_high;
    double cosine_low, cosine_high;
    /* Shares of the edge's values, 0..1, that are the least and the greatest its integer type can store, from
     * statistics; NAN where data was recorded (count them there), and for other types.  Since 0.2.0 by these
     * names. */
    double saturated_low, saturated_high;
    /* Once it was run alone: the error that remains when the reference's values are clamped to the range of
     * the edge's integer type.  Where it is within own_noise and isolated_error is not, the layer computes
     * correctly, but its type is too narrow for the result.  NAN: not run.  Since 0.2.0 by this name. */
    double isolated_error_clamped;
    /* Matched frames that were compared, and in which the two sides have different shapes behind inputs of
     * one shape.  Since 0.2.0. */
    size_t frames, other_shape;
    /* Where the edge's output follows from the edge's inputs, and the reference's does not from the
     * reference's: the error of the reference's output against what the layer, run alone or computed again,
     * makes of the reference's own inputs.  Then the reference computes wrongly.  NAN: not known.  Since
     * 0.2.0. */
    double reference_error;
} exray_layer_pair;

/* How many pairs of layers there are; the one at position i, in execution order of the edge, or NULL beyond
 * the last.  Since 0.1.0. */
size_t exray_comparison_layer_count(const exray_comparison *comparison);
const exray_layer_pair *exray_comparison_layer(const exray_comparison *comparison, size_t i);

/* How much of the models is compared.  A layer is one output of a node; nodes that only change type or shape
 * (QUANTIZE, CAST, Transpose, ...), and those that compute shapes, indices and flags, count where they have a
 * counterpart.  The share of the edge that was compared is compared / (layers[EXRAY_SIDE_EDGE] - fused).
 * Since 0.1.0. */
typedef struct exray_coverage {
    size_t layers[2]; /* by exray_side */
    size_t compared;  /* layers of the edge that have a counterpart */
    /* Other layers of the edge: the reference computes them unseen, within a partition or within the layers
     * between the same two compared tensors, where their effect is compared.  Since 0.2.0 by this name and in
     * this sense. */
    size_t fused;
    size_t with_data;   /* of those compared: with all metrics */
    size_t with_stats;  /* of those compared: with statistics only */
    size_t with_sketch; /* of those compared: with metrics estimated from sketches */
    /* Nodes that a delegate of the edge runs and nobody sees: they are no layers.  Since 0.2.0. */
    size_t hidden;
    /* By exray_side: of `layers`, those that were recorded.  Since 0.2.0. */
    size_t recorded[2];
} exray_coverage;

/* Never NULL.  Since 0.1.0. */
const exray_coverage *exray_comparison_coverage(const exray_comparison *comparison);

/* A matched pair of the model's inputs, or of its outputs.  Since 0.1.0. */
typedef struct exray_io_pair {
    const char *name[2]; /* by exray_side: as in the topic */
    bool comparable;     /* the same shape (layouts may differ), and data on both sides */
    exray_metrics metrics;
    double error; /* as in exray_layer_pair */
    double noise; /* as in exray_layer_pair */
    /* By exray_side: the distance between neighboring values that this tensor can hold, in its unit: the
     * scale of its quantization, or what its values show, in a picture of 8 bits a channel or an output that
     * was computed in 8-bit integers.  NAN: unknown. */
    double step[2];
    const char *problem; /* why it, or some frame of it, is not comparable; NULL: it is */
    /* Matched frames that were compared; in which the two sides have different shapes; of outputs, that were
     * not compared because an input has another shape in them.  Since 0.2.0. */
    size_t frames, other_shape, behind;
    /* Of an input that is no picture: it differs by two steps of 16-bit sound at most, or by noise 34 dB or
     * more below the signal and unrelated to it.  Since 0.2.0. */
    bool faint;
    /* Of an input of two dimensions: they are rows and bins (features of a sound, a sequence), and no gray
     * picture: the log holds a sound and no picture, or the first weights of the graph take one dimension for
     * channels; which of the two, or -1: not known.  Since 0.2.0. */
    bool table;
    int table_channels;
    /* Of an input, by exray_side: what takes the recorded values to those that are compared, gain * x +
     * offset. 1 and 0, but where a model is given the stored numbers of the other one's integers as floats,
     * and makes the same of them.  Since 0.2.0. */
    double unit_gain[2], unit_offset[2];
} exray_io_pair;

/* How many pairs of inputs there are; the one at position i, or NULL beyond the last; likewise outputs.
 * Since 0.1.0. */
size_t exray_comparison_input_count(const exray_comparison *comparison);
const exray_io_pair *exray_comparison_input(const exray_comparison *comparison, size_t i);
size_t exray_comparison_output_count(const exray_comparison *comparison);
const exray_io_pair *exray_comparison_output(const exray_comparison *comparison, size_t i);

/* Whether an input or output (`kind`) does not have different shapes on the two sides in a matched frame;
 * layouts may differ, and dimensions of 1.  Since 0.2.0. */
bool exray_comparison_same_shape(const exray_comparison *comparison, size_t frame, exray_kind kind,
                                 size_t pair);

/* Whether some input has different shapes on the two sides in a matched frame: its layers and outputs are
 * not compared, but for outputs of a frame that is padded.  Since 0.2.0. */
bool exray_comparison_is_behind(const exray_comparison *comparison, size_t frame);

/* Whether it has them by its padding alone: rows of ids that are equal as far as the shorter ones reach, and
 * beyond are masked or one id.  Since 0.2.0. */
bool exray_comparison_is_padded(const exray_comparison *comparison, size_t frame);

/* Reads one side's tensor of a matched frame, `frame` < exray_comparison_frame_count.  `pair` is a position
 * among the pairs of inputs, outputs or layers, by `kind`; for sensors, among the frame's sensor records.
 * *values has view->count numbers, as exray_log_read_values gives them; both are valid until the slot's next
 * use.  EXRAY_E_STATE: the frame has no such record, or one without data, or it is a layer or an output of a
 * frame of which exray_comparison_is_behind (outputs: and not exray_comparison_is_padded); else as
 * exray_log_read_values.
 * Since 0.1.0. */
exray_status exray_comparison_values(const exray_comparison *comparison, exray_side side, size_t frame,
                                     exray_kind kind, size_t pair, exray_slot *slot, exray_tensor_view *view,
                                     const float **values, exray_error *error);

/* What storing weights costs that were rounded to 8 bits and are floats again, the rms error in their unit:
 * all values of each slice along some dimension (or of all) are whole multiples of one step.  0: they are
 * not.  Since 0.2.0. */
double exray_weights_rounding(const exray_tensor_info *info, const float *values);

/* Calls work(user, i) once for each i < count, and returns when all calls have ended.  Several run at the
 * same time where the validation may use several threads (exray_validation_options.jobs), in any order; so
 * let a call write only what belongs to its i, and put the results together in order afterwards: then they do
 * not depend on the number of threads.  Findings are not for `work`, and each call needs a slot of its own.
 * Within a call of `work` it calls one after another.  Since 0.2.0. */
void exray_comparison_share(const exray_comparison *comparison, size_t count,
                            void (*work)(void *user, size_t i), void *user);

/* ---- Latency ----------------------------------------------------------------- */

/* Robust statistics of a duration over frames, in nanoseconds; NAN where `count` is 0.  Since 0.1.0. */
typedef struct exray_durations {
    size_t count; /* frames */
    double least, median, p90;
    double low, high; /* 99 % bounds of the true median, for any distribution (order statistics); with less
                         than 8 frames the least and the greatest */
} exray_durations;

/* How long one node takes.  A node that runs several times in a frame counts with the sum; what nodes of
 * other subgraphs take inside it (the body of a loop) counts only for those.  Since 0.1.0. */
typedef struct exray_node_latency {
    uint32_t node; /* position in exray_model.nodes */
    exray_durations time;
    double share;  /* of the sum of all nodes' medians, 0..1 */
    uint64_t macs; /* multiply-accumulates of one execution, from the shapes; 0: none, or unknown */
} exray_node_latency;

/* One side's latencies, over the whole log (also frames that have no counterpart).  The first frames, as far
 * as they are slower than the rest, are left out of all statistics.  Since 0.1.0. */
typedef struct exray_latency_table {
    size_t frames;           /* with inference_ns */
    const double *inference; /* [frames] nanoseconds, in order */
    const size_t *frame;     /* [frames] positions in the log's table of frames */
    size_t warmup;           /* how many of the first ones are left out */
    exray_durations settled; /* inference_ns of the others */
    size_t node_frames; /* settled frames whose /latency record was read; taken evenly where there are too
                           many */
    const exray_node_latency *node; /* [node_count] in order of node; only those that ran */
    size_t node_count;
} exray_latency_table;

/* One side's table; never NULL; without records its counts are 0.  Since 0.1.0. */
const exray_latency_table *exray_comparison_latency(const exray_comparison *comparison, exray_side side);

/* The entry of a node, or NULL.  Since 0.2.0. */
const exray_node_latency *exray_latency_table_node(const exray_latency_table *table, uint32_t node);

/* Decisions of the application or the model, where the task has any.  Since 0.1.0. */
typedef struct exray_accuracy {
    const char *task;        /* "classification", or "" */
    size_t frames;           /* matched frames with a decision on both sides */
    size_t labeled;          /* of those, with a label.  Since 0.2.0 by this name */
    double top1[2], top5[2]; /* by exray_side: share of the labeled frames, 0..1; NAN without labels */
    double agreement;        /* share of the frames with the same first class, 0..1 */
    double agreement_top5;   /* share of the frames in which the edge's first class is among the reference's
                                first   five, 0..1.  Since 0.2.0 */
} exray_accuracy;

/* Never NULL.  Since 0.1.0. */
const exray_accuracy *exray_comparison_accuracy(const exray_comparison *comparison);

/* A measure of how well both sides do their task.  Since 0.2.0. */
typedef struct exray_measure {
    const char *task;       /* "detection", ...: a constant */
    const char *name;       /* "top1", "miou", ... */
    const char *unit;       /* "share", "pixels", ... */
    bool higher;            /* is better */
    char group[48];         /* which part of the results, such as a class; "": all */
    size_t frames;          /* against the truth where there is one */
    double edge, reference; /* against the truth; NAN: there is none */
    double agreement;       /* of the edge with the reference; NAN: unknown */
    char output[64];        /* which output, or vector of the results, it is of; "": of whole results */
} exray_measure;

/* Those of the tasks but classification, of what both sides told (/result) or their outputs tell, in the
 * order of the tasks; the chief one of each first.  Behind them those of each output, where a model has
 * several (two classifiers, an age, an embedding beside boxes), and of each vector that was told by name. How
 * many, and the one at position i, or NULL beyond the last.  Since 0.2.0. */
size_t exray_comparison_measure_count(const exray_comparison *comparison);
const exray_measure *exray_comparison_measure(const exray_comparison *comparison, size_t i);

/* A reading of a peripheral sensor (/reading/NAME: orientation, light, temperature) along the matched frames:
 * as the edge recorded it, or the reference where the edge did not.  Since 0.2.0. */
typedef struct exray_reading_series {
    const char *name, *unit; /* "light", "lux"; the unit "" where none was told */
    exray_side side;         /* whose log it is from */
    size_t width;            /* values in each frame, at most 16 */
    const double *value;     /* [frames][width]; NAN: the frame has none */
} exray_reading_series;

/* How many there are (at most 64), and the one at position i, or NULL beyond the last.  Since 0.2.0. */
size_t exray_comparison_reading_count(const exray_comparison *comparison);
const exray_reading_series *exray_comparison_reading(const exray_comparison *comparison, size_t i);

/* ---- Findings ------------------------------------------------------------- */

/* How bad a finding is.  Errors make the verdict FAIL; warnings of kinds that exray_validation_options
 * names, too.  Since 0.1.0 (enumerators by these names: 0.2.0). */
typedef enum exray_severity {
    EXRAY_SEVERITY_INFO = 0,
    EXRAY_SEVERITY_WARNING = 1,
    EXRAY_SEVERITY_ERROR = 2,
} exray_severity;

/* The findings of a run, and one of them.  Since 0.1.0. */
typedef struct exray_findings exray_findings;
typedef struct exray_finding exray_finding;

/* Adds a finding with its cause ("input.channel_order", "user.mine") and a confidence of 0..1.  The result
 * belongs to `findings` and is never NULL: where memory is short, it is one that is not reported, and the
 * validation fails.  All strings that are given to a finding are copied.  Since 0.2.0. */
exray_finding *exray_findings_add(exray_findings *findings, const char *cause, exray_severity severity,
                                  double confidence);

/* The compiler's check of printf formats, for functions whose second argument is one.  Since 0.1.0. */
#if defined(__GNUC__)
#define EXRAY_PRINTF __attribute__((format(printf, 2, 3)))
#else
#define EXRAY_PRINTF
#endif

/* What was found: one sentence.  A second call replaces it.  Since 0.1.0. */
void exray_finding_summary(exray_finding *finding, const char *format, ...) EXRAY_PRINTF;

/* One more line that explains it; each call adds one.  Since 0.1.0. */
void exray_finding_detail(exray_finding *finding, const char *format, ...) EXRAY_PRINTF;

/* What to do about it: one sentence, imperative.  A second call replaces it.  Since 0.1.0. */
void exray_finding_fix(exray_finding *finding, const char *format, ...) EXRAY_PRINTF;

/* Where it is: a stage ("input", "layer", ...), a tensor's name, and a position among the comparison's pairs
 * of layers; NULL and EXRAY_NO_INDEX: does not apply.  Since 0.1.0. */
void exray_finding_where(exray_finding *finding, const char *stage, const char *tensor, uint32_t layer);

/* Evidence: a number or a text under a key, which the JSON has.  A second call with the same key replaces
 * it.  Since 0.1.0. */
void exray_finding_number(exray_finding *finding, const char *key, double value);
void exray_finding_text(exray_finding *finding, const char *key, const char *value);

/* Says that it is about some of the matched frames alone, chosen[exray_comparison_frame_count]: how many and
 * which (evidence `frame_list`, `frames_affected`), and, where a reading's values separate them from the
 * others, that it is so, with the threshold (`separating_reading`, `reading_relation`, `reading_threshold`);
 * the end of the summary repeats that.  Nothing where all frames are chosen, or none.  Since 0.2.0. */
void exray_finding_frames(exray_finding *finding, const exray_comparison *comparison, const bool *chosen);

/* Another cause that explains it, with its confidence, 0..1.  Each call adds one.  Since 0.1.0. */
void exray_finding_alternative(exray_finding *finding, const char *cause, double confidence);

/* ---- The assertion itself -------------------------------------------------- */

/* Changes when a plug-in that was compiled with an older header would not work.  Since 0.1.0. */
#define EXRAY_ASSERTION_ABI 1

/* A number that users may set: `--set NAME.OPTION=VALUE`.  Since 0.1.0. */
typedef struct exray_option {
    const char *name;    /* "threshold"; without dots, '=' and blanks */
    const char *meaning; /* one line, with the unit and where the default comes from */
    double value;        /* the default */
    double min, max;     /* what is accepted; both 0: any finite number */
} exray_option;

/* An assertion.  It is constant, and lives as long as the plug-in or, for exray_validation_options.own, the
 * validation.  Fields are only appended; absent where `size` ends before them.  Since 0.1.0. */
typedef struct exray_assertion {
    uint32_t size;             /* sizeof(exray_assertion) */
    uint32_t abi;              /* EXRAY_ASSERTION_ABI */
    const char *name;          /* what --assert selects: "input.channel_order" */
    const char *summary;       /* one line for `exray assertions` */
    const char *const *causes; /* NULL-terminated: what it can name; "user.*" need not be listed; or NULL */
    const char *needs;         /* one line: which records it needs */
    /* Examines the comparison and reports what it finds.  EXRAY_OK also where nothing was found;
     * EXRAY_E_STATE: what it needs was not recorded (say so in `error`; it then counts as unjudged); any
     * other status: it failed, for the reason in `error`, and the verdict is at best inconclusive. */
    exray_status (*run)(const exray_comparison *comparison, exray_findings *findings, exray_error *error);
    const exray_option *options; /* ends with a NULL name; or NULL */
} exray_assertion;

/* exray_assertion mine = EXRAY_ASSERTION_INIT; mine.name = ...  Since 0.2.0. */
#define EXRAY_ASSERTION_INIT                                                                                 \
    {                                                                                                        \
        sizeof(exray_assertion), EXRAY_ASSERTION_ABI, NULL, NULL, NULL, NULL, NULL, NULL                     \
    }

/* The value of an option of the assertion that is running: what the user set, else the default; NAN where it
 * has no such option.  Since 0.2.0. */
double exray_findings_option(const exray_findings *findings, const char *name);

/* ---- Short forms ------------------------------------------------------------- */

/* Defines an assertion `id`, in front of its body in braces.  The body sees `comparison`, `findings` and
 * `error`, and need not return anything; where what it needs was not recorded, it sets error->status =
 * EXRAY_E_STATE and says so in error->message.  `assertion_name` is its cause as well.  Since 0.1.0. */
#define EXRAY_ASSERTION(id, assertion_name, text, needed_records)                                            \
    static void id##_body(const exray_comparison *comparison, exray_findings *findings, exray_error *error); \
    static exray_status id##_run(const exray_comparison *comparison, exray_findings *findings,               \
                                 exray_error *error)                                                         \
    {                                                                                                        \
        id##_body(comparison, findings, error);                                                              \
        return error->status;                                                                                \
    }                                                                                                        \
    static const char *const id##_causes[] = {assertion_name, NULL};                                         \
    static const exray_assertion id = {                                                                      \
        sizeof(exray_assertion),                                                                             \
        EXRAY_ASSERTION_ABI,                                                                                 \
        assertion_name,                                                                                      \
        text,                                                                                                \
        id##_causes,                                                                                         \
        needed_records,                                                                                      \
        id##_run,                                                                                            \
        NULL,                                                                                                \
    };                                                                                                       \
    static void id##_body(const exray_comparison *comparison, exray_findings *findings, exray_error *error)

/* Makes a symbol visible to the program that loads a plug-in, also with -fvisibility=hidden.  Since 0.2.0. */
#if defined(__GNUC__)
#define EXRAY_VISIBLE __attribute__((visibility("default")))
#else
#define EXRAY_VISIBLE
#endif

/* What a plug-in exports, in C and in C++: EXRAY_PLUGIN(&first, &second); It stands once, outside of every
 * namespace.  Since 0.1.0. */
#ifdef __cplusplus
#define EXRAY_PLUGIN(...)                                                                                    \
    extern "C" {                                                                                             \
    extern EXRAY_VISIBLE const exray_assertion *const exray_plugin_assertions[];                             \
    }                                                                                                        \
    const exray_assertion *const exray_plugin_assertions[] = {__VA_ARGS__, NULL}
#else
#define EXRAY_PLUGIN(...)                                                                                    \
    extern EXRAY_VISIBLE const exray_assertion *const exray_plugin_assertions[];                             \
    const exray_assertion *const exray_plugin_assertions[] = {__VA_ARGS__, NULL}
#endif

/* Defines an assertion `id` about the model's inputs: `condition` must hold of every comparable pair `input`
 * (a const exray_io_pair *), or it fails with the cause `name`. Means and steps of both sides are in the
 * finding's evidence.  Since 0.1.0. */
#define EXRAY_INPUT_PROPERTY(id, name, text, input, condition)                                               \
    EXRAY_ASSERTION(id, name, text, "/input of both logs, with data")                                        \
    {                                                                                                        \
        (void)error;                                                                                         \
        for (size_t i_ = 0; i_ < exray_comparison_input_count(comparison); i_++) {                           \
            const exray_io_pair *input = exray_comparison_input(comparison, i_);                             \
            if (input->comparable && !(condition))                                                           \
                exray_findings_add_input(findings, name, text, input);                                       \
        }                                                                                                    \
    }

/* Adds a finding about an input of which `text` does not hold: what EXRAY_INPUT_PROPERTY calls.  The result
 * is as that of exray_findings_add.  Since 0.2.0. */
exray_finding *exray_findings_add_input(exray_findings *findings, const char *cause, const char *text,
                                        const exray_io_pair *input);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
