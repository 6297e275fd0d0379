#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/evaluate*: what is said of one placed attack, the intervals, which runs are made, tables where runs are missing."""
import argparse
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))
import evaluate_summary as summary
import evaluate_tables as tables


def script():
    loader = importlib.machinery.SourceFileLoader("evaluate", str(SCRIPTS / "evaluate"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("evaluate", loader))
    loader.exec_module(module)
    return module

DAY = summary.DAY


def step(**given):
    return {"words": "", "begun": 1, "first": 100.0, "conversations": 1, "stopped": 0, "frames": 5, "dropped": 0, "payload": 0, "payload_dropped": 0,
            "alerted": -1, "noted": -1, "blocked": -1, "alerts": 0, "policy": "", **given}


def place(steps, **given):
    return {"kind": "place", "seed": 1, "chain": "x", "mode": "observe", "place": 0, "victim": "web", "at": 15 * DAY, "end": 16 * DAY, "ordinary_cut": 0, "cut": -1,
            "near": 0, "incident": {"id": 7, "score": 50, "priority": 3}, "baseline": {"new_device": -1, "new_org": -1, "bits": 30, "single": [-1] * 4},
            "steps": steps, **given}


def explained(**given):
    return {"kind": "explained", "alerts": 5, "events": 9, "items": 30, "found": 20, "numbers": 400, "differ": 0, "lost": 0, "altered": 1, "noticed": 1, "seconds": .1, **given}


def day(number, **given):
    return {"kind": "day", "day": number, "devices": 300, "alarms": 1, "alarmed_devices": 1, "incidents": 1, "notes": 2, "would_block": 0, "blocks": 0, "cut": 0, "conversations": 1000,
            "new_device": 100, "new_org": 60, "single": [0, 1, 3, 10], "single_bits": [30], "parts": {"web": 1}, **given}


def run(incidents=(), places=(), days=(), said=(), name="days-1", **about):
    return summary.Run([{"kind": "run", "seed": 1, "train": 14, "days": 42, "budget": 1, "without": [], "mode": "observe", "devices": 312, "devices_last": 327, **about},
                        *({"kind": "incident", "first": first, "score": score} for first, score in incidents), *places, *days, *said, {"kind": "cost", "frames": 1, "limits": {}}], name)


class Placed(unittest.TestCase):
    def test_detected_by_its_first_alerted_step(self):
        self.assertEqual(summary.detected_at(place([step(alerted=-1), step(alerted=130.0), step(alerted=120.0)])), 120)
        self.assertEqual(summary.detected_at(place([step(noted=120.0)])), -1)
        self.assertTrue(summary.noticed(place([step(noted=120.0)])))

    def test_delivered(self):
        none, part, whole = (step(payload=3, payload_dropped=n) for n in (3, 2, 0))
        self.assertEqual(summary.delivered(place([step(), none])), "none")
        self.assertEqual(summary.delivered(place([none, part])), "part")
        self.assertEqual(summary.delivered(place([none, part, whole])), "whole")
        self.assertEqual(summary.delivered(place([step(begun=0)])), "none")

    def test_reached_means_that_one_conversation_lived(self):
        self.assertTrue(summary.reached(place([step(conversations=2, stopped=1)]), 0))
        self.assertFalse(summary.reached(place([step(conversations=2, stopped=2)]), 0))
        self.assertFalse(summary.reached(place([step(begun=0, conversations=0)]), 0))

    def test_lived(self):
        self.assertEqual(summary.lived(place([step(conversations=5, stopped=2), step(begun=0, conversations=0), step()])), 4)

    def test_rank_counts_the_same_week_only_and_ties_against_it(self):
        week = run([(14 * DAY, 60), (20.9 * DAY, 50), (21 * DAY, 99), (13 * DAY, 99), (16 * DAY, 49)])
        self.assertEqual(summary.rank(place([step()]), week), 3)
        self.assertIsNone(summary.rank(place([step()], incident={"id": 0, "score": 0, "priority": 0}), week))

    def test_rank_of_a_single_event(self):
        days = [{"kind": "day", "day": day, "single_bits": bits} for day, bits in ((13, [40]), (14, [31, 30]), (20, [29]), (21, [50]))]
        self.assertEqual(summary.single_rank(place([step()]), run(days=days)), 3)

    def test_the_second_step_and_the_first_block(self):
        self.assertEqual(summary.second_step(place([step(), step(first=130.0)])), 130)
        self.assertIsNone(summary.second_step(place([step()])))
        self.assertIsNone(summary.second_step(place([step(), step(first=-1)])))
        self.assertEqual(summary.blocked_at(place([step(), step(blocked=9.0), step(blocked=7.0)])), 7)

    def test_an_alert_before_the_second_step_takes_no_time_from_it(self):
        found = [(run(), place([step(alerted=alerted), step(first=130.0, alerted=own)])) for alerted, own in ((120.0, -1), (-1, 130.5), (-1, -1))]
        self.assertEqual(tables.after_second(found), [(1, 0), (1, .5), (1, None)])
        self.assertEqual(tables.after_second([(run(), place([step(alerted=1.0)]))]), [])

    def test_a_share_of_a_list_counts_no_more_than_there_is(self):
        busy, calm = (run([((14 + n / 10) * DAY, score) for n in range(others)]) for others, score in ((9, 40), (1, 60)))
        self.assertEqual(summary.listed(place([step()]), busy, 5), (True, .2))
        self.assertEqual(summary.listed(place([step()]), calm, 5), (True, .5))
        self.assertEqual(summary.listed(place([step()]), run([(14 * DAY, 60)] * 5), 5), (False, 0))

    def test_proven(self):
        self.assertTrue(summary.proven([run(said=[explained(), explained(altered=0, noticed=0)])]))
        for bad in ({"differ": 1}, {"lost": 1}, {"noticed": 0}, {"altered": 0, "noticed": 0}, {"alerts": 0}):
            self.assertFalse(summary.proven([run(said=[explained(**bad)])]), bad)
        self.assertFalse(summary.proven([run(said=[explained()]), run()]), "a run that says nothing of it proves nothing")
        self.assertFalse(summary.proven([]))

    def test_stands(self):
        good = [place([step(alerted=1.0)]), place([step(payload=1, payload_dropped=1)], mode="enforce")]
        self.assertTrue(summary.stands([run(places=good)], "x"))
        self.assertFalse(summary.stands([run(places=good)], "y"))
        self.assertFalse(summary.stands([run(places=[place([step()]), good[1]])], "x"))
        self.assertFalse(summary.stands([run(places=[good[0], place([step(payload=1)], mode="enforce")])], "x"))


def told(runs):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        tables.print_all(runs)
    return text.getvalue()


class Tables(unittest.TestCase):
    DAYS = [day(n) for n in range(42)]
    PLACES = [place([step(alerted=101.0), step(first=102.0)]), place([step(alerted=101.0, blocked=101.0)], mode="enforce", cut=101.0)]

    def setUp(self):
        for p in self.PLACES:
            p.update(evidence=20, threshold=10)
            p["steps"] = [step(alerted=101.0), step(first=102.0)]

    def test_what_was_not_run_says_so(self):
        self.assertIn("nothing to compare with", told([]))
        self.assertIn("nothing to compare with", told([run(days=self.DAYS, mode="enforce", name="enforce-1")]))
        for text in (told([run(days=self.DAYS)]), told([run(days=self.DAYS[:9], train=6)]), told([run(days=self.DAYS, places=self.PLACES)])):
            for title in ("Wrong actions", "Slow attacks", "Cold start", "Attacks at other budgets", "Each component left out", "Every alert made again"):
                self.assertRegex(text, f"## {title}\n\nNot run")

    def test_what_was_run_is_told(self):
        cold = [{**p, "kind": "cold", "place": 100, "at": DAY} for p in self.PLACES]
        slow = [{**p, "kind": "slow"} for p in self.PLACES]
        text = told([run([(15 * DAY, 40)], [*self.PLACES, *cold], self.DAYS, [explained(differ=2)]), run(places=slow, said=[explained()], name="slow-x-0-observe-1"),
                     run(days=self.DAYS, said=[explained()], mode="enforce", name="enforce-1"), run(days=self.DAYS[:8], said=[explained()], train=1, name="train1-1"),
                     *(run(places=self.PLACES, days=self.DAYS, said=[explained()], name=f"{kind}-1", **about)
                       for kind, about in (("side", {}), ("budget-3", {"budget": 3}), ("without-wait", {"without": ["wait"]})))])
        self.assertNotIn("\nNot run", text)
        self.assertNotIn("nan", text)
        self.assertIn("explained: 35 alerts, 2800 numbers, 2 differ.", text)

    def test_tables_that_were_full_are_told(self):
        full = run(days=self.DAYS)
        full.cost["limits"] = {"flows_full": 3}
        self.assertIn("NOT VALID", told([full]))


class Script(unittest.TestCase):
    def asked(self, **given):
        return argparse.Namespace(**{"quick": False, "first_seed": 3, "seeds": 10, "places": 20, "cold": 2, "side_places": 6, "side_seeds": 3, "rates_only": False, "budgets": "3", "ablate": False, "only": script().KINDS, **given})

    def test_companies_it_was_developed_on_are_not_among_them(self):
        runs = script().all_runs(self.asked(), None)
        self.assertEqual({int(arguments[1]) for _, arguments in runs}, set(range(3, 13)))
        self.assertEqual(len({name for name, _ in runs}), len(runs))
        self.assertTrue(runs[0][0].startswith("days-"), "the longest first")
        self.assertEqual({name.split("-")[0] for name, _ in script().all_runs(self.asked(only=["train"]), None)}, {"train1", "train3", "train7"})

    def test_attacks_at_other_budgets_on_few_companies_rates_on_all(self):
        places = [arguments[3] for name, arguments in script().all_runs(self.asked(only=["budget"]), None)]
        self.assertEqual(sorted(places), ["0"] * 7 + ["6"] * 3)
        places = [arguments[3] for name, arguments in script().all_runs(self.asked(only=["budget"], rates_only=True), None)]
        self.assertEqual(places, ["0"] * 10)
        runs = script().all_runs(self.asked(only=["side"], side_seeds=1, side_places=2), None)
        self.assertEqual(runs, [("side-3", ["--seed", "3", "--places", "2"])])

    def test_a_run_with_other_arguments_is_made_again(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "days-3.jsonl"
            self.assertFalse(script().is_made(path, ["--seed", "3"]))
            path.write_text(json.dumps({"kind": "spent", "arguments": ["--seed", "3"]}) + "\n")
            self.assertTrue(script().is_made(path, ["--seed", "3"]))
            self.assertFalse(script().is_made(path, ["--seed", "3", "--places", "4"]))


class Intervals(unittest.TestCase):
    def test_poisson(self):  # exact (Garwood): 0 to 3.69; at 10: 4.80 to 18.39
        self.assertAlmostEqual(summary.poisson(0)[1], 3.69, delta=.1)
        low, high = summary.poisson(10)
        self.assertAlmostEqual(low, 4.79, delta=.05)
        self.assertAlmostEqual(high, 18.39, delta=.05)

    def test_bootstrap_holds_the_mean(self):
        whole, low, high = summary.bootstrap([(seed, value) for seed in range(10) for value in (0, seed % 2)])
        self.assertEqual(whole, .25)
        self.assertTrue(0 < low < .25 < high < .5)

    def test_seconds(self):
        self.assertEqual(summary.seconds([5.0, 1.0]), "3.0 s / 5.0 s")
        self.assertEqual(summary.seconds([]), "-")

    def test_all_alike_is_not_certain(self):
        self.assertEqual(summary.percent([(1, True)] * 20), "100 (84-100)")


if __name__ == "__main__":
    unittest.main()
