/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Processes, mounts and a network of a run's own. The first process of a process
 * namespace takes all others with it when it ends (pid_namespaces(7)), and with
 * the last of them the network and the mounts are gone.
 */
#include "storm.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET)

/** The child that a signal to us is for. */
static volatile pid_t child;
static volatile sig_atomic_t child_signal;
static volatile sig_atomic_t came;

static void
pass_on(int signal)
{
    came = signal;
    if (child > 0)
        kill(child, child_signal);
}

/** Wait for the child; what comes to us in the meantime ends it. */
static int
wait_for_child(int with_signal)
{
    int status;

    child_signal = with_signal;
    if (came)
        kill(child, with_signal);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    {
    }
    child = 0;
    if (came)
        return 128 + came;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
catch_signals(void)
{
    struct sigaction action = { .sa_handler = pass_on };

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

static void
uncatch_signals(void)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
}

int
command_run(char *const argv[])
{
    catch_signals();
    fflush(NULL);
    child = fork();
    if (child == 0)
    {
        uncatch_signals();
        execv(argv[0], argv);
        fprintf(stderr, "storm: %s: %s\n", argv[0], strerror(errno));
        _exit(STATUS_FAILED);
    }
    return wait_for_child(SIGTERM);
}

int
namespaces_run(int (*function)(void *), void *arg)
{
    catch_signals();
    fflush(NULL);
    if (unshare(NAMESPACES) != 0)
    {
        perror("storm: unshare");
        return STATUS_FAILED;
    }
    child = fork();
    if (child == 0)
    {
        uncatch_signals();
        /* ^C is for our parent: it ends us all */
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int status = function(arg);
        fflush(NULL);
        _exit(status);
    }
    return wait_for_child(SIGKILL);
}

const char *
namespaces_missing(void)
{
    struct utsname name;

    if (geteuid() != 0)
        return "needs root, for namespaces and a chroot";
    if (uname(&name) != 0 || strcmp(name.machine, "x86_64") != 0)
        return "the guest is for x86_64";
    if (access("/dev/net/tun", R_OK | W_OK) != 0)
        return "no /dev/net/tun, for the guest's network";
    const pid_t pid = fork();
    if (pid == 0)
        _exit(unshare(NAMESPACES) == 0 ? 0 : 1);
    int status = 1;
    waitpid(pid, &status, 0);
    return status == 0 ? NULL : "this machine lets nobody make namespaces (unshare)";
}

static void
mount_or_end(const char *source, const char *root, const char *folder, const char *type,
             unsigned long flags)
{
    char *target = text("%s%s", root, folder);

    if (mount(source, target, type, flags, NULL) != 0)
    {
        fprintf(stderr, "storm: mounting %s: %s\n", folder, strerror(errno));
        _exit(STATUS_FAILED);
    }
    free(target);
}

void
namespaces_mount(const char *root, const char *output)
{
    mount_or_end(NULL, "/", "", NULL, MS_REC | MS_PRIVATE);
    mount_or_end("proc", root, "/proc", "proc", 0);
    mount_or_end("/dev", root, "/dev", NULL, MS_BIND);
    mount_or_end(output, root, "/mnt", NULL, MS_BIND);
}
