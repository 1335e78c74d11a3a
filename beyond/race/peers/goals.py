"""Prints the goals of the race one by one, from the JSON that run.sh has made."""
import json, statistics, sys

same, split, idle = (json.load(open(name)) for name in sys.argv[1:4])
MODELS = {"thread-per-client", "event-loop", "async", "io-uring"}
EVENT = ["event-loop", "async", "io-uring"]


def ratio(rows, one, other):
    """Round by round, and the median of that: both had the same disturbance."""
    pairs = zip(rows[one]["rounds"], rows[other]["rounds"])
    return statistics.median(a["cpu_us"] / b["cpu_us"] for a, b in pairs)


def goal(text, value, limit):
    verdict = "met" if value <= limit else "NOT met"
    print(f"  {text:<58} {value:8.2f} <= {limit:<8g} {verdict}")


print("CPU time per message in us (server), both sides on one core, 64 bytes")
names = [row["name"] for row in same["cells"][0]["rows"]]
print(f"  {'':<18}" + "".join(f"{cell['clients']:>9}" for cell in same["cells"]))
for name in names:
    line = f"  {name:<18}"
    for cell in same["cells"]:
        rows = {row["name"]: row for row in cell["rows"]}
        line += f"{rows[name]['cpu_us']:9.2f}" if name in rows else f"{'-':>9}"
    print(line)
crowd = [statistics.median(row["crowd_cpu_us"] for row in cell["rows"]) for cell in same["cells"]]
print(f"  {'(the crowd)':<18}" + "".join(f"{cost:9.2f}" for cost in crowd))
limit = [cell["limit"]["cpu_us"] / 2 for cell in same["cells"]]
print(f"  {'(no server, half)':<18}" + "".join(f"{cost:9.2f}" for cost in limit))
print(f"  other programs meanwhile: {same['others_busy'] * 100:.0f} % of a core\n")

print("Goals")
for cell in same["cells"]:
    rows = {row["name"]: row for row in cell["rows"]}
    peers = [name for name in rows if name not in MODELS]
    if not peers:
        continue
    best = min((n for n in rows if n in MODELS), key=lambda n: rows[n]["cpu_us"])
    peer = min(peers, key=lambda n: rows[n]["cpu_us"])
    head = f"{cell['clients']} clients: "
    goal(f"{head}{best} / {peer}", ratio(rows, best, peer), 0.95)
    if "c-epoll" in rows:
        goal(f"{head}event-loop / c-epoll", ratio(rows, "event-loop", "c-epoll"), 1.0)
    dearest, name = max((row["crowd_cpu_us"] / row["cpu_us"], row["name"]) for row in rows.values())
    goal(f"{head}crowd / server, at worst ({name})", dearest, 1.0)
for row in split["cells"][-1]["rows"]:
    name = row["name"]
    if name in EVENT:
        goal(f"4096 clients: starved by {name}", row["starved"], 0)
        goal(f"4096 clients: p99 / p50 of {name}", row["p99_us"] / row["p50_us"], 3)
    else:
        tail = row["p99_us"] / row["p50_us"]
        print(f"  for comparison: {name} starves {row['starved']:g}, p99 / p50 {tail:.1f}, "
              f"serves one {row['served_least']:.2f} and another {row['served_most']:.2f}")
for row in idle["rows"]:
    name = row["name"]
    if name in EVENT:
        if name == "event-loop":
            goal("idle: bytes of the process, event-loop", row["memory_process"], 1024)
        lost = -row["per_second_change"] * 100
        goal(f"idle: 100 active lose, {name} (messages/s, %)", lost, 10)
        goal(f"idle: 100 active cost more, {name} (CPU, %)", row["cpu_change"] * 100, 10)
        goal(f"idle: newcomer waits, {name} (ms)", row["newcomer_us"] / 1e3, 20)
print("\nBytes for one idle connection: process + kernel (both ends of it)")
for row in idle["rows"]:
    both = row["memory_process"] + row["memory_kernel"]
    print(f"  {row['name']:<18} {row['memory_process']:>8.0f} + {row['memory_kernel']:>6.0f} = {both:>7.0f}")
