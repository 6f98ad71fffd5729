# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Compiles test_dco_linux.c, or what includes it, against the dco_linux.c of
# any tree. To be sourced after lib.sh, with $build and $base_dir set.
# ${CC:-cc} is the compiler, and $options are more options.

: "${build:?}" "${base_dir:?}"

# compile_for TREE OPTION...: compile with TREE's headers
compile_for()
{
    tree=$1
    shift
    # shellcheck disable=SC2046,SC2086 # lists of words
    ${CC:-cc} -std=gnu11 -g -DHAVE_CONFIG_H -I"$build" -I"$build/include" -I"$tree/include" -I"$tree/src/compat" \
        -I"$tree/src/openvpn" -I"$base_dir/tests/unit_tests/openvpn" \
        $(pkg-config --cflags libnl-genl-3.0 cmocka libcap-ng) ${options-} "$@"
}

# compile_objects TREE DIR: TREE's dco_linux.c and what it needs, to DIR/*.o
compile_objects()
{
    mkdir -p "$2"
    for file in tests/unit_tests/openvpn/mock_msg.c tests/unit_tests/openvpn/mock_get_random.c \
        src/openvpn/buffer.c src/openvpn/dco_linux.c src/openvpn/platform.c src/openvpn/win32-util.c
    do
        name=${file##*/}
        compile_for "$1" -w -c -o "$2/${name%.c}.o" "$1/$file" || return 1
    done
}

# link_driver PROGRAM OBJECT...
link_driver()
{
    program=$1
    shift
    # shellcheck disable=SC2046,SC2086 # lists of words
    ${CC:-cc} ${options-} -Wl,--wrap=x_msg -o "$program" "$@" $(pkg-config --libs libnl-genl-3.0 cmocka libcap-ng)
}
