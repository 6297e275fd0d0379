#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends raw frames of many kinds in one namespace and compares what arrives in the other, byte by byte, both ways.
usage: frames.py NAMESPACE NAMESPACE SET...     each with an interface eth0. Prints what differs; exit status 1 if anything does.
Sets: plain ad jumbo (must arrive as they are), wrong (must not arrive).

Every frame has a source address of its own, by which it is known at the other end."""
import ctypes, os, select, socket, struct, sys, time

SOURCE, OUTGOING, SOL_PACKET, PACKET_AUXDATA, VLAN_VALID, TPID_VALID = b"\x02\x5e\x4b\x4d", 4, 263, 8, 0x10, 0x40
DESTINATION = b"\x02\x00\x00\x00\x00\x99"  # nobody's: neither kernel answers
V4 = socket.inet_aton("203.0.113.7"), socket.inet_aton("203.0.113.9")
V6 = socket.inet_pton(socket.AF_INET6, "2001:db8:77::7"), socket.inet_pton(socket.AF_INET6, "2001:db8:77::9")


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(source, destination, protocol, length):
    return source + destination + struct.pack("!II", length, protocol)


def udp(payload, ends=V4, sport=40000, dport=9, sum_as=None):
    head = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    value = checksum(pseudo(*ends, 17, len(head) + len(payload)) + head + payload) or 0xFFFF
    return head[:6] + struct.pack("!H", value if sum_as is None else sum_as) + payload


def tcp(payload=b"", ends=V4, flags=2, error=0, sport=40001, dport=80):
    head = struct.pack("!HHIIBBHHH", sport, dport, 0x01020304, 0 if flags == 2 else 0x05060708, 5 << 4, flags, 8192, 0, 0)
    value = checksum(pseudo(*ends, 6, len(head) + len(payload)) + head + payload) ^ error
    return head[:16] + struct.pack("!H", value) + head[18:] + payload


def ip4(protocol, payload, fragment=0, options=b"", error=0, more=0, ident=77):
    head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload) + more, ident, fragment, 61, protocol, 0)
    rest = V4[0] + V4[1] + options
    return head[:10] + struct.pack("!H", checksum(head + rest) ^ error) + rest + payload


def ip6(protocol, payload, more=0, hops=255, destination=V6[1]):
    return struct.pack("!IHBB", 6 << 28 | 0x12345, len(payload) + more, protocol, hops) + V6[0] + destination + payload


def icmp6(body, destination):
    value = checksum(pseudo(V6[0], destination, 58, len(body)) + body)
    return body[:2] + struct.pack("!H", value) + body[4:]


def tagged(*tags_and_type):
    *tags, ether_type = tags_and_type
    return b"".join(struct.pack("!HH", *t) for t in tags) + struct.pack("!H", ether_type)


ARP = struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + SOURCE + b"\0\1" + V4[0] + b"\0" * 6 + V4[1]
T = bytes(range(256)) * 64


def e4(payload, destination=DESTINATION):
    return destination, tagged(0x800) + payload


def e6(payload, destination=DESTINATION):
    return destination, tagged(0x86DD) + payload


def inner_frame():
    return DESTINATION + SOURCE + b"\7\7" + tagged(0x800) + ip4(17, udp(b"inside a tunnel"))


def plain():
    """name, (destination, everything from the ether type on)"""
    v6udp, question = udp(b"six", V6), b"\x87\0\0\0\0\0\0\0" + V6[1] + b"\1\1" + SOURCE + b"\0\1"
    solicited = socket.inet_pton(socket.AF_INET6, "ff02::1:ff00:9")
    pieces4, pieces6 = udp(T[:693]), udp(T[:64], V6)  # nothing of a datagram leaves before it is whole
    options, fragment = b"\x11\0\1\4\0\0\0\0", lambda at: struct.pack("!BBHI", 17, 0, at, 99)
    yield "802.1Q UDP", (DESTINATION, tagged((0x8100, 5), 0x800) + ip4(17, udp(b"tagged")))
    yield "802.1Q TCP", (DESTINATION, tagged((0x8100, 0xA00 | 7), 0x800) + ip4(6, tcp(sport=40002)))
    yield "802.1Q IPv6 TCP", (DESTINATION, tagged((0x8100, 9), 0x86DD) + ip6(6, tcp(ends=V6)))
    yield "802.1Q ARP", (b"\xff" * 6, tagged((0x8100, 5), 0x806) + ARP)
    yield "802.1Q, all twelve bits, DEI and priority 7", (DESTINATION, tagged((0x8100, 0xFFFE), 0x800) + ip4(17, udp(b"t")))
    yield "priority tag", (DESTINATION, tagged((0x8100, 0xE000), 0x800) + ip4(17, udp(b"priority")))
    yield "priority tag of priority 0", (DESTINATION, tagged((0x8100, 0), 0x800) + ip4(17, udp(b"priority 0")))
    yield "QinQ 0x8100 0x8100", (DESTINATION, tagged((0x8100, 100), (0x8100, 5), 0x800) + ip4(17, udp(b"two tags")))
    yield "three tags", (DESTINATION, tagged((0x8100, 1), (0x8100, 2), (0x8100, 3), 0x800) + ip4(6, tcp(sport=40003)))
    yield "LLDP", (b"\1\x80\xc2\0\0\x0e", tagged(0x88CC) + b"\2\7\4\2\0\0\0\0\1\4\3\5eth\6\2\0\x78\0\0")
    yield "STP", (b"\1\x80\xc2\0\0\0", struct.pack("!H", 38) + b"\x42\x42\3" + b"\0" * 35 + b"\0" * 8)
    yield "SNAP, Cisco's discovery", (b"\1\0\x0c\xcc\xcc\xcc", struct.pack("!H", 60) + b"\xaa\xaa\3\0\0\x0c\x20\0" + T[:52])
    yield "LACP", (b"\1\x80\xc2\0\0\2", tagged(0x8809) + b"\1\1\1\x14" + T[:106])
    yield "802.1X", (b"\1\x80\xc2\0\0\3", tagged(0x888E) + b"\1\1\0\0")
    yield "Ethernet pause", (b"\1\x80\xc2\0\0\1", tagged(0x8808) + b"\0\1\0\0")
    yield "ARP", (b"\xff" * 6, tagged(0x806) + ARP)
    yield "ARP padded to 60", (b"\xff" * 6, tagged(0x806) + ARP + b"\0" * 18)
    yield "IPv6 neighbour solicitation", e6(ip6(58, icmp6(question, solicited), destination=solicited), b"\x33\x33\xff\0\0\x09")
    yield "IPv6 all nodes", e6(ip6(17, udp(b"all", (V6[0], b"\xff\2" + b"\0" * 13 + b"\1")), destination=b"\xff\2" + b"\0" * 13 + b"\1"),
                               b"\x33\x33\0\0\0\1")
    yield "IPv4 multicast", e4(ip4(17, udp(b"many", dport=5353)), b"\1\0\x5e\0\0\xfb")
    yield "IPv4 broadcast", e4(ip4(17, udp(b"everybody", dport=67)), b"\xff" * 6)
    yield "IPv4 fragment, first", e4(ip4(17, pieces4[:400], fragment=0x2000, ident=5))
    yield "IPv4 fragment, middle", e4(ip4(17, pieces4[400:600], fragment=0x2000 | 50, ident=5))
    yield "IPv4 fragment, last", e4(ip4(17, pieces4[600:], fragment=75, ident=5))
    yield "IPv4 options", e4(ip4(17, udp(b"router alert"), options=b"\x94\4\0\0"))
    yield "ICMP echo", e4(ip4(1, b"\x08\0" + struct.pack("!H", checksum(b"\x08\0\0\0\0\1\0\1")) + b"\0\1\0\1"))
    yield "IGMP", e4(ip4(2, b"\x16\0\x08\xeb\xe1\1\1\1"), b"\1\0\x5e\1\1\1")
    yield "SCTP", e4(ip4(132, T[:64]))
    yield "ESP", e4(ip4(50, T[:96]))
    yield "IPv6 hop-by-hop", e6(ip6(0, options + v6udp))
    yield "IPv6 destination options and hop-by-hop", e6(ip6(0, b"\x3c\0\1\4\0\0\0\0" + options + v6udp))
    yield "IPv6 fragment, first", e6(ip6(44, fragment(1) + pieces6[:48]))
    yield "IPv6 fragment, last", e6(ip6(44, fragment(48) + pieces6[48:]))
    yield "IPv6 atomic fragment", e6(ip6(44, fragment(0) + v6udp))
    yield "IPv6 routing header", e6(ip6(43, b"\x11\2\4\0\0\0\0\0" + V6[1] + v6udp))
    yield "GRE", e4(ip4(47, b"\0\0\x08\0" + ip4(17, udp(b"in GRE"))))
    yield "IPv4 in IPv4", e4(ip4(4, ip4(17, udp(b"in IP"))))
    yield "IPv6 in IPv4", e4(ip4(41, ip6(17, v6udp)))
    yield "VXLAN", e4(ip4(17, udp(b"\x08\0\0\0\0\0\x2a\0" + inner_frame(), dport=4789)))
    yield "MPLS", (DESTINATION, tagged(0x8847) + b"\0\1\1\x40" + ip4(17, udp(b"in MPLS")))
    yield "PPPoE discovery", (b"\xff" * 6, tagged(0x8863) + b"\x11\x09\0\0\0\4\1\1\0\0")
    yield "PPPoE session", (DESTINATION, tagged(0x8864) + b"\x11\0\0\1" + struct.pack("!H", 2 + 35) + b"\0\x21" + ip4(17, udp(b"in PPP!")))
    yield "unknown ether type", (DESTINATION, tagged(0x88B5) + T[:300])
    yield "UDP, checksum 0", e4(ip4(17, udp(b"none", sum_as=0)))
    yield "UDP with a trailer", e4(ip4(17, udp(T[:100])) + b"trailer of a switch")
    yield "TCP SYN padded to 60", e4(ip4(6, tcp(sport=40004)) + b"\0" * 6)
    yield "TCP SYN with padding that is not zero", e4(ip4(6, tcp(sport=40005)) + b"\xde\xad\xbe\xef\0\1")
    yield "TCP IPv6 SYN", e6(ip6(6, tcp(ends=V6, sport=40006)))
    yield "TCP data midstream", e4(ip4(6, tcp(T[:700], flags=0x18, sport=40007)))
    yield "UDP, 1514 bytes", e4(ip4(17, udp(T[:1472])))
    yield "UDP, 1514 bytes and a tag", (DESTINATION, tagged((0x8100, 6), 0x800) + ip4(17, udp(T[:1472], sport=40008)))
    yield "TCP, 1514 bytes", e4(ip4(6, tcp(T[:1460], flags=0x10, sport=40009)))
    yield "1514 bytes without IP", (DESTINATION, tagged(0x88B5) + T[:1500])


def ad():
    yield "QinQ 0x88a8 0x8100", (DESTINATION, tagged((0x88A8, 100), (0x8100, 5), 0x800) + ip4(17, udp(b"provider")))
    yield "0x88a8 alone", (DESTINATION, tagged((0x88A8, 0x3064), 0x86DD) + ip6(17, udp(b"six", V6)))
    yield "QinQ 0x9100", (DESTINATION, tagged((0x9100, 100), (0x8100, 5), 0x800) + ip4(17, udp(b"old")))


def jumbo():
    yield "TCP, 9014 bytes", e4(ip4(6, tcp(T[:8960], flags=0x10, sport=40010)))
    yield "UDP, 9014 bytes and a tag", (DESTINATION, tagged((0x8100, 6), 0x800) + ip4(17, udp(T[:8972], sport=40011)))
    yield "9014 bytes without IP", (DESTINATION, tagged(0x88B5) + T[:9000])
    yield "4000 bytes without IP", (DESTINATION, tagged(0x88B5) + T[:3986])
    yield "60 bytes", e4(ip4(6, tcp(sport=40012)) + b"\0" * 6)


def wrong():
    yield "TCP with a wrong checksum", e4(ip4(6, tcp(b"x" * 40, flags=0x18, error=1, sport=40020)))
    yield "TCP over IPv6 with a wrong checksum", e6(ip6(6, tcp(b"x" * 40, V6, flags=0x18, error=0x100, sport=40021)))
    yield "UDP with a wrong checksum", e4(ip4(17, udp(b"x" * 40, sum_as=0x1234, sport=40022)))
    yield "IPv4 header with a wrong checksum", e4(ip4(6, tcp(sport=40023), error=1))
    yield "tagged TCP with a wrong checksum", (DESTINATION, tagged((0x8100, 5), 0x800) + ip4(6, tcp(b"x" * 40, flags=0x18, error=1)))
    yield "IPv4 longer than its frame", e4(ip4(6, tcp(b"x" * 40, flags=0x18, sport=40024), more=200))
    yield "IPv6 longer than its frame", e6(ip6(6, tcp(b"x" * 40, V6, flags=0x18, sport=40025), more=200))


SETS = {"plain": plain, "ad": ad, "jumbo": jumbo, "wrong": wrong}


def open_in(namespace):
    with open(f"/run/netns/{namespace}") as there:
        if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), namespace)
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind(("eth0", 3))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    return s


def receive(s):
    """One frame as it was on the wire: the kernel has taken the outer tag out and lays it beside. None: our own."""
    data, notes, _, address = s.recvmsg(70000, 256)
    if address[2] == OUTGOING or data[6:10] != SOURCE:
        return None
    for level, kind, note in notes:
        status, tci, tpid = struct.unpack("I4xI2HHH", note[:20])[0], *struct.unpack("HH", note[16:20])
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA) and status & VLAN_VALID:
            data = data[:12] + struct.pack("!HH", tpid if status & TPID_VALID else 0x8100, tci) + data[12:]
    return data


def one_way(source, sink, frames, way, wanted):
    sent, got = {}, {}
    for i, (name, (destination, rest)) in enumerate(frames):
        frame = destination + SOURCE + bytes([way, i]) + rest
        sent[frame[6:12]] = name, frame
        source.send(frame)
        time.sleep(0.0005)
    end = time.time() + (3 if wanted else 0.5)
    while time.time() < end and len(got) < len(sent):
        if select.select([sink], [], [], 0.1)[0]:
            frame = receive(sink)
            if frame:
                got.setdefault(frame[6:12], []).append(frame)
    return sent, got


def judge(sent, got, way, wanted):
    bad = 0
    for key, (name, frame) in sent.items():
        there = got.get(key, [])
        if there == ([frame] if wanted else []):
            continue
        bad += 1
        what = "lost" if not there else "arrived" if not wanted else "doubled" if len(there) > 1 else "changed"
        print(f"{name}, {way}: {what}")
        if what == "changed":
            print(f"  sent {len(frame)}: {frame[:64].hex()}\n  got  {len(there[0])}: {there[0][:64].hex()}")
    return bad


def main():
    outside, inside = open_in(sys.argv[1]), open_in(sys.argv[2])
    bad = 0
    for name in sys.argv[3:]:
        frames = list(SETS[name]())
        assert len(frames) < 256
        for way, (source, sink) in {"inwards": (outside, inside), "outwards": (inside, outside)}.items():
            number = list(SETS).index(name) * 2 + (way == "outwards")
            sent, got = one_way(source, sink, frames, number, name != "wrong")
            bad += judge(sent, got, way, name != "wrong")
        print(f"  {name}: {len(frames)} frames each way")
    sys.exit(bad > 0)


main()
