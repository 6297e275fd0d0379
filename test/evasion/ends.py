# SPDX-License-Identifier: GPL-2.0-or-later
"""The two ends of the path: a raw link on the outside, and on the inside a Linux that logs every byte its programs receive.
Knows sockets and namespaces; no row of the matrix. Threads: one reads the link, one serves the endpoint, one sniffs."""
import collections
import contextlib
import ctypes
import selectors
import socket
import struct
import threading
import time

import craft

TCP_PORTS = (80, 53, 443, 25, 2222, 8080)
UDP_PORTS = (53, 443, 9999)
SOL_PACKET, PACKET_AUXDATA, VLAN_VALID, TPID_VALID, OUTGOING, ALL = 263, 8, 0x10, 0x40, 4, 3
TCP_FASTOPEN, TCP_MD5SIG = 23, 14
LIBC = ctypes.CDLL(None, use_errno=True)


def enter(namespace):
    """For the calling thread alone; sockets stay where they were made."""
    with open(f"/run/netns/{namespace}") as there:
        if LIBC.setns(there.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), namespace)


def packet_socket(protocol, interface="eth0"):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    s.bind((interface, protocol))
    s.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
    return s


def mac_of(interface="eth0"):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
        s.bind((interface, 0))
        return s.getsockname()[4]


class Link:
    """Frames out of the client's namespace; segments that come back go to whoever listens on their address and port.
    eth0 leads through what is tested, eth1 past it."""

    def __init__(self, namespace):
        enter(namespace)
        self.mac = mac_of()
        self.out, self.past = packet_socket(0), packet_socket(0, "eth1")
        self.listeners = {}
        for interface in ("eth0", "eth1"):
            threading.Thread(target=self.listen, args=(packet_socket(ALL, interface),), daemon=True).start()

    def send(self, frame, aside=False):
        (self.past if aside else self.out).send(frame.ljust(60, b"\0"))

    def listen(self, back):
        while True:
            frame, address = back.recvfrom(70000)
            if address[2] == OUTGOING:
                continue
            segment = craft.read(frame)
            listener = segment and self.listeners.get((segment[1], segment[2][1]))
            if listener:
                listener(segment)


class Endpoint:
    """Programs of the inside end. received[(address, port)]: what they read from that peer, connections one after the other."""

    def __init__(self, namespace):
        enter(namespace)
        self.mac = mac_of()
        self.received = collections.defaultdict(bytearray)
        self.connections = {}
        self.frames = set()
        self.selector = selectors.DefaultSelector()
        for port in TCP_PORTS:
            self.listen_on(port)
        for port in UDP_PORTS:
            s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            s.bind(("::", port))
            self.selector.register(s, selectors.EVENT_READ, self.datagram)
        self.sniffer = packet_socket(ALL)
        self.sniffer.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        for work in (self.serve, self.sniff):
            threading.Thread(target=work, daemon=True).start()

    def listen_on(self, port):
        s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 64)
        s.bind(("::", port))
        s.listen(1024)
        self.selector.register(s, selectors.EVENT_READ, self.accept)

    def accept(self, s):
        connection, peer = s.accept()
        key = peer[0].removeprefix("::ffff:"), peer[1]
        self.connections[key] = connection
        connection.setblocking(False)
        self.selector.register(connection, selectors.EVENT_READ, lambda c: self.read(c, key))

    def read(self, connection, key):
        try:
            data = connection.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:  # end or reset: our half stays open until the row or the suite ends
            self.selector.unregister(connection)
        self.received[key] += data

    def visit(self, peer, request):
        """A program here calls `peer` and sends `request`. For threads of this namespace."""
        s = socket.socket(socket.AF_INET6 if ":" in peer[0] else socket.AF_INET, socket.SOCK_STREAM)
        s.setblocking(False)
        s.connect_ex(peer)
        self.connections[peer] = s

        def connected(c):
            self.selector.modify(c, selectors.EVENT_READ, lambda c: self.read(c, peer))
            c.send(request)
        self.selector.register(s, selectors.EVENT_WRITE, connected)

    def datagram(self, s):
        data, peer = s.recvfrom(70000)
        self.received[peer[0].removeprefix("::ffff:"), peer[1]] += data

    def serve(self):
        while True:
            for key, _ in self.selector.select():
                with contextlib.suppress(OSError, KeyError):
                    key.data(key.fileobj)

    def half_close(self, peer):
        """The program closes its own half and goes on reading."""
        self.shut(peer, socket.SHUT_WR)

    def close(self, peer):
        """The program at the other end of `peer` closes: the first FIN is ours."""
        self.shut(peer, socket.SHUT_RDWR)  # not close(): the thread that serves still waits on it

    def shut(self, peer, how):
        end = time.monotonic() + 2
        while peer not in self.connections and time.monotonic() < end:
            time.sleep(0.005)  # acknowledged by the kernel, not yet accepted by the program
        self.connections[peer].shutdown(how)

    def sniff(self):
        while True:
            frame, notes, _, address = self.sniffer.recvmsg(70000, 256)
            if address[2] == OUTGOING:
                continue
            for level, kind, note in notes:
                status = struct.unpack("I", note[:4])[0]
                tci, tpid = struct.unpack("HH", note[16:20])
                if (level, kind) == (SOL_PACKET, PACKET_AUXDATA) and status & VLAN_VALID:
                    frame = frame[:12] + struct.pack("!HH", tpid if status & TPID_VALID else 0x8100, tci) + frame[12:]
            self.frames.add(frame)

    def saw(self, frame):
        return frame in self.frames or frame.ljust(60, b"\0") in self.frames
