#!/bin/sh
# need.sh WHAT PACKAGE...: WHAT is a program, or a header's path. Where it is missing, root on Debian installs the packages;
# anybody else is told to.
set -eu
what=$1
shift
have() { case $what in /*) test -e "$what" ;; *) command -v "$what" >/dev/null 2>&1 ;; esac; }
have && exit 0
if test "$(id -u)" = 0 && command -v apt-get >/dev/null 2>&1; then
    # Suites run side by side, and apt-get does not.
    exec 9<"$0"
    flock 9
    have && exit 0
    echo "make: installing $*"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get install -y -qq --no-install-recommends "$@" || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; }; } \
        >/dev/null 2>&1 || true
    have && exit 0
fi
echo "make: $what is missing; install it (Debian, Ubuntu: apt-get install $*)" >&2
exit 1
