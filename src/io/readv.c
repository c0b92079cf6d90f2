/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One system call per packet: read(2) on a TUN or TAP, recv(2) on a unix
 * socket, recvmsg(2) on an AF_PACKET socket. Into one contiguous slot: more
 * pieces only cost.
 */
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

#include "io/io.h"
#include "os.h"
#include "proto/eth.h"

static ssize_t read_device(struct io *io, struct io_frame *f)
{
	return os_read(io->fd, f->pkt->data, f->pkt->tail);
}

static ssize_t read_socket(struct io *io, struct io_frame *f)
{
	/* With MSG_TRUNC the return value is the message's real length. */
	return os_recv(io->fd, f->pkt->data, f->pkt->tail,
		       MSG_DONTWAIT | MSG_TRUNC);
}

static uint8_t type_of(const struct sockaddr_ll *from)
{
	_Static_assert((int)FDL_TO_HOST == PACKET_HOST &&
		       (int)FDL_BROADCAST == PACKET_BROADCAST &&
		       (int)FDL_MULTICAST == PACKET_MULTICAST &&
		       (int)FDL_OTHERHOST == PACKET_OTHERHOST,
		       "packet types are those of linux/if_packet.h");

	if (from->sll_pkttype == PACKET_OUTGOING)
		return IO_TYPE_OUTGOING;
	return from->sll_pkttype <= PACKET_OTHERHOST ? from->sll_pkttype
						     : IO_TYPE_UNKNOWN;
}

/* The kernel took the VLAN tag out of the frame: put it back. */
static void insert_tag(struct fdl_packet *pkt, uint16_t tpid, uint16_t tci)
{
	uint8_t *to = pkt->data - ETH_VLAN_LEN;

	memmove(to, pkt->data, 2 * ETH_ADDR_LEN);
	to[12] = (uint8_t)(tpid >> 8);
	to[13] = (uint8_t)tpid;
	to[14] = (uint8_t)(tci >> 8);
	to[15] = (uint8_t)tci;
	pkt->data = to;
	pkt->room -= ETH_VLAN_LEN;
	pkt->tail += ETH_VLAN_LEN;
}

static size_t restore_tag(struct msghdr *msg, struct fdl_packet *pkt,
			  size_t len)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	struct tpacket_auxdata aux;

	if (!c || c->cmsg_level != SOL_PACKET ||
	    c->cmsg_type != PACKET_AUXDATA || len < 2 * ETH_ADDR_LEN)
		return len;
	memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
		return len;
	insert_tag(pkt, aux.tp_status & TP_STATUS_VLAN_TPID_VALID
				? aux.tp_vlan_tpid : 0x8100, aux.tp_vlan_tci);
	return len + ETH_VLAN_LEN;
}

static ssize_t read_packet_socket(struct io *io, struct io_frame *f)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct sockaddr_ll from;
	struct iovec iov = {
		.iov_base = f->pkt->data,
		.iov_len = f->pkt->tail,
	};
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t r;

	r = os_recvmsg(io->fd, &msg, MSG_DONTWAIT | MSG_TRUNC);
	if (r < 0)
		return r;
	f->type = type_of(&from);
	return (ssize_t)restore_tag(&msg, f->pkt, (size_t)r);
}

static ssize_t read_one(struct io *io, struct io_frame *f)
{
	f->type = IO_TYPE_UNKNOWN;
	switch (io->kind) {
	case FDL_KIND_TUN:
	case FDL_KIND_TAP:
		return read_device(io, f);
	case FDL_KIND_PACKET:
		return read_packet_socket(io, f);
	default:
		return read_socket(io, f);
	}
}

static void fill(struct io_frame *f, size_t len)
{
	struct fdl_packet *pkt = f->pkt;

	f->wire_len = len;
	pkt->len = len < pkt->tail ? (uint32_t)len : pkt->tail;
	pkt->tail -= pkt->len;
}

static int readv_recv(struct io *io, struct io_frame f[], int n, int fresh)
{
	ssize_t r;
	int i;

	(void)fresh;
	for (i = 0; i < n; i++) {
		r = read_one(io, &f[i]);
		if (r < 0)
			return i > 0 ? i : (int)r;
		fill(&f[i], (size_t)r);
		if (r == 0)
			return i + 1;
	}
	return n;
}

static const char *readv_refusal(const struct fdl_info *info)
{
	(void)info;
	return NULL;
}

const struct io_ops io_readv = {
	.mode = FDL_MODE_READV,
	.name = "readv",
	.refusal = readv_refusal,
	.recv = readv_recv,
};
