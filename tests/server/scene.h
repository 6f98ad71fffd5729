/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays one scenario in the server's process: connects clients, gets the
 * server into the situation, lets the kernel do its part, and looks at
 * what the server makes of it. It gets its turn when the server waits for
 * events and there are none, when it makes a request, and when it waits for a
 * script.
 */
#ifndef SCENE_H
#define SCENE_H

#include "scenario.h"

struct scene_paths
{
    const char *keys;           /* certificates and keys */
    const char *openvpn;        /* the program of the clients */
};

/* What client-connect answers for the client that connects */
enum answer
{
    ANSWER_ACCEPTED,
    ANSWER_REFUSED,             /* its client-disconnect is run at once */
    ANSWER_DEFERRED             /* for ever */
};

enum answer scene_answer(void);

void scene_start(const struct scenario *scenario, const struct scene_paths *paths);

#endif
