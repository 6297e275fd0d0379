# SPDX-License-Identifier: GPL-2.0-or-later
"""Transport: a text is put into an HTTP request, in the ways each place allows it to be written there. Gives the bytes
of the request. Knows nothing of look-ups; what must be escaped in a place is escaped there, what may be is so by
chance."""
import base64

HEADERS = ["User-Agent", "Referer", "X-Forwarded-For", "X-Api-Version", "Accept", "Accept-Language", "Accept-Encoding",
           "Origin", "X-Real-IP", "X-Client-IP", "X-Forwarded-Host", "Forwarded", "From", "If-Modified-Since",
           "If-None-Match", "Content-Type", "X-Request-ID", "X-Csrf-Token", "Via", "True-Client-IP", "Cache-Control",
           "Authorization", "Range", "X-Wap-Profile", "X-Druid-Comment", "SOAPAction", "X-Custom-%d", "Host"]
NAMED = {"$": "dollar", "{": "lbrace", "}": "rbrace", ":": "colon", "/": "sol", ".": "period", "#": "num",
         "@": "commat", "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos", "\\": "bsol", "?": "quest",
         "=": "equals", "%": "percnt", "_": "lowbar", "[": "lsqb", "]": "rsqb", ",": "comma"}
NAMED_TOO = {"{": "lcub", "}": "rcub", "[": "lbrack", "_": "UnderBar", "\u0131": "imath"}


# --- Encodings: str or bytes -> bytes ---

def raw(c, text):
    return text.encode()


def percent(c, data, share=None, must=b"", always=b"%"):
    share = c.choice((0, .3, 1)) if share is None else share
    keep = b"$" if c.random() < .1 else b""
    out = b""
    for b in data:
        x = bytes([b])
        special = x in must or b < 33 or b > 126 or x in always or (x in b'${}"<>\\^`|' and x not in keep)
        out += (b"%%%02x" if c.random() < .5 else b"%%%02X") % b if special or c.random() < share else x
    return out


def percents(rounds):
    def encode(c, text):
        data = percent(c, text.encode(), must=b"&+#?;=")
        for _ in range(rounds - 1):
            data = percent(c, data, share=c.choice((0, .2)), always=b"%")
        return data
    encode.__name__ = "percent x%d" % rounds
    return encode


def percent_u(c, text):
    return b"".join((b"%%u%04x" if c.random() < .5 else b"%%U%04X" if False else b"%%u%04X") % ord(x)
                    if x in "${}: \n\r\t%&+#?;=\\\"<>" or ord(x) > 126 or c.random() < .3 else x.encode() for x in text)


def overlong_bytes(c, byte):
    size = c.choice((2, 2, 2, 3, 4))
    if size == 2:
        return bytes([0xc0 | byte >> 6, 0x80 | byte & 63])
    return bytes([0xe0, 0x80 | byte >> 6, 0x80 | byte & 63] if size == 3 else
                 [0xf0, 0x80, 0x80 | byte >> 6, 0x80 | byte & 63])


def overlong(c, text):
    """Decoders before 2000, and some after, take more bytes than a character needs."""
    data = b"".join(overlong_bytes(c, ord(x)) if x in "${}" or (ord(x) < 128 and c.random() < .3) else x.encode()
                    for x in text)
    return percent(c, data, share=0, must=b"&+#?;=")


def json_text(c, text):
    share, out = c.choice((0, 0, .3, 1)), b""
    for x in text:
        n = ord(x)
        if x in '"\\' and c.random() < .5:
            out += b"\\" + x.encode()
        elif x in "\n\r\t" and c.random() < .7:
            out += {"\n": b"\\n", "\r": b"\\r", "\t": b"\\t"}[x]
        elif n < 32 or x in '"\\' or c.random() < share or (x in "${}" and c.random() < .5):
            out += (b"\\u%04x" if c.random() < .5 else b"\\u%04X") % n
        elif x == "/" and c.random() < .4:
            out += b"\\/"
        else:
            out += x.encode()
    return out


def json_twice(c, text):
    return json_text(c, json_text(c, text).decode())


def entities(c, text):
    share, style = c.choice((.1, .5, 1)), c.choice(("dec", "hex", "named", "any", "bare"))
    out = ""
    for at, x in enumerate(text):
        after = text[at + 1:at + 2]
        if not (x in "${}<>&" or ord(x) < 32 or c.random() < share):
            out += x
            continue
        kind = c.choice(("dec", "hex", "named")) if style in ("any", "bare") else style
        if kind == "named" and x in NAMED:
            name = NAMED_TOO[x] if x in NAMED_TOO and c.random() < .4 else NAMED[x]
            out += "&" + (name.upper() if c.random() < .05 else name) + ";"
            continue
        code = "%0*x" % (c.choice((0, 0, 4, 7)), ord(x)) if kind == "hex" else "%0*d" % (c.choice((0, 0, 4, 7)), ord(x))
        bare = style == "bare" and after and not (after in "0123456789abcdefABCDEF;")
        out += "&#" + (c.choice("xX") if kind == "hex" else "") + code + ("" if bare else ";")
    return out.encode()


def form(c, text):
    data = percent(c, text.encode(), must=b"&+#?;=")
    return data.replace(b"%20", b"+") if c.random() < .7 else data


def form_twice(c, text):
    return percent(c, form(c, text), share=0)


def unicode_escape(c, text):
    return json_text(c, text.replace('"', "'"))


# --- Places: (chance, encoded) -> request, and the encodings each takes ---

def request(first, headers, body=b"", method=b"GET"):
    lines = [method + b" " + first + b" HTTP/1.1"]
    if not any(name.lower() == b"host" for name, _ in headers):
        lines.append(b"Host: www.example.com")
    lines += [name + b": " + value for name, value in headers]
    if body or method != b"GET":
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def usual(c):
    return [(b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64)"), (b"Accept", b"*/*")][:c.randint(0, 2)]


def in_path(c, data):
    return request(b"/" + c.choice((b"", b"a/", b"api/v1/")) + data + c.choice((b"", b"/x", b".html")), usual(c))


def in_query(c, data):
    return request(c.choice((b"/?q=", b"/s?a=1&q=", b"/x/y?")) + data + c.choice((b"", b"&z=1")), usual(c))


def in_header(c, data):
    name = c.choice(HEADERS)
    name = (name % c.randint(1, 99) if "%" in name else name).encode()
    if name == b"Authorization":
        data = c.choice((b"Bearer ", b"Digest username=", b"")) + data
    around = c.choice(((b"", b""), (b"", b""), (b"Mozilla/5.0 ", b" (X11)"), (b"https://www.example.com/?", b""),
                       (b"a, ", b", b"), (b'"', b'"')))
    return request(b"/", [(name.lower() if c.random() < .3 else name, around[0] + data + around[1])])


def in_cookie(c, data):
    return request(b"/", usual(c) + [(b"Cookie", b"_ga=GA1.2.3; sid=" + data + c.choice((b"", b"; theme=dark")))])


def in_basic(c, data):
    pair = c.choice((data + b":secret", b"user:" + data, data))
    code = base64.b64encode(pair)
    if c.random() < .2:
        code = code.rstrip(b"=")
    name = c.choice((b"Authorization", b"authorization", b"Proxy-Authorization"))
    return request(b"/", usual(c) + [(name, c.choice((b"Basic ", b"basic ", b"BASIC  ")) + code)])


def posted(c, kind, body):
    return request(b"/api", usual(c) + [(b"Content-Type", kind)], body, c.choice((b"POST", b"POST", b"PUT")))


def in_json(c, data):
    return posted(c, b"application/json", c.choice((b'{"name":"%s"}', b'{"a":[1,{"b":"%s"}],"c":null}', b'["%s"]',
                                                    b'{"%s":1}')) % data)


def in_form(c, data):
    return posted(c, b"application/x-www-form-urlencoded", c.choice((b"user=%s&pass=x", b"a=1&b=2&q=%s")) % data)


def in_multipart(c, data):
    head = c.choice((b'name="a"\r\n\r\n%s', b'name="f"; filename="%s"\r\nContent-Type: text/plain\r\n\r\nx')) % data
    return posted(c, b"multipart/form-data; boundary=zz",
                  b"--zz\r\nContent-Disposition: form-data; " + head + b"\r\n--zz--\r\n")


def in_xml(c, data):
    return posted(c, b"text/xml", c.choice((b'<?xml version="1.0"?><a><b>%s</b></a>', b'<a b="%s"/>')) % data)


def in_cdata(c, data):
    return posted(c, b"text/xml", b"<a><![CDATA[%s]]></a>" % data)


def in_text(c, data):
    return posted(c, b"text/plain", b"line one\nline two " + data + b"\n")


def in_target(c, data):
    return request(data, usual(c))


p1, p2, p3 = percents(1), percents(2), percents(3)
PLACES = {
    "path": (in_path, [p1, p1, p2, p3, percent_u, overlong, raw]),
    "query": (in_query, [p1, p1, p2, p3, percent_u, overlong, raw]),
    "target": (in_target, [p1, raw]),
    "header": (in_header, [raw, raw, raw, raw, p1, p2, unicode_escape, entities]),
    "cookie": (in_cookie, [raw, p1, p1, p2, p3]),
    "basic": (in_basic, [raw, raw, p1]),
    "json": (in_json, [json_text, json_text, json_text, json_twice]),
    "form": (in_form, [form, form, form, form_twice, percent_u, overlong]),
    "multipart": (in_multipart, [raw, raw, p1]),
    "xml": (in_xml, [entities]),
    "cdata": (in_cdata, [raw]),
    "text": (in_text, [raw, raw, json_text]),
}


def fits(place, encoding, text):
    """Can this place carry this text so encoded without becoming something else?"""
    if encoding is not raw:
        return True
    if any(ord(x) < 32 for x in text):
        return place in ("multipart", "cdata", "text", "basic")
    return "'" not in text or place != "cookie"


def place(c, text):
    """(place, encoding, request), or None where the drawn place cannot hold the text."""
    name = c.choice(sorted(PLACES))
    build, encodings = PLACES[name]
    encoding = c.choice(encodings)
    if not fits(name, encoding, text):
        return None
    return name, encoding.__name__.replace("_", " "), build(c, encoding(c, text))
