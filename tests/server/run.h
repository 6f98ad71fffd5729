/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs one scenario in a process of its own, and says what became of it.
 */
#ifndef RUN_H
#define RUN_H

#include "scenario.h"

#include <sys/types.h>

/* A run, from run_start() until run_end() */
struct run
{
    pid_t pid;
    char folder[256];           /* logs, sockets, the verdict */
    char outcome[64];           /* "pass", or the kinds of findings: "leaks+counts" */
    unsigned int requests[REQUEST_COUNT];       /* that it made in the situation */
};

struct run_paths
{
    const char *build;          /* of the tree under test: has server and plugin.so */
    const char *keys, *openvpn;
    const char *suppressions;   /* for LeakSanitizer */
};

/* Start it. FOLDER must not exist, and will. */
void run_start(struct run *run, const char *scenario, const struct run_paths *paths,
               const char *folder);

/* It has ended, with that wait status; TIMEOUT tells that it was killed because
 * it did not end. Sets run->outcome; the folder stays. The outcome "setup" is
 * no result: the scenario could not be played. */
void run_end(struct run *run, int status, bool timeout);

/* Remove a folder and the files in it */
void run_remove(const char *folder);

#endif
