# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows 83-95: UDP, ICMP, tunnels, DNS, TLS, QUIC, and protocols in places that are not theirs."""
import struct
import time

import craft
import seal
from craft import ACK, PSH, SYN
from rows import row
from trial import Connection


def datagram(t, payload, port=9999, six=False, prove=None, **fields):
    source = t.port()
    t.claim(source, six)
    t.prove(payload if prove is None else prove)
    t.ip(craft.UDP, craft.udp(t.ends(six), (source, port), payload, **fields), six=six)


def plain_datagram(t):
    datagram(t, b"log: " + t.needle + b" end")
    t.settle()


def plain_datagram6(t):
    datagram(t, b"log: " + t.needle + b" end", six=True)
    t.settle()


def wrong_udp(name, six=False, length=None, **fields):
    @row(83, "UDP length not the IP length, checksum 0", name, plain=plain_datagram6 if six else plain_datagram, alone=True)
    def _(t):
        text = b"log: " + t.needle + b" end"
        datagram(t, text, six=six, prove=t.needle, length=None if length is None else length(8 + len(text)), **fields)
        t.settle()


wrong_udp("shorter", length=lambda n: n - 4)
wrong_udp("shorter, within the keyword", length=lambda n: n - 20)
wrong_udp("longer", length=lambda n: n + 40)
wrong_udp("0", length=lambda n: 0, sum_as=0)
wrong_udp("7", length=lambda n: 7, sum_as=0)
wrong_udp("checksum 0", sum_as=0)
wrong_udp("checksum 0, IPv6", six=True, sum_as=0)
wrong_udp("wrong checksum", error=1)


@row(84, "ICMP error that quotes a forged header", "port unreachable")
def _(t):
    icmp_between(t, 3, 3)


@row(84, "ICMP error that quotes a forged header", "fragmentation needed, MTU 68")
def _(t):
    icmp_between(t, 3, 4, 68)


def icmp_between(t, kind, code, more=0):
    c = t.open()
    for _, piece in t.pieces():
        quoted = craft.ip4(t.ends()[::-1], craft.TCP, struct.pack("!HHI", 80, c.ports[0], t.random.getrandbits(32)))
        body = struct.pack("!BBHI", kind, code, 0, more) + quoted
        t.ip(craft.ICMP, body[:2] + struct.pack("!H", craft.checksum(body)) + body[4:])
        c.say(piece)
    t.settle()


# Tunnels. No program ends them here: what counts is whether their frames arrived.

def inner_packets(t, data=None, ends=None):
    """A conversation of which one way is sent: SYN, ACK, the request in pieces."""
    ends, ports, isn = ends or t.ends(), (t.port(), 80), 7000
    t.claim(ports[0])
    yield craft.ip4(ends, craft.TCP, craft.tcp(ends, ports, isn, 0, SYN, options=craft.MSS))
    yield craft.ip4(ends, craft.TCP, craft.tcp(ends, ports, isn + 1, 9001, ACK))
    for offset, piece in t.pieces(data):
        yield craft.ip4(ends, craft.TCP, craft.tcp(ends, ports, isn + 1 + offset, 9001, PSH | ACK, piece))


OUTER = "203.0.113.251", "198.51.100.77"  # nobody's
FOREIGN = b"\x02\0\0\0\0\x77"  # so that no kernel answers what is inside


def tunnel(name, wrap, number=85, title="GRE, IP in IP, VXLAN, MPLS, QinQ"):
    @row(number, title, name, alone=True)
    def _(t):
        frames = [wrap((FOREIGN, t.macs[1]), p) for p in inner_packets(t)]
        for frame in t.watch(frames):
            t.send(frame)
        t.settle()


def outer(macs, protocol, body):
    return craft.ether(macs, craft.ip4(OUTER, protocol, body))


def in_vxlan(macs, vni, frame):
    return outer(macs, craft.UDP, craft.udp(OUTER, (50000, 4789), craft.vxlan(vni, frame)))


tunnel("GRE", lambda m, p: outer(m, craft.GRE, craft.gre(p)))
tunnel("GRE with key and sequence", lambda m, p: outer(m, craft.GRE, b"\x30\0\x08\0" + bytes(8) + p))
tunnel("IP in IP", lambda m, p: outer(m, craft.IPIP, p))
tunnel("VXLAN", lambda m, p: in_vxlan(m, 7, craft.ether(m, p)))
tunnel("GRE in VXLAN", lambda m, p: in_vxlan(m, 7, outer(m, craft.GRE, craft.gre(p))))
tunnel("GRE in GRE in VXLAN", lambda m, p: in_vxlan(m, 7, outer(m, craft.GRE, craft.gre(craft.ip4(OUTER, craft.GRE, craft.gre(p))))))
for depth in range(1, 6):
    tunnel(f"MPLS x{depth}", lambda m, p, n=depth: craft.ether(m, craft.mpls(list(range(100, 100 + n)), p), craft.ETHER_MPLS))
for depth in range(1, 5):
    tunnel(f"802.1Q x{depth}", lambda m, p, n=depth: craft.ether(m, p, tags=[(craft.ETHER_TAG, 10 + i) for i in range(n)]))


@row(86, "two tunnels, the same inner 5-tuple", "VXLAN 1 and 2", alone=True)
def _(t):
    macs, frames = (FOREIGN, t.macs[1]), []
    for junk, real in zip(inner_packets(t, t.fill), inner_packets(t)):
        frames += [in_vxlan(macs, 1, craft.ether(macs, junk)), in_vxlan(macs, 2, craft.ether(macs, real))]
    for frame in t.watch(frames):
        t.send(frame)
    t.settle()


@row(86, "two tunnels, the same inner 5-tuple", "tags 1 and 2", alone=True)
def _(t):
    macs, frames = (FOREIGN, t.macs[1]), []
    for junk, real in zip(inner_packets(t, t.fill), inner_packets(t)):
        frames += [craft.ether(macs, junk, tags=[(craft.ETHER_TAG, 1)]), craft.ether(macs, real, tags=[(craft.ETHER_TAG, 2)])]
    for frame in t.watch(frames):
        t.send(frame)
    t.settle()


# DNS: the name asked for is what must be seen.

def labels(*words):
    return b"".join(bytes([len(w)]) + w for w in words) + b"\0"


def name_of(t):
    return labels(t.marker, b"example", b"net")


def query(questions, count=None, more=b"", additional=0):
    return struct.pack("!HHHHHH", 0x1234, 0x100, len(questions) if count is None else count, 0, 0, additional) + \
        b"".join(q + b"\0\1\0\1" for q in questions) + more


def plain_dns(t):
    datagram(t, query([name_of(t)]), 53)
    t.settle()


def dns(number, title, name, build):
    @row(number, title, name, plain=plain_dns, evidence="dns", alone=True)
    def _(t):
        datagram(t, build(t), 53)
        t.settle()


LOOP = "DNS pointer loop, 255 labels"
dns(87, LOOP, "a loop in the additional part", lambda t: query([name_of(t)], more=b"\xc0" + bytes([12 + len(name_of(t)) + 4]) + b"\0\1\0\1\0\0\0\0\0\0", additional=1))
dns(87, LOOP, "the name ends by a pointer ahead", lambda t: query([labels(t.marker)[:-1] + b"\xc0" + bytes([12 + len(t.marker) + 1 + 6])],
                                                                 more=labels(b"example", b"net"), additional=0))
dns(87, LOOP, "127 labels", lambda t: query([labels(t.marker, *[b"a"] * 118)]))
dns(87, LOOP, "255 labels", lambda t: query([labels(t.marker, *[b"a"] * 254)]))
dns(89, "DNS: junk first, two questions", "two questions", lambda t: query([labels(b"www", b"example", b"net"), name_of(t)]))
dns(89, "DNS: junk first, two questions", "many questions", lambda t: query([labels(b"www", b"example", b"net")] * 20 + [name_of(t)]))


def over_tcp(number, title, name, pieces, port=53, **more):
    @row(number, title, name, plain=plain_dns, evidence="dns", **more)
    def _(t):
        message = query([name_of(t)])
        stream = pieces(struct.pack("!H", len(message)) + message)
        t.prove(b"".join(stream))
        c = t.open(dport=port)
        for piece in stream:
            c.say(piece)
        t.settle()


over_tcp(88, "DNS over TCP, cut in its length", "1 + rest", lambda m: [m[:1], m[1:]])
over_tcp(88, "DNS over TCP, cut in its length", "byte by byte", lambda m: [m[i:i + 1] for i in range(len(m))])
over_tcp(88, "DNS over TCP, cut in its length", "second of two", lambda m: [b"\0\x1d" + query([labels(b"www", b"ab")])[:29].ljust(29, b"\0") + m[:1], m[1:20], m[20:]])
over_tcp(89, "DNS: junk first, two questions", "junk before it on TCP", lambda m: [b"\0\0\0\0", m[:9], m[9:]])


# TLS: the server name is what must be seen.

def block(kind, body, size=2):
    return struct.pack("!H", kind) + len(body).to_bytes(size, "big") + body


def server_name(host):
    return block(0, struct.pack("!HBH", len(host) + 3, 0, len(host)) + host)


def alpn(*protocols):
    body = b"".join(bytes([len(p)]) + p for p in protocols)
    return block(16, struct.pack("!H", len(body)) + body)


def hello(extensions):
    body = b"\3\3" + bytes(range(32)) + b"\0" + b"\0\4\x13\1\x13\2" + b"\1\0" + struct.pack("!H", len(extensions)) + extensions
    return b"\1" + len(body).to_bytes(3, "big") + body


def records(message, size, version=b"\3\1"):
    return [b"\x16" + version + struct.pack("!H", len(message[i:i + size])) + message[i:i + size] for i in range(0, len(message), size)]


VERSIONS = block(43, b"\2\3\4")


def host_of(t):
    return t.marker + b".example.net"


def plain_tls(t):
    stream = records(hello(server_name(host_of(t)) + VERSIONS), 16384)[0]
    t.prove(stream)
    t.open(dport=443).put(0, stream)
    t.settle()


def tls(number, title, name, build, evidence="tls", cut=40):
    @row(number, title, name, plain=plain_tls, evidence=evidence)
    def _(t):
        stream = b"".join(build(t))
        t.prove(stream)
        c = t.open(dport=443)
        for i in range(0, len(stream), cut):
            c.say(stream[i:i + cut])
        t.settle()


def usual(t):
    return hello(server_name(host_of(t)) + alpn(b"h2") + VERSIONS)


CUT, ODD, ALPN = "TLS record cut inside the ClientHello", "ClientHello over 64 records; SNI absent, twice, ECH", "ALPN of odd bytes"
tls(90, CUT, "two records", lambda t: records(usual(t), 60))
tls(90, CUT, "records of one byte", lambda t: records(usual(t), 1))
tls(90, CUT, "segments cut the record's head", lambda t: records(usual(t), 16384), cut=3)
tls(91, ODD, "over 64 records", lambda t: records(hello(block(21, b"\0" * 400) + server_name(host_of(t)) + VERSIONS), 5))
tls(91, ODD, "16 KiB of padding first", lambda t: records(hello(block(21, b"\0" * 15000) + server_name(host_of(t)) + VERSIONS), 1000), cut=1400)
tls(91, ODD, "no SNI", lambda t: records(hello(alpn(t.marker) + VERSIONS), 50), evidence="tls-any")
tls(91, ODD, "two SNIs", lambda t: records(hello(server_name(b"www.example.org") + server_name(host_of(t)) + VERSIONS), 50), evidence="tls-any")
tls(91, ODD, "ECH and an outer name", lambda t: records(hello(server_name(host_of(t)) + block(0xFE0D, b"\0\0\1\0\1\7" + b"\0\x20" + bytes(32) + b"\0\x40" + bytes(64)) + VERSIONS), 50))
tls(92, ALPN, "0x00, 0xff", lambda t: records(hello(alpn(b"\0", b"\xff\xfe", b"a\0b") + server_name(host_of(t)) + VERSIONS), 50))
tls(92, ALPN, "empty list", lambda t: records(hello(block(16, b"\0\0") + server_name(host_of(t)) + VERSIONS), 50))


# QUIC: the server name in the Initial's CRYPTO frames.

def crypto(message, at, size):
    piece = message[at:at + size]
    return b"\6" + struct.pack("!I", 0x80000000 | at) + struct.pack("!H", 0x4000 | len(piece)) + piece


def quic_hello(t):
    return hello(server_name(host_of(t)) + alpn(b"h3") + VERSIONS + block(57, b"\1\4\x80\0\xea\x60"))


def plain_quic(t):
    quic(t, [[crypto(quic_hello(t), 0, 1000)]])


def quic(t, packets, split=False):
    """packets: the frames of each, all padded into one datagram or each in its own."""
    source, sealed = t.port(), []
    t.claim(source)
    for n, frames in enumerate(packets):
        body = b"".join(frames)
        least = 1200 if split or len(packets) == 1 else 1200 // len(packets)  # RFC 9000 section 14.1
        sealed.append(seal.initial(t.marker[:9], body + b"\0" * max(0, least - len(body)), n))
    t.prove(*sealed)
    for payload in sealed if split else [b"".join(sealed)]:
        t.ip(craft.UDP, craft.udp(t.ends(), (source, 443), payload))
        time.sleep(0.01)
    t.settle()


def quic_row(name, split, order):
    @row(93, "QUIC Initial: coalesced, CRYPTO out of order, padded", name, plain=plain_quic, evidence="tls", alone=True)
    def _(t):
        message = quic_hello(t)
        quic(t, order([crypto(message, at, 30) for at in range(0, len(message), 30)]), split)


quic_row("CRYPTO reversed in one packet", False, lambda f: [f[::-1]])
quic_row("PADDING and PING between", False, lambda f: [[b"\0\0\1" + x for x in f]])
quic_row("coalesced Initials", False, lambda f: [f[:2], f[2:]])
quic_row("two datagrams, the second first", True, lambda f: [f[2:], f[:2]])


def said(number, title, name, build, port):
    @row(number, title, name)
    def _(t):
        c = t.open(dport=port)
        build(t)
        t.prove(t.needle)
        c.tell()
        t.settle()


START = "STARTTLS injection, another protocol in mid-flow"
said(94, START, "SMTP, a command behind STARTTLS", lambda t: t.request(b"EHLO a\r\nSTARTTLS\r\nMAIL FROM:<", b"@example.net>\r\n"), 25)
said(94, START, "HTTP, then something else", lambda t: t.request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\x16\3\1\0\2\1\0", b"\r\n\r\n"), 80)
said(94, START, "SMTP, then HTTP", lambda t: t.request(b"EHLO a\r\nQUIT\r\nGET /?q=", b" HTTP/1.1\r\nHost: a\r\n\r\n"), 25)
FOREIGN_PORT = "foreign port; another protocol's banner first"
said(95, FOREIGN_PORT, "HTTP on 2222", lambda t: t.request(b"GET /?q=", b" HTTP/1.1\r\nHost: a\r\n\r\n"), 2222)
said(95, FOREIGN_PORT, "HTTP on 53", lambda t: t.request(b"GET /?q=", b" HTTP/1.1\r\nHost: a\r\n\r\n"), 53)
said(95, FOREIGN_PORT, "SSH banner, then HTTP", lambda t: t.request(b"SSH-2.0-OpenSSH_9.2\r\nGET /?q=", b" HTTP/1.1\r\nHost: a\r\n\r\n"), 80)
said(95, FOREIGN_PORT, "a TLS alert, then HTTP", lambda t: t.request(b"\x15\3\3\0\2\1\0GET /?q=", b" HTTP/1.1\r\nHost: a\r\n\r\n"), 443)
said(95, FOREIGN_PORT, "empty lines, then HTTP", lambda t: t.request(b"\r\n\r\n\r\nGET /?q=", b" HTTP/1.1\r\nHost: a\r\n\r\n"), 80)
