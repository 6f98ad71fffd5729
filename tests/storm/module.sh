# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # $base and $root: of tests/storm/setup
#
# The kernel module of a storm's guest. To be sourced, by tests/storm/setup.

# check_module MODULE: refuse what is none
check_module()
{
    case $1 in
    stock|trixie|unfixed) ;;
    *.deb)
        [ "$(dpkg-deb -f "$1" Package 2>/dev/null)" = openvpn-dco-dkms ] ||
            usage_error "'$1' is no package of openvpn-dco-dkms" ;;
    */*)
        [ -e "$1/drivers/net/ovpn-dco/peer.c" ] ||
            usage_error "'$1' is no ovpn-dco tree: no drivers/net/ovpn-dco/peer.c" ;;
    *) usage_error "no module '$1'; there are: stock, trixie, unfixed, FILE.deb, and paths" ;;
    esac
}

# make_module MODULE DELAY: build it, unless it is there. $module is then its name in
# the chroot, and $made what it has been made of.
make_module()
{
    made="$(ls "$root/lib/modules") $(git hash-object "$top/tests/storm/in-chroot")"
    case $1 in
    *.deb)
        module=deb-$(git hash-object "$1" | cut -c -7)
        made="$made $(git hash-object "$1")" ;;
    */*)
        module=tree-$(readlink -f -- "$1" | git hash-object --stdin | cut -c -7)
        made="$made $(source_of "$1" | git hash-object --stdin)" ;;
    stock) module=$base ;;
    *) module=$1 ;;
    esac
    module=module-$module-$2
    ! done_for "$module" "$made" || return 0

    rm -rf "$root/storm/$module" "$root/storm/$module.ko"
    mkdir "$root/storm/$module"
    package=$root/storm/$module/package.deb
    case $1 in
    *.deb) cp "$1" "$package" ;;
    */*) source_of "$1" | tar -C "$root/storm/$module" -x ;;
    stock) fetch_package "$base" openvpn-dco-dkms "$package" ;;
    *) fetch_package trixie openvpn-dco-dkms "$package" ;;
    esac
    if [ -e "$package" ]
    then
        version=$(dpkg-deb -f "$package" Version)
    else
        version=$(basename -- "$(readlink -f -- "$1")")
    fi
    [ "$1" != unfixed ] || version=$version,unfixed
    [ "$2" -eq 0 ] || version=$version,${2}ms
    say "building the module: $version"
    run_in_chroot module "$module" "$version" "$1" "$2" ||
        die "the module $version does not build for Linux $(ls "$root/lib/modules"): $(
            grep 'error: ' "$root/storm/module.log" | head -n 1 | grep . || tail -n 1 "$root/storm/module.log")"
    done_now "$module" "$made"
}
