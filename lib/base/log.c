// SPDX-License-Identifier: GPL-2.0-or-later
// Messages to stderr. Begins with the program's name, as the C library keeps it; a message goes out as one write, so that lines of
// several threads do not mix. Not for the packet path.
#include "log.h"
#include <errno.h> // program_invocation_short_name
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 1024 };

void log_begin(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY); // writing fails, as it does where nothing is open
	while (fd >= 0 && fd < STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void log_line(const char *level, const char *format, va_list arguments)
{
	char line[LINE_BYTES];
	int head = snprintf(line, sizeof(line), "%.64s: %s", program_invocation_short_name, level);
	size_t length;

	if (head < 0)
		return;
	vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, arguments);
	length = strlen(line);
	line[length++] = '\n';
	if (write(STDERR_FILENO, line, length) < 0)
		return; // nowhere left to say it
}

void log_info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_line("", format, arguments);
	va_end(arguments);
}

void log_warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_line("warning: ", format, arguments);
	va_end(arguments);
}

void log_fatal(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_line("fatal: ", format, arguments);
	va_end(arguments);
	exit(1);
}
