// SPDX-License-Identifier: GPL-2.0-or-later
// What is in the sets: one element for each fenced endpoint, transport and port, with the time it has left and the
// incident it belongs to. The kernel's answer is the truth; nothing is remembered here.
#include "fence_impl.h"
#include <errno.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>

enum { TCP = 6, UDP = 17 };

struct target { // one element
	const struct fence_set *set;
	uint8_t key[FENCE_KEY_BYTES];
};

static struct target target_of(const struct fence_block *b, uint8_t transport)
{
	unsigned kind = b->port ? 2 : transport ? 1 : 0;
	struct target t = {.set = &fence_sets[kind * 2 + (b->endpoint.family == 6)]};
	uint8_t *after = t.key + t.set->address_bytes;

	memcpy(t.key, b->endpoint.b, t.set->address_bytes);
	if (t.set->transport)
		after[0] = transport;
	if (t.set->port) {
		after[4] = (uint8_t)(b->port >> 8);
		after[5] = (uint8_t)b->port;
	}
	return t;
}

// 1 or 2 elements, or -EINVAL.
static int targets_of(const struct fence_block *b, struct target out[2])
{
	if ((b->endpoint.family != 4 && b->endpoint.family != 6) ||
	    (b->transport && b->transport != TCP && b->transport != UDP))
		return -EINVAL;
	if (b->port == 0 || b->transport) {
		out[0] = target_of(b, b->transport);
		return 1;
	}
	out[0] = target_of(b, TCP);
	out[1] = target_of(b, UDP);
	return 2;
}

// nft takes a comment of at most 128 bytes with its NUL, and prints it as it is: only printable ASCII, and no quote,
// goes in.
static bool set_comment(struct nftnl_set_elem *e, const char *comment)
{
	struct nftnl_udata_buf *buffer = nftnl_udata_buf_alloc(2 * FENCE_COMMENT_BYTES);
	char text[FENCE_COMMENT_BYTES];
	bool done = false;
	size_t n = 0;

	for (; n + 1 < sizeof(text) && comment[n]; n++)
		text[n] = comment[n] >= ' ' && comment[n] < 0x7f && comment[n] != '"' ? comment[n] : '?';
	text[n] = '\0';
	if (buffer && nftnl_udata_put_strz(buffer, NFTNL_UDATA_SET_ELEM_COMMENT, text))
		done = nftnl_set_elem_set(e, NFTNL_SET_ELEM_USERDATA, nftnl_udata_buf_data(buffer),
					  nftnl_udata_buf_len(buffer)) == 0;
	if (buffer)
		nftnl_udata_buf_free(buffer);
	return done;
}

// b NULL: the element is only named, to be removed.
static bool put_element(struct fence *f, const struct target *t, const struct fence_block *b, uint16_t type,
			uint16_t flags)
{
	struct nftnl_set *s = fence_new_set(f, t->set);
	struct nftnl_set_elem *e = nftnl_set_elem_alloc();
	struct nlmsghdr *h = NULL;
	bool complete = s && e && nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, t->key, t->set->key_bytes) == 0;

	if (complete && b) {
		nftnl_set_elem_set_u64(e, NFTNL_SET_ELEM_TIMEOUT, b->remaining_ms);
		complete = !b->comment[0] || set_comment(e, b->comment);
	}
	if (complete)
		h = batch_message(&f->batch, type, flags, t->set->name);
	if (h) {
		nftnl_set_elem_add(s, e); // s now frees it
		e = NULL;
		nftnl_set_elems_nlmsg_build_payload(h, s);
		batch_message_end(&f->batch, h);
	}
	if (e)
		nftnl_set_elem_free(e);
	if (s)
		nftnl_set_free(s);
	return h != NULL;
}

static int refuse(struct fence *f)
{
	snprintf(f->batch.error, sizeof(f->batch.error), "no address, transport or time that can be fenced");
	return -EINVAL;
}

static int add_all(struct fence *f, const struct fence_block *b, const struct target *t, int n, bool remove_before,
		   uint16_t flags)
{
	batch_begin(&f->batch);
	for (int i = 0; i < n; i++) {
		if (remove_before && !put_element(f, &t[i], NULL, NFT_MSG_DELSETELEM, 0))
			return -ENOMEM;
		if (!put_element(f, &t[i], b, NFT_MSG_NEWSETELEM, NLM_F_CREATE | flags))
			return -ENOMEM;
	}
	return batch_commit(&f->batch);
}

// An element without a time would stay for ever: it is never sent.
static bool time_fits(const struct fence_block *b)
{
	return b->remaining_ms > 0 && b->remaining_ms <= FENCE_LONGEST_MS;
}

int fence_add(struct fence *f, const struct fence_block *b)
{
	struct target t[2];
	int n = targets_of(b, t);

	if (n < 0 || !time_fits(b))
		return refuse(f);
	return add_all(f, b, t, n, false, NLM_F_EXCL);
}

int fence_replace(struct fence *f, const struct fence_block *b)
{
	struct target t[2];
	int n = targets_of(b, t);

	if (n < 0 || !time_fits(b))
		return refuse(f);
	for (int i = 0; i < n; i++) { // one by one: one of two may have been removed by hand
		int result = add_all(f, b, &t[i], 1, true, 0);

		if (result == -ENOENT)
			result = add_all(f, b, &t[i], 1, false, 0);
		if (result < 0)
			return result;
	}
	return 0;
}

int fence_remove(struct fence *f, const struct fence_block *b)
{
	struct target t[2];
	int n = targets_of(b, t), gone = 0;

	if (n < 0)
		return refuse(f);
	for (int i = 0; i < n; i++) {
		int result = -ENOMEM;

		batch_begin(&f->batch);
		if (put_element(f, &t[i], NULL, NFT_MSG_DELSETELEM, 0))
			result = batch_commit(&f->batch);
		if (result < 0 && result != -ENOENT)
			return result;
		gone += result == 0;
	}
	return gone ? 0 : -ENOENT;
}

int fence_clear(struct fence *f)
{
	batch_begin(&f->batch);
	for (size_t i = 0; i < FENCE_SETS; i++) {
		struct nftnl_set *s = fence_new_set(f, &fence_sets[i]);
		struct nlmsghdr *h = s ? batch_message(&f->batch, NFT_MSG_DELSETELEM, 0, fence_sets[i].name) : NULL;

		if (h) { // no element named: all of them
			nftnl_set_elems_nlmsg_build_payload(h, s);
			batch_message_end(&f->batch, h);
		}
		if (s)
			nftnl_set_free(s);
		if (!h)
			return -ENOMEM;
	}
	return batch_commit(&f->batch);
}

// --- Reading back ---

struct listing {
	const struct fence_set *set;
	void (*each)(void *user, const struct fence_block *b);
	void *user;
};

static int take_comment(const struct nftnl_udata *u, void *user)
{
	struct fence_block *b = user;
	size_t n = nftnl_udata_len(u);

	if (nftnl_udata_type(u) != NFTNL_UDATA_SET_ELEM_COMMENT)
		return 0;
	if (n >= sizeof(b->comment))
		n = sizeof(b->comment) - 1;
	memcpy(b->comment, nftnl_udata_get(u), n);
	return 0;
}

static int take_element(struct nftnl_set_elem *e, void *user)
{
	const struct listing *l = user;
	struct fence_block b = {.endpoint = {.family = l->set->family}};
	uint32_t key_bytes = 0, udata_bytes = 0;
	const uint8_t *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &key_bytes),
		      *after = key + l->set->address_bytes;
	const void *udata = nftnl_set_elem_get(e, NFTNL_SET_ELEM_USERDATA, &udata_bytes);

	if (!key || key_bytes != l->set->key_bytes)
		return 0; // somebody else's element, of another shape
	memcpy(b.endpoint.b, key, l->set->address_bytes);
	b.transport = l->set->transport ? after[0] : 0;
	b.port = l->set->port ? (uint16_t)(after[4] << 8 | after[5]) : 0;
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_EXPIRATION))
		b.remaining_ms = nftnl_set_elem_get_u64(e, NFTNL_SET_ELEM_EXPIRATION);
	if (udata)
		nftnl_udata_parse(udata, udata_bytes, take_comment, &b);
	l->each(l->user, &b);
	return 0;
}

static int take_message(const struct nlmsghdr *h, void *user)
{
	struct nftnl_set *s = nftnl_set_alloc();

	if (!s)
		return MNL_CB_ERROR;
	if (nftnl_set_elems_nlmsg_parse(h, s) == 0)
		nftnl_set_elem_foreach(s, take_element, user);
	nftnl_set_free(s);
	return MNL_CB_OK;
}

int fence_list(struct fence *f, void (*each)(void *user, const struct fence_block *b), void *user)
{
	int result = 0;

	for (size_t i = 0; i < FENCE_SETS && result == 0; i++) {
		struct listing l = {&fence_sets[i], each, user};
		struct nftnl_set *s = fence_new_set(f, &fence_sets[i]);
		struct nlmsghdr *h;

		if (!s)
			return -ENOMEM;
		h = nftnl_nlmsg_build_hdr((char *)f->batch.at, NFT_MSG_GETSETELEM, NFPROTO_INET, NLM_F_DUMP, 0);
		nftnl_set_elems_nlmsg_build_payload(h, s);
		nftnl_set_free(s);
		result = batch_dump(&f->batch, h, fence_sets[i].name, take_message, &l);
	}
	return result;
}
