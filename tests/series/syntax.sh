# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # from tap.sh
#
# Whether compilers accept the sources of a tree, for Linux with DCO and without,
# FreeBSD and Windows: a check of the syntax, nothing is built or run. To be
# sourced after tap.sh.
#
# sysroot/ declares what Debian has no header for. In place of FreeBSD's C
# library there is the host's, and OpenSSL's headers are the host's for both.

sysroot=$top/tests/series/sysroot
machine=$(cc -dumpmachine)
host_include=/usr/include/$(cc -print-multiarch 2>/dev/null || :)
tip=series
! has_branch follow-up || tip=follow-up
# what the patches change beside the back-ends: they are called there
callers=$(in_base diff --name-only base $tip -- "src/openvpn/*.c" | sed "s|.*/||" | grep -v "^dco")

compile_linux()
{
    # shellcheck disable=SC2046 # a list of words
    cc -I"$scratch/linux" $(pkg-config --cflags libnl-genl-3.0 libcap-ng) "$@"
}

compile_linux_without_dco()
{
    cc -I"$scratch/linux_without_dco" "$@"
}

compile_freebsd()
{
    clang --target="${machine%%-*}-unknown-freebsd14" -I"$scratch/freebsd" -I"$sysroot/freebsd" "$@" \
        -idirafter "$host_include"
}

compile_win()
{
    x86_64-w64-mingw32-gcc -DWIN32_LEAN_AND_MEAN -DNTDDI_VERSION=NTDDI_VISTA -D_WIN32_WINNT=_WIN32_WINNT_VISTA \
        -I"$sysroot/win" -I"$scratch/win" "$@"
}

mkdir "$scratch/linux" "$scratch/linux_without_dco" "$scratch/freebsd" "$scratch/win" "$scratch/win/openssl"
cp "$build/config.h" "$scratch/linux"
sed '/^#define ENABLE_DCO /d' "$build/config.h" > "$scratch/linux_without_dco/config.h"
# what configure would find on FreeBSD: as here, but for what Linux alone has
sed 's/^#define TARGET_LINUX /#define TARGET_FREEBSD /
    /^#define \(ENABLE_SITNL\|HAVE_EPOLL_CREATE\|HAVE_LIBCAPNG\|HAVE_LINUX_[A-Z_]*\|HAVE_SYS_EPOLL_H\) /d' \
    "$build/config.h" > "$scratch/freebsd/config.h"
# not /usr/include itself: its C library is not mingw-w64's
for header in /usr/include/openssl/*.h "$host_include"/openssl/*.h
do
    [ ! -e "$header" ] || ln -sf "$header" "$scratch/win/openssl/"
done

# compile SYSTEM TREE ARGUMENT...: as OpenVPN's own build does, but for the warnings
compile()
{
    system=$1
    tree=$2
    shift 2
    "compile_$system" -std=gnu99 -DHAVE_CONFIG_H -DPLUGIN_LIBDIR='""' -I"$build/include" \
        -I"$tree/include" -I"$tree/src/compat" -I"$tree/src/openvpn" "$@"
}

# accepts SYSTEM TREE [FILE]: no error, and no warning that isn't in
# $scratch/SYSTEM.base, which is written if it does not exist
accepts()
{
    : > "$scratch/log"
    for file in ${3-"dco_${1%_without_dco}.c" dco.c $callers}
    do
        compile "$1" "$2" -fsyntax-only -Wall "$2/src/openvpn/$file" >> "$scratch/log" 2>&1 ||
            { grep "error: " "$scratch/log" || cat "$scratch/log"; return 1; }
    done
    sed -n 's|^.*/\(src/.*warning: .*\)|\1|; s/:[0-9]*:[0-9]*: / /p' "$scratch/log" | sort -u > "$scratch/warnings"
    [ -e "$scratch/$1.base" ] || cp "$scratch/warnings" "$scratch/$1.base"
    ! comm -13 "$scratch/$1.base" "$scratch/warnings" | grep .
}

# export_tree REVISION: what takes part of it, to $scratch/REVISION
export_tree()
{
    [ ! -d "$scratch/$1" ] || return 0
    mkdir "$scratch/$1"
    in_base archive "$1" include src | tar -C "$scratch/$1" -x
}

# subject REVISION: for messages
subject()
{
    in_base log -1 --format="'%s'" "$1"
}
