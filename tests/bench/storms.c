/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Reads runs of tests/storm/storm: what each round says of the time until the
 * server was in step, and of its processor time.
 */
#include <jansson.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: tests/bench/storms RUN.json...\n"
    "\n"
    "Prints a table of runs of tests/storm/storm, a line for each round. In step: seconds from\n"
    "the first peer that the kernel removed (with --stall: since the server went on) until the\n"
    "server had closed the last instance; or what became of it. CPU: the server's processor\n"
    "time from the cut to there, in seconds of the guest, and in milliseconds a client.\n";

static const char *
yes(const json_t *options, const char *name, const char *text)
{
    return json_is_true(json_object_get(options, name)) ? text : "";
}

static int
print_run(const char *path)
{
    json_error_t error;
    json_t *run = json_load_file(path, 0, &error);
    json_t *options = json_object_get(run, "options");
    const char *server = NULL;
    const char *result = NULL;
    json_t *round;
    size_t index;
    int clients = 0;

    if (!run || json_unpack(run, "{s: s, s: s, s: {s: i}}", "server", &server, "result", &result,
                            "options", "clients", &clients) != 0 || clients <= 0)
    {
        fprintf(stderr, "storms: '%s' is no run of tests/storm/storm\n", path);
        return 1;
    }
    char *name = strdup(server);
    json_array_foreach(json_object_get(run, "rounds"), index, round)
    {
        const json_t *in_step = json_object_get(round, "in_step");
        const double cpu = json_number_value(json_object_get(round, "cpu"));
        char seconds[32];

        snprintf(seconds, sizeof(seconds), "%.1f", json_number_value(in_step));
        printf("tree=%s clients=%d options=%s%s%s%s in_step=%s left=%d drops=%d cpu=%.2f\n",
               basename(name), clients, yes(options, "load", "load,"),
               yes(options, "stall", "stall,"), yes(options, "tcp", "tcp,"),
               yes(options, "no_rcvbufforce", "no-rcvbufforce,"),
               json_is_number(in_step) ? seconds : strcmp(result, "died") ? "never" : "died",
               (int)json_integer_value(json_object_get(round, "left")),
               (int)json_integer_value(json_object_get(round, "drops")), cpu);
    }
    free(name);
    json_decref(run);
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
    {
        fputs(usage, stdout);
        return 0;
    }
    if (argc < 2 || argv[1][0] == '-')
    {
        fprintf(stderr, argc < 2 ? "storms: a run or more, please; see storms --help\n"
                : "storms: unknown option '%s'; see storms --help\n", argv[1]);
        return 2;
    }
    int status = 0;
    for (int i = 1; i < argc && status == 0; ++i)
    {
        status = print_run(argv[i]);
    }
    return status;
}
