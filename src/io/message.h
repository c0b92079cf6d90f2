/* SPDX-License-Identifier: Apache-2.0 */
/* One message of a socket or device into one packet. */
#ifndef FDL_IO_MESSAGE_H
#define FDL_IO_MESSAGE_H

#include <linux/if_packet.h>
#include <sys/socket.h>

#include "io/io.h"

/* Where an AF_PACKET socket puts what it knows of a frame. */
struct message_notes {
	struct sockaddr_ll from;
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
};

/* Where the next message goes: the packet, with the virtio-net header, if the
 * fd has one, in front of data. */
static inline struct iovec message_room(const struct io *io,
					const struct fdl_packet *pkt)
{
	return (struct iovec){
		.iov_base = pkt->data - io->vnet_hdr_len,
		.iov_len = pkt->tail + io->vnet_hdr_len,
	};
}

/* A message of len bytes, header included, has arrived in f->pkt. */
void message_fill(const struct io *io, struct io_frame *f, size_t len);

/* io_frame.type of a frame that came from there. */
static inline uint8_t message_type(const struct sockaddr_ll *from)
{
	_Static_assert((int)FDL_TO_HOST == PACKET_HOST &&
			       (int)FDL_BROADCAST == PACKET_BROADCAST &&
			       (int)FDL_MULTICAST == PACKET_MULTICAST &&
			       (int)FDL_OTHERHOST == PACKET_OTHERHOST,
		       "packet types are those of linux/if_packet.h");

	if (from->sll_pkttype == PACKET_OUTGOING)
		return IO_TYPE_OUTGOING;
	return from->sll_pkttype <= PACKET_OTHERHOST ? from->sll_pkttype :
						       IO_TYPE_UNKNOWN;
}

/* Make msg receive into the notes. */
void message_listen(struct msghdr *msg, struct message_notes *notes);

/* Take type and VLAN tag of an AF_PACKET message from the notes. */
void message_note(const struct msghdr *msg, const struct message_notes *notes,
		  struct io_frame *f);

#endif
