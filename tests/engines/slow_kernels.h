/* Kernels that are right and slow, registered in place of the engine's own as an
 * application with a custom build does. */
#ifndef EXRAY_TEST_SLOW_KERNELS_H
#define EXRAY_TEST_SLOW_KERNELS_H

#include "engines/tflite/tflite_c.h"

/* Adds a depthwise convolution (float32, shapes as in the model file) to `options`, in place
 * of DEPTHWISE_CONV_2D and as the custom operator "DepthwiseConv2D" (options: seven int32,
 * padding 1 = same, strides x y, multiplier, activation, dilations x y); each result is
 * computed `repeat` times.  `library`: a dlopen handle; NULL: the program itself.
 * NULL, or the name of the function that the library lacks.  The custom operator lives until
 * slow_kernels_free, which follows the interpreter's end. */
const char *slow_kernels_add(void *library, TfLiteInterpreterOptions *options, int repeat);
void slow_kernels_free(void);

#endif
