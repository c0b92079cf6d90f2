/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a socket tells beside a message. An AF_PACKET socket tells sender and
 * addressee; every socket may add control messages. A caller can have told a
 * socket to add any control message, at any time. Their order is not fixed.
 */
#ifndef FDL_IO_NOTES_H
#define FDL_IO_NOTES_H

#include <linux/if_packet.h>
#include <sys/socket.h>

#include "io/io.h"

enum {
	/* All that a socket can be told to add comes to 264 bytes: time by two
	 * options, with the packet's place in the device, the drops, the mark,
	 * the priority, Wi-Fi's status, and PACKET_AUXDATA. The rest is for
	 * kernels to come. */
	NOTES_ROOM = 384,
};

struct notes {
	struct sockaddr_ll from;
	union {
		struct cmsghdr align;
		char room[NOTES_ROOM];
	} control;
};

/* Make msg receive into the notes. The name costs a tenth of the system call:
 * it is asked for only where it tells something. */
static inline void notes_listen(const struct io *io, struct msghdr *msg,
				struct notes *notes)
{
	msg->msg_name = io->asks_sender ? &notes->from : NULL;
	msg->msg_namelen = sizeof(notes->from);
	msg->msg_control = &notes->control;
	msg->msg_controllen = sizeof(notes->control);
}

/*
 * Complete f[0..n), which message_fill has filled for msg[0..n), by what the
 * notes of each tell:
 *
 * - the frame's type;
 * - the VLAN tag that the kernel took out;
 * - whether the frame was cut;
 * - whether the virtio-net header has the length that was set up;
 * - whether the message holds several frames;
 * - the time of arrival.
 *
 * Then have the messages receive into the same notes again.
 */
void notes_read(struct io *io, struct mmsghdr msg[], const struct notes notes[],
		struct io_frame f[], int n);

/* io_frame.type of a frame with this sender. */
static inline uint8_t notes_type(const struct sockaddr_ll *from)
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

/* What the sender of a frame tells: its type, and whether it came by the device
 * that the socket was bound to. Another holder may have bound it elsewhere. */
static inline void notes_take_sender(struct io *io,
				     const struct sockaddr_ll *from,
				     struct io_frame *f)
{
	f->type = notes_type(from);
	if (from->sll_ifindex == io->ifindex)
		return;
	f->odd |= IO_STRAY;
	io->strayed = true;
}

#endif
