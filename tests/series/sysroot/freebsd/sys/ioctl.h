/* SPDX-License-Identifier: GPL-2.0-only */
/* What FreeBSD's netintro(4) has and the host does not. The numbers are none of
 * FreeBSD's: nothing runs. */
#pragma once

#include_next <sys/ioctl.h>

#define SIOCIFCREATE    1
#define SIOCIFCREATE2   2
#define SIOCIFDESTROY   3
#define SIOCIFGCLONERS  4
#define SIOCSDRVSPEC    5
#define SIOCGDRVSPEC    6
