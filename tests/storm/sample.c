/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Samples: what the agent tells, twice a second.
 */
#include "storm.h"

#include <stdlib.h>
#include <time.h>

/** Seconds between samples of up to MANY_CLIENTS, and between lines of progress. */
#define SAMPLE_INTERVAL 0.5
#define PROGRESS_INTERVAL 5

double
seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
sleep_until(double when)
{
    const struct timespec until = {
        .tv_sec = (time_t)when,
        .tv_nsec = (long)((when - (double)(time_t)when) * 1e9),
    };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
    {
    }
}

static void
progress(struct storm *storm, const char *what)
{
    printf("storm: %6.1f s: %s", seconds_now() - storm->start, what);
    if (storm->now.ready)
    {
        printf("; peers %d, instances %d", storm->now.peers, storm->now.instances);
        if (storm->now.undefined)
            printf(" (and %d not connected)", storm->now.undefined);
    }
    printf("\n");
    storm->last_progress = seconds_now();
}

void
phase(struct storm *storm, const char *name)
{
    json_array_append_new(json_object_get(storm->run, "phases"),
                          json_pack("{s: f, s: s}", "t", seconds_now() - storm->start,
                                    "phase", name));
    progress(storm, name);
}

/** Add one server's part of a sample. */
static void
add_server(struct storm *storm, struct sample *sum, json_t *server)
{
    json_t *peers;
    json_t *updated;
    json_t *status;
    json_t *sockets;
    json_t *sock;
    size_t index;
    int instances;
    int undefined;
    int rejected;
    int lost;
    int closed;
    int ready;
    double cpu;

    if (json_unpack(server, "{s: o, s: i, s: i, s: o, s: b, s: i, s: i, s: i, s: f, s: o,"
                    " s: o}",
                    "peers", &peers, "instances", &instances, "undefined", &undefined,
                    "updated", &updated, "ready", &ready, "rejected", &rejected, "lost", &lost,
                    "closed", &closed, "cpu", &cpu, "exit", &status, "sockets", &sockets) != 0)
    {
        fail(storm, "the guest tells what nobody understands");
    }
    sum->peers = sum->peers < 0 || json_is_null(peers) ? -1
                 : sum->peers + (int)json_integer_value(peers);
    sum->instances += instances;
    sum->undefined += undefined;
    sum->rejected += rejected;
    sum->lost += lost;
    sum->closed += closed;
    sum->cpu += cpu;
    sum->ready += ready;
    if (json_number_value(updated) < sum->updated)
        sum->updated = json_number_value(updated);
    if (!json_is_null(status))
    {
        ++sum->dead;
        sum->exit_status = (int)json_integer_value(status);
    }
    json_array_foreach(sockets, index, sock)
    {
        sum->queued += (int)json_integer_value(json_object_get(sock, "rmem"));
        sum->drops += (int)json_integer_value(json_object_get(sock, "drops"));
    }
}

void
sample_next(struct storm *storm)
{
    const int clients = storm->options->clients;
    const double interval = SAMPLE_INTERVAL
                            * (clients > MANY_CLIENTS ? (double)clients / MANY_CLIENTS : 1);
    struct sample sum = { 0 };
    json_t *server;
    size_t index;

    if (storm->next_sample < seconds_now() - interval)
        storm->next_sample = seconds_now();
    sleep_until(storm->next_sample);
    storm->next_sample += interval;

    json_t *sample = guest_ask(storm, json_pack("{s: b}", "sample", 1));
    sum.time = seconds_now() - storm->start;
    sum.guest_time = json_number_value(json_object_get(sample, "time"));
    sum.updated = sum.guest_time;
    json_array_foreach(json_object_get(sample, "servers"), index, server)
    {
        add_server(storm, &sum, server);
    }
    /* a server that has died took its sockets along */
    sum.drops = sum.drops > storm->now.drops ? sum.drops : storm->now.drops;
    json_object_update_new(sample, json_pack("{s: f, s: i, s: i}", "t", sum.time,
                                             "peers", sum.peers, "instances", sum.instances));
    json_array_append_new(json_object_get(storm->run, "samples"), sample);
    storm->came = sum.peers - storm->now.peers;
    storm->now = sum;
}

void
sample_until(struct storm *storm, bool (*so)(struct storm *), double limit, const char *what)
{
    const double begin = seconds_now();
    double changed = begin;
    int first = 0;

    storm->to_go = 0;
    for (;;)
    {
        const struct sample before = storm->now;

        sample_next(storm);
        if (before.peers != storm->now.peers || before.instances != storm->now.instances)
            changed = seconds_now();
        if (so(storm))
            return;
        if (first == 0)
            first = storm->to_go;
        if (seconds_now() - changed > limit || seconds_now() - begin > 4 * limit)
        {
            fail(storm, "waiting for %s: not so after %.0f s; peers %d, instances %d", what,
                 seconds_now() - begin, storm->now.peers, storm->now.instances);
        }
        if (seconds_now() - storm->last_progress > PROGRESS_INTERVAL)
        {
            /* at the pace so far */
            const double left = (seconds_now() - begin) * storm->to_go / (first - storm->to_go);
            char *line = storm->to_go > 0 && first > storm->to_go
                         ? text("waiting for %s, %.0f s more", what, left)
                         : text("waiting for %s", what);

            progress(storm, line);
            free(line);
        }
    }
}
