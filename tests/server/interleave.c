/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs scenarios, several at a time, each against one or more builds of the
 * server, and prints what became of each.
 */
#include "run.h"
#include "scenario.h"

#include <errno.h>
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
    char scenario[NAME];
    char outcome[TREES][64];
    unsigned int open;          /* runs that have not ended */
    unsigned int requests[REQUEST_COUNT];       /* for --requests */
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
static volatile sig_atomic_t interrupted;

static const char usage[] =
    "Usage: interleave [OPTION...] --keys DIR --openvpn FILE TREE=DIR... < SCENARIOS\n"
    "       interleave --requests [OPTION...] --keys DIR --openvpn FILE TREE=DIR\n"
    "       interleave --list[=LAST] < REQUESTS\n"
    "\n"
    "Plays each scenario (a line of the standard input: see scenario.h) against each\n"
    "TREE, a name for the report, whose build is in DIR (tests/server/build makes\n"
    "it), and prints a line for each: its name, and TREE:OUTCOME for each tree.\n"
    "\n"
    "  --keys DIR      keys and certificates, made by tests/server/keys\n"
    "  --lsan FILE     LeakSanitizer's suppressions (default: none)\n"
    "  --openvpn FILE  the program that the clients run\n"
    "  --jobs N        so many at a time (default: 4 for each processor)\n"
    "  --keep DIR      keep what failing runs leave: DIR/SCENARIO.TREE, / written as _\n"
    "  --requests      play every situation with nothing happening meanwhile, and\n"
    "                  print the requests that the server makes in each, counted\n"
    "  --list[=LAST]   print the scenarios that these requests give, up to the\n"
    "                  LASTth request of a kind in a situation (default: all)\n"
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
add_job(const char *scenario)
{
    struct scenario parsed;
    if (!scenario_parse(scenario, &parsed) || !scenario_reachable(&parsed))
        wrong("no scenario '%s'", scenario);
    jobs = realloc(jobs, (job_count + 1) * sizeof(*jobs));
    if (!jobs)
        abort();
    memset(&jobs[job_count], 0, sizeof(*jobs));
    snprintf(jobs[job_count++].scenario, NAME, "%s", scenario);
}

static void
add_all_situations(void)
{
    for (int p = 0; p < PROTO_COUNT; ++p)
    {
        for (int v = 0; v < VARIANT_COUNT; ++v)
        {
            for (int s = 0; s < SITUATION_COUNT; ++s)
            {
                const struct scenario scenario = { .proto = p, .variant = v, .situation = s };
                char name[NAME];
                scenario_format(&scenario, name, sizeof(name));
                if (scenario_reachable(&scenario))
                    add_job(name);
            }
        }
    }
}

/* What comes between in that situation, at these requests, which are
 * REQUEST:COUNT... */
static void
list_situation(struct scenario s, const char *requests, unsigned int last)
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
        for (s.occurrence = 1; s.occurrence <= count && s.occurrence <= last; ++s.occurrence)
        {
            for (int i = 0; i < (TARGET_COUNT - 1) * POSITION_COUNT; ++i)
            {
                s.target = TARGET_NONE + 1 + i / POSITION_COUNT;
                s.position = i % POSITION_COUNT;
                for (unsigned int lag = 0; scenario_reachable(&s) && scenario_lag(&s, lag); ++lag)
                {
                    scenario_format(&s, name, sizeof(name));
                    puts(name);
                }
            }
        }
    }
    if (requests[strspn(requests, " \n")])
        wrong("no REQUEST:COUNT in '%s'", requests);
}

/* The product: what a line of requests (server|p2p SITUATION REQUEST:COUNT...) gives */
static void
list(const char *line, unsigned int last)
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
    for (int p = 0; p < PROTO_COUNT; ++p)
    {
        for (int v = 0; v < VARIANT_COUNT; ++v)
        {
            const struct scenario s = { .proto = p, .variant = v, .situation = situation };
            if ((p == PROTO_P2P) == p2p && scenario_reachable(&s))
                list_situation(s, line + end, last);
        }
    }
}

static void
count_requests(struct job *job, const char *folder)
{
    char path[512], line[512], name[32];
    snprintf(path, sizeof(path), "%s/verdict", folder);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
    {
        if (sscanf(line, "request %31s", name) == 1)
            ++job->requests[scenario_index(request_names, REQUEST_COUNT, name)];
    }
    if (file)
        fclose(file);
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
    struct scenario scenario;
    scenario_parse(slot->job->scenario, &scenario);
    slot->deadline = time(NULL) + PATIENCE + scenario.repeats;
    folder_of(slot->job->scenario, slot->tree, folder, sizeof(folder));
    run_remove(folder);
    ++slot->job->open;
    run_start(&slot->run, slot->job->scenario, &trees[slot->tree].paths, folder);
    ++*next;
    return true;
}

static void
drain(struct slot *slot, int status, bool requests)
{
    struct job *job = slot->job;
    run_end(&slot->run, status, slot->timeout);
    snprintf(job->outcome[slot->tree], sizeof(job->outcome[0]), "%s", slot->run.outcome);
    --job->open;
    slot->job = NULL;
    const bool pass = !strcmp(slot->run.outcome, "pass");
    if (requests && !pass)
    {
        fprintf(stderr, "interleave: %s: %s, with nothing happening meanwhile\n", job->scenario,
                slot->run.outcome);
    }
    if (requests)
        count_requests(job, slot->run.folder);
    if (pass || !keep)
        run_remove(slot->run.folder);
}

/* In order, as far as all runs of a job have ended. Returns how many of these
 * the last tree did not pass. */
static unsigned int
print_ended(size_t started, bool requests)
{
    unsigned int failed = 0;
    for (; !interrupted && printed < started / tree_count && !jobs[printed].open; ++printed)
    {
        const struct job *job = &jobs[printed];
        failed += strcmp(job->outcome[tree_count - 1], "pass")
                  && strcmp(job->outcome[tree_count - 1], "unreached");
        printf("%s", job->scenario);
        for (int i = 0; requests && i < REQUEST_COUNT; ++i)
        {
            if (job->requests[i])
                printf(" %s:%u", request_names[i], job->requests[i]);
        }
        for (int i = 0; !requests && i < tree_count; ++i)
            printf(" %s:%s", trees[i].name, job->outcome[i]);
        putchar('\n');
        fflush(stdout);
    }
    return failed;
}

static unsigned int
run_all(bool requests)
{
    unsigned int failed = 0;
    size_t next = 0;
    for (;;)
    {
        int busy = 0;
        for (int i = 0; i < slot_count; ++i)
            busy += slots[i].job || (!interrupted && fill(&slots[i], &next));
        failed += print_ended(next, requests);
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
                drain(&slots[i], status, requests);
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
        { "openvpn", required_argument, NULL, 'o' }, { "jobs", required_argument, NULL, 'j' },
        { "keep", required_argument, NULL, 'K' }, { "requests", no_argument, NULL, 'r' },
        { "list", optional_argument, NULL, 'l' },
        { "lsan", required_argument, NULL, 's' }, { 0 }
    };
    const char *keys = NULL, *openvpn = NULL;
    bool requests = false, listing = false;
    unsigned long last = ~0U;
    char line[1024];
    long jobs_at_a_time = 4 * sysconf(_SC_NPROCESSORS_ONLN);

    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
    {
        switch (option)
        {
            case 'h': fputs(usage, stdout); return 0;
            case 'k': keys = optarg; break;
            case 'o': openvpn = optarg; break;
            case 'j': jobs_at_a_time = strtol(optarg, NULL, 10); break;
            case 'K': keep = optarg; break;
            case 's': suppressions = optarg; break;
            case 'r': requests = true; break;
            case 'l': listing = true; last = optarg ? strtoul(optarg, NULL, 10) : last; break;
            default: return 2;
        }
    }
    if (jobs_at_a_time < 1 || jobs_at_a_time > 1000 || last == 0)
        wrong("%s, from 1 on", jobs_at_a_time < 1 ? "--jobs" : "--jobs or --list");
    if (listing)
    {
        while (fgets(line, sizeof(line), stdin))
            list(line, (unsigned int)last);
        return 0;
    }
    for (; optind < argc; ++optind)
        add_tree(argv[optind], keys, openvpn);
    if (!keys || !openvpn || !tree_count || (requests && tree_count > 1))
        wrong("%s", "needs --keys, --openvpn and a tree, or --list");
    if (access(openvpn, X_OK))
        wrong("no %s; dev-tools/materialise --build makes it", openvpn);
    if (requests)
        add_all_situations();
    while (!requests && fgets(line, sizeof(line), stdin))
    {
        line[strcspn(line, " \n")] = '\0';
        if (line[0] && line[0] != '#')
            add_job(line);
    }
    if (!job_count)
        wrong("%s", "no scenarios on the standard input");
    if (!mkdtemp(scratch))
    {
        perror(scratch);
        return 2;
    }
    slot_count = (int)jobs_at_a_time;
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

    const unsigned int failed = run_all(requests);
    run_remove(scratch);
    return interrupted ? 128 + interrupted : failed ? 1 : 0;
}
