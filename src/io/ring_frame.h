/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ring says of a frame, each number read once. Another holder of the
 * socket may have mapped the ring as well, and can write to it at any time:
 * what was checked must be what is used.
 */
#ifndef FDL_IO_RING_FRAME_H
#define FDL_IO_RING_FRAME_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/eth.h"

enum {
	/* What the kernel puts before a frame: TPACKET3_HDRLEN, whose macro
	 * does not survive -Wsign-conversion. */
	RING_SENDER_AT = (sizeof(struct tpacket3_hdr) + 15) / 16 * 16,
	RING_HEADERS_LEN = RING_SENDER_AT + sizeof(struct sockaddr_ll),
};

struct ring_frame {
	uint32_t status;
	uint32_t at;		/* from its header to its data */
	uint32_t len, wire_len;
	uint32_t next;		/* from its header to the next one */
};

static inline struct ring_frame ring_frame(const struct tpacket3_hdr *hdr)
{
	const volatile struct tpacket3_hdr *h = hdr;

	return (struct ring_frame){ h->tp_status, h->tp_mac, h->tp_snaplen,
				    h->tp_len, h->tp_next_offset };
}

/* Bytes between the kernel's headers and the frame: a VLAN tag that was taken
 * out of the frame is put back there. */
static inline uint32_t ring_frame_room(const struct ring_frame *f)
{
	return f->status & TP_STATUS_VLAN_VALID ? ETH_VLAN_LEN : 0;
}

/*
 * Whether there is a frame; left is how many bytes the block has from its
 * header on. A frame that the kernel gave up half-way has an old header and no
 * status (packet(7) does not say so; net/packet/af_packet.c does).
 */
static inline bool ring_frame_is_good(const struct ring_frame *f, size_t left)
{
	return f->status & TP_STATUS_USER &&
	       f->at >= RING_HEADERS_LEN + ring_frame_room(f) &&
	       f->at <= left && f->len <= left - f->at && f->len <= f->wire_len;
}

#endif
