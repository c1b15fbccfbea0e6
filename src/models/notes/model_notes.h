/* What a model's file says of itself: the names of its classes, how its picture is normalized.  TensorFlow
 * Lite: the buffer TFLITE_METADATA and the files of the archive behind the model (metadata_schema.fbs, as
 * tflite-support writes them); ONNX: metadata_props. */
#ifndef XR_MODEL_NOTES_H
#define XR_MODEL_NOTES_H

#include <exray/types.h>

/* Unpacks raw deflate data to exactly `size` bytes; false: they are damaged or of another size. */
typedef bool xr_inflate_fn(const void *packed, size_t packed_size, void *out, size_t size);

enum { XR_NOTES_OUTPUTS = 16 };

/* Names of classes, in their order. */
typedef struct xr_note_names {
    char **name;
    size_t count, room;
} xr_note_names;

typedef struct xr_model_notes {
    xr_note_names labels[XR_NOTES_OUTPUTS]; /* of each output; count 0: nothing is said */
    bool are_letters;    /* labels[0] are letters of a reader; the class before the first is none of them */
    unsigned mean_count; /* values of mean and std: 1 or 3; 0: nothing is said */
    double mean[3], std[3]; /* (x - mean) / std of x in 0..255 */
} xr_model_notes;

#endif
