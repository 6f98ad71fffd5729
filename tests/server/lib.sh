# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
#
# Plays scenarios on what tests/server/prepare has built. To be sourced after
# lib.sh, with $base and $scratch set; takes the EXIT trap.

: "${top:?}" "${base:?}" "${scratch:?}"

here=$top/tests/server
built=$top/build/server
stock=stock=$built/$base/stock
patched=patched=$built/$base/patched
follow_up=follow-up=$built/$base/follow-up
player=

# rule_awk PROGRAM ARGUMENT...: an awk program that knows the rules
rule_awk()
{
    program=$1
    shift
    awk -v upstream="${base_line:+1}" -f "$here/rules.awk" -f "$here/$program.awk" "$@"
}

# scenarios: the names of all that there are, and some long runs
scenarios()
{
    "$built/interleave" --list < "$here/requests"
    for server in udp/plain udp/script udp/no-address udp/small-buffer \
        tcp/plain tcp/script tcp/no-address tcp/small-buffer
    do
        printf "$server/%s\n" any.1 any.2 any.3
        [ "${server#*/}" = small-buffer ] || printf "$server/random.%s\n" 1 2 3 4 5 6 7
    done
}

# pick FILE DAY DAYS: which of these scenarios are played on that day, if all are to be
# within so many; long runs that are the day's own; and many clients that are refused
pick()
{
    rule_awk pick -v day="$2" -v of="$3" "$here/known" "$1"
    echo "udp/plain/random.$2"
    echo "tcp/plain/random.$2"
    printf '%s\n' udp/plain/reject.20 tcp/plain/reject.20
}

# judge WANTED PLAYED STATUS [OPTION...]: what became of those scenarios, against
# the rules; STATUS is that of play
judge()
{
    wanted=$1
    results=$2
    ended=$3
    shift 3
    sort "$results" | rule_awk judge -v status="$ended" "$@" "$here/known" "$wanted" -
}

# play SCENARIOS [OPTION...] TREE...: interleave, with the file SCENARIOS. In the
# background: a shell that waits for its foreground acts on a signal afterwards
play()
{
    scenarios=$1
    shift
    "$built/interleave" --keys "$built/keys" --openvpn "$top/build/$base/src/openvpn/openvpn" \
        "$@" < "$scenarios" &
    player=$!
    status=0
    wait $player || status=$?
    player=
    return $status
}

# clean_up: end what plays, and remove $scratch
clean_up()
{
    if [ "$player" ]
    then
        kill "$player" 2>/dev/null || :
        wait "$player" || :
    fi
    rm -rf "$scratch"
}
trap clean_up EXIT

# requests: what the servers ask of the kernel in each situation
requests()
{
    play /dev/null --requests "$stock" "$patched" "$follow_up" || :
}

# tap_of FILE: what judge says, as results
tap_of()
{
    while read -r verdict name
    do
        case $verdict in
        ok) ok "$name" ;;
        known)
            count=$((count + 1))
            echo "not ok $count - $name" ;;
        *) not_ok "$name" ;;
        esac
    done < "$1"
}
