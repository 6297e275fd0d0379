#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries rows of the matrix on one path and says, as JSON, what the endpoint received and what the wire reported.
usage: evade.py --client NAMESPACE --endpoint NAMESPACE --out FILE [--rows 1,5-9] [--fast] [--first NUMBER] [--eve FILE --counters COMMAND]

Without --eve the path is bare: each evasion is tried once with a harmless keyword, to know what the endpoint takes at all. With it three
tries are made: the plain request, the evasion with the harmless keyword, the evasion."""
import argparse
import collections
import concurrent.futures
import itertools
import json
import shlex
import subprocess
import sys
import threading
import time
import traceback

import ends
import judge
import trial
from rows import TABLE, Row, plainly

for group in ("link", "handshake", "data", "teardown", "datagram", "http"):
    try:
        __import__("rows_" + group)
    except ModuleNotFoundError as e:
        if e.name != "rows_" + group:
            raise

WORKERS = 32
HEAVY = (13, 106, 110)  # floods: nothing runs beside them
Try = collections.namedtuple("Try", "row case kind run harmless")


def numbers_of(text):
    spans = [s.partition("-") for s in text.split(",")] if text else []
    return {n for a, dash, b in spans for n in range(int(a), int(b or a) + 1)}


def tries_of(arguments):
    wanted = numbers_of(arguments.rows)
    for number in sorted(TABLE):
        row = TABLE[number]
        if wanted and number not in wanted:
            continue
        plains = set()
        for case in row.cases:
            if arguments.fast and case.slow:
                continue
            if not arguments.eve:
                yield Try(row, case, "bare", case.run, True)
                continue
            if case.plain not in plains:
                plains.add(case.plain)
                yield Try(row, case, "plain", case.plain, False)
            yield Try(row, case, "harmless", case.run, True)
            yield Try(row, case, "evasion", case.run, False)


class Runner:
    def __init__(self, arguments):
        self.arguments = arguments
        self.link = self.in_thread(lambda: ends.Link(arguments.client))
        self.endpoint = self.in_thread(lambda: ends.Endpoint(arguments.endpoint))
        self.done = []

    @staticmethod
    def in_thread(make):
        box = []
        thread = threading.Thread(target=lambda: box.append(make()))
        thread.start()
        thread.join()
        if not box:
            sys.exit("the ends could not be set up")
        return box[0]

    def counters(self):
        if not self.arguments.counters:
            return {}
        said = subprocess.run(shlex.split(self.arguments.counters), capture_output=True, text=True, timeout=10)
        return {c["counter"]: c["value"] for c in json.loads(said.stdout)["counters"]} if said.returncode == 0 else {}

    def one(self, a_try, counted=False):
        t = trial.Trial(self.link, self.endpoint, a_try.row, a_try.harmless)
        error, before, difference = "", self.counters() if counted else {}, {}
        try:
            a_try.run(t)
        except trial.Broken as e:
            error = str(e)
        except Exception:  # a row's own fault must not end the others
            error = traceback.format_exc()
        if counted:
            time.sleep(0.15)
            difference = {k: v - before.get(k, 0) for k, v in self.counters().items() if v != before.get(k, 0)}
        return a_try, t, error, difference

    def inside(self, work, items, workers=1):
        """In threads of the endpoint's namespace."""
        with concurrent.futures.ThreadPoolExecutor(workers, initializer=ends.enter, initargs=(self.arguments.endpoint,)) as pool:
            return list(pool.map(work, items))

    def all(self):
        tries = list(tries_of(self.arguments))
        together = [t for t in tries if t.row.number not in HEAVY]
        together.sort(key=lambda t: not t.case.slow)  # what waits long begins first
        self.done = self.inside(self.one, together, WORKERS)
        self.done += self.inside(self.one, [t for t in tries if t.row.number in HEAVY])
        time.sleep(1.0)  # late frames, late events
        if not self.arguments.fast:
            self.try_again()
        if self.arguments.eve:
            self.look_again()
        if not all(self.inside(self.still_alive, [None])):
            sys.exit("the path or the endpoint no longer takes an ordinary request: nothing was proven")

    def try_again(self):
        """What did not arrive may have been our own fault (a late thread, a full queue): a second try decides, if it does arrive."""
        lost = [i for i, r in enumerate(self.result()) if not r["delivered"] and not r.get("fired") and self.done[i][0].kind != "harmless"
                and r["row"] not in HEAVY]
        for i, one in zip(lost, self.inside(self.one, [self.done[i][0] for i in lost], WORKERS)):
            if one[1].have():
                self.done[i] = one
        time.sleep(0.5)

    def look_again(self):
        """What got through and belongs to no flow that could be flagged: tried once more, alone, so that counters tell."""
        unclear = []
        for i, r in enumerate(self.result()):
            a_try = self.done[i][0]
            if a_try.kind == "evasion" and a_try.case.alone and r["delivered"] and not r["fired"] and not r["flagged"]:
                unclear.append(i)
        again = self.inside(lambda i: self.one(self.done[i][0], True), unclear)
        for i, one in zip(unclear, again):
            self.done[i] = one
        time.sleep(0.5 if again else 0)

    def still_alive(self, _):
        t = trial.Trial(self.link, self.endpoint, Row(0, "", []), True)
        plainly(t)
        t.settle(2)
        return t.have()

    def result(self):
        reports = judge.Reports(self.arguments.eve) if self.arguments.eve else None
        for a_try, t, error, counted in self.done:
            r = {"row": a_try.row.number, "name": a_try.row.name, "case": a_try.case.name, "kind": a_try.kind, "delivered": t.have(),
                 "error": error, "ends": sorted(t.tuples), "counted": counted}
            if reports:
                r.update(reports.of(t.tuples, a_try.case.evidence, t.marker.decode(), counted))
            yield r


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("client", "endpoint", "out"):
        parser.add_argument("--" + name, required=True)
    for name in ("rows", "eve", "counters"):
        parser.add_argument("--" + name, default="")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--first", type=int, default=1)
    arguments = parser.parse_args()
    trial.numbers = itertools.count(arguments.first)
    runner = Runner(arguments)
    runner.all()
    with open(arguments.out, "w") as out:
        json.dump(list(runner.result()), out, indent=1)


main()
