/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs one scenario in a process of its own, and says what became of it.
 */
#ifndef RUN_H
#define RUN_H

#include "scenario.h"

#include <sys/types.h>

struct run_paths
{
    const char *build;          /* of the tree under test: has server and plugin.so */
    const char *keys, *openvpn;
};

struct run
{
    char outcome[64];           /* "pass", or the kinds of findings: "leaks+counts" */
    unsigned int requests[REQUEST_COUNT];       /* that were made in the situation */
};

/* Play it, and kill it after so many SECONDS: it hangs. FOLDER must not exist, and gets
 * logs, sockets and the verdict. The outcome "setup" is no result: the scenario could not
 * be played. */
void run(const char *scenario, const struct run_paths *paths, const char *folder,
         unsigned int seconds, struct run *result);

/* Remove a folder and all that is in it */
void run_remove(const char *folder);

#endif
