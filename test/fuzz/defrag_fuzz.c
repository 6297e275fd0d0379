// SPDX-License-Identifier: GPL-2.0-or-later
// Fragments of four known datagrams, cut, shuffled, repeated and contradicted as the input says, five bytes a fragment. What is put together must be the original
// unless something else was sent under its id, must in any case be what each of its frames says, and every frame must be accounted for.
#include <stdlib.h>
#include "defrag.h"
#include "../help/fragment_draft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct defrag *defrag;
	const struct model *model;
	uint64_t now, added, gone; // gone: refused, or complete and sent
	bool strange[4];           // something else than the datagram's own bytes was sent
} t;

static struct cut cut;
static struct counters counters;
static struct defrag *kept[2]; // made once: of little memory and of more

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_pieces(const struct defrag_whole *w)
{
	uint32_t header = w->ip_offset + (t.model->six ? 48 : 24), sum = 0;

	for (uint32_t i = 0; i < w->pieces; i++) {
		struct defrag_piece piece = defrag_piece_at(t.defrag, w->id, i);
		struct frame f = {.at = piece.at, .bytes = piece.bytes, .wire_bytes = piece.bytes};
		struct packet p;

		require(piece.at && decode_frame(&f, true, &p) == DECODE_PIECE);
		require(header + p.fragment_offset + p.payload_bytes <= w->frame.bytes);
		require(memcmp(w->frame.at + header + p.fragment_offset, piece.at + p.payload_offset, p.payload_bytes) == 0);
		sum += p.payload_bytes;
	}
	require(header + sum == w->frame.bytes && !defrag_piece_at(t.defrag, w->id, w->pieces).at);
}

static void check_whole(const struct defrag_whole *w, unsigned id)
{
	struct packet p = {0};

	require(decode_datagram(&w->frame, w->ip_offset, true, &p) == DECODE_OK && !(p.oddities & (ODDITY_IP_CHECKSUM | ODDITY_CUT)));
	require(t.strange[id] || model_is(t.model, id, &w->frame));
	check_pieces(w);
	t.gone += w->pieces;
	defrag_done(t.defrag, w->id);
}

// Id and what is strange; offset in eights; length in eights; a byte to change; time.
static void add(const uint8_t op[5])
{
	unsigned id = op[0] & 3, offset = op[1] * 8u, n = (op[2] + 1u) * 8, end;
	uint8_t bytes[2048 + 8];
	struct defrag_whole w;
	struct packet p;
	bool more;

	offset = op[0] & 4 ? offset + 1024 : offset;
	end = offset + n < MODEL_DATA ? offset + n : MODEL_DATA;
	n = end > offset ? end - offset : 8;
	more = end < MODEL_DATA;
	memcpy(bytes, t.model->b + t.model->header + (offset < MODEL_DATA ? offset : 0), n);
	if (op[0] & 8)
		bytes[op[3] % n] ^= 1;
	if (op[0] & 16)
		more = !more;
	if (op[0] & 32)
		offset = op[3] * 257u / 8 * 8;
	t.strange[id] |= op[0] & (8 | 16 | 32) || offset >= MODEL_DATA;
	t.now += op[4] == 255 ? 40000000000 : op[4];
	model_cut(t.model, &cut, id, offset, bytes, n, more);
	cut.frame.at = cut.b;
	cut.frame.unix_ns = t.now;
	if (!offset && !more)
		return; // no fragment
	require(decode_frame(&cut.frame, true, &p) == DECODE_PIECE);
	t.added++;
	switch (defrag_add(t.defrag, &cut.frame, &p, &w)) {
	case DEFRAG_COMPLETE:
		check_whole(&w, id);
		break;
	case DEFRAG_REFUSED:
		t.gone++;
		break;
	default:
		break;
	}
}

static const struct model *model_of(bool six)
{
	static struct model made[2];

	if (!made[six].n)
		made[six] = model_make(six, 1);
	return &made[six];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned i = size && data[0] & 2;

	memset(&t, 0, sizeof(t));
	memset(&counters, 0, sizeof(counters));
	t.model = model_of(size && data[0] & 1);
	if (!kept[i]) {
		struct defrag_config config = {.datagrams = 32, .bytes = i ? 128 << 10 : 16 << 10, .key = {1, 2}};

		kept[i] = defrag_create(&config, &counters);
	}
	t.defrag = kept[i];
	for (size_t n = 1; n + 5 <= size && n < 5000; n += 5)
		add(data + n);
	for (int n = 0; n < 2; n++)
		defrag_step(t.defrag, t.now + 31000000000);
	require(defrag_count(t.defrag) == 0);
	require(t.added == t.gone + counters.value[COUNT_FRAMES_DROPPED_FRAGMENT]);
	return 0;
}
