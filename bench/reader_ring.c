/* SPDX-License-Identifier: Apache-2.0 */
/* A bare TPACKET_V3 ring of the library's geometry, and libpcap. */
#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#ifdef HAVE_PCAP
#include <pcap/pcap.h>
#endif

#include "reader.h"

enum { BLOCK = 512 << 10, BLOCKS = BENCH_BUFFER / BLOCK, TIMEOUT_MS = 1 };

struct ring {
	uint8_t *map;
	unsigned next;
};

static bool is_packet(const struct bench_link *link)
{
	return !strcmp(link->kind, "veth");
}

static void open_ring(struct reader *r)
{
	const struct tpacket_req3 req = {
		.tp_block_size = BLOCK,
		.tp_block_nr = BLOCKS,
		.tp_frame_size = 2048,
		.tp_frame_nr = BENCH_BUFFER / 2048,
		.tp_retire_blk_tov = TIMEOUT_MS,
	};
	struct ring *ring = calloc(1, sizeof(*ring));
	const int version = TPACKET_V3;

	if (!ring ||
	    setsockopt(r->link->fd, SOL_PACKET, PACKET_VERSION, &version,
		       sizeof(version)) ||
	    setsockopt(r->link->fd, SOL_PACKET, PACKET_RX_RING, &req,
		       sizeof(req)))
		bench_die("PACKET_RX_RING", errno);
	ring->map = mmap(NULL, BENCH_BUFFER, PROT_READ | PROT_WRITE, MAP_SHARED,
			 r->link->fd, 0);
	if (ring->map == MAP_FAILED)
		bench_die("mmap", errno);
	r->state = ring;
}

static int step_ring(struct reader *r)
{
	struct tpacket_block_desc *block;
	struct ring *ring = r->state;
	struct tpacket3_hdr *hdr;
	uint32_t i, n;

	block = (void *)(ring->map + (size_t)ring->next * BLOCK);
	if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) &
	      TP_STATUS_USER))
		return 0;
	n = block->hdr.bh1.num_pkts;
	hdr = (void *)((uint8_t *)block + block->hdr.bh1.offset_to_first_pkt);
	for (i = 0; i < n; i++) {
		bench_got(r->shared, (uint8_t *)hdr + hdr->tp_mac);
		hdr = (void *)((uint8_t *)hdr + hdr->tp_next_offset);
	}
	__atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL,
			 __ATOMIC_RELEASE);
	ring->next = (ring->next + 1) % BLOCKS;
	return (int)n;
}

static void wait_ring(struct reader *r)
{
	bench_wait(r->link->fd, POLLIN);
}

const struct reader_ops reader_ring = {
	.name = "bare V3 ring",
	.fits = is_packet,
	.open = open_ring,
	.step = step_ring,
	.wait = wait_ring,
};

#ifdef HAVE_PCAP
static void open_pcap(struct reader *r)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_create(r->link->name, why);

	if (!pcap || pcap_set_snaplen(pcap, BENCH_FRAME) ||
	    pcap_set_timeout(pcap, TIMEOUT_MS) ||
	    pcap_set_buffer_size(pcap, BENCH_BUFFER) ||
	    pcap_activate(pcap) < 0 || pcap_setnonblock(pcap, 1, why))
		bench_die("libpcap", EIO);
	r->state = pcap;
}

static void on_pcap(u_char *shared, const struct pcap_pkthdr *hdr,
		    const u_char *data)
{
	(void)hdr;
	bench_got((void *)shared, data);
}

static int step_pcap(struct reader *r)
{
	const int n = pcap_dispatch(r->state, -1, on_pcap, (u_char *)r->shared);

	return n > 0 ? n : 0;
}

static void wait_pcap(struct reader *r)
{
	bench_wait(pcap_get_selectable_fd(r->state), POLLIN);
}

const struct reader_ops reader_pcap = {
	.name = "libpcap",
	.fits = is_packet,
	.opens = true,
	.open = open_pcap,
	.step = step_pcap,
	.wait = wait_pcap,
};
#endif
