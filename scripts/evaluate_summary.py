# SPDX-License-Identifier: GPL-2.0-or-later
"""Sums up what sekimori-evaluate printed: markdown tables on standard output. Intervals are 95 %: bootstrap over companies
(over single values where there are fewer than five; Wilson's where all agree), for rare counts those of a Poisson count (Byar's approximation).

usage: evaluate_summary.py FILE.jsonl..."""
import collections
import json
import pathlib
import random
import statistics
import sys

DAY, WEEK, ROUNDS = 86400, 7 * 86400, 400
BUDGETS = (0.2, 1, 3, 10)  # simple.c
DRIFT = [("roll-out to the office, days 20-24", range(19, 24)), ("warehouse appears, days 27-31", range(26, 31)),
         ("tills move to port 9443, days 33-37", range(32, 37))]


class Run:
    """The lines of one process."""

    def __init__(self, lines):
        by_kind = collections.defaultdict(list)
        for line in lines:
            by_kind[line["kind"]].append(line)
        self.about = by_kind["run"][0]
        self.seed, self.days, self.incidents = self.about["seed"], by_kind["day"], by_kind["incident"]
        self.places, self.cold, self.slow = by_kind["place"], by_kind["cold"], by_kind["slow"]
        self.cost = by_kind["cost"][0]
        self.test_days = [d for d in self.days if d["day"] >= self.about["train"]]
        self.setting = ", ".join([f"budget {self.about['budget']:g}"] * (self.about["budget"] != 1) +
                                 [f"without {name}" for name in self.about["without"]])


def read(paths):
    return [Run([json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]) for path in paths]


def share(values):
    return sum(values) / len(values) if values else float("nan")


def bootstrap(pairs, statistic=share):
    """pairs: (seed, value). The statistic of all values, and its interval."""
    chance, groups = random.Random(1), collections.defaultdict(list)
    for seed, value in pairs:
        groups[seed].append(value)
    parts = list(groups.values())
    if len(parts) < 5:
        parts = [[value] for _, value in pairs]
    found = sorted(statistic([v for part in chance.choices(parts, k=len(parts)) for v in part]) for _ in range(ROUNDS)) if parts else []
    whole = statistic([value for _, value in pairs])
    return (whole, found[int(.025 * ROUNDS)], found[int(.975 * ROUNDS) - 1]) if found else (whole, whole, whole)


def poisson(count):
    low = count * (1 - 1 / (9 * count) - 1.96 / (3 * count**.5))**3 if count else 0.0
    more = count + 1
    return low, more * (1 - 1 / (9 * more) + 1.96 / (3 * more**.5))**3


def percent(pairs):
    if not pairs:
        return "-"
    whole, low, high = bootstrap(pairs)
    if low == high:  # nothing to resample: Wilson's interval instead
        n, z = len(pairs), 1.96
        middle, half = (whole + z * z / (2 * n)) / (1 + z * z / n), z * (whole * (1 - whole) / n + z * z / (4 * n * n))**.5 / (1 + z * z / n)
        low, high = max(0, middle - half), min(1, middle + half)
    return f"{100 * whole:.0f} ({100 * low:.0f}-{100 * high:.0f})"


def figure(pairs, digits=2):
    if not pairs:
        return "-"
    whole, low, high = bootstrap(pairs)
    return f"{whole:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def seconds(values):
    """Median and 90th percentile, in the unit that suits."""
    def told(s):
        return f"{1000 * s:.0f} ms" if s < 1 else f"{s:.1f} s" if s < 120 else f"{s / 60:.0f} min" if s < 7200 else f"{s / 3600:.1f} h"
    if not values:
        return "-"
    ordered = sorted(values)
    return f"{told(statistics.median(ordered))} / {told(ordered[int(.9 * len(ordered))])}"


def table(title, heads, rows, note=""):
    print(f"\n### {title}\n")
    if note:
        print(note + "\n")
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


# --- about one placed attack ---

def began(place):
    return min((s["first"] for s in place["steps"] if s["first"] >= 0), default=place["at"])


def detected_at(place):
    return min((s["alerted"] for s in place["steps"] if s["alerted"] >= 0), default=-1)


def noticed(place):
    return any(s["alerted"] >= 0 or s["noted"] >= 0 for s in place["steps"])


def delivered(place):
    """What of the scripts, classes and programs came through: whole, part, none; None where the attack has none."""
    steps = [s for s in place["steps"] if s["payload"]]
    if any(s["payload_dropped"] == 0 for s in steps):
        return "whole"
    return "part" if any(s["payload_dropped"] < s["payload"] for s in steps) else "none"


def reached(place, step):
    s = place["steps"][step]
    return bool(s["begun"] and s["conversations"] > s["stopped"])


def lived(place):
    """Its conversations that were not cut."""
    return sum(s["conversations"] - s["stopped"] for s in place["steps"])


def rank(place, run):
    """Its incident's place among those of the same company's week without attacks, from 1; None: it made none."""
    if not place["incident"]["id"]:
        return None
    week = place["at"] // WEEK
    return 1 + sum(i["score"] >= place["incident"]["score"] for i in run.incidents if i["first"] // WEEK == week)


def single_rank(place, run):
    week = range(int(place["at"] // WEEK) * 7, int(place["at"] // WEEK) * 7 + 7)
    return 1 + sum(bits >= place["baseline"]["bits"] for d in run.days if d["day"] in week for bits in d["single_bits"])


def level(placed_here):
    """Medians of the most evidence there was against the victim, and of the threshold."""
    return " / ".join(f"{statistics.median(p[key] for _, p in placed_here):.1f}" for key in ("evidence", "threshold"))


def by_chain(places):
    found = collections.OrderedDict()
    for seed, place in places:
        found.setdefault(place["chain"], []).append((seed, place))
    return found


def placed(runs, mode, attribute="places"):
    return [(run, place) for run in runs for place in getattr(run, attribute) if place["mode"] == mode]


def stands(runs, chain):
    """Was that attack alerted at every place, and nothing of it delivered in enforce?"""
    seen = [p for _, p in placed(runs, "observe") if p["chain"] == chain]
    forced = [p for _, p in placed(runs, "enforce") if p["chain"] == chain]
    return bool(seen and forced) and all(detected_at(p) >= 0 for p in seen) and all(delivered(p) == "none" for p in forced)


# --- tables ---

def print_runs(runs):
    frames, spent = sum(r.cost["frames"] for r in runs), sum(r.cost["seconds"] for r in runs)
    first = runs[0]
    full = [f"seed {r.seed}: {name} {n}" for r in runs for name, n in r.cost["limits"].items() if name != "brain_counts_full"]
    refused = sum(r.cost["limits"].get("brain_counts_full", 0) for r in runs)
    print(f"{len({r.seed for r in runs})} companies of {first.about['devices']} devices ({first.about['devices_last']} at the end), "
          f"{first.about['days']} days of which {first.about['train']} teach; {frames / len(runs) / 1e6:.1f} million frames a run, "
          f"{1e9 * spent / frames:.0f} ns of CPU a frame, {spent / len(runs):.0f} s a run without the attacks' copies.")
    if refused:
        print(f"{refused} values were not learned because a device already had as many as it may.")
    if full:
        print(f"\nNOT VALID, tables were full: {', '.join(full)}.")


def print_ordinary(runs, title):
    days = [(r.seed, d) for r in runs for d in r.test_days]
    kinds = [("alarms (alerts above a note)", "alarms"), ("devices that alarmed (the unit of the budget)", "alarmed_devices"), ("devices that passed the threshold of evidence, by its own count", "passed"), ("incidents", "incidents"),
             ("notes", "notes"), ("blocks it would have made", "would_block")]
    rows = [(name, figure([(seed, d[key]) for seed, d in days])) for name, key in kinds]
    rows.append(("never seen before: devices with an endpoint new to them", figure([(seed, d["new_device"]) for seed, d in days], 1)))
    rows.append(("never seen before: new to the organisation", figure([(seed, d["new_org"]) for seed, d in days], 1)))
    for i, budget in enumerate(BUDGETS):
        rows.append((f"single best event at {budget:g} a day", figure([(seed, d["single"][i]) for seed, d in days])))
    table(title, ["a day, ordinary traffic", "mean"], rows)


def print_found(runs):
    rows = []
    for chain, placed_here in by_chain(placed(runs, "observe")).items():
        ranks = [(r.seed, rank(p, r)) for r, p in placed_here]
        found = [(r.seed, detected_at(p) >= 0) for r, p in placed_here]
        took = [detected_at(p) - began(p) for _, p in placed_here if detected_at(p) >= 0]
        rows.append((chain, len(placed_here), percent(found), seconds(took), level(placed_here),
                     *(percent([(seed, n is not None and n <= k) for seed, n in ranks]) for k in (1, 5, 20)),
                     percent([(r.seed, p["baseline"]["new_org"] >= 0) for r, p in placed_here]),
                     *(percent([(r.seed, p["baseline"]["single"][i] >= 0) for r, p in placed_here]) for i in (1, 2)),
                     percent([(r.seed, single_rank(p, r) <= 5) for r, p in placed_here])))
    table("Attacks found (observe)",
          ["attack", "n", "alerted %", "median / 90 %", "evidence / threshold, bits", "#1 of its week %", "first 5 %", "first 20 %", "never seen (org) %",
           "single, 1 a day %", "single, 3 a day %", "single, first 5 %"], rows,
          "Rank: of its incident's score among the incidents of the same week without attacks. The last four columns are the "
          "baselines; what they alarm about on ordinary days stands above.")


def print_precision(runs):
    rows = []
    for k in (5, 20):
        values = []
        for r, p in placed(runs, "observe"):
            week = sum(i["first"] // WEEK == p["at"] // WEEK for i in r.incidents)
            n = rank(p, r)
            values.append((r.seed, (n is not None and n <= k) / min(k, week + (n is not None) or 1)))
        rows.append((f"precision@{k}, one attack a week", figure(values, 3)))
    table("Precision of a week's list", ["", "mean over attacks"], rows, "Of the first k incidents of a week, the share that is the attack; 1/k is the most where ordinary incidents fill the list.")


def print_stopped(runs):
    rows = []
    for chain, here in by_chain(placed(runs, "enforce")).items():
        carries = any(s["payload"] for _, p in placed(runs, "observe") if p["chain"] == chain for s in p["steps"])
        free = share([lived(p) for _, p in placed(runs, "observe") if p["chain"] == chain])
        last = len(here[0][1]["steps"]) - 1
        cut = [p["cut"] - began(p) for _, p in here if p["cut"] >= 0]
        rows.append((chain, len(here), percent([(r.seed, p["cut"] >= 0) for r, p in here]), seconds(cut),
                     *(percent([(r.seed, delivered(p) == what) for r, p in here]) if carries else "-" for what in ("whole", "part", "none")),
                     percent([(r.seed, not reached(p, last)) for r, p in here]), figure([(r.seed, 100 * lived(p) / free) for r, p in here], 0), figure([(r.seed, p["ordinary_cut"]) for r, p in here])))
    table("Attacks stopped (enforce)",
          ["attack", "n", "cut %", "median / 90 % until cut", "a payload whole %", "only part of one %", "none %", "last step failed %", "of its conversations lived %", "ordinary conversations cut"], rows,
          "Payload: any script, class or program of the attack as it reached the device. Ordinary: conversations of others cut from the attack's begin to an hour after its end.")


def print_steps(runs):
    rows = []
    seen, forced = by_chain(placed(runs, "observe")), by_chain(placed(runs, "enforce"))
    for chain, here in seen.items():
        for i, step in enumerate(here[0][1]["steps"]):
            in_force = forced.get(chain, [])
            rows.append((chain if i == 0 else "", i + 1, step["words"], percent([(r.seed, p["steps"][i]["alerted"] >= 0) for r, p in here]),
                         percent([(r.seed, p["steps"][i]["alerted"] >= 0 or p["steps"][i]["noted"] >= 0) for r, p in here]),
                         percent([(r.seed, p["steps"][i]["dropped"] > 0) for r, p in in_force]),
                         percent([(r.seed, reached(p, i)) for r, p in in_force])))
    table("By step", ["attack", "", "step", "alerted % (observe)", "alerted or noted %", "cut % (enforce)", "succeeded % (enforce)"], rows)


def print_wrong(runs):
    weeks = sum(d["devices"] for r in runs for d in r.test_days) / 7
    blocks, cut = (sum(d[key] for r in runs for d in r.test_days) for key in ("blocks", "cut"))
    conversations = sum(d["conversations"] for r in runs for d in r.test_days)
    rows = []
    for name, count in (("blocks made", blocks), ("conversations cut", cut)):
        low, high = poisson(count)
        rows.append((name, count, f"{1000 * count / weeks:.2f} ({1000 * low / weeks:.2f}-{1000 * high / weeks:.2f})"))
    table("Wrong actions (enforce, no attack)", ["", "in all", "per 1,000 device-weeks"], rows,
          f"{weeks:.0f} device-weeks, {conversations} conversations, {1e6 * cut / conversations:.2f} of a million cut.")


def print_cold(runs, early):
    rows, chains = [], by_chain(placed(runs, "observe", "cold"))
    for day in (1, 3, 7):
        alarms = [(r.seed, d["alarms"]) for r in early if r.about["train"] == day for d in r.test_days]
        for chain, here in chains.items():
            at_day = [(r, p) for r, p in here if p["place"] // 100 == day]
            forced = [(r, p) for r, p in placed(runs, "enforce", "cold") if p["place"] // 100 == day and p["chain"] == chain]
            rows.append((f"day {day}: {figure(alarms)} alarms a day in the week after" if chain == next(iter(chains)) else "", chain,
                         percent([(r.seed, detected_at(p) >= 0) for r, p in at_day]), percent([(r.seed, noticed(p)) for r, p in at_day]),
                         percent([(r.seed, p["cut"] >= 0) for r, p in forced])))
    table("Cold start", ["after so many days", "attack", "alerted %", "alerted or noted %", "cut % (enforce)"], rows)


def print_drift(runs):
    eventful = {day for _, days in DRIFT for day in days}
    rows = [("all other days of the test", figure([(r.seed, d["alarms"]) for r in runs for d in r.test_days if d["day"] not in eventful]), "")]
    for name, days in DRIFT:
        here = [(r.seed, d) for r in runs for d in r.test_days if d["day"] in days]
        parts = collections.Counter()
        for _, d in here:
            parts.update(d["parts"])
        rows.append((name, figure([(seed, d["alarms"]) for seed, d in here]), ", ".join(f"{name} {n}" for name, n in parts.most_common(4))))
    table("Drift", ["when", "alarms a day", "by kind of device, all companies"], rows)


def print_slow(slow, main):
    rows, weeks = [], {r.seed: r for r in main}
    for mode in ("observe", "enforce"):
        for chain, here in by_chain(placed(slow, mode, "slow")).items():
            ranks = [(r.seed, rank({**p, "at": max(p["at"], detected_at(p))}, weeks[r.seed])) for r, p in here if r.seed in weeks]
            last = len(here[0][1]["steps"]) - 1
            rows.append((chain, mode, len(here), percent([(r.seed, detected_at(p) >= 0) for r, p in here]),
                         seconds([detected_at(p) - began(p) for _, p in here if detected_at(p) >= 0]),
                         percent([(seed, n is not None and n <= 5) for seed, n in ranks]) if mode == "observe" else "",
                         percent([(r.seed, p["cut"] >= 0) for r, p in here]), percent([(r.seed, not reached(p, last)) for r, p in here])))
    table("Slow attacks", ["attack", "mode", "n", "alerted %", "median / 90 % since its first packet", "first 5 of its week %", "cut %", "last step failed %"], rows)


def print_settings(groups):
    """Budgets and ablations: one line each, against the run as it is."""
    rows = []
    for setting, runs in groups.items():
        seen, forced = placed(runs, "observe"), placed(runs, "enforce")
        rows.append((setting or "as it is", len({r.seed for r in runs}), figure([(r.seed, d["alarmed_devices"]) for r in runs for d in r.test_days]),
                     figure([(r.seed, d["incidents"]) for r in runs for d in r.test_days]), percent([(r.seed, detected_at(p) >= 0) for r, p in seen]),
                     percent([(r.seed, (rank(p, r) or 99) <= 1) for r, p in seen]), percent([(r.seed, (rank(p, r) or 99) <= 5) for r, p in seen]),
                     percent([(r.seed, p["cut"] >= 0) for r, p in forced]), percent([(r.seed, delivered(p) == "whole") for r, p in forced])))
    table("Budgets and ablations", ["setting", "companies", "devices that alarmed a day", "incidents a day", "alerted %", "#1 %", "first 5 %", "cut %", "a payload whole %"], rows)
    chains = {setting: by_chain(placed(runs, "observe")) for setting, runs in groups.items()}
    every = list(collections.OrderedDict((chain, None) for found in chains.values() for chain in found))
    table("Alerted, by attack and setting", ["attack", *(setting or "as it is" for setting in groups)],
          [(chain, *(percent([(r.seed, detected_at(p) >= 0) for r, p in chains[setting].get(chain, [])]) for setting in groups)) for chain in every])


def print_tables(runs):
    days = [r for r in runs if r.days]
    longest = max(r.about["train"] for r in days)
    plain = [r for r in days if r.about["mode"] == "observe" and r.about["train"] == longest]
    main = [r for r in plain if not r.setting]
    enforce = [r for r in days if r.about["mode"] == "enforce"]
    print_runs(main)
    print_ordinary(main, "Ordinary days")
    print_found(main)
    print_precision(main)
    print_stopped(main)
    if enforce:
        print_wrong(enforce)
    print_steps(main)
    if any(r.cold for r in main):
        print_cold(main, [r for r in days if r.about["train"] < longest])
    print_drift(main)
    if any(r.slow for r in runs):
        print_slow([r for r in runs if r.slow], main)
    groups = collections.OrderedDict()
    for run in plain:
        groups.setdefault(run.setting, []).append(run)
    if len(groups) > 1:
        print_settings(groups)


if __name__ == "__main__":
    print_tables(read(sys.argv[1:]))
