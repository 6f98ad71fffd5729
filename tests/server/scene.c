/* SPDX-License-Identifier: GPL-2.0-only */
#include "check.h"
#include "client.h"
#include "host.h"
#include "instance.h"
#include "management.h"
#include "module.h"
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

/* Instead of a step's seconds: a second of the server's clock for each pause of so many
 * milliseconds without an event. --hand-window (600) is 12 seconds in which no packet came */
#define BRISK (-1)
#define BRISK_PAUSE 20

/* With DONE the server's clock runs as the real one, for clients have work to do, or is
 * BRISK. Without it it goes to the next timeout at once, for so many SECONDS. */
struct step
{
    const char *name;
    void (*begin)(void);        /* or NULL */
    bool (*done)(void);
    int seconds;
};

/* What is played, and how far it has come */
static struct
{
    struct scenario scene;      /* in a long run that of the round */
    struct scene_paths paths;
    const struct step *step;
    time_t begun;               /* the step did, by CLOCK_MONOTONIC */
    long settled;               /* milliseconds of its seconds */
    bool paused;                /* of a BRISK one: the last time */
    int started;                /* clients */
    bool expected;              /* the newest was started in this step, and has to come */
    int certificates[CLIENTS];
    unsigned int keys_before[CLIENTS];  /* count_keys() */
    int subject;                /* the client that the situation is about */
    bool armed, fired, ending;
    unsigned int seen[REQUEST_COUNT];
    bool refusing, losing;      /* who connects is refused, and gone at once */
    bool deferring;             /* who connects is deferred, and gone at once */
    unsigned int refused;
} play;

#define NEWEST (play.started - 1)

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
    play.expected = true;
    client_start(play.started++, certificate, play.scene.proto, false, &play.paths);
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
    return play.scene.proto == PROTO_P2P ? NEWEST : client_by_address(module_peer(id)->address);
}

/* The kernel peer of a client, or MODULE_NO_PEER */
static int
peer_of_client(int n)
{
    FOR_EACH_PEER(id)
    {
        if (client_of_peer(id) == n)
            return id;
    }
    return MODULE_NO_PEER;
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
    FOR_EACH_PEER(id)
        lose_peer(id);
}

static bool
newest_is_ready(void)
{
    const struct module_peer *peer = module_peer(peer_of_client(NEWEST));
    return peer->keepalive && peer->keys[0] && client_initialised(NEWEST);
}

/* The server's instance of that client, or NULL */
static const struct instance *
instance_of(int n)
{
    static struct instance list[MODULE_PEERS];
    int i = instance_list(list, MODULE_PEERS) - 1;
    while (i >= 0 && client_by_address(list[i].address) != n)
        --i;
    return i >= 0 ? &list[i] : NULL;
}

static bool
has_instance(int n)
{
    return play.scene.proto == PROTO_P2P ? instance_p2p_peer() >= 0 : instance_of(n) != NULL;
}

/* The newest client is there, or will not come */
static bool
newest_is_done(void)
{
    return newest_is_ready() || !client_alive(NEWEST) || (play.fired && !has_instance(NEWEST));
}

/* As newest_is_done(), where it has to come, if it is expected */
static bool
newest_came(void)
{
    static int seen_instance = -1;      /* the client that the server had one of */
    if (!play.expected || newest_is_ready())
        return true;
    const bool has = has_instance(NEWEST);
    if (!client_alive(NEWEST) || (seen_instance == NEWEST && !has))
    {
        verdict_add("refuses", "client %d", NEWEST);
        return true;
    }
    seen_instance = has ? NEWEST : seen_instance;
    return false;
}

static void
count_keys(enum key_change change)
{
    for (int n = 0; n < play.started; ++n)
        play.keys_before[n] = module_peer(peer_of_client(n))->changes[change];
}

/* Whether that has come to the keys of all clients that there are, since count_keys() */
static bool
all_keys(enum key_change change)
{
    for (int n = 0; n < play.started; ++n)
    {
        const struct module_peer *peer = module_peer(peer_of_client(n));
        if (client_alive(n) && peer->present && peer->changes[change] == play.keys_before[n])
            return false;
    }
    return true;
}

static bool
keys_are_swapped(void)
{
    return all_keys(KEYS_SWAPPED);
}

static bool
keys_are_new(void)
{
    return all_keys(KEY_NEW);
}

/* The newest client is there, if it is expected, or the server has refused it twice */
static bool
newest_is_taken(void)
{
    if (!play.expected || newest_is_ready())
        return true;
    if (client_alive(NEWEST)
        && log_count("server.log", "would exceed maximum number of clients") < 2)
    {
        return false;
    }
    verdict_add("refuses", "client %d", NEWEST);
    client_lose(NEWEST);
    return true;
}

/* Who is refused is told so when it asks */
static bool
newest_is_told(void)
{
    return !client_alive(NEWEST) && client_refused(NEWEST);
}

/* As many were refused, and gone at once, as have to be */
static bool
all_are_refused(void)
{
    static unsigned int begun;
    if (play.refused < play.scene.repeats && begun < play.refused)
    {
        begun = play.refused;
        client_kill(NEWEST);
        --play.started;
        start_next();
        play.begun = uptime();
    }
    play.refusing = play.refused < play.scene.repeats;
    return !play.refusing;
}

static bool
newest_is_deferred(void)
{
    return !play.deferring;
}

enum answer
scene_answer(void)
{
    if (play.deferring)
    {
        client_lose(NEWEST);
        play.deferring = false;
        return ANSWER_DEFERRED;
    }
    if (play.refusing && play.losing)
    {
        client_lose(NEWEST);
        ++play.refused;
    }
    return play.refusing ? ANSWER_REFUSED : ANSWER_ACCEPTED;
}

static void
lose_refused(void)
{
    play.losing = true;
    start_next();
}

/* Situations */

/* SITUATION_RETURN, whose server has --reneg-sec 1200 */
static void
rekey(void)
{
    count_keys(KEY_NEW);
    host_advance(1201 * 1000L);
}

static void
come_back(void)
{
    count_keys(KEY_NEW);
    client_start(play.subject, play.certificates[play.subject], PROTO_UDP, true, &play.paths);
}

/* From another address, so that another instance gets it */
static void
start_same(void)
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
    const struct module_peer *peer = module_peer(peer_of_client(play.subject));
    return client_initialised(play.subject)
           && peer->changes[KEY_NEW] > play.keys_before[play.subject];
}

/* The server learns what the kernel has counted so far */
static void
status(void)
{
    management_command("status 3\n");
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
    /* the clients' clocks decide how often something is asked there */
    play.armed = !scenario_is_alone(play.scene.situation);
    reports_compare(true);
    module_lag(play.scene.lag_requests, play.scene.lag_passes);
    play.subject = play.scene.situation == SITUATION_CONNECT ? play.started : first_client();
    switch (play.scene.situation)
    {
        case SITUATION_CONNECT:
            start_next();
            break;

        case SITUATION_EXPIRE:
            lose_subject();
            break;

        case SITUATION_STORM:
            expire_all();
            break;

        case SITUATION_REKEY:
            count_keys(KEYS_SWAPPED);
            host_advance(3601 * 1000L);         /* --reneg-sec 3600 */
            break;

        case SITUATION_RETURN:
        case SITUATION_MOVE:
            client_kill(play.subject);
            rekey();
            break;

        case SITUATION_TWIN:
        case SITUATION_DUPLICATE:
            start_same();
            break;

        case SITUATION_KILL_CN:
            management_command("kill c%d\n", play.certificates[play.subject]);
            break;

        case SITUATION_KILL_ADDRESS:
            if (instance_of(play.subject))
            {
                const struct instance *instance = instance_of(play.subject);
                const struct in_addr in = { htonl(instance->address) };
                management_command("kill %s:%u\n", inet_ntoa(in), instance->port);
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
            status();
            break;

        case SITUATION_BYTECOUNT:
            management_command("bytecount 300\n");
            break;

        case SITUATION_REJECT:
            play.refusing = true;
            start_next();
            break;

        case SITUATION_DEFER:
            play.deferring = true;
            start_next();
            break;

        case SITUATION_VANISH:
        case SITUATION_VANISH_POOL:
            FOR_EACH_PEER(id)
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
module_seen(enum request request)
{
    if (play.armed)
    {
        verdict_line("request %s", request_names[request]);
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
    verdict_line("step %s", target_names[play.scene.target]);
    const int requester = id == MODULE_NO_PEER ? peer_of_client(play.subject) : id;
    switch (play.scene.target)
    {
        case TARGET_REQUESTER:
        case TARGET_LAGGING:
            lose_peer(requester);
            break;

        case TARGET_REUSED:
            module_notify(requester, loss(requester), false);
            break;

        case TARGET_FOREIGN:
            for (int foreign = 0; foreign < FOREIGN; ++foreign)
                module_notify(foreign, REASON_EXPIRED, true);
            expire_all();
            break;

        case TARGET_REFUSED:
            return -ENOMEM;

        case TARGET_SILENT:
            return MODULE_NO_REPLY;

        default:
            FOR_EACH_PEER(peer)
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
    module_seen(REQUEST_SCRIPT);
    module_at(REQUEST_SCRIPT, POSITION_AHEAD, MODULE_NO_PEER);
    if (play.armed && play.scene.variant == VARIANT_SLOW_SCRIPT)
        probe_script_begins();

    /* the script reads from it */
    const int fd = open("fifo", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "\n", 1) != 1)
        verdict_stop("setup", "no script reads from the fifo");
    close(fd);
    if (play.armed && play.scene.variant == VARIANT_SLOW_SCRIPT)
    {
        host_advance(1000);
        probe_script_ends(play.scene.proto == PROTO_TCP);
    }
}

static void
check_now(void)
{
    play.armed = false;
    reports_compare(false);
    check(play.scene.proto == PROTO_P2P);
}

static void
check_unreached(void)
{
    if (!play.scene.seed && play.scene.target != TARGET_NONE && !play.fired)
        verdict_add("unreached", "there was no such request");
}

static void
check_situation(void)
{
    check_now();
    check_unreached();
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
    check_now();
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
    if (play.armed)
        check_unreached();
    client_kill_all();
    verdict_line("end");
}

/* One after another */

#define STEPS 128

static struct step steps[STEPS];

/* What is due later comes now at the latest */
static void
settle(void)
{
    module_lag(0, 0);
}

static void
then(const char *name, void (*begin)(void), bool (*done)(void), int seconds)
{
    static int count;
    if (count + 1 == STEPS)
        verdict_stop("setup", "more than %d steps", STEPS);
    steps[count++] = (struct step) { name, begin, done, seconds };
}

static void
begin(const struct step *next)
{
    play.step = next;
    play.begun = uptime();
    play.settled = 0;
    play.paused = false;
    verdict_line("step %s", play.step->name);
    if (play.step->begin)
        play.step->begin();
}

static void
start_if(bool wanted)
{
    play.expected = false;
    if (wanted)
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

/* Whether the server is full then */
static bool
fills(enum situation situation)
{
    return situation == SITUATION_VANISH || situation == SITUATION_VANISH_POOL || situation == SITUATION_GARBLED;
}

static void
append_situation(enum situation situation, enum target target)
{
    static bool (*const done[SITUATION_COUNT])(void) = {
        [SITUATION_CONNECT] = newest_is_done, [SITUATION_DUPLICATE] = newest_is_done,
        [SITUATION_REKEY] = keys_are_swapped, [SITUATION_RETURN] = keys_are_new,
        [SITUATION_MOVE] = keys_are_new, [SITUATION_TWIN] = newest_came,
        [SITUATION_REJECT] = newest_is_told, [SITUATION_DEFER] = newest_is_deferred,
    };
    then("situation", trigger, done[situation], situation == SITUATION_REKEY ? BRISK : 1);
    if (situation == SITUATION_REJECT)
        then("lose", lose_refused, all_are_refused, 0);
    if (fills(situation))
    {
        for (int i = 0; i < ESTABLISHED; ++i)
            then("fill", start_if_room, newest_came, 0);
        /* unless the peers of all that it is full of are there */
        then("knock", start_if_few, newest_is_taken, 0);
    }
    if (target == TARGET_LAGGING)
    {
        then("close", NULL, NULL, situation == SITUATION_INACTIVE ? 70 : 1);
        then("connect", start_next, newest_came, 0);
    }
    if (situation == SITUATION_RETURN || situation == SITUATION_MOVE)
        then("rekey fails", NULL, NULL, 601);       /* --hand-window */
    if (situation == SITUATION_RETURN)
    {
        then("back", come_back, is_back, 0);
        then("rekey", rekey, keys_are_new, 0);
    }
    if (situation == SITUATION_MOVE)
        then("back", start_same, newest_came, 0);
    if (situation == SITUATION_MOVE || situation == SITUATION_TWIN)
        then("expire", lose_subject, NULL, 1);
    then("settle", settle, NULL, SETTLE);
    then("check", check_situation, NULL, 1);
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
    verdict_line("step %s", name);
    play.scene.seed = 1;
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define BIT(request) (1u << REQUEST_ ## request)

/* What is drawn from, and the requests that the situation has (tests/server/requests) */
static const struct
{
    enum situation situation;
    unsigned int requests;
} round_situations[] = {
    { SITUATION_CONNECT, BIT(NEW_PEER) | BIT(SET_PEER) | BIT(NEW_KEY) },
    { SITUATION_EXPIRE, BIT(GET_PEER) },
    { SITUATION_STORM, BIT(GET_PEER) },
    { SITUATION_REKEY, BIT(NEW_KEY) | BIT(SWAP_KEYS) | BIT(DEL_KEY) },
    { SITUATION_DUPLICATE,
      BIT(NEW_PEER) | BIT(SET_PEER) | BIT(NEW_KEY) | BIT(DEL_PEER) | BIT(GET_PEER) },
    { SITUATION_KILL_CN, BIT(DEL_PEER) | BIT(GET_PEER) },
    { SITUATION_KILL_ADDRESS, BIT(DEL_PEER) | BIT(GET_PEER) },
    { SITUATION_STATUS, BIT(DUMP) },
    { SITUATION_USR1, BIT(DEL_PEER) | BIT(GET_PEER) },
    { SITUATION_HUP, BIT(DEL_PEER) | BIT(GET_PEER) },
};

/* What leaves a trace that is a limit of the series is not drawn: an id that is used
 * again, and a peer that goes while it is set up */
static void
draw_round(struct scenario *round, unsigned int *seed)
{
    static const enum request requests[] = {
        REQUEST_DEL_PEER, REQUEST_GET_PEER, REQUEST_DUMP, REQUEST_SWAP_KEYS, REQUEST_DEL_KEY,
    };
    round->situation = round_situations[rand_r(seed) % COUNT(round_situations)].situation;
    round->request = requests[rand_r(seed) % COUNT(requests)];
    round->target = rand_r(seed) % (TARGET_ALL + 1);
    round->position = rand_r(seed) % POSITION_COUNT;
    round->occurrence = 1 + rand_r(seed) % 3;
}

/* Whatever can be */
static void
draw_any_round(struct scenario *round, unsigned int *seed)
{
    unsigned int requests;
    do
    {
        const unsigned int i = rand_r(seed) % COUNT(round_situations);
        requests = round_situations[i].requests;
        round->situation = round_situations[i].situation;
        round->request = rand_r(seed) % REQUEST_COUNT;
        round->target = TARGET_REQUESTER + rand_r(seed) % (TARGET_COUNT - 1);
        round->position = rand_r(seed) % POSITION_COUNT;
    } while (!(requests & 1u << round->request) || !scenario_lag(round, 0)
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
    for (int i = 0; i < (play.scene.any ? ROUNDS_ANY : ROUNDS); ++i)
    {
        struct scenario *round = &rounds[i];
        *round = play.scene;
        round->seed = 0;
        round->any = false;
        (play.scene.any ? draw_any_round : draw_round)(round, &seed);
        for (int n = 0; n < ESTABLISHED; ++n)
            then("connect", start_if_few, newest_came, 0);
        then("round", next_round, NULL, 0);
        append_situation(round->situation, round->target);
    }
}

void
scene_start(const struct scenario *scenario, const struct scene_paths *where)
{
    play.scene = *scenario;
    play.paths = *where;
    const enum situation situation = play.scene.situation;
    const bool p2p = play.scene.proto == PROTO_P2P;
    const bool slow = play.scene.variant == VARIANT_SLOW_SCRIPT;
    const int established = p2p ? 1 : slow ? ESTABLISHED_SLOW : ESTABLISHED;

    if (play.scene.seed)
    {
        append_rounds();
    }
    else
    {
        /* in P2P mode who connects is the only one */
        for (int i = 0; i < established && !(p2p && situation == SITUATION_CONNECT); ++i)
            then("connect", start_next, newest_came, 0);
        if (!p2p)
            then("status", status, NULL, 0);
        append_situation(situation, play.scene.target);
    }

    /* the server is as good as new: a client comes, and all go, each alone */
    if (p2p || fills(situation))
        then("expire", expire_one, NULL, 2);
    then("connect", start_next, fills(situation) ? newest_is_taken : newest_came, 0);
    /* one, or two a round, may have come besides */
    for (int i = 0; i < established + 2 + (play.scene.any ? 2 * ROUNDS_ANY : 0); ++i)
        then("expire", expire_one, NULL, 2);
    then("terminate", terminate, NULL, 100);
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
    const bool over = play.step->done ? play.step->done()
                      : play.settled >= play.step->seconds * 1000L;
    if (over)
    {
        if (!play.step[1].name)
            verdict_stop("stuck", "the server does not end");
        begin(play.step + 1);
        return 0;
    }
    if (uptime() - play.begun > PATIENCE)
        verdict_stop("stuck", "in step '%s'", play.step->name);
    if (!play.step->done)
    {
        /* at least something, should it ask for no time at all */
        const long pause = timeout < 0 || timeout > 10000 ? 10000 : timeout > 0 ? timeout : 1;
        host_advance(pause);
        play.settled += pause;
        return HOST_TIMED_OUT;
    }
    if (play.step->seconds == BRISK)
    {
        play.paused = !play.paused;
        if (play.paused)
            return BRISK_PAUSE;
        host_advance(1000);
        return HOST_TIMED_OUT;
    }
    return timeout > 0 && timeout < PAUSE ? timeout : PAUSE;
}
