/* SPDX-License-Identifier: GPL-2.0-only */
/* What FreeBSD's netintro(4) and ifnet(9) have and the host does not */
#pragma once

#include_next <net/if.h>
#include <stddef.h>

/* for SIOCSDRVSPEC and SIOCGDRVSPEC */
struct ifdrv
{
    char ifd_name[IFNAMSIZ];
    unsigned long ifd_cmd;
    size_t ifd_len;
    void *ifd_data;
};

/* for SIOCIFGCLONERS */
struct if_clonereq
{
    int ifcr_total;
    int ifcr_count;
    char *ifcr_buffer;
};
