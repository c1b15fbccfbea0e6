/* The names of element types. */
#include <exray/exray.h>

const char *exray_dtype_name(exray_dtype dtype)
{
    static const char *const names[] = {"unspecified", "float32", "float16",     "bfloat16",   "float64",
                                        "int8",        "uint8",   "int16",       "uint16",     "int32",
                                        "uint32",      "int64",   "uint64",      "bool",       "string",
                                        "int4",        "uint4",   "float8_e4m3", "float8_e5m2"};
    return (unsigned)dtype < sizeof names / sizeof *names ? names[dtype] : names[0];
}
