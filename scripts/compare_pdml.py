#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# What tshark says of a capture, as messages in our own vocabulary. Texts are taken from the bytes tshark points at, not from what it prints,
# which is cut and escaped. Knows tshark 4.0's names of fields; knows nothing of how two messages are compared (parser-compare).
import hashlib
import re
import xml.etree.ElementTree as tree

APPS = {"http", "http2", "dns", "mdns", "llmnr", "tls", "ldap", "quic"}
FILTER = "http || http2 || dns || mdns || llmnr || ldap || tls.handshake"
SHOWN = "http http2 dns mdns llmnr ldap tls quic"
QUESTIONS = 32  # of one DNS message that ours tells
OPERATIONS = {"bindRequest": "bind-request", "bindResponse": "bind-response", "unbindRequest": "unbind", "searchRequest": "search-request",
              "searchResEntry": "search-entry", "searchResDone": "search-done", "searchResRef": "search-reference",
              "extendedReq": "extended-request", "extendedResp": "extended-response"}
ENDS = re.compile(r"Src: ([0-9a-fA-F:.]+), Dst: ([0-9a-fA-F:.]+)")
PORTS = re.compile(r"Src Port: (\d+), Dst Port: (\d+)(?:, Seq: (\d+))?")


class Message:
    """One message: `flow` is (transport, source, port, destination, port), `fields` what is compared, `more` what only explains."""

    def __init__(self, protocol, kind, flow, frame, fields, more=None):
        self.protocol, self.kind, self.flow, self.frame = protocol, kind, flow, frame
        self.fields = {name: value for name, value in fields.items() if value not in (None, "", b"", 0)}
        self.more = more or {}

    def key(self):
        """What says that two messages of a flow are the same, apart from their order."""
        names = {"dns": ("id", "response"), "ldap": ("message_id", "operation")}.get(self.protocol, ())
        return (self.kind, self.more.get("h2", False)) + tuple(self.fields.get(name) for name in names)


def named(node, name):
    return [f for f in node.iter("field") if f.get("name") == name]


def first(node, name):
    return next((f for f in node.iter("field") if f.get("name") == name), None)


def octets(field):
    if field is None:
        return b""
    text = field.get("unmaskedvalue") or field.get("value") or ""
    return bytes.fromhex(text) if re.fullmatch(r"(?:[0-9a-fA-F]{2})*", text) else b""


def show(field):
    return field.get("show") or "" if field is not None else ""


def number(field):
    text = show(field)
    try:
        return int(text, 0)
    except ValueError:
        return 0


# --- HTTP ---

def header(proto, name):
    """The value of a header line, its bytes without the name and the white space around it."""
    field = first(proto, name)
    return b"" if field is None else octets(field).partition(b":")[2].strip(b" \t\r\n")


def http(proto, flow, frame):
    method, status = first(proto, "http.request.method"), first(proto, "http.response.code")
    length = show(first(proto, "http.content_length_header"))
    more = {"length": length, "headers": [octets(f) for f in named(proto, "http.request.line") + named(proto, "http.response.line")],
            "chunked": bool(named(proto, "http.transfer_encoding")), "first": octets(next(proto.iter("field"), None))}
    if method is not None:
        fields = {"method": octets(method), "uri": octets(first(proto, "http.request.uri")), "host": header(proto, "http.host"),
                  "user_agent": header(proto, "http.user_agent"), "content_type": header(proto, "http.content_type"),
                  "referer": header(proto, "http.referer")}
        yield Message("http", "http.request", flow, frame, fields, more)
    elif status is not None:
        fields = {"status": number(status), "content_type": header(proto, "http.content_type"), "server": header(proto, "http.server"),
                  "location": header(proto, "http.location")}
        yield Message("http", "http.response", flow, frame, fields, more)


def http2(proto, flow, frame):
    for stream in named(proto, "http2.stream"):
        lines = {}
        for line in named(stream, "http2.header"):
            lines.setdefault(octets(first(line, "http2.header.name")) or show(first(line, "http2.header.name")).encode(),
                             show(first(line, "http2.header.value")).encode())
        get = lambda name: lines.get(name, b"")
        if b":method" in lines:
            fields = {"method": get(b":method"), "uri": get(b":path"), "host": get(b":authority") or get(b"host"),
                      "user_agent": get(b"user-agent"), "content_type": get(b"content-type"), "referer": get(b"referer")}
            yield Message("http", "http.request", flow, frame, fields, {"h2": True})
        elif b":status" in lines:
            fields = {"status": int(get(b":status") or 0), "content_type": get(b"content-type"), "server": get(b"server"),
                      "location": get(b"location")}
            yield Message("http", "http.response", flow, frame, fields, {"h2": True})


# --- DNS ---

def dns_name(field):
    """As ours writes it (RFC 1035 §5.1), from the bytes if no pointer stands in them."""
    raw, at, labels = octets(field), 0, []
    while at < len(raw) and 0 < raw[at] < 0x40 and at + 1 + raw[at] < len(raw) + 1:
        labels.append(raw[at + 1:at + 1 + raw[at]])
        at += 1 + raw[at]
    if at >= len(raw) or raw[at] != 0 or at + 1 != len(raw):
        text = show(field)
        return b"" if text == "<Root>" else text.encode().lower().replace(b" ", b"\\032")
    return b".".join(b"".join(bytes([c]).lower() if 0x20 < c < 0x7f and c not in b".\\" else b"\\%03d" % c for c in label)
                     for label in labels)


def section(proto, name):
    for field in proto.findall("field"):
        if show(field) == name:
            return field.findall("field")
    return []


def dns(proto, flow, frame):
    if first(proto, "dns.id") is None and first(proto, "dns.count.queries") is None:
        return
    # an update (RFC 2136) calls the same sections Zone and Prerequisites
    queries, answers = section(proto, "Queries") or section(proto, "Zone"), section(proto, "Answers") or section(proto, "Prerequisites")
    addresses, alias = [], b""
    for record in answers[:64]:
        for name in ("dns.a", "dns.aaaa"):
            addresses += [show(f) for f in named(record, name)][:1]
        cname = first(record, "dns.cname")
        if cname is not None and not alias:
            alias = dns_name(cname)
    flags = number(first(proto, "dns.flags"))
    counts = [sum(number(first(proto, "dns.count." + n)) for n in names)
              for names in (("queries", "zones"), ("answers", "prerequisites"), ("auth_rr", "updates"), ("add_rr",))]
    fields = {"id": number(first(proto, "dns.id")), "response": flags >> 15, "rcode": flags & 15, "answers": counts[1]}
    answer = {"addresses": ",".join(addresses[:8]).encode(), "cname": alias}
    asked = queries[:QUESTIONS] if queries else answers[:1]
    for record in asked or [None]:
        if record is not None:
            of = first(record, "dns.qry.name") if queries else first(record, "dns.resp.name")
            kind = first(record, "dns.qry.type") if queries else first(record, "dns.resp.type")
            if of is None:  # of a service record tshark names the parts only
                name = show(record).partition(": type ")[0].lower().encode()
            else:
                name = dns_name(of)
            fields = dict(fields, name=name, type=number(kind))
        yield Message("dns", "dns", flow, frame, dict(fields, **answer), {"flags": flags, "counts": counts})
        answer = {}  # told with the first question only


# --- TLS ---

def grease(n):
    return n & 0x0f0f == 0x0a0a and n >> 8 == n & 255


def digest(numbers, tail=""):
    return hashlib.sha256((",".join(numbers) + tail).encode()).hexdigest()[:12] if numbers else "0" * 12


def ja4(hello, quic):
    """FoxIO's description of JA4 (a, b and c parts), from tshark's list of numbers."""
    ciphers = [c for c in (number(f) for f in named(hello, "tls.handshake.ciphersuite")) if not grease(c)]
    extensions = [e for e in (number(f) for f in named(hello, "tls.handshake.extension.type")) if not grease(e)]
    algorithms = ["%04x" % n for e in hello.iter("field") if e.get("name", "") == "" and number(first(e, "tls.handshake.extension.type")) == 13
                  and show(e).startswith("Extension: signature_algorithms ") for n in
                  (number(f) for f in named(e, "tls.handshake.sig_hash_alg")) if not grease(n)]
    offered = [v for v in (number(f) for f in named(hello, "tls.handshake.extensions.supported_version")) if not grease(v)]
    version = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 2: "s2"}.get(
        max(offered or [number(first(hello, "tls.handshake.version"))]), "00")
    alpn = octets(first(hello, "tls.handshake.extensions_alpn_str"))
    ends = "00"
    if alpn:
        plain = all(chr(c).isalnum() and c < 128 for c in (alpn[0], alpn[-1]))
        ends = chr(alpn[0]) + chr(alpn[-1]) if plain else alpn.hex()[0] + alpn.hex()[-1]
    rest = sorted("%04x" % e for e in extensions if e not in (0, 16))
    return "%s%s%s%02d%02d%s_%s_%s" % ("q" if quic else "t", version, "d" if 0 in extensions else "i", min(len(ciphers), 99),
                                       min(len(extensions), 99), ends, digest(sorted("%04x" % c for c in ciphers)),
                                       digest(rest, "_" + ",".join(algorithms) if algorithms else "") if rest else "0" * 12)


def escaped(raw, lower=True):
    return b"".join((bytes([c]).lower() if lower else bytes([c])) if 0x20 < c < 0x7f and c not in b"\\," else b"\\x%02x" % c for c in raw)


def common_name(name):
    """The last common name of a Name, its bytes."""
    found = b""
    for item in named(name, "x509if.RelativeDistinguishedName_item_element"):
        if show(first(item, "x509if.id")) in ("2.5.4.3", "id-at-commonName") or "commonName=" in (item.get("showname") or ""):
            text = next((f for f in item.iter("field") if f.get("name", "").startswith("x509sat.") and f.get("name") != "x509sat.DirectoryString"),
                        None)
            found = octets(text) if text is not None else found
    return found


def certificate(handshake):
    one = first(handshake, "tls.handshake.certificate")
    if one is None:
        return {}
    issuer, subject = first(one, "x509af.issuer"), first(one, "x509af.subject")
    names = [escaped(octets(f)) for g in named(one, "x509ce.GeneralNames") if g in san_lists(one) for f in named(g, "x509ce.dNSName")]
    return {"issuer": common_name(issuer) if issuer is not None else b"", "subject": common_name(subject) if subject is not None else b"",
            "names": names}


def san_lists(one):
    return [g for e in named(one, "x509af.Extension_element") if show(first(e, "x509af.extension.id")) in ("2.5.29.17", "id-ce-subjectAltName")
            or "subjectAltName" in (e.get("showname") or "") for g in named(e, "x509ce.GeneralNames")]


def handshakes(proto):
    return [f for f in proto.iter("field") if f.get("name") == "tls.handshake"]


def tls(proto, flow, frame, quic=False):
    for h in handshakes(proto):
        kind = number(first(h, "tls.handshake.type"))
        offered = [v for v in (number(f) for f in named(h, "tls.handshake.extensions.supported_version")) if not grease(v)]
        version = number(first(h, "tls.handshake.version"))
        more = {"quic": quic, "old": version}
        if kind == 1:
            good = [v for v in offered if 0x0300 <= v <= 0x0304]
            fields = {"version": max(good or [version]), "sni": escaped(octets(first(h, "tls.handshake.extensions_server_name"))),
                      "alpn": escaped(octets(first(h, "tls.handshake.extensions_alpn_str")), False), "ja4": ja4(h, quic).encode()}
            yield Message("tls", "tls", flow, frame, fields, more)
        elif kind == 2:
            more["retry"] = octets(first(h, "tls.handshake.random")).hex().startswith("cf21ad74e59a6111")
            yield Message("tls", "tls.server", flow, frame, {"version": offered[0] if offered else version,
                                                           "cipher": number(first(h, "tls.handshake.ciphersuite"))}, more)
        elif kind == 11:
            c = certificate(h)
            if c:
                yield Message("tls", "certificate", flow, frame, {"subject": c["subject"], "issuer": c["issuer"],
                                                                 "names": b",".join(c["names"])}, more)


# --- LDAP ---

def ldap(proto, flow, frame):
    for element in named(proto, "ldap.LDAPMessage_element"):
        op = first(element, "ldap.protocolOp")
        if op is None:
            continue
        word = (op.get("showname") or "").partition(": ")[2].partition(" ")[0]
        name = {"bindRequest": "ldap.name", "searchRequest": "ldap.baseObject", "searchResEntry": "ldap.objectName",
                "extendedReq": "ldap.requestName"}.get(word)
        text = next((show(f)[8:] for f in op.iter("field") if show(f).startswith("Filter: ")), "")
        links = [f for n in ("ldap.LDAPURL", "ldap.Referral_item", "ldap.SearchResultReference_item") for f in named(op, n)]
        code = first(op, "ldap.resultCode")
        fields = {"operation": OPERATIONS.get(word, "other").encode(), "message_id": number(first(element, "ldap.messageID")),
                  "name": octets(first(op, name)) if name else b"", "result": number(code), "filter": text.encode(),
                  "referral": octets(links[0]) if links else b""}
        yield Message("ldap", "ldap", flow, frame, fields, {"word": word, "node": element.get("showname")})


# --- Packets ---

PARSERS = {"http": http, "http2": http2, "dns": dns, "mdns": dns, "llmnr": dns, "tls": tls, "ldap": ldap}


def packet_messages(packet):
    ends, flow, seq, before, number_of = ("", ""), None, None, [], 0
    for proto in packet.findall("proto"):
        name, words = proto.get("name"), proto.get("showname") or ""
        if name == "geninfo":
            number_of = number(first(proto, "num"))
        elif name in ("ip", "ipv6"):
            found = ENDS.search(words)
            ends = found.groups() if found else ends
        elif name in ("tcp", "udp"):
            found = PORTS.search(words)
            if found:
                flow = (name, ends[0], int(found[1]), ends[1], int(found[2]))
                seq = found[3]
        elif name in APPS and flow:
            yield from app_messages(name, proto, flow, number_of, {"before": list(before), "seq": seq})
        before.append(name)


def app_messages(name, proto, flow, frame, more):
    if name == "quic":
        found = tls(proto, flow, frame, True)
    else:
        found = PARSERS[name](proto, flow, frame)
    for message in found:
        message.more.update(more)
        yield message


def merge_certificates(messages):
    """A certificate belongs to the ServerHello before it of the same side; those of clients belong to nobody."""
    out, hello = [], {}
    for m in messages:
        if m.kind == "certificate":
            answer = hello.pop(m.flow, None)
            if answer:
                answer.fields.update(m.fields)
            continue
        if m.kind == "tls.server":
            hello[m.flow] = m
        out.append(m)
    return out


def messages_of(path):
    found = []
    for _, node in tree.iterparse(path):
        if node.tag == "packet":
            found += packet_messages(node)
            node.clear()
    return merge_certificates(found)
