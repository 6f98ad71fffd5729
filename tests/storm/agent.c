/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The agent's conversation with the host.
 */
#include "agent.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/** Run a script; of its output without the bytes that JSON's strings can't have as they are. */
static json_t *
run(const char *script)
{
    FILE *output = popen(script, "r");
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    int c;

    while (output && (c = getc_unlocked(output)) != EOF)
        putc_unlocked(c == '\0' || c >= 0x80 ? '?' : c, memory);
    fclose(memory);
    const int status = output ? pclose(output) : -1;
    json_t *reply = json_pack("{s: i, s: s%}", "status",
                              WIFEXITED(status) ? WEXITSTATUS(status) : 255, "output", text, size);
    free(text);
    return reply;
}

static json_t *
answer(json_t *request)
{
    const char *script;
    int servers = 0;

    if (json_unpack(request, "{s: s}", "run", &script) == 0)
        return run(script);
    json_unpack(request, "{s: i}", "sample", &servers);
    struct sample sample;
    servers_sample(&sample, servers);
    return json_pack(SAMPLE_FORMAT, SAMPLE_MEMBERS(, &sample));
}

static void
serve(int connection)
{
    FILE *in = fdopen(connection, "r");
    FILE *out = fdopen(dup(connection), "w");
    json_t *request;

    while ((request = json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL)))
    {
        /* the first process gets every orphan */
        while (waitpid(-1, NULL, WNOHANG) > 0)
        {
        }
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
    const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(AGENT_PORT) };
    const int one = 1;
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

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
        const int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (connection >= 0)
        {
            setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
            serve(connection);
        }
    }
}
