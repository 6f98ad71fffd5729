/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * What runs outside of the guest: programs of the chroot.
 */
#include "storm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
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

pid_t
spawn(struct storm *storm, const char *log, char *const argv[])
{
    const pid_t pid = fork();

    if (pid == 0)
    {
        if (chroot(storm->root) == 0 && chdir("/") == 0
            && dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0) == 0
            && dup2(open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), 1) == 1
            && dup2(1, 2) == 2)
        {
            execvp(argv[0], argv);
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
