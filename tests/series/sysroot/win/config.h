/* SPDX-License-Identifier: GPL-2.0-only */
/* What OpenVPN's configure finds out about mingw-w64, as far as the files that
 * backends.test compiles depend on it */
#define TARGET_WIN32 1

#define ENABLE_CRYPTO_OPENSSL 1
#define ENABLE_DCO 1
#define ENABLE_FRAGMENT 1
#define ENABLE_MANAGEMENT 1
#define ENABLE_PLUGIN 1

#define HAVE_FCNTL_H 1
#define HAVE_SYS_STAT_H 1
#define HAVE_SYS_TIME_H 1
#define HAVE_SYS_TYPES_H 1
#define HAVE_UNISTD_H 1

#define EMPTY_ARRAY_SIZE
#define PACKAGE_NAME "OpenVPN"
#define PACKAGE_VERSION "2.6"
#define PATH_SEPARATOR '\\'
#define PATH_SEPARATOR_STR "\\"

/* not in mingw-w64 */
#define in_addr_t uint32_t
#define in_port_t uint16_t
#define SIGHUP 1
#define SIGUSR1 10
#define SIGUSR2 12
