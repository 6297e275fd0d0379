# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows 71-82: the end of a connection, or what looks like it."""
import time

import craft
from craft import ACK, FIN, PSH, RST, SYN
from rows import row
from trial import Connection


def reset(number, title, name="", wait=0.0, slow=False, stamps=False, first=None, flags=RST, data=b"", **way):
    """A RST that should not end the connection, in the middle of the keyword; where it does, nothing is delivered."""
    @row(number, title, name, slow=slow)
    def _(t):
        c = t.open(stamps=stamps)
        c.say(t.kw[:t.cuts[0]])
        c.say(t.kw[t.cuts[0]:t.cuts[1]])
        if first:
            first(c)
        fields = {k: v(c) if callable(v) else v for k, v in way.items()}
        c.t.send(c.frame(flags, data=data, **fields))
        time.sleep(wait)
        c.tell()
        t.settle()


reset(71, "RST with a wrong checksum", error=0xFFFF)
reset(71, "RST with a wrong checksum", "RST+ACK", flags=RST | ACK, error=1)
reset(72, "RST of a wrong number", seq=lambda c: c.isn - 12345)
reset(72, "RST of a wrong number", "one less", seq=lambda c: c.isn + c.next)
reset(73, "RST in the window", seq=lambda c: c.isn + 1 + c.next + 22)
reset(73, "RST in the window", "one more", seq=lambda c: c.isn + 2 + c.next)
reset(74, "RST partly in the window", seq=lambda c: c.isn + 1, data=b"R" * 40)
reset(74, "RST partly in the window", "with data to the next byte", seq=lambda c: c.isn + 1 + c.next - 5, data=b"R" * 30)
reset(75, "RST with an old timestamp", stamps=True, clock=0)
reset(75, "RST with an old timestamp", "not exact", stamps=True, clock=0, seq=lambda c: c.isn + 1 + c.next + 9)
reset(76, "RST with an MD5 option", options=craft.NOP + craft.NOP + craft.MD5)
reset(76, "RST with an MD5 option", "then a pause", options=craft.NOP + craft.NOP + craft.MD5, wait=2.5)
reset(77, "RST+ACK with a wrong acknowledgement", flags=RST | ACK, ack=lambda c: c.theirs - 12345678)
reset(77, "RST+ACK with a wrong acknowledgement", "ahead", flags=RST | ACK, ack=lambda c: c.theirs + 12345678)


def piece_ahead(c):
    c.put(c.next + 8, c.t.kw[c.next + 8:c.next + 20])


reset(78, "RST at the right edge of a SACK", first=piece_ahead, seq=lambda c: c.isn + 1 + c.next + 20)


@row(78, "RST at the right edge of a SACK", "SACK agreed on")
def _(t):
    c = t.open(options=craft.MSS + craft.SACK_OK)
    c.say(t.kw[:t.cuts[0]])
    piece_ahead(c)
    c.wait(lambda: any(s[7].find(b"\5\x0a") >= 0 for s in c.heard), 0.5)
    c.flag(RST, seq=c.isn + 1 + c.next + 20)
    c.tell()
    t.settle()


reset(79, "RST with a low TTL", ip={"ttl": 2})
reset(79, "RST with a low TTL", "then a pause", ip={"ttl": 2}, wait=2.5)


@row(80, "RST after FIN; data while closing", "a FIN that waits, a RST behind it")
def _(t):
    c = t.open()
    c.say(t.kw[:t.cuts[0]])
    c.flag(FIN | ACK, len(t.kw))
    c.flag(RST, len(t.kw) + 1)
    c.tell()
    t.settle()


@row(80, "RST after FIN; data while closing", "the server has closed its half")
def _(t):
    c = t.open()
    c.say(t.kw[:t.cuts[0]])
    t.endpoint.half_close((t.address, c.ports[0]))
    c.wait(lambda: any(s[5] & FIN for s in c.heard))
    c.theirs += 1
    c.flag(ACK, c.next)
    time.sleep(0.1)
    c.tell()
    t.settle()


@row(80, "RST after FIN; data while closing", "both, and the client's FIN is forged")
def _(t):
    c = t.open()
    c.say(t.kw[:t.cuts[0]])
    t.endpoint.half_close((t.address, c.ports[0]))
    c.wait(lambda: any(s[5] & FIN for s in c.heard))
    c.theirs += 1
    c.flag(FIN | ACK, c.next, options=craft.NOP + craft.NOP + craft.MD5)
    time.sleep(0.2)
    c.tell()
    t.settle()


@row(80, "RST after FIN; data while closing", "data after our FIN")
def _(t):
    c = t.open()
    c.say(t.kw[:t.cuts[0]])
    c.flag(FIN | ACK, c.next)
    c.tell()
    t.settle()


def forged_fin(name, pause=0.0, slow=False, **way):
    @row(81, "FIN that is none", name, slow=slow)
    def _(t):
        c = t.open()
        c.say(t.kw[:t.cuts[0]])
        c.say(t.kw[t.cuts[0]:t.cuts[1]])
        fields = {k: v(c) if callable(v) else v for k, v in way.items()}
        flags = fields.pop("flags", FIN | ACK)
        c.flag(flags, **fields)
        time.sleep(pause)
        c.tell()
        t.settle()


forged_fin("wrong number", seq=lambda c: c.isn - 12345)
forged_fin("no ACK", flags=FIN)
forged_fin("in the window", seq=lambda c: c.isn + 1 + c.next + 22)
forged_fin("wrong checksum", error=0xFFFF)
forged_fin("MD5 option, then a pause", options=craft.NOP + craft.NOP + craft.MD5, pause=1.0)
forged_fin("low TTL", ip={"ttl": 2})


@row(82, "data after a RST the receiver ignored", "in the window, 2.5 s")
def _(t):
    quiet(t, 2.5, seq_more=21)


@row(82, "data after a RST the receiver ignored", "exact, MD5, 2.5 s")
def _(t):
    quiet(t, 2.5, options=craft.NOP + craft.NOP + craft.MD5)


@row(82, "data after a RST the receiver ignored", "exact, MD5, 12 s", slow=True)
def _(t):
    quiet(t, 12, options=craft.NOP + craft.NOP + craft.MD5)


@row(82, "data after a RST the receiver ignored", "exact, low TTL, 12 s", slow=True)
def _(t):
    quiet(t, 12, ip={"ttl": 2})


@row(82, "data after a RST the receiver ignored", "exact, low TTL, then a forged SYN")
def _(t):
    c = t.open()
    c.say(t.kw[:t.cuts[1]])
    c.flag(RST, c.next, ip={"ttl": 2})
    c.flag(SYN, seq=c.isn + 777777, ip={"ttl": 2})
    time.sleep(0.1)
    c.tell()
    t.settle()


def quiet(t, seconds, seq_more=0, **way):
    c = t.open()
    c.say(t.kw[:t.cuts[0]])
    c.say(t.kw[t.cuts[0]:t.cuts[1]])
    c.flag(RST, c.next + seq_more, **way)
    time.sleep(seconds)
    c.tell()
    t.settle()
