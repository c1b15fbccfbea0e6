/* What the recorder keeps: levels, filters, budgets, drops; what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "scan.h"
#include <exray/codecs.h>

enum { LOG_SIZE = 8 << 20, LAYERS = 6, LAYER_FLOATS = 1000 };

static uint8_t *log_bytes;
static float layer_data[LAYER_FLOATS];

static int set_up(void **state)
{
    (void)state;
    log_bytes = malloc(LOG_SIZE);
    for (size_t i = 0; i < LAYER_FLOATS; i++)
        layer_data[i] = (float)i;
    return log_bytes ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(log_bytes);
    return 0;
}

static void open_log(exray_recorder *recorder, const exray_recorder_config *config)
{
    assert_int_equal(exray_recorder_open_memory(recorder, log_bytes, LOG_SIZE, config), EXRAY_OK);
}

/* Closes without an error, and reads. */
static scan close_log(exray_recorder *recorder)
{
    if (exray_recorder_close(recorder))
        fail_msg("%s", exray_recorder_error_message(recorder));
    const scan s = scan_log(log_bytes, (size_t)exray_recorder_bytes_written(recorder));
    assert_true(s.begun && s.complete);
    return s;
}

static exray_tensor layer_at(uint32_t index)
{
    static const int64_t shape[] = {LAYER_FLOATS};
    static const char *const names[] = {"conv1", "conv2/relu", "pool", "dense", "softmax", "Conv3"};
    return (exray_tensor){
        .kind = EXRAY_KIND_LAYER,
        .info = {.name = names[index % 6], .dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = shape},
        .index = index,
        .data = layer_data,
        .size = sizeof layer_data};
}

static void record_io(exray_recorder *recorder, exray_kind kind)
{
    static const int64_t shape[] = {8};
    exray_recorder_log_tensor(recorder,
                              &(exray_tensor){.kind = kind,
                                              .info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = shape},
                                              .data = "12345678",
                                              .size = 8});
}

static void record_frame(exray_recorder *recorder)
{
    static const uint32_t node = 0;
    static const uint64_t time = 5;
    static const double reading = 1;
    exray_recorder_frame_begin(recorder, "source");
    exray_recorder_log_encoded(recorder, "camera", "jpeg", "jpeg!", 5);
    record_io(recorder, EXRAY_KIND_STAGE);
    record_io(recorder, EXRAY_KIND_INPUT);
    for (uint32_t i = 0; i < LAYERS; i++) {
        const exray_tensor layer = layer_at(i);
        exray_recorder_log_tensor(recorder, &layer);
    }
    record_io(recorder, EXRAY_KIND_OUTPUT);
    exray_recorder_log_latency(recorder, &node, &time, &time, 1);
    exray_recorder_log_reading(recorder, "light", &reading, 1, "lx");
    exray_recorder_log_result(recorder, &(exray_result){.text = "x"});
    exray_recorder_log_scalar(recorder, "s", 1);
    exray_recorder_frame_end(recorder);
}

static void record_constant(exray_recorder *recorder)
{
    exray_tensor constant = layer_at(0);
    constant.kind = EXRAY_KIND_CONSTANT;
    exray_recorder_log_tensor(recorder, &constant);
}

/* ---- Levels ---- */

static void test_levels(void **state)
{
    (void)state;
    static const struct {
        exray_capture capture;
        size_t frame, io, layers;
        bool layer_data;
    } cases[] = {
        {EXRAY_CAPTURE_OFF, 0, 0, 0, false},          {EXRAY_CAPTURE_FRAME, 1, 0, 0, false},
        {EXRAY_CAPTURE_IO, 1, 1, 0, false},           {EXRAY_CAPTURE_STATS, 1, 1, LAYERS, false},
        {EXRAY_CAPTURE_DEFAULT, 1, 1, LAYERS, false}, {EXRAY_CAPTURE_SKETCH, 1, 1, LAYERS, false},
        {EXRAY_CAPTURE_FULL, 1, 1, LAYERS, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        exray_recorder recorder;
        open_log(&recorder, &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                     .capture = cases[i].capture});
        exray_recorder_log_model(&recorder, &(exray_model){.name = "m"});
        record_constant(&recorder);
        record_frame(&recorder);
        scan s = close_log(&recorder);
        static const char *const of_frame[] = {"/frame",         "/system", "/latency",
                                               "/reading/light", "/result", "/model"};
        static const char *const of_io[] = {"/sensor/camera", "/stage/0", "/input/0", "/output/0"};
        for (size_t k = 0; k < 6; k++)
            assert_int_equal(scan_count(&s, of_frame[k]), cases[i].frame);
        for (size_t k = 0; k < 4; k++) {
            assert_int_equal(scan_count(&s, of_io[k]), cases[i].io);
            assert_int_equal(scan_has(scan_find(&s, of_io[k], 0), 3), cases[i].io);
        }
        assert_int_equal(scan_count(&s, "/layer/"), cases[i].layers);
        assert_int_equal(scan_count(&s, "/constant/0"), cases[i].layers ? 1 : 0);
        if (cases[i].layers) {
            const scan_message *layer = scan_find(&s, "/layer/3", 0);
            const scan_message *constant = scan_find(&s, "/constant/0", 0);
            assert_int_equal(scan_has(layer, 3), cases[i].layer_data);
            assert_int_equal(scan_has(layer, 4), !cases[i].layer_data);
            assert_int_equal(scan_has(constant, 3), cases[i].layer_data);
        }
        assert_int_equal(exray_recorder_dropped(&recorder), 0);
        scan_free(&s);
    }
}

static void test_wants_says_what_is_kept(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                 .capture = EXRAY_CAPTURE_STATS,
                                                 .layers = "conv*,#4",
                                                 .every_nth = 2});
    assert_true(exray_recorder_wants(&recorder, EXRAY_KIND_CONSTANT, 0, NULL));
    for (int frame = 0; frame < 3; frame++) {
        exray_recorder_frame_begin(&recorder, NULL);
        const bool observed = frame != 1;
        assert_int_equal(exray_recorder_wants(&recorder, EXRAY_KIND_INPUT, 0, "x"), observed);
        assert_int_equal(exray_recorder_wants(&recorder, EXRAY_KIND_LAYER, 7, "conv9"), observed);
        assert_int_equal(exray_recorder_wants(&recorder, EXRAY_KIND_LAYER, 4, NULL), observed);
        assert_false(exray_recorder_wants(&recorder, EXRAY_KIND_LAYER, 7, "pool"));
        assert_false(exray_recorder_wants(&recorder, EXRAY_KIND_LAYER, 7, NULL));
    }
    exray_recorder_close(&recorder);
    assert_false(exray_recorder_wants(&recorder, EXRAY_KIND_LAYER, 4, NULL));
}

/* ---- Filters ---- */

static void assert_layers(const char *filter, const char *kept)
{
    exray_recorder recorder;
    open_log(&recorder, &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                 .capture = EXRAY_CAPTURE_FULL,
                                                 .layers = filter});
    record_frame(&recorder);
    scan s = close_log(&recorder);
    for (char index = '0'; index < '0' + LAYERS; index++) {
        const char topic[] = {'/', 'l', 'a', 'y', 'e', 'r', '/', index, 0};
        if (scan_count(&s, topic) != (strchr(kept, index) ? 1 : 0))
            fail_msg("layer %c with filter \"%s\"", index, filter);
    }
    assert_int_equal(scan_count(&s, "/input/0"), 1);        /* filters are about layers alone */
    assert_int_equal(exray_recorder_dropped(&recorder), 0); /* not wanted is not lost */
    scan_free(&s);
}

static void test_layer_filters(void **state)
{
    (void)state;
    assert_layers("conv*", "01");
    assert_layers("conv1", "0");
    assert_layers("*relu, *max", "14");
    assert_layers("#2", "2");
    assert_layers("#1-3,Conv?", "1235");
    assert_layers("#9-100,nothing", "");
    assert_layers("", "012345");
    assert_layers("#0-4294967295", "012345");
}

static void test_filters_that_cannot_be(void **state)
{
    (void)state;
    static const char *const filters[] = {"#", "#x", "#1-", "#5-3", "a,,b", ",", "#99999999999", "#1 2"};
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        exray_recorder recorder;
        const exray_recorder_config config = {.size = sizeof(exray_recorder_config), .layers = filters[i]};
        assert_int_equal(exray_recorder_open_memory(&recorder, log_bytes, LOG_SIZE, &config),
                         EXRAY_E_ARGUMENT);
        assert_non_null(strstr(exray_recorder_error_message(&recorder), "config.layers"));
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_ARGUMENT);
    }
}

/* The model's names count, not what the tap calls the tensor. */
static void test_filter_by_the_models_names(void **state)
{
    (void)state;
    exray_recorder recorder;
    static const uint32_t output = 0;
    const exray_tensor_info tensor = {.name = "stem/BiasAdd"};
    const exray_node nodes[] = {{.op = "CONV_2D", .outputs = &output, .output_count = 1},
                                {.op = "RELU", .name = "act"},
                                {.op = "CONV_2D"}};
    open_log(&recorder, &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                 .capture = EXRAY_CAPTURE_FULL,
                                                 .layers = "stem*,act"});
    exray_recorder_log_model(
        &recorder, &(exray_model){.tensors = &tensor, .tensor_count = 1, .nodes = nodes, .node_count = 3});
    record_frame(&recorder);
    scan s = close_log(&recorder);
    assert_int_equal(scan_count(&s, "/layer/"), 2);
    assert_int_equal(scan_count(&s, "/layer/0"), 1);
    assert_int_equal(scan_count(&s, "/layer/1"), 1);
    scan_free(&s);
}

static void test_every_nth_and_first_frames(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                 .capture = EXRAY_CAPTURE_FULL,
                                                 .every_nth = 3,
                                                 .first_frames = 7});
    for (int i = 0; i < 10; i++)
        record_frame(&recorder);
    scan s = close_log(&recorder);
    assert_int_equal(scan_count(&s, "/frame"), 10);
    assert_int_equal(scan_count(&s, "/result"), 10);
    assert_int_equal(scan_count(&s, "/layer/0"), 3); /* frames 0, 3, 6 */
    assert_int_equal(scan_count(&s, "/input/0"), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(scan_value(scan_find(&s, "/layer/0", i), 1), 3 * i);
    scan_free(&s);
}

static void test_no_io_data(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                 .capture = EXRAY_CAPTURE_FULL,
                                                 .no_io_data = true});
    record_frame(&recorder);
    scan s = close_log(&recorder);
    assert_false(scan_has(scan_find(&s, "/sensor/camera", 0), 3));
    assert_true(scan_has(scan_find(&s, "/sensor/camera", 0), 7));
    assert_false(scan_has(scan_find(&s, "/input/0", 0), 3));
    assert_true(scan_has(scan_find(&s, "/input/0", 0), 4));
    assert_true(scan_has(scan_find(&s, "/output/0", 0), 3));
    assert_true(scan_has(scan_find(&s, "/layer/0", 0), 3));
    for (size_t i = 0; i + 5 <= (size_t)exray_recorder_bytes_written(&recorder); i++)
        assert_memory_not_equal(log_bytes + i, "jpeg!", 5);
    scan_free(&s);
}

/* ---- Budgets and drops ---- */

static bool is_tensor(const char *topic)
{
    static const char *const kinds[] = {"/sensor/", "/stage/", "/input/", "/layer/", "/output/"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(topic, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

static void test_budget_degrades_then_drops(void **state)
{
    (void)state;
    static const uint64_t budgets[] = {102000, 151000, 203000, 401000};
    for (size_t i = 0; i < 2 * sizeof budgets / sizeof *budgets; i++) {
        const uint64_t budget = budgets[i / 2];
        exray_recorder recorder;
        open_log(&recorder, &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                     .capture = EXRAY_CAPTURE_FULL,
                                                     .byte_budget = budget,
                                                     .stream = i % 2 == 0,
                                                     .chunk_size = 32 << 10});
        for (int k = 0; k < 200; k++)
            record_frame(&recorder);
        scan s = close_log(&recorder);
        assert_in_range(exray_recorder_bytes_written(&recorder), 1, budget);
        const uint64_t dropped = exray_recorder_dropped(&recorder);
        /* The last /system may be one more. */
        const uint64_t more = scan_count(&s, "/event") + scan_count(&s, "/system") - scan_count(&s, "/frame");
        const uint64_t kept = scan_count(&s, "/") - more;
        size_t degraded = 0;
        for (size_t k = 0; k < s.count; k++)
            degraded += is_tensor(s.messages[k].topic) && !scan_has(&s.messages[k], 3);
        if (!degraded)
            fail_msg("nothing degraded with a budget of %llu", (unsigned long long)budget);
        assert_int_equal(kept + dropped, 200 * (LAYERS + 9) + degraded);
        /* The log itself says how many. */
        const scan_message *last = scan_find(&s, "/system", scan_count(&s, "/system") - 1);
        assert_int_equal(scan_value(last, 7), dropped);
        scan_free(&s);
    }
}

static void test_channels_run_out(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                 .capture = EXRAY_CAPTURE_FULL,
                                                 .max_channels = 10});
    exray_recorder_frame_begin(&recorder, NULL);
    for (uint32_t i = 0; i < 4; i++) {
        const exray_tensor layer = layer_at(i % 3);
        exray_recorder_log_tensor(&recorder, &layer);
    }
    for (uint32_t i = 10; i < 13; i++) {
        const exray_tensor layer = layer_at(i);
        exray_recorder_log_tensor(&recorder, &layer);
    }
    scan s = close_log(&recorder);
    assert_int_equal(scan_count(&s, "/layer/"), 5);
    assert_int_equal(exray_recorder_dropped(&recorder), 2);
    assert_int_equal(scan_value(scan_find(&s, "/system", 0), 7), 2); /* never without these */
    assert_int_equal(scan_count(&s, "/frame"), 1);
    scan_free(&s);
}

static void test_frame_entries_run_out(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, NULL);
    char name[101];
    memset(name, 'n', 100);
    name[100] = 0;
    for (int i = 0; i < 50; i++)
        assert_int_equal(exray_recorder_log_scalar(&recorder, name, i), EXRAY_OK);
    scan s = close_log(&recorder);
    assert_int_equal(exray_recorder_dropped(&recorder), 50 - 4096 / 113);
    scan_free(&s);
}

/* ---- Sinks ---- */

static void test_memory_sink_full(void **state)
{
    (void)state;
    for (int mode = 0; mode < 2; mode++) {
        exray_recorder recorder;
        const exray_recorder_config config = {
            .size = sizeof(exray_recorder_config), .capture = EXRAY_CAPTURE_FULL, .stream = mode == 0};
        assert_int_equal(exray_recorder_open_memory(&recorder, log_bytes, 300000, &config), EXRAY_OK);
        memset(log_bytes + 300000, 0x5A, 1000);
        for (int i = 0; i < 20; i++)
            record_frame(&recorder);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_NO_SPACE);
        assert_non_null(strstr(exray_recorder_error_message(&recorder),
                               "the memory given to exray_recorder_open_memory"));
        assert_int_equal(exray_recorder_bytes_written(&recorder), 300000);
        for (size_t i = 0; i < 1000; i++)
            assert_int_equal(log_bytes[300000 + i], 0x5A);
        scan s = scan_log(log_bytes, 300000);
        assert_true(s.begun && !s.complete);
        assert_true(scan_count(&s, "/layer/") > 55); /* 4 KB each: most of the buffer */
        scan_free(&s);
    }
}

static void test_abandon_leaves_no_end(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                 .capture = EXRAY_CAPTURE_FULL,
                                                 .stream = true});
    record_frame(&recorder);
    record_frame(&recorder);
    exray_recorder_frame_begin(&recorder, NULL);
    exray_recorder_abandon(&recorder);
    scan s = scan_log(log_bytes, (size_t)exray_recorder_bytes_written(&recorder));
    assert_true(s.begun && !s.complete);
    assert_int_equal(scan_count(&s, "/frame"), 2);
    assert_int_equal(exray_recorder_log_scalar(&recorder, "x", 1), EXRAY_E_STATE);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    scan_free(&s);
}

static void test_two_recorders_at_once(void **state)
{
    (void)state;
    exray_recorder first, second;
    uint8_t *other = malloc(LOG_SIZE);
    open_log(&first, &(exray_recorder_config){.size = sizeof(exray_recorder_config), .session = "s"});
    assert_int_equal(exray_recorder_open_memory(
                         &second, other, LOG_SIZE,
                         &(exray_recorder_config){.size = sizeof(exray_recorder_config), .session = "s"}),
                     EXRAY_OK);
    for (int i = 0; i < 3; i++) {
        record_frame(&first);
        if (i < 2)
            record_frame(&second);
    }
    scan a = close_log(&first);
    assert_int_equal(exray_recorder_close(&second), EXRAY_OK);
    scan b = scan_log(other, (size_t)exray_recorder_bytes_written(&second));
    assert_int_equal(scan_count(&a, "/frame"), 3);
    assert_int_equal(scan_count(&b, "/frame"), 2);
    scan_free(&a);
    scan_free(&b);
    free(other);
}

static void test_callers_memory(void **state)
{
    (void)state;
    exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                    .capture = EXRAY_CAPTURE_FULL,
                                    .max_channels = 64,
                                    .max_chunks = 16};
    const size_t needed = exray_recorder_memory_needed(&config);
    uint8_t *memory = malloc(needed + 16);
    config.memory_size = needed;
    for (size_t offset = 0; offset < 16; offset++) { /* of any alignment, and not a byte beyond */
        exray_recorder recorder;
        config.memory = memory + offset;
        memset(memory, 0xA5, needed + 16);
        open_log(&recorder, &config);
        record_frame(&recorder);
        scan s = close_log(&recorder);
        assert_int_equal(scan_count(&s, "/layer/"), LAYERS);
        for (size_t i = 0; i < 16; i++)
            assert_int_equal(memory[i < offset ? i : needed + i], 0xA5);
        scan_free(&s);
    }
    exray_recorder recorder;
    config.memory_size = needed / 2;
    assert_int_equal(exray_recorder_open_memory(&recorder, log_bytes, LOG_SIZE, &config), EXRAY_E_MEMORY);
    assert_non_null(strstr(exray_recorder_error_message(&recorder), "exray_recorder_memory_needed"));
    free(memory);
}

static void test_small_device(void **state)
{
    (void)state;
    const exray_recorder_config config = {
        .size = sizeof(exray_recorder_config), .stream = true, .max_channels = 32};
    assert_in_range(exray_recorder_memory_needed(&config), 1, 48 << 10);
}

static void test_more_chunks_than_the_index_holds(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                 .capture = EXRAY_CAPTURE_FULL,
                                                 .chunk_size = 32 << 10,
                                                 .max_chunks = 3});
    for (int i = 0; i < 20; i++)
        record_frame(&recorder);
    scan s = close_log(&recorder);
    assert_true(s.chunks > 3);
    assert_int_equal(s.chunk_indexes, 0);
    assert_int_equal(scan_count(&s, "/frame"), 20);
    scan_free(&s);
}

/* ---- Errors ---- */

static void test_state_errors(void **state)
{
    (void)state;
    exray_recorder recorder;
    memset(&recorder, 0, sizeof recorder);
    assert_int_equal(exray_recorder_frame_begin(&recorder, NULL), EXRAY_E_STATE);
    assert_int_equal(exray_recorder_error_status(&recorder), EXRAY_E_STATE);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_STATE);
    assert_non_null(strstr(exray_recorder_error_message(&recorder), "never opened"));
    open_log(&recorder, NULL);
    assert_int_equal(exray_recorder_log_model(&recorder, &(exray_model){.name = "a"}), EXRAY_OK);
    assert_true(exray_recorder_has_model(&recorder));
    assert_int_equal(exray_recorder_log_model(&recorder, &(exray_model){.name = "b"}), EXRAY_E_STATE);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_STATE);
}

static void test_configs_that_cannot_be(void **state)
{
    (void)state;
#define SIZE .size = sizeof(exray_recorder_config)
    const exray_recorder_config bad[] = {
        {SIZE, .compression = EXRAY_COMPRESSION_LZ4},
        {SIZE, .compression = EXRAY_COMPRESSION_ZSTD, .codec = exray_codec_default(), .stream = true},
        {SIZE, .compression = (exray_compression)9, .codec = exray_codec_default()},
        {SIZE, .capture = (exray_capture)50},
        {SIZE, .max_channels = 65536},
        {SIZE, .ring_size = 100},
        {SIZE, .role = (exray_role)2},
        {SIZE, .metadata_count = 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        exray_recorder recorder;
        assert_int_equal(exray_recorder_memory_needed(&bad[i]), 0);
        assert_int_equal(exray_recorder_open_memory(&recorder, log_bytes, LOG_SIZE, &bad[i]),
                         EXRAY_E_ARGUMENT);
        assert_int_equal(exray_recorder_frame_begin(&recorder, NULL), EXRAY_E_ARGUMENT);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_ARGUMENT);
    }
}

static void test_files_that_cannot_be(void **state)
{
    (void)state;
    exray_recorder recorder;
    assert_int_equal(exray_recorder_open_file(&recorder, "/no such folder/edge.mcap", NULL), EXRAY_E_IO);
    assert_non_null(strstr(exray_recorder_error_message(&recorder), "/no such folder/edge.mcap"));
    assert_non_null(strstr(exray_recorder_error_message(&recorder), "No such file or directory"));
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_IO);
    assert_int_equal(exray_recorder_open_file(&recorder, NULL, NULL), EXRAY_E_ARGUMENT);
    assert_int_equal(exray_recorder_open_callback(&recorder, NULL, NULL, NULL), EXRAY_E_ARGUMENT);
    assert_int_equal(exray_recorder_open_memory(&recorder, NULL, 5, NULL), EXRAY_E_ARGUMENT);
}

static int closed[4], closed_count;
static void note_close(void *user)
{
    closed[closed_count++] = *(int *)user;
}

static void test_closers(void **state)
{
    (void)state;
    static int numbers[] = {1, 2, 3, 4};
    exray_recorder recorder;
    for (int abandon = 0; abandon < 2; abandon++) {
        closed_count = 0;
        open_log(&recorder, NULL);
        for (int i = 0; i < 4; i++)
            assert_int_equal(exray_recorder_on_close(&recorder, note_close, &numbers[i]), EXRAY_OK);
        if (abandon)
            exray_recorder_abandon(&recorder);
        else
            assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
        assert_int_equal(closed_count, 4);
        for (int i = 0; i < 4; i++)
            assert_int_equal(closed[i], 4 - i);
    }
    open_log(&recorder, NULL);
    for (int i = 0; i < 4; i++)
        exray_recorder_on_close(&recorder, note_close, &numbers[i]);
    assert_int_equal(exray_recorder_on_close(&recorder, note_close, &numbers[0]), EXRAY_E_LIMIT);
    closed_count = 0;
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_LIMIT);
    assert_int_equal(closed_count, 4);
}

/* Nodes nested without end would take all the stack. */
static void test_models_nested_too_deep(void **state)
{
    (void)state;
    exray_recorder recorder;
    exray_node node = {.op = "WHILE", .inner_count = 1};
    node.inner = &node;
    open_log(&recorder, NULL);
    assert_int_equal(exray_recorder_log_model(&recorder, &(exray_model){.nodes = &node, .node_count = 1}),
                     EXRAY_E_ARGUMENT);
    exray_recorder_abandon(&recorder);
}

/* A log call outside a frame begins one. */
static void test_frames_begin_by_themselves(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, NULL);
    record_constant(&recorder); /* not this one: it belongs to no frame */
    exray_recorder_log_scalar(&recorder, "x", 1);
    exray_recorder_frame_begin(&recorder, "second");
    exray_recorder_frame_begin_encoded(&recorder, "third", "jpeg", "abc", 3);
    exray_recorder_frame_end(&recorder);
    exray_recorder_frame_end(&recorder);
    assert_true(exray_recorder_frame_elapsed(&recorder) < 1000000000u);
    scan s = close_log(&recorder);
    assert_int_equal(scan_count(&s, "/frame"), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(scan_value(scan_find(&s, "/frame", i), 1), i);
    assert_false(scan_has(scan_find(&s, "/frame", 0), 2));
    assert_true(scan_has(scan_find(&s, "/frame", 0), 7));
    assert_int_equal(scan_value(scan_find(&s, "/sensor/camera", 0), 1), 2);
    scan_free(&s);
}

/* Data over 1 GiB becomes stats.  The memory is never touched but by the stats:
 * untouched pages cost nothing. */
static void test_over_a_gibibyte(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* more than a minute, on one thread */
#endif
    const size_t size = ((size_t)1 << 30) + 1;
    const int64_t shape[] = {(int64_t)size};
    uint8_t *data = calloc(size, 1);
    if (!data)
        skip();
    exray_recorder recorder;
    open_log(&recorder,
             &(exray_recorder_config){.size = sizeof(exray_recorder_config), .capture = EXRAY_CAPTURE_FULL});
    exray_recorder_log_tensor(&recorder,
                              &(exray_tensor){.kind = EXRAY_KIND_OUTPUT,
                                              .info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = shape},
                                              .data = data,
                                              .size = size});
    scan s = close_log(&recorder);
    const scan_message *output = scan_find(&s, "/output/0", 0);
    assert_false(scan_has(output, 3));
    assert_true(scan_has(output, 4));
    assert_int_equal(exray_recorder_dropped(&recorder), 1);
    scan_free(&s);
    free(data);
}

/* Where the budget had no room for /model, tensors say themselves what they are. */
static void test_tensors_without_their_model(void **state)
{
    (void)state;
    static char name[900];
    memset(name, 'n', sizeof name - 1);
    const int64_t shape[] = {LAYER_FLOATS};
    exray_tensor_info tensors[64];
    for (size_t i = 0; i < 64; i++)
        tensors[i] =
            (exray_tensor_info){.name = name, .dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = shape};
    const exray_model model = {.name = "m", .tensors = tensors, .tensor_count = 64};
    for (int fits = 0; fits < 2; fits++) {
        exray_recorder recorder;
        open_log(&recorder, &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                     .capture = EXRAY_CAPTURE_IO,
                                                     .byte_budget = fits ? 200000 : 60000});
        exray_recorder_log_model(&recorder, &model);
        assert_int_equal(exray_recorder_dropped(&recorder), !fits);
        exray_tensor input = layer_at(0);
        input.kind = EXRAY_KIND_INPUT;
        input.in_model = true;
        exray_recorder_log_tensor(&recorder, &input);
        scan s = close_log(&recorder);
        assert_int_equal(scan_count(&s, "/model"), fits);
        assert_int_equal(scan_has(scan_find(&s, "/input/conv1", 0), 2), !fits);
        scan_free(&s);
    }
}

/* A tap that could not read a file is no reason to lose the open frame. */
static void test_a_taps_failure_to_read(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, NULL);
    exray_recorder_frame_begin(&recorder, "a");
    assert_int_equal(exray_recorder_fail(&recorder, EXRAY_E_IO, "cannot read the model"), EXRAY_E_IO);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_IO);
    scan s = scan_log(log_bytes, (size_t)exray_recorder_bytes_written(&recorder));
    assert_true(s.complete);
    assert_int_equal(scan_count(&s, "/frame"), 1);
    scan_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_wants_says_what_is_kept),
        cmocka_unit_test(test_layer_filters),
        cmocka_unit_test(test_filters_that_cannot_be),
        cmocka_unit_test(test_filter_by_the_models_names),
        cmocka_unit_test(test_every_nth_and_first_frames),
        cmocka_unit_test(test_no_io_data),
        cmocka_unit_test(test_budget_degrades_then_drops),
        cmocka_unit_test(test_channels_run_out),
        cmocka_unit_test(test_frame_entries_run_out),
        cmocka_unit_test(test_memory_sink_full),
        cmocka_unit_test(test_abandon_leaves_no_end),
        cmocka_unit_test(test_two_recorders_at_once),
        cmocka_unit_test(test_callers_memory),
        cmocka_unit_test(test_small_device),
        cmocka_unit_test(test_more_chunks_than_the_index_holds),
        cmocka_unit_test(test_state_errors),
        cmocka_unit_test(test_configs_that_cannot_be),
        cmocka_unit_test(test_files_that_cannot_be),
        cmocka_unit_test(test_closers),
        cmocka_unit_test(test_a_taps_failure_to_read),
        cmocka_unit_test(test_models_nested_too_deep),
        cmocka_unit_test(test_frames_begin_by_themselves),
        cmocka_unit_test(test_tensors_without_their_model),
        cmocka_unit_test(test_over_a_gibibyte),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
