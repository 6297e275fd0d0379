# SPDX-License-Identifier: GPL-2.0-or-later
"""What log4j 2.14.1 makes of a message: its substitution written anew from its observable rules, as the judge of the
generated variants. It shares no code and no method with lib/proto/jndi*: this one recurses over strings and obeys the
escape, that one walks once over bytes and is generous. Knows: "${", "}", ":-", ":\\-" (a ":-" that is part of the
key), "$${", names that are themselves substituted, values that are substituted again, the refusal of cycles, the
prefix lower-cased, an unknown prefix or an unset key falling back to the key alone and then to the default, and that
the pattern layout substitutes again for as long as it meets "${". Knows not: what is configured or set on some
server, so every key is unset there but the few that are the same on any Linux."""

SAME_EVERYWHERE = {"file.separator": "/", "path.separator": ":", "line.separator": "\n"}
BY_PREFIX_UNSET = {"env", "ctx", "main", "map", "sd", "marker", "bundle", "log4j", "jvmrunargs", "event"}
JAVA_KEYS = {"version", "runtime", "vm", "os", "hw", "locale"}
CLOCK = "20211210"
DEPTH = 60


class Refused(Exception):
    """log4j throws: the message is lost, nothing is looked up."""


def case_date(pattern):
    """SimpleDateFormat: quoted text stands for itself, letters are the clock; a bad pattern is the clock as well."""
    out, quoted, at = "", False, 0
    while at < len(pattern):
        c = pattern[at]
        if pattern[at:at + 2] == "''":
            out, at = out + "'", at + 2
            continue
        if c == "'":
            quoted = not quoted
        elif quoted or not ("a" <= c <= "z" or "A" <= c <= "Z"):
            out += c
        else:
            return CLOCK
        at += 1
    return CLOCK if quoted else out


class Log4j:
    """One message; `asked` are the names given to the JNDI look-up, in order."""

    def __init__(self, jndi_value=None):
        self.asked = []
        self.jndi_value = jndi_value

    def format(self, message):
        text, at = message, 0
        while at < len(text) - 1:
            if text.startswith("${", at):
                text = self.replace(text)
            at += 1
        return text

    def replace(self, text):
        return self.substitute(text, None, 0)

    def substitute(self, text, prior, depth):
        if depth > DEPTH:
            raise Refused("too deep for any stack we would want")
        at = 0
        while at < len(text):
            if not text.startswith("${", at):
                at += 1
            elif at > 0 and text[at - 1] == "$":
                text = text[:at - 1] + text[at:]  # `at` now stands on the brace
            else:
                end = self.closing(text, at + 2)
                if end is None:
                    # nothing closes it: the search went to the end of the text, and so does everything else
                    break
                if prior is None:
                    prior = [text]
                    name_prior = None
                else:
                    name_prior = prior
                name = self.substitute(text[at + 2:end], name_prior, depth + 1)
                value = self.resolve(*self.split(name), prior, depth)
                if value is None:
                    at = end + 1
                else:
                    text, at = text[:at] + value + text[end + 1:], at + len(value)
        return text

    @staticmethod
    def closing(text, at):
        nested = 0
        while at < len(text):
            if text.startswith("${", at):
                nested, at = nested + 1, at + 2
            elif text[at] == "}":
                if nested == 0:
                    return at
                nested, at = nested - 1, at + 1
            else:
                at += 1
        return None

    @staticmethod
    def split(name):
        """The key and its default, or None."""
        plain, kept = name.find(":-"), name.find(":\\-")
        if kept < 0 or 0 <= plain < kept:
            return (name, None) if plain < 0 else (name[:plain], name[plain + 2:])
        later = name.find(":-", kept + 3)
        if later < 0:
            return name[:kept] + ":" + name[kept + 2:], None
        return name[:kept] + ":" + name[kept + 3:later], name[later + 2:]

    def resolve(self, key, default, prior, depth):
        if key in prior:
            raise Refused("cycle")
        prior.append(key)
        value = self.lookup(key)
        if value is None:
            value = default
        if value is not None:
            value = self.substitute(value, prior, depth + 1)
        prior.pop()
        return value

    def lookup(self, key):
        prefix, colon, name = key.partition(":")
        if not colon:
            return None  # a property of the configuration: none is set
        prefix = prefix.lower()
        if prefix == "jndi":
            self.asked.append(name)
            return self.jndi_value
        if prefix == "lower":
            return name.lower()
        if prefix == "upper":
            return name.upper()
        if prefix == "date":
            return case_date(name)
        if prefix == "sys":
            return SAME_EVERYWHERE.get(name)
        if prefix == "java":
            if name not in JAVA_KEYS:
                raise Refused("java:" + name)
            return "OpenJDK"
        return None


def veiled(text):
    """The same length, with look-ups that stayed as they are blotted out: their colons divide nothing, since where they
    are set a value stands there."""
    out, depth = "", 0
    for at, c in enumerate(text):
        depth += text.startswith("${", at)
        out += "_" if depth else c
        depth -= c == "}" and depth > 0
    return out


def target(name):
    """Scheme, host and port a name leads to, as the JDK's LDAP and DNS providers split it: the authority ends at '/'
    or '?', '#' is no end, a bracketed address keeps its brackets. Who logs in ("user@", IIOP's "1.2@") is no part of
    the host. A name without "//" has no host."""
    scheme, colon, rest = name.partition(":")
    if not colon or "/" in scheme:
        return "", "", 0
    if not rest.startswith("//"):
        return scheme.lower(), "", 0
    whole = rest[2:]
    rest = veiled(whole)
    for stop in "/?":
        rest = rest.partition(stop)[0]
    begin, end = rest.rfind("@") + 1, len(rest)
    whole, rest = whole[begin:end], rest[begin:]
    stop = rest.index("]") + 1 if rest.startswith("[") and "]" in rest else 0
    colon = rest.find(":", stop)
    host, port = (whole, "") if colon < 0 else (whole[:colon], whole[colon:])
    port = port[1:]
    return scheme.lower(), host, int(port) if port.isdigit() and int(port) < 65536 else 0


def asked_last(message):
    """The name the outermost JNDI look-up of a message is asked for, or None."""
    log4j = Log4j()
    try:
        log4j.format(message)
    except Refused:
        pass  # what was asked before that was asked
    return log4j.asked[-1] if log4j.asked else None
