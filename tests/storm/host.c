/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * What runs outside of the guest: programs of the chroot, the network.
 */
#include "storm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

char *
text(const char *format, ...)
{
    char *result;
    va_list args;

    va_start(args, format);
    if (vasprintf(&result, format, args) < 0)
        abort();
    va_end(args);
    return result;
}

void
fail(struct storm *storm, const char *format, ...)
{
    static bool failed;
    char why[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    /* the first failure counts; what fails on the way to the logs doesn't */
    if (!failed)
    {
        failed = true;
        fprintf(stderr, "storm: the run failed: %s\n", why);
        json_object_set_new(storm->run, "why", json_string(why));
        write_result(storm);
        save_logs(storm);
    }
    fflush(NULL);
    _exit(STATUS_FAILED);
}

void
write_result(struct storm *storm)
{
    char *path = text("%s/run.json", storm->output);

    if (json_dump_file(storm->run, path, JSON_COMPACT | JSON_REAL_PRECISION(13)) != 0)
    {
        fprintf(stderr, "storm: cannot write run.json: %s\n", strerror(errno));
        _exit(STATUS_FAILED);
    }
    free(path);
}

static void
mount_on(struct storm *storm, const char *folder, const char *source, const char *type,
         unsigned long flags)
{
    char *target = text("%s%s", storm->root, folder);

    if (mount(source, target, type, flags, NULL) != 0)
        fail(storm, "mounting %s: %s", folder, strerror(errno));
    free(target);
}

void
mount_all(struct storm *storm)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        fail(storm, "no mounts of its own: %s", strerror(errno));
    mount_on(storm, "/proc", "proc", "proc", 0);
    mount_on(storm, "/dev", "/dev", NULL, MS_BIND);
    mount_on(storm, "/mnt", storm->output, NULL, MS_BIND);
}

pid_t
spawn(struct storm *storm, const char *log, char *const argv[])
{
    const pid_t pid = fork();

    if (pid == 0)
    {
        const int null = open("/dev/null", O_RDONLY);

        if (chroot(storm->root) == 0 && chdir("/") == 0)
        {
            const int out = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

            if (null >= 0 && out >= 0 && dup2(null, 0) == 0 && dup2(out, 1) == 1
                && dup2(out, 2) == 2)
            {
                execvp(argv[0], argv);
            }
        }
        _exit(127);
    }
    if (pid < 0)
        fail(storm, "fork: %s", strerror(errno));
    return pid;
}

void
shell(struct storm *storm, const char *script)
{
    int status;
    const pid_t pid = spawn(storm, "/mnt/host.log",
                            (char *const[]){ "/bin/sh", "-ec", (char *)script, NULL });

    if (waitpid(pid, &status, 0) != pid || status != 0)
        fail(storm, "'%s' failed, see host.log", script);
}

void
network_cut(struct storm *storm)
{
    /* all ports that servers may have; AGENT_SERVERS_MAX of them */
    shell(storm, "nft 'table ip storm {"
          " chain in { type filter hook input priority 0;"
          " meta l4proto { tcp, udp } th sport 1194-1257 drop; };"
          " chain out { type filter hook output priority 0;"
          " meta l4proto { tcp, udp } th dport 1194-1257 drop; }; }'");
}

void
network_restore(struct storm *storm)
{
    shell(storm, "nft delete table ip storm");
}
