/* Whether the processor has instructions that not all of its family have, for functions that are compiled
 * twice: XR_PROCESSOR_HAS(AVX2, "avx2").
 *
 * glibc has asked the processor when the program starts.  The compiler's __builtin_cpu_supports asks again at
 * each start, ten questions of 8 us each in a virtual machine, also of programs that want no answer. */
#ifndef XR_PROCESSOR_H
#define XR_PROCESSOR_H

#if defined(__x86_64__) && defined(__GNUC__)
#if defined(__has_include)
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif
#endif
#ifdef CPU_FEATURE_ACTIVE /* glibc 2.34 */
#define XR_PROCESSOR_HAS(feature, name) (x86_cpu_active(x86_cpu_##feature))
#else
#define XR_PROCESSOR_HAS(feature, name) (__builtin_cpu_supports(name) != 0)
#endif
#endif

#endif
