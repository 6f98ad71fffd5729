# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # $build: from tests/tap.sh
#
# Builds the unit tests' drivers from the sources of any revision, outside of
# their own build system. To be sourced, after tests/tap.sh.

# compile TREE OUTPUT TEST 'SOURCE...' [FLAG...]: a driver of TEST with the
# sources of TREE, its src/openvpn/SOURCE.c. FLAGs are for TEST only, those among
# the SOURCEs for the linker.
compile()
{
    tree=$1
    output=$2
    test=$3
    sources=$tree/tests/unit_tests/openvpn/mock_msg.c
    for name in $4
    do
        case $name in
        -*) sources="$sources $name" ;;
        *) sources="$sources $tree/src/openvpn/$name.c" ;;
        esac
    done
    shift 4
    flags="-std=gnu11 -g -w -Wno-incompatible-pointer-types -DHAVE_CONFIG_H -I$build -I$build/include -I$tree/include
        -I$tree/src/compat -I$tree/src/openvpn -I$tree/tests/unit_tests/openvpn
        $(pkg-config --cflags libnl-genl-3.0 cmocka libcap-ng libcrypto)"
    libs=$(pkg-config --libs libnl-genl-3.0 cmocka libcap-ng libssl libcrypto)
    # shellcheck disable=SC2086 # lists of words
    cc $flags -ffunction-sections -fdata-sections "$@" -c -o "$output.o" "$test" &&
    cc $flags -ffunction-sections -fdata-sections -Wl,--gc-sections -o "$output" \
        "$output.o" $sources $libs
}

# what test_dco_linux.c and test_dco_key.c are linked with
# shellcheck disable=SC2034
dco_linux="../../tests/unit_tests/openvpn/mock_get_random buffer dco_linux platform win32-util -Wl,--wrap=x_msg"
# shellcheck disable=SC2034
dco_key="buffer crypto crypto_mbedtls crypto_openssl forward mss mtu otime packet_id platform ssl win32-util"

# passes DRIVER CASE: whether it does, in a process of its own
passes()
{
    timeout 60 "$1" "$2" > "$scratch/out" 2>&1 && grep -q '^\[  PASSED  \] 1 test' "$scratch/out"
}
