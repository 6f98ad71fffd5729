/* SPDX-License-Identifier: GPL-2.0-only */
#include "check.h"
#include "client.h"
#include "host.h"
#include "instance.h"
#include "management.h"
#include "module.h"
#include "probe.h"
#include "reports.h"
#include "scene.h"
#include "verdict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Established before the situation. Two besides the one that it is about: one
 * for a notification, one that has to be left alone. As many fill a server in
 * main.c. */
#define ESTABLISHED 3

/* As many scripts of a second, one after another */
#define ESTABLISHED_SLOW 8

/* Seconds of the server's clock in which everything has come to rest: more
 * than --hand-window, after which a client is given up that got stuck before its
 * session was active; one that was refused since is only with follow-up 7 */
#define SETTLE 650

/* Really waited for clients, at most, in seconds. No scenario passes or fails
 * by this but when a client never gets there. */
#define PATIENCE 60

/* How often clients are looked at, in milliseconds */
#define PAUSE 5

/* What stands for a second of PACE_BRISK: --hand-window (600) is 12 seconds in
 * which no packet came */
#define BRISK_PAUSE 20

/* How the server's clock runs in a step */
enum pace
{
    PACE_REAL,                  /* as the real one: clients have work to do */
    PACE_BRISK,                 /* a second for each BRISK_PAUSE without an event */
    PACE_SETTLE                 /* to the next timeout, at once */
};

struct step
{
    const char *name;
    void (*begin)(void);
    bool (*done)(void);         /* unless PACE_SETTLE */
    enum pace pace;
    int seconds;                /* for PACE_SETTLE */
};

/* What is played, and how far it has come */
static struct
{
    struct scenario scene;      /* in a long run that of the round */
    struct scene_paths paths;
    const struct step *step;
    time_t begun;               /* the step did, by CLOCK_MONOTONIC */
    long settled;               /* milliseconds of PACE_SETTLE */
    unsigned int spins;
    int started;                /* clients */
    int certificates[CLIENTS];
    unsigned int swaps_before[CLIENTS], keys_before[CLIENTS];
    int subject;                /* the client that the situation is about */
    bool armed, fired, ending;
    unsigned int seen[REQUEST_COUNT];
    bool refusing, losing;      /* who connects is refused, and gone at once */
    unsigned int refused;
} play;

static time_t
uptime(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

/* Clients */

static void
start_client(int certificate)
{
    play.certificates[play.started] = certificate;
    client_start(play.started++, certificate, play.scene.proto == PROTO_TCP,
                 play.scene.proto == PROTO_P2P, false, play.paths.openvpn, play.paths.keys, play.paths.run);
}

static void
start_next(void)
{
    start_client(play.started);
}

/* The client that has that peer in the kernel */
static int
client_of_peer(int id)
{
    return play.scene.proto == PROTO_P2P ? play.started - 1 : client_by_address(module_address(id));
}

/* The kernel peer of a client, or MODULE_NO_PEER */
static int
peer_of_client(int n)
{
    int id = module_next_peer(MODULE_NO_PEER);
    while (id != MODULE_NO_PEER && client_of_peer(id) != n)
        id = module_next_peer(id);
    return id;
}

/* Why the kernel removes it. Over TCP each reason has its turn: the module's
 * ovpn_tcp_read_sock() and ovpn_tcp_tx_work() have TRANSPORT_ERROR, and
 * ovpn_dco_linux.h has TRANSPORT_DISCONNECT, too. */
static enum reason
loss(int id)
{
    return play.scene.proto == PROTO_TCP ? REASON_EXPIRED + (unsigned int)id % 3 : REASON_EXPIRED;
}

static void
lose_peer(int id)
{
    const int client = client_of_peer(id);
    if (client >= 0)
        client_lose(client);
    module_remove_peer(id, loss(id));
}

static void
expire_all(void)
{
    for (int id = module_next_peer(MODULE_NO_PEER); id != MODULE_NO_PEER; id = module_next_peer(id))
        lose_peer(id);
}

static bool
newest_is_ready(void)
{
    return module_peer_ready(peer_of_client(play.started - 1)) && client_initialised(play.started - 1);
}

/* Whether the server has an instance of that client */
static bool
has_instance(int n)
{
    if (play.scene.proto == PROTO_P2P)
        return instance_p2p_peer() >= 0;
    struct instance list[MODULE_PEERS];
    int i = instance_list(list, MODULE_PEERS) - 1;
    while (i >= 0 && client_by_address(list[i].address) != n)
        --i;
    return i >= 0;
}

/* The newest client is there, or will not come */
static bool
newest_is_done(void)
{
    return newest_is_ready() || !client_alive(play.started - 1)
           || (play.fired && !has_instance(play.started - 1));
}

/* As newest_is_done(), where it has to come */
static bool
newest_came(void)
{
    static int seen_instance = -1;      /* the client that the server had one of */
    if (newest_is_ready())
        return true;
    const bool has = has_instance(play.started - 1);
    if (!client_alive(play.started - 1) || (seen_instance == play.started - 1 && !has))
    {
        verdict_add("refuses", "client %d", play.started - 1);
        return true;
    }
    seen_instance = has ? play.started - 1 : seen_instance;
    return false;
}

static bool
has_rekeyed(void)
{
    for (int n = 0; n < play.started; ++n)
    {
        const int id = peer_of_client(n);
        if (client_alive(n) && id != MODULE_NO_PEER && module_swaps(id) == play.swaps_before[n])
            return false;
    }
    return true;
}

/* The newest client is there, or the server has refused it twice */
static bool
newest_is_taken(void)
{
    char log[512];
    if (newest_is_ready())
        return true;
    snprintf(log, sizeof(log), "%s/server.log", play.paths.run);
    if (client_alive(play.started - 1) && log_count(log, "would exceed maximum number of clients") < 2)
        return false;
    verdict_add("refuses", "client %d", play.started - 1);
    client_lose(play.started - 1);
    return true;
}

/* Who is refused is told so when it asks */
static bool
newest_is_told(void)
{
    return !client_alive(play.started - 1) && client_refused(play.started - 1);
}

/* As many were refused, and gone at once, as have to be */
static bool
all_are_refused(void)
{
    static unsigned int begun;
    if (play.refused < play.scene.repeats && begun < play.refused)
    {
        begun = play.refused;
        client_kill(play.started - 1);
        --play.started;
        start_next();
        play.begun = uptime();
    }
    play.refusing = play.refused < play.scene.repeats;
    return !play.refusing;
}

bool
scene_refuses(void)
{
    if (play.refusing && play.losing)
    {
        client_lose(play.started - 1);
        ++play.refused;
    }
    return play.refusing;
}

static void
lose_refused(void)
{
    play.losing = true;
    start_next();
}

static void
count_keys(void)
{
    for (int n = 0; n < play.started; ++n)
        play.keys_before[n] = module_new_keys(peer_of_client(n));
}

/* All clients that there are have another key */
static bool
has_new_keys(void)
{
    for (int n = 0; n < play.started; ++n)
    {
        const int id = peer_of_client(n);
        if (client_alive(n) && id != MODULE_NO_PEER && module_new_keys(id) == play.keys_before[n])
            return false;
    }
    return true;
}

/* Situations */

/* SITUATION_RETURN, whose server has --reneg-sec 1200 */
static void
rekey(void)
{
    count_keys();
    host_advance(1201 * 1000L);
}

static void
come_back(void)
{
    count_keys();
    client_start(play.subject, play.certificates[play.subject], false, false, true, play.paths.openvpn,
                 play.paths.keys, play.paths.run);
}

/* From another one, so that another instance gets it */
static void
come_from_elsewhere(void)
{
    start_client(play.certificates[play.subject]);
}

static void
lose_subject(void)
{
    lose_peer(peer_of_client(play.subject));
}

static bool
is_back(void)
{
    return client_initialised(play.subject)
           && module_new_keys(peer_of_client(play.subject)) > play.keys_before[play.subject];
}

/* The first client that is established */
static int
first_client(void)
{
    int n = 0;
    while (n < play.started && !(client_alive(n) && peer_of_client(n) != MODULE_NO_PEER))
        ++n;
    return n;
}

static void
trigger(void)
{
    struct instance list[MODULE_PEERS];
    /* of these nothing depends on what is asked, and the clients' clocks decide how often */
    play.armed = play.scene.situation != SITUATION_RETURN && play.scene.situation != SITUATION_MOVE;
    reports_compare(true);
    module_lag(play.scene.lag_requests, play.scene.lag_passes);
    play.subject = play.scene.situation == SITUATION_CONNECT ? play.started : first_client();
    switch (play.scene.situation)
    {
        case SITUATION_CONNECT:
            start_next();
            break;

        case SITUATION_EXPIRE:
            lose_peer(peer_of_client(play.subject));
            break;

        case SITUATION_STORM:
            expire_all();
            break;

        case SITUATION_REKEY:
            for (int n = 0; n < play.started; ++n)
                play.swaps_before[n] = module_swaps(peer_of_client(n));
            host_advance(3601 * 1000L);         /* --reneg-sec 3600 */
            break;

        case SITUATION_RETURN:
        case SITUATION_MOVE:
            client_kill(play.subject);
            rekey();
            break;

        case SITUATION_DUPLICATE:
            start_client(play.certificates[play.subject]);
            break;

        case SITUATION_KILL_CN:
            management_command(play.paths.run, "kill c%d\n", play.certificates[play.subject]);
            break;

        case SITUATION_KILL_ADDRESS:
            for (int i = instance_list(list, MODULE_PEERS) - 1; i >= 0; --i)
            {
                if (client_by_address(list[i].address) == play.subject)
                {
                    const struct in_addr in = { htonl(list[i].address) };
                    management_command(play.paths.run, "kill %s:%u\n", inet_ntoa(in), list[i].port);
                }
            }
            break;

        case SITUATION_INACTIVE:
            play.ending = play.scene.proto == PROTO_P2P;
            host_advance(61 * 1000L);           /* --inactive 60, and once more in the settling */
            break;

        case SITUATION_STATUS_FILE:
            host_advance(201 * 1000L);          /* --status FILE 200 */
            break;

        case SITUATION_STATUS:
            management_command(play.paths.run, "status 3\n");
            break;

        case SITUATION_REJECT:
            play.refusing = true;
            start_next();
            break;

        case SITUATION_VANISH:
        case SITUATION_VANISH_POOL:
            for (int id = module_next_peer(MODULE_NO_PEER); id != MODULE_NO_PEER; id = module_next_peer(id))
            {
                client_lose(client_of_peer(id));
                module_remove_silently(id);
            }
            break;

        case SITUATION_GARBLED:
            client_lose(play.subject);
            module_remove_garbled(peer_of_client(play.subject), REASON_EXPIRED);
            break;

        case SITUATION_USR1:
        case SITUATION_USR1_PERSIST:
            raise(SIGUSR1);
            break;

        case SITUATION_HUP:
            raise(SIGHUP);
            break;

        default:
            play.ending = true;
            raise(SIGTERM);
            break;
    }
}

/* What the kernel does */

/* Peers of another server, more than the small buffer holds */
#define FOREIGN 4

void
module_seen(enum request request, int id)
{
    (void)id;
    if (play.armed)
    {
        verdict_request(request_names[request]);
        ++play.seen[request];
    }
}

int
module_at(enum request request, enum position position, int id)
{
    if (!play.armed || play.fired || play.scene.target == TARGET_NONE || request != play.scene.request
        || position != play.scene.position || play.seen[request] != play.scene.occurrence)
    {
        return 0;
    }
    play.fired = true;
    verdict_step(target_names[play.scene.target]);
    const int requester = id == MODULE_NO_PEER ? peer_of_client(play.subject) : id;
    switch (play.scene.target)
    {
        case TARGET_REQUESTER:
        case TARGET_LAGGING:
            lose_peer(requester);
            break;

        case TARGET_REUSED:
            module_notify_late(requester, loss(requester));
            break;

        case TARGET_FOREIGN:
            module_notify_foreign(FOREIGN);
            expire_all();
            break;

        case TARGET_REFUSED:
            return -ENOMEM;

        case TARGET_SILENT:
            return MODULE_NO_REPLY;

        default:
            for (int peer = module_next_peer(MODULE_NO_PEER); peer != MODULE_NO_PEER;
                 peer = module_next_peer(peer))
            {
                if (play.scene.target == TARGET_ALL || peer != requester)
                {
                    lose_peer(peer);
                    if (play.scene.target == TARGET_OTHER)
                        return 0;
                }
            }
            break;
    }
    return 0;
}

void
host_script(void)
{
    /* no more requests of the scenario are counted once it is over */
    module_seen(REQUEST_SCRIPT, MODULE_NO_PEER);
    module_at(REQUEST_SCRIPT, POSITION_AHEAD, MODULE_NO_PEER);
    if (play.armed && play.scene.variant == VARIANT_SLOW_SCRIPT)
        probe_script_begins();

    /* the script reads from it */
    char fifo[512];
    snprintf(fifo, sizeof(fifo), "%s/fifo", play.paths.run);
    const int fd = open(fifo, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "\n", 1) != 1)
        verdict_stop("setup", "no script reads from %s", fifo);
    close(fd);
    if (play.armed && play.scene.variant == VARIANT_SLOW_SCRIPT)
    {
        host_advance(1000);
        probe_script_ends(play.scene.proto == PROTO_TCP, play.paths.run);
    }
}

static void
check(void)
{
    play.armed = false;
    reports_compare(false);
    if (play.scene.proto == PROTO_P2P)
        check_p2p();
    else
        check_server();
}

static void
check_situation(void)
{
    check();
    if (!play.scene.seed && play.scene.target != TARGET_NONE && !play.fired)
        verdict_add("unreached", "there was no such request");
}

static void
expire_one(void)
{
    const int id = module_next_peer(MODULE_NO_PEER);
    if (id != MODULE_NO_PEER)
        lose_peer(id);
}

static void
terminate(void)
{
    check();
    if (module_peers() > 0)
        verdict_add("orphans", "%u peers are left in the kernel", module_peers());
    play.ending = true;
    raise(SIGTERM);
}

static void
at_exit(void)
{
    if (!play.ending)
        verdict_add("ends", "the server ended, and was not told to");
    else if (reports_open() > 0)
        verdict_add("reports", "%d disconnects were not reported at the end", reports_open());
    if (play.armed && play.scene.target != TARGET_NONE && !play.fired)
        verdict_add("unreached", "there was no such request");
    client_kill_all();
    verdict_end();
}

/* One after another */

#define START_ONE { "connect", start_next, newest_came, PACE_REAL, 0 }
#define EXPIRE_ONE { "expire", expire_one, NULL, PACE_SETTLE, 2 }
#define STEPS 128

static struct step steps[STEPS];

static void
nothing(void)
{
}

/* The server learns what the kernel has counted so far */
static void
poll_counts(void)
{
    management_command(play.paths.run, "status 3\n");
}

/* What is due later comes now at the latest */
static void
settle(void)
{
    module_lag(0, 0);
}

static void
append(struct step s)
{
    static int count;
    if (count + 1 == STEPS)
        verdict_stop("setup", "more than %d steps", STEPS);
    steps[count++] = s;
}

static void
begin(const struct step *next)
{
    play.step = next;
    play.begun = uptime();
    play.settled = 0;
    play.spins = 0;
    verdict_step(play.step->name);
    play.step->begin();
}

static bool expected;           /* a client was started, and has to come */

static bool
came_if_expected(void)
{
    return !expected || newest_came();
}

static void
start_if(bool wanted)
{
    expected = wanted;
    if (expected)
        start_next();
}

static void
start_if_room(void)
{
    start_if(instance_count() < ESTABLISHED);
}

static void
start_if_few(void)
{
    start_if(module_peers() < ESTABLISHED);
}

static bool
taken_if_expected(void)
{
    return !expected || newest_is_taken();
}

/* Whether the server is full then */
static bool
fills(enum situation situation)
{
    return situation == SITUATION_VANISH || situation == SITUATION_VANISH_POOL || situation == SITUATION_GARBLED;
}

static void
append_situation(enum situation situation, enum target target)
{
    const bool comes = situation == SITUATION_CONNECT || situation == SITUATION_DUPLICATE;
    const bool gone = situation == SITUATION_RETURN || situation == SITUATION_MOVE;
    if (situation == SITUATION_REJECT)
    {
        append((struct step) { "situation", trigger, newest_is_told, PACE_REAL, 0 });
        append((struct step) { "lose", lose_refused, all_are_refused, PACE_REAL, 0 });
    }
    else
    {
        append((struct step) {
            "situation", trigger,
            comes ? newest_is_done : situation == SITUATION_REKEY ? has_rekeyed : gone ? has_new_keys : NULL,
            comes || gone ? PACE_REAL : situation == SITUATION_REKEY ? PACE_BRISK : PACE_SETTLE, 1
        });
    }
    for (int i = 0; fills(situation) && i < ESTABLISHED; ++i)
    {
        append((struct step) { "fill", start_if_room, came_if_expected, PACE_REAL, 0 });
    }
    /* unless the peers of all that it is full of are there */
    if (fills(situation))
        append((struct step) { "knock", start_if_few, taken_if_expected, PACE_REAL, 0 });
    if (target == TARGET_LAGGING)
    {
        append((struct step) { "close", nothing, NULL, PACE_SETTLE,
                               situation == SITUATION_INACTIVE ? 70 : 1 });
        append((struct step) START_ONE);
    }
    if (gone)
    {
        append((struct step) { "rekey fails", nothing, NULL, PACE_SETTLE, 601 });   /* --hand-window */
    }
    if (situation == SITUATION_MOVE)
    {
        append((struct step) { "back", come_from_elsewhere, newest_came, PACE_REAL, 0 });
        append((struct step) { "expire", lose_subject, NULL, PACE_SETTLE, 1 });
    }
    if (situation == SITUATION_RETURN)
    {
        append((struct step) { "back", come_back, is_back, PACE_REAL, 0 });
        append((struct step) { "rekey", rekey, has_new_keys, PACE_REAL, 0 });
    }
    append((struct step) { "settle", settle, NULL, PACE_SETTLE, SETTLE });
    append((struct step) { "check", check_situation, NULL, PACE_SETTLE, 1 });
}

/* Long runs */

#define ROUNDS 12
#define ROUNDS_ANY 9            /* more of them take another client */

static struct scenario rounds[ROUNDS];

static void
next_round(void)
{
    static int round;
    char name[128];
    play.scene = rounds[round++];
    memset(play.seen, 0, sizeof(play.seen));
    play.fired = false;
    scenario_format(&play.scene, name, sizeof(name));
    verdict_step(name);
    play.scene.seed = 1;
}

static const enum situation round_situations[] = {
    SITUATION_CONNECT, SITUATION_EXPIRE, SITUATION_STORM, SITUATION_REKEY, SITUATION_DUPLICATE,
    SITUATION_KILL_CN, SITUATION_KILL_ADDRESS, SITUATION_STATUS, SITUATION_USR1, SITUATION_HUP,
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* What leaves a trace that is a limit of the series is not drawn: an id that is used
 * again, and a peer that goes while it is set up */
static void
draw_round(struct scenario *round, unsigned int *seed)
{
    static const enum request requests[] = {
        REQUEST_DEL_PEER, REQUEST_GET_PEER, REQUEST_DUMP, REQUEST_SWAP_KEYS, REQUEST_DEL_KEY,
    };
    round->situation = round_situations[rand_r(seed) % COUNT(round_situations)];
    round->request = requests[rand_r(seed) % COUNT(requests)];
    round->target = rand_r(seed) % (TARGET_ALL + 1);
    round->position = rand_r(seed) % POSITION_COUNT;
    round->occurrence = 1 + rand_r(seed) % 3;
}

/* Whatever can be, at a request that the situation has (tests/server/requests) */
static void
draw_any_round(struct scenario *round, unsigned int *seed)
{
#define BIT(request) (1u << REQUEST_ ## request)
    static const unsigned int requests[COUNT(round_situations)] = {
        BIT(NEW_PEER) | BIT(SET_PEER) | BIT(NEW_KEY),
        BIT(GET_PEER),
        BIT(GET_PEER),
        BIT(NEW_KEY) | BIT(SWAP_KEYS) | BIT(DEL_KEY),
        BIT(NEW_PEER) | BIT(SET_PEER) | BIT(NEW_KEY) | BIT(DEL_PEER) | BIT(GET_PEER),
        BIT(DEL_PEER) | BIT(GET_PEER),
        BIT(DEL_PEER) | BIT(GET_PEER),
        BIT(DUMP),
        BIT(DEL_PEER) | BIT(GET_PEER),
        BIT(DEL_PEER) | BIT(GET_PEER),
    };
    unsigned int situation;
    do
    {
        situation = rand_r(seed) % COUNT(round_situations);
        round->situation = round_situations[situation];
        round->request = rand_r(seed) % REQUEST_COUNT;
        round->target = TARGET_REQUESTER + rand_r(seed) % (TARGET_COUNT - 1);
        round->position = rand_r(seed) % POSITION_COUNT;
    } while (!(requests[situation] & 1u << round->request) || !scenario_lag(round, 0)
             || !scenario_reachable(round));
    unsigned int lags = 1;
    while (scenario_lag(round, lags))
        ++lags;
    scenario_lag(round, rand_r(seed) % lags);
}

static void
append_rounds(void)
{
    unsigned int seed = play.scene.seed;
    const struct step few = { "connect", start_if_few, came_if_expected, PACE_REAL, 0 };
    for (int i = 0; i < (play.scene.any ? ROUNDS_ANY : ROUNDS); ++i)
    {
        struct scenario *round = &rounds[i];
        *round = play.scene;
        round->seed = 0;
        round->any = false;
        (play.scene.any ? draw_any_round : draw_round)(round, &seed);
        for (int n = 0; n < ESTABLISHED; ++n)
            append(few);
        append((struct step) { "round", next_round, NULL, PACE_SETTLE, 0 });
        append_situation(round->situation, round->target);
    }
}

void
scene_start(const struct scenario *scenario, const struct scene_paths *where)
{
    play.scene = *scenario;
    play.paths = *where;
    const struct step one = START_ONE, gone = EXPIRE_ONE;
    const int established = play.scene.proto == PROTO_P2P ? 1
                            : play.scene.variant == VARIANT_SLOW_SCRIPT ? ESTABLISHED_SLOW : ESTABLISHED;
    const bool comes = play.scene.situation == SITUATION_CONNECT
                       || play.scene.situation == SITUATION_DUPLICATE;

    for (int i = play.scene.seed || (comes && play.scene.proto == PROTO_P2P) ? established : 0;
         i < established; ++i)
    {
        append(one);
    }
    if (play.scene.seed)
    {
        append_rounds();
    }
    else
    {
        if (play.scene.proto != PROTO_P2P)
            append((struct step) { "status", poll_counts, NULL, PACE_SETTLE, 0 });
        append_situation(play.scene.situation, play.scene.target);
    }

    /* the server is as good as new: a client comes, and all go, each alone */
    if (play.scene.proto == PROTO_P2P || fills(play.scene.situation))
        append(gone);
    append(fills(play.scene.situation) ? (struct step) { "connect", start_next, newest_is_taken, PACE_REAL, 0 } : one);
    /* one, or two a round, may have come besides */
    for (int i = 0; i < established + 2 + (play.scene.any ? 2 * ROUNDS_ANY : 0); ++i)
        append(gone);
    append((struct step) { "terminate", terminate, NULL, PACE_SETTLE, 100 });
    atexit(at_exit);
}

int
host_idle(int timeout)
{
    /* the first time that the server is idle, it is up */
    if (!play.step)
    {
        begin(steps);
        return 0;
    }
    const bool over = play.step->pace == PACE_SETTLE ? play.settled >= play.step->seconds * 1000L
                                                     : play.step->done();
    if (over)
    {
        if (!play.step[1].name)
            verdict_stop("stuck", "the server does not end");
        begin(play.step + 1);
        return 0;
    }
    if (uptime() - play.begun > PATIENCE)
        verdict_stop("stuck", "in step '%s'", play.step->name);
    if (play.step->pace == PACE_SETTLE)
    {
        /* at least something, should it ask for no time at all */
        const long pause = timeout < 0 || timeout > 10000 ? 10000 : timeout > 0 ? timeout : 1;
        host_advance(pause);
        play.settled += pause;
        return HOST_TIMED_OUT;
    }
    if (play.step->pace == PACE_BRISK)
    {
        if (play.spins++ % 2)
        {
            host_advance(1000);
            return HOST_TIMED_OUT;
        }
        return BRISK_PAUSE;
    }
    return timeout > 0 && timeout < PAUSE ? timeout : PAUSE;
}
