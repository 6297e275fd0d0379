// SPDX-License-Identifier: GPL-2.0-or-later
// Part of flow_test.c: what makes two packets one flow, finding it again, and who goes first when there are many.
#pragma once
#include "flow_impl.h"

START_TEST(a_config_out_of_range_is_refused)
{
	static const struct flow_config wrong[] = {{.flows = 0},
						   {.flows = FLOW_MAX_FLOWS + 1u},
						   {.flows = 2, .half_open = FLOW_MAX_FLOWS + 1u},
						   {.flows = 2, .parked_segments = 65536},
						   {.flows = 2, .udp_ns = (FLOW_IDLE_DAYS + 1) * 86400 * SECOND},
						   {.flows = 2, .tcp_open_ns = UINT64_MAX / 2}};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		errno = 0;
		ck_assert_ptr_null(flow_table_create(&wrong[i], NULL, NULL, NULL));
		ck_assert_int_eq(errno, EINVAL);
	}
}
END_TEST

START_TEST(both_directions_are_one_flow_and_a_syn_ack_comes_from_the_server)
{
	struct world *w = world_new(8, 8);
	struct flow *f = say(w, S, SYN | ACK, 0, 1, "");

	ck_assert(w->sender == FLOW_SERVER && f->client_port == 40000 && f->server_port == 80);
	ck_assert_ptr_eq(say(w, C, ACK, 1, 1, ""), f);
	ck_assert(w->sender == FLOW_CLIENT && w->opened == 1 && f->state == FLOW_OPEN && flow_count(w->table) == 1);
	ck_assert(f->packets[C] == 1 && f->packets[S] == 1 && flow_bytes(f, S) == 54);
	world_end(w);
}
END_TEST

START_TEST(who_talks_to_itself_is_its_own_client)
{
	struct world *w = world_new(8, 8);
	struct packet p = world_packet(w, C);

	p.destination = p.source;
	p.destination_port = p.source_port;
	p.tcp_flags = SYN | ACK;
	world_pass(w, &p, bytes_of_text(""));
	ck_assert_int_eq(w->sender, FLOW_CLIENT);
	ck_assert_ptr_eq(world_find(w, &p, &w->sender), w->flow);
	world_end(w);
}
END_TEST

START_TEST(family_vlan_transport_and_ports_keep_flows_apart)
{
	struct world *w = world_new(16, 8);
	struct flow *v4 = say(w, C, SYN, 0, 0, ""), *v6, *tagged, *other;
	struct packet p;

	w->v6 = true;
	v6 = say(w, C, SYN, 0, 0, "");
	w->vlan = 7;
	tagged = say(w, C, SYN, 0, 0, "");
	w->client_port++;
	other = say(w, C, SYN, 0, 0, "");
	p = world_packet(w, C);
	p.transport = TRANSPORT_UDP;
	world_pass(w, &p, bytes_of_text(""));
	ck_assert_uint_eq(flow_count(w->table), 5);
	ck_assert(v4 != v6 && v6 != tagged && tagged != other && other != w->flow);
	ck_assert(v4->vlan == 0 && tagged->vlan == 7);
	ck_assert_ptr_eq(say(w, S, SYN | ACK, 0, 1, ""), other);
	world_end(w);
}
END_TEST

// The same ends in other VLANs and tunnels are other ends (44) (86).
START_TEST(all_vlans_and_tunnels_keep_flows_apart)
{
	static const struct {
		uint16_t vlan[DECODE_TAGS];
		uint8_t vlans, tunnels;
		struct tunnel tunnel[DECODE_TUNNELS];
	} rows[] = {
		{{0}, 0, 0, {{0}}},
		{{7}, 1, 0, {{0}}},
		{{7, 8}, 2, 0, {{0}}},
		{{7, 8, 9}, 3, 0, {{0}}},
		{{8, 7}, 2, 0, {{0}}},
		{{0}, 0, 1, {{.kind = TUNNEL_IP}}},
		{{0}, 0, 1, {{.kind = TUNNEL_GRE}}},
		{{0}, 0, 1, {{.kind = TUNNEL_VXLAN, .id = 1}}},
		{{0}, 0, 1, {{.kind = TUNNEL_VXLAN, .id = 2}}},
		{{0}, 0, 1, {{.kind = TUNNEL_GRE, .id = 1}}},
		{{0}, 0, 2, {{.kind = TUNNEL_GRE, .id = 1}, {.kind = TUNNEL_VXLAN, .id = 1}}},
		{{0}, 0, 2, {{.kind = TUNNEL_GRE, .id = 1}, {.kind = TUNNEL_VXLAN, .id = 2}}},
		{{7}, 1, 1, {{.kind = TUNNEL_VXLAN, .id = 1}}},
	};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	struct world *w = world_new(64, 8);
	struct flow *flows[ROWS];

	for (int back = 0; back < 2; back++)
		for (size_t i = 0; i < ROWS; i++) {
			struct packet p = world_packet(w, back ? S : C);

			p.tcp_flags = back ? SYN | ACK : SYN;
			p.vlans = rows[i].vlans;
			p.tunnels = rows[i].tunnels;
			memcpy(p.vlan, rows[i].vlan, sizeof(p.vlan));
			memcpy(p.tunnel, rows[i].tunnel, sizeof(p.tunnel));
			world_pass(w, &p, bytes_of_text(""));
			ck_assert_uint_eq(flow_count(w->table), back ? ROWS : i + 1);
			if (back)
				ck_assert_ptr_eq(w->flow, flows[i]);
			flows[i] = w->flow;
		}
	world_end(w);
}
END_TEST

START_TEST(a_priority_tag_is_no_vlan)
{
	struct world *w = world_new(8, 8);
	struct flow *f = say(w, C, SYN, 0, 0, "");
	struct packet p = world_packet(w, S);

	p.vlans = 1;
	ck_assert_ptr_eq(world_pass(w, &p, bytes_of_text("")), f);
	world_end(w);
}
END_TEST

START_TEST(a_mapped_address_is_not_the_one_it_maps)
{
	static const uint8_t a[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1}, b[16] = {[10] = 0xff, 0xff, 198, 51, 100, 2};
	struct world *w = world_new(8, 8);
	struct flow *v4 = say(w, C, SYN, 0, 0, "");
	struct packet p = world_packet(w, C);
	struct address back;

	p.source = address_v6(a);
	p.destination = address_v6(b);
	ck_assert_ptr_ne(world_pass(w, &p, bytes_of_text("")), v4);
	back = flow_client(w->flow);
	ck_assert(address_equal(&back, &p.source));
	back = flow_server(w->flow);
	ck_assert(address_equal(&back, &p.destination));
	world_end(w);
}
END_TEST

// Full to the last slot, which is more than chance spreads evenly: some lie in their second bucket, some were moved.
START_TEST(a_full_table_holds_and_finds_all_its_flows)
{
	static const uint32_t sizes[] = {1, 2, 7, 8, 9, 100, 1000, 1024, 65536};
	static struct flow *flows[65536];

	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		const struct flow_config config = {.flows = sizes[k], .half_open = 2 * sizes[k] + 2, .key = {1, 2 + k}};
		struct world *w = world_of(&config);
		enum flow_side sender;

		for (int round = 0; round < 3; round++) {
			for (uint32_t i = 0; i < sizes[k]; i++) {
				struct packet p;

				w->client_port = (uint16_t)i;
				p = world_packet(w, C);
				if (round && i % 3 == 0)
					flow_remove(w->table, world_find(w, &p, &sender), FLOW_END_SHUTDOWN);
				if (round != 1)
					flows[i] = say(w, C, SYN, 0, 0, "");
				ck_assert_ptr_nonnull(flows[i]);
			}
			for (uint32_t i = 0; i < sizes[k]; i++) {
				struct packet p;

				w->client_port = (uint16_t)i;
				p = world_packet(w, S);
				ck_assert_ptr_eq(world_find(w, &p, &sender),
						 round == 1 && i % 3 == 0 ? NULL : flows[i]);
				ck_assert(sender == FLOW_SERVER || (round == 1 && i % 3 == 0));
			}
			if (round == 1)
				for (uint32_t i = 0; i < sizes[k]; i += 3) {
					w->client_port = (uint16_t)i;
					flows[i] = say(w, C, SYN, 0, 0, "");
				}
		}
		ck_assert_uint_eq(flow_count(w->table), sizes[k]);
		ck_assert_uint_eq(counted(w, COUNT_FLOWS_FULL) + counted(w, COUNT_FLOWS_EVICTED), 0);
		world_end(w);
	}
}
END_TEST

// Every entry names a live flow that knows its place, and every bucket how many of its own lie elsewhere.
static void check_index(const struct flow_table *t)
{
	uint32_t entries = 0;

	for (uint32_t at = 0; at < t->bucket_count; at++)
		for (unsigned i = 0; i < FLOW_BUCKET_FLOWS; i++) {
			const struct flow_bucket *b = &t->buckets[at];

			if (!b->slot[i])
				continue;
			entries++;
			ck_assert(flow_is_live(&t->flows[flow_slot_of(b, i)]));
			ck_assert_uint_eq(t->flows[flow_slot_of(b, i)].place, at * (FLOW_BUCKET_FLOWS + 1) + i);
			if (b->slot[i] & FLOW_SLOT_AWAY)
				t->buckets[flow_index_second(t, at, b->mark[i])].zero++;
		}
	ck_assert_uint_eq(entries, t->live);
	for (uint32_t at = 0; at < t->bucket_count; at++) {
		ck_assert_uint_eq(t->buckets[at].away, t->buckets[at].zero);
		t->buckets[at].zero = 0;
	}
}

START_TEST(the_index_keeps_its_books_as_flows_come_and_go)
{
	const struct flow_config config = {.flows = 4096, .half_open = 1 << 19, .key = {7, 8}};
	struct world *w = world_of(&config);
	uint64_t state = 88172645463325252ull;
	uint32_t away = 0;

	for (int i = 0; i < 300000; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		w->client_port = (uint16_t)(state >> 20);
		if (flow_count(w->table) == 4096)
			flow_remove(w->table, &w->table->flows[(state >> 40) % 4096], FLOW_END_SHUTDOWN);
		else
			ck_assert_ptr_nonnull(say(w, C, SYN, 0, 0, ""));
		if (i % 1024 == 0)
			check_index(w->table);
		away += w->table->buckets[i % w->table->bucket_count].away;
	}
	ck_assert_uint_gt(away, 100); // or it proves nothing
	world_end(w);
}
END_TEST

START_TEST(an_id_dies_with_its_flow)
{
	struct world *w = world_new(1, 8);
	struct flow *f = say(w, C, SYN, 0, 0, "");
	uint64_t id = flow_id(w->table, f);

	ck_assert_ptr_eq(flow_by_id(w->table, id), f);
	ck_assert_ptr_null(flow_by_id(w->table, id + 1));
	flow_remove(w->table, f, FLOW_END_SHUTDOWN);
	flow_remove(w->table, f, FLOW_END_SHUTDOWN);
	ck_assert_uint_eq(w->ended, 1);
	ck_assert_ptr_null(flow_by_id(w->table, id));
	ck_assert_ptr_eq(say(w, C, SYN, 0, 0, ""), f);
	ck_assert_ptr_null(flow_by_id(w->table, id));
	ck_assert_uint_ne(flow_id(w->table, f), id);
	world_end(w);
}
END_TEST

START_TEST(what_a_prefetch_saw_is_only_a_hint)
{
	struct world *w = world_new(1, 8); // one slot: whoever comes next gets it
	struct flow *f = say(w, C, SYN, 0, 0, "");
	struct packet old = world_packet(w, C), new;
	struct flow_key key, other;
	enum flow_side sender;

	flow_key_of(w->table, &old, &key);
	flow_prefetch_bucket(w->table, &key);
	ck_assert_uint_eq(key.candidate, 0);
	f->context = 77;
	flow_prefetch(w->table, &key);
	ck_assert(key.candidate != 0 && flow_context_peek(w->table, &key) == 77);
	ck_assert_ptr_eq(flow_find(w->table, &old, &key, &sender), f);
	w->client_port++;
	new = world_packet(w, C);
	flow_key_of(w->table, &new, &other);
	ck_assert_uint_eq(flow_context_peek(w->table, &other), 0);
	ck_assert_ptr_eq(flow_find_or_add(w->table, &new, &other, w->now, &sender), f); // f is another flow now
	ck_assert_ptr_null(flow_find(w->table, &old, &key, &sender));
	ck_assert_ptr_eq(flow_find_or_add(w->table, &old, &key, w->now, &sender), f); // and the old one again
	ck_assert(f->client_port == old.source_port && w->ended == 2);
	world_end(w);
}
END_TEST

START_TEST(a_hint_does_not_lead_into_another_vlan)
{
	struct world *w = world_new(1, 8);
	struct flow_key key;
	struct packet tagged;
	enum flow_side sender;

	w->vlan = 7;
	say(w, C, SYN, 0, 0, "");
	tagged = world_packet(w, C);
	flow_key_of(w->table, &tagged, &key);
	flow_prefetch(w->table, &key);
	ck_assert_uint_ne(key.candidate, 0);
	w->vlan = 0;
	say(w, C, SYN, 0, 0, ""); // the same ends in the same slot
	ck_assert_ptr_null(flow_find(w->table, &tagged, &key, &sender));
	world_end(w);
}
END_TEST

START_TEST(icmp_answers_belong_to_their_question_and_open_at_once)
{
	struct world *w = world_new(8, 8);
	struct packet ask = world_packet(w, C), answer = world_packet(w, S);
	struct flow *f;

	ask.transport = answer.transport = TRANSPORT_ICMP;
	ask.source_port = 0x0800;
	ask.destination_port = answer.source_port = answer.destination_port = 0;
	f = world_pass(w, &ask, bytes_of_text(""));
	ck_assert_uint_eq(w->opened, 1);
	ck_assert_ptr_eq(world_pass(w, &answer, bytes_of_text("")), f);
	ck_assert(w->sender == FLOW_SERVER && w->opened == 1 && f->client_port == 0x0800);
	world_end(w);
}
END_TEST

START_TEST(volumes_pass_four_gigabytes)
{
	struct world *w = world_new(8, 8);
	struct frame frame = {.bytes = 60, .wire_bytes = UINT32_MAX, .unix_ns = w->now};
	struct packet p = world_packet(w, C);
	struct flow *f = say(w, C, SYN, 0, 0, "");

	for (int i = 0; i < 5; i++)
		flow_update(w->table, f, C, &frame, &p);
	ck_assert_uint_eq(flow_bytes(f, C), 54 + 5ull * UINT32_MAX);
	ck_assert_uint_eq(flow_bytes(f, S), 0);
	world_end(w);
}
END_TEST

// ---- who goes first ----

START_TEST(a_full_table_gives_up_half_open_flows_and_then_says_no)
{
	struct world *w = world_new(8, 8);

	for (int i = 0; i < 8; i++) {
		w->client_port = (uint16_t)i;
		if (i == 3)
			say(w, C, SYN, 0, 0, "");
		else
			shake_hands(w);
	}
	w->client_port = 100;
	ck_assert_ptr_nonnull(shake_hands(w));
	ck_assert(w->ended == 1 && w->why == FLOW_END_EVICTED && counted(w, COUNT_FLOWS_EVICTED) == 1);
	w->client_port = 101;
	ck_assert_ptr_null(say(w, C, SYN, 0, 0, ""));
	ck_assert_uint_eq(counted(w, COUNT_FLOWS_FULL), 1);
	w->client_port = 100; // a closed one is no loss either
	say(w, C, RST, 1, 0, "");
	w->client_port = 101;
	ck_assert_ptr_nonnull(say(w, C, SYN, 0, 0, ""));
	ck_assert_int_eq(w->why, FLOW_END_RST);
	w->flow->flags |= FLOW_FLAG_CUT; // a cut must not be forgotten for a stranger's SYN
	w->client_port = 102;
	ck_assert_ptr_null(say(w, C, SYN, 0, 0, ""));
	world_end(w);
}
END_TEST

static bool opens_and_is_inspected(struct world *w, uint32_t at)
{
	size_t before = w->got_bytes[C];

	return say(w, C, ACK, at, 1, "x") && w->got_bytes[C] == before + 1 && !is_uninspected(w) &&
	       !(w->flow->flags & FLOW_FLAG_MIDSTREAM);
}

START_TEST(a_flood_recycles_its_own_slots_and_no_open_flow_feels_it)
{
	static const uint8_t transports[] = {TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_ICMP};
	enum { OPEN = 5000, HALF_OPEN = 512, FLOOD = 100000 };

	for (size_t k = 0; k < sizeof(transports); k++) {
		const struct flow_config config = {.flows = 8192, .half_open = HALF_OPEN, .key = {3, 4}};
		struct world *w = world_of(&config);

		for (uint32_t i = 0; i < OPEN; i++) {
			w->client_port = (uint16_t)i;
			shake_hands(w);
		}
		for (uint32_t i = 0; i < FLOOD; i++) {
			struct packet p = world_packet(w, C);

			p.transport = transports[k];
			p.tcp_flags = SYN;
			memcpy(p.source.b, &(uint32_t){i + 1}, 4);
			w->now += 1000;
			ck_assert_ptr_nonnull(world_pass(w, &p, bytes_of_text("")));
			if (i % 32 == 0)
				flow_table_step(w->table, w->now);
		}
		ck_assert_uint_eq(flow_count(w->table), OPEN + HALF_OPEN);
		ck_assert_uint_eq(counted(w, COUNT_FLOWS_EVICTED), FLOOD - HALF_OPEN);
		ck_assert_uint_eq(counted(w, COUNT_FLOWS_FULL), 0);
		for (uint32_t i = 0; i < OPEN; i++) {
			w->client_port = (uint16_t)i;
			ck_assert(opens_and_is_inspected(w, 1));
		}
		ck_assert_uint_eq(flow_count(w->table), OPEN + HALF_OPEN);
		w->client_port = 60000; // and who comes after it is served
		shake_hands(w);
		ck_assert(w->flow->state == FLOW_OPEN && opens_and_is_inspected(w, 1));
		world_end(w);
	}
}
END_TEST

START_TEST(a_handshake_survives_as_many_others_as_the_pool_holds)
{
	const struct flow_config config = {.flows = 1024, .half_open = 16, .key = {3, 4}};

	for (uint16_t others = 15; others <= 16; others++) {
		struct world *w = world_of(&config);
		struct flow *f = say(w, C, SYN, 0, 0, "");
		uint64_t id = flow_id(w->table, f);

		for (uint16_t i = 0; i < others; i++) {
			w->client_port = i;
			say(w, C, SYN, 0, 0, "");
		}
		ck_assert_ptr_eq(flow_by_id(w->table, id), others == 15 ? f : NULL);
		w->client_port = 40000; // forgotten, it begins again with the answer
		say(w, S, SYN | ACK, 0, 1, "");
		say(w, C, ACK, 1, 1, "");
		ck_assert(w->sender == FLOW_CLIENT && w->flow->state == FLOW_OPEN && opens_and_is_inspected(w, 1));
		world_end(w);
	}
}
END_TEST

START_TEST(who_gets_the_slot_of_one_that_ended_is_not_taken_for_it)
{
	const struct flow_config config = {.flows = 1024, .half_open = 16, .key = {3, 4}};

	for (uint16_t others = 15; others <= 16; others++) {
		struct world *w = world_of(&config);
		struct flow *f = say(w, C, SYN, 0, 0, "");
		uint64_t id;

		flow_remove(w->table, f, FLOW_END_SHUTDOWN);
		ck_assert_ptr_eq(say(w, C, SYN, 0, 0, ""), f);
		id = flow_id(w->table, f);
		for (uint16_t i = 0; i < others; i++) {
			w->client_port = i;
			say(w, C, SYN, 0, 0, "");
		}
		ck_assert_ptr_eq(flow_by_id(w->table, id), others == 15 ? f : NULL);
		world_end(w);
	}
}
END_TEST

START_TEST(what_is_cut_or_held_is_not_forgotten_for_a_flood)
{
	static const uint16_t flags[] = {FLOW_FLAG_CUT, FLOW_FLAG_HELD};
	const struct flow_config config = {.flows = 1024, .half_open = 16, .key = {3, 4}};

	for (size_t k = 0; k < 2; k++) {
		struct world *w = world_of(&config);
		struct flow *f = say(w, C, SYN, 0, 0, "");
		uint64_t id = flow_id(w->table, f);

		f->flags |= flags[k];
		for (uint16_t i = 0; i < 1000; i++) {
			w->client_port = i;
			say(w, C, SYN, 0, 0, "");
		}
		ck_assert_ptr_eq(flow_by_id(w->table, id), f);
		f->flags &= (uint16_t)~flags[k];
		for (uint16_t i = 1000; i < 1017; i++) {
			w->client_port = i;
			say(w, C, SYN, 0, 0, "");
		}
		// one that was held is half-open as before
		ck_assert_ptr_eq(flow_by_id(w->table, id), flags[k] == FLOW_FLAG_HELD ? NULL : f);
		world_end(w);
	}
}
END_TEST

// A capture of one direction, or a stream that nobody answers: it speaks on, the flood's flows do not.
START_TEST(one_side_that_speaks_on_is_spared)
{
	const struct flow_config config = {.flows = 1024, .half_open = 16, .key = {3, 4}};
	struct world *w = world_of(&config);
	struct packet p = world_packet(w, C);
	struct flow *f;
	uint64_t id;

	p.transport = TRANSPORT_UDP;
	world_pass(w, &p, bytes_of_text(""));
	f = world_pass(w, &p, bytes_of_text(""));
	id = flow_id(w->table, f);
	for (uint16_t i = 0; i < 1000; i++) {
		w->client_port = i;
		say(w, C, SYN, 0, 0, "");
		w->now += SECOND / 500;
		if (i % 100 == 0)
			world_pass(w, &p, bytes_of_text(""));
	}
	ck_assert_ptr_eq(flow_by_id(w->table, id), f);
	w->now += 2 * SECOND;
	for (uint16_t i = 1000; i < 1016; i++) {
		w->client_port = i;
		say(w, C, SYN, 0, 0, "");
	}
	ck_assert_ptr_null(flow_by_id(w->table, id));
	world_end(w);
}
END_TEST

START_TEST(a_flood_of_pairs_of_packets_is_bounded_too)
{
	const struct flow_config config = {.flows = 1024, .half_open = 16, .key = {3, 4}};
	struct world *w = world_of(&config);

	for (uint16_t i = 0; i < 5000; i++) {
		struct packet p;

		w->client_port = i;
		p = world_packet(w, C);
		p.transport = TRANSPORT_UDP;
		world_pass(w, &p, bytes_of_text(""));
		world_pass(w, &p, bytes_of_text(""));
	}
	ck_assert_uint_eq(flow_count(w->table), 16);
	world_end(w);
}
END_TEST

START_TEST(closed_flows_give_way_oldest_first)
{
	const struct flow_config config = {.flows = 64, .half_open = 8, .key = {3, 4}};
	struct world *w = world_of(&config);
	uint64_t ids[64];

	for (uint16_t i = 0; i < 64; i++) {
		w->client_port = i;
		ids[i] = flow_id(w->table, shake_hands(w));
	}
	for (uint16_t i = 10; i < 14; i++) {
		w->client_port = i;
		say(w, C, RST, 1, 0, "");
	}
	for (uint16_t i = 100; i < 103; i++) {
		w->client_port = i;
		ck_assert_ptr_nonnull(say(w, C, SYN, 0, 0, ""));
	}
	for (uint16_t i = 0; i < 64; i++)
		ck_assert_int_eq(flow_by_id(w->table, ids[i]) == NULL, i >= 10 && i < 13);
	ck_assert(w->why == FLOW_END_RST && counted(w, COUNT_FLOWS_EVICTED) == 0);
	world_end(w);
}
END_TEST

// One spoofed segment of data each, to hosts that are silent: nothing but a claim, yet such a flow counts as open.
START_TEST(data_out_of_nowhere_does_not_fill_the_table_for_an_hour)
{
	struct world *w = world_new(8, 8);

	for (uint16_t i = 0; i < 8; i++) {
		w->client_port = (uint16_t)(50000 + i);
		ck_assert_ptr_nonnull(say(w, FLOW_CLIENT, TCP_ACK, 1, 1, "spoofed"));
	}
	w->client_port = 40000;
	ck_assert_ptr_nonnull(shake_hands(w));
	ck_assert_uint_eq(counted(w, COUNT_FLOWS_FULL), 0);
	world_end(w);
}
END_TEST

START_TEST(in_midstream_the_lower_port_is_the_server)
{
	struct world *w = world_new(8, 8);

	say(w, FLOW_SERVER, TCP_ACK, 1, 1, "answer");
	ck_assert_uint_eq(w->flow->server_port, 80);
	ck_assert_int_eq(w->sender, FLOW_SERVER);
	world_end(w);
}
END_TEST

#define FLOW_TESTS_TABLE                                                                                               \
	a_config_out_of_range_is_refused, both_directions_are_one_flow_and_a_syn_ack_comes_from_the_server,            \
		who_talks_to_itself_is_its_own_client, family_vlan_transport_and_ports_keep_flows_apart,               \
		all_vlans_and_tunnels_keep_flows_apart, a_priority_tag_is_no_vlan,                                     \
		a_mapped_address_is_not_the_one_it_maps, a_full_table_holds_and_finds_all_its_flows,                   \
		the_index_keeps_its_books_as_flows_come_and_go, an_id_dies_with_its_flow,                              \
		what_a_prefetch_saw_is_only_a_hint,                                                                    \
		a_hint_does_not_lead_into_another_vlan, who_gets_the_slot_of_one_that_ended_is_not_taken_for_it,       \
		icmp_answers_belong_to_their_question_and_open_at_once, volumes_pass_four_gigabytes,                   \
		a_full_table_gives_up_half_open_flows_and_then_says_no,                                                \
		a_flood_recycles_its_own_slots_and_no_open_flow_feels_it,                                              \
		a_handshake_survives_as_many_others_as_the_pool_holds,                                                 \
		what_is_cut_or_held_is_not_forgotten_for_a_flood, one_side_that_speaks_on_is_spared,                   \
		a_flood_of_pairs_of_packets_is_bounded_too, closed_flows_give_way_oldest_first,                        \
		data_out_of_nowhere_does_not_fill_the_table_for_an_hour, in_midstream_the_lower_port_is_the_server
