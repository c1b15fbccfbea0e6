/* What the files about .tflite share.
 *
 * tflite_memory.c      memory of a file's description
 * tflite_read.c        reading: subgraphs, nodes; the format's table entry
 * tflite_tensor.c      tensors, quantization, constants
 * tflite_attributes.c  options of operators as attributes
 * tflite_ops.c         names of operators
 * tflite_change.c      exposing and cutting */
#ifndef XR_TFLITE_H
#define XR_TFLITE_H

#include "models/flatbuffer.h"
#include "models/model_format.h"

/* Numbers of the fields, by the schema of the format (schema.fbs, version 3). */
enum {
    XR_MODEL_OPERATOR_CODES = 1,
    XR_MODEL_SUBGRAPHS = 2,
    XR_MODEL_BUFFERS = 4,
    XR_MODEL_METADATA = 6,
    XR_MODEL_SIGNATURES = 7,
    XR_SUBGRAPH_TENSORS = 0,
    XR_SUBGRAPH_INPUTS = 1,
    XR_SUBGRAPH_OUTPUTS = 2,
    XR_SUBGRAPH_OPERATORS = 3,
    XR_TENSOR_SHAPE = 0,
    XR_TENSOR_TYPE = 1,
    XR_TENSOR_BUFFER = 2,
    XR_TENSOR_NAME = 3,
    XR_TENSOR_QUANTIZATION = 4,
    XR_TENSOR_IS_VARIABLE = 5,
    XR_TENSOR_SPARSITY = 6,
    XR_TENSOR_SHAPE_SIGNATURE = 7,
    XR_QUANTIZATION_SCALE = 2,
    XR_QUANTIZATION_ZERO_POINT = 3,
    XR_QUANTIZATION_DIMENSION = 6,
    XR_BUFFER_DATA = 0,
    XR_BUFFER_OFFSET = 1,
    XR_BUFFER_SIZE = 2,
    XR_OPERATOR_CODE = 0,
    XR_OPERATOR_INPUTS = 1,
    XR_OPERATOR_OUTPUTS = 2,
    XR_OPERATOR_OPTIONS_TYPE = 3,
    XR_OPERATOR_OPTIONS = 4,
    XR_OPERATOR_CUSTOM_OPTIONS = 5,
    XR_OPERATOR_OPTIONS_2_TYPE = 11,
    XR_OPERATOR_OPTIONS_2 = 12,
    XR_CODE_DEPRECATED = 0,
    XR_CODE_CUSTOM = 1,
    XR_CODE_BUILTIN = 3,
};

/* TensorType of two kinds of tensors that are handles to state, not values. */
enum { XR_TFLITE_TYPE_RESOURCE = 13, XR_TFLITE_TYPE_VARIANT = 14 };

/* What is known of a tensor besides its description. */
typedef struct xr_tflite_detail {
    uint32_t buffer; /* its number in the file */
    bool variable;   /* state that lives from run to run */
    bool handle;     /* of RESOURCE or VARIANT */
} xr_tflite_detail;

typedef struct xr_tflite_block xr_tflite_block;

/* Whether a .tflite file has variables, which a model keeps from run to run. */
bool xr_tflite_keeps_state(const xr_model_file *file);

/* xr_model_file.memory. */
typedef struct xr_tflite_file {
    xr_flat flat;
    xr_flat_table root;
    xr_flat_vector subgraphs, buffers, codes;
    xr_tflite_block *blocks;
    uint64_t room;       /* bytes that may still be taken */
    const char *problem; /* why it is no model; NULL: none so far */
    bool no_memory;
    exray_tensor_info *tensors;
    xr_constant *constants;
    xr_tflite_detail *details; /* [model.tensor_count] */
    exray_node *nodes;
    uint32_t tensor_count, node_count;
    uint32_t main_tensors, main_nodes; /* those of subgraph 0, which come first */
} xr_tflite_file;

/* Frees the struct, too. */
void xr_tflite_free(xr_tflite_file *file);

/* Zeroed memory for a file's description; NULL: the reason is noted. */
void *xr_tflite_take(xr_tflite_file *file, uint64_t count, size_t size);

/* A string of the file as the log takes it: at most a thousand bytes; "" for NULL. */
const char *xr_tflite_text(xr_tflite_file *file, const char *text, uint32_t length);

/* Fills file->tensors[position], constants and details. */
void xr_tflite_read_tensor(xr_tflite_file *file, const xr_flat_table *tensor, uint32_t position);

/* Where the data of a buffer lies in the file; size 0: it has none. */
xr_constant xr_tflite_buffer(xr_tflite_file *file, uint32_t number);

/* Fills the node's attributes. */
void xr_tflite_read_attributes(xr_tflite_file *file, const xr_flat_table *op, exray_node *node);

/* The builtin operator's name as TensorFlow Lite's own tools print it; "UNKNOWN"
 * for numbers that are newer than this table. */
const char *xr_tflite_op_name(int builtin_code);

/* model_file.h */
exray_status xr_tflite_expose(const xr_model_file *file, xr_model_bytes *out, exray_error *error);
exray_status xr_tflite_cut(const xr_model_file *file, const uint32_t *nodes, uint32_t count,
                           const exray_tensor_info *known, xr_model_bytes *out, exray_error *error);

/* The number of subgraphs of a model file; 0 where the bytes are none. */
uint32_t xr_tflite_subgraph_count(const void *data, size_t size);

extern const xr_model_format xr_model_format_tflite;

#endif
