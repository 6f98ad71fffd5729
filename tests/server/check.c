/* SPDX-License-Identifier: GPL-2.0-only */
#include "check.h"
#include "client.h"
#include "host.h"
#include "instance.h"
#include "module.h"
#include "verdict.h"

#include <inttypes.h>
#include <stdlib.h>

/* Reports */

struct report
{
    struct report *next;
    int connected, disconnected;
};

static bool compare_bytes;
static struct report *reports;

void
reports_compare(bool bytes)
{
    compare_bytes = bytes;
}

struct report *
report_new(void)
{
    struct report *report = calloc(1, sizeof(*report));
    if (!report)
        verdict_stop("setup", "no memory");
    report->next = reports;
    reports = report;
    return report;
}

void
report_connected(struct report *report)
{
    ++report->connected;
}

/* When its peer is gone what the kernel told last counts: until then it was not
 * idle, so that is behind, but there is nothing better */
static void
check_bytes(uint32_t address, uint64_t received, uint64_t sent)
{
    const struct module_peer *peer = module_peer_of(address);
    received >>= MODULE_COUNT_SHIFT;
    sent >>= MODULE_COUNT_SHIFT;
    if (!compare_bytes || !peer)
        return;
    const uint64_t expected = peer->withheld ? peer->told : peer->count;
    if (received != expected || sent != 2 * expected)
    {
        verdict_add("bytes", "%" PRIu64 " received, %" PRIu64 " sent; the kernel has counted %"
                    PRIu64 " and twice that, and told %" PRIu64 "%s", received, sent, peer->count,
                    peer->told, peer->withheld ? " before the peer was gone" : "");
    }
}

void
report_disconnected(struct report *report, uint32_t address, uint64_t received, uint64_t sent)
{
    check_bytes(address, received, sent);
    if (!report->connected)
        verdict_add("reports", "a client was reported as disconnected only");
    if (++report->disconnected > 1)
        verdict_add("reports", "a client's disconnect was reported %d times", report->disconnected);
}

int
reports_open(void)
{
    int count = 0;
    for (const struct report *report = reports; report; report = report->next)
        count += report->connected && !report->disconnected;
    return count;
}

/* Peers, instances and routes */

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
