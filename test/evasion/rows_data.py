# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows 45-70: TCP's data and sequence numbers."""
import craft
from craft import ACK, FIN, PSH, RST, SYN, URG
from rows import row
from trial import Connection


@row(45, "cut into three")
def _(t):
    c = t.open()
    for end in (t.cuts[0], t.cuts[1], len(t.kw)):
        c.say(t.kw[c.next:end])
    t.settle()


@row(46, "segments of one byte")
def _(t):
    c = t.open()
    for at in range(len(t.kw)):
        c.say(t.kw[at:at + 1], wait=at % 16 == 15)
    t.settle()


@row(47, "small first segment")
def _(t):
    c = t.open()
    c.say(t.kw[:4])
    c.tell()
    t.settle()


def in_order_of(t, order, size=11):
    c = t.open()
    offsets = order(list(range(0, len(t.kw), size)))
    for offset in offsets:
        c.put(offset, t.kw[offset:offset + size])
    t.settle()


@row(48, "random order")
def _(t):
    in_order_of(t, lambda o: t.random.sample(o, len(o)))


@row(48, "random order", "one byte each")
def _(t):
    in_order_of(t, lambda o: t.random.sample(o, len(o)), size=2)


@row(49, "reversed order")
def _(t):
    in_order_of(t, lambda o: o[::-1])


# Two copies of [a, b) that differ. What an endpoint takes depends on its policy: each pair runs with the keyword in the first and in the second.

def overlap(number, title, name, first, second, queued):
    """first, second: (from, to) in bytes from the middle of the keyword. queued: both come before the bytes in front of them."""
    for swapped in (False, True):
        @row(number, title, f"{name}, {'first' if swapped else 'second'} has the keyword")
        def _(t, swapped=swapped):
            middle = t.cuts[1]
            c = t.open()
            if not queued:
                c.say(t.kw[:middle + min(first[0], second[0])])
            for (a, b), real in ((first, swapped), (second, not swapped)):
                c.put(middle + a, (t.kw if real else t.fill)[middle + a:middle + b])
            edge = middle + max(first[1], second[1])
            rest = t.cuts[2] + 12
            c.put(edge, t.kw[edge:rest])
            c.put(rest, t.kw[rest:])
            if queued:
                c.put(t.cuts[0], t.kw[t.cuts[0]:middle + min(first[0], second[0])])
                c.put(0, t.kw[:t.cuts[0]])
            t.settle()


overlap(50, "overlap in order, other bytes", "same place", (0, 8), (0, 8), False)
for name, first, second in (("equal", (0, 8), (0, 8)), ("new begins before", (4, 12), (0, 8)), ("new begins later", (0, 8), (4, 12)),
                            ("new covers old", (4, 8), (0, 12)), ("old covers new", (0, 12), (4, 8)), ("same begin, new longer", (0, 6), (0, 12)),
                            ("same begin, new shorter", (0, 12), (0, 6)), ("same end, new longer", (6, 12), (0, 12)),
                            ("same end, new shorter", (0, 12), (6, 12))):
    overlap(51, "overlap before the hole is filled", name, first, second, True)


@row(51, "overlap before the hole is filled", "the filler covers what waits")
def _(t):
    c = t.open()
    a, b = t.cuts[1], t.cuts[1] + 8
    c.put(a, t.fill[a:b])
    c.put(b, t.kw[b:])
    c.put(0, t.kw[:10])
    c.put(10, t.kw[10:b])
    t.settle()


@row(51, "overlap before the hole is filled", "three copies")
def _(t):
    c = t.open()
    a, b = t.cuts[1], t.cuts[1] + 8
    for data in (t.fill, t.kw, t.fill):
        c.put(a + 2, data[a + 2:b - 2])
    c.put(a, t.kw[a:b])
    c.put(b, t.kw[b:])
    c.put(t.cuts[0], t.kw[t.cuts[0]:a])
    c.put(0, t.kw[:t.cuts[0]])
    t.settle()


@row(52, "other bytes after the acknowledgement", "junk last")
def _(t):
    c = t.open()
    for offset, piece in t.pieces():
        c.say(piece)
        c.put(offset, t.fill[offset:offset + len(piece)])
    t.settle()


@row(52, "other bytes after the acknowledgement", "keyword last")
def _(t):
    c = t.open()
    for offset, piece in t.pieces():
        c.say(t.fill[offset:offset + len(piece)])
        c.put(offset, piece)
    t.settle()


@row(53, "retransmission longer than the original", "other bytes again")
def _(t):
    c = t.open()
    for offset, piece in t.pieces():
        c.put(offset, piece[:5])
        c.put(offset, b"X" * 5 + piece[5:])
        c.acks(offset + len(piece), 0.3)
    t.settle()


@row(53, "retransmission longer than the original", "the same bytes again")
def _(t):
    c = t.open()
    for offset, piece in t.pieces():
        c.put(offset, piece[:5])
        c.put(offset, piece)
        c.acks(offset + len(piece), 0.3)
    t.settle()


@row(54, "begins before the first number")
def _(t):
    c = t.open()
    first = t.kw[:t.cuts[1]]
    c.put(-10, b"A" * 10 + first)
    c.acks(len(first), 0.3)
    c.next = len(first)
    c.tell()
    t.settle()


@row(54, "begins before the first number", "every segment reaches back")
def _(t):
    c = t.open()
    for offset, piece in t.pieces():
        c.put(offset - 7, b"A" * 7 + piece)
        c.acks(offset + len(piece), 0.3)
    t.settle()


def far(number, title, name, distance):
    @row(number, title, name)
    def _(t):
        c = t.open()
        for offset, piece in t.pieces():
            c.put(offset + distance, t.fill)
            c.say(piece)
        t.settle()


far(55, "far ahead", "100,000", 100000)
far(55, "far ahead", "30,000, within the window", 30000)
far(55, "far ahead", "2^31 - 1", 0x7FFFFFFF)
far(56, "right of the window", "one byte", 16 << 20)
far(56, "right of the window", "just outside", 65536 * 8)


# Junk in a way the endpoint must refuse, then the keyword; and the keyword itself in that way.

def refused(number, title, name="", carrying=True, **way):
    fields = {k: v for k, v in way.items() if k != "stamps"}

    def make(c):
        return {k: v(c) if callable(v) else v for k, v in fields.items()}

    @row(number, title, (name + " junk first").strip())
    def _(t):
        c = t.open(stamps=way.get("stamps", False))
        for offset, piece in t.pieces():
            c.put(offset, t.fill[offset:offset + len(piece)], **make(c))
            c.clock += 1
            c.say(piece)
        t.settle()

    @row(number, title, (name + " junk ahead, in the queue").strip())
    def _(t):
        c = t.open(stamps=way.get("stamps", False))
        for offset, piece in t.pieces()[1:]:
            c.put(offset, t.fill[offset:offset + len(piece)], **make(c))
        c.clock += 1
        c.tell()
        t.settle()

    if carrying:
        @row(number, title, (name + " carries the keyword").strip())
        def _(t):
            c = t.open(stamps=way.get("stamps", False))
            for offset, piece in t.pieces():
                c.put(offset, piece, **make(c))
            t.settle()


refused(57, "wrong checksum", error=0xFFFF)
refused(57, "wrong checksum", "one bit,", error=1)
refused(58, "checksum of 0, of the pseudo-header alone", "0,", sum_as=0)
refused(58, "checksum of 0, of the pseudo-header alone", "0xffff,", sum_as=0xFFFF)
refused(59, "wrong acknowledgement", "old,", ack=lambda c: c.theirs - 12345678)
refused(59, "wrong acknowledgement", "ahead,", ack=lambda c: c.theirs + 100000)
refused(59, "wrong acknowledgement", "one ahead,", ack=lambda c: c.theirs + 1)
refused(59, "wrong acknowledgement", "half the numbers away,", ack=lambda c: c.theirs + 0x80000000)
refused(60, "no ACK flag", flags=0)
refused(60, "no ACK flag", "PSH only,", flags=PSH)
refused(61, "all flags", flags=FIN | SYN | RST | PSH | ACK | URG)
refused(61, "all flags", "SYN+ACK,", flags=SYN | ACK | PSH)
refused(61, "all flags", "RST+ACK of a wrong number,", carrying=False, flags=RST | ACK, seq=lambda c: c.isn + 30001)
refused(61, "all flags", "reserved bits,", reserved=14)


def offset_row(number, title, name, words):
    for carrying in (False, True):
        @row(number, title, f"{name}, {'the keyword' if carrying else 'junk first'}")
        def _(t, carrying=carrying):
            c = t.open()
            for at, piece in t.pieces():
                bad = piece if carrying else t.fill[at:at + len(piece)]
                body = craft.tcp(t.ends(), c.ports, c.isn + 1 + at, c.theirs, PSH | ACK, bad, offset=words)
                t.ip(craft.TCP, body)
                if carrying:
                    c.next = at + len(piece)
                else:
                    c.say(piece)
            t.settle()


offset_row(62, "data offset too small", "4 words", 4)
offset_row(62, "data offset too small", "0 words", 0)
offset_row(63, "data offset past the segment", "15 words", 15)


@row(63, "data offset past the segment", "15 words within it: 40 bytes of the data are options")
def _(t):
    c = t.open()
    for at, piece in t.pieces():
        body = craft.tcp(t.ends(), c.ports, c.isn + 1 + at, c.theirs, PSH | ACK, b"\1" * 40 + piece, offset=15)
        t.ip(craft.TCP, body)
        c.acks(at + len(piece), 0.3)
    t.settle()


refused(64, "old timestamp", stamps=True, clock=0)
refused(64, "old timestamp", "by two,", carrying=False, stamps=True, clock=lambda c: c.clock - 2)
refused(65, "timestamp 2^31 ahead", stamps=True, clock=lambda c: c.clock + 0x80000000)
refused(65, "timestamp 2^31 ahead", "less one,", stamps=True, clock=lambda c: c.clock + 0x7FFFFFFF)
refused(65, "timestamp 2^31 ahead", "and two,", stamps=True, clock=lambda c: c.clock + 0x80000002)
refused(66, "timestamp missing", stamps=True, options=b"")
refused(67, "MD5 option", options=craft.NOP + craft.NOP + craft.MD5)


def urgent(name, pointer, at, junk=b"X"):
    @row(68, "urgent byte", name)
    def _(t):
        c = t.open()
        c.say(t.kw[:t.cuts[0]])
        rest = t.kw[t.cuts[0]:]
        half = t.cuts[1] - t.cuts[0]
        first = rest[:at] + junk + rest[at:half]
        c.say(first, flags=PSH | ACK | URG, urgent=pointer)
        c.say(rest[half:half + 12])
        c.say(rest[half + 12:])
        t.settle()


urgent("first of its segment", 1, 0)
urgent("second", 2, 1)
urgent("pointer 65,535", 65535, 0, b"")
urgent("pointer 66,000 (464)", 66000, 0, b"")
urgent("pointer 0", 0, 0, b"")


@row(68, "urgent byte", "pointer without the flag")
def _(t):
    c = t.open()
    c.tell(urgent=1)
    t.settle()


@row(68, "urgent byte", "two of them")
def _(t):
    c = t.open()
    c.say(t.kw[:t.cuts[0]])
    for piece in (t.kw[t.cuts[0]:t.cuts[1]], t.kw[t.cuts[1]:t.cuts[2]], t.kw[t.cuts[2]:]):
        c.say(b"Y" + piece, flags=PSH | ACK | URG, urgent=1)
    t.settle()


@row(69, "keep-alive with a byte")
def _(t):
    c = t.open()
    for _, piece in t.pieces():
        c.say(piece)
        c.put(c.next - 1, b"D")
    t.settle()


@row(69, "keep-alive with a byte", "of what comes next")
def _(t):
    c = t.open()
    for offset, piece in t.pieces():
        c.say(piece[:-1])
        c.put(c.next, piece[-1:])
        c.put(c.next, b"D")
        c.next += 1
        c.acks(c.next, 0.3)
    t.settle()


@row(70, "numbers wrap")
def _(t):
    c = t.open(isn=0xFFFFFFF0)
    c.tell()
    t.settle()


@row(70, "numbers wrap", "reversed")
def _(t):
    c = t.open(isn=0xFFFFFFFF - t.cuts[1])
    for offset, piece in t.pieces()[::-1]:
        c.put(offset, piece)
    t.settle()
