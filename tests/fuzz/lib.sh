# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Builds the fuzz target. To be sourced after find_base, with $build set.

: "${top:?}"

. "$top/tests/unit_tests/compile.sh"

fuzz=$build-fuzz
sanitizers="-O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"

# libFuzzer's, and the programs' of the test. A small quarantine more than
# doubles the executions per second: each read frees a buffer of 64 KiB.
export ASAN_OPTIONS=quarantine_size_mb=1:malloc_context_size=5:max_free_fill_size=0
export UBSAN_OPTIONS=print_stacktrace=1

# write_seeds DIR: the seed corpus
write_seeds()
{
    mkdir -p "$1"
    options=-O1
    # shellcheck disable=SC2086 # a list of words
    compile_objects "$base_dir" "$fuzz/plain" $dco_linux && compile_mocks "$base_dir" "$fuzz/plain" &&
    compile_for "$base_dir" -w -c -o "$fuzz/seeds.o" "$top/tests/fuzz/seeds.c" &&
    link_driver "$fuzz/seeds" "$fuzz/seeds.o" "$fuzz"/plain/*.o -Wl,--wrap=x_msg &&
    "$fuzz/seeds" "$1"
}

# compile_target TREE DIR OPTION...: the target, the mocks, and TREE's dco_linux.c,
# to DIR/*.o
compile_target()
{
    from=$1
    dir=$2
    shift 2
    # shellcheck disable=SC2086 # a list of words
    compile_objects "$from" "$dir" $dco_linux && compile_mocks "$from" "$dir" "$@" &&
    compile_for "$from" -w "$@" -c -o "$dir/target.o" "$top/tests/fuzz/fuzz_dco_read.c"
}

# link_target PROGRAM OBJECT...
link_target()
{
    link_driver "$@" -Wl,--wrap=x_msg -Wl,--wrap=x_msg_va
}

# build_fuzzer: $fuzz/fuzzer, by clang
build_fuzzer()
{
    CC=clang
    options="$sanitizers -fsanitize=fuzzer-no-link"
    compile_target "$base_dir" "$fuzz/clang" &&
    options="$sanitizers -fsanitize=fuzzer" &&
    link_target "$fuzz/fuzzer" "$fuzz"/clang/*.o
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
