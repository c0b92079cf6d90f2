/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PACKET_RX_RING with TPACKET_V3 (packet(7), and packet_mmap in the kernel's
 * documentation): no system call and no copy per packet. The kernel fills
 * blocks and hands one over when it is full or its timer has run out; an open
 * block is never read, for the kernel counts a packet before it has copied it.
 *
 * Versions 1 and 2 are not offered with a virtio-net header: one packet that
 * the header cannot express blocks such a ring for ever.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_packet.h>

#include "io/changes.h"
#include "io/io.h"
#include "io/packet_mmap.h"
#include "io/ring.h"
#include "os.h"

enum {
	/* A block must hold the longest super-packet and its header. */
	MIN_BLOCK = 128 << 10,
	/* The reader is woken for each block. A longer block costs less per
	 * packet; beyond this the gain is small. */
	MAX_BLOCK = 512 << 10,
	/* At least so many blocks: if they were fewer and longer, single
	 * packets that are held would pin too much of the ring. */
	BLOCKS = 8,
	/*
	 * At low packet rates a block closes for each packet, and the ring of
	 * mode adaptive must last for a grace period in which it is not read.
	 */
	ADAPTIVE_BLOCKS = 128,
	MIN_BLOCKS = 4,
	/* Nominal: frames of V3 are as long as need be. But it has to hold what
	 * comes before them. */
	FRAME = 2048,
	/* Between the kernel's headers and an Ethernet frame, unasked for
	 * (tpacket_rcv of net/packet/af_packet.c). */
	KERNEL_ROOM = 14,
};

struct state {
	struct ring *ring;
};

static int set(struct io *io, int name, int val)
{
	return changes_set(io->changes, io->fd, SOL_PACKET, name, val);
}

/* Returns a power of two, because a page is one. */
static uint32_t block_size(const struct fdl_options *opts)
{
	const uint32_t blocks = opts->mode == FDL_MODE_PACKET_MMAP ?
					BLOCKS :
					ADAPTIVE_BLOCKS;
	uint32_t block = MIN_BLOCK, page = (uint32_t)os_page_size();

	while (block < MAX_BLOCK && 2 * block <= opts->ring_bytes / blocks)
		block *= 2;
	return block < page ? page : block;
}

static uint32_t frame_size(unsigned reserved)
{
	uint32_t frame = FRAME;

	while (frame < RING_HEADERS_LEN + reserved)
		frame *= 2;
	return frame;
}

static struct tpacket_req3 geometry(const struct fdl_options *opts,
				    unsigned reserved)
{
	const uint32_t block = block_size(opts), frame = frame_size(reserved);
	struct tpacket_req3 req = {
		.tp_frame_size = frame,
		.tp_retire_blk_tov = opts->ring_timeout_ms,
	};

	/* The kernel's hash differs from fdlink's. In mode adaptive only some
	 * packets come through the ring, and a flow would have two hashes. */
	if (opts->mode == FDL_MODE_PACKET_MMAP &&
	    !(opts->flags & FDL_NO_METADATA))
		req.tp_feature_req_word = TP_FT_REQ_FILL_RXHASH;
	req.tp_block_size = block;
	req.tp_block_nr = opts->ring_bytes / block;
	if (req.tp_block_nr < MIN_BLOCKS)
		req.tp_block_nr = MIN_BLOCKS;
	req.tp_frame_nr = req.tp_block_nr * (block / frame);
	return req;
}

/*
 * Reserve room before each frame: POOL_MIN_ROOM and the headroom, and so much
 * that the byte behind the link header is aligned to 4. No more, because each
 * cache line that a frame takes is felt.
 */
static unsigned reserve(const struct io *io, const struct fdl_options *opts)
{
	const unsigned want = POOL_MIN_ROOM + opts->headroom;
	unsigned have = KERNEL_ROOM + io->vnet_hdr_len;

	while (have < want || (have - KERNEL_ROOM) % 4)
		have++;
	return have - KERNEL_ROOM - io->vnet_hdr_len;
}

static int set_up(struct io *io, unsigned reserved,
		  const struct tpacket_req3 *req)
{
	int err;

	err = set(io, PACKET_VERSION, TPACKET_V3);
	if (!err)
		err = set(io, PACKET_RESERVE, (int)reserved);
	if (!err)
		err = changes_set_ring(io->changes, io->fd, req);
	return err;
}

/* The ring goes from the socket when its changes are undone, unless a packet is
 * held that could not be copied. */
static void packet_mmap_close(struct io *io)
{
	struct state *st = io->state;

	if (!st)
		return;
	ring_orphan(st->ring);
	free(st);
	io->state = NULL;
}

static int packet_mmap_open(struct io *io, const struct fdl_options *opts)
{
	const unsigned reserved = reserve(io, opts);
	const struct tpacket_req3 req = geometry(opts, reserved);
	struct state *st = calloc(1, sizeof(*st));
	int err;

	io->state = st;
	if (!st)
		return -ENOMEM;
	err = set_up(io, reserved, &req);
	if (!err)
		err = ring_new(&st->ring, io->fd, req.tp_block_nr,
			       req.tp_block_size, io->pool);
	if (!err)
		return 0;
	free(st);
	io->state = NULL;
	return err;
}

static int packet_mmap_recv(struct io *io, struct io_frame f[], int n,
			    int fresh)
{
	const struct state *st = io->state;
	int got = ring_recv(st->ring, io, f, n);

	(void)fresh;
	return got ? got : -EAGAIN;
}

static bool packet_mmap_peek(const struct io *io)
{
	const struct state *st = io->state;

	return ring_ready(st->ring);
}

bool packet_mmap_is_filling(const struct io *io)
{
	const struct state *st = io->state;

	return ring_is_filling(st->ring);
}

const struct io_ops io_packet_mmap = {
	.mode = FDL_MODE_PACKET_MMAP,
	.name = "packet_mmap",
	.edge = true,
	.by_block = true,
	.of_file = true,
	.header_at = FDL_VNET_HDR_LEN,
	.peek = packet_mmap_peek,
	.not_served = "it is no AF_PACKET socket",
	.open = packet_mmap_open,
	.close = packet_mmap_close,
	.recv = packet_mmap_recv,
};
