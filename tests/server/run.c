/* SPDX-License-Identifier: GPL-2.0-only */
#include "run.h"

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* How the sanitizers' exit is told from OpenVPN's own */
#define ASAN_STATUS 99
#define UBSAN_STATUS 98

/* Become the server */
static _Noreturn void
start(const char *scenario, const struct run_paths *paths, const char *folder)
{
    char server[512], plugin[512], options[512];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(server, sizeof(server), "%s/server", paths->build);
    snprintf(plugin, sizeof(plugin), "%s/plugin.so", paths->build);
    snprintf(options, sizeof(options), "exitcode=%d:log_path=%s/sanitizer", ASAN_STATUS, folder);
    setenv("ASAN_OPTIONS", options, 1);
    snprintf(options, sizeof(options), "exitcode=%d:log_path=%s/sanitizer:print_stacktrace=1",
             UBSAN_STATUS, folder);
    setenv("UBSAN_OPTIONS", options, 1);
    const int out = open("/dev/null", O_RDWR);
    if (out >= 0 && dup2(out, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2)
        execl(server, server, scenario, folder, paths->keys, paths->openvpn, plugin, NULL);
    _exit(127);
}

/* Whether a file of the run's folder whose name begins with PREFIX has TEXT */
static bool
has_text(const char *folder, const char *prefix, const char *text)
{
    bool found = false;
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)) && !found)
    {
        char path[1024], line[1024];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        FILE *file = strncmp(entry->d_name, prefix, strlen(prefix)) ? NULL : fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
            found = found || strstr(line, text);
        if (file)
            fclose(file);
    }
    if (dir)
        closedir(dir);
    return found;
}

static void
add(struct run *result, const char *kind)
{
    if (!strstr(result->outcome, kind))
    {
        const size_t length = strlen(result->outcome);
        snprintf(result->outcome + length, sizeof(result->outcome) - length, "%s%s", length ? "+" : "", kind);
    }
}

/* What the verdict has. If the server ended WELL it has to be all of it. */
static void
add_findings(struct run *result, const char *folder, bool well)
{
    char path[512], line[512], kind[32];
    snprintf(path, sizeof(path), "%s/verdict", folder);
    FILE *file = fopen(path, "re");
    bool ended = file && !well;
    while (file && fgets(line, sizeof(line), file))
    {
        ended = !well || !strcmp(line, "end\n");
        if (sscanf(line, "request %31s", kind) == 1)
            ++result->requests[scenario_index(request_names, REQUEST_COUNT, kind)];
        /* that it ended is said better by how it did */
        if (sscanf(line, "finding %31s", kind) == 1 && (strcmp(kind, "ends") || !result->outcome[0]))
            add(result, kind);
    }
    if (file)
        fclose(file);
    if (!ended)
        add(result, "setup");
}

static void
interrupt(int number)
{
    (void)number;
}

void
run(const char *scenario, const struct run_paths *paths, const char *folder,
    unsigned int seconds, struct run *result)
{
    const struct sigaction on_alarm = { .sa_handler = interrupt };
    int status = 0;
    if (mkdir(folder, 0700))
        err(2, "%s", folder);
    const pid_t pid = fork();
    if (pid == 0)
        start(scenario, paths, folder);
    sigaction(SIGALRM, &on_alarm, NULL);
    alarm(seconds);
    const bool timeout = waitpid(pid, &status, 0) < 0;
    alarm(0);
    if (timeout)
    {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }

    memset(result, 0, sizeof(*result));
    if (timeout)
    {
        add(result, "hangs");
    }
    else if (WIFSIGNALED(status))
    {
        /* OpenVPN doesn't kill itself: the machine's want of memory does */
        add(result, WTERMSIG(status) == SIGKILL ? "setup" : "signal");
    }
    else if (WEXITSTATUS(status) == ASAN_STATUS)
    {
        add(result, has_text(folder, "sanitizer", "LeakSanitizer") ? "memory-leak"
            : has_text(folder, "sanitizer", "heap-use-after-free") ? "use-after-free" : "asan");
    }
    else if (WEXITSTATUS(status) == UBSAN_STATUS)
    {
        add(result, "ubsan");
    }
    else if (WEXITSTATUS(status) == 1)
    {
        add(result, has_text(folder, "server.log", "Assertion failed") ? "assert" : "fatal");
    }
    add_findings(result, folder, WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) && !result->outcome[0])
        add(result, "status");
    if (!result->outcome[0])
        add(result, "pass");
}

static int
remove_one(const char *path, const struct stat *about, int type, struct FTW *place)
{
    (void)about;
    (void)type;
    (void)place;
    return remove(path);
}

void
run_remove(const char *folder)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
