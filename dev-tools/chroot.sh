# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Chroots of Debian suites, for the scripts that build in one. To be sourced,
# after lib.sh.

# private COMMAND...: run it with mounts and processes of its own: all of them
# end with us, however we end
private()
{
    unshare --mount --pid --fork --kill-child --mount-proc "$@" &
    trap 'kill -KILL $!; exit 130' INT
    trap 'kill -KILL $!; exit 143' TERM HUP
    wait $!
}

# install_for COMMAND PACKAGE: install the package, unless there is the command
install_for()
{
    ! command -v "$1" > /dev/null || return 0
    say "installing $2"
    { apt-get -qq update &&
        DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$2"; } > /dev/null 2>&1
}

# make_chroot SUITE ROOT PACKAGES [OPTION...]: one with the packages, unless
# there is one with the same; options are mmdebstrap's. The log goes beside ROOT.
make_chroot()
{
    suite=$1
    root=$2
    packages=$3
    shift 3
    [ "$(cat "$root/.ready" 2>/dev/null)" != "$packages" ] || return 0
    install_for mmdebstrap mmdebstrap || die "needs mmdebstrap, and cannot install it"
    rm -rf --one-file-system "$root"
    mkdir -p "${root%/*}"
    say "making a chroot of $suite"
    debian_sources deb "$suite" | sed 's/ \[.*\] / /' > "$root.sources"
    mmdebstrap --include="$packages" "$@" "$suite" "$root" < "$root.sources" > "$root.log" 2>&1 ||
        die "mmdebstrap failed: $(grep '^E: ' "$root.log" | head -n 1 | grep . || tail -n 1 "$root.log"); see $root.log"
    printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    echo "$packages" > "$root/.ready"
}

# in_root COMMAND...: run it in the chroot $root, with nothing of our environment but the proxy
in_root()
{
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        http_proxy="${http_proxy-}" DEBIAN_FRONTEND=noninteractive "$@"
}

# prove LOG COMMAND...: as in_root, with the output to LOG. A line that begins with "== " is
# a result, and told.
prove()
{
    log=$1
    shift
    status=0
    in_root "$@" > "$log" 2>&1 || status=$?
    sed -n 's/^== /  /p' "$log"
    [ $status -eq 0 ] ||
        die "failed: $(grep -E '^E: |[Ee]rror' "$log" | tail -n 1 | grep . || tail -n 1 "$log"); see ${log#"$top"/}"
}

# proved WHAT: that result, of the last prove()
proved()
{
    sed -n "s/^== $1: //p" "$log"
}

# item: standard input as the text of an item in a list, which the next lines are indented for
item()
{
    fmt -w 78 | sed '2,$s/^/  /'
}
