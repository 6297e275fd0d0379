// SPDX-License-Identifier: GPL-2.0-or-later
// DPDK's ethdev behind nic.h. Names of ports are turned into EAL devices here and nowhere else.
#include "distribute.h"
#include "kernel.h"
#include "nic.h"
#include <errno.h>
#include <rte_bus_pci.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <stdarg.h>
#include <stdio.h>

enum { ARGUMENTS = 32, ARGUMENT_BYTES = 256, RX_DESCRIPTORS = 1024, TX_DESCRIPTORS = 1024, POOL_CACHE = 256, PER_QUEUE = 8192, RSS_KEY_BYTES = 64,
	FRAME_OVERHEAD = 22 + 96 /* Ethernet header and two tags; af_packet's own header lies in the same slot */ };

static struct {
	uint16_t port[2];
	struct rte_mempool *pool;
	char name[2][ARGUMENT_BYTES];
	unsigned queues; // per port
	bool distributed;
	unsigned longest[2]; // untagged frame the port sends, where the other one brings longer ones; 0 = whatever comes
} nic;

static int fail(char error[512], const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(char error[512], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, 512, format, args);
	va_end(args);
	return -1;
}

struct arguments {
	char text[ARGUMENTS][ARGUMENT_BYTES];
	char *at[ARGUMENTS + 1];
	int n;
};

static void add(struct arguments *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct arguments *a, const char *format, ...)
{
	va_list args;

	if (a->n >= ARGUMENTS)
		return;
	va_start(args, format);
	vsnprintf(a->text[a->n], ARGUMENT_BYTES, format, args);
	va_end(args);
	a->at[a->n] = a->text[a->n];
	a->n++;
}

static bool is_pci(const char *port)
{
	return strchr(port, ':') && strchr(port, '.') && strncmp(port, "xdp:", 4) && strncmp(port, "vdev:", 5);
}

static unsigned queues_of(const struct nic_config *c)
{
	return c->own_queues ? c->workers : 1;
}

static void add_port(struct arguments *a, const struct nic_config *c, unsigned side)
{
	const char *p = c->port[side];

	if (is_pci(p)) {
		add(a, "--allow=%s", p);
		snprintf(nic.name[side], ARGUMENT_BYTES, "%s", p);
	} else if (strncmp(p, "vdev:", 5) == 0) {
		add(a, "--vdev=%s", p + 5);
		snprintf(nic.name[side], ARGUMENT_BYTES, "%.*s", (int)strcspn(p + 5, ","), p + 5);
	} else if (strncmp(p, "xdp:", 4) == 0) {
		add(a, "--vdev=net_af_xdp%u,iface=%s", side, p + 4);
		snprintf(nic.name[side], ARGUMENT_BYTES, "net_af_xdp%u", side);
	} else {
		// Small blocks: a block is handed over when full or after a timer of the kernel's, so large ones add latency. Whole pages.
		add(a, "--vdev=net_af_packet%u,iface=%s,qpairs=%u,framesz=%u,framecnt=%u,blocksz=%u,qdisc_bypass=1", side, p, queues_of(c),
		    c->frame_bytes, c->frame_bytes > 4096 ? 1024 : 4096, (c->frame_bytes + 4095) & ~4095u);
		snprintf(nic.name[side], ARGUMENT_BYTES, "net_af_packet%u", side);
	}
}

// Queues of the ports, and rings to and from workers where those share them.
static unsigned mbufs_of(const struct nic_config *c)
{
	unsigned shared = c->own_queues || c->workers == 1 ? 0 : 2 * DISTRIBUTE_RING * c->workers;

	return c->mbufs ? c->mbufs : PER_QUEUE * 2 * queues_of(c) + shared;
}

static unsigned memory_mb_of(const struct nic_config *c)
{
	uint64_t frames = (uint64_t)mbufs_of(c) * (c->frame_bytes + RTE_PKTMBUF_HEADROOM + 256) >> 20;

	return c->memory_mb ? c->memory_mb : frames + 128 > 256 ? (unsigned)frames + 128 : 256;
}

static int start_eal(const struct nic_config *c, char error[512])
{
	static struct arguments a; // EAL keeps pointers into it
	bool pci = is_pci(c->port[0]) || is_pci(c->port[1]);

	a.n = 0;
	add(&a, "sekimori-wire");
	add(&a, "--file-prefix=%s", c->file_prefix ? c->file_prefix : "sekimori");
	add(&a, "--no-telemetry");
	add(&a, "--log-level=*:warning");
	if (c->lcores) {
		add(&a, "-l");
		add(&a, "%s", c->lcores);
	}
	if (!c->hugepages) {
		add(&a, "--no-huge");
		add(&a, "-m");
		add(&a, "%u", memory_mb_of(c));
	}
	if (!pci)
		add(&a, "--no-pci");
	add_port(&a, c, NIC_INSIDE);
	add_port(&a, c, NIC_OUTSIDE);
	a.at[a.n] = NULL;
	if (rte_eal_init(a.n, a.at) < 0)
		return fail(error, "DPDK did not start: %s (hugepages? permissions? is the interface up?)", rte_strerror(rte_errno));
	return 0;
}

// NULL: the port is none of the kernel's, as far as its name says.
static const char *interface_of(const char *port)
{
	if (is_pci(port) || strncmp(port, "vdev:", 5) == 0)
		return NULL;
	return strncmp(port, "xdp:", 4) ? port : port + 4;
}

static int check_interface(unsigned side, const struct nic_config *c, char error[512])
{
	const char *interface = interface_of(c->port[side]);

	if (!interface || kernel_brings_single_frames(interface))
		return 0;
	return fail(error, "port %s: the kernel puts segments together before it hands them over (too long for a frame, they would be dropped): "
		    "ethtool -K %s gro off lro off", c->port[side], interface);
}

// A cut frame would be forwarded cut, so what the port may bring must fit.
static int check_mtu(unsigned side, const struct nic_config *c, char error[512])
{
	const char *p = c->port[side];
	uint16_t known = 0;
	unsigned mtu = 0, needed = 2048;

	if (interface_of(p))
		mtu = kernel_mtu(interface_of(p));
	if (!mtu && rte_eth_dev_get_mtu(nic.port[side], &known) == 0)
		mtu = known;
	if (mtu + FRAME_OVERHEAD <= c->frame_bytes)
		return 0;
	while (needed < mtu + FRAME_OVERHEAD)
		needed *= 2;
	if (needed > NIC_FRAME_BYTES)
		return fail(error, "port %s: MTU %u is too large: frames of at most %u bytes are possible", p, mtu, NIC_FRAME_BYTES);
	return fail(error, "port %s: MTU %u does not fit frames of %u bytes (a cut frame would be forwarded cut): use --frame-bytes %u", p, mtu,
		    c->frame_bytes, needed);
}

static int start_queues(unsigned side, const struct nic_config *c, char error[512])
{
	uint16_t port = nic.port[side];
	int socket = rte_eth_dev_socket_id(port);

	for (uint16_t q = 0; q < nic.queues; q++) {
		int r = rte_eth_rx_queue_setup(port, q, RX_DESCRIPTORS, socket < 0 ? 0 : (unsigned)socket, NULL, nic.pool);

		if (r == 0)
			r = rte_eth_tx_queue_setup(port, q, TX_DESCRIPTORS, socket < 0 ? 0 : (unsigned)socket, NULL);
		if (r < 0)
			return fail(error, "port %s, queue %u: %s", c->port[side], q, rte_strerror(-r));
	}
	return 0;
}

// Toeplitz with a key that repeats every 16 bits gives both directions of a pair one value (Woo, Park: "Scalable TCP Session Monitoring with Symmetric
// Receive-side Scaling", 2012). By addresses alone, so that fragments go where their flow goes.
static int set_rss(unsigned side, const struct nic_config *c, const struct rte_eth_dev_info *info, struct rte_eth_conf *conf, char error[512])
{
	static uint8_t key[RSS_KEY_BYTES];

	for (unsigned i = 0; i < RSS_KEY_BYTES; i++)
		key[i] = i % 2 ? 0x5a : 0x6d;
	if (nic.queues > info->max_rx_queues || nic.queues > info->max_tx_queues)
		return fail(error, "port %s: has %u queues, %u asked", c->port[side], info->max_rx_queues, nic.queues);
	if (!(RTE_ETH_RSS_IP & info->flow_type_rss_offloads) || info->hash_key_size > RSS_KEY_BYTES)
		return fail(error, "port %s: does not deal frames out by address; leave --own-queues away", c->port[side]);
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){.rss_key = key, .rss_key_len = info->hash_key_size ? info->hash_key_size : 40,
							       .rss_hf = RTE_ETH_RSS_IP & info->flow_type_rss_offloads};
	return 0;
}

static int start_port(unsigned side, const struct nic_config *c, char error[512])
{
	struct rte_eth_conf conf = {.rxmode = {.mq_mode = RTE_ETH_MQ_RX_NONE}};
	struct rte_eth_dev_info info;
	int r;

	if (rte_eth_dev_get_port_by_name(nic.name[side], &nic.port[side]) < 0)
		return fail(error, "port %s: no such device under DPDK", c->port[side]);
	if (rte_eth_dev_info_get(nic.port[side], &info) < 0)
		return fail(error, "port %s: no information", c->port[side]);
	if (nic.queues > 1 && set_rss(side, c, &info, &conf, error) < 0)
		return -1;
	r = rte_eth_dev_configure(nic.port[side], (uint16_t)nic.queues, (uint16_t)nic.queues, &conf);
	if (r < 0)
		return fail(error, "port %s: %s", c->port[side], rte_strerror(-r));
	if (check_mtu(side, c, error) < 0 || check_interface(side, c, error) < 0)
		return -1;
	if (start_queues(side, c, error) < 0)
		return -1;
	r = rte_eth_dev_start(nic.port[side]);
	if (r < 0)
		return fail(error, "port %s does not start: %s", c->port[side], rte_strerror(-r));
	r = rte_eth_promiscuous_enable(nic.port[side]);
	if (r < 0 && r != -ENOTSUP)
		return fail(error, "port %s: promiscuous mode refused: %s", c->port[side], rte_strerror(-r));
	return 0;
}

// The kernel throws away what is longer than its interface's MTU, and tells nobody.
static void set_longest(const struct nic_config *c)
{
	unsigned mtu[2];

	for (unsigned side = 0; side < 2; side++)
		mtu[side] = interface_of(c->port[side]) ? kernel_mtu(interface_of(c->port[side])) : 0;
	for (unsigned side = 0; side < 2; side++)
		nic.longest[side] = mtu[side] && mtu[side] != mtu[!side] ? mtu[side] + RTE_ETHER_HDR_LEN : 0;
}

int nic_start(const struct nic_config *c, char error[512])
{
	unsigned mbufs = mbufs_of(c);

	if (start_eal(c, error) < 0)
		return -1;
	nic.queues = queues_of(c);
	nic.distributed = nic.queues < c->workers;
	nic.pool = rte_pktmbuf_pool_create("frames", mbufs, POOL_CACHE, 0, (uint16_t)(c->frame_bytes + RTE_PKTMBUF_HEADROOM),
					   (int)rte_socket_id());
	if (!nic.pool)
		return fail(error, "no memory for %u frames of %u bytes: %s", mbufs, c->frame_bytes, rte_strerror(rte_errno));
	if (start_port(NIC_INSIDE, c, error) < 0 || start_port(NIC_OUTSIDE, c, error) < 0)
		return -1;
	set_longest(c);
	if (nic.distributed && distribute_create(c->workers, &c->key) < 0)
		return fail(error, "no memory for the rings of %u workers", c->workers);
	return 0;
}

void nic_stop(void)
{
	if (nic.distributed)
		distribute_destroy();
	for (unsigned side = 0; side < 2; side++) {
		rte_eth_dev_stop(nic.port[side]);
		rte_eth_dev_close(nic.port[side]);
	}
	rte_eal_cleanup();
}

uint64_t nic_lost(void)
{
	uint64_t lost = kernel_lost(); // DPDK's af_packet does not ask
	struct rte_eth_stats s;

	for (unsigned side = 0; side < 2; side++)
		if (rte_eth_stats_get(nic.port[side], &s) == 0)
			lost += s.imissed;
	return lost;
}

unsigned nic_port_receive(unsigned side, struct rte_mbuf *out[NIC_BURST])
{
	return rte_eth_rx_burst(nic.port[side], 0, out, NIC_BURST);
}

unsigned nic_port_transmit(unsigned side, struct rte_mbuf **frames, unsigned n)
{
	return rte_eth_tx_burst(nic.port[side], 0, frames, (uint16_t)n);
}

unsigned nic_receive(unsigned side, unsigned worker, struct rte_mbuf *out[NIC_BURST])
{
	if (nic.distributed)
		return distribute_receive(side, worker, out);
	return rte_eth_rx_burst(nic.port[side], (uint16_t)worker, out, NIC_BURST);
}

// A tag has room beyond the MTU.
static bool is_too_long(unsigned side, const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	unsigned tag = ether->ether_type == RTE_BE16(RTE_ETHER_TYPE_VLAN) ? RTE_VLAN_HLEN : 0;

	return rte_pktmbuf_pkt_len(m) > nic.longest[side] + tag;
}

// Frees those; gives how many stay, in their order.
static unsigned leave_out_too_long(unsigned side, struct rte_mbuf **frames, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (is_too_long(side, frames[i]))
			rte_pktmbuf_free(frames[i]);
		else
			frames[kept++] = frames[i];
	}
	return kept;
}

unsigned nic_transmit(unsigned side, unsigned worker, struct rte_mbuf **frames, unsigned n)
{
	unsigned sent = 0, fit = nic.longest[side] ? leave_out_too_long(side, frames, n) : n;

	if (fit && nic.distributed)
		sent = distribute_transmit(side, worker, frames, fit);
	else if (fit)
		sent = rte_eth_tx_burst(nic.port[side], (uint16_t)worker, frames, (uint16_t)fit);
	rte_pktmbuf_free_bulk(frames + sent, fit - sent);
	return n - sent;
}

bool nic_is_distributed(void)
{
	return nic.distributed;
}

unsigned nic_distribute_step(struct counters *c)
{
	return distribute_step(c);
}

bool nic_transmit_bytes(unsigned side, unsigned worker, const uint8_t *data, size_t n)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(nic.pool);
	char *room = m ? rte_pktmbuf_append(m, (uint16_t)n) : NULL;

	if (!room) {
		rte_pktmbuf_free(m);
		return false;
	}
	memcpy(room, data, n);
	return nic_transmit(side, worker, &m, 1) == 0;
}

void nic_free(struct rte_mbuf *m)
{
	rte_pktmbuf_free(m);
}

// The PMD may have taken the VLAN tag out of the frame; it is put back so that what leaves is what came.
static bool restore_vlan(struct rte_mbuf **m)
{
	if (!((*m)->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED))
		return true;
	if (rte_vlan_insert(m) < 0)
		return false;
	(*m)->ol_flags &= ~RTE_MBUF_F_RX_VLAN_STRIPPED;
	return true;
}

void nic_prefetch(struct rte_mbuf *const *frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(frames[i]);
}

bool nic_frame(struct rte_mbuf **frame, unsigned side, uint64_t unix_ns, struct frame *out)
{
	struct rte_mbuf *m;

	if (!restore_vlan(frame))
		return false;
	m = *frame;
	if (m->nb_segs > 1 && rte_pktmbuf_linearize(m) < 0)
		return false;
	*out = (struct frame){.at = rte_pktmbuf_mtod(m, const uint8_t *), .bytes = rte_pktmbuf_data_len(m),
			      .wire_bytes = rte_pktmbuf_pkt_len(m), .unix_ns = unix_ns, .port = (uint16_t)side, .link = LINK_ETHERNET};
	return true;
}

void nic_thread_start(void)
{
	rte_thread_register(); // own mempool cache; without it every allocation takes the shared ring
}

const char *nic_name(unsigned side)
{
	return nic.name[side];
}
