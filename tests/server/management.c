/* SPDX-License-Identifier: GPL-2.0-only */
#include "management.h"
#include "verdict.h"

#include <stdarg.h>
#include <stdbool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* It stays open: the server takes one connection at a time */
static int connection = -1;

/* Read what the server wrote, so that it can write on. Returns whether the
 * connection is still there: it is not when the server has restarted. */
static bool
drain(void)
{
    char discarded[4096];
    ssize_t got;
    do
    {
        got = recv(connection, discarded, sizeof(discarded), MSG_DONTWAIT);
    } while (got > 0);
    return got < 0;
}

/* net/unix/af_unix.c: unix_outq_len() */
bool
management_was_read(void)
{
    int left = 0;
    return ioctl(connection, SIOCOUTQ, &left) == 0 && left == 0;
}

void
management_command(const char *run, const char *format, ...)
{
    char text[128];
    va_list args;
    va_start(args, format);
    const int size = vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    if (connection >= 0 && !drain())
    {
        close(connection);
        connection = -1;
    }
    if (connection < 0)
    {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/management", run);
        connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(connection, (const void *)&address, sizeof(address)))
            verdict_stop("setup", "no management interface at %s", address.sun_path);
    }
    if (send(connection, text, size, MSG_NOSIGNAL) != size)
        verdict_stop("setup", "the management interface takes no command");
}
