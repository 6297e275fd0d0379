// SPDX-License-Identifier: GPL-2.0-or-later
// Sealed memory files (Linux). Knows nothing of what lies in them. Called at start-up and when a brain comes, never per
// packet.
#include "sheet.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALS_SIZE = F_SEAL_SHRINK | F_SEAL_GROW };

int sheet_create(const char *name, size_t bytes, int *out_fd, void **out_map)
{
	int error, fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *map;

	if (fd < 0)
		return -errno;
	// F_SEAL_SEAL comes later (sheet_seal): after it the wire could no longer forbid writing to others.
	if (ftruncate(fd, (off_t)bytes) < 0 || fcntl(fd, F_ADD_SEALS, SEALS_SIZE) < 0)
		goto close_fd;
	map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		goto close_fd;
	*out_fd = fd;
	*out_map = map;
	return 0;

close_fd:
	error = -errno;
	close(fd);
	return error;
}

int sheet_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, SEALS_SIZE | F_SEAL_SEAL) < 0 ? -errno : 0;
}

int sheet_seal_writer(int fd)
{
	return fcntl(fd, F_ADD_SEALS, SEALS_SIZE | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0 ? -errno : 0;
}

int sheet_map(int fd, size_t bytes, bool writable, void **out_map)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat file;
	void *map;

	// A descriptor that cannot be sealed says EINVAL; for us it is the same lack.
	if (seals < 0 || (seals & SEALS_SIZE) != SEALS_SIZE)
		return -EPERM;
	// Sealed first, measured second: now the size cannot change any more.
	if (fstat(fd, &file) < 0)
		return -errno;
	if (bytes == 0 || file.st_size < 0 || (size_t)file.st_size != bytes)
		return -EPROTO;
	map = mmap(NULL, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	*out_map = map;
	return 0;
}
