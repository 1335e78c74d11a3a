"""Prints the tables of ../README.md, from the files that run.sh has made: tables.py target/peers"""
import collections, json, pathlib, statistics, sys

out = pathlib.Path(sys.argv[1])
MODELS = {"thread-per-client", "event-loop", "async", "io-uring"}
# What moves messages, and what waits for them; the rest opens and closes.
MOVES = ["recvfrom", "sendto", "read", "write", "epoll_wait", "io_uring_enter"]


def load(name):
    return json.loads((out / name).read_text())


def table(title, head, lines):
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for line in lines:
        print(f"| {' | '.join(line)} |")


def system_calls():
    """Calls of the server (actor 0), for 16 clients with 100 messages each."""
    for file in sorted(out.glob("calls-*.jsonl")):
        events = map(json.loads, file.open())
        names = (event["call"]["name"] for event in events
                 if "call" in event and event.get("actor") == 0)
        count = collections.Counter(name for name in names if name in MOVES)
        words = ", ".join(f"{number:,} {name}" for name, number in count.most_common())
        yield [file.stem.removeprefix("calls-"), words, f"{sum(count.values()) / 1600:.1f}"]


def ms(micros):
    return f"{micros / 1e3:,.2f} ms"


table("System calls, counted by the X-ray",
      ["model", "system calls for 1,600 messages", "for one message"], system_calls())

same = load("same.json")
cells = [{row["name"]: row for row in cell["rows"]} for cell in same["cells"]]


def to_epoll(name):
    for rows in cells:
        pairs = zip(rows[name]["rounds"], rows["c-epoll"]["rounds"])
        yield f"{statistics.median(a['cpu_us'] / b['cpu_us'] for a, b in pairs):.2f}"


names = [name for name in cells[0] if all(name in rows for rows in cells)]
lines = [[f"**{name}**" if name in MODELS else name,
          *(f"{rows[name]['cpu_us']:.2f}" for rows in cells),
          " / ".join(to_epoll(name)) if "c-epoll" in names else "-"]
         for name in sorted(names, key=lambda name: cells[0][name]["cpu_us"])]
crowd = [statistics.median(row["crowd_cpu_us"] for row in rows.values()) for rows in cells]
lines.append(["the crowd", *(f"{cost:.2f}" for cost in crowd), ""])
half = [cell["limit"]["cpu_us"] / 2 for cell in same["cells"]]
lines.append(["no server at all, one end", *(f"{cost:.2f}" for cost in half), ""])
table(f"Peers; CPU for one message, in us (load {same['load_before']}, other programs "
      f"{same['others_busy'] * 100:.0f} % of a core)",
      ["", *(f"{cell['clients']:,} clients" for cell in same["cells"]), "to C and epoll"], lines)

table("Fairness, 4,096 clients",
      ["", "p50", "p99", "p99 / p50", "who got least", "who got most", "starved"],
      ([row["name"], ms(row["p50_us"]), ms(row["p99_us"]), f"{row['p99_us'] / row['p50_us']:.1f}",
        f"{row['served_least']:.2f}", f"{row['served_most']:.2f}", f"{row['starved']:g}"]
       for row in load("split.json")["cells"][-1]["rows"]))

table("10,000 idle connections",
      ["model", "process", "kernel", "both", "newcomer", "msg/s of 100 others", "their CPU"],
      ([row["name"], f"{row['memory_process']:,.0f}", f"{row['memory_kernel']:,.0f}",
        f"{row['memory_process'] + row['memory_kernel']:,.0f}", ms(row["newcomer_us"]),
        f"{row['per_second_change']:+.0%}", f"{row['cpu_change']:+.0%}"]
       for row in load("idle.json")["rows"]))

table("Churn, 16 clients: a call for every message",
      ["model", "msg/s", "p50", "p99", "CPU, us", "errors"],
      ([row["name"], f"{row['per_second']:,.0f}", ms(row["p50_us"]), ms(row["p99_us"]),
        f"{row['cpu_us']:.1f}", f"{row['errors']:g}"]
       for row in load("churn.json")["cells"][0]["rows"]))

for rate in (10_000, 40_000):
    table(f"Open loop, {rate:,} messages a second, 256 clients",
          ["model", "msg/s", "p50", "p99", "longest", "CPU, us"],
          ([row["name"], f"{row['per_second']:,.0f}", ms(row["p50_us"]), ms(row["p99_us"]),
            ms(row["max_us"]), f"{row['cpu_us']:.2f}"]
           for row in load(f"rate-{rate}.json")["cells"][0]["rows"]))
