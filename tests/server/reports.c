/* SPDX-License-Identifier: GPL-2.0-only */
#include "reports.h"
#include "verdict.h"

#include <stdlib.h>

struct report
{
    struct report *next;
    int connected, disconnected;
};

static struct report *reports;

struct report *
report_new(void)
{
    struct report *report = calloc(1, sizeof(*report));
    if (!report)
    {
        abort();
    }
    report->next = reports;
    reports = report;
    return report;
}

void
report_connected(struct report *report)
{
    ++report->connected;
}

void
report_disconnected(struct report *report)
{
    if (!report->connected)
    {
        verdict_add("reports", "a client was reported as disconnected only");
    }
    if (++report->disconnected > 1)
    {
        verdict_add("reports", "a client's disconnect was reported %d times", report->disconnected);
    }
}

int
reports_open(void)
{
    int count = 0;
    for (const struct report *report = reports; report; report = report->next)
    {
        count += report->connected && !report->disconnected;
    }
    return count;
}
