#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts the tries of all phases together: a line for each row, a sum for each mode.
usage: report.py [--json FILE] [--markdown] [--expect FILE] [--write FILE] bare=FILE default=FILE [strict=FILE]

A row is as good as its worst case: fired (the evidence was seen) or not delivered = pass; flagged = it went by, and was said to be uninspected;
SILENT = it went by and nobody was told; broken = the control was not caught or the try could not be made."""
import argparse
import collections
import json
import sys

ORDER = ("fired", "not delivered", "flagged", "SILENT", "broken")


def outcome(evasion, plain):
    if evasion["fired"]:
        result = "fired", ""
    elif not evasion["delivered"]:
        result = "not delivered", "cut" if evasion["cut"] else ""
    elif evasion["flagged"]:
        result = "flagged", ", ".join(evasion["flagged"])
    else:
        result = "SILENT", ""
    if plain and (plain["fired"] or plain["cut"]):
        return result
    # Nothing passes by an evasion that is no better than its control.
    return (max(result[0], "broken", key=ORDER.index) if ORDER.index(result[0]) < 2 else result[0]), "the control is not caught either"


class Mode:
    def __init__(self, tries):
        self.plain, self.cases = {}, collections.defaultdict(dict)
        last = None
        for t in tries:
            if t["kind"] == "plain":
                last = self.plain[t["row"]] = t if t["row"] not in self.plain or not (t["fired"] or t["cut"]) else self.plain[t["row"]]
            else:
                self.cases[t["row"], t["case"]][t["kind"]] = t

    def judged(self):
        for (row, case), kinds in self.cases.items():
            evasion, harmless = kinds["evasion"], kinds["harmless"]
            what, why = outcome(evasion, self.plain.get(row))
            if what == "not delivered" and evasion["error"] and not harmless["error"]:
                why = evasion["error"].strip().splitlines()[-1]
            elif evasion["error"].startswith("Traceback"):
                what, why = "broken", evasion["error"].strip().splitlines()[-1]
            yield {"row": row, "case": case, "result": what, "why": why, "harmless passes": harmless["delivered"], "counted": evasion["counted"],
                   "error": evasion["error"]}


def table(results, bare):
    """row -> name, taken, {mode: worst}"""
    rows = {}
    for t in bare:
        r = rows.setdefault(t["row"], {"row": t["row"], "name": t["name"], "taken": 0, "cases": 0, "modes": {}, "details": []})
        r["cases"] += 1
        r["taken"] += t["delivered"]
    for mode, judged in results.items():
        for j in judged:
            r = rows[j["row"]]
            r["modes"][mode] = max(r["modes"].get(mode, "fired"), j["result"], key=ORDER.index)
            taken = next(t["delivered"] for t in bare if (t["row"], t["case"]) == (j["row"], j["case"]))
            r["details"].append({"mode": mode, "taken": taken, **j})
    return [rows[n] for n in sorted(rows)]


def taken_word(r):
    return "yes" if r["taken"] == r["cases"] else "no" if not r["taken"] else f"{r['taken']} of {r['cases']}"


def say(rows, modes, markdown):
    lines = [["row", "evasion", "cases", "endpoint takes it", *modes]]
    lines += [[str(r["row"]), r["name"], str(r["cases"]), taken_word(r), *(r["modes"].get(m, "not run") for m in modes)] for r in rows]
    if markdown:
        lines.insert(1, ["---"] * len(lines[0]))
        print("\n".join("| " + " | ".join(line) + " |" for line in lines))
        return
    width = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    print("\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, width)).rstrip() for line in lines))


def say_details(rows):
    for r in rows:
        for d in r["details"]:
            if d["result"] in ("flagged", "SILENT", "broken"):
                print(f"  {d['mode']} {d['row']} {d['case'] or '-'}: {d['result']} {d['why']}")


def sums(rows, modes):
    for m in modes:
        c = collections.Counter(r["modes"].get(m) for r in rows)
        print(f"{m}: {c['fired'] + c['not delivered']}/{len(rows)} pass, {c['flagged']} flagged, {c['SILENT']} silent, {c['broken']} broken")


def worse_than(path, rows, modes):
    """Lines 'MODE ROW WORST'. What is not named there must pass; SILENT is never allowed unless named."""
    allowed = {}
    with open(path) as lines:
        for line in lines:
            words = line.split("#")[0].split()
            if words:
                allowed[words[0], int(words[1])] = words[2]
    bad = 0
    for r in rows:
        for m in modes:
            got, most = r["modes"].get(m), allowed.get((m, r["row"]), "not delivered")
            if got and ORDER.index(got) > ORDER.index("not delivered" if most == "pass" else most):
                print(f"not as expected: row {r['row']} ({r['name']}), {m}: {got}, expected at most {most}")
                bad += 1
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("json", "expect", "write"):
        parser.add_argument("--" + name)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("phases", nargs="+")
    arguments = parser.parse_args()
    phases = {name: json.load(open(path)) for name, path in (p.split("=", 1) for p in arguments.phases)}
    bare = phases.pop("bare")
    results = {mode: list(Mode(tries).judged()) for mode, tries in phases.items()}
    rows = table(results, bare)
    say(rows, list(results), arguments.markdown)
    say_details(rows)
    sums(rows, list(results))
    if arguments.json:
        with open(arguments.json, "w") as out:
            json.dump({"rows": rows}, out, indent=1)
    sys.exit(1 if arguments.expect and worse_than(arguments.expect, rows, list(results)) else 0)


main()
