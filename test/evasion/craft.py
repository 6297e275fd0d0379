# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames from their fields, right or wrong as asked. Knows formats only: no sockets, no state, no row of the matrix."""
import socket
import struct

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
ETHER_IP4, ETHER_IP6, ETHER_TAG, ETHER_MPLS = 0x0800, 0x86DD, 0x8100, 0x8847
TCP, UDP, ICMP, IPIP, IP6IP, GRE, FRAGMENT6 = 6, 17, 1, 4, 41, 47, 44


def packed(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(ends, protocol, length):
    return packed(ends[0]) + packed(ends[1]) + struct.pack("!II", length, protocol)


def option(kind, value=b""):
    return bytes([kind, 2 + len(value)]) + value


def padded(options):
    return options + b"\0" * (-len(options) % 4)


NOP, MSS, SACK_OK = b"\1", option(2, struct.pack("!H", 1460)), option(4)
MD5 = option(19, bytes(range(16)))


def scale(shift):
    return option(3, bytes([shift]))


def stamp(value, echo=0):
    return NOP + NOP + option(8, struct.pack("!II", value & 0xFFFFFFFF, echo & 0xFFFFFFFF))


def tcp(ends, ports, seq, ack, flags, data=b"", options=b"", window=64240, urgent=0, offset=None, error=0, sum_as=None, reserved=0):
    """One segment. offset: header length in words, when not the true one. error: xor of the checksum."""
    options = padded(options)
    words = 5 + len(options) // 4 if offset is None else offset
    head = struct.pack("!HHIIBBHHH", *ports, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, words << 4 | reserved, flags, window, 0, urgent & 0xFFFF)
    value = checksum(pseudo(ends, TCP, len(head + options + data)) + head + options + data) ^ error
    return head[:16] + struct.pack("!H", value if sum_as is None else sum_as) + head[18:] + options + data


def udp(ends, ports, data, length=None, sum_as=None, error=0):
    head = struct.pack("!HHHH", *ports, 8 + len(data) if length is None else length, 0)
    covered = len(head + data) if length is None else min(max(length, 8), len(head + data))
    value = checksum(pseudo(ends, UDP, length or covered) + (head + data)[:covered]) or 0xFFFF
    return head[:6] + struct.pack("!H", value ^ error if sum_as is None else sum_as) + data


def ip4(ends, protocol, body, ident=0, fragment=0, more=False, flags=2, ttl=64, tos=0, options=b"", length=None, words=None, error=0):
    """fragment: offset in bytes. flags: 4 evil, 2 do not fragment; more adds 1. length, words: when not the true ones."""
    options = padded(options)
    bits = (flags & ~2 if fragment or more else flags) | bool(more)
    size = 20 + len(options) + len(body) if length is None else length
    head = struct.pack("!BBHHHBBH", 0x40 | (5 + len(options) // 4 if words is None else words), tos, size, ident,
                       bits << 13 | fragment // 8, ttl, protocol, 0) + packed(ends[0]) + packed(ends[1]) + options
    return head[:10] + struct.pack("!H", checksum(head) ^ error) + head[12:] + body


def ip6(ends, protocol, body, hops=64, length=None):
    return struct.pack("!IHBB", 6 << 28, len(body) if length is None else length, protocol, hops) + packed(ends[0]) + packed(ends[1]) + body


def extension(following, eights=0, body=None):
    """Hop-by-hop or destination options: padding only."""
    return bytes([following, eights]) + (body if body is not None else b"\1" + bytes([eights * 8 + 4]) + b"\0" * (eights * 8 + 4))


def fragment6(following, offset, more, ident):
    return struct.pack("!BBHI", following, 0, offset | bool(more), ident)


def pieces4(ends, protocol, body, size, ident, **ip):
    """The datagram in fragments of `size` bytes (a multiple of 8)."""
    return [ip4(ends, protocol, body[at:at + size], ident=ident, fragment=at, more=at + size < len(body), **ip)
            for at in range(0, len(body), size)]


def pieces6(ends, protocol, body, size, ident):
    return [ip6(ends, FRAGMENT6, fragment6(protocol, at, at + size < len(body), ident) + body[at:at + size])
            for at in range(0, len(body), size)]


def ether(macs, rest, kind=None, tags=()):
    """macs: destination, source. tags: (tpid, tci). kind: found from the IP version when not said."""
    if kind is None:
        kind = ETHER_IP6 if rest[:1] and rest[0] >> 4 == 6 else ETHER_IP4
    return macs[0] + macs[1] + b"".join(struct.pack("!HH", *t) for t in tags) + struct.pack("!H", kind) + rest


def gre(inner, kind=ETHER_IP4):
    return struct.pack("!HH", 0, kind) + inner


def vxlan(vni, frame):
    return struct.pack("!BBHI", 8, 0, 0, vni << 8) + frame


def mpls(labels, inner):
    last = len(labels) - 1
    return b"".join(struct.pack("!I", label << 12 | (i == last) << 8 | 64) for i, label in enumerate(labels)) + inner


def read(frame):
    """The fields of a TCP segment in a frame of ours, or None: (source, destination, ports, seq, ack, flags, window, options, data)."""
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == ETHER_IP4 and frame[23] == TCP:
        head = 14 + (frame[14] & 15) * 4
        ends = socket.inet_ntop(socket.AF_INET, frame[26:30]), socket.inet_ntop(socket.AF_INET, frame[30:34])
        end = 14 + struct.unpack("!H", frame[16:18])[0]
    elif kind == ETHER_IP6 and frame[20] == TCP:
        head, end = 54, 54 + struct.unpack("!H", frame[18:20])[0]
        ends = socket.inet_ntop(socket.AF_INET6, frame[22:38]), socket.inet_ntop(socket.AF_INET6, frame[38:54])
    else:
        return None
    if len(frame) < head + 20:
        return None
    source, destination, seq, ack, words, flags, window = struct.unpack("!HHIIBBH", frame[head:head + 16])
    body = head + (words >> 4) * 4
    return *ends, (source, destination), seq, ack, flags, window, frame[head + 20:body], frame[body:end]
