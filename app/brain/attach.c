// SPDX-License-Identifier: GPL-2.0-or-later
// Receives the two memory files from the wire, checks their seals and sizes, and attaches the rings where the last brain left them.
#include "brain.h"
#include "handover.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int receive_files(int fd, struct handover_message *m, int files[2])
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {m, sizeof(*m)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n == sizeof(*m) ? CMSG_FIRSTHDR(&msg) : NULL;

	if (n == 0)
		return -EBUSY; // the wire has a brain already
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(2 * sizeof(int)))
		return -EPROTO;
	memcpy(files, CMSG_DATA(c), 2 * sizeof(int));
	if (m->magic != SHEET_MAGIC || m->version != SHEET_VERSION || m->brain_bytes != sizeof(struct brain_sheet))
		return -EPROTO;
	return 0;
}

static int map_files(struct brain *b, const struct handover_message *m, const int files[2])
{
	void *wire = NULL, *ours = NULL;
	int r = sheet_map(files[0], m->wire_bytes, false, &wire);

	if (r == 0)
		r = sheet_map(files[1], m->brain_bytes, true, &ours);
	if (r == 0)
		r = wire_sheet_check(wire, m->wire_bytes);
	close(files[0]);
	close(files[1]);
	b->wire_sheet = wire;
	b->sheet = ours;
	return r;
}

// The wire can write what was checked: their number is read once more, and held against the bytes there are.
static int attach_rings(struct brain *b, size_t wire_bytes)
{
	const struct wire_sheet *w = b->wire_sheet;
	const unsigned workers = __atomic_load_n(&w->workers, __ATOMIC_RELAXED);

	if (workers == 0 || workers > SHEET_WORKERS || wire_sheet_bytes(workers) > wire_bytes)
		return -EPROTO;
	b->workers = workers;
	for (unsigned i = 0; i < b->workers; i++) {
		ring_reader_init(&b->in[i], &w->worker[i].observations, &b->sheet->worker[i].observations, w->worker[i].slots,
				 SHEET_OBSERVATION_SLOTS);
		ring_writer_init(&b->out[i], &b->sheet->worker[i].verdicts, &w->worker[i].verdicts, b->sheet->worker[i].slots,
				 SHEET_VERDICT_SLOTS);
	}
	return 0;
}

int brain_attach(struct brain *b)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct handover_message m;
	int files[2], r;

	snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/channel.sock", b->options.run_dir);
	b->wire = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (b->wire < 0)
		return -errno;
	r = connect(b->wire, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : receive_files(b->wire, &m, files);
	if (r == 0)
		r = map_files(b, &m, files);
	if (r == 0)
		r = attach_rings(b, m.wire_bytes);
	if (r < 0)
		close(b->wire);
	return r;
}

bool brain_wire_gone(const struct brain *b)
{
	char byte;

	return recv(b->wire, &byte, 1, MSG_DONTWAIT) == 0;
}
