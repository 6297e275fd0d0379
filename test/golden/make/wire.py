# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames for hand-made captures: IP packets with right checksums, TCP conversations, links, pcap and pcapng."""
import ipaddress, struct

START_NS = 1638800000 * 10**9  # 2021-12-06T14:13:20Z
ETHERNET, RAW, NULL, COOKED, COOKED2 = 1, 101, 0, 113, 276
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packed(address):
    return ipaddress.ip_address(address).packed


def sealed(segment, at, source, destination, protocol):
    """The segment with its checksum over the pseudo header at offset `at`."""
    pseudo = packed(source) + packed(destination)
    if ":" in source:
        pseudo += struct.pack(">IHBB", len(segment), 0, 0, protocol)
    else:
        pseudo += struct.pack(">BBH", 0, protocol, len(segment))
    found = checksum(pseudo + segment)
    if protocol == 17 and found == 0:
        found = 0xffff
    return segment[:at] + struct.pack(">H", found) + segment[at + 2:]


def ip4(source, destination, protocol, payload, fragment=0):
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 7, fragment, 64, protocol, 0)
    head += packed(source) + packed(destination)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ip6(source, destination, protocol, payload, extension=b""):
    """`extension`: an options header without its first two bytes, told as hop-by-hop."""
    chain, first = payload, protocol
    if extension:
        chain, first = struct.pack(">BB", protocol, (len(extension) + 2) // 8 - 1) + extension + payload, 0
    return struct.pack(">IHBB", 6 << 28, len(chain), first, 64) + packed(source) + packed(destination) + chain


def ip(source, destination, protocol, payload, **more):
    return (ip6 if ":" in source else ip4)(source, destination, protocol, payload, **more)


def tcp_segment(source, destination, ports, seq, ack, flags, data=b"", options=b"", window=64240):
    words = (5 + len(options) // 4) << 4
    head = struct.pack(">HHIIBBHHH", *ports, seq & 0xffffffff, ack & 0xffffffff, words, flags, window, 0, 0)
    return sealed(head + options + data, 16, source, destination, 6)


def udp(source, destination, ports, data, **more):
    head = struct.pack(">HHHH", *ports, 8 + len(data), 0)
    return ip(source, destination, 17, sealed(head + data, 6, source, destination, 17), **more)


def icmp_echo(source, destination, data=b"ping"):
    if ":" in source:
        body = struct.pack(">BBHHH", 128, 0, 0, 1, 1) + data
        return ip(source, destination, 58, sealed(body, 2, source, destination, 58))
    body = struct.pack(">BBHHH", 8, 0, 0, 1, 1) + data
    return ip(source, destination, 1, body[:2] + struct.pack(">H", checksum(body)) + body[4:])


def ethernet(packet, tags=(), kind=None):
    kind = kind or (0x86dd if packet[0] >> 4 == 6 else 0x0800)
    frame = bytes.fromhex("020000000002020000000001")
    for n, vlan in enumerate(tags):
        frame += struct.pack(">HH", 0x88a8 if len(tags) > 1 and n == 0 else 0x8100, vlan)
    return (frame + struct.pack(">H", kind) + packet).ljust(60, b"\0")


def linked(packet, link, tags=()):
    six = packet[0] >> 4 == 6
    kind = 0x86dd if six else 0x0800
    if link == ETHERNET:
        return ethernet(packet, tags)
    if link == COOKED:
        return struct.pack(">HHH6sHH", 0, 1, 6, bytes.fromhex("020000000001"), 0, kind) + packet
    if link == COOKED2:
        return struct.pack(">HHIHBB8s", kind, 0, 2, 1, 0, 6, bytes.fromhex("020000000001")) + packet
    return (struct.pack("<I", 30 if six else 2) if link == NULL else b"") + packet


class Capture:
    """Frames in the order they are added, a millisecond apart."""

    def __init__(self, link=ETHERNET, order="<", nanoseconds=True, pcapng=False, snap=0):
        self.link, self.order, self.nanoseconds, self.pcapng, self.snap = link, order, nanoseconds, pcapng, snap
        self.frames, self.now, self.tags = [], START_NS, ()

    def add(self, packet):
        self.frame(linked(packet, self.link, self.tags))

    def frame(self, frame):
        self.frames.append((self.now, frame))
        self.now += 10**6

    def wait(self, seconds):
        self.now += int(seconds * 10**9)

    def classic(self):
        unit = 1 if self.nanoseconds else 1000
        magic = 0xa1b23c4d if self.nanoseconds else 0xa1b2c3d4
        yield struct.pack(self.order + "IHHiIII", magic, 2, 4, 0, 0, 262144, self.link)
        for when, frame in self.frames:
            kept = frame[:self.snap] if self.snap else frame
            yield struct.pack(self.order + "IIII", when // 10**9, when % 10**9 // unit, len(kept), len(frame)) + kept

    def block(self, kind, body):
        body += b"\0" * (-len(body) % 4)
        size = struct.pack(self.order + "I", 12 + len(body))
        return struct.pack(self.order + "I", kind) + size + body + size

    def next_generation(self):
        yield self.block(0x0a0d0d0a, struct.pack(self.order + "IHHq", 0x1a2b3c4d, 1, 0, -1))
        # if_tsresol 9: nanoseconds
        yield self.block(1, struct.pack(self.order + "HHIHHBxxxHH", self.link, 0, 0, 9, 1, 9, 0, 0))
        for when, frame in self.frames:
            head = struct.pack(self.order + "IIIII", 0, when >> 32, when & 0xffffffff, len(frame), len(frame))
            yield self.block(6, head + frame)

    def bytes(self):
        return b"".join(self.next_generation() if self.pcapng else self.classic())


class Talk:
    """A TCP conversation. client and server are (address, port)."""

    def __init__(self, capture, client, server, handshake=True, **more):
        self.capture, self.ends, self.seq, self.more = capture, (client, server), [1000, 9000], more
        if handshake:
            self.segment(0, SYN, options=bytes.fromhex("020405b401030307"))
            self.segment(1, SYN | ACK, options=bytes.fromhex("020405b401030307"))
            self.segment(0, ACK)

    def segment(self, side, flags, data=b"", offset=0, options=b""):
        """One segment at the side's place + offset; its place moves on only when it stands there."""
        (source, sport), (destination, dport) = self.ends[side], self.ends[1 - side]
        ack = self.seq[1 - side] if flags & ACK else 0
        body = tcp_segment(source, destination, (sport, dport), self.seq[side] + offset, ack, flags, data, options)
        self.capture.add(ip(source, destination, 6, body, **self.more))
        if offset == 0:
            self.seq[side] += len(data) + bool(flags & (SYN | FIN))

    def ask(self, data):
        self.segment(0, PSH | ACK, data)
        self.segment(1, ACK)

    def answer(self, data):
        self.segment(1, PSH | ACK, data)
        self.segment(0, ACK)

    def close(self):
        self.segment(0, FIN | ACK)
        self.segment(1, FIN | ACK)
        self.segment(0, ACK)
