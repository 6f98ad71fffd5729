/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * What the parts of the benchmark program share.
 *
 * The program is OpenVPN's own dco_linux.c, multi.c and what these need, with
 * libnl, on the scripted kernel of the unit tests (mock_netlink.c). It is built
 * once for each tree and number of clients (N_CLIENTS).
 */
#ifndef BENCH_H
#define BENCH_H

#include "mock_instance.h"

/** What was counted while measuring. */
struct count
{
    long calls;                 /* system calls on netlink sockets: sendmsg() and recvmsg() */
    long requests;              /* of them, requests to the kernel */
    long datagrams;             /* of them, datagrams with notifications that were read */
    long dumped;                /* peers that dumps have told of */
};

extern struct count count;

/** The most of it between two calls of measure_pass(), each for itself. */
extern struct count longest;
extern long passes;

/**
 * Begin to count, and let callgrind count instructions.
 *
 * @param by_pass   let callgrind write the instructions of each pass, too
 */
void measure_begin(bool by_pass);

/** A pass of the event loop has ended. */
void measure_pass(void);

void measure_end(void);

/**
 * Leave out what comes now, as it is not OpenVPN's or libnl's: until
 * measure_resume(), which gets what this returns.
 */
bool measure_pause(void);

void measure_resume(bool paused);

#endif /* ifndef BENCH_H */
