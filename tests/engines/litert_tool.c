/* Runs a session of an engine and logs everything, for tests/engines/test_litert.py:
 * litert_tool ENGINE LIBRARY KERNELS THREADS MODEL LOG RUNS [INPUT.bin ...]
 * LOG "-": nobody observes.  The last run's outputs go to standard output, one
 * after another.  Inputs are the same in every run. */
#include "engines/engine.h"

#include <stdio.h>
#include <stdlib.h>

static void *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    void *data = NULL;
    if (file && fseek(file, 0, SEEK_END) == 0) {
        *size = (size_t)ftell(file);
        rewind(file);
        data = malloc(*size + 1);
        if (data && fread(data, 1, *size, file) != *size) {
            free(data);
            data = NULL;
        }
    }
    if (file)
        fclose(file);
    return data;
}

static int report(const exray_error *error)
{
    fprintf(stderr, "%s: %s\n", exray_status_name(error->status), error->message);
    return 2;
}

static int run(const xr_engine *engine, xr_session *session, exray_recorder *recorder, int runs, int count,
               char **files)
{
    exray_error error = {EXRAY_OK, ""};
    for (int k = 0; k < runs; k++) {
        if (recorder)
            exray_recorder_frame_begin(recorder, "test");
        for (int i = 0; i < count; i++) {
            size_t size = 0;
            void *data = read_file(files[i], &size);
            if (!data)
                return 3;
            exray_status status = engine->set_input(session, (uint32_t)i, data, size, &error);
            free(data);
            if (status)
                return report(&error);
        }
        if (engine->run(session, &error))
            return report(&error);
    }
    for (uint32_t i = 0; engine->output(session, i); i++) {
        size_t size = 0;
        const void *data = engine->output_data(session, i, &size);
        fwrite(data, 1, size, stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 8)
        return 3;
    const xr_engine *engine = xr_engine_by_name(argv[1]);
    size_t size = 0;
    void *model = read_file(argv[5], &size);
    if (!engine || !model)
        return 3;
    exray_recorder recorder;
    bool observed = argv[6][0] != '-';
    if (observed && exray_recorder_open_file(&recorder, argv[6],
                                             &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                                      .capture = EXRAY_CAPTURE_FULL}))
        return 3;
    const xr_session_config config = {
        .model_path = argv[5],
        .model_data = model,
        .model_size = size,
        .kernels = argv[3],
        .threads = (unsigned)atoi(argv[4]),
        .library = argv[2],
        .recorder = observed ? &recorder : NULL,
    };
    exray_error error = {EXRAY_OK, ""};
    xr_session *session = engine->open(&config, &error);
    int result =
        session ? run(engine, session, config.recorder, atoi(argv[7]), argc - 8, argv + 8) : report(&error);
    if (observed && exray_recorder_close(&recorder) && result == 0)
        result = 4;
    engine->close(session);
    free(model);
    return result;
}
