/* SPDX-License-Identifier: Apache-2.0 */
/* Packets: contiguous bytes with headroom, and what is known about them. */
#ifndef FDLINK_PACKET_H
#define FDLINK_PACKET_H

#include <stddef.h>
#include <stdint.h>

/* struct iovec; FDL_HAVE_IOVEC: another header has defined it. */
#ifndef FDL_HAVE_IOVEC
#include <sys/uio.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* State of the transport checksum, fdl_offload.csum. */
enum fdl_csum {
	FDL_CSUM_NONE,		/* not known; the field holds whatever came */
	FDL_CSUM_VALID,		/* the other side vouches for it */
	FDL_CSUM_PARTIAL,	/* the field holds the sum of the pseudo-header;
				 * that of the bytes from csum_start on is still
				 * to be added. Not used for SCTP, whose
				 * checksum is a CRC: on receive the library
				 * completes it; a packet sent so is refused */
};

/*
 * Kind of super-packet, fdl_offload.gso. A super-packet is one packet with the
 * payload of several segments of one flow, to be cut before it reaches a
 * network (generic segmentation offload).
 */
enum fdl_gso {
	FDL_GSO_NONE,
	FDL_GSO_TCPV4,
	FDL_GSO_TCPV6,
	FDL_GSO_UDP,		/* UDP over either IP version */
};

/*
 * What one side has left to the other to do on a packet: the wire to the stack
 * on receive, the stack to the wire on send. All zero: nothing. The fields are
 * those of struct virtio_net_hdr (linux/virtio_net.h), in host order.
 */
struct fdl_offload {
	uint8_t csum;		/* enum fdl_csum */
	uint8_t gso;		/* enum fdl_gso */
	__extension__ union {	/* C99 has no union without a name */
		uint8_t ecn;	/* 1: the super-packet carries CWR (RFC 3168) */
		uint8_t ecn_tunnel_[2];	/* private */
	};
	uint16_t gso_size;	/* payload bytes per segment; 0 without gso */
	uint16_t hdr_len;	/* bytes of all headers at data; 0 without gso.
				 * On send it is computed anew */
	uint16_t csum_start;	/* bytes from data to where summing starts */
	uint16_t csum_offset;	/* bytes from csum_start to the checksum */
};

/*
 * Tell whether a packet is a super-packet inside a tunnel. If it is, gso,
 * gso_size, csum_start and csum_offset describe the inner packet, and hdr_len
 * includes the outer headers. (The answer lies in a byte that was padding, so
 * that a packet stays one cache line.)
 *
 * Returns 0 for any other packet, else the number of bytes from data to the
 * header behind the outer IP header (UDP, GRE or the inner IP header); 255
 * means 255 or more. On send the number is computed anew.
 */
unsigned fdl_offload_tunnel(const struct fdl_offload *off);

/* fdl_packet.type: to whom the link layer addressed the packet. */
enum fdl_packet_type {
	FDL_TO_HOST,		/* this endpoint, or there is no link header */
	FDL_BROADCAST,
	FDL_MULTICAST,
	FDL_OTHERHOST,		/* another station */
	FDL_OUTGOING,		/* any; this machine sent it: FDL_RX_OUTGOING */
};

struct fdl_store;		/* where a packet's memory comes from */

/*
 * One frame or IP packet. A packet belongs to exactly one side: fdl_recv and
 * fdl_alloc give it to the caller; fdl_release takes it back, and so does
 * fdl_send for each packet that it counts. The owner may change every public
 * field and every byte of [data - room, data + len + tail).
 */
struct fdl_packet {
	uint8_t *data;		/* first byte of the link header, or of the IP
				 * header on a link without one */
	uint32_t len;		/* bytes at data */
	uint32_t room;		/* writable bytes before data */
	uint32_t tail;		/* writable bytes after data + len */
	uint16_t protocol;	/* network protocol behind any VLAN tags, host
				 * order: 0x0800, 0x86dd (linux/if_ether.h);
				 * 4 for an IEEE 802.3 length field */
	uint8_t link_len;	/* bytes of link header at data: 0 or 14; with
				 * VLAN tags 18 or 22; after fdl_packet_push up
				 * to 255, which means 255 or more */
	uint8_t type;		/* enum fdl_packet_type */
	uint32_t hash;		/* flow hash; 0: not computed. In mode
				 * packet_mmap it is the kernel's, except with
				 * FDL_NO_METADATA: that differs from
				 * fdl_flow_hash and between the two directions
				 * of a flow */
	struct fdl_offload off;
	uint64_t tstamp_ns;	/* CLOCK_REALTIME of arrival; 0: not given.
				 * AF_PACKET: always given, except where
				 * FDL_NO_METADATA says so; before the kernel
				 * has begun to stamp, a moment after the
				 * machine's first socket asked for it, the time
				 * of reading. UDP: given while
				 * SO_TIMESTAMP, SO_TIMESTAMPNS or
				 * SO_TIMESTAMPING is set on the socket. Others:
				 * never given */
	void *user;		/* carried, never read; NULL on receive */
	struct fdl_store *store_; /* private */
};

/*
 * Put n bytes in front of the packet, for a header to be written there. They
 * hold garbage.
 *
 *	link_len	grows by n, up to 255, if it is not 0 or n is the length
 *			of a link header (14, 18, 22). So behind the outer
 *			headers of a tunnel, link_len is where the inner IP
 *			packet begins
 *	off.csum_start	grows by n if the checksum is partial
 *	off.hdr_len	grows by n, and stays 0 if it is 0
 *	fdl_offload_tunnel
 *			grows by n, up to 255, and stays 0 if it is 0
 *
 * A packet with a partial checksum, and a super-packet that has to be cut, may
 * be sent behind the outer headers of a tunnel (doc/offload.md lists the
 * tunnels). Write the outer headers for a packet of this length. Before a
 * super-packet, an outer UDP checksum of 0 means that the segments have none;
 * with any other value each segment gets its own.
 *
 * Returns the new data, or NULL: room < n, and nothing changed.
 */
uint8_t *fdl_packet_push(struct fdl_packet *pkt, size_t n);

/*
 * Take n bytes off the front.
 *
 *	link_len	shrinks by n, down to 0; 255, which may mean more,
 *			becomes 0
 *	off.csum_start	shrinks by n, down to 0. If n goes beyond it, the
 *			checksum is no longer partial but FDL_CSUM_NONE
 *	off.hdr_len	shrinks by n, down to 0
 *	fdl_offload_tunnel
 *			shrinks by n, down to 0: without the outer headers
 *			there is no tunnel
 *
 * Returns the new data, or NULL: len < n, and nothing changed.
 */
uint8_t *fdl_packet_pull(struct fdl_packet *pkt, size_t n);

#ifdef __cplusplus
}
#endif

#endif
