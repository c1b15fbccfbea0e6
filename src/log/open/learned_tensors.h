#ifndef XR_LEARNED_TENSORS_H
#define XR_LEARNED_TENSORS_H

#include <exray/log.h>

/* Types and shapes of tensors that the model's description does not have, since its file tells them of inputs
 * alone (an ONNX model whose inner tensors were made outputs): as the first frame's records have them. */
void xr_log_learn_tensors(exray_log *log);

#endif
