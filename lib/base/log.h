// SPDX-License-Identifier: GPL-2.0-or-later
// Messages to stderr for whoever runs the program: "sekimori-wire: text". Never called per packet.
#pragma once

// First of all: a standard stream that was closed is taken, so that no file, socket or ring opened later has its number and gets
// what is printed.
void log_begin(void);
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Prints and exits with status 1. Only in app/*/main.c before forwarding begins.
void log_fatal(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
