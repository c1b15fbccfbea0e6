/* Eight floats, or four doubles, at once, where the compiler has such a type.  Each lane is rounded by
 * itself, so results do not depend on the processor. */
#ifndef XR_SOUND_LANES_H
#define XR_SOUND_LANES_H

#ifdef __GNUC__
enum { XR_SOUND_LANES = 8, XR_SOUND_DOUBLES = 4 };
typedef float xr_sound_lanes __attribute__((vector_size(32), aligned(4), may_alias));
typedef double xr_sound_doubles __attribute__((vector_size(32), aligned(8), may_alias));
#define XR_SOUND_INLINED  static inline __attribute__((always_inline))
#define XR_LANE(lanes, l) ((lanes)[l])
#else
enum { XR_SOUND_LANES = 1, XR_SOUND_DOUBLES = 1 };
typedef float xr_sound_lanes;
typedef double xr_sound_doubles;
#define XR_SOUND_INLINED  static inline
#define XR_LANE(lanes, l) (*(&(lanes) + (l)*0))
#endif

/* For a second copy of a function, compiled for wide registers; whether the processor has them. */
#if defined(__x86_64__) && defined(__GNUC__)
#define XR_SOUND_WIDE     __attribute__((target("avx2")))
#define XR_SOUND_HAS_WIDE __builtin_cpu_supports("avx2")
#else
#define XR_SOUND_WIDE
#define XR_SOUND_HAS_WIDE 0
#endif

#endif
