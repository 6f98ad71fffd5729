/* SPDX-License-Identifier: GPL-2.0-only */
#include "run.h"

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
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

void
run_start(struct run *run, const char *scenario, const struct run_paths *paths, const char *folder)
{
    char server[512], plugin[512];
    snprintf(run->folder, sizeof(run->folder), "%s", folder);
    snprintf(server, sizeof(server), "%s/server", paths->build);
    snprintf(plugin, sizeof(plugin), "%s/plugin.so", paths->build);
    if (mkdir(folder, 0700))
        err(2, "%s", folder);
    fflush(NULL);
    run->pid = fork();
    if (run->pid)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char options[512];
    snprintf(options, sizeof(options), "exitcode=%d:log_path=%s/sanitizer", ASAN_STATUS, folder);
    setenv("ASAN_OPTIONS", options, 1);
    snprintf(options, sizeof(options), "exitcode=%d:log_path=%s/sanitizer:print_stacktrace=1",
             UBSAN_STATUS, folder);
    setenv("UBSAN_OPTIONS", options, 1);
    snprintf(options, sizeof(options), "suppressions=%s", paths->suppressions);
    setenv("LSAN_OPTIONS", options, 1);
    const int out = open("/dev/null", O_RDWR);
    if (out < 0 || dup2(out, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(127);
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
add(struct run *run, const char *kind)
{
    if (!strstr(run->outcome, kind))
    {
        const size_t length = strlen(run->outcome);
        snprintf(run->outcome + length, sizeof(run->outcome) - length, "%s%s", length ? "+" : "", kind);
    }
}

/* What the verdict has. If the server ended WELL it has to be all of it. */
static void
add_findings(struct run *run, bool well)
{
    char path[512], line[512], kind[32];
    snprintf(path, sizeof(path), "%s/verdict", run->folder);
    FILE *file = fopen(path, "re");
    bool ended = file && !well;
    while (file && fgets(line, sizeof(line), file))
    {
        ended = !well || !strcmp(line, "end\n");
        if (sscanf(line, "request %31s", kind) == 1)
            ++run->requests[scenario_index(request_names, REQUEST_COUNT, kind)];
        /* that it ended is said better by how it did */
        if (sscanf(line, "finding %31s", kind) == 1 && (strcmp(kind, "ends") || !run->outcome[0]))
            add(run, kind);
    }
    if (file)
        fclose(file);
    if (!ended)
        add(run, "setup");
}

void
run_end(struct run *run, int status, bool timeout)
{
    run->outcome[0] = '\0';
    memset(run->requests, 0, sizeof(run->requests));
    if (timeout)
    {
        add(run, "hangs");
    }
    else if (WIFSIGNALED(status))
    {
        /* OpenVPN doesn't kill itself: the machine's want of memory does */
        add(run, WTERMSIG(status) == SIGKILL ? "setup" : "signal");
    }
    else if (WEXITSTATUS(status) == ASAN_STATUS)
    {
        add(run, has_text(run->folder, "sanitizer", "LeakSanitizer") ? "memory-leak"
            : has_text(run->folder, "sanitizer", "heap-use-after-free") ? "use-after-free" : "asan");
    }
    else if (WEXITSTATUS(status) == UBSAN_STATUS)
    {
        add(run, "ubsan");
    }
    else if (WEXITSTATUS(status) == 1)
    {
        add(run, has_text(run->folder, "server.log", "Assertion failed") ? "assert" : "fatal");
    }
    add_findings(run, WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) && !run->outcome[0])
        add(run, "status");
    if (!run->outcome[0])
        add(run, "pass");
}

void
run_remove(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)))
    {
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        closedir(dir);
    rmdir(folder);
}
