/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The rounds: clients connected, lost, counted, back.
 */
#include "storm.h"

#include <signal.h>

/**
 * A server that still holds instances is done when for so many seconds, by the
 * times in its status file, nothing has changed, with no peer in the kernel and
 * nothing in its receive queues.
 */
#define SETTLE 10

/**
 * Samples in a row without a peer that it takes for the kernel to have none: two
 * dumps, see dco_peers(). A server that is stopped gets the notifications later
 * than the peers go (a work item sends them): what it has queued, and what was
 * dropped, has to be the same in so many.
 */
#define GONE 2
#define TOLD 6

static void
ask(struct storm *storm, json_t *request)
{
    json_decref(guest_ask(storm, request));
}

/** Note when the first peer has gone, and when the last instance has been closed. */
static void
watch(struct storm *storm)
{
    struct wait *wait = &storm->wait;

    clients_check(storm);
    if (wait->first == 0 && !storm->options->stall && storm->now.peers < wait->begin.peers)
        wait->first = storm->now.time;
    if (storm->now.closed > wait->last.closed)
        wait->last = storm->now;
}

static bool
expired(struct storm *storm)
{
    const bool stall = storm->options->stall;
    const struct sample *now = &storm->now;
    struct wait *wait = &storm->wait;

    watch(storm);
    const bool still = !stall || (now->queued == wait->queued && now->drops == wait->drops);
    wait->queued = now->queued;
    wait->drops = now->drops;
    wait->zeros = now->peers == storm->options->newcomers && still ? wait->zeros + 1 : 0;
    return now->dead || wait->zeros == (stall ? TOLD : GONE);
}

static bool
first_gone(struct storm *storm)
{
    watch(storm);
    return storm->now.dead || storm->wait.first > 0;
}

static bool
newcomers_in(struct storm *storm)
{
    struct wait *wait = &storm->wait;
    const int newcomers = storm->options->newcomers;

    watch(storm);
    const int in = clients_in(storm, newcomers, wait->round + 1);
    while ((int)json_array_size(wait->came) < in)
        json_array_append_new(wait->came, json_real(storm->now.time - wait->restored));
    return storm->now.dead || in == newcomers;
}

/** While the lost ones go, others come. */
static void
let_newcomers_in(struct storm *storm)
{
    const int newcomers = storm->options->newcomers;

    sample_until(storm, first_gone, 2 * storm->options->keepalive_timeout + 120, "the first peer to go");
    network_restore(storm);
    storm->wait.restored = seconds_now() - storm->start;
    clients_new(storm, newcomers);
    phase(storm, "newcomers");
    sample_until(storm, newcomers_in, 120, "the newcomers to get in");
    if (!storm->now.dead)
    {
        printf("storm: half of %d newcomers were in after %.1f s, all after %.1f s\n", newcomers,
               json_real_value(json_array_get(storm->wait.came, (size_t)(newcomers - 1) / 2)),
               json_real_value(json_array_get(storm->wait.came, (size_t)newcomers - 1)));
    }
}

static bool
settled(struct storm *storm)
{
    const int newcomers = storm->options->newcomers;
    const struct sample *now = &storm->now;

    watch(storm);
    storm->to_go = now->instances - newcomers;
    if (now->peers != newcomers || now->queued != 0 || now->instances != storm->wait.instances)
    {
        storm->wait.instances = now->instances;
        storm->wait.since = now->guest_time;
    }
    return now->dead || now->instances == newcomers || now->updated >= storm->wait.since + SETTLE;
}

/** Without a leak all have to come back; with one some may never. */
static bool
came_back(struct storm *storm)
{
    const struct sample *now = &storm->now;
    const int clients = storm->options->clients;

    clients_check(storm);
    clients_some(storm);
    if (now->dead)
        return true;
    if (storm->wait.left == 0)
        return now->peers == clients && now->instances == clients;
    const double waited = now->time - storm->wait.restored;
    return now->peers == clients
           || (now->rejected > storm->wait.begin.rejected && waited > SETTLE)
           || waited > 90 + clients / 4.0;
}

/** @return whether nothing leaked, nobody was rejected, and the server lives */
static bool
round_run(struct storm *storm, int round)
{
    const struct options *options = storm->options;

    storm->wait = (struct wait){ .begin = storm->now, .last = storm->now, .instances = -1,
                                 .round = round, .came = json_array() };
    if (options->load)
    {
        ask(storm, json_pack("{s: i, s: i}", "load", options->servers,
                             "clients", options->clients / options->servers));
    }
    if (options->stall)
        ask(storm, json_pack("{s: i}", "signal", SIGSTOP));
    network_cut(storm);
    /* what they would try now is dropped, too */
    clients_stop(storm);
    const double cut = seconds_now() - storm->start;
    phase(storm, "all packets dropped");
    if (options->newcomers)
        let_newcomers_in(storm);
    /* the server's timeout is twice what --keepalive says, and the same for all */
    sample_until(storm, expired, 2 * options->keepalive_timeout + 120 + options->clients / 4.0,
                 "the kernel to expire all peers");
    const double expiry = seconds_now() - storm->start;
    phase(storm, "no peers in the kernel");
    if (options->stall)
    {
        storm->wait.first = seconds_now() - storm->start;
        ask(storm, json_pack("{s: i}", "signal", SIGCONT));
    }
    sample_until(storm, settled,
                 120 + options->status_interval + options->clients * (1.0 + options->script),
                 "the server to settle");
    const double drained = seconds_now() - storm->start;
    storm->wait.left = storm->now.instances - options->newcomers;
    phase(storm, "settled");
    if (options->load)
        ask(storm, json_pack("{s: i, s: i}", "load", 0, "clients", 0));

    if (!options->newcomers)
    {
        network_restore(storm);
        storm->wait.restored = seconds_now() - storm->start;
        phase(storm, "packets pass again");
    }
    sample_until(storm, came_back, 120 + options->status_interval + options->clients / 2.0,
                 "all clients to come back");
    phase(storm, storm->now.peers == options->clients ? "all clients are back"
          : "not all clients are back");

    const int rejected = storm->now.rejected - storm->wait.begin.rejected;
    const int back = storm->now.peers < 0 ? 0 : storm->now.peers;
    const bool clean = storm->wait.left == 0 && rejected == 0 && !storm->now.dead;
    const struct wait *wait = &storm->wait;
    const bool in_step = wait->left == 0 && !storm->now.dead;
    const double seconds = wait->last.time - wait->first;
    const double cpu = wait->last.cpu - wait->begin.cpu;
    const int drops = storm->now.drops - wait->begin.drops;
    const int lost = wait->last.lost - wait->begin.lost;
    const int closed = wait->last.closed - wait->begin.closed;
    json_array_append_new(
        json_object_get(storm->run, "rounds"),
        json_pack("{s: i, s: i, s: i, s: i, s: i, s: i, s: f, s: f, s: f, s: f, s: o, s: f, s: o}",
                  "left", wait->left, "rejected", rejected, "back", back, "drops", drops,
                  "lost", lost, "closed", closed, "cut", cut, "expired", expiry, "settled", drained,
                  "first", wait->first, "in_step", in_step ? json_real(seconds) : json_null(),
                  "cpu", cpu, "newcomers", storm->wait.came));
    if (in_step)
    {
        printf("storm: the last instance was closed %.1f s after %s; the server took %.1f s of"
               " processor time\n", seconds,
               options->stall ? "the server went on" : "the first peer had gone", cpu);
    }
    printf("storm: %d notifications dropped, the server said so %d times; it closed %d instances"
           " whose peers had gone\n", drops, lost, closed);
    printf("storm: round %d of %d: %d instances left, %d rejections, %d of %d clients back%s\n",
           round, options->rounds, storm->wait.left, rejected, back,
           options->clients, storm->now.dead ? ", the server has died" : "");
    return clean;
}

void
save_logs(struct storm *storm)
{
    for (int i = 0; i < storm->options->servers && storm->to_agent; ++i)
    {
        char *path = text("/run/%d/log", i);
        char *name = text("server-%d.log", i);

        guest_save(storm, path, name);
        free(path);
        free(name);
    }
    if (storm->to_agent)
    {
        ask(storm, json_pack("{s: s}", "run", "/bin/busybox dmesg > /run/dmesg"));
        guest_save(storm, "/run/dmesg", "dmesg.log");
    }
}

int
rounds_run(struct storm *storm)
{
    const struct options *options = storm->options;
    bool clean = true;
    int round = 0;

    clients_connect(storm);
    while (clean && round < options->rounds)
        clean = round_run(storm, ++round);
    save_logs(storm);
    const bool crashed = kernel_crashes(storm) > 0;
    const char *result = !clean ? (storm->now.dead ? "died" : "leak") : crashed ? "crash" : "pass";
    json_object_del(storm->run, "why");
    json_object_update_new(storm->run, json_pack("{s: s, s: f}", "result", result,
                                                 "seconds", seconds_now() - storm->start));
    if (storm->now.dead)
        json_object_set_new(storm->run, "exit", json_integer(storm->now.exit_status));
    printf("storm: %s, module %s, %d clients, %d of %d rounds, %.0f s: %s\n", options->server,
           storm->module, options->clients, round, options->rounds, seconds_now() - storm->start,
           result);
    return clean && !crashed ? STATUS_PASS : STATUS_LEAK;
}
