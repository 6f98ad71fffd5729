# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Compiles the unit tests' drivers, and what includes them, against the sources
# of any tree, outside of its own build system. To be sourced after lib.sh, with
# $build and $base_dir set. ${CC:-cc} is the compiler, $options are more options.

: "${build:?}" "${base_dir:?}"

# what test_dco_linux.c and test_dco_key.c are linked with
dco_linux="tests/unit_tests/openvpn/mock_msg.c tests/unit_tests/openvpn/mock_get_random.c
    src/openvpn/buffer.c src/openvpn/dco_linux.c src/openvpn/platform.c src/openvpn/win32-util.c"
dco_key="tests/unit_tests/openvpn/mock_msg.c
    src/openvpn/buffer.c src/openvpn/crypto.c src/openvpn/crypto_mbedtls.c src/openvpn/crypto_openssl.c
    src/openvpn/forward.c src/openvpn/mss.c src/openvpn/mtu.c src/openvpn/otime.c src/openvpn/packet_id.c
    src/openvpn/platform.c src/openvpn/ssl.c src/openvpn/win32-util.c"

# compile_for TREE OPTION...: compile with TREE's headers
compile_for()
{
    tree=$1
    shift
    # shellcheck disable=SC2046,SC2086 # lists of words
    ${CC:-cc} -std=gnu11 -g -DHAVE_CONFIG_H -I"$build" -I"$build/include" -I"$tree/include" -I"$tree/src/compat" \
        -I"$tree/src/openvpn" -I"$base_dir/tests/unit_tests/openvpn" \
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

# link_driver PROGRAM OBJECT... [OPTION...]
link_driver()
{
    program=$1
    shift
    # shellcheck disable=SC2046,SC2086 # lists of words
    ${CC:-cc} ${options-} -o "$program" "$@" $(pkg-config --libs libnl-genl-3.0 cmocka libcap-ng libssl libcrypto)
}

# build_driver TREE DIR TEST [OPTION...]: DIR/driver, of TREE's sources and TEST,
# which is compiled with the OPTIONs
build_driver()
{
    from=$1
    dir=$2
    test=$3
    shift 3
    case ${test##*/} in
    test_dco_linux.c) sources=$dco_linux; link=-Wl,--wrap=x_msg ;;
    test_dco_key.c) sources=$dco_key; link=-Wl,--gc-sections ;;
    *) echo "'$test' is no driver known here"; return 1 ;;
    esac
    options="-ffunction-sections -fdata-sections -Wno-incompatible-pointer-types"
    # shellcheck disable=SC2086 # a list of words
    compile_objects "$from" "$dir" $sources &&
    compile_for "$from" -w "$@" -c -o "$dir/test.o" "$test" &&
    link_driver "$dir/driver" "$dir"/*.o $link
}

# passes DRIVER CASE: whether it does, in a process of its own
passes()
{
    said=$(timeout 60 "$1" "$2" 2>&1) && echo "$said" | grep -q '^\[  PASSED  \] 1 test'
}
