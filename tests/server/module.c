/* SPDX-License-Identifier: GPL-2.0-only */
#include "module.h"
#include "netlink.h"
#include "verdict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* the base's copy of the module's interface */
#include "ovpn_dco_linux.h"

#define FAMILY_ID 27            /* with FIRST_IFINDEX: what the fuzzer takes for its own */
#define GROUP_PEERS 9
#define PEERS_EVER 256          /* those that are gone included */

struct peer
{
    bool known, present;
    int id;
    uint32_t address;           /* the client's, host byte order */
    bool keepalive;
    bool keys[2];               /* OVPN_KEY_SLOT_PRIMARY, _SECONDARY */
    unsigned int swaps, new_keys;
    struct module_count count;
};

/* The peers per datagram of a dump. A real one holds about 30; fewer let it be
 * seen with few peers that a dump skips some. */
#define DUMP_SIZE 2

static struct peer peers[PEERS_EVER];
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

static struct peer *
lookup(int id)
{
    for (int i = 0; i < PEERS_EVER && peers[i].known; ++i)
    {
        if (peers[i].present && peers[i].id == id)
            return &peers[i];
    }
    return NULL;
}

bool
module_has_peer(int id)
{
    return lookup(id);
}

bool
module_peer_ready(int id)
{
    const struct peer *peer = lookup(id);
    return peer && peer->keys[OVPN_KEY_SLOT_PRIMARY] && peer->keepalive;
}

unsigned int
module_peers(void)
{
    unsigned int count = 0;
    for (int i = 0; i < PEERS_EVER && peers[i].known; ++i)
        count += peers[i].present;
    return count;
}

int
module_next_peer(int id)
{
    int next = MODULE_NO_PEER;
    for (int i = 0; i < PEERS_EVER && peers[i].known; ++i)
    {
        if (peers[i].present && peers[i].id > id && (next == MODULE_NO_PEER || peers[i].id < next))
            next = peers[i].id;
    }
    return next;
}

unsigned int
module_swaps(int id)
{
    return lookup(id) ? lookup(id)->swaps : 0;
}

unsigned int
module_new_keys(int id)
{
    return lookup(id) ? lookup(id)->new_keys : 0;
}

uint32_t
module_address(int id)
{
    return lookup(id) ? lookup(id)->address : 0;
}

bool
module_count(uint32_t address, struct module_count *count)
{
    int i = PEERS_EVER - 1;
    while (i >= 0 && !(peers[i].known && peers[i].address == address))
        --i;
    if (i >= 0)
    {
        *count = peers[i].count;
        count->withheld = !peers[i].present || count->withheld;
    }
    return i >= 0;
}

/* The kernel does not tell what it has of that peer, or of all */
static void
withhold(int id)
{
    for (int i = 0; i < PEERS_EVER && peers[i].known; ++i)
    {
        if (peers[i].present && (id == MODULE_NO_PEER || peers[i].id == id))
            peers[i].count.withheld = true;
    }
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
    record = path ? fopen(path, "we") : NULL;
}

static struct nl_msg *
message(const struct netlink_sock *sock, uint32_t seq, int flags, uint8_t cmd, int type)
{
    struct nl_msg *msg = nlmsg_alloc();
    if (!msg || !genlmsg_put(msg, sock ? netlink_port(sock) : 0, seq, type, 0, flags, cmd, 1))
        verdict_stop("setup", "no memory");
    return msg;
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
    struct nl_msg *msg = message(NULL, 0, 0, OVPN_CMD_DEL_PEER, FAMILY_ID);
    NLA_PUT_U32(msg, OVPN_ATTR_IFINDEX, interface);
    struct nlattr *attr = nla_nest_start(msg, OVPN_ATTR_DEL_PEER);
    NLA_PUT_U8(msg, OVPN_DEL_PEER_ATTR_REASON, reason);
    NLA_PUT_U32(msg, OVPN_DEL_PEER_ATTR_PEER_ID, id);
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
nla_put_failure:
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

static void
notify_removed(int id, enum reason reason)
{
    if (trailing_count == MODULE_PEERS)
        notify_first();
    trailing[trailing_count++] = (struct trailing) { ifindex, id, reason, lag_requests, lag_passes };
    notify_due();
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
    for (int i = 0; i < PEERS_EVER && peers[i].known; ++i)
    {
        if (peers[i].present)
        {
            ++peers[i].count.now;
            peers[i].count.withheld = false;
        }
    }
    notify_due();
}

static void
request_answered(void)
{
    for (unsigned int i = 0; i < trailing_count; ++i)
        trailing[i].requests -= trailing[i].requests > 0;
    notify_due();
}

void
module_notify_late(int id, enum reason reason)
{
    notify(ifindex, id, reason);
}

void
module_notify_foreign(unsigned int count)
{
    for (unsigned int id = 0; id < count; ++id)
        notify(ifindex + 1, (int)id, REASON_EXPIRED);
}

void
module_remove_peer(int id, enum reason reason)
{
    struct peer *peer = lookup(id);
    if (peer)
    {
        peer->present = false;
        notify_removed(id, reason);
    }
}

void
module_remove_silently(int id)
{
    struct peer *peer = lookup(id);
    if (peer)
        peer->present = false;
}

void
module_remove_garbled(int id, enum reason reason)
{
    module_remove_silently(id);
    notify(ifindex + 1, id, reason);
    notify(ifindex, module_next_peer(MODULE_NO_PEER), reason);
    notify(ifindex, id, REASON_USERSPACE);
}

void
module_remove_all(enum reason reason)
{
    for (int id = module_next_peer(MODULE_NO_PEER); id != MODULE_NO_PEER; id = module_next_peer(id))
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
    {
        module_remove_all(REASON_TEARDOWN);     /* ovpn_peer_add_p2p() */
    }
    for (int i = 0; i < PEERS_EVER && module_peers() < MODULE_PEERS; ++i)
    {
        if (!peers[i].known)
        {
            peers[i] = (struct peer) {
                .known = true, .present = true, .id = id, .address = client_address(attrs),
                .count.now = 1
            };
            return 0;
        }
    }
    return -ENOMEM;
}

static int
peer_request(enum request request, int id, struct nlattr **tb)
{
    struct peer *peer = lookup(id);
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
            if (!tb[OVPN_NEW_KEY_ATTR_KEY_SLOT])
                return -EINVAL;
            peer->keys[nla_get_u8(tb[OVPN_NEW_KEY_ATTR_KEY_SLOT]) & 1] = true;
            ++peer->new_keys;
            return 0;

        case REQUEST_SWAP_KEYS:
        {
            const bool primary = peer->keys[0];
            peer->keys[0] = peer->keys[1];
            peer->keys[1] = primary;
            ++peer->swaps;
            return 0;
        }

        case REQUEST_DEL_KEY:
            if (!tb[OVPN_DEL_KEY_ATTR_KEY_SLOT])
                return -EINVAL;
            peer->keys[nla_get_u8(tb[OVPN_DEL_KEY_ATTR_KEY_SLOT]) & 1] = false;
            return 0;

        default:
            return 0;
    }
}

/* ovpn_netlink_send_peer(): no OVPN_ATTR_IFINDEX, other than in a notification */
static void
put_peer(struct nl_msg *msg, int id)
{
    const uint64_t vpn = 1000 + id;     /* the same each time: the client is idle */
    struct module_count *count = &lookup(id)->count;
    const uint64_t link = count->now << MODULE_COUNT_SHIFT;
    struct nlattr *attr = nla_nest_start(msg, OVPN_ATTR_GET_PEER);
    NLA_PUT_U32(msg, OVPN_GET_PEER_RESP_ATTR_PEER_ID, id);
    NLA_PUT_U64(msg, OVPN_GET_PEER_RESP_ATTR_VPN_RX_BYTES, vpn);
    NLA_PUT_U64(msg, OVPN_GET_PEER_RESP_ATTR_VPN_TX_BYTES, vpn + 1);
    NLA_PUT_U64(msg, OVPN_GET_PEER_RESP_ATTR_LINK_RX_BYTES, link);
    NLA_PUT_U64(msg, OVPN_GET_PEER_RESP_ATTR_LINK_TX_BYTES, 2 * link);
    nla_nest_end(msg, attr);
    count->told = count->now;
    return;
nla_put_failure:
    verdict_stop("setup", "no memory");
}

static void
acknowledge(struct netlink_sock *sock, const struct nlmsghdr *request, int error)
{
    struct nl_msg *msg = nlmsg_alloc();
    const struct nlmsgerr err = { .error = error, .msg = *request };
    struct nlmsghdr *hdr = msg ? nlmsg_put(msg, netlink_port(sock), request->nlmsg_seq,
                                           NLMSG_ERROR, sizeof(err), NLM_F_CAPPED) : NULL;
    if (!hdr)
        verdict_stop("setup", "no memory");
    memcpy(nlmsg_data(hdr), &err, sizeof(err));
    reply(sock, msg);
}

/* net/netlink/genetlink.c: ctrl_getfamily() */
static void
get_family(struct netlink_sock *sock, const struct nlmsghdr *request)
{
    struct nlattr *tb[CTRL_ATTR_MAX + 1];
    if (genlmsg_parse((struct nlmsghdr *)request, 0, tb, CTRL_ATTR_MAX, NULL)
        || !tb[CTRL_ATTR_FAMILY_NAME])
    {
        acknowledge(sock, request, -EINVAL);
        return;
    }
    const bool ctrl = !strcmp(nla_get_string(tb[CTRL_ATTR_FAMILY_NAME]), "nlctrl");
    if (!ctrl && strcmp(nla_get_string(tb[CTRL_ATTR_FAMILY_NAME]), OVPN_NL_NAME))
    {
        acknowledge(sock, request, -ENOENT);
        return;
    }
    struct nl_msg *msg = message(sock, request->nlmsg_seq, 0, CTRL_CMD_NEWFAMILY, GENL_ID_CTRL);
    NLA_PUT_STRING(msg, CTRL_ATTR_FAMILY_NAME, ctrl ? "nlctrl" : OVPN_NL_NAME);
    NLA_PUT_U16(msg, CTRL_ATTR_FAMILY_ID, ctrl ? GENL_ID_CTRL : FAMILY_ID);
    NLA_PUT_U32(msg, CTRL_ATTR_VERSION, 1);
    NLA_PUT_U32(msg, CTRL_ATTR_HDRSIZE, 0);
    NLA_PUT_U32(msg, CTRL_ATTR_MAXATTR, OVPN_ATTR_MAX);
    if (!ctrl)
    {
        struct nlattr *groups = nla_nest_start(msg, CTRL_ATTR_MCAST_GROUPS);
        struct nlattr *group = nla_nest_start(msg, 1);
        NLA_PUT_U32(msg, CTRL_ATTR_MCAST_GRP_ID, GROUP_PEERS);
        NLA_PUT_STRING(msg, CTRL_ATTR_MCAST_GRP_NAME, OVPN_NL_MULTICAST_GROUP_PEERS);
        nla_nest_end(msg, group);
        nla_nest_end(msg, groups);
    }
    reply(sock, msg);
    if (request->nlmsg_flags & NLM_F_ACK)
        acknowledge(sock, request, 0);
    return;
nla_put_failure:
    verdict_stop("setup", "no memory");
}

/* A request's command, the attribute that it is in, and that one's peer-id.
 * All of the nested sets put the peer-id first but DEL_PEER. */
static const struct
{
    uint8_t cmd;
    int attr, max, peer_id;
} commands[] = {
    [REQUEST_NEW_PEER] = { OVPN_CMD_NEW_PEER, OVPN_ATTR_NEW_PEER, OVPN_NEW_PEER_ATTR_MAX,
                           OVPN_NEW_PEER_ATTR_PEER_ID },
    [REQUEST_SET_PEER] = { OVPN_CMD_SET_PEER, OVPN_ATTR_SET_PEER, OVPN_SET_PEER_ATTR_MAX,
                           OVPN_SET_PEER_ATTR_PEER_ID },
    [REQUEST_DEL_PEER] = { OVPN_CMD_DEL_PEER, OVPN_ATTR_DEL_PEER, OVPN_DEL_PEER_ATTR_MAX,
                           OVPN_DEL_PEER_ATTR_PEER_ID },
    [REQUEST_GET_PEER] = { OVPN_CMD_GET_PEER, OVPN_ATTR_GET_PEER, OVPN_GET_PEER_ATTR_MAX,
                           OVPN_GET_PEER_ATTR_PEER_ID },
    [REQUEST_DUMP] = { OVPN_CMD_GET_PEER, 0, 0, 0 },
    [REQUEST_NEW_KEY] = { OVPN_CMD_NEW_KEY, OVPN_ATTR_NEW_KEY, OVPN_NEW_KEY_ATTR_MAX,
                          OVPN_NEW_KEY_ATTR_PEER_ID },
    [REQUEST_SWAP_KEYS] = { OVPN_CMD_SWAP_KEYS, OVPN_ATTR_SWAP_KEYS, OVPN_SWAP_KEYS_ATTR_MAX,
                            OVPN_SWAP_KEYS_ATTR_PEER_ID },
    [REQUEST_DEL_KEY] = { OVPN_CMD_DEL_KEY, OVPN_ATTR_DEL_KEY, OVPN_DEL_KEY_ATTR_MAX,
                          OVPN_DEL_KEY_ATTR_PEER_ID },
};

static enum request
kind_of(const struct nlmsghdr *request)
{
    const struct genlmsghdr *genl = nlmsg_data(request);
    if (genl->cmd == OVPN_CMD_GET_PEER)
        return request->nlmsg_flags & NLM_F_DUMP ? REQUEST_DUMP : REQUEST_GET_PEER;
    for (int i = 0; i < REQUEST_SCRIPT; ++i)
    {
        if (commands[i].cmd == genl->cmd)
            return i;
    }
    return REQUEST_COUNT;
}

static void
family_request(struct netlink_sock *sock, const struct nlmsghdr *request)
{
    struct nlattr *tb[OVPN_ATTR_MAX + 1], *attrs[16] = { 0 };
    const enum request kind = kind_of(request);
    if (request->nlmsg_type != FAMILY_ID || kind == REQUEST_COUNT
        || genlmsg_parse((struct nlmsghdr *)request, 0, tb, OVPN_ATTR_MAX, NULL)
        || !tb[OVPN_ATTR_IFINDEX])
    {
        acknowledge(sock, request, -EINVAL);
        return;
    }
    if (nla_get_u32(tb[OVPN_ATTR_IFINDEX]) != ifindex)
    {
        acknowledge(sock, request, -ENODEV);
        return;
    }

    int id = MODULE_NO_PEER;
    if (kind != REQUEST_DUMP)
    {
        if (!tb[commands[kind].attr]
            || nla_parse_nested(attrs, commands[kind].max, tb[commands[kind].attr], NULL)
            || !attrs[commands[kind].peer_id])
        {
            acknowledge(sock, request, -EINVAL);
            return;
        }
        id = (int)nla_get_u32(attrs[commands[kind].peer_id]);
    }

    module_seen(kind, id);
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
    const int error = kind == REQUEST_NEW_PEER ? new_peer(attrs, id) : peer_request(kind, id, attrs);
    if (answer == MODULE_NO_REPLY)
        return;
    if (kind == REQUEST_GET_PEER && !error)
    {
        struct nl_msg *msg = message(sock, request->nlmsg_seq, 0, OVPN_CMD_GET_PEER, FAMILY_ID);
        put_peer(msg, id);
        reply(sock, msg);
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
        return;
    }
    if (request->nlmsg_type < NLMSG_MIN_TYPE)
    {
        acknowledge(sock, request, 0);          /* netlink_rcv_skb() */
        return;
    }
    family_request(sock, request);
    request_answered();
}

/* ovpn_netlink_dump_peers(): it goes on after as many peers as it has written,
 * wherever these are meanwhile, so it skips some when others are removed */
bool
netlink_dump(struct netlink_sock *sock, const struct nlmsghdr *request, unsigned int *skip)
{
    unsigned int before = 0, dumped = 0;
    unsigned char part[4096];
    size_t size = 0;
    for (int id = module_next_peer(MODULE_NO_PEER);
         id != MODULE_NO_PEER && dumped < DUMP_SIZE; id = module_next_peer(id))
    {
        if (before++ >= *skip)
        {
            struct nl_msg *msg = message(sock, request->nlmsg_seq, NLM_F_MULTI, OVPN_CMD_GET_PEER,
                                         FAMILY_ID);
            put_peer(msg, id);
            const struct nlmsghdr *hdr = nlmsg_hdr(msg);
            memcpy(part + size, hdr, hdr->nlmsg_len);
            size += NLMSG_ALIGN(hdr->nlmsg_len);
            nlmsg_free(msg);
            ++dumped;
        }
    }
    *skip += dumped;
    if (dumped)
    {
        netlink_dump_part(sock, part, size);
        return true;
    }
    struct nl_msg *msg = nlmsg_alloc();
    const int zero = 0;
    struct nlmsghdr *done = msg ? nlmsg_put(msg, netlink_port(sock), request->nlmsg_seq, NLMSG_DONE,
                                            sizeof(zero), NLM_F_MULTI) : NULL;
    if (!done)
        verdict_stop("setup", "no memory");
    memcpy(nlmsg_data(done), &zero, sizeof(zero));
    netlink_dump_part(sock, done, done->nlmsg_len);
    nlmsg_free(msg);
    module_at(REQUEST_DUMP, POSITION_BEHIND, MODULE_NO_PEER);
    return false;
}
