/* libexray is made of the host's static libraries; CMake wants a source. */
#include <exray/types.h>

typedef int exray_libexray_is_not_empty;
