#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/evaluate_summary.py: what is said of one placed attack, and the intervals."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import evaluate_summary as summary

DAY = summary.DAY


def step(**given):
    return {"words": "", "begun": 1, "first": 100.0, "conversations": 1, "stopped": 0, "frames": 5, "dropped": 0, "payload": 0, "payload_dropped": 0,
            "alerted": -1, "noted": -1, "blocked": -1, "alerts": 0, "policy": "", **given}


def place(steps, **given):
    return {"kind": "place", "seed": 1, "chain": "x", "mode": "observe", "place": 0, "victim": "web", "at": 15 * DAY, "end": 16 * DAY, "ordinary_cut": 0, "cut": -1,
            "near": 0, "incident": {"id": 7, "score": 50, "priority": 3}, "baseline": {"new_device": -1, "new_org": -1, "bits": 30, "single": [-1] * 4},
            "steps": steps, **given}


def run(incidents=(), places=(), days=()):
    return summary.Run([{"kind": "run", "seed": 1, "train": 14, "days": 42, "budget": 1, "without": [], "mode": "observe"},
                        *({"kind": "incident", "first": first, "score": score} for first, score in incidents), *places, *days, {"kind": "cost", "limits": {}}])


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

    def test_stands(self):
        good = [place([step(alerted=1.0)]), place([step(payload=1, payload_dropped=1)], mode="enforce")]
        self.assertTrue(summary.stands([run(places=good)], "x"))
        self.assertFalse(summary.stands([run(places=good)], "y"))
        self.assertFalse(summary.stands([run(places=[place([step()]), good[1]])], "x"))
        self.assertFalse(summary.stands([run(places=[good[0], place([step(payload=1)], mode="enforce")])], "x"))


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
