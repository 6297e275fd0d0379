// SPDX-License-Identifier: GPL-2.0-or-later
// The nouns that talk to the running processes. argv[0] is the noun. Each returns enum cli_exit.
#pragma once
#include "cli.h"
#include "control.h"

int noun_status(int argc, char **argv);
int noun_counters(int argc, char **argv);
int noun_alert(int argc, char **argv);
int noun_incident(int argc, char **argv);
int noun_device(int argc, char **argv);
int noun_block(int argc, char **argv);
int noun_mode(int argc, char **argv);
int noun_policy(int argc, char **argv);
int noun_panic(int argc, char **argv);
int noun_explain(int argc, char **argv);
int noun_suppress(int argc, char **argv);
int noun_budget(int argc, char **argv);
int noun_baseline(int argc, char **argv);

// ask.c: options common to all, one call, errors in words.
struct ask {
	const char *noun, *verb, *target, *other; // target, other: the words after the verb, may be NULL
	bool json, yes, all;
	const char *run_dir, *state, *policy_dir;
	Control__Request request;
};

// Reads "VERB [TARGET] [options]". Returns -1 to go on, or an exit code (usage, help). `help` is printed for --help and mistakes.
int ask_read(struct ask *a, int argc, char **argv, const char *help);
// The same with up to `words` words.
int ask_read_words(struct ask *a, int argc, char **argv, const char *help, int words);
// Calls "wire" or "brain". NULL: *status holds the exit code and the reason was printed.
Control__Reply *ask_call(struct ask *a, const char *process, int *status);
bool ask_real(const char *text, double *x); // 0 or more; false: message printed
bool ask_id(struct ask *a);   // target as the id; false: message printed

// table.c: rows for people (libsmartcols) or JSON for programs, from one definition.
struct column {
	const char *name;
	bool number;          // right-aligned; a number in JSON
};
struct table;
struct table *table_new(const char *name, const struct column *columns, unsigned n, bool json);
void table_row(struct table *t);                            // begins a row
void table_text(struct table *t, const char *text);         // next cell (hostile bytes are made printable)
void table_number(struct table *t, uint64_t n);
void table_real(struct table *t, double x, unsigned digits); // after the point
void table_time(struct table *t, uint64_t unix_ns);         // "2021-12-10 15:45:32" or ISO in JSON; empty for 0
void table_print(struct table *t);                          // prints and frees
