#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# One pair of turns of scripts/veth, from "PROGRAM.NAME VALUE" lines to a line of JSON: figures of both, their difference or
# ratio, or why the pair is void. What makes a pair void never depends on what the program under test did: a lost frame is a
# frame that took for ever, not a reason to forget the turn.
# usage: veth_pair.py latency|overload RATE TAKEN (of a thousandth of a second, us)
import json
import math
import sys

LATE_SHARE = 0.05  # of the frames, more than 10 us behind their time
what, rate, taken = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) / 1000
v = {}
for line in sys.stdin:
    name, text = line.split()
    v[name] = float(text)
why = ""
figures = {}


def figure(name, unit, value):
    figures[name] = {"unit": unit, "rounds": [value]}


for p in ("testpmd", "wire"):
    late = v[f"{p}.sender_late"] / v[f"{p}.sender_sent"]
    if v[f"{p}.sender_stolen"]:
        why = "the hypervisor took the processor away"
    elif what == "latency" and late > LATE_SHARE:
        why = "the sender was late too often"
    elif what == "overload" and v[f"{p}.sender_rate"] < 0.95 * rate:
        why = "the sender did not manage the rate"
    elif abs(v.get(f"{p}.sender_taken", taken) - taken) > 0.1 * (1 - taken):
        why = "another share of the core was taken"
    elif v[f"{p}.sink_drops"]:
        why = "the sink itself lost frames"
    if what == "latency":
        figure(f"{p}.late", "% of frames sent", 100 * late)
        figure(f"{p}.lost", "frames", v[f"{p}.timed_lost"])
        for at in ("p50", "p99", "p999"):
            figure(f"{p}.{at}", "us from due", v[f"{p}.due_{at}_us"])
            figure(f"{p}.{at}_sent", "us from sent", v[f"{p}.latency_{at}_us"])
        figure(f"{p}.max", "us from due", v[f"{p}.due_max_us"])
    else:
        figure(f"{p}.offered", "frames/s", v[f"{p}.sender_rate"])
        figure(f"{p}.forwarded", "frames/s", v[f"{p}.timed_rate"])
if what == "latency":
    figure("rate", "frames/s", rate)
    for at in ("p50", "p99", "p999"):
        for end, of in (("", "due"), ("_sent", "latency")):
            mine, theirs = v[f"wire.{of}_{at}_us"], v[f"testpmd.{of}_{at}_us"]
            if math.isfinite(mine) or math.isfinite(theirs):
                figure(f"added.{at}{end}", "us", mine - theirs)
            else:
                why = why or "both lost more than a thousandth"
else:
    figure("taken", "of the core", taken)
    figure("wire/testpmd", "times", v["wire.timed_rate"] / v["testpmd.timed_rate"])
    figure("offered/testpmd", "times", v["testpmd.sender_rate"] / v["testpmd.timed_rate"])
    if not why and figures["offered/testpmd"]["rounds"][0] < 1.9:
        why = "offered less than 1.9 times what testpmd forwarded"
print(json.dumps({"command": what, "void": bool(why), "why": why, "figures": figures}), flush=True)
