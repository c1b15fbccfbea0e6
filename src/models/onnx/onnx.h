/* ONNX models: what the parts share.
 *
 * onnx_wire.c        protobuf's wire format, memory, errors
 * onnx_names.c       names -> positions of tensors
 * onnx_read.c        the main graph -> exray_model; the format's table entry
 * onnx_tensor.c      types, shapes, TensorProto -> bytes
 * onnx_attributes.c  attributes -> text, the tensors that bodies use
 * onnx_meaning.c     what operators tell of tensors: layout
 * onnx_quantization.c  likewise: quantization, types that are not declared
 * onnx_change.c      expose, cut
 * onnx_external.c    tensors that lie in other files */
#ifndef XR_ONNX_H
#define XR_ONNX_H

#include "models/model_format.h"

/* ---- onnx_wire.c ------------------------------------------------------------ */

enum { XR_PB_VARINT = 0, XR_PB_FIXED64 = 1, XR_PB_BYTES = 2, XR_PB_FIXED32 = 5 };

/* A message, or what is left of it. */
typedef struct xr_pb {
    const uint8_t *at, *end;
    bool bad; /* the bytes are no protobuf message */
} xr_pb;

typedef struct xr_pb_field {
    uint32_t number, type;
    uint64_t value;      /* of the numeric types, as its bits */
    const uint8_t *data; /* of XR_PB_BYTES */
    size_t size;
} xr_pb_field;

xr_pb xr_pb_begin(const void *data, size_t size);
/* The next field; false at the end, or where the bytes are bad. */
bool xr_pb_next(xr_pb *pb, xr_pb_field *field);
bool xr_pb_varint(xr_pb *pb, uint64_t *value);

static inline bool xr_pb_is(const xr_pb_field *field, uint32_t number, uint32_t type)
{
    return field->number == number && field->type == type;
}

/* Bytes of the file, not terminated. */
typedef struct xr_span {
    const uint8_t *data; /* NULL: absent */
    size_t size;
} xr_span;

/* Memory of one model, freed at once; lists that grow in it. */
typedef struct xr_onnx_block xr_onnx_block;
typedef struct xr_onnx_list {
    void *items;
    size_t count, room;
} xr_onnx_list;

/* ---- The graph as the file has it -------------------------------------------- */

typedef struct xr_onnx_tensor {
    xr_span value_info;  /* ValueInfoProto: of an input, output or value_info */
    xr_span initializer; /* TensorProto, or SparseTensorProto where `sparse` */
    bool sparse;
    bool tensor_type; /* its declared type, where there is one, is a tensor's */
    bool is_input;    /* of the graph, initializers among them */
    uint32_t maker;   /* the node that makes it, or EXRAY_NO_INDEX */
} xr_onnx_tensor;

typedef struct xr_onnx_node {
    xr_span message; /* NodeProto */
    xr_span op, domain;
    const uint32_t *implicit; /* tensors of the main graph that bodies within it read */
    uint32_t implicit_count;
} xr_onnx_node;

/* xr_model_file.memory */
typedef struct xr_onnx {
    xr_onnx_block *blocks;
    exray_error *error;           /* while reading */
    xr_onnx_list infos;           /* exray_tensor_info: model.tensors */
    xr_onnx_list tensors;         /* xr_onnx_tensor, by the same positions */
    xr_onnx_list constants;       /* xr_constant, by the same positions */
    xr_onnx_list nodes;           /* exray_node: model.nodes */
    xr_onnx_list extra;           /* xr_onnx_node, by the same positions */
    xr_onnx_list inputs, outputs; /* uint32_t */
    uint32_t *hash;               /* name -> position + 1, open addressing */
    size_t hash_size;             /* a power of two */
    xr_span graph_name;
} xr_onnx;

/* Zeroed; NULL where there is none, the error set. */
void *xr_onnx_alloc(xr_onnx *onnx, size_t count, size_t size);
void xr_onnx_free(xr_onnx *onnx);
/* A zeroed new item at the list's end; NULL: no memory, the error set. */
void *xr_onnx_add(xr_onnx *onnx, xr_onnx_list *list, size_t size);
/* A terminated copy; NULL: no memory, or a NUL byte within. */
const char *xr_onnx_text(xr_onnx *onnx, xr_span text);
/* Sets the error (the first one stays); returns false. */
bool xr_onnx_fail(xr_onnx *onnx, exray_status status, const char *why);
bool xr_onnx_is(xr_span text, const char *string);

static inline exray_tensor_info *xr_onnx_info(const xr_onnx *onnx, uint32_t i)
{
    return (exray_tensor_info *)onnx->infos.items + i;
}
static inline xr_onnx_tensor *xr_onnx_at(const xr_onnx *onnx, uint32_t i)
{
    return (xr_onnx_tensor *)onnx->tensors.items + i;
}
static inline xr_constant *xr_onnx_constant(const xr_onnx *onnx, uint32_t i)
{
    return (xr_constant *)onnx->constants.items + i;
}
static inline exray_node *xr_onnx_node_at(const xr_onnx *onnx, size_t i)
{
    return (exray_node *)onnx->nodes.items + i;
}
static inline xr_onnx_node *xr_onnx_extra(const xr_onnx *onnx, size_t i)
{
    return (xr_onnx_node *)onnx->extra.items + i;
}

/* ---- onnx_names.c ------------------------------------------------------------ */

/* The tensor of that name, or EXRAY_NO_INDEX. */
uint32_t xr_onnx_find(const xr_onnx *onnx, xr_span name);
/* The same, made where there is none; empty names, which stand for an input left out,
 * are EXRAY_NO_INDEX.  False: no memory. */
bool xr_onnx_tensor_named(xr_onnx *onnx, xr_span name, uint32_t *position);

/* ---- onnx_tensor.c ----------------------------------------------------------- */

exray_dtype xr_onnx_dtype(uint64_t data_type);
/* TensorProto.DataType of a dtype; 0: none. */
unsigned xr_onnx_data_type(exray_dtype dtype);
/* Type and shape of a ValueInfoProto, where it has them. */
bool xr_onnx_read_type(xr_onnx *onnx, xr_span value_info, exray_tensor_info *info, bool *tensor_type);
/* Type, shape and bytes of a TensorProto. */
bool xr_onnx_read_tensor(xr_onnx *onnx, xr_span tensor, exray_tensor_info *info, xr_constant *constant);

/* ---- onnx_attributes.c ------------------------------------------------------- */

/* One AttributeProto as key and text. */
bool xr_onnx_attribute(xr_onnx *onnx, xr_span attribute, exray_key_value *out);
/* The value of a Constant node, as what its attribute says. */
bool xr_onnx_constant_value(xr_onnx *onnx, xr_span attribute, exray_tensor_info *info, xr_constant *constant);
/* Fills implicit and implicit_count of a node from the graphs among its attributes. */
bool xr_onnx_implicit(xr_onnx *onnx, xr_onnx_node *node);
/* An integer attribute of a node. */
int64_t xr_onnx_integer(const exray_node *node, const char *key, int64_t otherwise);

/* ---- onnx_order.c ------------------------------------------------------------ */

/* Puts nodes behind those whose tensors they read, where the file does not; those of a file that does stay as
 * they are.  False: no memory. */
bool xr_onnx_sort(xr_onnx *onnx);

/* ---- onnx_meaning.c ---------------------------------------------------------- */

bool xr_onnx_interpret(xr_onnx *onnx);

/* Adds to operators that an older version of the operator set defines otherwise which version the file means
 * (attribute "opset").  False: out of memory. */
bool xr_onnx_note_opset(xr_onnx *onnx, const void *data, size_t size);

/* ---- onnx_quantization.c ----------------------------------------------------- */

/* An input of a node; from XR_ONNX_OUT on, an output.  EXRAY_NO_INDEX: left out. */
enum { XR_ONNX_OUT = 100000 };
uint32_t xr_onnx_operand(const exray_node *node, int place);
bool xr_onnx_describe_quantization(xr_onnx *onnx);

/* ---- onnx_change.c ----------------------------------------------------------- */

exray_status xr_onnx_expose(const xr_model_file *file, xr_model_bytes *out, exray_error *error);
exray_status xr_onnx_cut(const xr_model_file *file, const uint32_t *nodes, uint32_t count,
                         const exray_tensor_info *known, xr_model_bytes *out, exray_error *error);

extern const xr_model_format xr_model_format_onnx; /* onnx_read.c */

#endif
