/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's end of the server's generic-netlink sockets, in the server's own process:
 * socket(), sendmsg(), recvmsg() and the like come before the C library's, for libnl, too,
 * and hand on what is no generic netlink. A socket's descriptor is an eventfd that can be
 * read from exactly when the socket could: the server polls it as it is.
 *
 * Facts about the kernel are from net/netlink/af_netlink.c (Linux 6.1).
 */
#ifndef NETLINK_H
#define NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>

/* What queued messages cost, in bytes: the truesize of an skb with less than 512 bytes of
 * data (struct sk_buff and skb_shared_info included); and that of a part of a dump, for
 * which netlink_dump() allocates as much as the largest buffer that the reader has offered
 * (libnl: four pages) */
#define NETLINK_TRUESIZE 768
#define NETLINK_DUMP_TRUESIZE (32768 + 256)

struct netlink_sock;

/* Let a receive buffer hold two notifications, of a server without CAP_NET_ADMIN;
 * before it opens a socket */
void netlink_small_buffer(void);

/* Queue a message for one socket. It is dropped, as the kernel does, when the
 * receive buffer is full or the socket congested. */
void netlink_unicast(struct netlink_sock *sock, const void *data, size_t size);

/* Queue one datagram, of SIZE bytes, for each member of a multicast group */
void netlink_multicast(unsigned int group, const void *data, size_t size);

/* Whether FD is one of them */
bool netlink_is(int fd);

/* Port id of a socket, for a message's header */
unsigned int netlink_port(const struct netlink_sock *sock);

/* Queue a part of a dump for its socket */
void netlink_dump_part(struct netlink_sock *sock, const void *data, size_t size);

/* To be implemented by who answers: a request on a socket, and the next part
 * of a dump (returns false when the dump is complete) */
void netlink_request(struct netlink_sock *sock, const struct nlmsghdr *request);
bool netlink_dump(struct netlink_sock *sock, const struct nlmsghdr *request, unsigned int *skip);

/* Begin a dump: netlink_dump() is called for each part as the server reads */
void netlink_dump_start(struct netlink_sock *sock, const struct nlmsghdr *request);

#endif
