# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # $base_line: from find_base
#
# Compiles the unit tests of openvpn/, and what else uses their mocks, against
# the sources of any tree, outside of its own build system; what the cases of
# each driver are. To be sourced after lib.sh, with $build and $base_dir set.
# ${CC:-cc} is the compiler, $options are more options.

: "${top:?}" "${build:?}" "${base_dir:?}"

unit_tests=$top/tests/unit_tests
our_tests=$unit_tests/openvpn

# what of a tree the drivers are linked with: dco_key, dco_slot, dco_iroute, those of
# multi.c and the event loop, dco_peer, dco_table, and all others
dco_key="tests/unit_tests/openvpn/mock_msg.c
    src/openvpn/buffer.c src/openvpn/crypto.c src/openvpn/crypto_mbedtls.c src/openvpn/crypto_openssl.c
    src/openvpn/forward.c src/openvpn/mss.c src/openvpn/mtu.c src/openvpn/otime.c src/openvpn/packet_id.c
    src/openvpn/platform.c src/openvpn/ssl.c src/openvpn/win32-util.c"
dco_slot="tests/unit_tests/openvpn/mock_msg.c
    src/openvpn/buffer.c src/openvpn/crypto.c src/openvpn/crypto_mbedtls.c src/openvpn/crypto_openssl.c
    src/openvpn/dco.c src/openvpn/otime.c src/openvpn/packet_id.c src/openvpn/platform.c src/openvpn/ssl.c
    src/openvpn/win32-util.c"
dco_iroute="tests/unit_tests/openvpn/mock_msg.c
    src/openvpn/buffer.c src/openvpn/dco.c src/openvpn/list.c src/openvpn/mroute.c src/openvpn/otime.c
    src/openvpn/platform.c src/openvpn/win32-util.c"
dco_linux="tests/unit_tests/openvpn/mock_msg.c tests/unit_tests/openvpn/mock_get_random.c
    src/openvpn/buffer.c src/openvpn/dco_linux.c src/openvpn/otime.c src/openvpn/platform.c src/openvpn/win32-util.c"
dco_loop="$dco_linux
    src/openvpn/env_set.c src/openvpn/forward.c src/openvpn/interval.c src/openvpn/list.c src/openvpn/mbuf.c
    src/openvpn/mtcp.c src/openvpn/mudp.c src/openvpn/multi.c src/openvpn/ping.c src/openvpn/schedule.c src/openvpn/sig.c"
dco_peer="$dco_loop
    src/openvpn/dco.c"
dco_table="$dco_loop
    src/openvpn/mroute.c src/openvpn/reflect_filter.c"

# and what of openvpn/
dco_linux_mocks="$our_tests/mock_netlink.c $our_tests/mock_openvpn.c"

# what our own C is compiled with. It implements interfaces of OpenVPN's, and needs not
# all of their parameters; the kernel's NLMSG_OK() compares signs.
strict="-Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Werror"

# compile_for TREE OPTION...: compile with TREE's headers, which are not ours to warn of
compile_for()
{
    tree=$1
    shift
    # shellcheck disable=SC2046,SC2086 # lists of words
    ${CC:-cc} -std=gnu11 -g -DHAVE_CONFIG_H -isystem "$build" -isystem "$build/include" -isystem "$tree/include" \
        -isystem "$tree/src/compat" -isystem "$tree/src/openvpn" -I"$our_tests" \
        -isystem "$base_dir/tests/unit_tests/openvpn" \
        $(pkg-config --cflags libnl-genl-3.0 cmocka libcap-ng libcrypto) ${options-} "$@"
}

# compile_objects TREE DIR SOURCE...: these of TREE, to DIR/*.o
compile_objects()
{
    sources_of=$1
    objects=$2
    shift 2
    mkdir -p "$objects"
    for file
    do
        name=${file##*/}
        compile_for "$sources_of" -w -c -o "$objects/${name%.c}.o" "$sources_of/$file" || return 1
    done
}

# compile_mocks TREE DIR OPTION...: what of openvpn/ all drivers but dco_key, dco_slot and dco_iroute use
compile_mocks()
{
    compile_ours "$dco_linux_mocks" "$@"
}

# compile_ours FILES TREE DIR OPTION...: these of openvpn/, a list of words
compile_ours()
{
    ours=$1
    ours_for=$2
    objects=$3
    shift 3
    mkdir -p "$objects"
    for file in $ours
    do
        name=${file##*/}
        # shellcheck disable=SC2086 # a list of words
        compile_for "$ours_for" $strict "$@" -c -o "$objects/${name%.c}.o" "$file" || return 1
    done
}

# link_driver PROGRAM OBJECT... [OPTION...]
link_driver()
{
    program=$1
    shift
    # shellcheck disable=SC2046,SC2086 # lists of words
    ${CC:-cc} ${options-} -o "$program" "$@" $(pkg-config --libs libnl-genl-3.0 cmocka libcap-ng libssl libcrypto)
}

# build_driver TREE DIR NAME [OPTION...]: DIR/NAME, of TREE's sources and
# openvpn/test_NAME.c, which is compiled with the OPTIONs. Drivers in the same
# DIR share objects, and have to be of the same TREE and OPTIONs.
build_driver()
{
    from=$1
    dir=$2
    driver=$3
    shift 3
    options="-ffunction-sections -fdata-sections -Wno-incompatible-pointer-types"
    case $driver in
    dco_key|dco_slot|dco_iroute)
        case $driver in
        dco_key) files=$dco_key ;;
        dco_slot) files=$dco_slot ;;
        dco_iroute) files=$dco_iroute ;;
        esac
        objects=$dir/$driver.objects
        link=-Wl,--gc-sections
        # shellcheck disable=SC2086 # a list of words
        [ -d "$objects" ] || compile_objects "$from" "$objects" $files || return 1 ;;
    dco_connect|dco_instance|dco_loop|dco_peer|dco_refused|dco_room|dco_table)
        files=$dco_loop
        objects=$dir/dco_loop.objects
        case $driver in
        dco_peer) files=$dco_peer objects=$dir/dco_peer.objects ;;
        dco_table) files=$dco_table objects=$dir/dco_table.objects ;;
        esac
        link="-Wl,--gc-sections -Wl,--wrap=x_msg"
        # shellcheck disable=SC2086 # a list of words
        [ -d "$objects" ] || { compile_objects "$from" "$objects" $files &&
            compile_ours "$dco_linux_mocks $our_tests/mock_instance.c" "$from" "$objects" "$@" &&
            compile_ours "$our_tests/mock_unused.c" "$from" "$objects"; } || return 1 ;;
    *)
        objects=$dir/dco_linux.objects
        link=-Wl,--wrap=x_msg
        # shellcheck disable=SC2086 # a list of words
        [ -d "$objects" ] || { compile_objects "$from" "$objects" $dco_linux &&
            compile_mocks "$from" "$objects" "$@"; } || return 1 ;;
    esac
    # shellcheck disable=SC2086 # lists of words
    compile_for "$from" $strict "$@" -c -o "$dir/$driver.o" "$our_tests/test_$driver.c" || return 1
    # shellcheck disable=SC2086 # a list of words
    link_driver "$dir/$driver" "$dir/$driver.o" "$objects"/*.o $link
}

# the drivers that are there
drivers()
{
    for file in "$our_tests"/test_*.c
    do
        name=${file##*/test_}
        echo "${name%.c}"
    done
}

# patches_of DRIVER: what it takes for all its cases to pass: "series", or the
# numbers of follow-ups
patches_of()
{
    sed -n 's/^# with: //p' "$unit_tests/red/$1"
}

# red_of DRIVER: the cases that fail without that, sorted. "# not" and "# only" behind one
# say with which series.
red_of()
{
    sed "/^#/d; /  # $([ "$base_line" ] && echo not || echo only) /d; s/  #.*//" "$unit_tests/red/$1" | sort
}

# passes DRIVER CASE: whether it does, in a process of its own
passes()
{
    said=$(timeout 60 "$1" "$2" 2>&1) && echo "$said" | grep -q '^\[  PASSED  \] 1 test'
}

# all_pass DRIVER FILE: whether all its cases do; FILE gets their names, sorted
all_pass()
{
    status=0
    CMOCKA_MESSAGE_OUTPUT=TAP timeout 600 "$1" > "$2.tap" 2> "$2.err" || status=$?
    grep '^not ok' "$2.tap" || cat "$2.err"
    sed -n 's/^\(not \)*ok [0-9]* - //p' "$2.tap" | sort > "$2"
    [ $status -eq 0 ] && [ -s "$2" ]
}

# valgrind_passes DRIVER
valgrind_passes()
{
    valgrind -q --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite "$1"
}
