/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The rounds: clients connected, lost, counted, back.
 */
#include "storm.h"

#include <stdlib.h>

/**
 * A server that still holds instances is done when for so many seconds, by the
 * times in its status file, nothing has changed, with no peer in the kernel and
 * nothing in its receive queues.
 */
#define SETTLE 10

/**
 * Samples in a row without a peer that it takes for the kernel to have none: two
 * dumps, see count_peers(). A server that is stopped gets the notifications later
 * than the peers go (a work item sends them): what it has queued, and what was
 * dropped, has to be the same in so many.
 */
#define GONE 2
#define TOLD 6

/** What a round waits for, and remembers. */
static struct turn
{
    int number;                 /**< counted from 1 */
    int zeros;                  /**< samples in a row without a peer, and with ... */
    int queued, drops;          /**< ... as much in the receive queues, and dropped */
    int instances;              /**< the last number */
    double since;               /**< it is so, by the guest's clock */
    int left;                   /**< instances when the server had settled */
    double cut, expired, settled, restored;     /**< when this was so, since the run began */
    struct sample begin;        /**< when the round began */
    double first;               /**< when its first peer went, or, of servers that were stopped,
                                 *   when they went on, since the run began; 0: not yet */
    struct sample last;         /**< the last in which an instance had been closed since */
    json_t *came;               /**< seconds that each newcomer took */
} turn;

/** Note when the first peer has gone, and when the last instance has been closed. */
static void
watch(struct storm *storm)
{
    clients_check(storm);
    if (turn.first == 0 && !storm->options->stall && storm->now.peers < turn.begin.peers)
        turn.first = storm->now.time;
    if (storm->now.closed > turn.last.closed)
        turn.last = storm->now;
}

static bool
expired(struct storm *storm)
{
    const bool stall = storm->options->stall;
    const struct sample *now = &storm->now;

    watch(storm);
    const bool still = !stall || (now->queued == turn.queued && now->drops == turn.drops);
    turn.queued = now->queued;
    turn.drops = now->drops;
    turn.zeros = now->peers == storm->options->newcomers && still ? turn.zeros + 1 : 0;
    return now->dead || turn.zeros == (stall ? TOLD : GONE);
}

static bool
first_gone(struct storm *storm)
{
    watch(storm);
    return storm->now.dead || turn.first > 0;
}

static bool
newcomers_in(struct storm *storm)
{
    const int newcomers = storm->options->newcomers;

    watch(storm);
    const int in = clients_in(storm, newcomers, turn.number + 1);
    while ((int)json_array_size(turn.came) < in)
        json_array_append_new(turn.came, json_real(storm->now.time - turn.restored));
    return storm->now.dead || in == newcomers;
}

/** Drop every packet between clients and servers, in both directions. */
static void
cut(struct storm *storm)
{
    /* all ports that servers may have; AGENT_SERVERS_MAX of them */
    shell(storm, "nft 'table ip storm {"
          " chain in { type filter hook input priority 0;"
          " meta l4proto { tcp, udp } th sport 1194-1257 drop; };"
          " chain out { type filter hook output priority 0;"
          " meta l4proto { tcp, udp } th dport 1194-1257 drop; }; }'");
}

static void
restore(struct storm *storm)
{
    shell(storm, "nft delete table ip storm");
    turn.restored = seconds_now(storm);
}

/** While the lost ones go, others come. */
static void
let_newcomers_in(struct storm *storm)
{
    const int newcomers = storm->options->newcomers;

    sample_until(storm, first_gone, 2 * storm->options->keepalive_timeout + 120,
                 "the first peer to go");
    restore(storm);
    clients_new(storm, newcomers);
    phase(storm, "newcomers");
    sample_until(storm, newcomers_in, 120, "the newcomers to get in");
    if (!storm->now.dead)
    {
        printf("storm: half of %d newcomers were in after %.1f s, all after %.1f s\n", newcomers,
               json_real_value(json_array_get(turn.came, (size_t)(newcomers - 1) / 2)),
               json_real_value(json_array_get(turn.came, (size_t)newcomers - 1)));
    }
}

static bool
settled(struct storm *storm)
{
    const int newcomers = storm->options->newcomers;
    const struct sample *now = &storm->now;

    watch(storm);
    if (now->peers != newcomers || now->queued != 0 || now->instances != turn.instances)
    {
        turn.instances = now->instances;
        turn.since = now->guest_time;
    }
    return now->dead || now->instances == newcomers || now->updated >= turn.since + SETTLE;
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
    if (turn.left == 0)
        return now->peers == clients && now->instances == clients;
    const double waited = storm->now.time - turn.restored;
    return now->peers == clients
           || (now->rejected > turn.begin.rejected && waited > SETTLE)
           || waited > 90 + clients / 4.0;
}

/** Lose the clients, and let them come back. */
static void
play(struct storm *storm)
{
    const struct options *options = storm->options;

    if (options->load)
    {
        free(guest_run(storm, "for cpu in $(seq $(nproc)); do /bin/load %d %d > /dev/null & done",
                       options->servers, options->clients / options->servers));
    }
    if (options->stall)
        free(guest_run(storm, "kill -STOP $(cat /run/*/pid) || :"));
    cut(storm);
    /* what they would try now is dropped, too */
    clients_stop(storm);
    turn.cut = seconds_now(storm);
    phase(storm, "all packets dropped");
    if (options->newcomers)
        let_newcomers_in(storm);
    /* the server's timeout is twice what --keepalive says, and the same for all */
    sample_until(storm, expired, 2 * options->keepalive_timeout + 120 + options->clients / 4.0,
                 "the kernel to expire all peers");
    turn.expired = seconds_now(storm);
    phase(storm, "no peers in the kernel");
    if (options->stall)
    {
        turn.first = seconds_now(storm);
        free(guest_run(storm, "kill -CONT $(cat /run/*/pid) || :"));
    }
    sample_until(storm, settled,
                 120 + options->status_interval + options->clients * (1.0 + options->script),
                 "the server to settle");
    turn.settled = seconds_now(storm);
    turn.left = storm->now.instances - options->newcomers;
    phase(storm, "settled");
    if (options->load)
        free(guest_run(storm, "killall load"));

    if (!options->newcomers)
    {
        restore(storm);
        phase(storm, "packets pass again");
    }
    sample_until(storm, came_back, 120 + options->status_interval + options->clients / 2.0,
                 "all clients to come back");
    phase(storm, storm->now.peers == options->clients ? "all clients are back"
          : "not all clients are back");
}

/** Say and note what came of it. @return whether nothing leaked, was rejected, or died */
static bool
conclude(struct storm *storm)
{
    const struct options *options = storm->options;
    const struct sample *now = &storm->now;
    const int rejected = now->rejected - turn.begin.rejected;
    const int back = now->peers < 0 ? 0 : now->peers;
    const int drops = now->drops - turn.begin.drops;
    const int lost = turn.last.lost - turn.begin.lost;
    const int closed = turn.last.closed - turn.begin.closed;
    const bool in_step = turn.left == 0 && !now->dead;
    const double seconds = turn.last.time - turn.first;
    const double cpu = turn.last.cpu - turn.begin.cpu;

    json_array_append_new(
        json_object_get(storm->run, "rounds"),
        json_pack("{s: i, s: i, s: i, s: i, s: i, s: i, s: f, s: f, s: f, s: f, s: o, s: f, s: o}",
                  "left", turn.left, "rejected", rejected, "back", back, "drops", drops,
                  "lost", lost, "closed", closed, "cut", turn.cut, "expired", turn.expired,
                  "settled", turn.settled, "first", turn.first,
                  "in_step", in_step ? json_real(seconds) : json_null(),
                  "cpu", cpu, "newcomers", turn.came));
    if (in_step)
    {
        printf("storm: the last instance was closed %.1f s after %s; the server took %.1f s of"
               " processor time\n", seconds,
               options->stall ? "the server went on" : "the first peer had gone", cpu);
    }
    printf("storm: %d notifications dropped, the server said so %d times; it closed %d instances"
           " whose peers had gone\n", drops, lost, closed);
    printf("storm: round %d of %d: %d instances left, %d rejections, %d of %d clients back%s\n",
           turn.number, options->rounds, turn.left, rejected, back, options->clients,
           now->dead ? ", the server has died" : "");
    return in_step && rejected == 0;
}

int
rounds_run(struct storm *storm)
{
    const struct options *options = storm->options;
    bool clean = true;
    int round = 0;

    clients_connect(storm);
    while (clean && round < options->rounds)
    {
        turn = (struct turn){ .number = ++round, .begin = storm->now, .last = storm->now,
                              .instances = -1, .came = json_array() };
        play(storm);
        clean = conclude(storm);
    }
    save_logs(storm);
    const bool crashed = kernel_crashes(storm) > 0;
    const char *result = !clean ? (storm->now.dead ? "died" : "leak") : crashed ? "crash" : "pass";
    json_object_del(storm->run, "why");
    json_object_update_new(storm->run, json_pack("{s: s, s: f}", "result", result,
                                                 "seconds", seconds_now(storm)));
    printf("storm: %s, module %s, %d clients, %d of %d rounds, %.0f s: %s\n", options->server,
           guest_fact(storm, "module"), options->clients, round, options->rounds,
           seconds_now(storm), result);
    return clean && !crashed ? STATUS_PASS : STATUS_LEAK;
}
