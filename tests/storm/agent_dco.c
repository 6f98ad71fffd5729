/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The kernel's peers, counted.
 */
#include "agent.h"

#include <net/if.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "ovpn_dco.h"

/** A message of the dump is one peer. */
static int
count_peer(struct nl_msg *msg, void *arg)
{
    struct nlattr *attrs[OVPN_ATTR_MAX + 1];
    int *count = arg;

    if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, OVPN_ATTR_MAX, NULL) == 0
        && attrs[OVPN_ATTR_GET_PEER])
    {
        ++*count;
    }
    return NL_OK;
}

static struct nl_sock *
connect_to_module(int *family)
{
    struct nl_sock *sock = nl_socket_alloc();

    if (genl_connect(sock) == 0 && (*family = genl_ctrl_resolve(sock, OVPN_NL_NAME)) >= 0)
        return sock;
    nl_socket_free(sock);
    return NULL;
}

int
dco_peers(const char *interface)
{
    static struct nl_sock *sock;
    static int family;
    const unsigned int index = if_nametoindex(interface);
    int count = 0;

    if (index == 0 || (!sock && !(sock = connect_to_module(&family))))
        return -1;
    nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, count_peer, &count);
    struct nl_msg *msg = nlmsg_alloc();
    int ret = -1;
    if (genlmsg_put(msg, 0, 0, family, 0, NLM_F_DUMP, OVPN_CMD_GET_PEER, 0)
        && nla_put_u32(msg, OVPN_ATTR_IFINDEX, index) == 0 && nl_send_auto(sock, msg) >= 0)
    {
        ret = nl_recvmsgs_default(sock);
    }
    nlmsg_free(msg);
    if (ret < 0)
    {
        nl_socket_free(sock);
        sock = NULL;
        return -1;
    }
    return count;
}
