# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows 1-24: link and IP. A request in one TCP segment goes out in fragments, or in IP headers no router would have made."""
import time

import craft
from craft import ACK, PSH
from rows import row
from trial import Connection


def segment(c, data, offset=0):
    return c.segment(PSH | ACK, offset, data)


def fragments(t, c, data, size=24, ident=None, offset=0, **ip):
    """The segment cut so that the keyword is in several pieces."""
    return craft.pieces4(t.ends(), craft.TCP, segment(c, data, offset), size, ident or t.serial & 0xFFFF, **ip)


def send_all(t, packets):
    for packet in packets:
        t.send(craft.ether(t.macs, packet))


def fragmented(number, title, name, order, size=24):
    @row(number, title, name, alone=True)
    def _(t):
        c = t.open()
        send_all(t, order(fragments(t, c, t.kw, size)))
        t.settle()


fragmented(1, "plain fragments", "24 bytes", lambda f: f)
fragmented(1, "plain fragments", "8 bytes", lambda f: f, 8)
fragmented(2, "fragments reversed", "", lambda f: f[::-1])
fragmented(3, "fragment twice, same bytes", "", lambda f: [f[0], f[0], *f[1:-1], f[-2], f[-1]])


@row(1, "plain fragments", "IPv6", alone=True)
def _(t):
    c = t.open(six=True)
    send_all(t, craft.pieces6(t.ends(True), craft.TCP, segment(c, t.kw), 24, t.serial))
    t.settle()


@row(2, "fragments reversed", "IPv6", alone=True)
def _(t):
    c = t.open(six=True)
    send_all(t, craft.pieces6(t.ends(True), craft.TCP, segment(c, t.kw), 40, t.serial)[::-1])
    t.settle()


def cut_at(t, c, cuts, ident):
    """Pieces of the true segment and of one with junk, same checksum field: [from, to) of each as asked."""
    true, junk = segment(c, t.kw), segment(c, t.fill)
    junk = junk[:16] + true[16:18] + junk[18:]  # whichever the endpoint puts together of the true one has a right sum
    return [craft.ip4(t.ends(), craft.TCP, (true if real else junk)[a:b], ident=ident, fragment=a, more=b < len(true)) for real, a, b in cuts]


def overlapping(number, title, name, cuts, both=True):
    """cuts(n): (keyword?, from, to). The other way round, too: which copy is kept is the endpoint's choice."""
    for swapped in (False, True) if both else (False,):
        @row(number, title, name + (", keyword first" if swapped else ", junk first"), alone=True)
        def _(t, swapped=swapped):
            c = t.open()
            n = len(t.kw) + 20
            send_all(t, cut_at(t, c, [(real is not swapped, a, n if b is None else b) for real, a, b in cuts], t.serial & 0xFFFF))
            t.settle()


overlapping(4, "overlap, new differs, at its head", "", [(True, 0, 48), (False, 48, 64), (True, 56, 80), (True, 80, None)])
overlapping(5, "overlap, new differs, at its tail", "", [(True, 0, 48), (False, 56, 80), (True, 48, 64), (True, 64, None)])
overlapping(6, "overlap that covers an older piece", "", [(True, 0, 40), (False, 48, 56), (True, 40, 64), (True, 64, None)])
overlapping(6, "overlap that covers an older piece", "exactly", [(True, 0, 40), (False, 40, 64), (True, 40, 64), (True, 64, None)])


@row(4, "overlap, new differs, at its head", "IPv6", alone=True)
def _(t):
    c = t.open(six=True)
    true, junk = segment(c, t.kw), segment(c, t.fill)
    for real, a, b in ((True, 0, 48), (False, 48, 64), (True, 56, 80), (True, 80, len(true))):
        t.ip(craft.FRAGMENT6, craft.fragment6(craft.TCP, a, b < len(true), t.serial) + (true if real else junk)[a:b], six=True)
    t.settle()


@row(7, "tiny first fragment: the TCP header in two pieces", alone=True)
def _(t):
    c = t.open()
    body = segment(c, t.kw)
    cuts = [0, 8, 16, 48, 72, len(body)]
    send_all(t, [craft.ip4(t.ends(), craft.TCP, body[a:b], ident=t.serial & 0xFFFF, fragment=a, more=b < len(body)) for a, b in zip(cuts, cuts[1:])])
    t.settle()


@row(7, "tiny first fragment: the TCP header in two pieces", "IPv6", alone=True)
def _(t):
    c = t.open(six=True)
    send_all(t, craft.pieces6(t.ends(True), craft.TCP, segment(c, t.kw), 8, t.serial))
    t.settle()


@row(8, "last fragment missing", "then the same id again", alone=True)
def _(t):
    c = t.open()
    send_all(t, fragments(t, c, t.kw)[:-1])
    time.sleep(0.2)
    send_all(t, fragments(t, c, t.kw))
    t.settle()


@row(8, "last fragment missing", "it comes after the time-out", alone=True, slow=True)
def _(t):
    c = t.open()
    pieces = fragments(t, c, t.kw)
    send_all(t, pieces[:-1])
    time.sleep(6.5)  # the endpoint's limit is set to 5 s
    send_all(t, pieces[-1:])
    t.settle()


@row(9, "fragment beyond 65,535", alone=True)
def _(t):
    c = t.open()
    pieces = fragments(t, c, t.kw)
    past = craft.ip4(t.ends(), craft.TCP, t.fill[:96], ident=t.serial & 0xFFFF, fragment=8191 * 8, more=False)
    send_all(t, [pieces[0], past, *pieces[1:]])
    t.settle()


@row(10, "a hole, then \"complete\"", alone=True)
def _(t):
    c = t.open()
    pieces = fragments(t, c, t.kw)
    send_all(t, [pieces[0], *pieces[2:], pieces[-1], pieces[-1]])
    t.settle()


@row(10, "a hole, then \"complete\"", "then the hole", alone=True)
def _(t):
    c = t.open()
    pieces = fragments(t, c, t.kw)
    send_all(t, [pieces[0], *pieces[2:], pieces[-1], pieces[-1], pieces[1]])
    t.settle()


@row(11, "the same id in other flows", alone=True)
def _(t):
    c, ident = t.open(), t.serial & 0xFFFF
    mine = fragments(t, c, t.kw, ident=ident)
    udp = craft.pieces4(t.ends(), craft.UDP, craft.udp(t.ends(), (c.ports[0], 9999), t.fill), 24, ident)
    other = craft.pieces4(("203.0.113.254", t.ends()[1]), craft.TCP, segment(c, t.fill), 24, ident)
    for one, two, three in zip(mine, udp, other):
        t.send(craft.ether(t.macs, two))
        t.send(craft.ether(t.macs, three))
        t.send(craft.ether(t.macs, craft.ip4(t.ends(), craft.TCP, one[20:], ident=ident), tags=((craft.ETHER_TAG, 9),)))
        t.send(craft.ether(t.macs, one))
    send_all(t, mine[len(udp):])
    t.settle()


@row(12, "fragment after completion", alone=True)
def _(t):
    c = t.open()
    half = t.cuts[1]
    first = fragments(t, c, t.kw[:half])
    send_all(t, [*first, first[-1], first[-2]])
    send_all(t, fragments(t, c, t.kw[half:], offset=half))
    t.settle()


@row(13, "flood of first fragments", alone=True, slow=True)
def _(t):
    """30,000 ids instead of 100,000: what python says in three seconds, and more than any table of pieces holds."""
    c = t.open()
    pieces = fragments(t, c, t.kw, ident=65535)
    send_all(t, pieces[:2])
    for ident in range(1, 30001):
        t.send(craft.ether(t.macs, craft.ip4((f"203.0.113.{ident % 200 + 1}", t.ends()[1]), craft.TCP, t.fill[:32], ident=ident, more=True)))
    send_all(t, pieces[2:])
    t.settle(1)
    again = Connection(t, sport=c.ports[0] + 1).handshake()
    again.tell()
    t.settle(1)


def header(number, title, name="", junk=True, **fields):
    """The keyword in such packets, and junk in such packets before the keyword in ordinary ones."""
    @row(number, title, (name + " carries the keyword").strip(), alone=True)
    def _(t):
        c = t.open()
        for offset, piece in t.pieces():
            t.ip(craft.TCP, segment(c, piece, offset), **fields)
        t.settle()

    if junk:
        @row(number, title, (name + " junk first").strip(), alone=True)
        def _(t):
            c = t.open()
            for offset, piece in t.pieces():
                t.ip(craft.TCP, segment(c, t.fill[offset:offset + len(piece)], offset), **fields)
                c.say(piece)
            t.settle()


header(14, "wrong IPv4 header checksum", error=0xFFFF)
header(14, "wrong IPv4 header checksum", "one bit", error=1)
header(15, "IP total length past the frame", length=2000)
header(17, "IHL too small, too large", "4", words=4)
header(17, "IHL too small, too large", "15", words=15)
header(18, "IP options", "loose source route", options=bytes([131, 7, 4]) + craft.packed("198.51.100.10"))
header(18, "IP options", "record route", options=bytes([7, 11, 4]) + b"\0" * 8)
header(18, "IP options", "router alert", options=b"\x94\4\0\0")
header(18, "IP options", "40 bytes of NOP", options=b"\1" * 40)
header(18, "IP options", "an option of length 0", options=b"\x44\0\1\1")
header(19, "evil bit, odd TOS", "evil", flags=4)
header(19, "evil bit, odd TOS", "all bits but more", flags=6)
header(19, "evil bit, odd TOS", "TOS 255", tos=255)
header(20, "low TTL", "1", ttl=1)
header(20, "low TTL", "7", ttl=7)


@row(20, "low TTL", "keyword first, junk with a low TTL after", alone=True)
def _(t):
    c = t.open()
    for offset, piece in t.pieces():
        c.say(piece)
        c.put(offset, t.fill[offset:offset + len(piece)], ip={"ttl": 3})
    t.settle()


@row(16, "IP total length short of the frame", "junk behind", alone=True)
def _(t):
    c = t.open()
    for offset, piece in t.pieces():
        body = segment(c, piece, offset)
        t.ip(craft.TCP, body + t.fill[:40], length=20 + len(body))
    t.settle()


@row(16, "IP total length short of the frame", "the true data behind junk", alone=True)
def _(t):
    c = t.open()
    for offset, piece in t.pieces():
        body = segment(c, t.fill[offset:offset + len(piece)], offset)
        t.ip(craft.TCP, body + piece, length=20 + len(body))
    t.settle()


def ignored(n):
    """Options whose type says that who does not know them passes on: Linux takes at most 7 bytes of padding."""
    out = b""
    while n - len(out) >= 2:
        size = min(n - len(out) - 2, 200)
        out += bytes([0x1E, size]) + bytes(size)
    return out + bytes(n - len(out))


def chain(t, c, piece, offset, kinds, eights=0):
    body, following = segment(c, piece, offset), craft.TCP
    for kind in reversed(kinds):
        body, following = craft.extension(following, eights, ignored(eights * 8 + 6)) + body, kind
    t.ip(following, body, six=True)


for name, kinds, eights in (("hop-by-hop", (0,), 0), ("hop-by-hop, destination", (0, 60), 1), ("8 destination", (60,) * 8, 0),
                            ("9 destination", (60,) * 9, 0), ("20 destination", (60,) * 20, 0), ("64 bytes", (60,), 7), ("one of 512 bytes", (60,), 63)):
    @row(21, "IPv6 chain of extensions", name, alone=True)
    def _(t, kinds=kinds, eights=eights):
        c = t.open(six=True)
        for offset, piece in t.pieces():
            chain(t, c, piece, offset, kinds, eights)
        t.settle()


@row(22, "IPv6 atomic fragment, nested fragment header", "atomic", alone=True)
def _(t):
    c = t.open(six=True)
    for offset, piece in t.pieces():
        t.ip(craft.FRAGMENT6, craft.fragment6(craft.TCP, 0, False, 7) + segment(c, piece, offset), six=True)
    t.settle()


@row(22, "IPv6 atomic fragment, nested fragment header", "nested", alone=True)
def _(t):
    c = t.open(six=True)
    for offset, piece in t.pieces():
        inner = craft.fragment6(craft.TCP, 0, False, 8) + segment(c, piece, offset)
        t.ip(craft.FRAGMENT6, craft.fragment6(craft.FRAGMENT6, 0, False, 7) + inner, six=True)
    t.settle()


@row(22, "IPv6 atomic fragment, nested fragment header", "nested, fragments of fragments", alone=True)
def _(t):
    c = t.open(six=True)
    body = segment(c, t.kw)
    inner = [craft.fragment6(craft.TCP, a, a + 40 < len(body), 8) + body[a:a + 40] for a in range(0, len(body), 40)]
    for i, piece in enumerate(inner):
        for a in range(0, len(piece), 24):
            t.ip(craft.FRAGMENT6, craft.fragment6(craft.FRAGMENT6, a, a + 24 < len(piece), 100 + i) + piece[a:a + 24], six=True)
    t.settle()


def tunnelled(t, wrap, inner_size, outer_size):
    """A request through a tunnel whose inner and outer packets are both in fragments. No program ends the tunnel here: what counts is
    whether its frames arrived."""
    ends = ("10.9.0.1", "10.9.0.2")
    port = t.port()
    t.tuples.add((ends[0], port))
    body = craft.tcp(ends, (port, 80), 1000, 5000, PSH | ACK, t.kw)
    inner = craft.pieces4(ends, craft.TCP, body, inner_size, 77) if inner_size else [craft.ip4(ends, craft.TCP, body)]
    frames = []
    for i, packet in enumerate(inner):
        protocol, outer = wrap(packet)
        frames += [craft.ether(t.macs, p) for p in craft.pieces4(t.ends(), protocol, outer, outer_size, (t.serial + i) & 0xFFFF)]
    for frame in t.watch(frames):
        t.send(frame)
    t.settle()


@row(23, "fragmented tunnel that carries fragments", "GRE", alone=True)
def _(t):
    tunnelled(t, lambda p: (craft.GRE, craft.gre(p)), 40, 32)


@row(23, "fragmented tunnel that carries fragments", "VXLAN", alone=True)
def _(t):
    def wrap(packet):
        return craft.UDP, craft.udp(t.ends(), (5555, 4789), craft.vxlan(42, craft.ether(t.macs, packet)))
    tunnelled(t, wrap, 40, 48)


@row(23, "fragmented tunnel that carries fragments", "IP in IP", alone=True)
def _(t):
    tunnelled(t, lambda p: (craft.IPIP, p), 40, 32)


# Not about the keyword: such frames must arrive as they are or not at all, and the request after them is still seen.

def around(name, frames):
    @row(24, "runt, 802.3, SNAP, jumbo", name, alone=True)
    def _(t):
        c = t.open()
        for offset, piece in t.pieces():
            for frame in frames(t, c):
                t.send(frame)
            c.say(piece)
        t.settle()


around("20 bytes", lambda t, c: [craft.ether(t.macs, b"\x45\0\0\x28\0\0", 0x800)])
around("802.3 length", lambda t, c: [craft.ether(t.macs, b"\xfe\xfe\3" + t.fill[:61], 64)])
around("SNAP", lambda t, c: [craft.ether(t.macs, b"\xaa\xaa\3\0\0\0\x08\0" + craft.ip4(t.ends(), craft.TCP, segment(c, t.fill)), 200)])
around("9014 bytes", lambda t, c: [craft.ether(t.macs, b"x" * 9000, 0x88B5)])


@row(24, "runt, 802.3, SNAP, jumbo", "SNAP carries the keyword", alone=True)
def _(t):
    c = t.open()
    for offset, piece in t.pieces():
        packet = b"\xaa\xaa\3\0\0\0\x08\0" + craft.ip4(t.ends(), craft.TCP, segment(c, piece, offset))
        t.send(craft.ether(t.macs, packet, len(packet)))
    t.settle()


@row(24, "runt, 802.3, SNAP, jumbo", "jumbo segments, the second first", alone=True)
def _(t):
    pad = b"X-Pad: " + b"p" * 8800 + b"\r\n"
    t.request(b"GET / HTTP/1.1\r\nHost: a\r\n" + pad + b"X-Api: ", b"\r\n" + pad + b"\r\n")
    c = t.open()
    c.put(t.cuts[1], t.kw[t.cuts[1]:])
    c.put(0, t.kw[:t.cuts[1]])
    t.settle()


@row(24, "runt, 802.3, SNAP, jumbo", "jumbo, cut short by the IP length", alone=True)
def _(t):
    c = t.open()
    for offset, piece in t.pieces():
        body = segment(c, piece, offset)
        t.ip(craft.TCP, body + b"z" * 8000, length=20 + len(body))
    t.settle()
