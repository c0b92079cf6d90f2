/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a PACKET_RX_RING in blocks (TPACKET_V3, linux/if_packet.h), and
 * who holds a block: the kernel, or the packets that lie in it. A block goes
 * back when the last of them is released, from any thread.
 */
#ifndef FDL_IO_RING_H
#define FDL_IO_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/if_packet.h>

#include "io/io.h"
#include "io/ring_frame.h"
#include "packet/pool.h"

struct ring;

/*
 * Map the ring of fd, which has been set up with so many blocks of so many
 * bytes, a power of two. Packets in the ring are those of pool, pointed at the
 * ring.
 * Errors: -ENOMEM, those of mmap(2).
 */
int ring_new(struct ring **ring, int fd, unsigned blocks, uint32_t block_size,
	     struct pool *pool);

/*
 * Let go of the ring: all of it is unmapped from the socket. What packets still
 * lie in is copied to memory of its own at the same place, and freed with the
 * last one. Their owners may write to them meanwhile. The fd is still open.
 * NULL is fine.
 */
void ring_orphan(struct ring *ring);

/*
 * The next frames of the ring, n at most, into f[i].pkt, which are packets of
 * the pool as they were released. IO_TYPE_GHOST is a frame that the kernel
 * never filled in, or that makes no sense; its packet is left as it was.
 * Returns how many; 0: the kernel has not closed another block. Receive side.
 */
int ring_recv(struct ring *ring, struct io *io, struct io_frame f[], int n);

/* Would ring_recv find something? */
bool ring_ready(const struct ring *ring);

/* After ring_recv found nothing: does the kernel count packets in the block
 * that is to come? */
bool ring_is_filling(const struct ring *ring);

#endif
