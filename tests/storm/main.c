/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * tests/storm/storm: set-up, then the run in namespaces of its own, and the
 * verdict in one line.
 */
#include "storm.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** The repository: this program is tests/storm/storm of it. */
static char *
repository(void)
{
    char path[PATH_MAX] = "";

    if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
    {
        perror("storm: /proc/self/exe");
        exit(STATUS_FAILED);
    }
    return strdup(dirname(dirname(dirname(path))));
}

/** As mkdir -p; then an absolute path. */
static char *
make_folder(const char *path)
{
    char *part = strdup(path);

    for (char *slash = part; (slash = strchr(slash + 1, '/'));)
    {
        *slash = '\0';
        mkdir(part, 0777);
        *slash = '/';
    }
    free(part);
    char *absolute;
    if ((mkdir(path, 0777) != 0 && errno != EEXIST) || !(absolute = realpath(path, NULL)))
    {
        fprintf(stderr, "storm: cannot make %s: %s\n", path, strerror(errno));
        exit(STATUS_USAGE);
    }
    return absolute;
}

/** The first process of the namespaces. */
static int
run(void *arg)
{
    struct storm *storm = arg;

    namespaces_mount(storm->root, storm->output);
    shell(storm, "cd /mnt; rm -rf clients dmesg.log guest.log server-*.log; mkdir clients");
    network_up(storm);
    storm->start = seconds_now();
    guest_boot(storm);
    servers_up(storm);
    const int status = rounds_run(storm);
    write_result(storm);
    return status;
}

/**
 * The folder for the output: new, or of an earlier run, which this one replaces.
 */
static char *
output_folder(const char *top, const struct options *options)
{
    char *server = strdup(options->server);
    char *wanted = options->output ? strdup(options->output)
                   : text("%s/build/storm/runs/%s-%d", top, basename(server), options->clients);
    char *folder = make_folder(wanted);
    char *result = text("%s/run.json", folder);

    if (access(result, F_OK) != 0 && (rmdir(folder) != 0 || mkdir(folder, 0777) != 0))
    {
        fprintf(stderr, "storm: %s has files in it, and they are not a run's\n", wanted);
        exit(STATUS_USAGE);
    }
    free(result);
    free(wanted);
    free(server);
    return folder;
}

int
main(int argc, char *argv[])
{
    struct options options;
    struct storm storm = { .options = &options };

    /* progress is for who watches, also through a pipe */
    setvbuf(stdout, NULL, _IOLBF, 0);
    options_parse(&options, argc, argv);
    const char *missing = namespaces_missing();
    if (missing)
    {
        fprintf(stderr, "storm: skipped: %s\n", missing);
        return STATUS_SKIPPED;
    }

    char *top = repository();
    storm.output = output_folder(top, &options);
    storm.root = text("%s/build/storm/%s/chroot", top, options.suite);
    /* what stays of a run that doesn't get to its end */
    storm.run = json_pack("{s: s, s: s, s: s, s: s, s: o, s: [], s: [], s: []}",
                          "result", "failed", "why", "interrupted, or no set-up",
                          "server", options.server, "suite", options.suite,
                          "options", options_json(&options), "phases", "rounds", "samples");
    write_result(&storm);

    char *initramfs = text("%s/initramfs", storm.output);
    char *script = text("%s/tests/storm/setup", top);
    char *delay = text("%d", options.module_delay);
    char *const setup[] = { script, (char *)options.suite, (char *)options.server,
                            (char *)options.module, delay, initramfs,
                            options.clients > MANY_CLIENTS ? "small" : NULL, NULL };
    int status = command_run(setup);
    if (status == 0)
        status = namespaces_run(run, &storm);
    else if (status == 1)
        status = STATUS_FAILED;
    unlink(initramfs);
    free(initramfs);
    free(delay);
    free(script);
    free(top);
    if (status > 128)
        fprintf(stderr, "storm: ended by signal %d\n", status - 128);
    return status;
}
