# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows 96-110: HTTP and what its bodies are wrapped in. Segments always cut the keyword; whether the server's program would make sense of the
request is not asked: it has the bytes, so a program that does could have the keyword."""
import gzip
import struct
import time
import zlib

from rows import row
from trial import Connection, Visit, fetch

POST = b"POST /a HTTP/1.1\r\nHost: a\r\n"


def told(t, stream=None):
    """The request, or any stream, cut within the keyword."""
    if stream is not None:
        at = max(stream.find(t.needle[:6]), 0)
        t.kw, t.cuts = stream, sorted({min(at + n, len(stream) - 1) for n in (4, 18, 30)} | {len(stream) // 2})
        t.prove(stream)
    c = t.open()
    c.tell()
    t.settle()


def http(number, title, name, build, **more):
    """build(t): the bytes of the stream."""
    @row(number, title, name, **more)
    def _(t):
        told(t, build(t))


def plain_post(t):
    body = b"a=" + t.needle
    t.kw = POST + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    c = t.open()
    c.put(0, t.kw)
    t.settle()


def chunk(data, size=b"%x", more=b"", end=b"\r\n"):
    return size % len(data) + more + end + data + end


def chunked(t, cut=14, **way):
    text = b"a=" + t.needle + b"&b=1"
    return b"".join(chunk(text[i:i + cut], **way) for i in range(0, len(text), cut)) + b"0\r\n\r\n"


CHUNKS, OVERFLOW, BOTH, NAMES = "chunked, oddly", "chunk size overflow", "Content-Length and Transfer-Encoding", "Transfer-Encoding misspelt"
TE = POST + b"Transfer-Encoding: chunked\r\n\r\n"
http(96, CHUNKS, "small chunks", lambda t: TE + chunked(t), plain=plain_post)
http(96, CHUNKS, "chunks of one byte", lambda t: TE + chunked(t, 1), plain=plain_post)
http(96, CHUNKS, "leading zeros", lambda t: TE + chunked(t, size=b"000000000000%x"), plain=plain_post)
http(96, CHUNKS, "extensions", lambda t: TE + chunked(t, more=b";a=\"b\";c"), plain=plain_post)
http(96, CHUNKS, "bare LF", lambda t: TE + chunked(t, end=b"\n"), plain=plain_post)
http(96, CHUNKS, "blanks after the size", lambda t: TE + chunked(t, more=b" \t "), plain=plain_post)


@row(96, CHUNKS, "cut in each size line", plain=plain_post)
def _(t):
    stream, c = TE + chunked(t), t.open()
    t.prove(stream)
    for i in range(0, len(stream), 3):
        c.say(stream[i:i + 3], wait=i % 30 == 0)
    t.settle()


for size in (b"ffffffffffffffff1", b"10000000000000010", b"-1", b"0x20", b"fffffffffffffff0"):
    http(97, OVERFLOW, size.decode(), lambda t, size=size: TE + size + b"\r\na=" + t.needle + b"&b=1\r\n0\r\n\r\n", plain=plain_post)


def both(t, head, body):
    return POST + head + b"\r\n\r\n" + body


http(98, BOTH, "both, chunked counts", lambda t: both(t, b"Content-Length: 5\r\nTransfer-Encoding: chunked", chunked(t)), plain=plain_post)
http(98, BOTH, "both, the length counts", lambda t: both(t, b"Transfer-Encoding: chunked\r\nContent-Length: 200", b"0\r\n\r\nGET /?q=" + t.needle + b" HTTP/1.1\r\n" + b"x" * 200), plain=plain_post)
http(98, BOTH, "two lengths, the first is short", lambda t: both(t, b"Content-Length: 3\r\nContent-Length: 120", b"abcGET /" + t.needle + b" HTTP/1.1\r\n\r\n" + b"x" * 90), plain=plain_post)
http(98, BOTH, "two lengths, the second is short", lambda t: both(t, b"Content-Length: 120\r\nContent-Length: 3", b"abcGET /" + t.needle + b" HTTP/1.1\r\n\r\n" + b"x" * 90), plain=plain_post)
http(98, BOTH, "length 0 with a body", lambda t: both(t, b"Content-Length: 0", b"a=" + t.needle + b"\r\n\r\n"), plain=plain_post)
http(98, BOTH, "length with a sign", lambda t: both(t, b"Content-Length: +60", b"a=" + t.needle.ljust(90)), plain=plain_post)
for value in (b"Transfer-Encoding: xchunked", b"Transfer-Encoding:\tchunked", b"Transfer-Encoding:\r\n chunked", b"Transfer-Encoding : chunked",
              b"Transfer-Encoding: identity, chunked", b"Transfer-Encoding: chunked, identity", b"transfer-encoding: CHUNKED", b"Transfer-Encoding: \x0bchunked"):
    http(99, NAMES, repr(value)[2:-1], lambda t, value=value: both(t, value, chunked(t)), plain=plain_post)

GET, FOLD = b"GET / HTTP/1.1\r\nHost: a\r\n", "folded headers, without end"
http(100, FOLD, "one fold", lambda t: GET + b"X-Api:\r\n " + t.needle + b"\r\n\r\n")
http(100, FOLD, "folds before and after", lambda t: GET + b"X-Api: a\r\n\tb\r\n " + t.needle + b"\r\n\tc\r\n\r\n")
http(100, FOLD, "the first line is a fold", lambda t: b"GET / HTTP/1.1\r\n X: " + t.needle + b"\r\nHost: a\r\n\r\n")


def long_folds(t, size):
    folds = b"X-Api: a\r\n" + b" b\r\n" * (size // 4)
    stream = GET + folds + b" " + t.needle + b"\r\n\r\n"
    t.prove(stream[-len(t.needle) - 200:])
    c = t.open()
    for i in range(0, len(stream), 1400):
        c.put(i, stream[i:i + 1400])
        c.acks(min(i + 1400, len(stream)))
        if c.was_reset():
            break
    t.settle()


@row(100, FOLD, "60 KiB of folds")
def _(t):
    long_folds(t, 60 << 10)


@row(100, FOLD, "1 MiB of folds", slow=True)
def _(t):
    long_folds(t, 1 << 20)


LINES = "CR without LF, LF without CR, NUL"
http(101, LINES, "LF only", lambda t: b"GET / HTTP/1.1\nHost: a\nX-Api: " + t.needle + b"\n\n")
http(101, LINES, "CR only", lambda t: b"GET / HTTP/1.1\rHost: a\rX-Api: " + t.needle + b"\r\r\n\r\n")
http(101, LINES, "NUL before it in the URI", lambda t: b"GET /a\0?q=" + t.needle + b" HTTP/1.1\r\nHost: a\r\n\r\n")
http(101, LINES, "NUL in a header", lambda t: GET + b"X-Api: a\0" + t.needle + b"\r\n\r\n")
http(101, LINES, "NUL in a header's name", lambda t: GET + b"X-\0Api: " + t.needle + b"\r\n\r\n")
http(101, LINES, "CR CR LF", lambda t: b"GET / HTTP/1.1\r\r\nHost: a\r\r\nX-Api: " + t.needle + b"\r\r\n\r\r\n")
http(102, "pipelining x200", "one of them", lambda t: b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(150)) + b"GET /?q=" + t.needle
     + b" HTTP/1.1\r\nHost: a\r\n\r\n" + b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(50)))
http(102, "pipelining x200", "behind a body", lambda t: POST + b"Content-Length: 4\r\n\r\nabcdGET /?q=" + t.needle + b" HTTP/1.1\r\nHost: a\r\n\r\n")
FORMS = "HTTP/0.9, odd versions and methods, absolute URI"
for name, before, after in (("0.9", b"GET /?q=", b"\r\n"), ("lower-case version", b"GET /?q=", b" http/1.1\r\nHost: a\r\n\r\n"),
                            ("version 1.7", b"GET /?q=", b" HTTP/1.7\r\nHost: a\r\n\r\n"), ("unknown method", b"FROB /?q=", b" HTTP/1.1\r\nHost: a\r\n\r\n"),
                            ("long method", b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH /?q=", b" HTTP/1.1\r\nHost: a\r\n\r\n"),
                            ("method in small letters", b"get /?q=", b" HTTP/1.1\r\nHost: a\r\n\r\n"),
                            ("absolute URI", b"GET http://www.example.net/?q=", b" HTTP/1.1\r\nHost: a\r\n\r\n"),
                            ("tabs between the words", b"GET\t/?q=", b"\tHTTP/1.1\r\nHost: a\r\n\r\n"),
                            ("blanks before", b"  GET /?q=", b" HTTP/1.1\r\nHost: a\r\n\r\n"), ("the keyword is the method", b"", b" / HTTP/1.1\r\nHost: a\r\n\r\n")):
    http(103, FORMS, name, lambda t, before=before, after=after: before + t.needle + after)


def escaped(text, form, which):
    return b"".join(form % c if chr(c) in which else bytes([c]) for c in text)


def uri(name, change):
    http(104, "encoded URI", name, lambda t: b"GET /?q=" + change(t.needle) + b" HTTP/1.1\r\nHost: a\r\n\r\n")


uri("percent", lambda n: escaped(n, b"%%%02x", "${}:/jndi"))
uri("percent twice", lambda n: escaped(escaped(n, b"%%%02x", "${}:/"), b"%%%02x", "%"))
uri("percent three times", lambda n: escaped(escaped(escaped(n, b"%%%02x", "${}:/"), b"%%%02x", "%"), b"%%%02x", "%"))
uri("%u", lambda n: escaped(n, b"%%u%04x", "${}:"))
uri("\\u", lambda n: escaped(n, b"\\u%04x", "${}:"))
uri("overlong UTF-8", lambda n: b"".join(b"%%%02x%%%02x" % (0xC0 | c >> 6, 0x80 | c & 63) if chr(c) in "${}" else bytes([c]) for c in n))
uri("/./ before it", lambda n: b"/./a/../" + n)
uri("backslash before it", lambda n: b"\\a\\..\\" + n)
uri("plus and blanks around", lambda n: b"+a+" + n + b"+")
uri("nested look-ups", lambda n: n.replace(b"jndi", b"${lower:j}n${::-d}i"))


# A Java class in a compressed body that the inside fetches.

def java_class(t):
    magic = b"CAFE" if t.harmless else b"\xca\xfe\xba\xbe"
    return magic + b"\0\0\0\x34\0\x10" + t.marker + bytes(t.random.getrandbits(8) for _ in range(300))


def answer(coding, body, more=b""):
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Encoding: " + coding + b"\r\n" + more + \
        b"Content-Length: %d\r\n\r\n" % len(body)


def raw_deflate(data):
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    return z.compress(data) + z.flush()


def with_name(data):
    """gzip with FEXTRA, FNAME, FCOMMENT and FHCRC (RFC 1952)."""
    head = b"\x1f\x8b\x08\x1e\0\0\0\0\0\3" + struct.pack("<H", 200) + b"e" * 200 + b"name\0" + b"comment\0"
    return head + struct.pack("<H", zlib.crc32(head) & 0xFFFF) + raw_deflate(data) + struct.pack("<II", zlib.crc32(data), len(data))


def brotli_stored(data):
    """An uncompressed meta-block (RFC 7932 section 9.2), then an empty last one."""
    return (((len(data) - 1) << 4 | 1 << 20).to_bytes(3, "little")) + data + b"\3"


def wrapped(name, coding, wrap, **more):
    @row(105, "gzip, deflate, br body; two layers; odd headers", name, plain=fetch, evidence="file")
    def _(t):
        body = wrap(java_class(t))
        v = Visit(t, body=body, before=answer(coding, body, **more)).begin()
        v.handshake()
        v.tell()
        t.settle()


wrapped("gzip", b"gzip", gzip.compress)
wrapped("x-gzip, upper case", b"X-GZIP", gzip.compress)
wrapped("deflate (zlib)", b"deflate", zlib.compress)
wrapped("deflate (raw)", b"deflate", raw_deflate)
wrapped("two layers", b"gzip, gzip", lambda d: gzip.compress(gzip.compress(d)))
wrapped("three layers", b"gzip, gzip, gzip", lambda d: gzip.compress(gzip.compress(gzip.compress(d))))
wrapped("gzip, said to be deflate", b"deflate", gzip.compress)
wrapped("deflate, said to be gzip", b"gzip", zlib.compress)
wrapped("FEXTRA, FNAME, FCOMMENT, FHCRC", b"gzip", with_name)
wrapped("two members", b"gzip", lambda d: gzip.compress(b"") + gzip.compress(d))
wrapped("wrong CRC", b"gzip", lambda d: gzip.compress(d)[:-8] + b"\1" * 8)
wrapped("br", b"br", brotli_stored)
wrapped("an unknown coding", b"frob", lambda d: bytes(b ^ 0x55 for b in d))


@row(105, "gzip, deflate, br body; two layers; odd headers", "as a transfer coding", plain=fetch, evidence="file")
def _(t):
    body = gzip.compress(java_class(t))
    stream = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
    v = Visit(t, body=chunk(body) + b"0\r\n\r\n", before=stream).begin()
    v.handshake()
    v.tell()
    t.settle()


@row(105, "gzip, deflate, br body; two layers; odd headers", "a request's body", plain=plain_post)
def _(t):
    body = gzip.compress(b"a=" + t.needle)
    told(t, POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@row(106, "three decompression bombs in one flow", plain=fetch, evidence="file", slow=True)
def _(t):
    """3 x 100 MiB of zeros instead of 10 GiB (100 KiB on the wire each): past every limit of size and ratio, in a second. Then a class."""
    bomb, body = gzip.compress(bytes(100 << 20)), gzip.compress(java_class(t))
    v = Visit(t, body=body, before=(answer(b"gzip", bomb) + bomb) * 3 + answer(b"gzip", body)).begin()
    v.handshake()
    for i in range(0, len(t.kw), 8000):
        v.say(t.kw[i:i + 8000])
        if v.was_reset():
            break
    t.settle()


# HTTP/2

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def h2(kind, flags, stream, data):
    return len(data).to_bytes(3, "big") + bytes([kind, flags]) + struct.pack("!I", stream) + data


def whole(n, bits=7, first=0):
    """RFC 7541 section 5.1."""
    most = (1 << bits) - 1
    if n < most:
        return bytes([first | n])
    out, n = bytes([first | most]), n - most
    while n >= 128:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def text(value):
    return whole(len(value)) + value


CODES = {"$": (0x1FF9, 13), "{": (0x7FFE, 15), "}": (0x3FFD, 14), ":": (0x5C, 7), "j": (0x74, 7), "k": (0x75, 7)}
CODES.update({c: (n, 5) for n, c in enumerate("012aceiost")})
CODES.update({c: (n, 6) for n, c in enumerate(" %-./3456789=A_bdfghlmnpru", 0x14)})


def huffman(value):
    bits = "".join(format(CODES[chr(c)][0], f"0{CODES[chr(c)][1]}b") for c in value)
    bits += "1" * (-len(bits) % 8)
    packed = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return whole(len(packed), 7, 0x80) + packed


HEAD = b"\x82\x86\x84" + b"\x41" + text(b"a")  # GET, http, /, authority


def literal(name, value):
    return b"\x10" + text(name) + value


def h2_start():
    return PREFACE + h2(4, 0, 0, b"") + h2(8, 0, 0, b"\0\0\xff\xff")


def headers(block, stream=1, flags=5):
    return h2(1, flags, stream, block)


def continued(block, sizes, kind_flags=1):
    """HEADERS, then CONTINUATION frames of these sizes; the last one has what is left."""
    parts, at = [], 0
    for n in sizes:
        parts.append(block[at:at + n])
        at += n
    parts.append(block[at:])
    frames = [h2(1, kind_flags, 1, parts[0])] + [h2(9, 0, 1, p) for p in parts[1:-1]] + [h2(9, 4, 1, parts[-1])]
    return b"".join(frames)


H2, HPACK = "h2c upgrade, prior knowledge", "HTTP/2 header cut by CONTINUATION, table abuse"
http(107, H2, "prior knowledge", lambda t: h2_start() + headers(HEAD + literal(b"x-api", text(t.needle))))
http(107, H2, "prior knowledge, Huffman", lambda t: h2_start() + headers(HEAD + literal(b"x-api", huffman(t.needle))))
http(107, H2, "prior knowledge, padded, with priority", lambda t: h2_start() + h2(1, 0x2D, 1, b"\x09" + b"\0\0\0\0\x10" + HEAD + literal(b"x-api", huffman(t.needle)) + bytes(9)))
http(107, H2, "in DATA", lambda t: h2_start() + headers(b"\x83\x86\x84\x41" + text(b"a"), flags=4) + h2(0, 0, 1, b"a=" + t.needle[:12]) + h2(0, 1, 1, t.needle[12:]))
http(107, H2, "h2c upgrade", lambda t: b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
     + h2_start() + headers(HEAD + literal(b"x-api", huffman(t.needle)), 3))
http(108, HPACK, "within the keyword", lambda t: h2_start() + continued(HEAD + literal(b"x-api", text(t.needle)), [20, 9, 9]))
http(108, HPACK, "Huffman, byte by byte", lambda t: h2_start() + continued(HEAD + literal(b"x-api", huffman(t.needle)), [8] + [1] * 30))
http(108, HPACK, "4,096 empty frames before it", lambda t: h2_start() + continued(HEAD + literal(b"x-api", huffman(t.needle)), [20] + [0] * 4096))
http(108, HPACK, "table size 0, then 64 KiB", lambda t: h2_start() + headers(b"\x20" + HEAD, 1) + h2(4, 0, 0, b"\0\1\0\1\0\0") +
     headers(whole(4096, 5, 0x20) + HEAD + b"\x40" + text(b"x-api") + huffman(t.needle), 3))
http(108, HPACK, "kept in the table, filled before", lambda t: h2_start() + headers(HEAD + b"".join(b"\x40" + text(b"x%d" % n) + text(b"v" * 100) for n in range(60)))
     + headers(HEAD + b"\x40" + text(b"x-api") + huffman(t.needle), 3) + headers(HEAD + b"\xbe", 5))

PARTS = "multipart boundaries, huge Content-Disposition"


def multipart(boundary, body):
    return POST + b"Content-Type: multipart/form-data; " + boundary + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def part(t, line=b"Content-Disposition: form-data; name=\"a\"", mark=b"--b"):
    return mark + b"\r\n" + line + b"\r\n\r\n" + t.needle + b"\r\n" + mark + b"--\r\n"


http(109, PARTS, "plain part", lambda t: multipart(b"boundary=b", part(t)), plain=plain_post)
http(109, PARTS, "quoted, twice", lambda t: multipart(b"boundary=\"x\"; boundary=b", part(t)), plain=plain_post)
http(109, PARTS, "a preamble that looks like an end", lambda t: multipart(b"boundary=b", b"--b--\r\n" + part(t)), plain=plain_post)
http(109, PARTS, "disposition of 8 KiB", lambda t: multipart(b"boundary=b", part(t, b"Content-Disposition: form-data; name=\"" + b"n" * 8192 + b"\"")), plain=plain_post)
http(109, PARTS, "disposition of 60 KiB", lambda t: multipart(b"boundary=b", part(t, b"Content-Disposition: form-data; name=\"" + b"n" * 61440 + b"\"")), plain=plain_post)
http(109, PARTS, "in the disposition", lambda t: multipart(b"boundary=b", part(t, b"Content-Disposition: form-data; filename=\"" + t.needle + b"\"")), plain=plain_post)


@row(110, "slow request, many flows", slow=True)
def _(t):
    """2,000 flows that stay in the middle of a request instead of 10,000, and the request itself byte by byte in 3 s instead of 1 byte in 10 s."""
    c = t.open()
    many = []
    for i in range(2000):
        slow = Connection(t, sport=10001 + (c.ports[0] - 10000 + i) % 50000)
        slow.syn()
        many.append(slow)
        if i % 100 == 99:
            slow.wait(lambda: slow.peer_isn is not None)
    for slow in many:
        if slow.peer_isn is not None:
            slow.put(0, b"GET /slow HTTP/1.1\r\nHost")
    for i in range(len(t.kw)):
        c.say(t.kw[i:i + 1], wait=False)
        time.sleep(0.025)
    t.settle()
