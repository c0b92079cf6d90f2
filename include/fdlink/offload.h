/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offloads in software: completing checksums, cutting super-packets into
 * segments, merging segments into super-packets, and the virtio-net header that
 * describes such packets (packet.h says what these words mean).
 *
 * All are pure functions over the caller's bytes: they use no endpoint, no fd
 * and no allocation, and keep no state except in the structs that the caller
 * provides. Any thread, one at a time per struct. Every input may come from a
 * stranger: nothing is read outside the lengths given.
 *
 * Everywhere, a frame starts with link_len bytes of link header: 0 or 14; with
 * VLAN tags 18 or 22. Fields marked private are for these functions alone.
 */
#ifndef FDLINK_OFFLOAD_H
#define FDLINK_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fdlink/packet.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Longest link, IP and transport headers together that are cut or merged. */
#define FDL_HEADERS_MAX 256

/* Why a packet, or the fdl_offload that describes it, was refused. */
enum fdl_refusal {
	FDL_REFUSE_NONE,	/* it was not refused */
	FDL_REFUSE_SHORT,	/* a header goes past the end of the frame */
	FDL_REFUSE_HEADERS,	/* longer than FDL_HEADERS_MAX, or in pieces */
	FDL_REFUSE_NOT_IP,	/* not IP, or not the version announced */
	FDL_REFUSE_IP,		/* impossible lengths in an IP header */
	FDL_REFUSE_FRAGMENT,	/* a fragment where a whole one is needed */
	FDL_REFUSE_TRANSPORT,	/* not TCP or UDP, or impossible lengths */
	FDL_REFUSE_GSO_TYPE,	/* unknown, or contradicting the packet */
	FDL_REFUSE_GSO_SIZE,	/* 0 or 65535, or so small that there would be
				 * more than 8192 segments of TCP, or 128 of
				 * UDP; or so large that a segment's length
				 * does not fit its IP header */
	FDL_REFUSE_GSO_CSUM,	/* a super-packet without a partial checksum: of
				 * UDP and FDL_CSUM_NONE, or behind an IPv6
				 * routing header */
	FDL_REFUSE_CSUM_START,	/* inside a link or IP header, or past the
				 * end */
	FDL_REFUSE_CSUM_OFFSET,	/* past the end, or not the protocol's */
	FDL_REFUSE_TUNNEL,	/* a super-packet whose outer headers are not a
				 * tunnel, or not one that can be cut
				 * (doc/offload.md) */
};

/* "short", "headers" ...; NULL for a number that is no refusal. */
const char *fdl_refusal_name(enum fdl_refusal why);

/*
 * Checksums (RFC 1071). A sum is the ones' complement sum of 16-bit words as
 * they lie in memory, not inverted: ready to be stored with memcpy.
 */

/*
 * Add the sum of len bytes to sum. The bytes are taken to start at an even
 * distance from the first byte summed. For a piece at an odd distance, swap the
 * two bytes of its sum; fdl_checksum_iov does that by itself.
 * Returns the new sum.
 */
uint16_t fdl_checksum_sum(const void *bytes, size_t len, uint16_t sum);

/*
 * Add to sum the sum of len bytes that start skip bytes into the pieces; of
 * fewer, if there are fewer.
 * Returns the new sum.
 */
uint16_t fdl_checksum_iov(const struct iovec *iov, int cnt, size_t skip,
			  size_t len, uint16_t sum);

/*
 * Update the checksum at field after some of the bytes that it covers have
 * changed: the len bytes at old_bytes became those at new_bytes (RFC 1624).
 * They lie at an even distance from the start of what is covered, and len is
 * even. Do not call it for a UDP field of 0, which means no checksum.
 */
void fdl_checksum_update(uint8_t field[2], const void *old_bytes,
			 const void *new_bytes, size_t len);

/*
 * Complete a partial checksum: add the bytes from csum_start to the end of the
 * packet to what the field holds. The end is that of the IP packet, where it
 * can be told from padding. A result of 0 becomes 0xffff, which UDP needs. SCTP
 * gets its CRC32c. off->csum becomes FDL_CSUM_VALID. With any other off->csum
 * nothing happens.
 *
 * Returns 0.
 * Errors:
 *	-EINVAL		csum_start or csum_offset is not inside the frame
 */
int fdl_checksum_complete(uint8_t *frame, size_t len, unsigned link_len,
			  struct fdl_offload *off);

/*
 * Verify the checksum of TCP or UDP, and the one of IPv4's header.
 *
 * Returns
 *	1	they are right; also UDP over IPv4 without a checksum
 *	0	one is wrong
 * Errors:
 *	-EOPNOTSUPP	it cannot be told: the frame is not TCP or UDP over IP,
 *			or a fragment, or malformed, or an IPv6 routing header
 *			hides the final destination
 */
int fdl_checksum_verify(const uint8_t *frame, size_t len, unsigned link_len);

/*
 * Check *off against a frame of len bytes, of which the first avail lie at
 * frame, and make it canonical:
 *
 *	hdr_len		is computed anew; 0 without gso
 *	gso		becomes none if one segment holds all of the payload,
 *			except inside a tunnel, whose outer headers have to be
 *			completed all the same
 *	fdl_offload_tunnel
 *			is computed anew
 *	unused fields	become 0
 *
 * What passes can be given to fdl_checksum_complete, fdl_vnet_hdr_encode and
 * fdl_segment_start, with two exceptions. SCTP with a partial checksum is for
 * fdl_checksum_complete only. Kernels refuse the header of a super-packet of
 * UDP whose checksum is not partial.
 *
 * Returns FDL_REFUSE_NONE, or why it is refused; *off is then unchanged.
 */
enum fdl_refusal fdl_offload_check(const uint8_t *frame, size_t avail,
				   size_t len, unsigned link_len,
				   struct fdl_offload *off);

/*
 * Hash of the flow that a frame of len bytes belongs to: of its addresses, its
 * protocol and its ports; of a fragment's addresses alone; of the link header
 * if the frame is not IP. Both directions of a flow have the same hash.
 * fdl_write_packets uses it for a packet whose hash is 0. The hash has no key:
 * a sender who chooses the addresses can choose the hash.
 *
 * Returns the hash, never 0.
 */
uint32_t fdl_flow_hash(const uint8_t *frame, size_t len, unsigned link_len);

/* Bytes of struct virtio_net_hdr (linux/virtio_net.h): without num_buffers;
 * with it; and with the fields that describe a tunnel (Linux 6.17). */
enum {
	FDL_VNET_HDR_LEN = 10,
	FDL_VNET_HDR_MRG_LEN = 12,
	FDL_VNET_HDR_TUNNEL_LEN = 24,
};

/* Byte order of a virtio-net header: this machine's, unless the fd was told
 * otherwise (TUNSETVNETLE, TUNSETVNETBE); little in virtio 1. */
enum fdl_order {
	FDL_ORDER_NATIVE,
	FDL_ORDER_LITTLE,
	FDL_ORDER_BIG,
};

/*
 * Write *off, which fdl_offload_check must have passed, as a header of size 10,
 * 12 or 24 bytes. num_buffers is 0. Nothing is checked here. For a super-packet
 * inside a tunnel call fdl_vnet_hdr_put_tunnel as well.
 */
void fdl_vnet_hdr_encode(uint8_t *hdr, size_t size, enum fdl_order order,
			 const struct fdl_offload *off);

/*
 * Add the place of the outer headers of a super-packet inside a tunnel to a
 * header of 24 bytes that fdl_vnet_hdr_encode wrote. The frame has len bytes,
 * of which the first avail lie at frame; fdl_offload_check must have passed
 * *off. If fdl_offload_tunnel(off) is 0, nothing happens.
 *
 * Returns 0.
 * Errors:
 *	-EOPNOTSUPP	the header cannot describe the tunnel, and the
 *			super-packet must be cut: the tunnel is not in UDP, or
 *			there are two, or the outer UDP checksum is neither 0
 *			nor that of its pseudo-header
 */
int fdl_vnet_hdr_put_tunnel(uint8_t hdr[FDL_VNET_HDR_TUNNEL_LEN],
			    const uint8_t *frame, size_t avail, size_t len,
			    unsigned link_len, const struct fdl_offload *off);

/*
 * Read a header of size bytes, at least 10. Only a header of 24 bytes may say
 * that there is a tunnel; fdl_offload_check finds where. Only its own fields
 * are checked: call fdl_offload_check before you rely on *off. If you put a
 * VLAN tag back that the kernel had stripped (PACKET_AUXDATA), add 4 to
 * csum_start between the two calls.
 *
 * Returns FDL_REFUSE_NONE, or why it is refused; *off is then unchanged.
 */
enum fdl_refusal fdl_vnet_hdr_decode(const uint8_t *hdr, size_t size,
				     enum fdl_order order,
				     struct fdl_offload *off);

/* Cutting one packet. The caller provides the structs and may reuse them; all
 * fields are private. */
struct fdl_cursor {
	const struct iovec *iov;
	size_t skip;
	int cnt;
};

/* At most so many headers of tunnels have fields that differ from segment to
 * segment. */
#define FDL_TUNNEL_HEADERS 6

struct fdl_segmenter {
	struct fdl_cursor at;
	uint32_t left, size, summed, seq;
	uint16_t hdr_len, l3, l4, id, csum, csum_start, csum_offset, unit;
	uint8_t version, gso, tcp_flags, undone, ecn;
	bool complete, done;
	uint8_t tunnel, outers;
	uint8_t outer_is[FDL_TUNNEL_HEADERS], outer_at[FDL_TUNNEL_HEADERS];
	uint8_t hdr[FDL_HEADERS_MAX];
};

/* fdl_segment_start() */
enum {
	/* The segments' checksums stay partial, for the wire to complete. */
	FDL_SEGMENT_PARTIAL	= 1 << 0,
};

/*
 * Begin to cut a frame, which is given in pieces. The pieces and the array iov
 * must stay until the last segment is cut; they are not written to. *off must
 * be as fdl_offload_check passes it, else it is refused. Any packet may be
 * given: a packet that is no super-packet comes out as one segment, with its
 * checksum completed unless flags say otherwise. SCTP with a partial checksum
 * is refused.
 *
 * The segments are those that the kernel's own segmentation makes:
 *
 *	copied			link header, IP and TCP options, headers of
 *				tunnels except the fields named below
 *	counted up		IP id, also in outer headers; sequence number
 *	computed		lengths (the last segment may be shorter); in
 *				outer headers also the checksums of IPv4 and
 *				GRE, and that of UDP if it is not 0
 *	on the last only	FIN, PSH
 *	on the first only	CWR, where off->ecn says so, else it is copied
 *				(it is a bit of the counter of AccECN then)
 *
 * Padding behind the IP packet is not part of a super-packet.
 *
 * Returns FDL_REFUSE_NONE, or why it is refused; nothing can be cut then.
 */
enum fdl_refusal fdl_segment_start(struct fdl_segmenter *s,
				   const struct iovec *iov, int cnt,
				   unsigned link_len,
				   const struct fdl_offload *off,
				   unsigned flags);

/* Returns the bytes of the next segment, headers included; 0: all are cut. */
size_t fdl_segment_len(const struct fdl_segmenter *s);

/*
 * Cut the next segment into buf of size bytes. off may be NULL; *off gets what
 * is left to do on the segment.
 *
 * Returns
 *	its length
 *	0		all are cut
 * Errors:
 *	-EMSGSIZE	size is less than fdl_segment_len; nothing was cut
 */
int fdl_segment_next(struct fdl_segmenter *s, uint8_t *buf, size_t size,
		     struct fdl_offload *off);

/*
 * As fdl_segment_next, without copying the payload: the headers are written to
 * hdr, and iov[0..max) gets them and the pieces of the payload.
 *
 * Returns
 *	the number of pieces
 *	0		all are cut
 * Errors:
 *	-EMSGSIZE	there are more than max pieces; nothing was cut
 */
int fdl_segment_gather(struct fdl_segmenter *s, uint8_t hdr[FDL_HEADERS_MAX],
		       struct iovec *iov, int max, struct fdl_offload *off);

/*
 * Merging the packets of a batch. One of these describes each packet. The
 * caller provides it; it and the bytes must stay until the batch is taken out.
 * The bytes are not written to.
 */
struct fdl_coalesce_packet {
	/* set by the caller */
	const struct iovec *iov;	/* the frame; it is merged only if all
					 * headers are in the first piece */
	int cnt;
	uint8_t link_len;
	struct fdl_offload off;		/* what is left to do on it, as
					 * fdl_offload_check passes it */
	void *user;			/* carried, never read */

	/* set by fdl_coalesce_next: the packets of a super-packet, in order */
	struct fdl_coalesce_packet *next;

	/* private */
	struct fdl_coalesce_packet *last_, *item_;
	const uint8_t *hdr_;
	uint32_t len_, payload_, total_, hash_;
	uint16_t l3_, l4_, hdr_len_, count_;
	int pieces_;
	uint8_t version_, proto_;
	bool trusted_;
	uint8_t fixed_ids_;
	struct {
		uint8_t n, l4, is[FDL_TUNNEL_HEADERS / 2],
			at[FDL_TUNNEL_HEADERS / 2];
	} outer_;
};

/* How many flows can grow at the same time; further ones take the place of
 * others. */
#define FDL_COALESCE_FLOWS 64

/* One batch being merged. The caller provides it; all fields are private. */
struct fdl_coalescer {
	struct fdl_coalesce_packet *first, *last;
	struct fdl_coalesce_packet *flow[FDL_COALESCE_FLOWS];
	uint32_t max_len;
	int max_pieces;
	unsigned flags;
	unsigned recent;
	bool open, tunnels, datagrams;
};

/* fdl_coalesce_init() */
enum {
	FDL_COALESCE_TCP	= 1 << 0,
	FDL_COALESCE_UDP	= 1 << 1,
	/* For packets that are sent: IPv4 ids need not be consecutive where DF
	 * is set (RFC 6864, section 4.1). */
	FDL_COALESCE_ANY_ID	= 1 << 2,
	/* What the first two flags say, inside tunnels, too. In UDP the port
	 * tells what a datagram carries: VXLAN (4789, 4790, 8472), GENEVE
	 * (6081) or GUE (6080). */
	FDL_COALESCE_UDP_TUNNEL	= 1 << 3,
	/* The same inside GRE, and inside IP in IP. */
	FDL_COALESCE_IP_TUNNEL	= 1 << 4,
	/* As FDL_COALESCE_UDP_TUNNEL, only in datagrams that have a checksum
	 * and whose packets leave theirs to the wire: for a wire that takes
	 * super-packets of UDP and knows no tunnels. What was merged goes there
	 * as the datagrams of one super-packet. */
	FDL_COALESCE_UDP_TUNNEL_SUM = 1 << 5,
};

/*
 * Begin with an empty batch.
 *
 *	flags		what is merged
 *	max_len		the longest super-packet in bytes, link header included;
 *			0, or more than 65535: 65535
 *	max_pieces	the most pieces of payload in one; 0: 1022, which leaves
 *			two of IOV_MAX for the headers
 */
void fdl_coalesce_init(struct fdl_coalescer *c, unsigned flags,
		       uint32_t max_len, int max_pieces);

/*
 * Add a packet to the batch. It is merged with earlier ones as the kernel's GRO
 * would merge it, if all of these hold:
 *
 *	- it is of the same flow, with the next sequence number
 *	- TTL, DSCP and ECN, DF, options and flow label are the same
 *	- IPv4 ids count up or, with DF, stand still
 *	- payloads are of one length; only the last may be shorter
 *	- no earlier packet had PSH or FIN, which end a super-packet
 *	- in a tunnel, all outer headers are the same except lengths, ids and
 *	  checksums; the outer ids count up or, with DF, stand still, too
 *
 * What is merged in a tunnel is described as fdl_offload_tunnel says, and an
 * outer UDP checksum that is not 0 becomes that of its pseudo-header.
 *
 * Not merged are fragments, IPv4 options, CWR, UDP without checksum, padded
 * frames, super-packets, and packets with a wrong checksum. The checksum is
 * verified unless off says VALID or PARTIAL. In a tunnel that has a checksum as
 * well, VALID is not believed of the inner one, and PARTIAL is about one of the
 * two (csum_start): the other is verified. No packet overtakes another of its
 * flow.
 */
void fdl_coalesce_add(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt);

/* A packet that came out of a batch, merged or as it went in. */
struct fdl_coalesced {
	struct fdl_coalesce_packet *packets;	/* those it is made of */
	uint16_t count;		/* how many; 1: it is unchanged */
	uint16_t hdr_len;	/* bytes at hdr; 0 if unchanged */
	uint32_t len;		/* bytes in all */
	struct fdl_offload off;
	uint8_t hdr[FDL_HEADERS_MAX];
};

/*
 * Take the next packet out, in the order in which the first bytes of each went
 * in. From the first call on, nothing in the batch grows any more.
 *
 * Returns false when the batch is empty.
 */
bool fdl_coalesce_next(struct fdl_coalescer *c, struct fdl_coalesced *out);

/*
 * Put the pieces of *out into iov[0..max): its headers, and the payloads where
 * they lie. *out must stay as long as the pieces are used.
 *
 * Returns how many pieces there are.
 * Errors:
 *	-EMSGSIZE	there are more than max
 */
int fdl_coalesced_gather(const struct fdl_coalesced *out, struct iovec *iov,
			 int max);

/*
 * Copy *out into buf of size bytes. buf may be where the first packet lies:
 * then only the other payloads are moved.
 *
 * Returns out->len.
 * Errors:
 *	-EMSGSIZE	size is less than out->len
 */
int fdl_coalesced_copy(const struct fdl_coalesced *out, uint8_t *buf,
		       size_t size);

#ifdef __cplusplus
}
#endif

#endif
