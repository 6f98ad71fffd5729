/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs scenarios, several at a time, each against one or more builds of the
 * server, and prints what became of each.
 */
#include "run.h"
#include "scenario.h"

#include <err.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TREES 8
#define NAME 128

/* A run that has not ended after so many seconds, and one for each repeat, hangs: it
 * should take one */
#define PATIENCE 180

struct job
{
    struct scenario scenario;
    char name[NAME];
    char outcome[TREES][64];
    unsigned int open;          /* runs that have not ended */
};

struct slot
{
    struct run run;
    struct job *job;            /* NULL: free */
    int tree;
    time_t deadline;
    bool timeout;
};

static struct
{
    const char *name;
    struct run_paths paths;
} trees[TREES];
static int tree_count;

static struct job *jobs;
static size_t job_count, printed;
static const char *suppressions = "/dev/null";
static const char *keep;        /* folder for what runs leave; NULL: nothing is kept */
static char scratch[] = "/tmp/interleave.XXXXXX";
static struct slot *slots;
static int slot_count;
static bool counting;           /* --requests: of each situation the most, on any tree */
static unsigned int most[2][SITUATION_COUNT][REQUEST_COUNT];    /* on a server, in P2P mode */
static volatile sig_atomic_t interrupted;

static const char usage[] =
    "Usage: interleave [OPTION...] --keys DIR --openvpn FILE TREE=DIR... < SCENARIOS\n"
    "       interleave --requests [OPTION...] --keys DIR --openvpn FILE TREE=DIR...\n"
    "       interleave --list < REQUESTS\n"
    "\n"
    "Plays each scenario (a line of the standard input: see scenario.h) against each\n"
    "TREE, a name for the report, whose build is in DIR (tests/server/build makes\n"
    "it), and prints a line for each: its name, and TREE:OUTCOME for each tree.\n"
    "\n"
    "  --keys DIR      keys and certificates, made by tests/server/keys\n"
    "  --lsan FILE     LeakSanitizer's suppressions (default: none)\n"
    "  --openvpn FILE  the program that the clients run\n"
    "  --keep DIR      keep what failing runs leave: DIR/SCENARIO.TREE, / written as _\n"
    "  --requests      play every situation with nothing happening meanwhile, and print\n"
    "                  the requests that the servers make in each, and how often at most\n"
    "  --list          print the scenarios that these requests give\n"
    "\n"
    "An outcome is 'pass', 'unreached' (the server does not make that request, so\n"
    "nothing can come between), or what went wrong, in words joined by '+'.\n"
    "\n"
    "Exit status: 0 when nothing went wrong on the last TREE, 1 when something did,\n"
    "2 for wrong use.\n";

static _Noreturn void
wrong(const char *format, const char *what)
{
    fprintf(stderr, "interleave: ");
    fprintf(stderr, format, what);
    fprintf(stderr, "; see interleave --help\n");
    exit(2);
}

static void
on_signal(int number)
{
    interrupted = number;
}

static void
add_job(const struct scenario *scenario)
{
    jobs = realloc(jobs, (job_count + 1) * sizeof(*jobs));
    if (!jobs)
        abort();
    jobs[job_count] = (struct job) { .scenario = *scenario };
    scenario_format(scenario, jobs[job_count++].name, NAME);
}

/* What comes between in that situation, at these requests, which are
 * REQUEST:COUNT... */
static void
list_situation(struct scenario s, const char *requests)
{
    char name[NAME], word[32];
    unsigned int count;
    scenario_format(&s, name, sizeof(name));
    puts(name);
    for (int end; sscanf(requests, " %31[^: ]:%u%n", word, &count, &end) == 2; requests += end)
    {
        const int request = scenario_index(request_names, REQUEST_COUNT, word);
        if (request < 0)
            wrong("no request '%s'", word);
        s.request = request;
        for (unsigned int i = 0; i < count * (TARGET_COUNT - 1) * POSITION_COUNT; ++i)
        {
            s.position = i % POSITION_COUNT;
            s.target = TARGET_NONE + 1 + i / POSITION_COUNT % (TARGET_COUNT - 1);
            s.occurrence = 1 + i / POSITION_COUNT / (TARGET_COUNT - 1);
            for (unsigned int lag = 0; scenario_reachable(&s) && scenario_lag(&s, lag); ++lag)
            {
                scenario_format(&s, name, sizeof(name));
                puts(name);
            }
        }
    }
    if (requests[strspn(requests, " \n")])
        wrong("no REQUEST:COUNT in '%s'", requests);
}

/* The situations that servers can get into, in P2P mode or not: either play each, or list
 * what REQUESTS, those of the SITUATION, give */
static void
each_server(int situation, bool p2p, const char *requests)
{
    for (int i = 0; i < PROTO_COUNT * VARIANT_COUNT; ++i)
    {
        const struct scenario s = { .proto = i / VARIANT_COUNT, .variant = i % VARIANT_COUNT,
                                    .situation = situation };
        if ((s.proto == PROTO_P2P) != p2p || !scenario_reachable(&s))
            continue;
        if (requests)
            list_situation(s, requests);
        else
            add_job(&s);
    }
}

/* The product: what a line of requests (server|p2p SITUATION REQUEST:COUNT...) gives */
static void
list(const char *line)
{
    char mode[16] = "", word[32];
    int end = 0;
    const bool read = sscanf(line, "%15s %31s%n", mode, word, &end) == 2;
    if (!mode[0] || mode[0] == '#')
        return;
    const int situation = read ? scenario_index(situation_names, SITUATION_COUNT, word) : -1;
    const bool p2p = !strcmp(mode, "p2p");
    if (situation < 0 || (!p2p && strcmp(mode, "server")))
        wrong("no situation '%s'", line);
    each_server(situation, p2p, line + end);
}

/* What a run has asked for. Nothing comes between those of slow-script. */
static void
count_requests(const struct scenario *s, const unsigned int *made)
{
    unsigned int *m = most[s->proto == PROTO_P2P][s->situation];
    for (int i = 0; s->variant != VARIANT_SLOW_SCRIPT && i < REQUEST_COUNT; ++i)
        m[i] = made[i] > m[i] ? made[i] : m[i];
}

static void
print_requests(void)
{
    for (int i = 0; i < 2 * SITUATION_COUNT; ++i)
    {
        const bool p2p = i / SITUATION_COUNT;
        const struct scenario s = { .proto = p2p ? PROTO_P2P : PROTO_UDP,
                                    .situation = i % SITUATION_COUNT };
        if (!scenario_reachable(&s))
            continue;
        printf("%s %s", p2p ? "p2p" : "server", situation_names[s.situation]);
        for (int r = 0; r < REQUEST_COUNT; ++r)
        {
            if (most[p2p][s.situation][r])
                printf(" %s:%u", request_names[r], most[p2p][s.situation][r]);
        }
        putchar('\n');
    }
}

static void
folder_of(const char *scenario, int tree, char *text, size_t size)
{
    const int prefix = snprintf(text, size, "%s/", keep ? keep : scratch);
    snprintf(text + prefix, size - prefix, "%s.%s", scenario, trees[tree].name);
    for (char *c = text + prefix; *c; ++c)
        *c = *c == '/' ? '_' : *c;
}

static bool
fill(struct slot *slot, size_t *next)
{
    const size_t job = *next / tree_count;
    if (job == job_count)
        return false;
    char folder[256];
    slot->job = &jobs[job];
    slot->tree = (int)(*next % tree_count);
    slot->timeout = false;
    slot->deadline = time(NULL) + PATIENCE + slot->job->scenario.repeats;
    folder_of(slot->job->name, slot->tree, folder, sizeof(folder));
    run_remove(folder);
    ++slot->job->open;
    run_start(&slot->run, slot->job->name, &trees[slot->tree].paths, folder);
    ++*next;
    return true;
}

static void
drain(struct slot *slot, int status)
{
    struct job *job = slot->job;
    run_end(&slot->run, status, slot->timeout);
    snprintf(job->outcome[slot->tree], sizeof(job->outcome[0]), "%s", slot->run.outcome);
    --job->open;
    slot->job = NULL;
    if (counting)
        count_requests(&job->scenario, slot->run.requests);
    if (!strcmp(slot->run.outcome, "pass") || !keep)
        run_remove(slot->run.folder);
}

/* In order, as far as all runs of a job have ended. Returns how many of these
 * the last tree did not pass. */
static unsigned int
print_ended(size_t started)
{
    unsigned int failed = 0;
    for (; !interrupted && printed < started / tree_count && !jobs[printed].open; ++printed)
    {
        const struct job *job = &jobs[printed];
        const char *last = job->outcome[tree_count - 1];
        const bool fails = strcmp(last, "pass") && strcmp(last, "unreached");
        failed += fails;
        if (counting && fails)
            fprintf(stderr, "interleave: %s: %s, and nothing came between\n", job->name, last);
        if (counting)
            continue;
        printf("%s", job->name);
        for (int i = 0; i < tree_count; ++i)
            printf(" %s:%s", trees[i].name, job->outcome[i]);
        putchar('\n');
        fflush(stdout);
    }
    return failed;
}

static unsigned int
run_all(void)
{
    unsigned int failed = 0;
    size_t next = 0;
    for (;;)
    {
        int busy = 0;
        for (int i = 0; i < slot_count; ++i)
            busy += slots[i].job || (!interrupted && fill(&slots[i], &next));
        failed += print_ended(next);
        if (!busy)
            return failed;
        /* SIGALRM each second interrupts it, for those that hang */
        int status;
        const pid_t pid = waitpid(-1, &status, 0);
        for (int i = 0; i < slot_count; ++i)
        {
            if (!slots[i].job)
                continue;
            if (pid == slots[i].run.pid)
            {
                drain(&slots[i], status);
            }
            else if (interrupted || time(NULL) > slots[i].deadline)
            {
                slots[i].timeout = true;
                kill(slots[i].run.pid, SIGKILL);
            }
        }
        if (isatty(2))
            fprintf(stderr, "\r%zu of %zu ", printed, job_count);
    }
}

static void
on_alarm(int number)
{
    (void)number;
    alarm(1);
}

static void
add_tree(char *argument, const char *keys, const char *openvpn)
{
    char *equals = strchr(argument, '=');
    if (!equals || tree_count == TREES)
        wrong("'%s' is not TREE=DIR, or one too many", argument);
    *equals = '\0';
    char server[512];
    /* OpenVPN wants a plugin's whole path */
    const char *build = realpath(equals + 1, NULL);
    snprintf(server, sizeof(server), "%s/server", build ? build : equals + 1);
    if (access(server, X_OK))
        wrong("no %s; tests/server/build makes it", server);
    trees[tree_count].name = argument;
    trees[tree_count++].paths = (struct run_paths) { build, keys, openvpn, suppressions };
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' }, { "keys", required_argument, NULL, 'k' },
        { "openvpn", required_argument, NULL, 'o' }, { "keep", required_argument, NULL, 'K' },
        { "requests", no_argument, NULL, 'r' }, { "list", no_argument, NULL, 'l' },
        { "lsan", required_argument, NULL, 's' }, { 0 }
    };
    const char *keys = NULL, *openvpn = NULL;
    bool listing = false;
    char line[1024];

    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
    {
        switch (option)
        {
            case 'h': fputs(usage, stdout); return 0;
            case 'k': keys = optarg; break;
            case 'o': openvpn = optarg; break;
            case 'K': keep = optarg; break;
            case 's': suppressions = optarg; break;
            case 'r': counting = true; break;
            case 'l': listing = true; break;
            default: return 2;
        }
    }
    if (listing)
    {
        while (fgets(line, sizeof(line), stdin))
            list(line);
        return 0;
    }
    for (; optind < argc; ++optind)
        add_tree(argv[optind], keys, openvpn);
    if (!keys || !openvpn || !tree_count)
        wrong("%s", "needs --keys, --openvpn and a tree, or --list");
    if (access(openvpn, X_OK))
        wrong("no %s; dev-tools/materialise --build makes it", openvpn);
    for (int s = 0; counting && s < SITUATION_COUNT; ++s)
    {
        each_server(s, false, NULL);
        each_server(s, true, NULL);
    }
    while (!counting && fgets(line, sizeof(line), stdin))
    {
        struct scenario scenario;
        line[strcspn(line, " \n")] = '\0';
        if (!line[0] || line[0] == '#')
            continue;
        if (!scenario_parse(line, &scenario) || !scenario_reachable(&scenario))
            wrong("no scenario '%s'", line);
        add_job(&scenario);
    }
    if (!job_count)
        wrong("%s", "no scenarios on the standard input");
    if (!mkdtemp(scratch))
        err(2, "%s", scratch);
    slot_count = 4 * (int)sysconf(_SC_NPROCESSORS_ONLN);
    slots = calloc(slot_count, sizeof(*slots));
    if (!slots)
        abort();
    const struct sigaction alarmed = { .sa_handler = on_alarm };
    const struct sigaction stopped = { .sa_handler = on_signal };
    sigaction(SIGALRM, &alarmed, NULL);
    sigaction(SIGINT, &stopped, NULL);
    sigaction(SIGTERM, &stopped, NULL);
    sigaction(SIGHUP, &stopped, NULL);
    alarm(1);

    const unsigned int failed = run_all();
    if (counting)
        print_requests();
    run_remove(scratch);
    return interrupted ? 128 + interrupted : failed ? 1 : 0;
}
