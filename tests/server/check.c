/* SPDX-License-Identifier: GPL-2.0-only */
#include "check.h"
#include "client.h"
#include "host.h"
#include "instance.h"
#include "module.h"
#include "reports.h"
#include "verdict.h"

static void
check_p2p(void)
{
    const int peer = instance_p2p_peer();
    if (peer >= 0 && !module_peer(peer)->present)
        verdict_add("leaks", "peer-id %d is held, the kernel has no such peer", peer);
    if (module_peers() != (peer >= 0))
        verdict_add("orphans", "the kernel has %u peers, peer-id %d is held", module_peers(), peer);
}

/* Each client's routes are in the kernel, and there are no others */
static void
check_routes(void)
{
    struct instance_route routes[MODULE_PEERS];
    const struct host_route *there;
    const int count = instance_routes(routes, MODULE_PEERS);
    for (int i = 0; i < count; ++i)
    {
        const struct host_route *r = &routes[i].route;
        if (routes[i].owned && !host_has_route(r))
        {
            verdict_add("routes", "the kernel has no route %x/%d through %x", r->network, r->bits,
                        r->gateway);
        }
    }
    for (int n = host_routes(&there); n > 0; --n, ++there)
    {
        int i = 0;
        while (i < count && !host_same_route(&routes[i].route, there))
            ++i;
        if (i == count)
        {
            verdict_add("routes", "the kernel has a route %x/%d through %x, which is nobody's",
                        there->network, there->bits, there->gateway);
        }
    }
}

static void
check_server(void)
{
    check_routes();
    struct instance list[MODULE_PEERS];
    const int count = instance_list(list, MODULE_PEERS);
    unsigned int claimed = 0;
    for (int i = 0; i < count; ++i)
    {
        const int id = list[i].peer_id;
        if (!module_peer(id)->present)
        {
            verdict_add("leaks", "the instance of client %d (peer-id %d) has no peer in the kernel",
                        client_by_address(list[i].address), id);
            continue;
        }
        ++claimed;
        for (int other = 0; other < i; ++other)
        {
            if (list[other].peer_id == id)
                verdict_add("orphans", "two instances claim peer-id %d", id);
        }
    }
    if (claimed < module_peers())
    {
        verdict_add("orphans", "%u of %u peers in the kernel have no instance",
                    module_peers() - claimed, module_peers());
    }
    if (instance_count() != count)
        verdict_add("counts", "n_clients is %d, there are %d instances", instance_count(), count);
    if (reports_open() != count)
    {
        verdict_add("reports", "%d clients are reported as connected, there are %d instances",
                    reports_open(), count);
    }
}

void
check(bool p2p)
{
    if (p2p)
        check_p2p();
    else
        check_server();
}
