# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows 25-44: TCP's handshake and what is set up by it."""
import time

import craft
from craft import ACK, FIN, PSH, RST, SYN, URG
from rows import row
from trial import Connection, fetch, Visit


@row(25, "data on the SYN without Fast Open", "junk")
def _(t):
    c = Connection(t)
    c.syn(data=t.fill)
    c.wait(lambda: c.peer_isn is not None)
    c.flag(ACK, 0)
    c.tell()
    t.settle()


@row(25, "data on the SYN without Fast Open", "the keyword's head")
def _(t):
    c = Connection(t)
    c.syn(data=t.kw[:t.cuts[0]])
    c.wait(lambda: c.peer_isn is not None)
    c.flag(ACK, 0)
    c.next = t.cuts[0]
    c.tell()
    t.settle()


@row(26, "second SYN with data, after the SYN/ACK")
def _(t):
    c = Connection(t)
    c.syn()
    c.wait(lambda: c.peer_isn is not None)
    c.syn(data=t.fill)
    c.flag(ACK, 0)
    c.tell()
    t.settle()


@row(26, "second SYN with data, after the SYN/ACK", "after the ACK")
def _(t):
    c = t.open()
    c.syn(data=t.fill)
    c.tell()
    t.settle()


def fast_open(t, data):
    first = Connection(t)
    first.syn(options=craft.MSS + craft.option(34) + craft.NOP + craft.NOP)
    first.wait(lambda: first.peer_isn is not None)
    offered = first.heard[0][7] if first.heard else b""
    at = offered.find(b"\x22\x0a")
    cookie = offered[at + 2:at + 10] if at >= 0 else b"8 bytes!"
    first.flag(RST, 0)
    c = Connection(t)
    c.syn(data=data, options=craft.MSS + craft.option(34, cookie) + craft.NOP + craft.NOP)
    c.wait(lambda: c.peer_isn is not None)
    return c


@row(27, "Fast Open with cookie and data")
def _(t):
    c = fast_open(t, t.kw[:t.cuts[1]])
    c.next = t.cuts[1] if c.acks(1, 0.5) else 0
    c.flag(ACK, c.next)
    c.tell()
    t.settle()


@row(27, "Fast Open with cookie and data", "all on the SYN but the last bytes")
def _(t):
    c = fast_open(t, t.kw[:t.cuts[2]])
    c.next = t.cuts[2] if c.acks(1, 0.5) else 0
    c.tell()
    t.settle()


@row(28, "SYN again with another number", "established")
def _(t):
    c = t.open()
    c.say(t.kw[:t.cuts[0]])
    c.flag(SYN, seq=c.isn - 12345)
    c.tell()
    t.settle()


@row(28, "SYN again with another number", "before the SYN/ACK")
def _(t):
    c = Connection(t)
    c.syn()
    c.flag(SYN, seq=c.isn + 5000, options=craft.MSS)
    c.flag(SYN, seq=c.isn - 5000, options=craft.MSS)
    c.wait(lambda: c.peer_isn is not None)
    c.flag(ACK, 0)
    c.tell()
    t.settle()


@row(28, "SYN again with another number", "with data in its window")
def _(t):
    c = t.open()
    c.flag(SYN, seq=c.isn - 12345)
    c.put(0, t.fill, seq=c.isn - 12344)
    c.tell()
    t.settle()


@row(29, "SYN in the window")
def _(t):
    c = t.open()
    c.flag(SYN, seq=c.isn + 22)
    c.say(t.kw[:t.cuts[0]])
    c.flag(SYN, c.next + 22)
    c.flag(SYN, c.next)
    c.tell()
    t.settle()


@row(29, "SYN in the window", "and junk after it")
def _(t):
    c = t.open()
    c.say(t.kw[:t.cuts[0]])
    c.flag(SYN, c.next + 21)
    c.put(c.next + 22, t.fill, flags=PSH | ACK, ack=c.theirs - 90000)
    c.tell()
    t.settle()


@row(30, "SYN+FIN")
def _(t):
    c = Connection(t)
    c.flag(SYN | FIN, 100)
    c.handshake()
    c.tell()
    t.settle()


@row(30, "SYN+FIN", "with data")
def _(t):
    c = Connection(t)
    c.syn(SYN | FIN, t.fill)
    c.handshake()
    c.syn(SYN | FIN, t.fill)
    c.tell()
    t.settle()


def odd_flags(name, flags):
    @row(31, "SYN+RST, null, Xmas, all flags", name)
    def _(t):
        c = Connection(t)
        c.put(0, t.fill, flags=flags)
        c.handshake()
        for offset, piece in t.pieces():
            c.put(offset, t.fill[offset:offset + len(piece)], flags=flags)
            c.say(piece)
        t.settle()

    @row(31, "SYN+RST, null, Xmas, all flags", name + " carrying")
    def _(t):
        c = t.open()
        for _, piece in t.pieces():
            c.say(piece, wait=False, flags=flags)
        t.settle()


for name, flags in (("SYN+RST", SYN | RST), ("null", 0), ("Xmas", FIN | PSH | URG), ("all", 255)):
    odd_flags(name, flags)


# The outside is the server here, and the inside a program that fetches a Java class from it.

@row(32, "split handshake: a SYN is answered with a SYN", plain=fetch, evidence="file")
def _(t):
    v = Visit(t).begin()
    v.flag(ACK, seq=v.isn + 77)
    v.syn(SYN)
    v.wait(lambda: any(s[5] & SYN and s[5] & ACK for s in v.heard))
    v.flag(ACK, 0)
    v.wait_request()
    v.tell()
    t.settle()


@row(32, "split handshake: a SYN is answered with a SYN", "then SYN/ACK", plain=fetch, evidence="file")
def _(t):
    v = Visit(t).begin()
    v.syn(SYN)
    v.wait(lambda: any(s[5] & SYN and s[5] & ACK for s in v.heard))
    v.syn(SYN | ACK)
    v.flag(ACK, 0)
    v.wait_request()
    v.tell()
    t.settle()


@row(33, "simultaneous open", plain=fetch, evidence="file")
def _(t):
    v = Visit(t).begin()
    v.syn(SYN)
    v.syn(SYN | ACK)
    v.wait_request()
    v.tell()
    t.settle()


@row(34, "the client sends a SYN/ACK first")
def _(t):
    c = Connection(t)
    c.flag(SYN | ACK, seq=c.isn + 999, ack=t.random.getrandbits(32))
    time.sleep(0.05)
    c.handshake()
    c.tell()
    t.settle()


@row(34, "the client sends a SYN/ACK first", "with its own number")
def _(t):
    c = Connection(t)
    c.flag(SYN | ACK, seq=c.isn, ack=t.random.getrandbits(32))
    time.sleep(0.05)
    c.handshake()
    c.tell()
    t.settle()


@row(35, "SYN/ACK with a wrong acknowledgement", plain=fetch, evidence="file")
def _(t):
    v = Visit(t).begin()
    v.syn(SYN | ACK, ack=v.theirs + 1000, seq_as=v.isn + 4000)
    v.syn(SYN | ACK)
    v.flag(ACK, 0)
    v.wait_request()
    v.tell()
    t.settle()


@row(36, "several SYN/ACKs with other numbers", "the first is taken", plain=fetch, evidence="file")
def _(t):
    v = Visit(t).begin()
    v.syn(SYN | ACK)
    for n in range(1, 6):
        v.syn(SYN | ACK, seq_as=v.isn + 70000 * n)
    v.wait_request()
    v.tell()
    t.settle()


@row(36, "several SYN/ACKs with other numbers", "the last is taken", plain=fetch, evidence="file")
def _(t):
    v = Visit(t).begin()
    for n in range(1, 6):
        v.syn(SYN | ACK, seq_as=v.isn + 70000 * n, options=craft.MSS + craft.MD5)
    v.syn(SYN | ACK)
    v.wait_request()
    v.tell()
    t.settle()


@row(37, "no handshake seen (midstream)", "both ways")
def _(t):
    with t.detour():
        c = Connection(t)
        c.aside = True
        c.handshake()
        time.sleep(0.05)
    c.aside = False
    c.tell()
    t.settle()


@row(37, "no handshake seen (midstream)", "no connection at all")
def _(t):
    c = Connection(t)
    c.theirs = t.random.getrandbits(32)
    for _, piece in t.pieces():
        c.say(piece, wait=False)
    t.settle()


@row(38, "one way only is seen", "from the SYN")
def _(t):
    with t.detour():
        c = t.open()
        c.tell()
        t.settle()


@row(38, "one way only is seen", "midstream")
def _(t):
    with t.detour():
        c = Connection(t)
        c.aside = True
        c.handshake()
        c.aside = False
        c.tell()
        t.settle()


@row(38, "one way only is seen", "an overlap")
def _(t):
    with t.detour():
        c = t.open()
        for offset, piece in t.pieces():
            c.put(offset, t.fill[offset:offset + len(piece)], ack=c.theirs - 12345678)
            c.say(piece)
        t.settle()


def with_options(number, title, name, options, **more):
    @row(number, title, name)
    def _(t):
        c = t.open(options=options, **more)
        c.tell()
        t.settle()


with_options(39, "window scale wrong or twice", "15", craft.MSS + craft.scale(15))
with_options(39, "window scale wrong or twice", "14 then 0", craft.MSS + craft.scale(14) + craft.scale(0), window=100)
with_options(39, "window scale wrong or twice", "0 then 14", craft.MSS + craft.scale(0) + craft.scale(14), window=100)
with_options(40, "MSS of 0, of 1", "0", craft.option(2, b"\0\0"))
with_options(40, "MSS of 0, of 1", "1", craft.option(2, b"\0\1"))


def on_data(number, title, name, options):
    @row(number, title, name + " on the keyword")
    def _(t):
        c = t.open()
        c.tell(options=options)
        t.settle()

    @row(number, title, name + " on junk before it")
    def _(t):
        c = t.open()
        for offset, piece in t.pieces():
            c.put(offset, t.fill[offset:offset + len(piece)], options=options)
            c.say(piece)
        t.settle()


on_data(41, "option of length 0, past the header", "length 0", b"\x08\0\1\1")
on_data(41, "option of length 0, past the header", "past the header", b"\1\1\x08\x20")
on_data(42, "unknown options", "UTO", craft.option(28, b"\x80\5"))
on_data(42, "unknown options", "40 bytes of NOP", craft.NOP * 40)
on_data(42, "unknown options", "kind 253", craft.option(253, b"\1\2\3\4"))


@row(43, "port reuse", "in TIME_WAIT")
def _(t):
    c = t.open()
    c.say(t.fill)
    t.endpoint.close((t.address, c.ports[0]))
    c.wait(lambda: any(s[5] & FIN for s in c.heard))
    c.theirs += 1
    c.flag(FIN | ACK, c.next)
    time.sleep(0.1)
    again = Connection(t, sport=c.ports[0], isn=(c.isn + 200000) & 0xFFFFFFFF)
    again.handshake()
    again.tell()
    t.settle()


@row(43, "port reuse", "after a RST")
def _(t):
    c = t.open()
    c.say(t.fill)
    c.flag(RST, c.next)
    time.sleep(0.05)
    again = Connection(t, sport=c.ports[0])
    again.handshake()
    again.tell()
    t.settle()


@row(44, "same 5-tuple under another tag or family", "tag 5")
def _(t):
    c = t.open()
    for offset, piece in t.pieces():
        c.tags = ((craft.ETHER_TAG, 5),)
        c.put(offset, t.fill[offset:offset + len(piece)])
        c.tags = ()
        c.say(piece)
    t.settle()


@row(44, "same 5-tuple under another tag or family", "priority tag (VID 0) on every second frame")
def _(t):
    c = t.open()
    for i, (offset, piece) in enumerate(t.pieces()):
        c.tags = ((craft.ETHER_TAG, 0xE000),) if i % 2 else ()
        c.say(piece)
    t.settle()


@row(44, "same 5-tuple under another tag or family", "v4-mapped twin")
def _(t):
    c = t.open()
    ends = "::ffff:" + t.address, "::ffff:198.51.100.10"
    for offset, piece in t.pieces():
        body = craft.tcp(ends, c.ports, c.isn + 1 + offset, c.theirs, PSH | ACK, t.fill[offset:offset + len(piece)])
        t.send(craft.ether(t.macs, craft.ip6(ends, craft.TCP, body)))
        c.say(piece)
    t.settle()
