#!/bin/sh
# Runs a command in a network namespace of its own, with an interface that carries multicast: its
# addresses are in PGM_IPV4 and PGM_IPV6. Exit code 77: there can be no such namespace here.
PATH="$PATH:/usr/sbin:/sbin"
export PGM_IPV4=10.77.0.1 PGM_IPV6=fd77::1
flags=-Urn
[ "$(id -u)" = 0 ] && flags=-n
unshare $flags ip link add name test type veth || exit 77
exec unshare $flags sh -c '
ip -batch - <<END || exit 77
link set lo up
link add name eth0 type veth peer name other
link set eth0 up
link set other up
addr add $PGM_IPV4/24 dev eth0
addr add $PGM_IPV6/64 dev eth0 nodad
END
exec "$@"' sh "$@"
