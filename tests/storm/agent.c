/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The agent's requests:
 *
 *  {"run": SCRIPT}                         {"status": N, "output": TEXT}
 *  {"read": PATH}                          {"text": TEXT}
 *  {"write": PATH, "text": TEXT}           {}      executable; makes its folder
 *  {"start": true, "rcvbufforce": BOOL}    {}      see servers_start()
 *  {"signal": N}                           {}      to all servers
 *  {"load": SERVERS, "clients": N}         {}      SERVERS 0 ends it
 *  {"sample": true}                        {"time": SECONDS, "servers": [...]}
 *
 * A request that fails is answered {"error": TEXT}.
 */
#include "agent.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/** Without the bytes that JSON's strings can't have as they are. */
static json_t *
clean_string(char *text, size_t size)
{
    for (size_t i = 0; i < size; ++i)
    {
        if (text[i] == '\0' || (unsigned char)text[i] >= 0x80)
            text[i] = '?';
    }
    return json_stringn(text, size);
}

/** What can be read from a stream, up to so many bytes, as a JSON string. */
static json_t *
read_some(FILE *stream, size_t most)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    char block[4096];
    size_t got;

    while (most > 0
           && (got = fread(block, 1, most < sizeof(block) ? most : sizeof(block), stream)) > 0)
    {
        fwrite(block, 1, got, memory);
        most -= got;
    }
    fclose(memory);
    json_t *string = clean_string(text, size);
    free(text);
    return string;
}

static json_t *
failure(const char *what)
{
    return json_pack("{s: s+++}", "error", what, ": ", strerror(errno), "");
}

static json_t *
do_run(const char *script)
{
    FILE *output = popen(script, "r");

    if (!output)
        return failure("run");
    json_t *text = read_some(output, SIZE_MAX);
    int status = pclose(output);
    return json_pack("{s: i, s: o}", "status", WIFEXITED(status) ? WEXITSTATUS(status) : 255,
                     "output", text);
}

static json_t *
do_read(const char *path, json_int_t from)
{
    FILE *file = fopen(path, "r");

    if (!file)
        return failure(path);
    fseek(file, (long)from, SEEK_SET);
    json_t *text = read_some(file, 1 << 20);
    fclose(file);
    return json_pack("{s: o}", "text", text);
}

static json_t *
do_write(const char *path, const char *text)
{
    char *folder = strdup(path);

    mkdir(dirname(folder), 0755);
    free(folder);
    FILE *file = fopen(path, "w");
    if (!file)
        return failure(path);
    const bool written = fputs(text, file) >= 0 && fchmod(fileno(file), 0755) == 0;
    return fclose(file) == 0 && written ? json_object() : failure(path);
}

static json_t *
answer(json_t *request)
{
    const char *text = NULL;
    const char *path = NULL;
    int number = 0;
    int clients = 0;
    int flag = 0;
    json_int_t from = 0;

    if (json_unpack(request, "{s: s}", "run", &text) == 0)
        return do_run(text);
    if (json_unpack(request, "{s: s, s: I}", "read", &path, "from", &from) == 0)
        return do_read(path, from);
    if (json_unpack(request, "{s: s, s: s}", "write", &path, "text", &text) == 0)
        return do_write(path, text);
    if (json_unpack(request, "{s: b, s: b}", "start", &number, "rcvbufforce", &flag) == 0)
        return servers_start(flag) == 0 ? json_object() : failure("start");
    if (json_unpack(request, "{s: i}", "signal", &number) == 0)
    {
        servers_signal(number);
        return json_object();
    }
    if (json_unpack(request, "{s: i, s: i}", "load", &number, "clients", &clients) == 0)
    {
        load_end();
        return load_begin(number, clients) == 0 ? json_object() : failure("load");
    }
    if (json_object_get(request, "sample"))
    {
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return json_pack("{s: f, s: o}", "time", (double)now.tv_sec + (double)now.tv_nsec / 1e9,
                         "servers", servers_sample());
    }
    return json_pack("{s: s}", "error", "no such request");
}

/** The first process gets every orphan. */
static void
reap(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        servers_ended(pid, status);
}

static void
serve(int connection)
{
    FILE *in = fdopen(connection, "r");
    FILE *out = fdopen(dup(connection), "w");
    json_t *request;

    while ((request = json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL)))
    {
        reap();
        json_t *reply = answer(request);
        json_dumpf(reply, out, JSON_COMPACT);
        fputc('\n', out);
        fflush(out);
        json_decref(reply);
        json_decref(request);
    }
    fclose(in);
    fclose(out);
}

int
main(void)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(AGENT_PORT),
    };
    const int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    signal(SIGPIPE, SIG_IGN);
    if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) != 0
        || listen(listener, 1) != 0)
    {
        perror("agent");
        return 1;
    }
    printf("agent: ready\n");
    fflush(stdout);
    for (;;)
    {
        int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (connection >= 0)
        {
            setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
            serve(connection);
        }
    }
}
