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
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
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

/**
 * Run a function in a process that gets a signal when this one ends.
 *
 * @return      its exit status; 128 + N when signal N ended it
 */
static int
run_child(int (*function)(void *), void *arg, int signal)
{
    int status;

    fflush(NULL);
    const pid_t child = fork();
    if (child == 0)
    {
        prctl(PR_SET_PDEATHSIG, signal);
        status = function(arg);
        fflush(NULL);
        _exit(status);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
    {
        perror("storm");
        return STATUS_FAILED;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
execute(void *argv)
{
    execv(*(char **)argv, argv);
    perror("storm: exec");
    return STATUS_FAILED;
}

/**
 * The first process of the namespaces. It takes all others with it when it ends
 * (pid_namespaces(7)), and with the last of them the network and the mounts are gone.
 */
static int
run(void *arg)
{
    struct storm *storm = arg;

    /* ^C is for our parent: it ends us all */
    setpgid(0, 0);
    if (run_child(execute, (char *[]){
            "/bin/sh", "-ec",
            "mount --make-rprivate /; mount -t proc proc \"$1/proc\";"
            " mount --bind /dev \"$1/dev\"; mount --bind \"$2\" \"$1/mnt\"",
            "mounts", (char *)storm->root, (char *)storm->output, NULL }, SIGKILL) != 0)
    {
        fail(storm, "no mounts of its own");
    }
    shell(storm, "ip link set lo up; ip tuntap add storm0 mode tap; "
          "ip addr add 10.99.0.1/24 dev storm0; ip link set storm0 up");
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

    /* progress is for who watches, also through a pipe */
    setvbuf(stdout, NULL, _IOLBF, 0);
    options_parse(&options, argc, argv);
    const char *top = repository();
    storm.output = options.output ? options.output
                   : text("%s/build/storm/runs/%s-%d", top, basename(strdup(options.server)),
                          options.clients);
    storm.root = text("%s/build/storm/%s/chroot", top, options.suite);
    int status = run_child(execute, (char *[]){
        text("%s/tests/storm/setup", top), (char *)options.suite, (char *)options.server,
        (char *)options.module, text("%d", options.module_delay), (char *)storm.output,
        options.clients > MANY_CLIENTS ? "small" : NULL, NULL }, SIGTERM);
    if (status != 0)
        return status == 1 ? STATUS_FAILED : status;

    /* what stays of a run that doesn't get to its end */
    storm.run = json_pack("{s: s, s: s, s: s, s: s, s: o, s: [], s: [], s: []}",
                          "result", "failed", "why", "interrupted",
                          "server", options.server, "suite", options.suite,
                          "options", options_json(&options), "phases", "rounds", "samples");
    write_result(&storm);
    storm.start = seconds_now(&storm);
    if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET) != 0)
    {
        perror("storm: unshare");
        return STATUS_FAILED;
    }
    status = run_child(run, &storm, SIGKILL);
    if (status > 128)
        fprintf(stderr, "storm: ended by signal %d\n", status - 128);
    return status;
}
