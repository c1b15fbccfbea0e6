/* The names of enumerators. */
#include <exray/exray.h>
#include <string.h>

const char *exray_version(void)
{
    return EXRAY_VERSION;
}

const char *exray_status_name(exray_status status)
{
    static const char *const names[] = {
        "EXRAY_OK",         "EXRAY_E_ARGUMENT", "EXRAY_E_STATE", "EXRAY_E_MEMORY", "EXRAY_E_IO",
        "EXRAY_E_NO_SPACE", "EXRAY_E_FORMAT",   "EXRAY_E_LIMIT", "EXRAY_E_ENGINE", "EXRAY_E_UNSUPPORTED"};
    return (unsigned)status < sizeof names / sizeof *names ? names[status] : "EXRAY_E_UNKNOWN";
}

const char *exray_dtype_name(exray_dtype dtype)
{
    static const char *const names[] = {"unspecified", "float32", "float16",     "bfloat16",   "float64",
                                        "int8",        "uint8",   "int16",       "uint16",     "int32",
                                        "uint32",      "int64",   "uint64",      "bool",       "string",
                                        "int4",        "uint4",   "float8_e4m3", "float8_e5m2"};
    return (unsigned)dtype < sizeof names / sizeof *names ? names[dtype] : names[0];
}

unsigned exray_dtype_bits(exray_dtype dtype)
{
    switch (dtype) {
#define BITS_CASE(name, number, bits)                                                                        \
    case EXRAY_DTYPE_##name:                                                                                 \
        return bits;
        EXRAY_DTYPES(BITS_CASE)
#undef BITS_CASE
    }
    return 0;
}

const char *exray_kind_name(exray_kind kind)
{
    static const char *const names[] = {
#define KIND_NAME(upper, lower) #lower,
        EXRAY_KINDS(KIND_NAME)
#undef KIND_NAME
    };
    return (unsigned)kind < EXRAY_KIND_COUNT ? names[kind] : "unknown";
}

const char *exray_event_kind_name(exray_event_kind kind)
{
    static const char *const names[] = {
#define EVENT_NAME(upper, lower) #lower,
        EXRAY_EVENTS(EVENT_NAME)
#undef EVENT_NAME
    };
    return (unsigned)kind < EXRAY_EVENT_OTHER ? names[kind] : "other";
}

static const char *const capture_names[] = {"default",
#define CAPTURE_NAME(upper, lower) #lower,
                                            EXRAY_CAPTURES(CAPTURE_NAME)
#undef CAPTURE_NAME
};

enum { CAPTURE_COUNT = sizeof capture_names / sizeof *capture_names };

const char *exray_capture_name(exray_capture capture)
{
    return (unsigned)capture < CAPTURE_COUNT ? capture_names[capture] : "unknown";
}

int exray_capture_from_name(const char *name)
{
    for (int i = EXRAY_CAPTURE_OFF; i < CAPTURE_COUNT; i++)
        if (strcmp(name, capture_names[i]) == 0)
            return i;
    return -1;
}
