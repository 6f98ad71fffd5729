/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * What a reader of notifications has to find in a datagram: see valid.h.
 */
#include "valid.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "ovpn_dco_linux.h"
#include "records.h"

/* on the wire a peer-id has 24 bits */
#define LAST_PEER_ID 0xffffff

/** The value of the last attribute of that \a type in a stream, which is aligned to 4, and
 * its \a size; or NULL. */
static const uint8_t *
attribute(const uint8_t *data, size_t len, int type, size_t *size)
{
    const uint8_t *value = NULL;

    for (size_t pos = 0; len - pos >= NLA_HDRLEN; )
    {
        const struct nlattr *attr = (const struct nlattr *)(data + pos);

        if (attr->nla_len < NLA_HDRLEN || attr->nla_len > len - pos)
            break;
        if ((attr->nla_type & NLA_TYPE_MASK) == type)
        {
            value = data + pos + NLA_HDRLEN;
            *size = attr->nla_len - NLA_HDRLEN;
        }
        pos += NLA_ALIGN(attr->nla_len);
        if (pos > len)
            break;
    }
    return value;
}

/** As attribute(), for a number: its first \a size bytes. */
static bool
number(const uint8_t *data, size_t len, int type, void *n, size_t size)
{
    size_t found = 0;
    const uint8_t *value = attribute(data, len, type, &found);

    if (!value || found < size)
        return false;
    memcpy(n, value, size);
    return true;
}

/** Whether a message is a valid DEL_PEER, and of which interface. */
static bool
is_del_peer(const struct nlmsghdr *nlh, uint32_t *ifindex, struct notified *n)
{
    const struct genlmsghdr *gnlh = NLMSG_DATA(nlh);
    uint32_t peer_id;
    uint8_t reason;
    size_t size;

    if (nlh->nlmsg_type != RECORD_FAMILY_ID
        || nlh->nlmsg_len < NLMSG_LENGTH(GENL_HDRLEN)
        || gnlh->cmd != OVPN_CMD_DEL_PEER)
    {
        return false;
    }
    const uint8_t *data = (const uint8_t *)gnlh + GENL_HDRLEN;
    const size_t len = nlh->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);
    const uint8_t *nest = attribute(data, len, OVPN_ATTR_DEL_PEER, &size);

    if (!number(data, len, OVPN_ATTR_IFINDEX, ifindex, sizeof(*ifindex)) || !nest
        || !number(nest, size, OVPN_DEL_PEER_ATTR_REASON, &reason, sizeof(reason))
        || !number(nest, size, OVPN_DEL_PEER_ATTR_PEER_ID, &peer_id, sizeof(peer_id))
        || peer_id > LAST_PEER_ID)
    {
        return false;
    }
    *n = (struct notified){ .peer_id = (int)peer_id, .reason = reason };
    return true;
}

int
valid_notifications(const void *data, size_t len, struct notified *found, bool *filled,
                    bool *clean)
{
    int n = 0;
    int rest = (int)len;

    *filled = false;
    *clean = true;
    for (const struct nlmsghdr *nlh = data; NLMSG_OK(nlh, rest); nlh = NLMSG_NEXT(nlh, rest))
    {
        uint32_t ifindex;
        const bool valid = is_del_peer(nlh, &ifindex, &found[n]);

        n += valid && ifindex == RECORD_IFINDEX;
        *clean = *clean && valid && !(nlh->nlmsg_flags & (NLM_F_MULTI | NLM_F_DUMP_INTR));
        *filled = rest == (int)NLMSG_ALIGN(nlh->nlmsg_len);
    }
    return n;
}
