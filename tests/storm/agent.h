/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The agent: the first process of a storm's guest. It runs scripts, and tells what
 * the servers and the kernel hold.
 *
 * A request is a JSON object, and so is its reply. They come over one TCP connection
 * at a time:
 *
 *  {"run": SCRIPT}         {"status": N, "output": TEXT}
 *  {"sample": SERVERS}     SAMPLE_FORMAT
 */
#ifndef AGENT_H
#define AGENT_H

#include <jansson.h>

/** The TCP port of the agent. */
#define AGENT_PORT 2323

/** How many servers a guest can have. */
#define AGENT_SERVERS_MAX 64

/** What a server holds, or all of them: then each number is a sum. */
struct sample
{
    double time;                /**< for the host: seconds since the run began */
    double guest_time;          /**< seconds since 1970, by the guest's clock */
    double updated;             /**< the oldest of the status files (their TIME), likewise; or 0 */
    int peers;                  /**< in the kernel; -1 if not all servers have their interface */
    int instances;              /**< in the status files, of clients that have an address, as
                                 *   every client that got to be a peer has */
    int undefined;              /**< likewise, of those that have none (yet) */
    int ready;                  /**< servers that have said so */
    int rejected;               /**< messages that a client would be one too many */
    int lost;                   /**< messages that notifications were lost */
    int closed;                 /**< messages that an instance was closed as its peer had gone */
    double cpu;                 /**< seconds of processor time */
    int queued;                 /**< bytes in the receive queues of generic-netlink sockets */
    int drops;                  /**< notifications that these have dropped */
    int dead;                   /**< servers that have ended */
    int exit_status;            /**< of one that has ended, as a shell calls it */
};

/** A sample as it is packed (OF is empty) and unpacked (OF is &) by jansson. */
#define SAMPLE_FORMAT "{s:f, s:f, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:i, s:i, s:i, s:i}"
#define SAMPLE_MEMBERS(OF, sample) \
    "time", OF(sample)->guest_time, "updated", OF(sample)->updated, "peers", OF(sample)->peers, \
    "instances", OF(sample)->instances, "undefined", OF(sample)->undefined, \
    "ready", OF(sample)->ready, "rejected", OF(sample)->rejected, "lost", OF(sample)->lost, \
    "closed", OF(sample)->closed, "cpu", OF(sample)->cpu, "queued", OF(sample)->queued, \
    "drops", OF(sample)->drops, "dead", OF(sample)->dead, "exit", OF(sample)->exit_status

/** What the first so many servers hold now, in sums. */
void servers_sample(struct sample *sum, int servers);

#endif
