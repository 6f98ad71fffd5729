# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # $base and the like: from find_base
#
# Where the sources of a base come from, for dev-tools/materialise. To be
# sourced, after lib.sh; its functions are for after find_base.

# exclude DIR: what autotools and quilt leave in a tree is no part of a base
exclude()
{
    mkdir -p "$1/.git/info"
    printf '%s\n' /.pc/ Makefile.in /aclocal.m4 /autom4te.cache/ /compile '/config.*' \
        '!/config.h.cmake.in' /configure /configure~ /depcomp /include/openvpn-plugin.h \
        /install-sh /ltmain.sh /m4/libtool.m4 '/m4/lt*.m4' /missing /test-driver > "$1/.git/info/exclude"
}

# fetch_debian: download the source package, and set $version and $dsc
fetch_debian()
{
    for tool in apt-get dpkg-source
    do
        command -v $tool >/dev/null ||
            die "base $base needs apt-get and dpkg-source (package dpkg-dev); elsewhere than on Debian take a release, as BASE=v2.6.14"
    done
    cache=$top/src/openvpn/.cache/$base
    apt_of "$cache" deb-src "$base"
    say "fetching Debian's openvpn of $base"
    if ! (cd "$cache" && APT_CONFIG=$cache/apt.conf apt-get -qq update &&
          APT_CONFIG=$cache/apt.conf apt-get -qq source --download-only openvpn) \
          > "$cache/log" 2>&1
    then
        [ -e "$cache/fetched" ] ||
            die "cannot fetch $base: $(grep -m 1 '^E: ' "$cache/log" || tail -n 1 "$cache/log")"
        say "cannot fetch $base now; taking what was fetched before"
    else
        # apt has verified these; an older revision's .dsc may lie beside
        (cd "$cache/archives" && APT_CONFIG=$cache/apt.conf \
            apt-get -qq source --print-uris openvpn) 2>/dev/null |
            awk '$2 ~ /\.dsc$/ { print $2 }' > "$cache/fetched"
    fi
    dsc=$cache/$(cat "$cache/fetched")
    version=$(sed -n 's/^Version: //p' "$dsc" | head -n 1)
    [ "$version" = "$base_id" ] ||
        say "notice: Debian has openvpn $version, and $base_id is the recorded revision; using $version"
}

# init_base DIR: an empty git repository there, for a base
init_base()
{
    git init -q --template= -b series "$1"
    exclude "$1"
}

# commit_base DIR: what was unpacked to DIR, as a commit
commit_base()
{
    init_base "$1"
    in_base add -A
    in_base commit -q -m "openvpn $version"
    in_base clean -qfdX
}

# unpack DIR: BASE's sources in DIR, a git repository, as the commit 'base'
unpack()
{
    case $base_kind in
    debian)
        fetch_debian
        dpkg-source --no-check --no-copy -q -x "$dsc" "$1" > /dev/null
        commit_base "$1"
        ;;
    git)
        init_base "$1"
        say "fetching $base from $OPENVPN_GIT"
        in_base fetch -q --no-tags --depth=1 "$OPENVPN_GIT" "refs/tags/$base" 2>/dev/null ||
            die "cannot fetch $base from $OPENVPN_GIT (OPENVPN_GIT may name another URL or a path)"
        [ "$(in_base rev-parse 'FETCH_HEAD^{commit}')" = "$base_id" ] ||
            die "$base of $OPENVPN_GIT is not the commit $base_id"
        in_base reset -q --hard 'FETCH_HEAD^{commit}'
        ;;
    own)
        mkdir "$1"
        if [ -d "$base_id" ]
        then
            tar -C "$base_id" --exclude=./.git -c . | tar -C "$1" -x
        else
            tar -C "$1" --strip-components=1 -xf "$base_id"
        fi
        commit_base "$1"
        ;;
    esac
    in_base tag base
}
