/* Where frames come from, and label files. */
#define _POSIX_C_SOURCE 200809L
#include "log/log_file.h"
#include "replay/items.h"
#include "replay/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static const char *path_of(const char *name)
{
    static char path[2][160];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static const char *write_file(const char *name, const char *text)
{
    const char *path = path_of(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/exray-replay-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const names[] = {"sub/b.png", "a.jpg", "c.JPEG", "notes.md", "labels",
                                        "list.txt",  "log",   "sub",    "names"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove(path_of(names[i]));
    return rmdir(folder);
}

/* ---- Labels ---------------------------------------------------------------------------------- */

static void labels_are_found(void **state)
{
    (void)state;
    exray_error error = {EXRAY_OK, ""};
    xr_labels *labels = xr_labels_load(
        write_file("labels",
                   "\xEF\xBB\xBF# classes\nx/a.jpg 3\n\nwith space.png\t-4\r\ny/b.jpg 5\nz/b.jpg 6\n"),
        &error);
    int64_t label = 0;
    assert_non_null(labels);
    assert_int_equal(xr_labels_count(labels), 4);
    assert_true(xr_labels_find(labels, "x/a.jpg", &label) && label == 3);
    assert_true(xr_labels_find(labels, "elsewhere/a.jpg", &label) && label == 3); /* by its base name */
    assert_true(xr_labels_find(labels, "with space.png", &label) && label == -4);
    assert_true(xr_labels_find(labels, "z/b.jpg", &label) && label == 6);
    assert_false(xr_labels_find(labels, "b.jpg", &label)); /* two files have that base name */
    assert_false(xr_labels_find(labels, "c.jpg", &label));
    xr_labels_free(labels);
}

static void bad_label_files_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a.jpg 1\nb.jpg\n", "labels:2: not \"FILE CLASS\""},
        {"a.jpg one\n", "labels:1: not \"FILE CLASS\""},
        {"a.jpg 1\na.jpg 2\n", "a.jpg has two classes, 1 and 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        exray_error error = {EXRAY_OK, ""};
        assert_null(xr_labels_load(write_file("labels", cases[i][0]), &error));
        assert_non_null(strstr(error.message, cases[i][1]));
    }
}

static void names_are_lines(void **state)
{
    (void)state;
    exray_error error = {EXRAY_OK, ""};
    xr_names names;
    assert_int_equal(xr_names_load(write_file("names", "cat\r\n\ndog"), &names, &error), EXRAY_OK);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.name[0], "cat");
    assert_string_equal(names.name[1], "");
    assert_string_equal(names.name[2], "dog");
    xr_names_free(&names);
}

/* ---- Files ------------------------------------------------------------------------------------ */

static void expect_items(xr_items *items, const char *expected)
{
    char seen[256] = "";
    xr_item item;
    exray_error error;
    assert_non_null(items);
    for (xr_next next; (next = items->next(items, &item, &error)) != XR_NEXT_END;)
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%s%s:%.*s", *seen ? " " : "",
                 next == XR_NEXT_BROKEN ? "!" : "", item.source, next == XR_NEXT_ITEM ? (int)item.size : 0,
                 (const char *)item.data);
    assert_string_equal(seen, expected);
    items->free(items);
}

static void files_of_a_folder_and_a_list(void **state)
{
    (void)state;
    exray_error error = {EXRAY_OK, ""};
    mkdir(path_of("sub"), 0777);
    write_file("sub/b.png", "two");
    write_file("c.JPEG", "three");
    write_file("a.jpg", "one");
    write_file("notes.md", "no picture");
    expect_items(xr_items_from_files(folder, NULL, &error), "a.jpg:one c.JPEG:three sub/b.png:two");
    expect_items(xr_items_from_files(path_of("a.jpg"), NULL, &error), "a.jpg:one");
    const char *list = write_file("list.txt", "# in this order\nsub/b.png\n  a.jpg \nmissing.jpg\n");
    expect_items(xr_items_from_files(list, NULL, &error), "sub/b.png:two a.jpg:one !missing.jpg:");
}

static void labels_must_fit_the_files(void **state)
{
    (void)state;
    exray_error error = {EXRAY_OK, ""};
    write_file("a.jpg", "one");
    const char *labels = write_file("labels", "a.jpg 7\n");
    xr_items *items = xr_items_from_files(path_of("a.jpg"), labels, &error);
    xr_item item;
    assert_non_null(items);
    assert_int_equal(items->next(items, &item, &error), XR_NEXT_ITEM);
    assert_true(item.has_label && item.label == 7);
    items->free(items);
    labels = write_file("labels", "other.jpg 7\n");
    assert_null(xr_items_from_files(path_of("a.jpg"), labels, &error));
    assert_non_null(strstr(error.message, "none of its 1 files is among the 1 of --data (such as a.jpg)"));
}

/* ---- Logs --------------------------------------------------------------------------------------- */

static void frames_of_a_log(void **state)
{
    (void)state;
    exray_recorder r;
    exray_recorder_config config = {.size = sizeof config, .capture = EXRAY_CAPTURE_IO};
    exray_error error = {EXRAY_OK, ""};
    const char *path = path_of("log");
    assert_int_equal(exray_recorder_open_file(&r, path, &config), EXRAY_OK);
    for (uint64_t i = 0; i < 3; i++) {
        exray_recorder_frame_begin_at(&r, 10 + i, i == 2 ? "c.jpg" : "a.jpg");
        if (i != 1)
            exray_recorder_log_encoded(&r, "camera", "jpeg", "\xFF\xD8picture", 9);
        exray_recorder_frame_end(&r);
    }
    assert_int_equal(exray_recorder_close(&r), EXRAY_OK);
    exray_log *log = exray_log_open(path, &error);
    assert_non_null(log);
    xr_items *items = xr_items_from_log(log, false, NULL, write_file("labels", "c.jpg 5\n"), &error);
    assert_non_null(items);
    xr_item item;
    assert_int_equal(items->next(items, &item, &error), XR_NEXT_ITEM);
    assert_true(item.has_index && item.index == 10 && !item.has_label);
    assert_string_equal(item.sensor, "camera");
    assert_string_equal(item.media.format, "jpeg");
    assert_int_equal(item.size, 9);
    assert_int_equal(items->next(items, &item, &error), XR_NEXT_BROKEN);
    assert_non_null(strstr(error.message, "frame 11 has no sensor record with data"));
    assert_int_equal(items->next(items, &item, &error), XR_NEXT_ITEM);
    assert_true(item.has_label && item.label == 5);
    assert_int_equal(items->next(items, &item, &error), XR_NEXT_END);
    items->free(items);
    assert_null(xr_items_from_log(log, false, "lidar", NULL, &error));
    assert_non_null(strstr(error.message, "named 'lidar'; it has 'camera' (--sensor)"));
    assert_null(xr_items_from_log(log, true, NULL, NULL, &error));
    assert_non_null(strstr(error.message, "no model input with data to replay"));
    exray_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_found),          cmocka_unit_test(bad_label_files_are_refused),
        cmocka_unit_test(names_are_lines),           cmocka_unit_test(files_of_a_folder_and_a_list),
        cmocka_unit_test(labels_must_fit_the_files), cmocka_unit_test(frames_of_a_log),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
