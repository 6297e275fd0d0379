# SPDX-License-Identifier: GPL-2.0-or-later
"""The protection of a QUIC Initial (RFC 9001 section 5.2), which keeps nothing secret: its keys follow from the packet. AES-128-GCM by hand, since python
has none: slow, and of no use for anything but a few test packets."""
import hashlib
import hmac
import struct


def doubled(x):
    return (x << 1 ^ (0x1B if x & 0x80 else 0)) & 0xFF


def product(a, b):
    r = 0
    while b:
        r ^= a if b & 1 else 0
        a, b = doubled(a), b >> 1
    return r


def substitution():
    box = []
    for x in range(256):
        inverse = next((y for y in range(256) if product(x, y) == 1), 0)
        s = inverse
        for n in range(1, 5):
            s ^= (inverse << n | inverse >> (8 - n)) & 0xFF
        box.append(s ^ 0x63)
    return box


BOX = substitution()


def schedule(key):
    words, constant = [list(key[i:i + 4]) for i in range(0, 16, 4)], 1
    for i in range(4, 44):
        w = list(words[-1])
        if i % 4 == 0:
            w = [BOX[b] for b in w[1:] + w[:1]]
            w[0] ^= constant
            constant = doubled(constant)
        words.append([a ^ b for a, b in zip(w, words[i - 4])])
    return [sum(words[i:i + 4], []) for i in range(0, 44, 4)]


def aes(keys, block):
    s = [a ^ b for a, b in zip(block, keys[0])]
    for n, key in enumerate(keys[1:], 1):
        s = [BOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if n < 10:
            mixed = []
            for c in range(0, 16, 4):
                a = s[c:c + 4]
                whole = a[0] ^ a[1] ^ a[2] ^ a[3]
                mixed += [a[i] ^ whole ^ doubled(a[i] ^ a[(i + 1) % 4]) for i in range(4)]
            s = mixed
        s = [a ^ b for a, b in zip(s, key)]
    return bytes(s)


def times(x, y):
    z = 0
    for i in range(127, -1, -1):
        if y >> i & 1:
            z ^= x
        x = x >> 1 ^ (0xE1 << 120 if x & 1 else 0)
    return z


def gcm(key, nonce, plain, extra):
    keys = schedule(key)
    h = int.from_bytes(aes(keys, bytes(16)), "big")
    stream = b"".join(aes(keys, nonce + struct.pack("!I", i + 2)) for i in range((len(plain) + 15) // 16))
    sealed = bytes(a ^ b for a, b in zip(plain, stream))
    total = 0
    for part in (extra, sealed):
        part += bytes(-len(part) % 16)
        for i in range(0, len(part), 16):
            total = times(total ^ int.from_bytes(part[i:i + 16], "big"), h)
    total = times(total ^ (len(extra) * 8 << 64 | len(sealed) * 8), h)
    return sealed + bytes(a ^ b for a, b in zip(total.to_bytes(16, "big"), aes(keys, nonce + b"\0\0\0\1")))


def expand(secret, label, size):
    label = b"tls13 " + label
    return hmac.new(secret, struct.pack("!HB", size, len(label)) + label + b"\0\1", hashlib.sha256).digest()[:size]


def initial(connection, frames, number=0, source=b""):
    """One protected client Initial packet that holds these frames."""
    first = hmac.new(bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"), connection, hashlib.sha256).digest()
    client = expand(first, b"client in", 32)
    key, iv, mask_key = (expand(client, b"quic " + n, s) for n, s in ((b"key", 16), (b"iv", 12), (b"hp", 16)))
    length = 4 + len(frames) + 16
    head = b"\xc3\0\0\0\1" + bytes([len(connection)]) + connection + bytes([len(source)]) + source + b"\0" + struct.pack("!H", 0x4000 | length)
    packet_number = struct.pack("!I", number)
    nonce = bytes(a ^ b for a, b in zip(iv, bytes(8) + packet_number))
    body = gcm(key, nonce, frames, head + packet_number)
    mask = aes(schedule(mask_key), body[:16])
    hidden = bytes(a ^ b for a, b in zip(packet_number, mask[1:5]))
    return bytes([head[0] ^ mask[0] & 0x0F]) + head[1:] + hidden + body
