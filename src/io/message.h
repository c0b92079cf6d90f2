/* SPDX-License-Identifier: Apache-2.0 */
/* One message of a socket or device into one packet. */
#ifndef FDL_IO_MESSAGE_H
#define FDL_IO_MESSAGE_H

#include "io/io.h"
#include "packet/pool.h"

/* Empty the packet. Returns where the next message goes: into the packet, and
 * behind it if it is longer, with hdr_len bytes of virtio-net header in front
 * of data. */
static inline struct iovec message_room_at(const struct pool_place *place,
					   unsigned hdr_len,
					   struct fdl_packet *pkt)
{
	pool_reset_at(place, pkt);
	return (struct iovec){
		.iov_base = pkt->data - hdr_len,
		.iov_len = pkt->tail + place->more + hdr_len,
	};
}

/* The same on this fd. */
static inline struct iovec message_room(const struct io *io,
					struct fdl_packet *pkt)
{
	return message_room_at(&io->pool->place, io->vnet_hdr_len, pkt);
}

/* Note how much came of the rest of a message, which is longer than a
 * packet. */
static inline void message_spill(const struct io *io, struct io_frame *f,
				 size_t rest)
{
	const uint32_t more = io->pool->place.more;

	f->rest = rest < more ? (uint32_t)rest : more;
}

/* Describe a message of len bytes, header included, that has arrived in
 * f->pkt. */
static inline void message_fill(const struct io *io, struct io_frame *f,
				size_t len)
{
	struct fdl_packet *pkt = f->pkt;

	/* A header alone is a message all the same, and no end of the link. */
	f->wire_len = len;
	len = len > io->vnet_hdr_len ? len - io->vnet_hdr_len : 0;
	if (len)
		f->wire_len = len;
	f->odd = 0;
	f->type = FDL_TO_HOST;
	f->vlan_tpid = 0;
	if (len > pkt->tail) {
		message_spill(io, f, len - pkt->tail);
		len = pkt->tail;
	}
	pkt->len = (uint32_t)len;
	pkt->tail -= pkt->len;
}

#endif
