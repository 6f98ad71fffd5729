# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Builds the fuzz target. To be sourced after find_base, with $build set.

: "${top:?}"

. "$top/tests/unit_tests/compile.sh"

fuzz=$build-fuzz
sanitizers="-O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"

# what is fuzzed, of the base tree
# shellcheck disable=SC2034 # for who sources this
branches="series follow-up"

# libFuzzer's, and the programs' of the test. Each read allocates and frees 64
# KiB: a small quarantine, and contents and stacks that are not recorded, make
# that twice as fast.
export ASAN_OPTIONS=quarantine_size_mb=1:malloc_context_size=2:max_free_fill_size=0:max_malloc_fill_size=0:allocator_release_to_os_interval_ms=-1
export UBSAN_OPTIONS=print_stacktrace=1

# build_seeds: $fuzz/seeds
build_seeds()
{
    options=-O1
    # shellcheck disable=SC2086 # a list of words
    compile_objects "$base_dir" "$fuzz/plain" $dco_linux && compile_ours "$dco_linux_mocks" "$base_dir" "$fuzz/plain" &&
    compile_for "$base_dir" $strict -c -o "$fuzz/seeds.o" "$top/tests/fuzz/seeds.c" &&
    link_driver "$fuzz/seeds" "$fuzz/seeds.o" "$fuzz"/plain/*.o -Wl,--wrap=x_msg
}

# write_seeds DIR: the seed corpus, and as kept-0001 and so on what was kept of earlier runs
write_seeds()
{
    rm -rf "$1"
    mkdir -p "$1"
    build_seeds && "$fuzz/seeds" "$1" || return 1
    number=0
    awk 'function digit(i) { return index("0123456789abcdef", substr($0, i, 1)) - 1 }
        /^#/ { next }
        { for (i = 1; i < length($0); i += 2) printf "\\0%03o", 16 * digit(i) + digit(i + 1); print "" }' \
        "$top/tests/fuzz/corpus" |
    while read -r octal
    do
        number=$((number + 1))
        printf %b "$octal" > "$1/$(printf kept-%04d $number)"
    done
}

# print_inputs FILE...: as lines of tests/fuzz/corpus
print_inputs()
{
    for input
    do
        od -An -v -tx1 "$input" | tr -d ' \n'
        echo
    done
}

# target_options TREE: what tells the target that a malformed message costs no other, or
# that this is neither the series nor the follow-ups
target_options()
{
    case $1 in
    base) echo "-Wno-incompatible-pointer-types -DSTOCK -include $top/tests/unit_tests/stock_adapter.h" ;;
    follow-up) echo -DSTRICT ;;
    esac
}

# compile_target FROM DIR OPTION...: the target, the mocks, and FROM's dco_linux.c,
# to DIR/*.o. Of these dco_linux.c and the target get $coverage, too: what else
# is run is no news.
compile_target()
{
    from=$1
    dir=$2
    shift 2
    # shellcheck disable=SC2086 # lists of words
    compile_objects "$from" "$dir" $dco_linux && compile_ours "$dco_linux_mocks" "$from" "$dir" "$@" &&
    compile_for "$from" -w ${coverage-} -c -o "$dir/dco_linux.o" "$from/src/openvpn/dco_linux.c" &&
    compile_ours "$top/tests/fuzz/fuzz_dco_read.c" "$from" "$dir" ${coverage-} "$@"
}

# link_target PROGRAM OBJECT...
link_target()
{
    link_driver "$@" -Wl,--wrap=x_msg -Wl,--wrap=x_msg_va
}

# build_fuzzer TREE: $fuzz/TREE/fuzzer, by clang
build_fuzzer()
{
    CC=clang
    options=$sanitizers
    coverage=-fsanitize=fuzzer-no-link
    # shellcheck disable=SC2046 # an option or none
    checkout "$1" "$fuzz/$1/tree" &&
    compile_target "$fuzz/$1/tree" "$fuzz/$1/clang" $(target_options "$1") &&
    options="$sanitizers -fsanitize=fuzzer" &&
    link_target "$fuzz/$1/fuzzer" "$fuzz/$1"/clang/*.o
}

# have_libfuzzer: or say on standard output why not
have_libfuzzer()
{
    command -v clang > /dev/null || { echo "no clang"; return 1; }
    mkdir -p "$fuzz"
    echo 'int LLVMFuzzerTestOneInput(const void *p, unsigned long n) { return 0; }' |
        clang -x c -fsanitize=fuzzer,address,undefined -o "$fuzz/empty" - > "$fuzz/empty.log" 2>&1 ||
        { echo "clang has no libFuzzer: libclang-rt-dev is missing"; return 1; }
}

# finds PROGRAM ARGUMENT...: the program fails with a message or a sanitizer's
# report, and not for want of time
finds()
{
    status=0
    # shellcheck disable=SC2154 # of who sources this
    timeout "${patience:-60}" "$@" > "$scratch/out" 2>&1 || status=$?
    tail -n 3 "$scratch/out"
    [ $status -ne 0 ] && [ $status -ne 124 ] &&
    grep -q -E '^(server|p2p): |ERROR: [A-Za-z]*Sanitizer: |runtime error: ' "$scratch/out"
}
