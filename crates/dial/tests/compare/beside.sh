#!/bin/sh
# Runs a command in a network of its own, and tcpdump beside it:
# beside.sh PACKETS COMMAND...
# With another user than root, and the rights that it needs kept, tcpdump does
# not try to become yet another one, which a user namespace cannot offer.
set -eu
if [ "$1" != inside ]; then
    exec unshare -n --map-user=65534 --map-group=65534 --keep-caps sh "$0" inside "$@"
fi
packets=$2
shift 2
ip link set lo mtu 1500 up
# Few large slots, as is its default, would lose packets.
tcpdump -i lo --immediate-mode -s 2048 -B 16384 -U -w "$packets" 2>"$packets.said" &
tcpdump=$!
trap 'kill -KILL $tcpdump' EXIT
until grep -q "listening on" "$packets.said"; do
    kill -0 $tcpdump || { cat "$packets.said" >&2; exit 1; }
done
"$@"
# When this one is written, all before it are.
python3 -c "import socket as s; s.socket(type=s.SOCK_DGRAM).sendto(b'the last packet', ('127.0.0.2', 9))"
until grep -q "the last packet" "$packets"; do :; done
