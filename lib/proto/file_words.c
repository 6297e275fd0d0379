// SPDX-License-Identifier: GPL-2.0-or-later
// Evidence that text is a program: how its lines begin, and a few words only programs hold. 2 is enough by itself, 1
// needs company. Two tables; a new habit of attackers is one line here and one in the test.
#include "proto_impl.h"

enum language { SCRIPT, JAVASCRIPT, CSS, PROSE, LANGUAGES };
enum { LINES = 64 }; // looked at

enum word_flags {
	NOCASE = 1,       // the language does not care about case
	ARGUMENT = 2,     // an argument, path or URL must follow: "curl http://..." but not "curl is a tool"
	ALONE = 4,        // nothing may follow
	NO_SEMICOLON = 8, // the line does not end in ";", nor does it hold " from ": Python's import, not Java's or
			  // JavaScript's
	WORD = 16,        // a name must follow
};

struct word {
	const char *text; // NULL ends
	uint8_t length, language, weight, flags;
	uint8_t bit; // of those within a line: each counts once
};
#define WORD_OF(text, ...) {text, sizeof(text) - 1, __VA_ARGS__}

// At the beginning of a line, after white space.
static const struct word starts_bang[] = {
	WORD_OF("!function", JAVASCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_quote[] = {
	WORD_OF("\"use strict\"", JAVASCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_hash[] = {
	WORD_OF("# -*- coding", SCRIPT, 2, 0, 0),
	WORD_OF("## ", PROSE, 2, WORD, 0),
	{NULL},
};
static const struct word starts_dollar[] = {
	WORD_OF("$erroractionpreference", SCRIPT, 2, NOCASE, 0),
	WORD_OF("$env:", SCRIPT, 2, NOCASE, 0),
	WORD_OF("$(function", JAVASCRIPT, 2, 0, 0),
	WORD_OF("$(document", JAVASCRIPT, 2, 0, 0),
	WORD_OF("$(window", JAVASCRIPT, 2, 0, 0),
	WORD_OF("$('", JAVASCRIPT, 2, 0, 0),
	WORD_OF("$(\"", JAVASCRIPT, 2, 0, 0),
	WORD_OF("$.", JAVASCRIPT, 1, 0, 0),
	{NULL},
};
static const struct word starts_tick[] = {
	WORD_OF("'use strict'", JAVASCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_paren[] = {
	WORD_OF("(curl ", SCRIPT, 2, 0, 0),
	WORD_OF("(wget ", SCRIPT, 2, 0, 0),
	WORD_OF("(crontab ", SCRIPT, 2, 0, 0),
	WORD_OF("(new-object", SCRIPT, 2, NOCASE, 0),
	WORD_OF("(function", JAVASCRIPT, 2, 0, 0),
	WORD_OF("(()=>", JAVASCRIPT, 2, 0, 0),
	WORD_OF("(() =>", JAVASCRIPT, 2, 0, 0),
	WORD_OF("(async", JAVASCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_star[] = {
	WORD_OF("*{", CSS, 2, 0, 0),
	WORD_OF("* {", CSS, 2, 0, 0),
	WORD_OF("*,", CSS, 1, 0, 0),
	{NULL},
};
static const struct word starts_dash[] = {
	WORD_OF("---", PROSE, 2, ALONE, 0),
	{NULL},
};
static const struct word starts_dot[] = {
	WORD_OF(". /", SCRIPT, 2, 0, 0),
	WORD_OF("./", SCRIPT, 1, WORD, 0),
	{NULL},
};
static const struct word starts_slash[] = {
	WORD_OF("/bin/", SCRIPT, 2, WORD, 0),
	WORD_OF("/usr/bin/", SCRIPT, 2, WORD, 0),
	WORD_OF("/*!", JAVASCRIPT, 1, 0, 0),
	WORD_OF("/**", JAVASCRIPT, 1, 0, 0),
	WORD_OF("//", JAVASCRIPT, 1, 0, 0),
	{NULL},
};
static const struct word starts_colon[] = {
	WORD_OF(":root", CSS, 2, 0, 0),
	{NULL},
};
static const struct word starts_semicolon[] = {
	WORD_OF(";(function", JAVASCRIPT, 2, 0, 0),
	WORD_OF(";function", JAVASCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_less[] = {
	WORD_OF("<#", SCRIPT, 1, 0, 0),
	WORD_OF("<p", PROSE, 2, 0, 0),
	{NULL},
};
static const struct word starts_at[] = {
	WORD_OF("@echo off", SCRIPT, 2, NOCASE, 0),
	WORD_OF("@echo on", SCRIPT, 2, NOCASE, 0),
	WORD_OF("@charset", CSS, 2, 0, 0),
	WORD_OF("@import ", CSS, 2, 0, 0),
	WORD_OF("@media", CSS, 2, 0, 0),
	WORD_OF("@font-face", CSS, 2, 0, 0),
	WORD_OF("@keyframes", CSS, 2, 0, 0),
	{NULL},
};
static const struct word starts_bracket[] = {
	WORD_OF("[ -", SCRIPT, 2, 0, 0),
	WORD_OF("[[ -", SCRIPT, 2, 0, 0),
	WORD_OF("[ \"$", SCRIPT, 2, 0, 0),
	WORD_OF("[ ! ", SCRIPT, 2, 0, 0),
	WORD_OF("[system.", SCRIPT, 2, NOCASE, 0),
	WORD_OF("[ref].", SCRIPT, 2, NOCASE, 0),
	WORD_OF("[net.", SCRIPT, 2, NOCASE, 0),
	WORD_OF("[cmdletbinding", SCRIPT, 2, NOCASE, 0),
	{NULL},
};
static const struct word starts_backtick[] = {
	WORD_OF("```", PROSE, 2, 0, 0),
	{NULL},
};
static const struct word starts_a[] = {
	WORD_OF("apt-get ", SCRIPT, 2, WORD, 0),
	WORD_OF("apk add ", SCRIPT, 2, 0, 0),
	WORD_OF("alias ", SCRIPT, 1, WORD, 0),
	WORD_OF("add-type", SCRIPT, 2, NOCASE, 0),
	WORD_OF("async function", JAVASCRIPT, 2, 0, 0),
	WORD_OF("a{", CSS, 2, 0, 0),
	WORD_OF("a {", CSS, 2, 0, 0),
	{NULL},
};
static const struct word starts_b[] = {
	WORD_OF("busybox ", SCRIPT, 2, WORD, 0),
	WORD_OF("bash -", SCRIPT, 2, 0, 0),
	WORD_OF("bash /", SCRIPT, 2, 0, 0),
	WORD_OF("base64 -d", SCRIPT, 2, 0, 0),
	WORD_OF("bitsadmin ", SCRIPT, 2, NOCASE, 0),
	WORD_OF("body{", CSS, 2, 0, 0),
	WORD_OF("body {", CSS, 2, 0, 0),
	{NULL},
};
static const struct word starts_c[] = {
	WORD_OF("curl ", SCRIPT, 2, ARGUMENT, 0),
	WORD_OF("chmod ", SCRIPT, 2, ARGUMENT, 0),
	WORD_OF("chmod +", SCRIPT, 2, 0, 0),
	WORD_OF("chown ", SCRIPT, 1, WORD, 0),
	WORD_OF("chattr ", SCRIPT, 2, ARGUMENT, 0),
	WORD_OF("case $", SCRIPT, 2, 0, 0),
	WORD_OF("case \"$", SCRIPT, 2, 0, 0),
	WORD_OF("crontab ", SCRIPT, 2, ARGUMENT, 0),
	WORD_OF("cd /", SCRIPT, 2, 0, 0),
	WORD_OF("cd $", SCRIPT, 2, 0, 0),
	WORD_OF("cd ~", SCRIPT, 2, 0, 0),
	WORD_OF("cat <<", SCRIPT, 2, 0, 0),
	WORD_OF("cat /", SCRIPT, 2, 0, 0),
	WORD_OF("cp /", SCRIPT, 2, 0, 0),
	WORD_OF("cp -", SCRIPT, 2, 0, 0),
	WORD_OF("command -v ", SCRIPT, 2, 0, 0),
	WORD_OF("cmd /c", SCRIPT, 2, NOCASE, 0),
	WORD_OF("cmd.exe ", SCRIPT, 2, NOCASE, 0),
	WORD_OF("certutil ", SCRIPT, 2, NOCASE, 0),
	WORD_OF("const ", JAVASCRIPT, 1, WORD, 0),
	WORD_OF("console.", JAVASCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_d[] = {
	WORD_OF("done", SCRIPT, 1, ALONE, 0),
	WORD_OF("dd if=", SCRIPT, 2, 0, 0),
	WORD_OF("def ", SCRIPT, 1, WORD, 0),
	WORD_OF("dim ", SCRIPT, 1, NOCASE | WORD, 0),
	WORD_OF("document.", JAVASCRIPT, 2, 0, 0),
	WORD_OF("define(", JAVASCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_e[] = {
	WORD_OF("export PATH", SCRIPT, 2, 0, 0),
	WORD_OF("export LC_ALL", SCRIPT, 2, 0, 0),
	WORD_OF("export LD_", SCRIPT, 2, 0, 0),
	WORD_OF("export HIST", SCRIPT, 2, 0, 0),
	WORD_OF("elif [", SCRIPT, 2, 0, 0),
	WORD_OF("esac", SCRIPT, 2, ALONE, 0),
	WORD_OF("echo ", SCRIPT, 1, 0, 0),
	WORD_OF("eval ", SCRIPT, 2, ARGUMENT, 0),
	WORD_OF("exec ", SCRIPT, 1, ARGUMENT, 0),
	WORD_OF("exec(", SCRIPT, 1, 0, 0),
	WORD_OF("export default", JAVASCRIPT, 2, 0, 0),
	WORD_OF("export const", JAVASCRIPT, 2, 0, 0),
	WORD_OF("export {", JAVASCRIPT, 2, 0, 0),
	WORD_OF("export{", JAVASCRIPT, 2, 0, 0),
	WORD_OF("export function", JAVASCRIPT, 2, 0, 0),
	WORD_OF("export class", JAVASCRIPT, 2, 0, 0),
	WORD_OF("export *", JAVASCRIPT, 2, 0, 0),
	WORD_OF("export let", JAVASCRIPT, 2, 0, 0),
	WORD_OF("export var", JAVASCRIPT, 2, 0, 0),
	WORD_OF("export async", JAVASCRIPT, 2, 0, 0),
	WORD_OF("export type", JAVASCRIPT, 2, 0, 0),
	WORD_OF("export interface", JAVASCRIPT, 2, 0, 0),
	WORD_OF("exports.", JAVASCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_f[] = {
	WORD_OF("fi", SCRIPT, 1, ALONE, 0),
	WORD_OF("for i in ", SCRIPT, 2, 0, 0),
	WORD_OF("for f in ", SCRIPT, 2, 0, 0),
	WORD_OF("ftpget ", SCRIPT, 2, 0, 0),
	WORD_OF("function ", SCRIPT, 1, WORD, 0),
	WORD_OF("function(", JAVASCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_g[] = {
	WORD_OF("grep -", SCRIPT, 2, 0, 0),
	WORD_OF("get-", SCRIPT, 1, NOCASE | WORD, 0),
	{NULL},
};
static const struct word starts_h[] = {
	WORD_OF("html{", CSS, 2, 0, 0),
	WORD_OF("html {", CSS, 2, 0, 0),
	WORD_OF("html,", CSS, 2, 0, 0),
	{NULL},
};
static const struct word starts_i[] = {
	WORD_OF("IFS=", SCRIPT, 2, 0, 0),
	WORD_OF("if [ ", SCRIPT, 2, 0, 0),
	WORD_OF("if [[ ", SCRIPT, 2, 0, 0),
	WORD_OF("if ! ", SCRIPT, 1, WORD, 0),
	WORD_OF("if test ", SCRIPT, 2, 0, 0),
	WORD_OF("iptables ", SCRIPT, 2, ARGUMENT, 0),
	WORD_OF("invoke-", SCRIPT, 2, NOCASE | WORD, 0),
	WORD_OF("iex ", SCRIPT, 2, NOCASE, 0),
	WORD_OF("iex(", SCRIPT, 2, NOCASE, 0),
	WORD_OF("import-module", SCRIPT, 2, NOCASE, 0),
	WORD_OF("import ", SCRIPT, 2, NO_SEMICOLON, 0),
	WORD_OF("if __name__", SCRIPT, 2, 0, 0),
	WORD_OF("import {", JAVASCRIPT, 2, 0, 0),
	WORD_OF("import{", JAVASCRIPT, 2, 0, 0),
	WORD_OF("import * as", JAVASCRIPT, 2, 0, 0),
	WORD_OF("import '", JAVASCRIPT, 2, 0, 0),
	WORD_OF("import \"", JAVASCRIPT, 2, 0, 0),
	WORD_OF("if(", JAVASCRIPT, 1, 0, 0),
	WORD_OF("if (", JAVASCRIPT, 1, 0, 0),
	{NULL},
};
static const struct word starts_j[] = {
	WORD_OF("jQuery", JAVASCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_k[] = {
	WORD_OF("killall ", SCRIPT, 2, 0, 0),
	WORD_OF("kill -", SCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_l[] = {
	WORD_OF("ln -s", SCRIPT, 2, 0, 0),
	WORD_OF("let ", JAVASCRIPT, 1, WORD, 0),
	{NULL},
};
static const struct word starts_m[] = {
	WORD_OF("mkdir -", SCRIPT, 2, 0, 0),
	WORD_OF("mkdir /", SCRIPT, 2, 0, 0),
	WORD_OF("mv /", SCRIPT, 2, 0, 0),
	WORD_OF("my $", SCRIPT, 2, 0, 0),
	WORD_OF("my (", SCRIPT, 1, 0, 0),
	WORD_OF("mshta ", SCRIPT, 2, NOCASE, 0),
	WORD_OF("module.exports", JAVASCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_n[] = {
	WORD_OF("nohup ", SCRIPT, 2, 0, 0),
	WORD_OF("nc ", SCRIPT, 2, ARGUMENT, 0),
	WORD_OF("new-object", SCRIPT, 2, NOCASE, 0),
	WORD_OF("net user ", SCRIPT, 2, NOCASE, 0),
	WORD_OF("net stop ", SCRIPT, 2, NOCASE, 0),
	{NULL},
};
static const struct word starts_o[] = {
	WORD_OF("on error resume next", SCRIPT, 2, NOCASE, 0),
	WORD_OF("option explicit", SCRIPT, 2, NOCASE, 0),
	{NULL},
};
static const struct word starts_p[] = {
	WORD_OF("PATH=", SCRIPT, 2, 0, 0),
	WORD_OF("printf ", SCRIPT, 1, ARGUMENT, 0),
	WORD_OF("pkill ", SCRIPT, 2, 0, 0),
	WORD_OF("ps aux", SCRIPT, 2, 0, 0),
	WORD_OF("python -c", SCRIPT, 2, 0, 0),
	WORD_OF("python3 -c", SCRIPT, 2, 0, 0),
	WORD_OF("perl -e", SCRIPT, 2, 0, 0),
	WORD_OF("powershell", SCRIPT, 2, NOCASE, 0),
	WORD_OF("pwsh ", SCRIPT, 2, 0, 0),
	WORD_OF("param(", SCRIPT, 1, NOCASE, 0),
	WORD_OF("param (", SCRIPT, 1, NOCASE, 0),
	WORD_OF("print(", SCRIPT, 1, 0, 0),
	{NULL},
};
static const struct word starts_r[] = {
	WORD_OF("rm -", SCRIPT, 2, 0, 0),
	WORD_OF("rm /", SCRIPT, 2, 0, 0),
	WORD_OF("rem ", SCRIPT, 1, NOCASE, 0),
	WORD_OF("reg add ", SCRIPT, 2, NOCASE, 0),
	WORD_OF("regsvr32 ", SCRIPT, 2, NOCASE, 0),
	WORD_OF("rundll32 ", SCRIPT, 2, NOCASE, 0),
	WORD_OF("require(", JAVASCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_s[] = {
	WORD_OF("sudo ", SCRIPT, 2, WORD, 0),
	WORD_OF("set -", SCRIPT, 2, 0, 0),
	WORD_OF("set +", SCRIPT, 2, 0, 0),
	WORD_OF("setenforce ", SCRIPT, 2, 0, 0),
	WORD_OF("systemctl ", SCRIPT, 2, WORD, 0),
	WORD_OF("source /", SCRIPT, 2, 0, 0),
	WORD_OF("sh -", SCRIPT, 2, 0, 0),
	WORD_OF("sh /", SCRIPT, 2, 0, 0),
	WORD_OF("sleep ", SCRIPT, 1, ARGUMENT, 0),
	WORD_OF("set-executionpolicy", SCRIPT, 2, NOCASE, 0),
	WORD_OF("set-strictmode", SCRIPT, 2, NOCASE, 0),
	WORD_OF("start-process", SCRIPT, 2, NOCASE, 0),
	WORD_OF("start-bitstransfer", SCRIPT, 2, NOCASE, 0),
	WORD_OF("setlocal", SCRIPT, 2, NOCASE, 0),
	WORD_OF("schtasks ", SCRIPT, 2, NOCASE, 0),
	WORD_OF("sc stop ", SCRIPT, 2, NOCASE, 0),
	WORD_OF("start /b", SCRIPT, 2, NOCASE, 0),
	WORD_OF("set wsh", SCRIPT, 2, NOCASE, 0),
	WORD_OF("self.", JAVASCRIPT, 1, 0, 0),
	WORD_OF("Subject: ", PROSE, 2, 0, 0),
	{NULL},
};
static const struct word starts_t[] = {
	WORD_OF("then", SCRIPT, 1, ALONE, 0),
	WORD_OF("test -", SCRIPT, 2, 0, 0),
	WORD_OF("tftp ", SCRIPT, 2, ARGUMENT, 0),
	WORD_OF("tar -", SCRIPT, 2, 0, 0),
	WORD_OF("tar x", SCRIPT, 2, 0, 0),
	WORD_OF("trap ", SCRIPT, 2, ARGUMENT, 0),
	WORD_OF("touch /", SCRIPT, 2, 0, 0),
	WORD_OF("taskkill ", SCRIPT, 2, NOCASE, 0),
	WORD_OF("this.", JAVASCRIPT, 1, 0, 0),
	WORD_OF("try{", JAVASCRIPT, 2, 0, 0),
	WORD_OF("try {", JAVASCRIPT, 1, 0, 0),
	{NULL},
};
static const struct word starts_u[] = {
	WORD_OF("until [ ", SCRIPT, 2, 0, 0),
	WORD_OF("ulimit ", SCRIPT, 2, ARGUMENT, 0),
	WORD_OF("unset ", SCRIPT, 1, WORD, 0),
	WORD_OF("use strict;", SCRIPT, 2, 0, 0),
	WORD_OF("use warnings", SCRIPT, 2, 0, 0),
	WORD_OF("use IO::", SCRIPT, 2, 0, 0),
	WORD_OF("use Socket", SCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_v[] = {
	WORD_OF("var ", JAVASCRIPT, 2, WORD, 0),
	{NULL},
};
static const struct word starts_w[] = {
	WORD_OF("wget ", SCRIPT, 2, ARGUMENT, 0),
	WORD_OF("while [ ", SCRIPT, 2, 0, 0),
	WORD_OF("while true; do", SCRIPT, 2, 0, 0),
	WORD_OF("while read ", SCRIPT, 2, 0, 0),
	WORD_OF("while :", SCRIPT, 1, 0, 0),
	WORD_OF("write-host", SCRIPT, 2, NOCASE, 0),
	WORD_OF("write-output", SCRIPT, 2, NOCASE, 0),
	WORD_OF("wscript.", SCRIPT, 2, NOCASE, 0),
	WORD_OF("window.", JAVASCRIPT, 2, 0, 0),
	WORD_OF("window[", JAVASCRIPT, 2, 0, 0),
	{NULL},
};
static const struct word starts_y[] = {
	WORD_OF("yum install ", SCRIPT, 2, 0, 0),
	{NULL},
};
// By first byte, in lower case.
static const struct word *const starts[256] = {
	['!'] = starts_bang,
	['"'] = starts_quote,
	['#'] = starts_hash,
	['$'] = starts_dollar,
	['\''] = starts_tick,
	['('] = starts_paren,
	['*'] = starts_star,
	['-'] = starts_dash,
	['.'] = starts_dot,
	['/'] = starts_slash,
	[':'] = starts_colon,
	[';'] = starts_semicolon,
	['<'] = starts_less,
	['@'] = starts_at,
	['['] = starts_bracket,
	['`'] = starts_backtick,
	['a'] = starts_a,
	['b'] = starts_b,
	['c'] = starts_c,
	['d'] = starts_d,
	['e'] = starts_e,
	['f'] = starts_f,
	['g'] = starts_g,
	['h'] = starts_h,
	['i'] = starts_i,
	['j'] = starts_j,
	['k'] = starts_k,
	['l'] = starts_l,
	['m'] = starts_m,
	['n'] = starts_n,
	['o'] = starts_o,
	['p'] = starts_p,
	['r'] = starts_r,
	['s'] = starts_s,
	['t'] = starts_t,
	['u'] = starts_u,
	['v'] = starts_v,
	['w'] = starts_w,
	['y'] = starts_y,
};

// Anywhere in a line.
static const struct word inside_blank[] = {
	WORD_OF(" -windowstyle hidden", SCRIPT, 2, NOCASE, 0),
	WORD_OF(" from '", JAVASCRIPT, 2, 0, 1),
	WORD_OF(" from \"", JAVASCRIPT, 2, 0, 2),
	{NULL},
};
static const struct word inside_ampersand[] = {
	WORD_OF("&& chmod ", SCRIPT, 2, 0, 3),
	{NULL},
};
static const struct word inside_slash[] = {
	WORD_OF("/dev/tcp/", SCRIPT, 2, 0, 4),
	{NULL},
};
static const struct word inside_semicolon[] = {
	WORD_OF("; then", SCRIPT, 2, ALONE, 5),
	WORD_OF("; do", SCRIPT, 2, ALONE, 6),
	WORD_OF("; chmod ", SCRIPT, 2, 0, 7),
	{NULL},
};
static const struct word inside_equals[] = {
	WORD_OF("=$(", SCRIPT, 2, 0, 8),
	WORD_OF("=\"$(", SCRIPT, 2, 0, 9),
	WORD_OF("=>{", JAVASCRIPT, 2, 0, 10),
	WORD_OF("=> {", JAVASCRIPT, 2, 0, 11),
	WORD_OF("===", JAVASCRIPT, 2, 0, 12),
	{NULL},
};
static const struct word inside_greater[] = {
	WORD_OF(">/dev/null", SCRIPT, 2, 0, 13),
	WORD_OF("> /dev/null", SCRIPT, 2, 0, 14),
	{NULL},
};
static const struct word inside_b[] = {
	WORD_OF("base64 -d", SCRIPT, 2, 0, 15),
	{NULL},
};
static const struct word inside_c[] = {
	WORD_OF("createobject(", SCRIPT, 2, NOCASE, 16),
	WORD_OF("color:", CSS, 2, 0, 17),
	{NULL},
};
static const struct word inside_d[] = {
	WORD_OF("downloadstring(", SCRIPT, 2, NOCASE, 18),
	WORD_OF("downloadfile(", SCRIPT, 2, NOCASE, 19),
	WORD_OF("document.", JAVASCRIPT, 2, 0, 20),
	WORD_OF("display:", CSS, 2, 0, 21),
	{NULL},
};
static const struct word inside_f[] = {
	WORD_OF("frombase64string", SCRIPT, 2, NOCASE, 22),
	WORD_OF("function(", JAVASCRIPT, 2, 0, 23),
	WORD_OF("function (", JAVASCRIPT, 2, 0, 24),
	{NULL},
};
static const struct word inside_i[] = {
	WORD_OF("invoke-webrequest", SCRIPT, 2, NOCASE, 25),
	WORD_OF("invoke-expression", SCRIPT, 2, NOCASE, 26),
	{NULL},
};
static const struct word inside_m[] = {
	WORD_OF("margin:", CSS, 2, 0, 27),
	{NULL},
};
static const struct word inside_n[] = {
	WORD_OF("new-object ", SCRIPT, 2, NOCASE, 28),
	WORD_OF("new activexobject(", SCRIPT, 2, NOCASE, 29),
	{NULL},
};
static const struct word inside_p[] = {
	WORD_OF("px;", CSS, 2, 0, 30),
	WORD_OF("padding:", CSS, 2, 0, 31),
	{NULL},
};
static const struct word inside_r[] = {
	WORD_OF("require(\"", JAVASCRIPT, 2, 0, 32),
	WORD_OF("require('", JAVASCRIPT, 2, 0, 33),
	{NULL},
};
static const struct word inside_w[] = {
	WORD_OF("window.", JAVASCRIPT, 2, 0, 34),
	{NULL},
};
static const struct word inside_pipe[] = {
	WORD_OF("|bash", SCRIPT, 2, 0, 35),
	WORD_OF("| bash", SCRIPT, 2, 0, 36),
	WORD_OF("|sh", SCRIPT, 2, ALONE, 37),
	WORD_OF("| sh", SCRIPT, 2, ALONE, 38),
	{NULL},
};
// By first byte, in lower case.
static const struct word *const inside[256] = {
	[' '] = inside_blank,
	['&'] = inside_ampersand,
	['/'] = inside_slash,
	[';'] = inside_semicolon,
	['='] = inside_equals,
	['>'] = inside_greater,
	['b'] = inside_b,
	['c'] = inside_c,
	['d'] = inside_d,
	['f'] = inside_f,
	['i'] = inside_i,
	['m'] = inside_m,
	['n'] = inside_n,
	['p'] = inside_p,
	['r'] = inside_r,
	['w'] = inside_w,
	['|'] = inside_pipe,
};

// Which of those can a byte begin, and which can have it second? Or third? Few places fit all, so most bytes cost two look-ups. Letters in both cases.
enum begin {
	BLANK = 1 << 0, AMPERSAND = 1 << 1, SLASH = 1 << 2, SEMICOLON = 1 << 3, EQUALS = 1 << 4, GREATER = 1 << 5, PIPE = 1 << 6, B = 1 << 7, C = 1 << 8,
	D = 1 << 9, F = 1 << 10, I = 1 << 11, M = 1 << 12, N = 1 << 13, P = 1 << 14, R = 1 << 15, W = 1 << 16,
};
#define LETTER(c, bits) [c] = (bits), [(c) - 'a' + 'A'] = (bits)

static const uint32_t first[256] = {
	[' '] = BLANK, ['&'] = AMPERSAND, ['/'] = SLASH, [';'] = SEMICOLON, ['='] = EQUALS, ['>'] = GREATER, ['|'] = PIPE, LETTER('b', B),
	LETTER('c', C), LETTER('d', D), LETTER('f', F), LETTER('i', I), LETTER('m', M), LETTER('n', N), LETTER('p', P), LETTER('r', R), LETTER('w', W),
};
static const uint32_t second[256] = {
	[' '] = SEMICOLON | EQUALS | GREATER | PIPE, ['"'] = EQUALS, ['$'] = EQUALS, ['&'] = AMPERSAND, ['-'] = BLANK, ['/'] = GREATER,
	['='] = EQUALS, ['>'] = EQUALS, LETTER('a', B | M | P), LETTER('b', PIPE), LETTER('d', SLASH), LETTER('e', N | R), LETTER('f', BLANK),
	LETTER('i', D | W), LETTER('n', I), LETTER('o', C | D), LETTER('r', C | F), LETTER('s', PIPE), LETTER('u', F), LETTER('x', P),
};

static const uint32_t third[256] = {
	[' '] = AMPERSAND | EQUALS, ['$'] = EQUALS, ['('] = EQUALS, ['/'] = GREATER, [';'] = P, ['='] = EQUALS, ['{'] = EQUALS, LETTER('a', PIPE),
	LETTER('b', PIPE), LETTER('c', SEMICOLON | D), LETTER('d', SEMICOLON | GREATER | P), LETTER('e', SLASH | C), LETTER('h', PIPE), LETTER('l', C),
	LETTER('n', F | W), LETTER('o', F), LETTER('q', R), LETTER('r', BLANK | M), LETTER('s', PIPE | B | D), LETTER('t', SEMICOLON), LETTER('v', I),
	LETTER('w', BLANK | D | N),
};

static bool is_name(uint8_t c)
{
	return (c >= '0' && c <= '9') || (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') || c == '_';
}

// Nearly never. Every word has two bytes, and those within a line three; the first one fits.
static inline bool may_fit(struct bytes at, const struct word *w)
{
	return at.left >= w->length && byte_lower(at.at[1]) == byte_lower((uint8_t)w->text[1]) &&
	       (w->length < 3 || byte_lower(at.at[2]) == byte_lower((uint8_t)w->text[2]));
}

// The next place where one of the words within a line may begin.
static size_t next_inside(struct bytes line, size_t at)
{
	const uint8_t *p = line.at;

	for (; at + 4 < line.left; at += 4) {
		uint32_t fit = (first[p[at]] & second[p[at + 1]]) | (first[p[at + 1]] & second[p[at + 2]]) |
			       (first[p[at + 2]] & second[p[at + 3]]) | (first[p[at + 3]] & second[p[at + 4]]);

		if (!fit)
			continue;
		for (size_t i = at; i < at + 4 && i + 2 < line.left; i++)
			if (first[p[i]] & second[p[i + 1]] & third[p[i + 2]])
				return i;
	}
	for (; at + 2 < line.left; at++)
		if (first[p[at]] & second[p[at + 1]] & third[p[at + 2]])
			return at;
	return line.left;
}

static bool fits(struct bytes at, const struct word *w)
{
	struct bytes there = bytes_head(at, w->length), rest = bytes_from(at, w->length);

	if (!(w->flags & NOCASE ? bytes_equal_nocase(there, w->text) : bytes_equal_text(there, w->text)))
		return false;
	if ((w->flags & ALONE) && rest.left)
		return false;
	if ((w->flags & WORD) && !(rest.left && (is_name(rest.at[0]) || rest.at[0] == '$' || rest.at[0] == '-')))
		return false;
	if ((w->flags & ARGUMENT) &&
	    !(rest.left && (strchr("-/$\"'.`", rest.at[0]) || (rest.at[0] >= '0' && rest.at[0] <= '9') ||
			    bytes_begin_with(rest, "http"))))
		return false;
	if (w->flags & NO_SEMICOLON)
		for (size_t i = 0; i < rest.left; i++)
			if (!is_name(rest.at[i]) && !strchr(" .,", rest.at[i]))
				return false;
	return true;
}

// Python's "from x import y", whatever x.
static bool is_from_import(struct bytes line)
{
	return bytes_begin_with(line, "from ") && bytes_find_text(line, " import ") < line.left &&
	       line.at[line.left - 1] != ';' && bytes_find(line, '\'') == line.left &&
	       bytes_find(line, '"') == line.left;
}

// ".name ... {" or "#name ... {": a rule of a style sheet.
static bool is_rule(struct bytes line)
{
	return line.left > 2 && (line.at[0] == '.' || line.at[0] == '#') &&
	       (is_name(line.at[1]) || line.at[1] == '-') && bytes_find(line, '{') < line.left;
}

// "NAME=value" with export before it; an assignment alone is more often a configuration's.
static bool is_export(struct bytes line)
{
	size_t n;

	if (!bytes_begin_with(line, "export "))
		return false;
	line = bytes_from(line, strlen("export "));
	for (n = 0; n < line.left && is_name(line.at[n]);)
		n++;
	return n > 0 && n < line.left && line.at[n] == '=';
}

// "name() {": a function of the shell's; JavaScript's has a word before it, or parameters.
static bool is_function(struct bytes line)
{
	size_t n = 0;

	while (n < line.left && (is_name(line.at[n]) || line.at[n] == '-'))
		n++;
	line = bytes_from(line, n);
	return n > 0 &&
	       (bytes_equal_text(line, "() {") || bytes_equal_text(line, "(){") || bytes_equal_text(line, "()"));
}

// The line is read once; few bytes begin a word of ours.
static void score_line(struct bytes line, unsigned scores[LANGUAGES])
{
	uint64_t seen = 0;

	for (const struct word *w = starts[byte_lower(line.at[0])]; w && w->text; w++)
		if (may_fit(line, w) && fits(line, w))
			scores[w->language] += w->weight;
	for (size_t i = next_inside(line, 0); i < line.left; i = next_inside(line, i + 1)) {
		struct bytes at = bytes_from(line, i);

		for (const struct word *w = inside[byte_lower(at.at[0])]; w && w->text; w++) {
			if (!may_fit(at, w) || seen >> w->bit & 1 || !fits(at, w))
				continue;
			scores[w->language] += w->weight;
			seen |= 1ull << w->bit;
		}
	}
	scores[SCRIPT] += 2u * is_from_import(line) + 2u * is_export(line) + is_function(line);
	scores[CSS] += 2u * is_rule(line);
}

struct file_scores file_text_scores(struct bytes head, bool more)
{
	unsigned scores[LANGUAGES] = {0};

	for (unsigned lines = 0; head.left && lines < LINES; lines++) {
		size_t n = bytes_find(head, '\n');
		struct bytes line = bytes_head(head, n);

		if (n == head.left && more)
			break; // a part of a line says nothing yet
		while (line.left && (line.at[0] == ' ' || line.at[0] == '\t'))
			bytes_skip(&line, 1);
		while (line.left && (line.at[line.left - 1] == '\r' || line.at[line.left - 1] == ' '))
			line.left--;
		if (line.left)
			score_line(line, scores);
		head = bytes_from(head, n + 1);
	}
	return (struct file_scores){scores[SCRIPT], scores[JAVASCRIPT], scores[CSS], scores[PROSE]};
}
