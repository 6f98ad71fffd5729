# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Compiles the unit tests of openvpn/, and what else uses their mocks, against
# the sources of any tree, outside of its own build system. To be sourced after
# lib.sh, with $build and $base_dir set; sources commits.sh.
# ${CC:-cc} is the compiler, $options are more options.

: "${top:?}" "${build:?}" "${base_dir:?}"

. "$top/dev-tools/commits.sh"

# where the C files are; tests/bench has copies
our_tests=$unit_tests_dir

# makefile_words NAME: what the commits of the unit tests set that variable of Makefile.am
# to, and what it refers to, a word a line
makefile_words()
{
    sed -n 's/^+//p' "$commits_dir"/*/*.patch | awk -v name="$1" '
        function expand(words, word, n, i) {
            n = split(words, word)
            for (i = 1; i <= n; ++i) {
                if (word[i] ~ /^\$\(dco_/)
                    expand(value[substr(word[i], 3, length(word[i]) - 3)])
                else {
                    sub(/^\$\(top_srcdir\)\//, "", word[i])
                    print word[i]
                }
            }
        }
        { line = line $0 }
        sub(/\\$/, "", line) { next }
        { split(line, side, " = "); value[side[1]] = side[2]; line = "" }
        END { expand(value[name]) }'
}

# sources_in NAME: the C files in such a variable, one a line: paths of ours, or in a tree
sources_in()
{
    for file in $(makefile_words "$1" | grep '\.c$')
    do
        folder=
        [ "${file#*/}" != "$file" ] || folder=tests/unit_tests/openvpn/
        [ ! -e "$our_tests/$file" ] || folder=$our_tests/
        echo "$folder$file"
    done
}

# what of a tree is linked with dco_linux.c, and with multi.c and the event loops; and
# what of openvpn/ with dco_linux.c
# shellcheck disable=SC2034 # for who sources this
{
    dco_linux=$(sources_in dco_linux_sources | grep -v '^/')
    dco_multi=$(sources_in dco_multi_sources | grep -v '^/')
    dco_linux_mocks="$our_tests/mock_netlink.c $our_tests/mock_openvpn.c"
}

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

# adapter_for TREE: the options with which our own C compiles for a tree without the series
adapter_for()
{
    grep -q dco_read_and_process "$1/src/openvpn/dco.h" ||
        grep -q nl_sock_notify "$1/src/openvpn/dco_linux.h" ||
        echo "-include $top/tests/unit_tests/stock_adapter.h"
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

# objects_of DRIVER DIR: what it is linked with, one a line, when build_driver has made it
objects_of()
{
    sources_in "$1_testdriver_SOURCES" | sed "s|.*/|$2/objects/|; s|c$|o|"
}

# link_options DRIVER
link_options()
{
    words=$(makefile_words "$1_testdriver_LDFLAGS")
    echo "${words:-$(makefile_words AM_LDFLAGS)}" | grep -v '^@'
}

# build_driver TREE DIR NAME [OPTION...]: DIR/NAME, of TREE's sources and of ours, which
# are compiled with the OPTIONs. Drivers in the same DIR share objects, and have to be of
# the same TREE and OPTIONs.
build_driver()
{
    from=$1
    dir=$2
    driver=$3
    shift 3
    options="-ffunction-sections -fdata-sections -Wno-incompatible-pointer-types"
    for source in $(sources_in "${driver}_testdriver_SOURCES")
    do
        object=${source##*/}
        [ ! -e "$dir/objects/${object%.c}.o" ] || continue
        case $source in
        */mock_unused.c) compile_ours "$source" "$from" "$dir/objects" ;;
        /*) compile_ours "$source" "$from" "$dir/objects" "$@" ;;
        *) compile_objects "$from" "$dir/objects" "$source" ;;
        esac || return 1
    done
    # shellcheck disable=SC2046 # lists of words
    link_driver "$dir/$driver" $(objects_of "$driver" "$dir") $(link_options "$driver")
}

# checkout BRANCH [DIR]: its sources, to DIR, or $scratch/BRANCH.tree
checkout()
{
    to=${2-$scratch/$1.tree}
    rm -rf "$to"
    mkdir -p "$to"
    in_base archive "$1" | tar -C "$to" -x
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

# check_valgrind WHAT COMMAND...: check that it finds nothing
check_valgrind()
{
    what=$1
    shift
    if command -v valgrind > /dev/null
    then
        check "$what" valgrind -q --error-exitcode=1 --leak-check=full \
            --errors-for-leak-kinds=definite "$@"
    else
        skip "$what" "no valgrind"
    fi
}

# no_leak DRIVER: check that valgrind finds nothing in it
no_leak()
{
    check_valgrind "valgrind finds no error and no leak in ${1##*/}" "$1"
}
