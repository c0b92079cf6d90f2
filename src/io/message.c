/* SPDX-License-Identifier: Apache-2.0 */
#include "io/message.h"

#include <string.h>

#include "proto/eth.h"

void message_fill(const struct io *io, struct io_frame *f, size_t len)
{
	struct fdl_packet *pkt = f->pkt;

	/* A header alone is a message all the same, and no end of the link. */
	f->wire_len = len;
	len = len > io->vnet_hdr_len ? len - io->vnet_hdr_len : 0;
	if (len)
		f->wire_len = len;
	f->type = IO_TYPE_UNKNOWN;
	f->vlan_tpid = 0;
	pkt->len = len < pkt->tail ? (uint32_t)len : pkt->tail;
	pkt->tail -= pkt->len;
}

void message_listen(struct msghdr *msg, struct message_notes *notes)
{
	msg->msg_name = &notes->from;
	msg->msg_namelen = sizeof(notes->from);
	msg->msg_control = &notes->control;
	msg->msg_controllen = sizeof(notes->control);
}

void message_note(const struct msghdr *msg, const struct message_notes *notes,
		  struct io_frame *f)
{
	const struct cmsghdr *c = &notes->control.align;
	struct tpacket_auxdata aux;

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
