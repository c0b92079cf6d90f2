/* SPDX-License-Identifier: Apache-2.0 */
/* One message of a socket or device into one packet. */
#ifndef FDL_IO_MESSAGE_H
#define FDL_IO_MESSAGE_H

#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

#include "io/io.h"
#include "packet/pool.h"
#include "proto/eth.h"

/* Where an AF_PACKET socket puts what it knows of a frame. */
struct message_notes {
	struct sockaddr_ll from;
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
};

/* Empty the packet. Returns where the next message goes: into it, with the
 * virtio-net header, if the fd has one, in front of data. */
static inline struct iovec message_room(const struct io *io,
					struct fdl_packet *pkt)
{
	pool_reset(io->pool, pkt);
	return (struct iovec){
		.iov_base = pkt->data - io->vnet_hdr_len,
		.iov_len = pkt->tail + io->vnet_hdr_len,
	};
}

/* A message of len bytes, header included, has arrived in f->pkt. */
static inline void message_fill(const struct io *io, struct io_frame *f,
				size_t len)
{
	struct fdl_packet *pkt = f->pkt;

	/* A header alone is a message all the same, and no end of the link. */
	f->wire_len = len;
	len = len > io->vnet_hdr_len ? len - io->vnet_hdr_len : 0;
	if (len)
		f->wire_len = len;
	f->type = FDL_TO_HOST;
	f->vlan_tpid = 0;
	pkt->len = len < pkt->tail ? (uint32_t)len : pkt->tail;
	pkt->tail -= pkt->len;
}

/* io_frame.type of a frame that came from there. */
static inline uint8_t message_type(const struct sockaddr_ll *from)
{
	_Static_assert((int)FDL_TO_HOST == PACKET_HOST &&
			       (int)FDL_BROADCAST == PACKET_BROADCAST &&
			       (int)FDL_MULTICAST == PACKET_MULTICAST &&
			       (int)FDL_OTHERHOST == PACKET_OTHERHOST &&
			       (int)FDL_OUTGOING == PACKET_OUTGOING,
		       "packet types are those of linux/if_packet.h");

	return from->sll_pkttype <= PACKET_OUTGOING ? from->sll_pkttype :
						      (uint8_t)FDL_TO_HOST;
}

/* Make msg receive into the notes. The name costs a tenth of the system call:
 * it is asked for only where it tells something. */
static inline void message_listen(const struct io *io, struct msghdr *msg,
				  struct message_notes *notes)
{
	msg->msg_name = io->asks_sender ? &notes->from : NULL;
	msg->msg_namelen = sizeof(notes->from);
	msg->msg_control = &notes->control;
	msg->msg_controllen = sizeof(notes->control);
}

/* Take type and VLAN tag of an AF_PACKET message from the notes. */
static inline void message_note(const struct msghdr *msg,
				const struct message_notes *notes,
				struct io_frame *f)
{
	const struct cmsghdr *c = &notes->control.align;
	struct tpacket_auxdata aux;

	if (msg->msg_name)
		f->type = message_type(&notes->from);
	if (msg->msg_controllen < CMSG_LEN(sizeof(aux)) ||
	    c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
		return;
	memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
		return;
	f->vlan_tpid = aux.tp_status & TP_STATUS_VLAN_TPID_VALID ?
			       aux.tp_vlan_tpid :
			       ETH_TYPE_VLAN;
	f->vlan_tci = aux.tp_vlan_tci;
}

#endif
