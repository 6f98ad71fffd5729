/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * refuse PROGRAM ARGUMENT...: runs it with EPERM for SO_RCVBUFFORCE, as socket(7) says that a
 * process without CAP_NET_ADMIN gets. A server can't be without: the module asks for it,
 * too (GENL_ADMIN_PERM in its netlink.c).
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    if (argc > 1 && filter
        && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setsockopt), 2,
                            SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET),
                            SCMP_A2(SCMP_CMP_EQ, SO_RCVBUFFORCE)) == 0
        && seccomp_load(filter) == 0)
    {
        execv(argv[1], argv + 1);
    }
    perror("refuse");
    return 127;
}
