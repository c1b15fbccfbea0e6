/* An assertion looks at an aligned pair of logs and reports findings.  Those
 * that are built in use this header and nothing else. */
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

typedef struct exray_comparison exray_comparison; /* read-only */

typedef enum exray_side { EXRAY_SIDE_EDGE = 0, EXRAY_SIDE_REFERENCE = 1 } exray_side;

const exray_log *exray_comparison_log(const exray_comparison *comparison, exray_side side);

/* Matched frames: positions in the two logs' tables of frames. */
typedef struct exray_frame_pair {
    size_t frame[2]; /* by exray_side */
} exray_frame_pair;
size_t exray_comparison_frame_count(const exray_comparison *comparison);
exray_frame_pair exray_comparison_frame(const exray_comparison *comparison, size_t i);
/* Frames of one side that have no counterpart. */
size_t exray_comparison_unmatched_frames(const exray_comparison *comparison, exray_side side);
/* How they were matched: "index" or "source". */
const char *exray_comparison_matched_by(const exray_comparison *comparison);

/* Metrics of a pair of tensors, over all compared frames, on dequantized
 * values; a is the edge's, b the reference's.  NAN where not defined. */
typedef struct exray_metrics {
    uint64_t count; /* elements compared */
    double nrmse;   /* sqrt(mean((a-b)^2)) / (max(b) - min(b)); lower is better; 0 is equal */
    double rmse;    /* sqrt(mean((a-b)^2)), in the tensor's unit; lower is better */
    double cosine;  /* a.b / (|a| |b|); higher is better; 1 is equal up to scale */
    double max_abs; /* max |a-b|, in the tensor's unit; lower is better */
    double sqnr_db; /* 10 log10(sum b^2 / sum (a-b)^2), dB; higher is better; INFINITY: equal */
    double min[2], max[2], mean[2]; /* by exray_side, over finite values */
    double std[2];                  /* standard deviation, likewise */
    uint64_t nan_count[2], inf_count[2];
} exray_metrics;

typedef enum exray_layer_role {
    EXRAY_LAYER_ROLE_CLEAN,
    EXRAY_LAYER_ROLE_ORIGINATES,
    EXRAY_LAYER_ROLE_PROPAGATES,
    EXRAY_LAYER_ROLE_UNJUDGED, /* no data of both sides */
} exray_layer_role;

/* A matched pair of layers. */
typedef struct exray_layer_pair {
    uint32_t node[2]; /* by exray_side */
    const char *name[2];
    const char *op[2];
    uint32_t output; /* which output of the edge's node */
    exray_layer_role role;
    bool from_stats; /* only stats at hand: metrics hold counts, min, max, mean alone */
    exray_metrics metrics;
    double error; /* rmse / standard deviation of the reference's values: lower is better, 0 is equal; from
                     stats a lower bound of it.  NAN where unknown */
    double noise; /* the error that data types and healthy inputs explain; above it, it is none of noise */
    const char *problem;       /* why there are no metrics ("different shapes", ...), or NULL */
    uint32_t reference_output; /* which output of the reference's node */
    const char *matched_by;    /* what says that they are the same layer: "name", "values", "position",
                                  "producers" (the layers that feed them), "number" (no model in the logs) */
    double own_noise;          /* of noise, what this layer may add by itself; once it was run alone, what
                                  may be left then: of integers of one model file, a step */
    /* With --engine and --reference-model: the layer was cut out of the reference's model and run on
     * the inputs that the edge recorded.  The error of the edge's output against that: above
     * own_noise, the layer itself is wrong; below, it only passes on.  NAN: not run. */
    double isolated_error;
    /* Layers that pass one by one and fail together: the edge's node that the block begins with
     * (this layer ends it), and its error; else EXRAY_NO_INDEX, NAN. */
    uint32_t block_first;
    double block_error;
    bool from_sketch; /* no data of one side or both, but sketches: nrmse, rmse, cosine, sqnr_db and
                         error are estimates; there is no max_abs */
    /* Bounds of the estimates: the true value lies between, but once in a thousand layers.  Without
     * from_sketch equal to the value, but for from_stats: there error_high is INFINITY.  NAN where the
     * value is. */
    double error_low, error_high;
    double nrmse_low, nrmse_high;
    double cosine_low, cosine_high;
    /* Shares of the edge's values that are the least and the greatest its integer type can store, from
     * statistics; NAN where data are at hand (count them there), and for other types. */
    double saturated_low, saturated_high;
    /* Once it was run alone: the error that is left when the reference's values are cut off where
     * the edge's integer type ends.  Where it is within own_noise and isolated_error is not, the
     * layer computes rightly and has no room for the result.  NAN: not run. */
    double isolated_error_clamped;
} exray_layer_pair;

/* In execution order of the edge. */
size_t exray_comparison_layer_count(const exray_comparison *comparison);
const exray_layer_pair *exray_comparison_layer(const exray_comparison *comparison, size_t i);

/* How much of the models is compared.  A layer is one output of a node; those that only change
 * type or shape (QUANTIZE, CAST, Transpose, ...) count where they have a counterpart. */
typedef struct exray_coverage {
    size_t layers[2]; /* by exray_side */
    size_t compared;  /* edge layers that found a counterpart */
    size_t fused; /* of those: the reference computes them within a partition or a fused node; no values */
    size_t with_data;   /* of those: with all metrics */
    size_t with_stats;  /* of those: with statistics alone */
    size_t with_sketch; /* of those: with metrics estimated from sketches */
} exray_coverage;
const exray_coverage *exray_comparison_coverage(const exray_comparison *comparison);

/* Matched inputs and outputs of the model. */
typedef struct exray_io_pair {
    const char *name[2]; /* as in the topic */
    bool comparable;     /* the same shape (but for the layout), and data on both sides */
    exray_metrics metrics;
    double error;        /* as in exray_layer_pair */
    double noise;        /* as in exray_layer_pair */
    double step[2];      /* by exray_side: the distance between neighbouring values that this tensor can
                            hold: the quantization's scale, or what is seen in the values of a picture of 8
                            bits a channel, or of an output that was made of 8-bit integers; in the tensor's
                            unit; NAN where unknown */
    const char *problem; /* why it is not comparable, or NULL */
} exray_io_pair;
size_t exray_comparison_input_count(const exray_comparison *comparison);
const exray_io_pair *exray_comparison_input(const exray_comparison *comparison, size_t i);
size_t exray_comparison_output_count(const exray_comparison *comparison);
const exray_io_pair *exray_comparison_output(const exray_comparison *comparison, size_t i);

/* Reads one side's tensor of a matched frame (`frame` < frame_count): `pair` is a
 * position among inputs, outputs or layers by `kind`; sensors by position among
 * the frame's sensor records.  Values and shape are as recorded.  EXRAY_E_STATE
 * where the frame has no such record, or one without data. */
exray_status exray_comparison_values(const exray_comparison *comparison, exray_side side, size_t frame,
                                     exray_kind kind, size_t pair, exray_slot *slot, exray_tensor_view *view,
                                     const float **values, exray_error *error);

/* ---- Latency ----------------------------------------------------------------- */

/* Robust statistics of a duration over frames, in nanoseconds; NAN where `count` is 0. */
typedef struct exray_durations {
    size_t count; /* frames */
    double least, median, p90;
    double low, high; /* the true median lies between them with 99 % confidence, whatever the distribution
                         (order statistics); with less than 8 frames the least and the greatest */
} exray_durations;

/* What one node takes.  A node that runs several times in a frame counts with the sum; what nodes of
 * other subgraphs take inside it (the body of a loop) is theirs alone. */
typedef struct exray_node_latency {
    uint32_t node; /* position in exray_model.nodes */
    exray_durations time;
    double share;  /* of the sum of all nodes' medians, 0..1 */
    uint64_t macs; /* multiply-accumulates of one execution, from the shapes; 0: none, or unknown */
} exray_node_latency;

/* One side's latencies, over the whole log (also frames that have no counterpart).  The first frames, as
 * far as they are slower than the rest, are left out of all statistics. */
typedef struct exray_latency_table {
    size_t frames;           /* with inference_ns */
    const double *inference; /* [frames] ns, in order */
    const size_t *frame;     /* [frames] positions in the log's table of frames */
    size_t warmup;           /* of these, the first so many are left out */
    exray_durations settled; /* inference_ns of the rest */
    size_t node_frames;      /* settled frames with a /latency record that were read; evenly taken where
                                there are too many */
    const exray_node_latency *node; /* [node_count] by node; only those that ran */
    size_t node_count;
} exray_latency_table;

/* Never NULL; without records its counts are 0.  Valid as long as the comparison. */
const exray_latency_table *exray_comparison_latency(const exray_comparison *comparison, exray_side side);
/* The entry of a node, or NULL. */
const exray_node_latency *exray_latency_table_node(const exray_latency_table *table, uint32_t node);

/* Decisions, where the task has any. */
typedef struct exray_accuracy {
    const char *task;        /* "classification", or "" */
    size_t frames;           /* with a decision on both sides */
    size_t labelled;         /* of those, with a label */
    double top1[2], top5[2]; /* share of the labelled, by exray_side; NAN without labels */
    double agreement;        /* share of frames with the same top-1 */
} exray_accuracy;
const exray_accuracy *exray_comparison_accuracy(const exray_comparison *comparison);

/* ---- What is found -------------------------------------------------------- */

typedef enum exray_severity {
    EXRAY_SEVERITY_INFO,
    EXRAY_SEVERITY_WARNING,
    EXRAY_SEVERITY_ERROR
} exray_severity;

typedef struct exray_findings exray_findings;
typedef struct exray_finding exray_finding;

/* Reports a cause ("input.channel_order", "user.mine"); confidence 0..1.  The
 * result belongs to `findings`; it is never NULL (out of memory is the host's
 * error, kept).  All strings given to a finding are copied. */
exray_finding *exray_findings_add(exray_findings *findings, const char *cause, exray_severity severity,
                                  double confidence);
#if defined(__GNUC__)
#define EXRAY_PRINTF __attribute__((format(printf, 2, 3)))
#else
#define EXRAY_PRINTF
#endif
void exray_finding_summary(exray_finding *finding, const char *format, ...) EXRAY_PRINTF; /* one sentence */
void exray_finding_detail(exray_finding *finding, const char *format,
                          ...) EXRAY_PRINTF; /* one more line; repeatable */
void exray_finding_fix(exray_finding *finding, const char *format,
                       ...) EXRAY_PRINTF; /* one sentence, imperative */
/* Where: stage ("input", "layer", ...), tensor name; layer is a position among
 * the comparison's layers, or EXRAY_NO_INDEX. */
void exray_finding_where(exray_finding *finding, const char *stage, const char *tensor, uint32_t layer);
void exray_finding_number(exray_finding *finding, const char *key, double value);
void exray_finding_text(exray_finding *finding, const char *key, const char *value);
void exray_finding_alternative(exray_finding *finding, const char *cause, double confidence);

/* ---- The assertion itself -------------------------------------------------- */

/* Changes when a plug-in built against the old header would not work.  Fields are
 * only appended to the structs below; `size` says which of them a plug-in has. */
#define EXRAY_ASSERTION_ABI 1

/* A number that users may set: `--set NAME.OPTION=VALUE`. */
typedef struct exray_option {
    const char *name;    /* "threshold"; no dot, no '=' */
    const char *meaning; /* one line, with the unit and where the default comes from */
    double value;        /* the default */
    double min, max;     /* what is accepted; both 0: anything finite */
} exray_option;

typedef struct exray_assertion {
    uint32_t size;             /* sizeof(exray_assertion) */
    uint32_t abi;              /* EXRAY_ASSERTION_ABI */
    const char *name;          /* what --assert selects: "input.channel_order" */
    const char *summary;       /* one line for `exray assertions` */
    const char *const *causes; /* NULL-terminated: what it can name; "user.*" need not be listed */
    const char *needs;         /* one line: which records it needs */
    /* Looks at the comparison and reports what it finds.  EXRAY_OK also where
     * nothing was found; EXRAY_E_STATE: what it needs was not recorded (said in
     * `error`; the verdict counts it as unjudged); others: it failed. */
    exray_status (*run)(const exray_comparison *comparison, exray_findings *findings, exray_error *error);
    /* Appended; absent where `size` ends before. */
    const exray_option *options; /* ends with a NULL name; or NULL */
} exray_assertion;
/* exray_assertion mine = EXRAY_ASSERTION_INIT; mine.name = ... */
#define EXRAY_ASSERTION_INIT                                                                                 \
    {                                                                                                        \
        sizeof(exray_assertion), EXRAY_ASSERTION_ABI, NULL, NULL, NULL, NULL, NULL, NULL                     \
    }

/* The value of an option of the assertion that is running: what the user set, else
 * the default; NAN where it has no such option. */
double exray_findings_option(const exray_findings *findings, const char *name);

/* ---- Short forms ------------------------------------------------------------- */

/* An assertion in one line, in front of its body in braces.  The body sees
 * `comparison`, `findings` and `error`, and need not return anything; where what it
 * needs was not recorded, it sets error->status = EXRAY_E_STATE and says so in
 * error->message.  `name` is its cause as well. */
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

/* What a plug-in exports, in C and in C++: EXRAY_PLUGIN(&first, &second);  It comes once, outside of every
 * namespace.  The symbol is visible also with -fvisibility=hidden. */
#if defined(__GNUC__)
#define EXRAY_VISIBLE __attribute__((visibility("default")))
#else
#define EXRAY_VISIBLE
#endif
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

/* A property of the model's inputs, whole: holds of every comparable pair `input`
 * (a const exray_io_pair *), or the assertion fails with the cause `name`.  Means and
 * steps of both sides are in the finding's evidence. */
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

/* Reports an input of which `text` does not hold: what EXRAY_INPUT_PROPERTY calls. */
exray_finding *exray_findings_add_input(exray_findings *findings, const char *cause, const char *text,
                                        const exray_io_pair *input);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
