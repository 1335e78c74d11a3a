#!/usr/bin/env bash
# How much slower an echo pair is under strace, and under the X-ray.
# scripts/slowdown.sh [ROUND-TRIPS] [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."

TRIPS=${1:-50000}
ROUNDS=${2:-5}
for tool in cc strace unshare ip python3; do
    command -v "$tool" >/dev/null || { echo "$tool is missing" >&2; exit 1; }
done

# In a network of our own the port is free, and all packets are ours.
if [ "${DIALTONE_INSIDE:-}" != 1 ]; then
    cargo build --release --quiet -p dial
    DIALTONE_INSIDE=1 exec unshare -rn "$0" "$TRIPS" "$ROUNDS"
fi
ip link set lo mtu 1500 up

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
pair=$folder/echo-pair
cc -O2 -o "$pair" scripts/echo-pair.c
dial=target/release/dial

# Starts the server, the client when it listens, and waits for both.
both() {
    rm -f "$folder/said"
    mkfifo "$folder/said"
    "$@" "$pair" server 7000 >"$folder/said" &
    read -r _ <"$folder/said"
    "$@" "$pair" client 7000 "$TRIPS"
    wait
}
untraced() { both; }
traced() { both strace -f --seccomp-bpf -e trace=network -o /dev/null; }
xray() {
    "$dial" xray --out "$folder/xray.jsonl" -- \
        "$pair" server 7000 :: "$pair" client 7000 "$TRIPS" >/dev/null
}

# The time between the first and the last system call of the talk itself would
# leave out what a tool does before and after; so all is measured.
seconds() {
    local begin=$EPOCHREALTIME
    "$1"
    echo "$EPOCHREALTIME $begin" | awk '{ printf "%.3f\n", $1 - $2 }'
}
for round in $(seq "$ROUNDS"); do
    for way in untraced traced xray; do
        seconds "$way" >>"$folder/$way"
    done
    echo "round $round: $(for way in untraced traced xray; do printf '%s %s s  ' "$way" "$(tail -1 "$folder/$way")"; done)"
done

python3 - "$folder" "$TRIPS" <<'PYTHON'
import json
import statistics
import sys

folder, trips = sys.argv[1], int(sys.argv[2])
middle = {}
for way in ("untraced", "traced", "xray"):
    with open(f"{folder}/{way}", encoding="ascii") as times:
        middle[way] = statistics.median(map(float, times))
print(f"\n{trips} round trips, medians:")
names = {"untraced": "untraced", "traced": "strace --seccomp-bpf", "xray": "the X-ray"}
for way, seconds in middle.items():
    times = seconds / middle["untraced"]
    print(f"  {names[way]:<22}{seconds:8.3f} s{times:8.2f} times")
print(f"  the X-ray's time by that of strace: {middle['xray'] / middle['traced']:.2f}")

# What the last run has recorded: 64 bytes there and back, each time.
calls, data, unseen = {}, 0, []
with open(f"{folder}/xray.jsonl", encoding="utf-8") as recorded:
    for line in recorded:
        event = json.loads(line)
        if "call" in event:
            name = event["call"]["name"]
            calls[name] = calls.get(name, 0) + 1
        elif "packet" in event:
            data += event["packet"]["content"].get("tcp", {}).get("length", 0)
        elif "unseen" in event:
            unseen.append(event["unseen"])
sent = calls.get("sendto", 0)
print(f"\nseen: {sent} sends of {2 * trips}, {data} bytes in segments of {2 * trips * 64}")
for what in unseen:
    print(f"not seen: {what}")
sys.exit(sent != 2 * trips or data != 2 * trips * 64)
PYTHON
