/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Samples: what the agent tells, twice a second.
 */
#include "storm.h"

#include <time.h>
#include <unistd.h>

/** Seconds between samples of up to MANY_CLIENTS, and between lines of progress. */
#define SAMPLE_INTERVAL 0.5
#define PROGRESS_INTERVAL 5

double
seconds_now(struct storm *storm)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9 - storm->start;
}

static void
progress(struct storm *storm, const char *how, const char *what)
{
    printf("storm: %6.1f s: %s%s", seconds_now(storm), how, what);
    if (storm->now.ready)
    {
        printf("; peers %d, instances %d", storm->now.peers, storm->now.instances);
        if (storm->now.undefined)
            printf(" (and %d not connected)", storm->now.undefined);
    }
    printf("\n");
}

void
phase(struct storm *storm, const char *name)
{
    json_array_append_new(json_object_get(storm->run, "phases"),
                          json_pack("{s: f, s: s}", "t", seconds_now(storm), "phase", name));
    progress(storm, "", name);
}

/** Take a sample, when the time for the next one has come. */
static void
sample_next(struct storm *storm)
{
    static double begun;
    const int clients = storm->options->clients;
    const double interval = SAMPLE_INTERVAL
                            * (clients > MANY_CLIENTS ? (double)clients / MANY_CLIENTS : 1);
    const struct sample before = storm->now;
    const double early = begun + interval - seconds_now(storm);

    if (early > 0)
        usleep((useconds_t)(early * 1e6));
    begun = seconds_now(storm);
    json_t *sample = guest_ask(storm, json_pack("{s: i}", "sample", storm->options->servers));
    if (json_unpack(sample, SAMPLE_FORMAT, SAMPLE_MEMBERS(&, &storm->now)) != 0)
        fail(storm, "the guest tells what nobody understands");
    storm->now.time = seconds_now(storm);
    json_object_set_new(sample, "t", json_real(storm->now.time));
    json_array_append_new(json_object_get(storm->run, "samples"), sample);
    storm->came = storm->now.peers - before.peers;
    /* a server that has died took its sockets along */
    if (storm->now.drops < before.drops)
        storm->now.drops = before.drops;
}

void
sample_until(struct storm *storm, bool (*so)(struct storm *), double limit, const char *what)
{
    const double begin = seconds_now(storm);
    double changed = begin;
    double told = begin;

    for (;;)
    {
        const struct sample before = storm->now;

        sample_next(storm);
        const double now = seconds_now(storm);
        if (before.peers != storm->now.peers || before.instances != storm->now.instances)
            changed = now;
        if (so(storm))
            return;
        if (now - changed > limit || now - begin > 4 * limit)
        {
            fail(storm, "waiting for %s: not so after %.0f s; peers %d, instances %d", what,
                 now - begin, storm->now.peers, storm->now.instances);
        }
        if (now - told > PROGRESS_INTERVAL)
        {
            progress(storm, "waiting for ", what);
            told = now;
        }
    }
}
