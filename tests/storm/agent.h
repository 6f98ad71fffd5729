/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The agent: the first process of a storm's guest. It starts the servers,
 * signals them, and tells what they and the kernel hold, on request.
 *
 * A request is a JSON object, and so is its reply (agent.c has the list). They
 * come over one TCP connection at a time.
 */
#ifndef AGENT_H
#define AGENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/** The TCP port of the agent. */
#define AGENT_PORT 2323

/** How many servers a guest can have. */
#define AGENT_SERVERS_MAX 64

/**
 * The number of peers of one interface, by a GET_PEER dump.
 *
 * While peers are being removed a dump may leave living ones out: the module
 * resumes it by a skip count (ovpn_netlink_dump_peers() in its netlink.c).
 * So a number above 0 is an estimate then; and 0 is to be seen twice.
 *
 * @return      the number, or -1 if the interface or the module is not there
 */
int dco_peers(const char *interface);

/**
 * Start a server: /bin/openvpn with the configuration /run/N/conf, where N is
 * the number of servers started before. Its output goes to /run/N/log.
 *
 * @param rcvbufforce  whether it may set SO_RCVBUFFORCE; else it gets EPERM, as
 *                     socket(7) says that a process without CAP_NET_ADMIN does
 * @return      0, or -1 (errno)
 */
int servers_start(bool rcvbufforce);

/** Send a signal to all servers. */
void servers_signal(int signal);

/** A process of ours has ended: note it if it was a server. */
void servers_ended(int pid, int status);

/**
 * What each server and the kernel hold now: an array of objects, owned by the
 * caller. See the comments in agent_servers.c for its members.
 */
json_t *servers_sample(void);

/**
 * Keep all processors busy, and send to the clients' addresses through the
 * tunnel, until load_end(). Each server has the given number of
 * clients, whose addresses are those that it assigns.
 *
 * @return      0, or -1 (errno)
 */
int load_begin(int servers, int clients);

void load_end(void);

#endif
