# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of rows: number, name, cases. The files rows_*.py fill it, one function a case. A case is given a trial, says its frames, and returns."""
import collections

Row = collections.namedtuple("Row", "number name cases")
Case = collections.namedtuple("Case", "name run plain evidence alone slow")
TABLE = {}


def plainly(t):
    """The control: the same request, whole, in order."""
    c = t.open()
    c.put(0, t.kw)
    t.settle()


def row(number, name, case="", plain=plainly, evidence="jndi", alone=False, slow=False):
    """evidence: what must be reported. alone: belongs to no flow, so counters may speak for it, and then nothing else may run. slow: left out of the fast subset."""
    def add(function):
        r = TABLE.setdefault(number, Row(number, name, []))
        r.cases.append(Case(case, function, plain, evidence, alone, slow))
        return function
    return add
