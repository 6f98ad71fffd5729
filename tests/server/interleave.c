/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs scenarios, several at a time, each against one or more builds of the
 * server, and prints what became of each.
 */
#include "scenario.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TREES 8
#define NAME 128
#define PLAYERS 256

/* A run takes a second or a few, and one for each repeat */
#define PATIENCE 180

static struct tree
{
    const char *name;
    const char *build;          /* has server and plugin.so */
} trees[TREES];
static int tree_count;
static const char *keys, *openvpn;

static struct scenario *scenarios;
static size_t scenario_count;
static const char *keep;        /* folder for what runs leave; NULL: nothing is kept */
static char scratch[] = "/tmp/interleave.XXXXXX";
static bool counting;           /* --requests: of each situation the most, on any tree */

/* What the processes that play share */
static struct
{
    atomic_size_t next;         /* scenario to be played */
    atomic_bool failed;         /* one, on the last tree */
    atomic_uint most[2][SITUATION_COUNT][REQUEST_COUNT];        /* on a server, in P2P mode */
} *shared;

static pid_t players[PLAYERS];
static volatile sig_atomic_t interrupted;

static const char usage[] =
    "Usage: interleave [OPTION...] --keys DIR --openvpn FILE TREE=DIR... < SCENARIOS\n"
    "       interleave --requests [OPTION...] --keys DIR --openvpn FILE TREE=DIR...\n"
    "       interleave --list < REQUESTS\n"
    "\n"
    "Plays each scenario (a line of the standard input: see scenario.h) against each\n"
    "TREE, a name for the report, whose build is in DIR (tests/server/build makes\n"
    "it), and prints a line when it has: its name, and TREE:OUTCOME for each tree.\n"
    "\n"
    "  --keys DIR      keys and certificates, made by tests/server/keys\n"
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
    for (int i = 0; i < PLAYERS && players[i]; ++i)
        kill(players[i], SIGKILL);      /* what it plays goes with it */
}

static void
add_scenario(const struct scenario *scenario)
{
    scenarios = realloc(scenarios, (scenario_count + 1) * sizeof(*scenarios));
    if (!scenarios)
        abort();
    scenarios[scenario_count++] = *scenario;
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
            add_scenario(&s);
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

/* One run, in a process of its own */

struct run
{
    char outcome[64];           /* "pass", or the kinds of findings: "leaks+counts" */
    unsigned int requests[REQUEST_COUNT];       /* that were made in the situation */
};

/* How the sanitizers' exit is told from OpenVPN's own */
#define ASAN_STATUS 99
#define UBSAN_STATUS 98

/* Become the server, in its folder; SIGALRM ends it after so many SECONDS */
static _Noreturn void
start(const char *scenario, const struct tree *tree, const char *folder, unsigned int seconds)
{
    char server[512], plugin[512], options[128];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(seconds);
    snprintf(server, sizeof(server), "%s/server", tree->build);
    snprintf(plugin, sizeof(plugin), "%s/plugin.so", tree->build);
    snprintf(options, sizeof(options), "exitcode=%d:log_path=sanitizer", ASAN_STATUS);
    setenv("ASAN_OPTIONS", options, 1);
    snprintf(options, sizeof(options), "exitcode=%d:log_path=sanitizer:print_stacktrace=1",
             UBSAN_STATUS);
    setenv("UBSAN_OPTIONS", options, 1);
    const int out = open("/dev/null", O_RDWR);
    if (!chdir(folder) && dup2(out, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2)
        execl(server, server, scenario, keys, openvpn, plugin, NULL);
    _exit(127);
}

/* Whether that file of the run's folder has TEXT */
static bool
has_text(const char *folder, const char *name, const char *text)
{
    char path[512], line[1024];
    bool found = false;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof(line), file))
        found = strstr(line, text);
    if (file)
        fclose(file);
    return found;
}

static void
add(struct run *result, const char *kind)
{
    if (!strstr(result->outcome, kind))
    {
        const size_t length = strlen(result->outcome);
        snprintf(result->outcome + length, sizeof(result->outcome) - length, "%s%s",
                 length ? "+" : "", kind);
    }
}

/* What the verdict has. If the server ended WELL it has to be all of it. */
static void
add_findings(struct run *result, const char *folder, bool well)
{
    char path[512], line[512], kind[32];
    snprintf(path, sizeof(path), "%s/verdict", folder);
    FILE *file = fopen(path, "re");
    bool ended = file && !well;
    while (file && fgets(line, sizeof(line), file))
    {
        ended = !well || !strcmp(line, "end\n");
        if (sscanf(line, "request %31s", kind) == 1)
            ++result->requests[scenario_index(request_names, REQUEST_COUNT, kind)];
        /* that it ended is said better by how it did */
        if (sscanf(line, "finding %31s", kind) == 1
            && (strcmp(kind, "ends") || !result->outcome[0]))
        {
            add(result, kind);
        }
    }
    if (file)
        fclose(file);
    if (!ended)
        add(result, "setup");
}

/* Play a scenario, for so many SECONDS at most. FOLDER must not exist, and gets logs, sockets
 * and the verdict. The outcome "setup" is no result: the scenario could not be played. */
static void
run(const char *scenario, const struct tree *tree, const char *folder, unsigned int seconds,
    struct run *result)
{
    char report[32];
    int status = 0;
    if (mkdir(folder, 0700))
        err(2, "%s", folder);
    const pid_t pid = fork();
    if (pid == 0)
        start(scenario, tree, folder, seconds);
    waitpid(pid, &status, 0);
    snprintf(report, sizeof(report), "sanitizer.%d", (int)pid);

    memset(result, 0, sizeof(*result));
    if (WIFSIGNALED(status))
    {
        /* OpenVPN doesn't kill itself: the machine's want of memory does */
        add(result, WTERMSIG(status) == SIGALRM ? "hangs"
            : WTERMSIG(status) == SIGKILL ? "setup" : "signal");
    }
    else if (WEXITSTATUS(status) == ASAN_STATUS)
    {
        add(result, has_text(folder, report, "LeakSanitizer") ? "memory-leak"
            : has_text(folder, report, "heap-use-after-free") ? "use-after-free" : "asan");
    }
    else if (WEXITSTATUS(status) == UBSAN_STATUS)
    {
        add(result, "ubsan");
    }
    else if (WEXITSTATUS(status) == 1)
    {
        add(result, has_text(folder, "server.log", "Assertion failed") ? "assert" : "fatal");
    }
    add_findings(result, folder, WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) && !result->outcome[0])
        add(result, "status");
    if (!result->outcome[0])
        add(result, "pass");
}

static int
remove_one(const char *path, const struct stat *about, int type, struct FTW *place)
{
    return remove(path);
}

/* Remove a folder and all that is in it */
static void
remove_folder(const char *folder)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Nothing comes between the requests of slow-script. */
static void
count_requests(const struct scenario *s, const unsigned int *made)
{
    atomic_uint *most = shared->most[s->proto == PROTO_P2P][s->situation];
    for (int i = 0; s->variant != VARIANT_SLOW_SCRIPT && i < REQUEST_COUNT; ++i)
    {
        unsigned int before = most[i];
        while (made[i] > before && !atomic_compare_exchange_weak(&most[i], &before, made[i]))
        {
        }
    }
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
            if (shared->most[p2p][s.situation][r])
                printf(" %s:%u", request_names[r], shared->most[p2p][s.situation][r]);
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

/* On each tree. A line is written at once. */
static void
play(const struct scenario *s)
{
    char name[NAME], line[NAME + TREES * 128];
    scenario_format(s, name, sizeof(name));
    int length = snprintf(line, sizeof(line), "%s", name);
    bool pass = false;
    for (int tree = 0; tree < tree_count; ++tree)
    {
        char folder[256];
        struct run result;
        folder_of(name, tree, folder, sizeof(folder));
        remove_folder(folder);
        run(name, &trees[tree], folder, PATIENCE + s->repeats, &result);
        pass = !strcmp(result.outcome, "pass");
        if (pass || !keep)
            remove_folder(folder);
        if (counting)
            count_requests(s, result.requests);
        length += snprintf(line + length, sizeof(line) - length, " %s:%s", trees[tree].name,
                           result.outcome);
        pass = pass || !strcmp(result.outcome, "unreached");
    }
    if (!pass)
        shared->failed = true;
    if (!counting)
        puts(line);
    else if (!pass)
        fprintf(stderr, "interleave: with nothing happening meanwhile: %s\n", line);
    fflush(stdout);
}

/* Play all, in so many processes */
static void
play_all(int count)
{
    for (int i = 0; i < count; ++i)
    {
        players[i] = fork();
        if (players[i] < 0)
            err(2, "fork");
        if (players[i])
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (size_t next; (next = shared->next++) < scenario_count;)
            play(&scenarios[next]);
        exit(0);
    }
    const struct sigaction stopped = { .sa_handler = on_signal };
    sigaction(SIGINT, &stopped, NULL);
    sigaction(SIGTERM, &stopped, NULL);
    sigaction(SIGHUP, &stopped, NULL);
    for (int status; wait(&status) > 0 || errno == EINTR;)
        shared->failed |= status != 0;
}

/* The whole path, for a server is run in another folder */
static const char *
whole(const char *path)
{
    const char *result = realpath(path, NULL);
    return result ? result : path;
}

static void
add_tree(char *argument)
{
    char *equals = strchr(argument, '=');
    if (!equals || tree_count == TREES)
        wrong("'%s' is not TREE=DIR, or one too many", argument);
    *equals = '\0';
    char server[512];
    const char *build = whole(equals + 1);
    snprintf(server, sizeof(server), "%s/server", build);
    if (access(server, X_OK))
        wrong("no %s; tests/server/build makes it", server);
    trees[tree_count++] = (struct tree) { argument, build };
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' }, { "keys", required_argument, NULL, 'k' },
        { "openvpn", required_argument, NULL, 'o' }, { "keep", required_argument, NULL, 'K' },
        { "requests", no_argument, NULL, 'r' }, { "list", no_argument, NULL, 'l' }, { 0 }
    };
    bool listing = false;
    char line[1024];

    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
    {
        switch (option)
        {
            case 'h': fputs(usage, stdout); return 0;
            case 'k': keys = whole(optarg); break;
            case 'o': openvpn = whole(optarg); break;
            case 'K': keep = optarg; break;
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
        add_tree(argv[optind]);
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
        add_scenario(&scenario);
    }
    if (!scenario_count)
        wrong("%s", "no scenarios on the standard input");
    if (!mkdtemp(scratch))
        err(2, "%s", scratch);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        err(2, "mmap");
    const long count = 4 * sysconf(_SC_NPROCESSORS_ONLN);
    play_all(count < PLAYERS ? (int)count : PLAYERS);
    if (counting)
        print_requests();
    remove_folder(scratch);
    return interrupted ? 128 + interrupted : shared->failed;
}
