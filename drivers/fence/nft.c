// SPDX-License-Identifier: GPL-2.0-or-later
// The table: six sets (two families; by address, by address and transport, by address, transport and port), one chain
// "refused" that drops what is in any of them as destination or as source, and the three hooks that jump to it. Sets
// and rules are made from fence_sets. What is in the sets is the business of elements.c.
#include "fence_impl.h"
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>

enum {                       // not all kernel headers have them
	TABLE_OWNER = 0x2,   // since 5.12: others may read, only the socket that made it may change it
	TABLE_PERSIST = 0x4, // since 6.9: it outlives that socket, and another may adopt it
};
enum { // nft's own numbers for types and byte orders (nftables include/datatype.h), which it reads to print elements
	TYPE_IPADDR = 7,
	TYPE_IP6ADDR = 8,
	TYPE_INET_PROTOCOL = 12,
	TYPE_INET_SERVICE = 13,
	TYPE_BITS = 6,
	BYTE_ORDER_BIG = 2,
};
enum { SOURCE = 0, DESTINATION = 1 };

enum { // of concatenated keys: six bits a part
	TYPE_TRANSPORT4 = TYPE_IPADDR << TYPE_BITS | TYPE_INET_PROTOCOL,
	TYPE_TRANSPORT6 = TYPE_IP6ADDR << TYPE_BITS | TYPE_INET_PROTOCOL,
	TYPE_PORT4 = TYPE_TRANSPORT4 << TYPE_BITS | TYPE_INET_SERVICE,
	TYPE_PORT6 = TYPE_TRANSPORT6 << TYPE_BITS | TYPE_INET_SERVICE,
};

const struct fence_set fence_sets[FENCE_SETS] = {
	{"address4", 1, TYPE_IPADDR, 4, 4, NFPROTO_IPV4, false, false, 4, {12, 16}},
	{"address6", 2, TYPE_IP6ADDR, 16, 6, NFPROTO_IPV6, false, false, 16, {8, 24}},
	{"transport4", 3, TYPE_TRANSPORT4, 8, 4, NFPROTO_IPV4, true, false, 4, {12, 16}},
	{"transport6", 4, TYPE_TRANSPORT6, 20, 6, NFPROTO_IPV6, true, false, 16, {8, 24}},
	{"port4", 5, TYPE_PORT4, 12, 4, NFPROTO_IPV4, true, true, 4, {12, 16}},
	{"port6", 6, TYPE_PORT6, 24, 6, NFPROTO_IPV6, true, true, 16, {8, 24}},
};

static const char refused_chain[] = "refused";
static const struct hook {
	const char *chain;
	uint32_t number;
} hooks[] = {{"forward", NF_INET_FORWARD}, {"input", NF_INET_LOCAL_IN}, {"output", NF_INET_LOCAL_OUT}};

// --- Messages. Every one of the put_* gives false when memory or the batch is full ---

static bool put_table(struct fence *f, uint16_t type, uint16_t flags, uint32_t table_flags)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *h = t ? batch_message(&f->batch, type, flags, "table") : NULL;

	if (h) {
		nftnl_table_set_str(t, NFTNL_TABLE_NAME, f->table);
		nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, table_flags);
		nftnl_table_nlmsg_build_payload(h, t);
		batch_message_end(&f->batch, h);
	}
	if (t)
		nftnl_table_free(t);
	return h != NULL;
}

struct nftnl_set *fence_new_set(const struct fence *f, const struct fence_set *set)
{
	struct nftnl_set *s = nftnl_set_alloc();

	if (s) {
		nftnl_set_set_str(s, NFTNL_SET_TABLE, f->table);
		nftnl_set_set_str(s, NFTNL_SET_NAME, set->name);
		nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	}
	return s;
}

static bool put_set(struct fence *f, const struct fence_set *set)
{
	struct nftnl_udata_buf *order = nftnl_udata_buf_alloc(64);
	struct nftnl_set *s = fence_new_set(f, set);
	struct nlmsghdr *h = NULL;

	if (s && order && nftnl_udata_put_u32(order, NFTNL_UDATA_SET_KEYBYTEORDER, BYTE_ORDER_BIG))
		h = batch_message(&f->batch, NFT_MSG_NEWSET, NLM_F_CREATE, set->name);
	if (h) {
		nftnl_set_set_u32(s, NFTNL_SET_ID, set->id);
		nftnl_set_set_u32(s, NFTNL_SET_FLAGS, NFT_SET_TIMEOUT);
		nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, set->type);
		nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, set->key_bytes);
		nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(order), nftnl_udata_buf_len(order));
		nftnl_set_nlmsg_build_payload(h, s);
		batch_message_end(&f->batch, h);
	}
	if (s)
		nftnl_set_free(s);
	if (order)
		nftnl_udata_buf_free(order);
	return h != NULL;
}

static bool put_chain(struct fence *f, const char *name, const struct hook *hook)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *h = c ? batch_message(&f->batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE, name) : NULL;

	if (h) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, f->table);
		nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
		if (hook) {
			nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
			nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hook->number);
			nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, 0); // "filter"
			nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
		}
		nftnl_chain_nlmsg_build_payload(h, c);
		batch_message_end(&f->batch, h);
	}
	if (c)
		nftnl_chain_free(c);
	return h != NULL;
}

static struct nftnl_expr *expression(struct nftnl_rule *r, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	if (e)
		nftnl_rule_add_expr(r, e);
	return e;
}

static bool load_meta(struct nftnl_rule *r, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = expression(r, "meta");

	if (!e)
		return false;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, reg);
	return true;
}

static bool load_payload(struct nftnl_rule *r, uint32_t base, uint32_t offset, uint32_t bytes, uint32_t reg)
{
	struct nftnl_expr *e = expression(r, "payload");

	if (!e)
		return false;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, bytes);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
	return true;
}

static bool compare(struct nftnl_rule *r, uint32_t reg, const void *value, uint32_t bytes)
{
	struct nftnl_expr *e = expression(r, "cmp");

	if (!e)
		return false;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, reg);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, value, bytes);
	return true;
}

static bool look_up(struct nftnl_rule *r, const struct fence_set *set)
{
	struct nftnl_expr *e = expression(r, "lookup");

	if (!e)
		return false;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG32_00);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set->name);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, set->id);
	return expression(r, "counter") != NULL;
}

static bool decide(struct nftnl_rule *r, uint32_t verdict, const char *chain)
{
	struct nftnl_expr *e = expression(r, "immediate");

	if (!e)
		return false;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, verdict);
	if (chain)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
	return true;
}

static struct nftnl_rule *new_rule(const struct fence *f, const char *chain)
{
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (r) {
		nftnl_rule_set_str(r, NFTNL_RULE_TABLE, f->table);
		nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	}
	return r;
}

// Takes r. complete: all of its expressions are there.
static bool put_rule(struct fence *f, struct nftnl_rule *r, bool complete, uint16_t type, uint16_t flags,
		     const char *what)
{
	struct nlmsghdr *h = r && complete ? batch_message(&f->batch, type, flags, what) : NULL;

	if (h) {
		nftnl_rule_nlmsg_build_payload(h, r);
		batch_message_end(&f->batch, h);
	}
	if (r)
		nftnl_rule_free(r);
	return h != NULL;
}

static bool put_empty_chain(struct fence *f, const char *chain)
{
	return put_rule(f, new_rule(f, chain), true, NFT_MSG_DELRULE, 0, chain);
}

// "ip daddr . meta l4proto . th dport @port4 counter drop" and the like. The key lies in registers one after another.
static bool put_drop(struct fence *f, const struct fence_set *set, unsigned side)
{
	struct nftnl_rule *r = new_rule(f, refused_chain);
	uint32_t after = NFT_REG32_00 + set->address_bytes / 4u;
	bool complete =
		r && load_meta(r, NFT_META_NFPROTO, NFT_REG_1) && compare(r, NFT_REG_1, &set->nfproto, 1) &&
		load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, set->address_at[side], set->address_bytes, NFT_REG32_00) &&
		(!set->transport || load_meta(r, NFT_META_L4PROTO, after)) &&
		(!set->port ||
		 load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, side == DESTINATION ? 2 : 0, 2, after + 1)) &&
		look_up(r, set) && decide(r, NF_DROP, NULL);

	return put_rule(f, r, complete, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, set->name);
}

static bool put_jump(struct fence *f, const struct hook *hook)
{
	struct nftnl_rule *r = new_rule(f, hook->chain);

	return put_rule(f, r, r && decide(r, (uint32_t)NFT_JUMP, refused_chain), NFT_MSG_NEWRULE,
			NLM_F_CREATE | NLM_F_APPEND, hook->chain);
}

// --- Opening ---

// Everything, in one transaction. Sets that are there keep their elements; rules are made anew.
static int install(struct fence *f, uint32_t table_flags)
{
	bool fits;

	batch_begin(&f->batch);
	fits = put_table(f, NFT_MSG_NEWTABLE, NLM_F_CREATE, table_flags) && put_chain(f, refused_chain, NULL);
	for (size_t i = 0; i < FENCE_SETS; i++)
		fits = fits && put_set(f, &fence_sets[i]);
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		fits = fits && put_chain(f, hooks[i].chain, &hooks[i]) && put_empty_chain(f, hooks[i].chain);
	fits = fits && put_empty_chain(f, refused_chain);
	for (size_t i = 0; i < FENCE_SETS; i++)
		fits = fits && put_drop(f, &fence_sets[i], DESTINATION) && put_drop(f, &fence_sets[i], SOURCE);
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		fits = fits && put_jump(f, &hooks[i]);
	return fits ? batch_commit(&f->batch) : -ENOMEM;
}

static const char *hint(const struct fence *f, int error)
{
	if (error != -EPERM)
		return "";
	return f->batch.refused ? " (CAP_NET_ADMIN is needed)" : " (another living process owns the table)";
}

struct fence *fence_open(const char *table, char *error, size_t error_bytes)
{
	struct fence *f = calloc(1, sizeof(*f));
	int result = f ? 0 : -ENOMEM;

	if (f && (!*table || strlen(table) >= sizeof(f->table)))
		result = -EINVAL;
	if (result == 0)
		result = batch_open(&f->batch);
	if (result == 0) {
		memcpy(f->table, table, strlen(table) + 1);
		result = install(f, TABLE_OWNER | TABLE_PERSIST);
		// An older kernel, or a table an older kernel's run left without an owner.
		if (result == -EOPNOTSUPP || result == -EINVAL)
			result = install(f, 0);
	}
	if (result == 0)
		return f;
	snprintf(error, error_bytes, "nftables table inet %s: %s%s", table,
		 f && f->batch.error[0] ? f->batch.error : strerror(-result), f ? hint(f, result) : "");
	fence_close(f);
	errno = -result;
	return NULL;
}

void fence_close(struct fence *f)
{
	if (!f)
		return;
	batch_close(&f->batch);
	free(f);
}

int fence_destroy(struct fence *f)
{
	int result = -ENOMEM;

	batch_begin(&f->batch);
	if (put_table(f, NFT_MSG_DELTABLE, 0, 0))
		result = batch_commit(&f->batch);
	fence_close(f);
	return result;
}

const char *fence_error(const struct fence *f)
{
	return f->batch.error;
}
