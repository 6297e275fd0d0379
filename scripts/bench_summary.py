#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Puts the lines of one run of scripts/bench together: minimum, median and maximum of each figure over the rounds, then the
# ratios, each from medians of runs that took turns. Void runs are told and make the exit status 1.
# usage: bench_summary.py RESULTS [--json FILE] [--plot FILE.svg]
import argparse
import collections
import json
import random
import shutil
import statistics
import subprocess
import sys

WIRE_OVERHEAD = 24  # FCS, preamble and gap: bytes of a link's time that no frame holds

# What is told: (text, unit kind, ours, theirs, floor, target). "cost" is theirs/ours of nanoseconds: how many times as quick
# we are; "rate" ours/theirs.
RATIOS = [
    ("forward on net_null, zero frames: wire / testpmd macswap", "cost", ("wire net_null", "ns"),
     ("testpmd macswap net_null", "ns"), None, None),
    ("forward + verdict on net_pcap: wire --no-inspect / testpmd macswap (flows repeat)", "cost",
     ("wire no-inspect net_pcap", "ns"), ("testpmd macswap net_pcap x2", "ns"), 0.80, 0.90),
    ("forward + verdict on net_pcap, 1,000 blocks: worker's loop / testpmd macswap", "cost", ("port", "forward.ns"),
     ("testpmd macswap net_pcap", "ns"), 0.80, 0.90),
    ("full inspection on net_pcap, salted, salt taken off / testpmd macswap", "cost", ("port", "full_less_salt.ns"),
     ("testpmd macswap net_pcap", "ns"), 0.30, 0.40),
    ("full inspection on net_pcap, salted, salt counted / testpmd macswap", "cost", ("port", "full.ns"),
     ("testpmd macswap net_pcap", "ns"), None, None),
    ("no logs: inspect / suricata", "cost", ("pass", "ns"), ("suricata", "ns"), 12, 20),
    ("both logging: inspect + event lines / suricata eve", "cost", ("pass eve", "ns"), ("suricata eve", "ns"), 15, 25),
    ("both logging: with the whole far side / suricata eve", "cost", ("replay eve", "ns"), ("suricata eve", "ns"), None, None),
    ("no logs, without reading the file: inspect / suricata", "cost", ("pass", "less_read.ns"), ("suricata", "less_read.ns"),
     None, None),
    ("both logging, without reading the file: inspect + event lines / suricata eve", "cost", ("pass eve", "less_read.ns"),
     ("suricata eve", "less_read.ns"), None, None),
    ("no logs: inspect / ndpiReader", "cost", ("pass", "ns"), ("ndpiReader", "ns"), 12, 20),
    ("both logging: inspect + event lines / ndpiReader csv", "cost", ("pass eve", "ns"), ("ndpiReader csv", "ns"), None, None),
]
# What has a goal of its own: (text, figure, unit, floor, target, more is better)
GOALS = [
    ("SYN flood, empty table: new flows a second and core", ("flood", "filling.mps"), "million/s", 6, 10, True),
    ("SYN flood, full table", ("flood", "full.mps"), "million/s", 6, 10, True),
    ("HTTP connections a second and core", ("cps", "connection.mps"), "million/s", 0.5, 0.8, True),
    ("cost from 10 k to 1 M flows", ("growth", "growth"), "times", 1.6, 1.3, False),
    ("memory of a held connection, 1 M", ("held", "rss.flow"), "bytes", 192, 128, False),
    ("memory of a held connection, 10 M", ("memory", "rss.flow"), "bytes", 192, 128, False),
    ("the mix, cold, one core", ("inspect mix", "all.mps"), "million/s", 6, 9, True),
]


# What scripts/veth measures, in pairs of turns: (command, figure, text, unit, floor, target, more is better)
PAIRS = [
    ("latency", "added.p50", "latency p50 above testpmd io", "us", 20, 5, False),
    ("latency", "added.p50_sent", "the same, from when a frame was really sent", "us", 20, 5, False),
    ("latency", "added.p999", "latency p99.9 above testpmd io", "us", 200, 50, False),
    ("latency", "added.p999_sent", "the same, from when a frame was really sent", "us", 200, 50, False),
    ("overload", "wire/testpmd", "overload of two: wire forwards / testpmd io forwards", "times", 0.95, 0.99, True),
]
PAIRS_LEAST, PAIRS_SHARE = 20, 0.25  # fewer valid ones, or a smaller share of all, are no figure


def collect(path):
    together, void = {}, []
    with open(path, encoding="utf-8") as f:
        for line in f:
            run = json.loads(line)
            if run.get("void"):
                void.append(f"{run['command']}: {run.get('why')}")
                continue  # proves nothing: told, never averaged
            for name, figure in run["figures"].items():
                kept = together.setdefault(run["command"], {}).setdefault(name, {"unit": figure["unit"], "rounds": []})
                kept["rounds"] += figure["rounds"]
    for figures in together.values():
        for f in figures.values():
            f.update(min=min(f["rounds"]), median=statistics.median(f["rounds"]), max=max(f["rounds"]))
    return together, void


def take_reading_off(together):
    """Reading the file is the same libpcap for all; it is measured by turns with the rest."""
    read = together.get("pcap read", {}).get("ns")
    for command in ("pass", "pass eve", "suricata", "suricata eve"):
        if read and command in together:
            ns = together[command]["ns"]
            rounds = [r - read["median"] for r in ns["rounds"]]
            together[command]["less_read.ns"] = {"unit": "ns a packet", "rounds": rounds, "min": min(rounds),
                                                 "median": statistics.median(rounds), "max": max(rounds)}


def value(together, figure, what="median"):
    return together.get(figure[0], {}).get(figure[1], {}).get(what)


def ratios(together):
    found = []
    for text, kind, ours, theirs, floor, target in RATIOS:
        a, b = value(together, ours), value(together, theirs)
        if a and b:
            found.append({"text": text, "ratio": b / a if kind == "cost" else a / b, "floor": floor, "target": target})
    return found


def judged(v, floor, target, more=True):
    if floor is None:
        return ""
    if v >= target if more else v <= target:
        return f"target {target} met"
    if v >= floor if more else v <= floor:
        return f"floor {floor} met, target {target} not"
    return f"BELOW the floor {floor}" if more else f"ABOVE the floor {floor}"


def budget(together):
    """What one core's time would be enough for, if a port were there: never a line rate."""
    for command, rate in (("inspect mix", "all.mps"), ("inspect", "all.mps"), ("port", "full.mps"), ("cps", "packet.mps"),
                          ("port", "forward.mps")):
        mps, size = value(together, (command, rate)), value(together, (command, "frame_bytes"))
        if mps and size:
            yield (f"{command}, {rate.split('.')[0]}: fits the cycle budget of {mps * (size + WIRE_OVERHEAD) * 8 / 1000:.1f} "
                   f"Gbit/s at {size:.0f}-byte frames, one core")


def interval(rounds, times=4000):
    """95 % of the medians of samples drawn from these again (bootstrap)."""
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(rounds, k=len(rounds))) for _ in range(times))
    return medians[int(times * 0.025)], medians[int(times * 0.975)]


def pairs(together, void):
    for command in ("latency", "overload"):
        lost = [text for text in void if text.startswith(command + ":")]
        if lost:
            reasons = ", ".join(f"{n} times {why.split(': ')[1]}" for why, n in collections.Counter(lost).items())
            yield f"{command}: {len(lost)} pairs of turns are void: {reasons}"
        for _, name, text, unit, floor, target, more in (p for p in PAIRS if p[0] == command):
            rounds = value(together, (command, name), "rounds") or []
            if not rounds and not lost:
                continue
            if len(rounds) < PAIRS_LEAST or len(rounds) < PAIRS_SHARE * (len(rounds) + len(lost)):
                yield f"    none  {text}: no valid figure, {len(rounds)} valid pairs of {len(rounds) + len(lost)}"
                continue
            low, high = interval(rounds)
            yield (f"{statistics.median(rounds):8.2f}  {text} ({unit}; 95 % of medians {low:.2f} to {high:.2f}, {len(rounds)} pairs)  "
                   f"{judged(low if more else high, floor, target, more)}")


def plot(path, found):
    if not found:
        return
    if not shutil.which("gnuplot"):
        print("gnuplot is not installed: no plot")
        return
    rows = "\n".join(f"\"{f['text'].replace(chr(34), '')}\" {f['ratio']:.3f}" for f in reversed(found))
    script = f"""set terminal svg noenhanced size 1500,{120 + 34 * len(found)} background rgb 'white'
set output '{path}'
$d << EOD
{rows}
EOD
set title 'How many times as quick (1 = the same)'
set logscale x
set xrange [0.05:100]
set yrange [-0.7:{len(found) - 0.3}]
set xtics nomirror (0.1,0.3,1,3,10,30,100)
set grid x
set style fill solid 0.6 noborder
unset key
set arrow from 1,graph 0 to 1,graph 1 nohead lw 2
plot $d using (sqrt(0.05*$2)):0:(0.05):2:($0-0.35):($0+0.35):ytic(1) with boxxyerror lc rgb '#30609f', \\
     $d using ($2*1.1):0:(sprintf('%.2f',$2)) with labels left
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("results")
    parser.add_argument("--json")
    parser.add_argument("--plot")
    o = parser.parse_args()
    together, void = collect(o.results)
    take_reading_off(together)
    for command, figures in together.items():
        print(f"\n{command:28} {'min':>14} {'median':>14} {'max':>14}  unit")
        for name, f in figures.items():
            print(f"  {name:26} {f['min']:14.3f} {f['median']:14.3f} {f['max']:14.3f}  {f['unit']}")
    found = ratios(together)
    print()
    for f in found:
        print(f"{f['ratio']:8.2f}  {f['text']}  {judged(f['ratio'], f['floor'], f['target'])}")
    for text, figure, unit, floor, target, more in GOALS:
        v = value(together, figure)
        if v is not None:
            print(f"{v:8.2f}  {text} ({unit})  {judged(v, floor, target, more)}")
    for line in [*pairs(together, void), *budget(together)]:
        print(line)
    void = [text for text in void if text.split(":")[0] not in ("latency", "overload")]  # told above, by reason
    for text in void:
        print("VOID", text)
    if o.json:
        with open(o.json, "w", encoding="utf-8") as f:
            json.dump({"void": void, "ratios": found, "runs": together}, f, indent=1)
    if o.plot:
        plot(o.plot, found)
    sys.exit(bool(void))


main()
