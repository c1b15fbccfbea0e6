/* An operator's options as attributes: keys are the schema's field names, values
 * its enumerators' names, numbers, true and false; several values are separated
 * by commas.  A field that the file leaves out has the schema's default: that is
 * what runs. */
#include "models/tflite.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef enum kind {
    BOOL,
    BYTE,
    INT,
    LONG,
    FLOAT,
    INTS,  /* a vector of 4-byte numbers */
    LONGS, /* of 8-byte numbers */
    TEXT,
    PADDING,
    ACTIVATION,
    TYPE,
    GIVEN_TYPE, /* left out where it is the default, which means "not given" */
    MIRROR,
    WEIGHTS,
    LSTM_KERNEL,
    COMBINER,
    PROJECTION,
} kind;

typedef struct option {
    uint8_t type;  /* which table of options, by its number in the schema's union */
    uint8_t field; /* its number in that table */
    uint8_t kind;
    int8_t otherwise; /* the schema's default */
    const char *key;
} option;

/* clang-format off: tables, a line an entry; sorted by type */
static const option options[] = {
    {1, 0, PADDING, 0, "padding"},
    {1, 1, INT, 0, "stride_w"},
    {1, 2, INT, 0, "stride_h"},
    {1, 3, ACTIVATION, 0, "fused_activation_function"},
    {1, 4, INT, 1, "dilation_w_factor"},
    {1, 5, INT, 1, "dilation_h_factor"},
    {1, 6, GIVEN_TYPE, 0, "quantized_bias_type"},
    {2, 0, PADDING, 0, "padding"},
    {2, 1, INT, 0, "stride_w"},
    {2, 2, INT, 0, "stride_h"},
    {2, 3, INT, 0, "depth_multiplier"},
    {2, 4, ACTIVATION, 0, "fused_activation_function"},
    {2, 5, INT, 1, "dilation_w_factor"},
    {2, 6, INT, 1, "dilation_h_factor"},
    {3, 0, INT, 0, "num_channels"},
    {3, 1, INTS, 0, "num_columns_per_channel"},
    {3, 2, INTS, 0, "embedding_dim_per_channel"},
    {4, 0, PROJECTION, 0, "type"},
    {5, 0, PADDING, 0, "padding"},
    {5, 1, INT, 0, "stride_w"},
    {5, 2, INT, 0, "stride_h"},
    {5, 3, INT, 0, "filter_width"},
    {5, 4, INT, 0, "filter_height"},
    {5, 5, ACTIVATION, 0, "fused_activation_function"},
    {6, 0, INT, 0, "rank"},
    {6, 1, ACTIVATION, 0, "fused_activation_function"},
    {6, 2, BOOL, 0, "asymmetric_quantize_inputs"},
    {7, 0, ACTIVATION, 0, "fused_activation_function"},
    {7, 1, BOOL, 0, "asymmetric_quantize_inputs"},
    {8, 0, ACTIVATION, 0, "fused_activation_function"},
    {8, 1, WEIGHTS, 0, "weights_format"},
    {8, 2, BOOL, 0, "keep_num_dims"},
    {8, 3, BOOL, 0, "asymmetric_quantize_inputs"},
    {8, 4, GIVEN_TYPE, 0, "quantized_bias_type"},
    {9, 0, FLOAT, 0, "beta"},
    {10, 0, INT, 0, "axis"},
    {10, 1, ACTIVATION, 0, "fused_activation_function"},
    {11, 0, ACTIVATION, 0, "fused_activation_function"},
    {11, 1, BOOL, 1, "pot_scale_int16"},
    {12, 0, ACTIVATION, 0, "fused_activation_function"},
    {13, 0, INT, 0, "radius"},
    {13, 1, FLOAT, 0, "bias"},
    {13, 2, FLOAT, 0, "alpha"},
    {13, 3, FLOAT, 0, "beta"},
    {14, 0, ACTIVATION, 0, "fused_activation_function"},
    {14, 1, FLOAT, 0, "cell_clip"},
    {14, 2, FLOAT, 0, "proj_clip"},
    {14, 3, LSTM_KERNEL, 0, "kernel_type"},
    {14, 4, BOOL, 0, "asymmetric_quantize_inputs"},
    {15, 2, BOOL, 0, "align_corners"},
    {15, 3, BOOL, 0, "half_pixel_centers"},
    {16, 0, INT, 0, "subgraph"},
    {17, 0, INTS, 0, "new_shape"},
    {18, 0, INT, 0, "ngram_size"},
    {18, 1, INT, 0, "max_skip_size"},
    {18, 2, BOOL, 0, "include_all_ngrams"},
    {19, 0, INT, 0, "block_size"},
    {20, 0, COMBINER, 0, "combiner"},
    {21, 0, ACTIVATION, 0, "fused_activation_function"},
    {23, 0, INT, 0, "axis"},
    {23, 1, INT, 0, "batch_dims"},
    {27, 0, BOOL, 0, "keep_dims"},
    {28, 0, ACTIVATION, 0, "fused_activation_function"},
    {28, 1, BOOL, 1, "pot_scale_int16"},
    {29, 0, ACTIVATION, 0, "fused_activation_function"},
    {30, 0, INTS, 0, "squeeze_dims"},
    {31, 0, BOOL, 0, "time_major"},
    {31, 1, ACTIVATION, 0, "fused_activation_function"},
    {31, 2, BOOL, 0, "asymmetric_quantize_inputs"},
    {32, 0, INT, 0, "begin_mask"},
    {32, 1, INT, 0, "end_mask"},
    {32, 2, INT, 0, "ellipsis_mask"},
    {32, 3, INT, 0, "new_axis_mask"},
    {32, 4, INT, 0, "shrink_axis_mask"},
    {32, 5, BOOL, 0, "offset"},
    {35, 0, INT, 0, "num_splits"},
    {37, 0, TYPE, 0, "in_data_type"},
    {37, 1, TYPE, 0, "out_data_type"},
    {40, 0, TYPE, 0, "output_type"},
    {49, 0, PADDING, 0, "padding"},
    {49, 1, INT, 0, "stride_w"},
    {49, 2, INT, 0, "stride_h"},
    {49, 3, ACTIVATION, 0, "fused_activation_function"},
    {49, 4, GIVEN_TYPE, 0, "quantized_bias_type"},
    {50, 0, BOOL, 0, "validate_indices"},
    {55, 0, TYPE, 0, "out_type"},
    {57, 0, TYPE, 0, "output_type"},
    {58, 0, FLOAT, 0, "min"},
    {58, 1, FLOAT, 0, "max"},
    {58, 2, INT, 0, "num_bits"},
    {58, 3, BOOL, 0, "narrow_range"},
    {59, 0, INT, 0, "values_count"},
    {59, 1, INT, 0, "axis"},
    {61, 0, INT, 0, "axis"},
    {64, 0, INT, 0, "num"},
    {64, 1, INT, 0, "axis"},
    {69, 0, ACTIVATION, 0, "fused_activation_function"},
    {69, 1, FLOAT, 0, "cell_clip"},
    {69, 2, FLOAT, 0, "proj_clip"},
    {69, 3, BOOL, 0, "merge_outputs"},
    {69, 4, BOOL, 1, "time_major"},
    {69, 5, BOOL, 0, "asymmetric_quantize_inputs"},
    {70, 0, BOOL, 0, "time_major"},
    {70, 1, ACTIVATION, 0, "fused_activation_function"},
    {70, 2, BOOL, 0, "merge_outputs"},
    {70, 3, BOOL, 0, "asymmetric_quantize_inputs"},
    {71, 0, ACTIVATION, 0, "fused_activation_function"},
    {71, 1, FLOAT, 0, "cell_clip"},
    {71, 2, FLOAT, 0, "proj_clip"},
    {71, 3, BOOL, 0, "time_major"},
    {71, 4, BOOL, 0, "asymmetric_quantize_inputs"},
    {71, 5, BOOL, 0, "diagonal_recurrent_tensors"},
    {74, 0, BOOL, 0, "align_corners"},
    {74, 1, BOOL, 0, "half_pixel_centers"},
    {75, 0, FLOAT, 0, "alpha"},
    {77, 0, MIRROR, 0, "mode"},
    {79, 0, INT, 0, "num_splits"},
    {80, 0, TYPE, 2, "idx_out_type"},
    {87, 0, INT, 0, "seq_dim"},
    {87, 1, INT, 0, "batch_dim"},
    {92, 0, INT, 0, "then_subgraph_index"},
    {92, 1, INT, 0, "else_subgraph_index"},
    {93, 0, INT, 0, "cond_subgraph_index"},
    {93, 1, INT, 0, "body_subgraph_index"},
    {94, 0, INT, 0, "block_size"},
    {101, 0, BOOL, 0, "adj_x"},
    {101, 1, BOOL, 0, "adj_y"},
    {101, 2, BOOL, 0, "asymmetric_quantize_inputs"},
    {102, 0, BOOL, 0, "exclusive"},
    {102, 1, BOOL, 0, "reverse"},
    {103, 0, INT, 0, "init_subgraph_index"},
    {106, 0, PADDING, 0, "padding"},
    {106, 1, INT, 0, "stride_d"},
    {106, 2, INT, 0, "stride_w"},
    {106, 3, INT, 0, "stride_h"},
    {106, 4, ACTIVATION, 0, "fused_activation_function"},
    {106, 5, INT, 1, "dilation_d_factor"},
    {106, 6, INT, 1, "dilation_w_factor"},
    {106, 7, INT, 1, "dilation_h_factor"},
    {107, 0, INT, 0, "table_id"},
    {107, 1, TYPE, 0, "key_dtype"},
    {107, 2, TYPE, 0, "value_dtype"},
    {111, 0, TEXT, 0, "container"},
    {111, 1, TEXT, 0, "shared_name"},
    {114, 0, LONG, 0, "seed"},
    {114, 1, LONG, 0, "seed2"},
    {116, 0, BOOL, 0, "approximate"},
};

static const option options_2[] = {
    {1, 0, LONG, 0, "dimension"},
    {2, 0, LONGS, 0, "broadcast_dimensions"},
    {3, 0, LONGS, 0, "start_indices"},
    {3, 1, LONGS, 0, "limit_indices"},
    {3, 2, LONGS, 0, "strides"},
    {4, 0, LONGS, 0, "window_strides"},
    {4, 1, LONGS, 0, "padding"},
    {4, 2, LONGS, 0, "lhs_dilation"},
    {4, 3, LONGS, 0, "rhs_dilation"},
    {4, 5, LONG, 0, "input_batch_dimension"},
    {4, 6, LONG, 0, "input_feature_dimension"},
    {4, 7, LONGS, 0, "input_spatial_dimensions"},
    {4, 8, LONG, 0, "kernel_input_feature_dimension"},
    {4, 9, LONG, 0, "kernel_output_feature_dimension"},
    {4, 10, LONGS, 0, "kernel_spatial_dimensions"},
    {4, 11, LONG, 0, "output_batch_dimension"},
    {4, 12, LONG, 0, "output_feature_dimension"},
    {4, 13, LONGS, 0, "output_spatial_dimensions"},
    {4, 14, LONG, 0, "feature_group_count"},
    {4, 15, LONG, 0, "batch_group_count"},
    {5, 0, TEXT, 0, "call_target_name"},
    {5, 1, BOOL, 0, "has_side_effect"},
    {5, 2, TEXT, 0, "backend_config"},
    {5, 3, INT, 0, "api_version"},
    {5, 4, INTS, 0, "called_computations"},
    {6, 0, LONGS, 0, "dimensions"},
    {6, 1, INT, 0, "body_subgraph_index"},
    {7, 0, BOOL, 0, "indices_are_sorted"},
    {7, 1, LONGS, 0, "update_window_dims"},
    {7, 2, LONGS, 0, "inserted_window_dims"},
    {7, 3, LONGS, 0, "scatter_dims_to_operand_dims"},
    {7, 4, LONG, 0, "index_vector_dim"},
    {7, 5, BOOL, 0, "unique_indices"},
    {7, 6, INT, 0, "update_computation_subgraph_index"},
    {8, 0, INT, 0, "comparison_direction"},
    {8, 1, INT, 0, "compare_type"},
    {9, 0, LONGS, 0, "slice_sizes"},
    {10, 0, LONGS, 0, "edge_padding_low"},
    {10, 1, LONGS, 0, "edge_padding_high"},
    {10, 2, LONGS, 0, "interior_padding"},
    {11, 0, LONG, 0, "iota_dimension"},
    {12, 0, LONGS, 0, "lhs_batching_dimensions"},
    {12, 1, LONGS, 0, "rhs_batching_dimensions"},
    {12, 2, LONGS, 0, "lhs_contracting_dimensions"},
    {12, 3, LONGS, 0, "rhs_contracting_dimensions"},
    {13, 0, LONGS, 0, "window_dimensions"},
    {13, 1, LONGS, 0, "window_strides"},
    {13, 2, LONGS, 0, "base_dilations"},
    {13, 3, LONGS, 0, "window_dilations"},
    {13, 4, LONGS, 0, "padding"},
    {13, 5, INT, 0, "body_subgraph_index"},
    {14, 0, LONG, 0, "dimension"},
    {14, 1, BOOL, 0, "is_stable"},
    {14, 2, INT, 0, "comparator_subgraph_index"},
    {15, 0, INT, 0, "cond_subgraph_index"},
    {15, 1, INT, 0, "body_subgraph_index"},
    {16, 0, LONGS, 0, "offset_dims"},
    {16, 1, LONGS, 0, "collapsed_slice_dims"},
    {16, 2, LONGS, 0, "start_index_map"},
    {16, 3, LONG, 0, "index_vector_dim"},
    {16, 4, LONGS, 0, "slice_sizes"},
    {16, 5, BOOL, 0, "indices_are_sorted"},
    {17, 0, LONGS, 0, "permutation"},
    {19, 0, BYTE, 0, "algorithm"},
    {20, 0, INT, 0, "reduce_function"},
    {21, 0, TEXT, 0, "name"},
    {21, 1, INT, 0, "decomposition_subgraph_index"},
    {21, 3, BYTE, 0, "composite_attributes_format"},
    {21, 4, INT, 0, "version"},
    {23, 0, INTS, 0, "branch_subgraph_indices"},
};

/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const paddings[] = {"SAME", "VALID"};
static const char *const activations[] = {"NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"};
static const char *const types[] = {
    "FLOAT32",   "FLOAT16", "INT32",    "UINT8",      "INT64",  "STRING",        "BOOL",       "INT16",
    "COMPLEX64", "INT8",    "FLOAT64",  "COMPLEX128", "UINT64", "RESOURCE",      "VARIANT",    "UINT32",
    "UINT16",    "INT4",    "BFLOAT16", "INT2",       "UINT4",  "FLOAT8_E4M3FN", "FLOAT8_E5M2"};
static const char *const mirrors[] = {"REFLECT", "SYMMETRIC"};
static const char *const weights[] = {"DEFAULT", "SHUFFLED4x16INT8"};
static const char *const lstm_kernels[] = {"FULL", "BASIC"};
static const char *const combiners[] = {"SUM", "MEAN", "SQRTN"};
static const char *const projections[] = {"UNKNOWN", "SPARSE", "DENSE"};

/* By kind, from PADDING on. */
static const struct {
    const char *const *names;
    size_t count;
} enumerations[] = {
    {paddings, COUNT(paddings)},
    {activations, COUNT(activations)},
    {types, COUNT(types)},
    {types, COUNT(types)},
    {mirrors, COUNT(mirrors)},
    {weights, COUNT(weights)},
    {lstm_kernels, COUNT(lstm_kernels)},
    {combiners, COUNT(combiners)},
    {projections, COUNT(projections)},
};

static const char *copy(xr_tflite_file *file, const char *text)
{
    size_t size = strlen(text) + 1;
    char *memory = xr_tflite_take(file, size, 1);
    return memory ? memcpy(memory, text, size) : "";
}

static const char *number(xr_tflite_file *file, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    return copy(file, text);
}

static const char *enumerator(xr_tflite_file *file, const option *o, int32_t value)
{
    size_t e = (size_t)o->kind - PADDING;
    return value >= 0 && (size_t)value < enumerations[e].count ? enumerations[e].names[value]
                                                               : number(file, value);
}

/* At most as many as make a readable line. */
static const char *list(xr_tflite_file *file, const xr_flat_vector *from, bool is_long)
{
    enum { MOST = 64 };
    char text[MOST * 22 + 8];
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < from->count && i < MOST; i++) {
        int64_t value = is_long ? xr_flat_i64_at(&file->flat, from, i) : xr_flat_i32_at(&file->flat, from, i);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRId64, i ? "," : "", value);
    }
    if (from->count > MOST)
        snprintf(text + used, sizeof text - used, ",...");
    return copy(file, text);
}

/* NULL: nothing to tell. */
static const char *value_of(xr_tflite_file *file, const xr_flat_table *table, const option *o)
{
    xr_flat *flat = &file->flat;
    char text[32];
    uint32_t length;
    switch (o->kind) {
    case BOOL:
        return xr_flat_i8(flat, table, o->field, o->otherwise) ? "true" : "false";
    case BYTE:
        return number(file, xr_flat_i8(flat, table, o->field, o->otherwise));
    case INT:
        return number(file, xr_flat_i32(flat, table, o->field, o->otherwise));
    case LONG:
        return number(file, xr_flat_i64(flat, table, o->field));
    case FLOAT:
        snprintf(text, sizeof text, "%.9g", (double)xr_flat_f32(flat, table, o->field));
        return copy(file, text);
    case INTS:
    case LONGS: {
        xr_flat_vector from = xr_flat_children(flat, table, o->field, o->kind == LONGS ? 8 : 4);
        return from.at ? list(file, &from, o->kind == LONGS) : NULL;
    }
    case TEXT: {
        const char *string = xr_flat_string(flat, table, o->field, &length);
        return string ? xr_tflite_text(file, string, length) : NULL;
    }
    default: {
        int32_t value = xr_flat_i8(flat, table, o->field, o->otherwise);
        return o->kind == GIVEN_TYPE && value == o->otherwise ? NULL : enumerator(file, o, value);
    }
    }
}

/* The options of `type` among a table of all: a run of entries. */
static size_t find(const option *all, size_t count, uint32_t type, const option **first)
{
    size_t i = 0, found = 0;
    while (i < count && all[i].type != type)
        i++;
    *first = all + i;
    while (i + found < count && all[i + found].type == type)
        found++;
    return found;
}

void xr_tflite_read_attributes(xr_tflite_file *file, const xr_flat_table *op, exray_node *node)
{
    xr_flat *flat = &file->flat;
    xr_flat_table table = xr_flat_child(flat, op, XR_OPERATOR_OPTIONS);
    const option *first;
    size_t count = find(options, COUNT(options), xr_flat_u8(flat, op, XR_OPERATOR_OPTIONS_TYPE), &first);
    if (!table.at) {
        table = xr_flat_child(flat, op, XR_OPERATOR_OPTIONS_2);
        count = find(options_2, COUNT(options_2), xr_flat_u8(flat, op, XR_OPERATOR_OPTIONS_2_TYPE), &first);
    }
    if (!table.at)
        count = 0;
    xr_flat_vector custom = xr_flat_children(flat, op, XR_OPERATOR_CUSTOM_OPTIONS, 1);
    if (!count && !custom.count)
        return;
    exray_key_value *attributes = xr_tflite_take(file, count + 1, sizeof *attributes);
    if (!attributes)
        return;
    for (size_t i = 0; i < count; i++) {
        const char *value = value_of(file, &table, &first[i]);
        if (value)
            attributes[node->attribute_count++] = (exray_key_value){first[i].key, value};
    }
    /* Their meaning is the custom operator's own. */
    if (custom.count)
        attributes[node->attribute_count++] =
            (exray_key_value){"custom_options_bytes", number(file, custom.count)};
    node->attributes = attributes;
}
