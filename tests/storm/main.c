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

static char *
format(const char *pattern, const char *first, const char *second)
{
    char *text;

    if (asprintf(&text, pattern, first, second) < 0)
    {
        perror("storm");
        exit(STATUS_FAILED);
    }
    return text;
}

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

struct job
{
    struct storm *storm;
    const char *output;
};

/** The first process of the namespaces. */
static int
run(void *arg)
{
    struct job *job = arg;
    struct storm *storm = job->storm;

    namespaces_mount(storm->root, job->output);
    network_up(storm);
    storm->start = seconds_now();
    guest_boot(storm);
    servers_up(storm);
    const int status = rounds_run(storm);
    write_result(storm);
    return status;
}

int
main(int argc, char *argv[])
{
    struct options options;
    struct storm storm = { .options = &options };

    options_parse(&options, argc, argv);
    const char *missing = namespaces_missing();
    if (missing)
    {
        fprintf(stderr, "storm: skipped: %s\n", missing);
        return STATUS_SKIPPED;
    }

    char *top = repository();
    if (!options.output)
    {
        char clients[16];

        snprintf(clients, sizeof(clients), "%d", options.clients);
        const char *slash = strrchr(options.server, '/');
        options.output = format(format("%s/build/storm/runs/%%s-%%s", top, ""),
                                slash ? slash + 1 : options.server, clients);
    }
    struct job job = { .storm = &storm, .output = make_folder(options.output) };
    char *initramfs = format("%s/initramfs", job.output, "");
    unlink(format("%s/run.json", job.output, ""));

    /* as far as the set-up goes a failure is this machine's */
    char *const setup[] = { format("%s/tests/storm/setup", top, ""), (char *)options.suite,
                            (char *)options.server, initramfs, NULL };
    int status = command_run(setup);
    if (status == 0)
    {
        storm.root = format("%s/build/storm/%s/root", top, options.suite);
        storm.run = json_pack("{s: s, s: s, s: o, s: [], s: [], s: []}", "server", options.server,
                              "suite", options.suite, "options", options_json(&options),
                              "phases", "rounds", "samples");
        status = namespaces_run(run, &job);
    }
    else if (status == 1)
    {
        status = STATUS_FAILED;
    }
    unlink(initramfs);
    if (status > 128)
    {
        fprintf(stderr, "storm: ended by signal %d\n", status - 128);
    }
    return status;
}
