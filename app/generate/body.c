// SPDX-License-Identifier: GPL-2.0-or-later
// Bodies of files: the magic a detector looks for, then filler that does nothing anywhere.
#include "web.h"

static const char *const WORDS[] = {
	"report",  "station", "weather", "market",   "garden",  "river",    "school",  "window",
	"letter",  "music",   "paper",   "mountain", "history", "travel",   "kitchen", "bridge",
	"season",  "number",  "harbour", "question", "answer",  "morning",  "evening", "village",
	"machine", "colour",  "picture", "science",  "library", "festival", "railway",
};

static void words(struct message *m, struct chance *c, size_t end)
{
	while (m->length < end) {
		message_text(m, WORDS[chance_below(c, sizeof(WORDS) / sizeof(*WORDS))]);
		message_u8(m, chance_percent(c, 8) ? '\n' : ' ');
	}
	m->length = end;
}

static void noise(struct message *m, struct chance *c, size_t end)
{
	size_t n = m->length < end ? end - m->length : 0;
	size_t at = m->length;

	message_zero(m, n);
	chance_fill(c, m->at + at, n);
}

static void write_text(struct message *m, struct chance *c, enum body body, size_t end)
{
	static const char *const heads[] = {
		[BODY_HTML] = "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>page</title></head><body>\n",
		[BODY_TEXT] = "",
		[BODY_CSS] = "body { margin: 0; font: 15px sans-serif }\n/* ",
		[BODY_JSON] = "{\"status\":\"ok\",\"items\":\"",
		[BODY_PACKAGES] = "Origin: Distro\nLabel: Distro\nSuite: stable\nDescription: ",
		[BODY_SHELL] = "#!/bin/bash\n# Inert text of a traffic generator: comments and echo, nothing else.\n"
			       "echo one\necho two\n# ",
	};
	static const char *const tails[] = {
		[BODY_HTML] = "\n</body></html>\n", [BODY_CSS] = " */\n",     [BODY_JSON] = "\"}",
		[BODY_SHELL] = "\necho done\n",     [BODY_PACKAGES] = "\n\n",
	};
	const char *tail = body < sizeof(tails) / sizeof(*tails) && tails[body] ? tails[body] : "";

	message_text(m, heads[body]);
	end -= strlen(tail);
	if (end < m->length)
		end = m->length;
	words(m, c, end);
	if (body == BODY_SHELL || body == BODY_JSON) // one comment, one string: no line may end inside
		for (size_t i = end; i-- && m->at[i] != '#' && m->at[i] != '"';)
			if (m->at[i] == '\n')
				m->at[i] = ' ';
	message_text(m, tail);
}

static void write_png(struct message *m, struct chance *c, size_t end)
{
	static const uint8_t head[] = {0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I',  'H',  'D',  'R', 0,
				       0,    0,   16,  0,   0,  0,  16, 8,  2, 0, 0, 0,  0x90, 0x91, 0x68, 0x36};
	static const uint8_t tail[] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82};
	size_t n = end - m->length - sizeof(head) - sizeof(tail) - 12;

	message_add(m, head, sizeof(head));
	message_u32(m, (uint32_t)n);
	message_text(m, "IDAT");
	noise(m, c, m->length + n);
	message_u32(m, (uint32_t)chance_next(c));
	message_add(m, tail, sizeof(tail));
}

// Lines as git sends them: their length in hex, an object, a name; "0000" ends a list.
static void write_references(struct message *m, struct chance *c, size_t end)
{
	message_text(m, "001e# service=git-upload-pack\n0000");
	while (m->length + 70 < end) {
		uint64_t word = chance_next(c);

		message_format(m, "003c%016llx%016llx%08x refs/tags/v%u.%u\n", (unsigned long long)word,
			       (unsigned long long)~word, (unsigned)(word >> 32), (unsigned)(word >> 8) % 10,
			       (unsigned)(word >> 16) % 10);
	}
	message_text(m, "0000");
}

static void write_executable(struct message *m, enum body body)
{
	// ELF64 little-endian x86-64: identity, type, machine, version; the rest of the header is 0.
	uint8_t elf[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1, [16] = 2, [18] = 0x3e, [20] = 1, [52] = 64, [54] = 56};
	uint8_t pe[0x98] = {
		'M', 'Z', 0x90, 0, 3, [0x3c] = 0x80, [0x80] = 'P', [0x81] = 'E', [0x84] = 0x64, [0x85] = 0x86};

	if (body == BODY_EXE) {
		message_add(m, pe, sizeof(pe));
		return;
	}
	elf[16] = body == BODY_LIBRARY ? 3 : 2;
	message_add(m, elf, sizeof(elf));
}

void body_write(struct message *m, struct chance *c, enum body body, uint32_t bytes)
{
	static const uint8_t class[] = {0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52, 0, 16}; // version 52: Java 8
	size_t end = m->length + bytes;

	switch (body) {
	case BODY_NONE:
		return;
	case BODY_HTML:
	case BODY_TEXT:
	case BODY_CSS:
	case BODY_JSON:
	case BODY_PACKAGES:
	case BODY_SHELL:
		write_text(m, c, body, end);
		return;
	case BODY_GIT:
		write_references(m, c, end);
		return;
	case BODY_PNG:
		write_png(m, c, bytes > 96 ? end : m->length + 96);
		return;
	case BODY_ZIP:
		message_add(m, "PK\3\4\24\0\0\0\10\0", 10);
		break;
	case BODY_JAR: // a local header whose name is 20 bytes long
		message_add(m, "PK\3\4\24\0\0\0\10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\24\0\0\0META-INF/MANIFEST.MF", 50);
		break;
	case BODY_PDF:
		message_text(m, "%PDF-1.5\n%\xe2\xe3\xcf\xd3\n");
		break;
	case BODY_DEB:
		message_text(m, "!<arch>\ndebian-binary   1638316800  0     0     100644  4         `\n2.0\n");
		break;
	case BODY_CLASS:
		message_add(m, class, sizeof(class));
		break;
	case BODY_EXE:
	case BODY_ELF:
	case BODY_LIBRARY:
		write_executable(m, body);
		break;
	}
	noise(m, c, end);
}
