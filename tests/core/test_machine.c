/* What the log says of the machine, from the files of several machines. */
#define _GNU_SOURCE
#include "core/port/machine_posix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[64];

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static int new_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/exray-machine-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int drop_root(void **state)
{
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const void *bytes, size_t size)
{
    char whole[256];
    snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *at = whole + strlen(root) + 1; (at = strchr(at, '/')); at++) {
        *at = 0;
        mkdir(whole, 0700);
        *at = '/';
    }
    FILE *file = fopen(whole, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void put_text(const char *path, const char *text)
{
    put(path, text, strlen(text));
}

static void a_board_with_a_device_tree(void **state)
{
    (void)state;
    static const char compatible[] = "raspberrypi,4-model-b\0brcm,bcm2711";
    xr_port_machine m = {.os = "Linux 6.1.21-v8+"};
    put("/proc/device-tree/compatible", compatible, sizeof compatible);
    put("/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4", 31);
    put_text("/proc/cpuinfo",
             "processor\t: 0\nBogoMIPS\t: 108.00\n\nHardware\t: BCM2835\nModel\t\t: Raspberry Pi 4\n");
    put_text("/etc/os-release", "NAME=\"x\"\nPRETTY_NAME=\"Debian GNU/Linux 11 (bullseye)\"\nID=debian\n");
    xr_read_machine(root, &m);
    assert_string_equal(m.soc, "brcm,bcm2711");
    assert_string_equal(m.device, "Raspberry Pi 4 Model B Rev 1.4");
    assert_string_equal(m.cpu, "Raspberry Pi 4");
    assert_string_equal(m.os, "Debian GNU/Linux 11 (bullseye), Linux 6.1.21-v8+");
}

static void a_phone(void **state)
{
    (void)state;
    xr_port_machine m = {0};
    char cpuinfo[60000] = "";
    size_t used = 0;
    for (int i = 0; i < 200; i++) /* what is wanted lies behind many processors */
        used += (size_t)snprintf(
            cpuinfo + used, sizeof cpuinfo - used,
            "processor\t: %d\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics "
            "fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp\n\n",
            i);
    snprintf(cpuinfo + used, sizeof cpuinfo - used, "Hardware\t: Qualcomm Technologies, Inc SDM845\n");
    put_text("/proc/cpuinfo", cpuinfo);
    xr_read_machine(root, &m);
    assert_string_equal(m.soc, "Qualcomm Technologies, Inc SDM845");
    assert_string_equal(m.device, "");
    assert_string_equal(m.os, "");
}

static void a_server(void **state)
{
    (void)state;
    xr_port_machine m = {0};
    put_text("/proc/cpuinfo",
             "processor\t: 0\nmodel name\t: AMD EPYC 9R14\nprocessor\t: 1\nmodel name\t: other\n");
    put_text("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
    put_text("/sys/class/dmi/id/product_name", "m7a.large\n");
    xr_read_machine(root, &m);
    assert_string_equal(m.soc, "AMD EPYC 9R14");
    assert_string_equal(m.cpu, "AMD EPYC 9R14");

    /* Nothing else is told: what it is sold as.  Placeholders say nothing. */
    memset(&m, 0, sizeof m);
    put_text("/proc/cpuinfo", "");
    xr_read_machine(root, &m);
    assert_string_equal(m.soc, "Amazon EC2 m7a.large");
    memset(&m, 0, sizeof m);
    put_text("/sys/class/dmi/id/sys_vendor", "To be filled by O.E.M.\n");
    put_text("/sys/class/dmi/id/product_name", "Default string\n");
    put_text("/sys/class/dmi/id/board_name", "NUC8i7BEB\n");
    xr_read_machine(root, &m);
    assert_string_equal(m.soc, "NUC8i7BEB");
}

static void files_of_any_bytes(void **state)
{
    (void)state;
    xr_port_machine m = {0};
    static char junk[100000];
    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = (char)(i * 2654435761U >> 24);
    static const char *const paths[] = {
        "/proc/cpuinfo",   "/proc/device-tree/compatible", "/proc/device-tree/model",
        "/etc/os-release", "/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name"};
    for (size_t size = 0; size <= sizeof junk; size = 3 * size + 1) {
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
            put(paths[i], junk, size);
        xr_read_machine(root, &m);
        const char *const told[] = {m.soc, m.device, m.cpu, m.os};
        for (size_t i = 0; i < sizeof told / sizeof *told; i++)
            for (const char *at = told[i]; *at; at++)
                assert_true(*at >= ' ' && *at <= '~');
    }
    memset(&m, 0, sizeof m);
    xr_read_machine("/no/such/folder", &m);
    assert_string_equal(m.soc, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_board_with_a_device_tree, new_root, drop_root),
        cmocka_unit_test_setup_teardown(a_phone, new_root, drop_root),
        cmocka_unit_test_setup_teardown(a_server, new_root, drop_root),
        cmocka_unit_test_setup_teardown(files_of_any_bytes, new_root, drop_root)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
