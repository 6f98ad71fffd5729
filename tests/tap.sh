# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
#
# The Test Anything Protocol, for the tests written in sh. To be sourced, with
# $top set. BASE is the base to test; THOROUGH says to leave nothing out.

: "${top:?}"
. "$top/dev-tools/lib.sh"
find_base "${BASE:-$default_base}"

# the tests' own git commands don't depend on what the user has configured
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null

build=$top/build/$base
thorough=${THOROUGH-}
count=0

# 'make check' makes it; a test that is run by hand may come too early
if [ ! -d "$base_dir" ] || [ ! -e "$build/config.h" ]
then
    echo "1..0 # SKIP build/$base is not built: make BASE=$base"
    exit 0
fi

# ok WHAT, not_ok WHAT [WHY], skip WHAT WHY: one result
ok()
{
    count=$((count + 1))
    echo "ok $count - $1"
}

not_ok()
{
    count=$((count + 1))
    echo "not ok $count - $1"
    [ $# -lt 2 ] || printf '%s\n' "$2" | sed 's/^/# /'
}

skip()
{
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
}

# check WHAT COMMAND...: ok if the command succeeds; else its output is the why
check()
{
    what=$1
    shift
    if output=$("$@" 2>&1)
    then
        ok "$what"
    else
        not_ok "$what" "$output"
    fi
}

# is GOT EXPECTED: for check()
is()
{
    [ "$1" = "$2" ] || { echo "'$1', not '$2'"; return 1; }
}

# check_fetch WHAT COMMAND...: as check(), and whether it succeeds; skipped if sources are not
# to be had here
check_fetch()
{
    what=$1
    shift
    output=$("$@" 2>&1) && ok "$what" && return
    case $output in
    *"cannot fetch"*|*"knows no Debian mirror"*|*"needs apt-get"*|*"package debian-archive-keyring"*)
        skip "$what" "$(echo "$output" | tail -n 1)" ;;
    *) not_ok "$what" "$output" ;;
    esac
    return 1
}

# have_sanitizers: whether cc has AddressSanitizer
have_sanitizers()
{
    echo 'int main(void) { return 0; }' |
        cc -x c -fsanitize=address,undefined -o "$scratch/sanitized" - 2>/dev/null && "$scratch/sanitized" 2>/dev/null
}

# plan: the last line
plan()
{
    echo "1..$count"
}

# sample_day: set $day, in days since 1970, which decides what of too much is played:
# today, or the date SAMPLE. Says so, so that it can be played again.
sample_day()
{
    : "${SAMPLE:=$(date -u +%F)}"
    case $SAMPLE in
    [0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]) ;;
    *) die "SAMPLE is a date such as 2026-11-27, not '$SAMPLE'" ;;
    esac
    day=$(date -u -d "$SAMPLE" +%s 2>/dev/null) || die "SAMPLE is a date such as 2026-11-27, not '$SAMPLE'"
    day=$((day / 86400))
    echo "# SAMPLE=$SAMPLE plays the same again"
}

make_scratch
