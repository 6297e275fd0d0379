# SPDX-License-Identifier: GPL-2.0-or-later
"""What sekimori-evaluate printed, read: runs, what is said of one placed attack, means with intervals. Intervals are 95 %: bootstrap
over companies (over single values where there are fewer than five; Wilson's where all agree), for rare counts those of a Poisson count (Byar's approximation)."""
import collections
import json
import pathlib
import random
import statistics

DAY, WEEK, ROUNDS = 86400, 7 * 86400, 400
BUDGETS = (0.2, 1, 3, 10)  # simple.c


class Run:
    """The lines of one process, and what scripts/evaluate added: what it was for, with which program, what it cost."""

    def __init__(self, lines, name=""):
        by_kind = collections.defaultdict(list)
        for line in lines:
            by_kind[line["kind"]].append(line)
        self.about = by_kind["run"][0]
        self.seed, self.days, self.incidents = self.about["seed"], by_kind["day"], by_kind["incident"]
        self.places, self.cold, self.slow = by_kind["place"], by_kind["cold"], by_kind["slow"]
        self.cost, self.explained = by_kind["cost"][0], by_kind["explained"]
        self.name, self.spent = name, by_kind["spent"][0] if by_kind["spent"] else {}
        self.test_days = [d for d in self.days if d["day"] >= self.about["train"]]
        self.setting = ", ".join([f"budget {self.about['budget']:g}"] * (self.about["budget"] != 1) +
                                 [f"without {name}" for name in self.about["without"]])


def read(paths):
    return [Run([json.loads(line) for line in pathlib.Path(path).read_text().splitlines()], pathlib.Path(path).stem) for path in paths]


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


# --- about one placed attack ---

def began(place):
    return min((s["first"] for s in place["steps"] if s["first"] >= 0), default=place["at"])


def second_step(place):
    """When the attack went on to its second step; None where it has none or did not come so far."""
    first = place["steps"][1]["first"] if len(place["steps"]) > 1 else -1
    return first if first >= 0 else None


def blocked_at(place):
    return min((s["blocked"] for s in place["steps"] if s["blocked"] >= 0), default=-1)


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


def listed(place, run, k):
    """Of the first k incidents of its week: is the attack's among them, and which share of the list is it?"""
    n, others = rank(place, run), sum(i["first"] // WEEK == place["at"] // WEEK for i in run.incidents)
    inside = n is not None and n <= k
    return inside, inside / min(k, others + (n is not None) or 1)


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


def explained(runs):
    """Sums over all processes; None where one of them says nothing of it."""
    if not runs or any(not r.explained for r in runs):
        return None
    keys = ("alerts", "events", "items", "found", "numbers", "differ", "lost", "altered", "noticed", "seconds")
    return {key: sum(line[key] for r in runs for line in r.explained) for key in keys}


def proven(runs):
    """Does every number of every alert come out again, and would it have been noticed if not?"""
    sums = explained(runs)
    return bool(sums and sums["alerts"] and sums["differ"] == 0 and sums["lost"] == 0 and 0 < sums["altered"] == sums["noticed"])
