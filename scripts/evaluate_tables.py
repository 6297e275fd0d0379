# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of doc/detection.md as markdown on standard output. Under each stands what its figures say against the product,
made from the figures; what was not run says so.

usage: evaluate_tables.py FILE.jsonl...    (of scripts/evaluate --keep)"""
import collections
import statistics
import sys

from evaluate_summary import (BUDGETS, DAY, WEEK, began, blocked_at, by_chain, delivered, detected_at, explained, figure, level, listed, lived, noticed,
                              percent, placed, poisson, rank, reached, read, second_step, seconds, share, single_rank)

DRIFT = [("roll-out to the office, days 20-24", range(19, 24)), ("warehouse appears, days 27-31", range(26, 31)),
         ("tills move to port 9443, days 33-37", range(32, 37))]
COLD = (1, 3, 7, 14)
WITHIN = 1.0  # s
PROMPT = "share within 1 s"


class Groups:
    """Runs by what they are for. Side runs are the same companies and places as those of other budgets and of ablations."""

    def __init__(self, runs):
        days = [r for r in runs if r.days]
        self.every, self.longest = runs, max((r.about["train"] for r in days), default=0)
        plain = [r for r in days if r.about["mode"] == "observe" and r.about["train"] == self.longest]
        self.main = [r for r in plain if not r.setting and not r.name.startswith("side-")]
        self.side = [r for r in plain if r.name.startswith("side-")]
        self.enforce = [r for r in days if r.about["mode"] == "enforce"]
        self.early = [r for r in days if r.about["train"] < self.longest]
        self.slow = [r for r in runs if r.slow]
        self.budgets = self.by_setting(plain, lambda r: r.setting.startswith("budget") and not r.about["without"])
        self.without = self.by_setting(plain, lambda r: bool(r.about["without"]))

    @staticmethod
    def by_setting(runs, wanted):
        found = collections.OrderedDict()
        for run in filter(wanted, runs):
            found.setdefault(run.setting, []).append(run)
        return found


# --- how it is told ---

def head(title, prose):
    print(f"\n## {title}\n\n{prose}\n")


def table(heads, rows):
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def told(*lines):
    print()
    for line in lines:
        print(f"* {line}")


def not_run(title, how):
    print(f"\n## {title}\n\nNot run (`scripts/evaluate {how}`).")


def names(pairs, none="none"):
    """[(name, text)] as "name text, name text"."""
    return ", ".join(f"{name} {text}" for name, text in pairs) or none


def rate(values):
    return 100 * share(values)


def lacking(found, least, of):
    """Attacks of which less than `least` % hold, the worst first."""
    shares = sorted((rate([of(r, p) for r, p in here]), chain) for chain, here in found.items())
    return names([(chain, f"{value:.0f} %") for value, chain in shares if value < least])


def each_company(runs, of):
    by_seed = collections.OrderedDict()
    for r in runs:
        by_seed.setdefault(r.seed, []).extend(of(r))
    return ", ".join(f"{share(values):.2f}" for _, values in sorted(by_seed.items()))


def seeds_of(runs):
    return sorted({r.seed for r in runs})


def alerted(r, p):
    return detected_at(p) >= 0


def first_of(k):
    return lambda r, p: listed(p, r, k)[0]


# --- what it was made with ---

def span(numbers):
    whole = numbers and numbers == list(range(numbers[0], numbers[-1] + 1)) and len(numbers) > 2
    return f"{numbers[0]}-{numbers[-1]}" if whole else ", ".join(map(str, numbers)) or "none"


def places_of(runs):
    """How many times the first of the attacks was placed in each run."""
    return sorted({sum(p["chain"] == r.places[0]["chain"] and p["mode"] == r.places[0]["mode"] for p in r.places) for r in runs if r.places})


def print_made(g):
    spent = [r.spent for r in g.every if r.spent]
    programs, rows = {s["program"] for s in spent}, collections.OrderedDict()
    for r in g.every:
        if r.spent:
            rows.setdefault(r.name.split("-")[0], []).append(r)
    print(f"Program: {', '.join(sorted({s['commit'] for s in spent})) or 'not known'}. Companies (seeds): {span(seeds_of(g.main))}. "
          f"Places of each attack, company and mode: {span(places_of(g.main))}. "
          f"Run {span_of_dates(spent)}, {sum(s['cpu'] for s in spent) / 60:.0f} minutes of CPU in {len(spent)} runs.")
    if len(programs) > 1:
        print(f"\n**NOT ONE PROGRAM: {len(programs)} different ones made these runs.**")
    if rows:
        head("What it cost", "CPU seconds of one run, the copies of the process that hold an attack included. The machine is shared: the same work takes up to three times as long when others run.")
        table(["run", "runs", "CPU s, median", "most", "all, min", "frames, million"],
              [(kind, len(here), f"{statistics.median(r.spent['cpu'] for r in here):.0f}", f"{max(r.spent['cpu'] for r in here):.0f}", f"{sum(r.spent['cpu'] for r in here) / 60:.1f}",
                f"{share([r.cost['frames'] for r in here]) / 1e6:.1f}") for kind, here in rows.items()])


def span_of_dates(spent):
    dates = sorted({s["date"] for s in spent})
    return f"{dates[0]} to {dates[-1]}" if len(dates) > 1 else dates[0] if dates else "at a date not known"


def print_valid(g):
    full = [f"{r.name or r.seed}: {name} {n}" for r in g.every for name, n in r.cost["limits"].items() if name != "brain_counts_full"]
    refused = sum(r.cost["limits"].get("brain_counts_full", 0) for r in g.every)
    if g.main:
        about = g.main[0].about
        print(f"\nA company: {about['devices']} devices ({about['devices_last']} at the end), {about['days']} days of which {about['train']} teach.")
    if refused:
        print(f"{refused} values, in all runs, were not learned because a device already had as many as it may.")
    if full:
        print(f"\n**NOT VALID, tables were full: {', '.join(full)}.**")


def print_explained(g):
    sums = explained(g.every)
    title = "Every alert made again"
    if not sums:
        not_run(title, "of this version: some of these runs do not tell")
        return
    head(title, "Each process reads every alert it raised, attacks' copies included, back from its journal (SQLite, the tables and records of the product) by its number, and the events by time, and makes "
         "all numbers again from the counts, bit for bit: lib/reason/explain, as `sekimori explain` does. *Items*: the evidence an alert names; those whose event is kept (3 bits and more) are looked up and compared. "
         "*Lost*: raised, and not to be read. *Altered*: alerts of which a run changed one count on purpose.")
    table(["alerts", "events", "items, found", "numbers", "differ", "lost", "altered, noticed", "CPU s"],
          [(sums["alerts"], sums["events"], f"{sums['items']}, {sums['found']}", sums["numbers"], sums["differ"], sums["lost"], f"{sums['altered']}, {sums['noticed']}", f"{sums['seconds']:.1f}")])
    told(f"explained: {sums['alerts']} alerts, {sums['numbers']} numbers, {sums['differ']} differ.")


# --- ordinary days ---

def print_rates(g):
    head("Alarms on ordinary days", "Devices that alarm a day is what the budget is about. Mean and 95 % interval (bootstrap over companies; over days, and so too narrow, where there are fewer than five). "
         "Days after those that teach, no attack in them, mode observe.")
    groups = [(1.0, g.main)] + [(here[0].about["budget"], here) for here in g.budgets.values()]
    rows, off = [], []
    for wanted, here in sorted(groups, key=lambda pair: pair[0]):
        if not here:
            continue

        def per_day(key, digits=2, here=here):
            return figure([(r.seed, d[key]) for r in here for d in r.test_days], digits)
        mean = share([d["alarmed_devices"] for r in here for d in r.test_days])
        rows.append((f"{wanted:g}", len(seeds_of(here)), per_day("alarmed_devices"), f"{mean / wanted:.2f}", per_day("alarms"), per_day("incidents"), per_day("notes", 1), per_day("would_block", 3),
                     each_company(here, lambda r: [d["alarmed_devices"] for d in r.test_days])))
        for seed in seeds_of(here):
            value = share([d["alarmed_devices"] for r in here if r.seed == seed for d in r.test_days]) / wanted
            if not .7 <= value <= 1.3:
                off.append((f"company {seed} at {wanted:g}", f"{value:.2f} times"))
    table(["wanted a day", "companies", "devices that alarmed a day", "to wanted", "alarms a day", "incidents a day", "notes a day", "blocks it would have made a day", "each company"], rows)
    missing = [f"{b:g}" for b in BUDGETS if b not in [wanted for wanted, here in groups if here]]
    lines = [f"More than 30 % from what was wanted: {names(off)}."]
    if missing:
        lines.append(f"Not run: {', '.join(missing)} a day.")
    told(*lines)


def print_wrong(g):
    title = "Wrong actions"
    if not g.enforce:
        not_run(title, "--only enforce")
        return
    head(title, "Mode enforce, no attack: whatever is blocked or cut is wrong. Interval: of a Poisson count.")
    weeks = sum(d["devices"] for r in g.enforce for d in r.test_days) / 7
    conversations = sum(d["conversations"] for r in g.enforce for d in r.test_days)
    rows, counts = [], {}
    for name, key in (("blocks made", "blocks"), ("ordinary conversations cut", "cut")):
        counts[key] = sum(d[key] for r in g.enforce for d in r.test_days)
        low, high = poisson(counts[key])
        rows.append((name, counts[key], f"{1000 * counts[key] / weeks:.2f} ({1000 * low / weeks:.2f}-{1000 * high / weeks:.2f})",
                     ", ".join(str(sum(d[key] for r in g.enforce if r.seed == seed for d in r.test_days)) for seed in seeds_of(g.enforce))))
    table(["", "in all", "per 1,000 device-weeks", "each company"], rows)
    told(f"{weeks:.0f} device-weeks in {len(seeds_of(g.enforce))} companies; {counts['cut']} of {conversations} conversations cut. "
         f"Wished for: at most 1 block in 1,000 device-weeks; {'held' if 1000 * counts['blocks'] <= weeks else '**not held**'}.")


def print_drift(g):
    if not any(d["day"] in days for _, days in DRIFT for r in g.main for d in r.test_days):
        not_run("Drift", "--only days")
        return
    head("Drift", "Things that change in all companies for good reason; days from 1. Against all other days of the test.")
    eventful = {day for _, days in DRIFT for day in days}
    other = [(r.seed, d["alarmed_devices"]) for r in g.main for d in r.test_days if d["day"] not in eventful]
    rows, more = [("all other days of the test", figure(other), "")], []
    for name, days in DRIFT:
        here = [(r.seed, d) for r in g.main for d in r.test_days if d["day"] in days]
        parts = collections.Counter()
        for _, d in here:
            parts.update(d["parts"])
        rows.append((name, figure([(seed, d["alarmed_devices"]) for seed, d in here]), ", ".join(f"{part} {n}" for part, n in parts.most_common(4))))
        if here and share([d["alarmed_devices"] for _, d in here]) > 1.3 * share([v for _, v in other]):
            more.append((name, f"{share([d['alarmed_devices'] for _, d in here]) / max(share([v for _, v in other]), .01):.1f} times"))
    table(["when", "devices that alarmed a day", "alarms by kind of device, all companies"], rows)
    told(f"More than 30 % above other days: {names(more)}.")


# --- attacks ---

def after_second(found):
    """Seconds from the second step to the alert, 0 where it came before; None: no alert. Only where there was a second step."""
    return [(r.seed, max(0.0, detected_at(p) - second_step(p)) if alerted(r, p) else None) for r, p in found if second_step(p) is not None]


def print_found(g):
    title, found = "Attacks found", by_chain(placed(g.main, "observe"))
    if not found:
        not_run(title, "--places 20")
        return
    head(title, "Mode observe. *Alerted*: an alert above a note. Times: median / 90 % of those alerted, from the attack's first packet, and from the begin of its second step (0: it came before). "
         f"*{PROMPT.capitalize()}*: of all whose second step happened, alerted before it or within a second of it. *First of its week*: the attack's incident by score among those of the same company's week without "
         "attacks; one attack a week.")
    rows = []
    for chain, here in found.items():
        late = after_second(here)
        rows.append((chain, len(here), percent([(r.seed, alerted(r, p)) for r, p in here]), seconds([detected_at(p) - began(p) for r, p in here if alerted(r, p)]),
                     seconds([s for _, s in late if s is not None]), percent([(seed, s is not None and s <= WITHIN) for seed, s in late]), level(here),
                     *(percent([(r.seed, listed(p, r, k)[0]) for r, p in here]) for k in (1, 5, 20))))
    table(["attack", "n", "alerted %", "time to detect", "from its second step", f"{PROMPT} %", "evidence / threshold, bits", "first of its week %", "first 5 %", "first 20 %"], rows)
    prompt = {chain: rate([s is not None and s <= WITHIN for _, s in after_second(here)]) for chain, here in found.items() if after_second(here)}
    told(f"Missed, alerted in less than 100 %: {lacking(found, 100, alerted)}.",
         f"Not alerted within a second of the second step, in more than half: {names([(chain, f'{value:.0f} %') for chain, value in prompt.items() if value < 50])}.",
         f"First of its week in less than half: {lacking(found, 50, first_of(1))}.",
         f"Among the first 5 in less than 80 %: {lacking(found, 80, first_of(5))}.")


def print_precision(g):
    title, here = "Precision of a week's list", placed(g.main, "observe")
    if not here:
        not_run(title, "--places 20")
        return
    head(title, "Who reads the first five (or twenty) incidents of a week with one attack in it: in how many weeks is the attack among them, and which share of what was read was the attack? With one attack a week and a list "
         "that ordinary incidents fill, the share cannot pass a fifth (a twentieth). An attack that makes several incidents counts with its best alone.")
    incidents = share([sum(i["first"] // WEEK == week for i in r.incidents) for r in g.main for week in range(r.about["train"] // 7, r.about["days"] // 7)])
    rows = []
    for k in (5, 20):
        both = [(r.seed, listed(p, r, k)) for r, p in here]
        most = [1 / min(k, 1 + sum(i["first"] // WEEK == p["at"] // WEEK for i in r.incidents)) for r, p in here]
        rows.append((f"first {k}", percent([(seed, inside) for seed, (inside, _) in both]), figure([(seed, 100 * part) for seed, (_, part) in both], 0), f"{rate(most):.0f}"))
    table(["list", "weeks whose list holds the attack %", "precision: share of the list that is attack %", "the most it could be %"], rows)
    told(f"Ordinary incidents a week: {incidents:.1f} in the mean. All attacks alike, however often they were found; by attack see above.")


def print_stopped(g):
    title, forced, seen = "Attacks stopped", by_chain(placed(g.main, "enforce")), by_chain(placed(g.main, "observe"))
    if not forced:
        not_run(title, "--places 20")
        return
    head(title, "Mode enforce. *Cut*: a frame of the attack was dropped; *blocked*: a response of its alerts was ordered; times from its first packet, median / 90 %. *Payload*: any script, class or program of the attack as it reached "
         "the device. *Lived*: its conversations, of those the same attack has in observe. *Ordinary*: conversations of others cut from the attack's begin to an hour after its end, mean.")
    rows = []
    for chain, here in forced.items():
        carries = any(s["payload"] for _, p in seen.get(chain, []) for s in p["steps"])
        free, last = share([lived(p) for _, p in seen.get(chain, [])]), len(here[0][1]["steps"]) - 1
        rows.append((chain, len(here), percent([(r.seed, p["cut"] >= 0) for r, p in here]), seconds([p["cut"] - began(p) for _, p in here if p["cut"] >= 0]),
                     seconds([blocked_at(p) - began(p) for _, p in here if blocked_at(p) >= 0]),
                     *(percent([(r.seed, delivered(p) == what) for r, p in here]) if carries else "-" for what in ("whole", "part", "none")),
                     percent([(r.seed, not reached(p, last)) for r, p in here]), figure([(r.seed, 100 * lived(p) / free) for r, p in here], 0) if free == free and free else "-",
                     figure([(r.seed, p["ordinary_cut"]) for r, p in here])))
    table(["attack", "n", "cut %", "until cut", "until blocked", "a payload whole %", "only part of one %", "none %", "last step failed %", "conversations that lived %", "ordinary conversations cut"], rows)
    whole = [(chain, f"{sum(delivered(p) == 'whole' for _, p in here)} of {len(here)}") for chain, here in forced.items() if any(delivered(p) == "whole" for _, p in here)]
    succeeded = {chain: rate([reached(p, len(p["steps"]) - 1) for _, p in here]) for chain, here in forced.items()}
    spoilt = sum(p["ordinary_cut"] for here in forced.values() for _, p in here)
    told(f"Not cut, in less than 100 %: {lacking(forced, 100, lambda r, p: p['cut'] >= 0)}.", f"A payload came through whole: {names(whole)}.",
         f"The last step succeeded in more than half: {names([(chain, f'{value:.0f} %') for chain, value in succeeded.items() if value > 50])}.",
         f"Ordinary conversations cut beside {sum(map(len, forced.values()))} attacks: {spoilt}.")


def print_steps(g):
    title, seen, forced = "By step", by_chain(placed(g.main, "observe")), by_chain(placed(g.main, "enforce"))
    if not seen:
        not_run(title, "--places 20")
        return
    head(title, "A step is alerted when an alert is about a flow of it; *after*: from the step's first packet to its own first alert, median / 90 %; *policy*: that alerted first, most often. An alarm is given once a device and day, "
         "again with each 8 bits more, and where a policy's match adds to it, so later steps of a device that has alarmed may be silent.")
    rows, never = [], []
    for chain, here in seen.items():
        for i, step in enumerate(here[0][1]["steps"]):
            mine, in_force = [(r, p["steps"][i]) for r, p in here], forced.get(chain, [])
            policies = collections.Counter(s["policy"] for _, s in mine if s["policy"]).most_common(1)
            heard = [(r.seed, s["alerted"] >= 0 or s["noted"] >= 0) for r, s in mine]
            rows.append((chain if i == 0 else "", i + 1, step["words"], percent([(r.seed, s["alerted"] >= 0) for r, s in mine]), percent(heard),
                         seconds([max(0, s["alerted"] - s["first"]) for _, s in mine if s["alerted"] >= 0 and s["first"] >= 0]), policies[0][0] if policies else "-",
                         percent([(r.seed, p["steps"][i]["dropped"] > 0) for r, p in in_force]), percent([(r.seed, reached(p, i)) for r, p in in_force])))
            if not any(value for _, value in heard):
                never.append((chain, str(i + 1)))
    table(["attack", "", "step", "alerted % (observe)", "alerted or noted %", "after", "policy", "cut % (enforce)", "succeeded % (enforce)"], rows)
    told(f"Steps never noticed in themselves: {names(never)}.")


def print_slow(g):
    title = "Slow attacks"
    if not g.slow:
        not_run(title, "--only slow")
        return
    head(title, "Four (exfil-7d: six) at once in one pass, each on a device of its own. *drip-N*: N days of one small session a day to the later control host, then the mimic. Times from the first packet of all; "
         "*in preparation*: alerted before its second step began. *First 5*: of what was found within the days of the run without attacks.")
    rows, weeks, seen = [], {r.seed: r for r in g.main}, {}
    for mode in ("observe", "enforce"):
        for chain, here in by_chain(placed(g.slow, mode, "slow")).items():
            seen.setdefault(chain if mode == "observe" else f"{chain} (enforce)", here)
            found = [(r.seed, {**p, "at": max(p["at"], detected_at(p))}) for r, p in here if r.seed in weeks]
            ranks = [(seed, rank(p, weeks[seed])) for seed, p in found if p["at"] < weeks[seed].about["days"] * DAY]
            last = len(here[0][1]["steps"]) - 1
            early = [(r.seed, alerted(r, p) and (second_step(p) is None or detected_at(p) < second_step(p))) for r, p in here]
            rows.append((chain, mode, len(here), percent([(r.seed, alerted(r, p)) for r, p in here]), percent(early) if last else "-",
                         seconds([detected_at(p) - began(p) for r, p in here if alerted(r, p)]), percent([(seed, n is not None and n <= 5) for seed, n in ranks]) if mode == "observe" else "-",
                         percent([(r.seed, p["cut"] >= 0) for r, p in here]), percent([(r.seed, not reached(p, last)) for r, p in here])))
    table(["attack", "mode", "n", "alerted %", "in preparation %", "time to detect", "first 5 of its week %", "cut %", "last step failed %"], rows)
    told(f"Missed, alerted in less than 100 %: {lacking({c: here for c, here in seen.items() if '(' not in c}, 100, alerted)}.")


def print_cold(g):
    title = "Cold start"
    if not any(r.cold for r in g.main):
        not_run(title, "--only days,train")
        return
    head(title, "After so many days of learning: alarms in the week that follows (runs that teach for so long only), and attacks of up to six hours placed on that day in copies. "
         f"Day {g.longest}: the first week of the runs above, and the attacks placed in it. Without thresholds, policies stand by themselves.")
    rows, matrix, short = [], collections.OrderedDict(), {p["chain"] for _, p in placed(g.main, "observe", "cold")}
    for day in COLD:
        if day < g.longest:
            days = [(r.seed, d["alarmed_devices"]) for r in g.early if r.about["train"] == day for d in r.test_days]
            seen, forced = ([(r, p) for r, p in placed(g.main, mode, "cold") if p["place"] // 100 == day] for mode in ("observe", "enforce"))
        elif day == g.longest:
            days = [(r.seed, d["alarmed_devices"]) for r in g.main for d in r.test_days if d["day"] < day + 7]
            seen, forced = ([(r, p) for r, p in placed(g.main, mode) if p["at"] < (day + 7) * DAY and p["chain"] in short] for mode in ("observe", "enforce"))
        else:
            continue
        rows.append((day, figure(days) if days else "not run", len(seen), percent([(r.seed, alerted(r, p)) for r, p in seen]), percent([(r.seed, noticed(p)) for r, p in seen]),
                     percent([(r.seed, p["cut"] >= 0) for r, p in forced])))
        for chain, here in by_chain(seen).items():
            matrix.setdefault(chain, {})[day] = percent([(r.seed, alerted(r, p)) for r, p in here])
    table(["day", "devices that alarmed a day, week after", "attacks", "alerted %", "alerted or noted %", "cut % (enforce)"], rows)
    print()
    told_days = [row[0] for row in rows]
    table(["alerted %", *(f"day {day}" for day in told_days)], [(chain, *(by_day.get(day, "-") for day in told_days)) for chain, by_day in matrix.items()])
    rates = {day: share([d["alarmed_devices"] for r in g.early if r.about["train"] == day for d in r.test_days]) for day in COLD[:-1]}
    told(f"More than 1.3 alarms a day in the week after: {names([(f'day {day}', f'{value:.1f}') for day, value in rates.items() if value > 1.3]) if g.early else 'not run (`--only days,train`)'}.")


# --- beside what ---

def print_baselines(g):
    title = "Beside simple detectors"
    found = by_chain(placed(g.main, "observe"))
    head(title, "On the same observations. *Never seen before*: a device calls an endpoint new to it, or to the organisation. *Single best event*: the most surprising single event (endpoint, protocol and port, agent or fingerprint); its "
         "threshold is made of the week before so that it alarms so often a day. First what they alarm about on ordinary days, then what they find.")
    days = [(r.seed, d) for r in g.main for d in r.test_days]
    rows = [("Sekimori", figure([(seed, d["alarmed_devices"]) for seed, d in days])),
            ("never seen before (device)", figure([(seed, d["new_device"]) for seed, d in days], 1)), ("never seen before (organisation)", figure([(seed, d["new_org"]) for seed, d in days], 1))]
    rows += [(f"single best event at {budget:g} a day", figure([(seed, d["single"][i]) for seed, d in days])) for i, budget in enumerate(BUDGETS)]
    table(["ordinary days", "devices that alarmed a day"], rows)
    if not found:
        told("What they find was not run (`--places 20`).")
        return
    print()
    rows, better, worse = [], [], []
    for chain, here in found.items():
        ours, single = rate([alerted(r, p) for r, p in here]), rate([p["baseline"]["single"][1] >= 0 for r, p in here])
        rows.append((chain, percent([(r.seed, alerted(r, p)) for r, p in here]), *(percent([(r.seed, p["baseline"][key] >= 0) for r, p in here]) for key in ("new_device", "new_org")),
                     *(percent([(r.seed, p["baseline"]["single"][i] >= 0) for r, p in here]) for i in (1, 2)),
                     percent([(r.seed, listed(p, r, 5)[0]) for r, p in here]), percent([(r.seed, single_rank(p, r) <= 5) for r, p in here])))
        (better if ours > single else worse if single > ours else []).append((chain, f"{ours:.0f} to {single:.0f} %"))
    table(["attack, % found", "Sekimori", "never seen (device)", "never seen (organisation)", "single, 1 a day", "single, 3 a day", "first 5: Sekimori", "first 5: single"], rows)
    told(f"The single best event at 1 a day finds more: {names(worse)}.", f"Sekimori finds more: {names(better)}.")


def setting_row(name, here, reference):
    seen, forced = placed(here, "observe"), placed(here, "enforce")
    days = [(r.seed, d) for r in here for d in r.test_days]
    change = rate([alerted(r, p) for r, p in seen]) - rate([alerted(r, p) for r, p in placed(reference, "observe")]) if reference and seen else None
    return (name, len(seeds_of(here)), figure([(seed, d["alarmed_devices"]) for seed, d in days]), figure([(seed, d["incidents"]) for seed, d in days]),
            percent([(r.seed, alerted(r, p)) for r, p in seen]), "-" if change is None or here is reference else f"{change:+.0f}", *(percent([(r.seed, listed(p, r, k)[0]) for r, p in seen]) for k in (1, 5)),
            percent([(r.seed, p["cut"] >= 0) for r, p in forced]), percent([(r.seed, delivered(p) == "whole") for r, p in forced]))


SETTING_HEADS = ["companies", "devices that alarmed a day", "incidents a day", "alerted %", "points", "first of its week %", "first 5 %", "cut %", "a payload whole %"]


def print_by_setting(groups):
    chains = {name: by_chain(placed(here, "observe")) for name, here in groups.items()}
    every = list(collections.OrderedDict((chain, None) for found in chains.values() for chain in found))
    if every:
        print()
        table(["alerted %", *groups], [(chain, *(f"{rate([alerted(r, p) for r, p in chains[name][chain]]):.0f}" if chains[name].get(chain) else "-" for name in groups)) for chain in every])


def print_groups(g, named):
    """The same companies and places as they are, then each with its setting."""
    groups = collections.OrderedDict(([("as it is", g.side)] if g.side else []) + list(named.items()))
    table(["setting", *SETTING_HEADS], [setting_row(name, here, g.side) for name, here in groups.items()])
    print_by_setting(groups)


def print_budgets(g):
    title = "Attacks at other budgets"
    if not g.budgets:
        not_run(title, "--budgets 0.2,3,10")
        return
    head(title, "All attacks together; *as it is*: 1 a day, the same companies and places. *Points*: alerted, against that.")
    print_groups(g, g.budgets)


def print_ablation(g):
    title = "Each component left out"
    if not g.without:
        not_run(title, "--ablate")
        return
    head(title, "One component at a time (`sekimori-evaluate --list` tells what each is); the same companies and places as *as it is*. *Points*: alerted, against that. Few companies: a difference below some 5 points says nothing.")
    print_groups(g, g.without)
    reference = rate([alerted(r, p) for r, p in placed(g.side, "observe")]) if g.side else float("nan")
    change = {name.removeprefix("without "): rate([alerted(r, p) for r, p in placed(here, "observe")]) - reference for name, here in g.without.items()}
    told(f"Alerted the same or more often without: {names([(name, f'{value:+.0f}') for name, value in change.items() if value >= 0])}. What such a component is worth, if anything, is in the other columns.",
         f"Least can be done without: {names([(name, f'{value:+.0f}') for name, value in sorted(change.items(), key=lambda pair: pair[1])[:4] if value < 0])}.")


def print_all(runs):
    g = Groups(runs)
    print_made(g)
    print_valid(g)
    if not g.main:
        print("\nNo company was run as it is (`scripts/evaluate --only days`): there is nothing to compare with.")
        return
    for part in (print_rates, print_wrong, print_found, print_precision, print_stopped, print_steps, print_slow, print_cold, print_drift, print_baselines, print_budgets, print_ablation, print_explained):
        part(g)


if __name__ == "__main__":
    print_all(read(sys.argv[1:]))
