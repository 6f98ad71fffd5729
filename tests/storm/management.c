/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * A management client that keeps asking.
 */
#include "storm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
management_connect(struct storm *storm)
{
    for (int i = 0; i < storm->options->servers; ++i)
    {
        struct sockaddr_in address = {
            .sin_family = AF_INET,
            .sin_port = htons((uint16_t)(MANAGEMENT_PORT + i)),
        };
        const int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        inet_pton(AF_INET, GUEST_ADDRESS, &address.sin_addr);
        if (connect(sock, (const struct sockaddr *)&address, sizeof(address)) != 0)
        {
            fail(storm, "management interface: %s", strerror(errno));
        }
        storm->management[i] = sock;
    }
}

void
management_poll(struct storm *storm)
{
    static const char ask[] = "status 2\n";
    char block[16384];

    for (int i = 0; storm->options->management && i < storm->options->servers; ++i)
    {
        const int sock = storm->management[i];

        while (sock > 0 && recv(sock, block, sizeof(block), MSG_DONTWAIT) > 0)
        {
        }
        /* a stopped server doesn't read: what doesn't go now needn't go */
        if (sock > 0)
        {
            send(sock, ask, sizeof(ask) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
    }
}
