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

# makefile_words NAME: what the commits of the unit tests set that variable of Makefile.am
# to, and what it refers to, a word a line
makefile_words()
{
    sed -n 's/^+//p' "$unit_tests"/commits/*/*.patch | awk -v name="$1" '
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
    left_out=$([ "$base_line" ] && echo not || echo only)
    sed "/^#/d; /  # $left_out /d; s/  #.*//" "$unit_tests/red/$1" | sort
}

# checkout BRANCH: its sources, to $scratch/BRANCH.tree
checkout()
{
    mkdir "$scratch/$1.tree"
    in_base archive "$1" | tar -C "$scratch/$1.tree" -x
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

# no_leak DRIVER: check that valgrind finds nothing in it
no_leak()
{
    what="valgrind finds no error and no leak in ${1##*/}"
    if command -v valgrind > /dev/null
    then
        check "$what" valgrind -q --error-exitcode=1 --leak-check=full \
            --errors-for-leak-kinds=definite "$1"
    else
        skip "$what" "no valgrind"
    fi
}
