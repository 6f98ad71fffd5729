/* SPDX-License-Identifier: GPL-2.0-only */
#include "module.h"
#include "reports.h"
#include "verdict.h"

#include <inttypes.h>
#include <stdlib.h>

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
        verdict_add("bytes", "%" PRIu64 " received, %" PRIu64 " sent; the kernel has counted %" PRIu64
                    " and twice that, and told %" PRIu64 "%s", received, sent, peer->count,
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
