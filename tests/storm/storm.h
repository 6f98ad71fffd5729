/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The storm: connects clients to a server in a guest, loses them all at once,
 * and counts what the server still holds.
 *
 * Everything below main.c and options.c runs as the first process of namespaces
 * of its own. When it ends, however it ends, the kernel removes its guest, clients,
 * network and mounts. So nothing is cleaned up here, and what cannot go on calls fail().
 */
#ifndef STORM_H
#define STORM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "agent.h"

/** What the command's exit status tells. */
enum
{
    STATUS_PASS = 0,
    STATUS_LEAK = 1,            /**< the server leaked, rejected, or died; or the kernel crashed */
    STATUS_USAGE = 2,
    STATUS_FAILED = 3,          /**< the run itself: it tells nothing of the server */
};

/** With more clients than these, samples are fewer, and a client takes less memory. */
#define MANY_CLIENTS 2048

#define GUEST_ADDRESS "10.99.0.2"

/** Server N of the guest has this port and N more. */
#define SERVER_PORT 1194

struct options
{
    const char *suite;
    const char *server;
    const char *module;
    const char *kernel;         /**< parameters of the guest's */
    const char *output;
    const char *accel;
    const char *keepalive;
    int clients;
    int servers;
    int rounds;
    int keepalive_interval;     /**< seconds */
    int keepalive_timeout;      /**< seconds; the server's own is twice that */
    int status_interval;        /**< seconds */
    int rmem_max;               /**< bytes; 0: the kernel's default */
    int module_delay;           /**< milliseconds, see tests/storm/setup */
    int newcomers;              /**< clients that come while the lost ones go; 0: none */
    double script;              /**< seconds that client-disconnect blocks; 0: none */
    bool load;
    bool stall;
    bool tcp;
    bool no_rcvbufforce;        /**< see refuse.c */
};

struct storm
{
    const struct options *options;
    const char *root;           /**< the chroot */
    const char *output;         /**< the folder for the result, /mnt in the chroot */
    json_t *run;                /**< what is written in the end; owned */
    double start;               /**< seconds, monotonic */
    struct sample now;          /**< the last sample */
    int came;                   /**< peers that it has more than the one before */
    pid_t guest;
    FILE *to_agent;             /**< NULL if it can't be talked to */
    FILE *from_agent;
    pid_t *clients;             /**< options->clients of them; 0: not started */
    int going;                  /**< how many of them may connect */
};

/* options.c */

/** Fill in options; ends the process for --help, and for what makes no sense. */
void options_parse(struct options *options, int argc, char *argv[]);

/** The options as they go into the result; owned by the caller. */
json_t *options_json(const struct options *options);

/* host.c */

/** As printf() would print it; owned by the caller. */
__attribute__((format(printf, 1, 2)))
char *text(const char *format, ...);

/** Say what went wrong, note it in the result, and end: the run has failed. */
__attribute__((noreturn, format(printf, 2, 3)))
void fail(struct storm *storm, const char *format, ...);

/** Write the result to run.json. */
void write_result(struct storm *storm);

/** Start a program of the chroot; its output goes to log, a path in the chroot. */
pid_t spawn(struct storm *storm, const char *log, char *const argv[]);

/** Run a shell script in the chroot, to its end; fails if it does. */
void shell(struct storm *storm, const char *script);

/* guest.c */

/** Boot the guest, and connect to its agent. */
void guest_boot(struct storm *storm);

/** What the result says of the guest, as its "module". */
const char *guest_fact(struct storm *storm, const char *name);

/** Ask the agent; the reply is owned by the caller. Steals the request. */
json_t *guest_ask(struct storm *storm, json_t *request);

/** Run a script in the guest; its output, without the last newline, owned by the caller. */
__attribute__((format(printf, 2, 3)))
char *guest_run(struct storm *storm, const char *format, ...);

/** Configure and start the servers, and wait until they are ready. */
void servers_up(struct storm *storm);

/** Save the servers' logs and the kernel's, as far as the guest can be talked to. */
void save_logs(struct storm *storm);

/** Say and note how often the kernel crashed, by its log. @return how often */
int kernel_crashes(struct storm *storm);

/* clients.c */

/** Connect all clients, some at a time. */
void clients_connect(struct storm *storm);

/** Stop all clients (SIGSTOP), for clients_some(). */
void clients_stop(struct storm *storm);

/** Start clients, or let them go on, some at a time. To be called with each sample. */
void clients_some(struct storm *storm);

/** Let so many clients that are stopped go on, all at once, as new ones. */
void clients_new(struct storm *storm, int number);

/** How many of the first clients have got in so often, by their logs. */
int clients_in(struct storm *storm, int number, int often);

/** Fails if a client or the guest has ended. */
void clients_check(struct storm *storm);

/* sample.c */

/** Seconds since the run began. */
double seconds_now(struct storm *storm);

/** Note that something happens now. */
void phase(struct storm *storm, const char *name);

/**
 * Take samples until something is so: two a second, and with more than MANY_CLIENTS as
 * many fewer, as each is as much more work. Each goes into the result and storm->now,
 * and now and then into a line of progress.
 *
 * @param limit seconds in which nothing changes, or four times as many in which
 *              it is not so; then the run fails
 * @param what  completes "waiting for ..."
 */
void sample_until(struct storm *storm, bool (*so)(struct storm *), double limit, const char *what);

/* rounds.c */

/** All rounds. @return the exit status */
int rounds_run(struct storm *storm);

#endif
