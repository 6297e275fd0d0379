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
	const char *text;
	uint8_t language, weight, flags;
};

// At the beginning of a line, after white space.
static const struct word starts[] = {
	// shells
	{"curl ", SCRIPT, 2, ARGUMENT},
	{"wget ", SCRIPT, 2, ARGUMENT},
	{"(curl ", SCRIPT, 2, 0},
	{"(wget ", SCRIPT, 2, 0},
	{"rm -", SCRIPT, 2, 0},
	{"rm /", SCRIPT, 2, 0},
	{"chmod ", SCRIPT, 2, ARGUMENT},
	{"chmod +", SCRIPT, 2, 0},
	{"chown ", SCRIPT, 1, WORD},
	{"chattr ", SCRIPT, 2, ARGUMENT},
	{"PATH=", SCRIPT, 2, 0},
	{"IFS=", SCRIPT, 2, 0},
	{"export PATH", SCRIPT, 2, 0},
	{"export LC_ALL", SCRIPT, 2, 0},
	{"export LD_", SCRIPT, 2, 0},
	{"export HIST", SCRIPT, 2, 0},
	{"if [ ", SCRIPT, 2, 0},
	{"if [[ ", SCRIPT, 2, 0},
	{"if ! ", SCRIPT, 1, WORD},
	{"if test ", SCRIPT, 2, 0},
	{"elif [", SCRIPT, 2, 0},
	{"[ -", SCRIPT, 2, 0},
	{"[[ -", SCRIPT, 2, 0},
	{"[ \"$", SCRIPT, 2, 0},
	{"[ ! ", SCRIPT, 2, 0},
	{"fi", SCRIPT, 1, ALONE},
	{"done", SCRIPT, 1, ALONE},
	{"esac", SCRIPT, 2, ALONE},
	{"then", SCRIPT, 1, ALONE},
	{"while [ ", SCRIPT, 2, 0},
	{"while true; do", SCRIPT, 2, 0},
	{"while read ", SCRIPT, 2, 0},
	{"while :", SCRIPT, 1, 0},
	{"until [ ", SCRIPT, 2, 0},
	{"for i in ", SCRIPT, 2, 0},
	{"for f in ", SCRIPT, 2, 0},
	{"case $", SCRIPT, 2, 0},
	{"case \"$", SCRIPT, 2, 0},
	{"echo ", SCRIPT, 1, 0},
	{"printf ", SCRIPT, 1, ARGUMENT},
	{"sudo ", SCRIPT, 2, WORD},
	{"nohup ", SCRIPT, 2, 0},
	{"crontab ", SCRIPT, 2, ARGUMENT},
	{"(crontab ", SCRIPT, 2, 0},
	{"pkill ", SCRIPT, 2, 0},
	{"killall ", SCRIPT, 2, 0},
	{"kill -", SCRIPT, 2, 0},
	{"set -", SCRIPT, 2, 0},
	{"set +", SCRIPT, 2, 0},
	{"ulimit ", SCRIPT, 2, ARGUMENT},
	{"unset ", SCRIPT, 1, WORD},
	{"setenforce ", SCRIPT, 2, 0},
	{"iptables ", SCRIPT, 2, ARGUMENT},
	{"systemctl ", SCRIPT, 2, WORD},
	{"apt-get ", SCRIPT, 2, WORD},
	{"yum install ", SCRIPT, 2, 0},
	{"apk add ", SCRIPT, 2, 0},
	{"cd /", SCRIPT, 2, 0},
	{"cd $", SCRIPT, 2, 0},
	{"cd ~", SCRIPT, 2, 0},
	{"mkdir -", SCRIPT, 2, 0},
	{"mkdir /", SCRIPT, 2, 0},
	{"eval ", SCRIPT, 2, ARGUMENT},
	{"exec ", SCRIPT, 1, ARGUMENT},
	{"source /", SCRIPT, 2, 0},
	{". /", SCRIPT, 2, 0},
	{"./", SCRIPT, 1, WORD},
	{"alias ", SCRIPT, 1, WORD},
	{"test -", SCRIPT, 2, 0},
	{"tftp ", SCRIPT, 2, ARGUMENT},
	{"ftpget ", SCRIPT, 2, 0},
	{"busybox ", SCRIPT, 2, WORD},
	{"/bin/", SCRIPT, 2, WORD},
	{"/usr/bin/", SCRIPT, 2, WORD},
	{"bash -", SCRIPT, 2, 0},
	{"bash /", SCRIPT, 2, 0},
	{"sh -", SCRIPT, 2, 0},
	{"sh /", SCRIPT, 2, 0},
	{"nc ", SCRIPT, 2, ARGUMENT},
	{"cat <<", SCRIPT, 2, 0},
	{"cat /", SCRIPT, 2, 0},
	{"dd if=", SCRIPT, 2, 0},
	{"cp /", SCRIPT, 2, 0},
	{"mv /", SCRIPT, 2, 0},
	{"cp -", SCRIPT, 2, 0},
	{"tar -", SCRIPT, 2, 0},
	{"tar x", SCRIPT, 2, 0},
	{"ps aux", SCRIPT, 2, 0},
	{"grep -", SCRIPT, 2, 0},
	{"sleep ", SCRIPT, 1, ARGUMENT},
	{"trap ", SCRIPT, 2, ARGUMENT},
	{"touch /", SCRIPT, 2, 0},
	{"ln -s", SCRIPT, 2, 0},
	{"python -c", SCRIPT, 2, 0},
	{"python3 -c", SCRIPT, 2, 0},
	{"perl -e", SCRIPT, 2, 0},
	{"base64 -d", SCRIPT, 2, 0},
	{"command -v ", SCRIPT, 2, 0},
	{"function ", SCRIPT, 1, WORD},
	// PowerShell
	{"powershell", SCRIPT, 2, NOCASE},
	{"pwsh ", SCRIPT, 2, 0},
	{"invoke-", SCRIPT, 2, NOCASE | WORD},
	{"iex ", SCRIPT, 2, NOCASE},
	{"iex(", SCRIPT, 2, NOCASE},
	{"set-executionpolicy", SCRIPT, 2, NOCASE},
	{"set-strictmode", SCRIPT, 2, NOCASE},
	{"write-host", SCRIPT, 2, NOCASE},
	{"write-output", SCRIPT, 2, NOCASE},
	{"import-module", SCRIPT, 2, NOCASE},
	{"start-process", SCRIPT, 2, NOCASE},
	{"start-bitstransfer", SCRIPT, 2, NOCASE},
	{"add-type", SCRIPT, 2, NOCASE},
	{"new-object", SCRIPT, 2, NOCASE},
	{"(new-object", SCRIPT, 2, NOCASE},
	{"[system.", SCRIPT, 2, NOCASE},
	{"[ref].", SCRIPT, 2, NOCASE},
	{"[net.", SCRIPT, 2, NOCASE},
	{"$erroractionpreference", SCRIPT, 2, NOCASE},
	{"$env:", SCRIPT, 2, NOCASE},
	{"param(", SCRIPT, 1, NOCASE},
	{"param (", SCRIPT, 1, NOCASE},
	{"[cmdletbinding", SCRIPT, 2, NOCASE},
	{"get-", SCRIPT, 1, NOCASE | WORD},
	{"<#", SCRIPT, 1, 0},
	// Python, Perl
	{"import ", SCRIPT, 2, NO_SEMICOLON},
	{"def ", SCRIPT, 1, WORD},
	{"print(", SCRIPT, 1, 0},
	{"if __name__", SCRIPT, 2, 0},
	{"# -*- coding", SCRIPT, 2, 0},
	{"exec(", SCRIPT, 1, 0},
	{"use strict;", SCRIPT, 2, 0},
	{"use warnings", SCRIPT, 2, 0},
	{"use IO::", SCRIPT, 2, 0},
	{"use Socket", SCRIPT, 2, 0},
	{"my $", SCRIPT, 2, 0},
	{"my (", SCRIPT, 1, 0},
	// Windows: batch, VBScript
	{"@echo off", SCRIPT, 2, NOCASE},
	{"@echo on", SCRIPT, 2, NOCASE},
	{"rem ", SCRIPT, 1, NOCASE},
	{"setlocal", SCRIPT, 2, NOCASE},
	{"cmd /c", SCRIPT, 2, NOCASE},
	{"cmd.exe ", SCRIPT, 2, NOCASE},
	{"certutil ", SCRIPT, 2, NOCASE},
	{"bitsadmin ", SCRIPT, 2, NOCASE},
	{"taskkill ", SCRIPT, 2, NOCASE},
	{"schtasks ", SCRIPT, 2, NOCASE},
	{"reg add ", SCRIPT, 2, NOCASE},
	{"net user ", SCRIPT, 2, NOCASE},
	{"net stop ", SCRIPT, 2, NOCASE},
	{"sc stop ", SCRIPT, 2, NOCASE},
	{"start /b", SCRIPT, 2, NOCASE},
	{"mshta ", SCRIPT, 2, NOCASE},
	{"regsvr32 ", SCRIPT, 2, NOCASE},
	{"rundll32 ", SCRIPT, 2, NOCASE},
	{"dim ", SCRIPT, 1, NOCASE | WORD},
	{"on error resume next", SCRIPT, 2, NOCASE},
	{"option explicit", SCRIPT, 2, NOCASE},
	{"wscript.", SCRIPT, 2, NOCASE},
	{"set wsh", SCRIPT, 2, NOCASE},
	// JavaScript
	{"var ", JAVASCRIPT, 2, WORD},
	{"let ", JAVASCRIPT, 1, WORD},
	{"const ", JAVASCRIPT, 1, WORD},
	{"function(", JAVASCRIPT, 2, 0},
	{"(function", JAVASCRIPT, 2, 0},
	{"!function", JAVASCRIPT, 2, 0},
	{";(function", JAVASCRIPT, 2, 0},
	{";function", JAVASCRIPT, 2, 0},
	{"(()=>", JAVASCRIPT, 2, 0},
	{"(() =>", JAVASCRIPT, 2, 0},
	{"(async", JAVASCRIPT, 2, 0},
	{"async function", JAVASCRIPT, 2, 0},
	{"window.", JAVASCRIPT, 2, 0},
	{"window[", JAVASCRIPT, 2, 0},
	{"document.", JAVASCRIPT, 2, 0},
	{"'use strict'", JAVASCRIPT, 2, 0},
	{"\"use strict\"", JAVASCRIPT, 2, 0},
	{"import {", JAVASCRIPT, 2, 0},
	{"import{", JAVASCRIPT, 2, 0},
	{"import * as", JAVASCRIPT, 2, 0},
	{"import '", JAVASCRIPT, 2, 0},
	{"import \"", JAVASCRIPT, 2, 0},
	{"export default", JAVASCRIPT, 2, 0},
	{"export const", JAVASCRIPT, 2, 0},
	{"export {", JAVASCRIPT, 2, 0},
	{"export{", JAVASCRIPT, 2, 0},
	{"export function", JAVASCRIPT, 2, 0},
	{"export class", JAVASCRIPT, 2, 0},
	{"export *", JAVASCRIPT, 2, 0},
	{"export let", JAVASCRIPT, 2, 0},
	{"export var", JAVASCRIPT, 2, 0},
	{"export async", JAVASCRIPT, 2, 0},
	{"export type", JAVASCRIPT, 2, 0},
	{"export interface", JAVASCRIPT, 2, 0},
	{"module.exports", JAVASCRIPT, 2, 0},
	{"exports.", JAVASCRIPT, 2, 0},
	{"define(", JAVASCRIPT, 2, 0},
	{"require(", JAVASCRIPT, 2, 0},
	{"jQuery", JAVASCRIPT, 2, 0},
	{"$(function", JAVASCRIPT, 2, 0},
	{"$(document", JAVASCRIPT, 2, 0},
	{"$(window", JAVASCRIPT, 2, 0},
	{"$('", JAVASCRIPT, 2, 0},
	{"$(\"", JAVASCRIPT, 2, 0},
	{"$.", JAVASCRIPT, 1, 0},
	{"self.", JAVASCRIPT, 1, 0},
	{"this.", JAVASCRIPT, 1, 0},
	{"/*!", JAVASCRIPT, 1, 0},
	{"/**", JAVASCRIPT, 1, 0},
	{"//", JAVASCRIPT, 1, 0},
	{"console.", JAVASCRIPT, 2, 0},
	{"try{", JAVASCRIPT, 2, 0},
	{"try {", JAVASCRIPT, 1, 0},
	{"if(", JAVASCRIPT, 1, 0},
	{"if (", JAVASCRIPT, 1, 0},
	// text about commands: Markdown, mail, YAML
	{"```", PROSE, 2, 0},
	{"## ", PROSE, 2, WORD},
	{"Subject: ", PROSE, 2, 0},
	{"---", PROSE, 2, ALONE},
	{"<p", PROSE, 2, 0},
	// style sheets
	{"@charset", CSS, 2, 0},
	{"@import ", CSS, 2, 0},
	{"@media", CSS, 2, 0},
	{"@font-face", CSS, 2, 0},
	{"@keyframes", CSS, 2, 0},
	{":root", CSS, 2, 0},
	{"body{", CSS, 2, 0},
	{"body {", CSS, 2, 0},
	{"html{", CSS, 2, 0},
	{"html {", CSS, 2, 0},
	{"html,", CSS, 2, 0},
	{"*{", CSS, 2, 0},
	{"* {", CSS, 2, 0},
	{"a{", CSS, 2, 0},
	{"a {", CSS, 2, 0},
	{"*,", CSS, 1, 0},
};

// Anywhere in a line.
static const struct word inside[] = {
	{"new-object ", SCRIPT, 2, NOCASE},
	{"frombase64string", SCRIPT, 2, NOCASE},
	{"downloadstring(", SCRIPT, 2, NOCASE},
	{"downloadfile(", SCRIPT, 2, NOCASE},
	{"invoke-webrequest", SCRIPT, 2, NOCASE},
	{"invoke-expression", SCRIPT, 2, NOCASE},
	{" -windowstyle hidden", SCRIPT, 2, NOCASE},
	{"createobject(", SCRIPT, 2, NOCASE},
	{"new activexobject(", SCRIPT, 2, NOCASE},
	{"|bash", SCRIPT, 2, 0},
	{"| bash", SCRIPT, 2, 0},
	{"|sh", SCRIPT, 2, ALONE},
	{"| sh", SCRIPT, 2, ALONE},
	{"/dev/tcp/", SCRIPT, 2, 0},
	{">/dev/null", SCRIPT, 2, 0},
	{"> /dev/null", SCRIPT, 2, 0},
	{"; then", SCRIPT, 2, ALONE},
	{"; do", SCRIPT, 2, ALONE},
	{"base64 -d", SCRIPT, 2, 0},
	{"&& chmod ", SCRIPT, 2, 0},
	{"; chmod ", SCRIPT, 2, 0},
	{"=$(", SCRIPT, 2, 0},
	{"=\"$(", SCRIPT, 2, 0},
	{"=>{", JAVASCRIPT, 2, 0},
	{"=> {", JAVASCRIPT, 2, 0},
	{"function(", JAVASCRIPT, 2, 0},
	{"function (", JAVASCRIPT, 2, 0},
	{"document.", JAVASCRIPT, 2, 0},
	{"window.", JAVASCRIPT, 2, 0},
	{"===", JAVASCRIPT, 2, 0},
	{"require(\"", JAVASCRIPT, 2, 0},
	{"require('", JAVASCRIPT, 2, 0},
	{" from '", JAVASCRIPT, 2, 0},
	{" from \"", JAVASCRIPT, 2, 0},
	{"px;", CSS, 2, 0},
	{"color:", CSS, 2, 0},
	{"margin:", CSS, 2, 0},
	{"padding:", CSS, 2, 0},
	{"display:", CSS, 2, 0},
};

static bool is_name(uint8_t c)
{
	return (c >= '0' && c <= '9') || (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') || c == '_';
}

static bool fits(struct bytes at, const struct word *w)
{
	struct bytes there, rest;
	size_t n;

	if (!at.left || byte_lower(at.at[0]) != byte_lower((uint8_t)w->text[0]))
		return false; // nearly always
	n = strlen(w->text);
	there = bytes_head(at, n);
	rest = bytes_from(at, n);
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

static void score_line(struct bytes line, unsigned scores[LANGUAGES])
{
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (fits(line, &starts[i]))
			scores[starts[i].language] += starts[i].weight;
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		uint8_t first = (uint8_t)inside[i].text[0];

		for (struct bytes at = line; at.left; bytes_skip(&at, 1)) {
			if (byte_lower(at.at[0]) != first || !fits(at, &inside[i]))
				continue;
			scores[inside[i].language] += inside[i].weight;
			break;
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
