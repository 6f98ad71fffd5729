/* SPDX-License-Identifier: GPL-2.0-only */
#include "module.h"
#include "netlink.h"
#include "verdict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* the base's copy of the module's interface */
#include "ovpn_dco_linux.h"

#define FAMILY_ID 27            /* with FIRST_IFINDEX: what the fuzzer takes for its own */
#define GROUP_PEERS 9
#define PEERS_EVER 256          /* those that are gone included */

/* The peers per datagram of a dump. A real one holds about 30; fewer let it be
 * seen with few peers that a dump skips some. */
#define DUMP_SIZE 2

static struct module_peer peers[PEERS_EVER];
static int peers_ever;
static bool multipeer;
static unsigned int ifindex;
static FILE *record;

/* Notifications that are due later, in order */
static struct trailing
{
    unsigned int interface;
    int id;
    enum reason reason;
    unsigned int requests, passes;      /* until then; one of them is in use */
} trailing[MODULE_PEERS];
static unsigned int trailing_count, lag_requests, lag_passes;

static struct module_peer *
lookup(int id)
{
    for (int i = 0; i < peers_ever; ++i)
    {
        if (peers[i].present && peers[i].id == id)
            return &peers[i];
    }
    return NULL;
}

const struct module_peer *
module_peer(int id)
{
    static const struct module_peer none;
    const struct module_peer *peer = lookup(id);
    return peer ? peer : &none;
}

const struct module_peer *
module_peer_of(uint32_t address)
{
    int i = peers_ever - 1;
    while (i >= 0 && peers[i].address != address)
        --i;
    return i >= 0 ? &peers[i] : NULL;
}

unsigned int
module_peers(void)
{
    unsigned int count = 0;
    for (int i = 0; i < peers_ever; ++i)
        count += peers[i].present;
    return count;
}

int
module_next_peer(int id)
{
    int next = MODULE_NO_PEER;
    for (int i = 0; i < peers_ever; ++i)
    {
        if (peers[i].present && peers[i].id > id && (next == MODULE_NO_PEER || peers[i].id < next))
            next = peers[i].id;
    }
    return next;
}

void
module_interface_new(bool mp, unsigned int index)
{
    multipeer = mp;
    ifindex = index;
}

void
module_interface_del(void)
{
    module_remove_all(REASON_TEARDOWN);
    ifindex = 0;
}

void
module_record(const char *path)
{
    record = fopen(path, "we");
}

/* A reply to a request, or with NULL a notification, with that behind its header. The
 * attributes that come to it are few: all fit into its page. */
static struct nl_msg *
message(const struct netlink_sock *sock, const struct nlmsghdr *request, int flags, int type,
        const void *data, size_t size)
{
    struct nl_msg *msg = nlmsg_alloc();
    struct nlmsghdr *hdr = !msg ? NULL
                           : nlmsg_put(msg, request ? netlink_port(sock) : 0,
                                       request ? request->nlmsg_seq : 0, type, size, flags);
    if (!hdr)
        verdict_stop("setup", "no memory");
    memcpy(nlmsg_data(hdr), data, size);
    return msg;
}

static struct nl_msg *
generic_message(const struct netlink_sock *sock, const struct nlmsghdr *request, int flags,
                int type, uint8_t cmd)
{
    const struct genlmsghdr genl = { .cmd = cmd, .version = 1 };
    return message(sock, request, flags, type, &genl, sizeof(genl));
}

static void
reply(struct netlink_sock *sock, struct nl_msg *msg)
{
    netlink_unicast(sock, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
    nlmsg_free(msg);
}

static void
notify(unsigned int interface, int id, enum reason reason)
{
    struct nl_msg *msg = generic_message(NULL, NULL, 0, FAMILY_ID, OVPN_CMD_DEL_PEER);
    nla_put_u32(msg, OVPN_ATTR_IFINDEX, interface);
    struct nlattr *attr = nla_nest_start(msg, OVPN_ATTR_DEL_PEER);
    nla_put_u8(msg, OVPN_DEL_PEER_ATTR_REASON, reason);
    nla_put_u32(msg, OVPN_DEL_PEER_ATTR_PEER_ID, id);
    nla_nest_end(msg, attr);

    const size_t size = nlmsg_hdr(msg)->nlmsg_len;
    netlink_multicast(GROUP_PEERS, nlmsg_hdr(msg), size);
    if (record)
    {
        fputc(size & 0xff, record);
        fputc(size >> 8, record);
        fwrite(nlmsg_hdr(msg), 1, size, record);
        fflush(record);
    }
    nlmsg_free(msg);
}

static void
notify_first(void)
{
    const struct trailing first = trailing[0];
    memmove(trailing, trailing + 1, --trailing_count * sizeof(*trailing));
    notify(first.interface, first.id, first.reason);
}

static void
notify_due(void)
{
    while (trailing_count && !trailing[0].requests && !trailing[0].passes)
        notify_first();
}

void
module_lag(unsigned int requests, unsigned int passes)
{
    lag_requests = requests;
    lag_passes = passes;
    while (!requests && !passes && trailing_count)
        notify_first();
}

void
module_pass(void)
{
    for (unsigned int i = 0; i < trailing_count; ++i)
        trailing[i].passes -= trailing[i].passes > 0;
    for (int i = 0; i < peers_ever; ++i)
    {
        if (peers[i].present)
        {
            ++peers[i].count;
            peers[i].withheld = false;
        }
    }
    notify_due();
}

void
module_notify(int id, enum reason reason, bool foreign)
{
    notify(foreign ? ifindex + 1 : ifindex, id, reason);
}

void
module_remove_silently(int id)
{
    struct module_peer *peer = lookup(id);
    if (peer)
    {
        peer->present = false;
        peer->withheld = true;
    }
}

void
module_remove_peer(int id, enum reason reason)
{
    if (!lookup(id))
        return;
    module_remove_silently(id);
    if (trailing_count == MODULE_PEERS)
        notify_first();
    trailing[trailing_count++] = (struct trailing) { ifindex, id, reason, lag_requests, lag_passes };
    notify_due();
}

void
module_remove_garbled(int id, enum reason reason)
{
    module_remove_silently(id);
    module_notify(id, reason, true);
    module_notify(module_next_peer(MODULE_NO_PEER), reason, false);
    module_notify(id, REASON_USERSPACE, false);
}

void
module_remove_all(enum reason reason)
{
    FOR_EACH_PEER(id)
        module_remove_peer(id, reason);
}

/* The client's address: ovpn_netlink_cmd_new_peer() gets it over UDP; over TCP
 * the socket has it */
static uint32_t
client_address(struct nlattr **attrs)
{
    struct sockaddr_in in = { 0 };
    socklen_t size = sizeof(in);
    if (attrs[OVPN_NEW_PEER_ATTR_SOCKADDR_REMOTE])
        nla_memcpy(&in, attrs[OVPN_NEW_PEER_ATTR_SOCKADDR_REMOTE], sizeof(in));
    else
        getpeername((int)nla_get_u32(attrs[OVPN_NEW_PEER_ATTR_SOCKET]), (void *)&in, &size);
    return ntohl(in.sin_addr.s_addr);
}

static int
new_peer(struct nlattr **attrs, int id)
{
    if (!attrs[OVPN_NEW_PEER_ATTR_SOCKET])
        return -EINVAL;
    /* today's module refuses one without a VPN address (EINVAL, since 20230426) in
     * multipeer mode; a server must live with either */
    if (multipeer && lookup(id))
        return -EEXIST;
    if (!multipeer)
        module_remove_all(REASON_TEARDOWN);     /* ovpn_peer_add_p2p() */
    if (peers_ever == PEERS_EVER || module_peers() == MODULE_PEERS)
        return -ENOMEM;
    peers[peers_ever++] = (struct module_peer) {
        .present = true, .id = id, .address = client_address(attrs), .count = 1
    };
    return 0;
}

static int
set_key(struct module_peer *peer, const struct nlattr *slot, bool key)
{
    if (!slot)
        return -EINVAL;
    peer->keys[nla_get_u8(slot) & 1] = key;
    peer->changes[KEY_NEW] += key;
    return 0;
}

static int
peer_request(enum request request, int id, struct nlattr **attrs)
{
    struct module_peer *peer = lookup(id);
    if (!peer)
        return -ENOENT;
    switch (request)
    {
        case REQUEST_SET_PEER:
            peer->keepalive = true;
            return 0;

        case REQUEST_DEL_PEER:
            module_remove_peer(id, REASON_USERSPACE);
            return 0;

        case REQUEST_NEW_KEY:
            return set_key(peer, attrs[OVPN_NEW_KEY_ATTR_KEY_SLOT], true);

        case REQUEST_DEL_KEY:
            return set_key(peer, attrs[OVPN_DEL_KEY_ATTR_KEY_SLOT], false);

        case REQUEST_SWAP_KEYS:
        {
            const bool primary = peer->keys[0];
            peer->keys[0] = peer->keys[1];
            peer->keys[1] = primary;
            ++peer->changes[KEYS_SWAPPED];
            return 0;
        }

        default:
            return 0;
    }
}

/* ovpn_netlink_send_peer(): no OVPN_ATTR_IFINDEX, other than in a notification */
static struct nl_msg *
peer_message(const struct netlink_sock *sock, const struct nlmsghdr *request, int flags, int id)
{
    struct nl_msg *msg = generic_message(sock, request, flags, FAMILY_ID, OVPN_CMD_GET_PEER);
    struct module_peer *peer = lookup(id);
    const uint64_t vpn = 1000 + id;     /* the same each time: the client is idle */
    const uint64_t link = peer->count << MODULE_COUNT_SHIFT;
    struct nlattr *attr = nla_nest_start(msg, OVPN_ATTR_GET_PEER);
    nla_put_u32(msg, OVPN_GET_PEER_RESP_ATTR_PEER_ID, id);
    nla_put_u64(msg, OVPN_GET_PEER_RESP_ATTR_VPN_RX_BYTES, vpn);
    nla_put_u64(msg, OVPN_GET_PEER_RESP_ATTR_VPN_TX_BYTES, vpn + 1);
    nla_put_u64(msg, OVPN_GET_PEER_RESP_ATTR_LINK_RX_BYTES, link);
    nla_put_u64(msg, OVPN_GET_PEER_RESP_ATTR_LINK_TX_BYTES, 2 * link);
    nla_nest_end(msg, attr);
    peer->told = peer->count;
    return msg;
}

static void
acknowledge(struct netlink_sock *sock, const struct nlmsghdr *request, int error)
{
    const struct nlmsgerr err = { .error = error, .msg = *request };
    reply(sock, message(sock, request, NLM_F_CAPPED, NLMSG_ERROR, &err, sizeof(err)));
}

/* net/netlink/genetlink.c: ctrl_getfamily() */
static void
get_family(struct netlink_sock *sock, const struct nlmsghdr *request)
{
    struct nlattr *tb[CTRL_ATTR_MAX + 1];
    const bool named = !genlmsg_parse((struct nlmsghdr *)request, 0, tb, CTRL_ATTR_MAX, NULL)
                       && tb[CTRL_ATTR_FAMILY_NAME];
    const char *name = named ? nla_get_string(tb[CTRL_ATTR_FAMILY_NAME]) : "";
    const bool ctrl = !strcmp(name, "nlctrl");
    if (!ctrl && strcmp(name, OVPN_NL_NAME))
    {
        acknowledge(sock, request, -ENOENT);
        return;
    }
    struct nl_msg *msg = generic_message(sock, request, 0, GENL_ID_CTRL, CTRL_CMD_NEWFAMILY);
    nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, name);
    nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, ctrl ? GENL_ID_CTRL : FAMILY_ID);
    nla_put_u32(msg, CTRL_ATTR_VERSION, 1);
    nla_put_u32(msg, CTRL_ATTR_HDRSIZE, 0);
    nla_put_u32(msg, CTRL_ATTR_MAXATTR, OVPN_ATTR_MAX);
    if (!ctrl)
    {
        struct nlattr *groups = nla_nest_start(msg, CTRL_ATTR_MCAST_GROUPS);
        struct nlattr *group = nla_nest_start(msg, 1);
        nla_put_u32(msg, CTRL_ATTR_MCAST_GRP_ID, GROUP_PEERS);
        nla_put_string(msg, CTRL_ATTR_MCAST_GRP_NAME, OVPN_NL_MULTICAST_GROUP_PEERS);
        nla_nest_end(msg, group);
        nla_nest_end(msg, groups);
    }
    reply(sock, msg);
    if (request->nlmsg_flags & NLM_F_ACK)
        acknowledge(sock, request, 0);
}

#define NAMES(name) \
    OVPN_CMD_ ## name, OVPN_ATTR_ ## name, \
    OVPN_ ## name ## _ATTR_MAX, OVPN_ ## name ## _ATTR_PEER_ID

/* A request's command, the attribute that it is in, and that one's peer-id */
static const struct
{
    uint8_t cmd;
    int attr, max, peer_id;
} commands[] = {
    [REQUEST_NEW_PEER] = { NAMES(NEW_PEER) },
    [REQUEST_SET_PEER] = { NAMES(SET_PEER) },
    [REQUEST_DEL_PEER] = { NAMES(DEL_PEER) },
    [REQUEST_GET_PEER] = { NAMES(GET_PEER) },
    [REQUEST_DUMP] = { .cmd = OVPN_CMD_GET_PEER },
    [REQUEST_NEW_KEY] = { NAMES(NEW_KEY) },
    [REQUEST_SWAP_KEYS] = { NAMES(SWAP_KEYS) },
    [REQUEST_DEL_KEY] = { NAMES(DEL_KEY) },
};

static enum request
kind_of(const struct nlmsghdr *request)
{
    const struct genlmsghdr *genl = nlmsg_data(request);
    if (genl->cmd == OVPN_CMD_GET_PEER && request->nlmsg_flags & NLM_F_DUMP)
        return REQUEST_DUMP;
    int i = 0;
    while (i < REQUEST_SCRIPT && commands[i].cmd != genl->cmd)
        ++i;
    return i;
}

/* Find the peer-id of a request, and the attributes beside it; returns 0 or -errno */
static int
parse(const struct nlmsghdr *request, enum request kind, struct nlattr **attrs, int *id)
{
    struct nlattr *tb[OVPN_ATTR_MAX + 1];
    if (request->nlmsg_type != FAMILY_ID || kind == REQUEST_SCRIPT
        || genlmsg_parse((struct nlmsghdr *)request, 0, tb, OVPN_ATTR_MAX, NULL)
        || !tb[OVPN_ATTR_IFINDEX])
    {
        return -EINVAL;
    }
    if (nla_get_u32(tb[OVPN_ATTR_IFINDEX]) != ifindex)
        return -ENODEV;
    *id = MODULE_NO_PEER;
    if (kind == REQUEST_DUMP)
        return 0;
    if (!tb[commands[kind].attr]
        || nla_parse_nested(attrs, commands[kind].max, tb[commands[kind].attr], NULL)
        || !attrs[commands[kind].peer_id])
    {
        return -EINVAL;
    }
    *id = (int)nla_get_u32(attrs[commands[kind].peer_id]);
    return 0;
}

/* The kernel does not tell what it has of that peer, or of all */
static void
withhold(int id)
{
    for (int i = 0; i < peers_ever; ++i)
        peers[i].withheld |= id == MODULE_NO_PEER || peers[i].id == id;
}

static void
family_request(struct netlink_sock *sock, const struct nlmsghdr *request)
{
    struct nlattr *attrs[16] = { 0 };
    const enum request kind = kind_of(request);
    int id;
    int error = parse(request, kind, attrs, &id);
    if (error)
    {
        acknowledge(sock, request, error);
        return;
    }
    module_seen(kind);
    const int answer = module_at(kind, POSITION_AHEAD, id);
    if (answer && (kind == REQUEST_GET_PEER || kind == REQUEST_DUMP))
        withhold(id);
    if (answer < 0)
    {
        acknowledge(sock, request, answer);
        return;
    }
    if (kind == REQUEST_DUMP)
    {
        if (answer == MODULE_NO_REPLY)
            return;
        netlink_dump_start(sock, request);
        module_at(kind, POSITION_BETWEEN, id);
        return;
    }
    error = kind == REQUEST_NEW_PEER ? new_peer(attrs, id) : peer_request(kind, id, attrs);
    if (answer == MODULE_NO_REPLY)
        return;
    if (kind == REQUEST_GET_PEER && !error)
    {
        reply(sock, peer_message(sock, request, 0, id));
        module_at(kind, POSITION_BETWEEN, id);
    }
    if (error || request->nlmsg_flags & NLM_F_ACK)
        acknowledge(sock, request, error);
    module_at(kind, POSITION_BEHIND, id);
}

void
netlink_request(struct netlink_sock *sock, const struct nlmsghdr *request)
{
    if (request->nlmsg_type == GENL_ID_CTRL)
    {
        get_family(sock, request);
    }
    else if (request->nlmsg_type < NLMSG_MIN_TYPE)
    {
        acknowledge(sock, request, 0);          /* netlink_rcv_skb() */
    }
    else
    {
        family_request(sock, request);
        for (unsigned int i = 0; i < trailing_count; ++i)
            trailing[i].requests -= trailing[i].requests > 0;
        notify_due();
    }
}

/* ovpn_netlink_dump_peers(): it goes on after as many peers as it has written,
 * wherever these are meanwhile, so it skips some when others are removed */
bool
netlink_dump(struct netlink_sock *sock, const struct nlmsghdr *request, unsigned int *skip)
{
    unsigned int before = 0, dumped = 0;
    unsigned char part[4096];
    size_t size = 0;
    FOR_EACH_PEER(id)
    {
        if (before++ < *skip || dumped == DUMP_SIZE)
            continue;
        struct nl_msg *msg = peer_message(sock, request, NLM_F_MULTI, id);
        memcpy(part + size, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
        size += NLMSG_ALIGN(nlmsg_hdr(msg)->nlmsg_len);
        nlmsg_free(msg);
        ++dumped;
    }
    *skip += dumped;
    if (dumped)
    {
        netlink_dump_part(sock, part, size);
        return true;
    }
    const int zero = 0;
    struct nl_msg *done = message(sock, request, NLM_F_MULTI, NLMSG_DONE, &zero, sizeof(zero));
    netlink_dump_part(sock, nlmsg_hdr(done), nlmsg_hdr(done)->nlmsg_len);
    nlmsg_free(done);
    module_at(REQUEST_DUMP, POSITION_BEHIND, MODULE_NO_PEER);
    return false;
}
