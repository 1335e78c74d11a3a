#!/usr/bin/env bash
# Builds the peers, races everybody, writes all figures of README.md into
# target/peers, and prints the goals one by one (about ten minutes).
# What is needed: cc, and for each peer that shall take part
#   apt-get install liburing-dev libuv1-dev golang-go redis-server
# A peer that cannot be built is left out, and said to be.
set -euo pipefail
cd "$(dirname "$0")/../../.."
peers=beyond/race/peers
out=target/peers
mkdir -p "$out"

cargo build --quiet --release -p race --bins --example tokio
race=target/release/race
also=(--also "tokio=target/release/examples/tokio {port} 1")
add() { also+=(--also "$1=$2"); }
missing() { echo "left out: $1 ($2)"; }

if cc -O2 -o $out/epoll $peers/epoll.c 2>$out/why; then add c-epoll "$out/epoll {port}"
else missing c-epoll "no cc"; fi
if cc -O2 -o $out/uring $peers/uring.c -luring 2>$out/why; then add c-io_uring "$out/uring {port}"
else missing c-io_uring "needs cc, liburing-dev"; fi
if cc -O2 -o $out/libuv $peers/libuv.c -luv 2>$out/why; then add libuv "$out/libuv {port}"
else missing libuv "needs cc, libuv1-dev"; fi
if go build -o $out/gonet $peers/net.go 2>$out/why; then add go-net "$out/gonet {port}"
else missing go-net "needs golang-go"; fi
if command -v redis-server >/dev/null; then
    add redis "redis-server --port {port} --save '' --maxclients 50000 --tcp-backlog 4096"
else missing redis "needs redis-server"; fi

models=thread-per-client,event-loop,async,io-uring
tokio2=(--also "tokio-2=target/release/examples/tokio {port} 2")
echo "load before: $(cat /proc/loadavg)"
echo "1 of 8: CPU time per message, both sides on one core"
$race --json --place same --clients 16,256,4096 --size 64 --rounds 5 --time 0.2 \
    --only $models "${also[@]}" >$out/same.json
echo "2 of 8: fairness, server and crowd on separate cores"
$race --json --place split --clients 4096 --size 64 --rounds 3 --time 0.4 --only $models \
    "${tokio2[@]}" >$out/split.json ||
    $race --json --place same --clients 4096 --size 64 --rounds 3 --only $models \
        "${tokio2[@]}" >$out/split.json
echo "3 of 8: 10,000 idle connections"
$race --json --place same --idle 10000 --rounds 5 --time 0.3 --only $models \
    "${also[@]}" >$out/idle.json
echo "4 of 8: a call for every message"
$race --json --place same --churn --clients 16 --size 64 --rounds 3 --only $models \
    >$out/churn.json
echo "5 of 8: open loops, at 10,000 and 40,000 messages a second"
for rate in 10000 40000; do
    $race --json --place same --rate $rate --clients 256 --size 64 --rounds 3 --only $models \
        >$out/rate-$rate.json
done
echo "6 of 8: datagrams"
$race --json --place same --udp >$out/udp.json
echo "7 of 8: system calls, counted by the X-ray"
cargo build --quiet -p dial
cargo build --quiet --release -p lesson-7
for model in thread-per-client thread-pool event-loop async io-uring; do
    target/debug/dial xray --out $out/calls-$model.jsonl -- \
        $race server --model $model --workers 16 --quiet :: \
        target/release/lesson-7 client --clients 16 --messages 100 >/dev/null ||
        { rm -f $out/calls-$model.jsonl; echo "left out: system calls of $model (see cargo dial doctor)"; }
done
echo "8 of 8: the race as it is without options, and its chart"
$race --svg $out/race.svg >$out/race.txt
$race --json >$out/race.json
echo "load after:  $(cat /proc/loadavg)"
echo
python3 $peers/goals.py $out/same.json $out/split.json $out/idle.json
echo
echo "The tables of README.md: python3 $peers/tables.py $out"
