/* SPDX-License-Identifier: GPL-2.0-only */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "syshead.h"
#include "openvpn.h"
#include "multi.h"
#include "dco_linux.h"
#include "ssl_common.h"

#include "instance.h"

static struct multi_context *server;
static struct context *p2p;

void __real_multi_init(struct multi_context *m, struct context *t, bool tcp_mode);
void __real_multi_uninit(struct multi_context *m);
void __real_init_instance_handle_signals(struct context *c, const struct env_set *env,
                                         const unsigned int flags);

void
__wrap_multi_init(struct multi_context *m, struct context *t, bool tcp_mode)
{
    __real_multi_init(m, t, tcp_mode);
    server = m;
}

void
__wrap_multi_uninit(struct multi_context *m)
{
    __real_multi_uninit(m);
    server = NULL;
}

void
__wrap_init_instance_handle_signals(struct context *c, const struct env_set *env,
                                    const unsigned int flags)
{
    p2p = c->mode == CM_P2P ? c : NULL;
    __real_init_instance_handle_signals(c, env, flags);
}

/* The live instances; returns how many of at most MAX */
static int
live(const struct multi_instance **list, int max)
{
    int count = 0;
    struct hash_iterator hi;
    struct hash_element *he;
    hash_iterator_init(server->iter, &hi);
    while ((he = hash_iterator_next(&hi)))
    {
        const struct multi_instance *mi = he->value;
        if (!mi->halt && count < max)
            list[count++] = mi;
    }
    hash_iterator_free(&hi);
    return count;
}

int
instance_list(struct instance *list, int max)
{
    const struct multi_instance *mi[max];
    const int count = server ? live(mi, max) : -1;
    for (int i = 0; i < count; ++i)
    {
        const struct tls_multi *tls = mi[i]->context.c2.tls_multi;
        list[i] = (struct instance) { tls ? tls->dco_peer_id : -1, ntohl(mi[i]->real.v4.addr),
                                      ntohs(mi[i]->real.v4.port) };
    }
    return count;
}

/* Whether that network is this instance's in the server's table */
static bool
owns(const struct multi_instance *mi, const struct iroute *ir)
{
    const struct mroute_addr address = {
        .type = MR_ADDR_IPV4 | MR_WITH_NETBITS, .netbits = (uint8_t)ir->netbits, .len = 4,
        .v4.addr = htonl(ir->network)
    };
    const struct multi_route *route = hash_lookup(server->vhash, &address);
    return route && route->instance == mi;
}

int
instance_routes(struct instance_route *list, int max)
{
    int count = 0;
    const struct multi_instance *mi[max];
    for (int i = live(mi, max) - 1; i >= 0; --i)
    {
        const struct context *c = &mi[i]->context;
        const bool has = mi[i]->did_iroutes && c->c2.push_ifconfig_defined;
        for (const struct iroute *ir = has ? c->options.iroutes : NULL; ir && count < max; ir = ir->next)
        {
            list[count++] = (struct instance_route) {
                { ir->network, ir->netbits, c->c2.push_ifconfig_local }, owns(mi[i], ir)
            };
        }
    }
    return count;
}

int
instance_count(void)
{
    return server ? server->n_clients : 0;
}

int
instance_p2p_peer(void)
{
    return p2p && p2p->c2.tls_multi ? p2p->c2.tls_multi->dco_peer_id : -1;
}

bool
instance_is_multipeer(const void *dco)
{
    return ((const dco_context_t *)dco)->ifmode == OVPN_MODE_MP;
}
