/* SPDX-License-Identifier: Apache-2.0 */
/* Packets: contiguous bytes with headroom, and what is known about them. */
#ifndef FDLINK_PACKET_H
#define FDLINK_PACKET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* State of the transport checksum, fdl_offload.csum. */
enum fdl_csum {
	FDL_CSUM_NONE,		/* nothing known; what is there is there */
	FDL_CSUM_VALID,		/* the other side vouches for it */
	FDL_CSUM_PARTIAL,	/* holds the pseudo-header sum; the rest is
				 * still to be added from csum_start on. Never
				 * of SCTP, whose checksum is no sum: one that
				 * a kernel left undone is completed on receive,
				 * and to send one is refused */
};

/* Kind of super-packet, fdl_offload.gso. */
enum fdl_gso {
	FDL_GSO_NONE,
	FDL_GSO_TCPV4,
	FDL_GSO_TCPV6,
	FDL_GSO_UDP,		/* UDP over either IP version */
};

/*
 * What is left undone on a packet: by the wire on receive, for the wire on
 * send. All zero: nothing. The fields are those of struct virtio_net_hdr
 * (linux/virtio_net.h), in host order.
 */
struct fdl_offload {
	uint8_t csum;		/* enum fdl_csum */
	uint8_t gso;		/* enum fdl_gso */
	uint8_t ecn;		/* 1: the super-packet carries CWR (RFC 3168) */
	uint16_t gso_size;	/* payload bytes per segment, 0 without gso */
	uint16_t hdr_len;	/* bytes of all headers at data */
	uint16_t csum_start;	/* bytes from data to where summing starts */
	uint16_t csum_offset;	/* bytes from csum_start to the checksum */
};

/* fdl_packet.type: to whom the link layer addressed the packet. */
enum fdl_packet_type {
	FDL_TO_HOST,		/* this endpoint; always so without link header */
	FDL_BROADCAST,
	FDL_MULTICAST,
	FDL_OTHERHOST,
	FDL_OUTGOING,		/* sent by this machine: FDL_RX_OUTGOING */
};

struct fdl_store;		/* where a packet's memory comes from */

/*
 * One frame or IP packet. A packet belongs to exactly one side: fdl_recv and
 * fdl_alloc give it to the caller, fdl_release and fdl_send take it back. The
 * owner may change every public field and every byte of
 * [data - room, data + len + tail).
 */
struct fdl_packet {
	uint8_t *data;		/* first byte: link header if any, else IP */
	uint32_t len;		/* bytes at data */
	uint32_t room;		/* writable bytes before data */
	uint32_t tail;		/* writable bytes after data + len */
	uint16_t protocol;	/* network protocol behind any VLAN tags, host
				 * order: 0x0800, 0x86dd (linux/if_ether.h);
				 * 4 for an IEEE 802.3 length field */
	uint8_t link_len;	/* bytes of link header at data: 0, or 14, with
				 * VLAN tags 18 or 22; 255 means 255 or more:
				 * fdl_packet_push */
	uint8_t type;		/* enum fdl_packet_type */
	uint32_t hash;		/* flow hash; 0: not computed */
	struct fdl_offload off;
	uint64_t tstamp_ns;	/* CLOCK_REALTIME of arrival; 0: not given */
	void *user;		/* carried, never read; NULL on receive */
	struct fdl_store *store_; /* private */
};

/*
 * Put n bytes in front of the packet, for a header to be written there. They
 * hold garbage. link_len grows by n, up to 255, where the packet has a link
 * header or n is a header's length (14, 18, 22). So behind an outer header, of
 * a tunnel, link_len is where the inner packet begins. off.csum_start grows by
 * n where the checksum is partial, and off.hdr_len where it is not 0.
 * Returns the new data, or NULL, and nothing changed, when room < n.
 */
uint8_t *fdl_packet_push(struct fdl_packet *pkt, size_t n);

/*
 * Take n bytes off the front. link_len, off.hdr_len and off.csum_start shrink
 * by n, down to 0; a link_len of 255, which may be more, becomes 0. A checksum
 * whose start is pulled away is no longer partial.
 * Returns the new data, or NULL, and nothing changed, when len < n.
 */
uint8_t *fdl_packet_pull(struct fdl_packet *pkt, size_t n);

#ifdef __cplusplus
}
#endif

#endif
