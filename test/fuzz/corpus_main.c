// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a fuzz target over every file of a corpus folder, and over every prefix of the small ones: what a fuzzer found once
// stays a test for builders without libFuzzer.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST = 1 << 20, PREFIXES_BELOW = 4096 };

// Runs on a heap copy of exactly that size, so that a sanitizer sees one byte too many.
static void run_copy(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	for (size_t i = 0; i < size; i++)
		copy[i] = data[i];
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static unsigned run_file(const char *folder, const char *name)
{
	static uint8_t data[LARGEST];
	char path[4096];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (!file)
		return 0;
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	run_copy(data, size);
	if (size < PREFIXES_BELOW)
		for (size_t n = 0; n < size; n++)
			run_copy(data, n);
	return 1;
}

int main(int argc, char **argv)
{
	unsigned files = 0;
	struct dirent *entry;
	DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;

	if (!folder) {
		fprintf(stderr, "no corpus folder\n");
		return 1;
	}
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			files += run_file(argv[1], entry->d_name);
	closedir(folder);
	printf("%u corpus files\n", files);
	return files == 0;
}
