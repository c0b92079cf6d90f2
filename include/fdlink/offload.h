/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offloads in software: checksums, super-packets cut and merged, and the
 * virtio-net header that speaks of them. Pure functions over the caller's
 * bytes: no endpoint, no fd, no allocation, no state but the structs that the
 * caller places. Any thread, one at a time per struct. Every input may come
 * from a stranger: nothing is read outside the lengths given.
 *
 * Throughout, a frame starts with link_len bytes of link header: 0, 14, with
 * VLAN tags 18 or 22. Fields marked private are for these functions alone.
 */
#ifndef FDLINK_OFFLOAD_H
#define FDLINK_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <fdlink/packet.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Longest link, IP and transport headers together that are cut or merged. */
#define FDL_HEADERS_MAX 256

/* Why a packet, or what is said of it, was refused. */
enum fdl_refusal {
	FDL_REFUSE_NONE,	/* it was not */
	FDL_REFUSE_SHORT,	/* a header goes past the end of the frame */
	FDL_REFUSE_HEADERS,	/* longer than FDL_HEADERS_MAX, or in pieces */
	FDL_REFUSE_NOT_IP,	/* not IP, or not the version announced */
	FDL_REFUSE_IP,		/* impossible lengths in an IP header */
	FDL_REFUSE_FRAGMENT,	/* a fragment where a whole one is needed */
	FDL_REFUSE_TRANSPORT,	/* not TCP or UDP, or impossible lengths */
	FDL_REFUSE_GSO_TYPE,	/* unknown, or contradicting the packet */
	FDL_REFUSE_GSO_SIZE,	/* 0 or 65535 */
	FDL_REFUSE_GSO_CSUM,	/* super-packet without a partial checksum: of
				 * UDP that nobody vouches for, or behind an
				 * IPv6 routing header */
	FDL_REFUSE_CSUM_START,	/* inside a link or IP header, or past the end */
	FDL_REFUSE_CSUM_OFFSET,	/* past the end, or not the protocol's */
};

/* "short", "headers"; NULL for a value that is no refusal. */
const char *fdl_refusal_name(enum fdl_refusal why);

/*
 * Checksums (RFC 1071). A sum is the ones' complement sum of 16-bit words as
 * they lie in memory, not inverted: ready to be stored with memcpy.
 */

/* sum plus that of len bytes. A piece that starts at an odd distance from the
 * first needs its two bytes swapped: fdl_checksum_iov does that. */
uint16_t fdl_checksum_sum(const void *bytes, size_t len, uint16_t sum);

/* sum plus that of len bytes which start skip bytes into the pieces; fewer, if
 * there are fewer. */
uint16_t fdl_checksum_iov(const struct iovec *iov, int cnt, size_t skip,
			  size_t len, uint16_t sum);

/*
 * The checksum at field after the len bytes at old, which it covers at an even
 * distance, became those at new (RFC 1624). len is even. A UDP field of 0, no
 * checksum, must not be given.
 */
void fdl_checksum_update(uint8_t field[2], const void *old_bytes,
			 const void *new_bytes, size_t len);

/*
 * Fill in a partial checksum: the bytes from csum_start to the end of the
 * packet (of the IP packet, where it can be told from padding) are added to
 * what the field holds. 0 becomes 0xffff, for UDP's sake. SCTP gets its CRC32c.
 * *off is set to say FDL_CSUM_VALID. With any other csum nothing happens.
 * Errors: -EINVAL csum_start or csum_offset are not inside the frame.
 */
int fdl_checksum_complete(uint8_t *frame, size_t len, unsigned link_len,
			  struct fdl_offload *off);

/*
 * Whether the TCP or UDP checksum, and IPv4's own, are right. UDP over IPv4
 * without a checksum is right.
 * Returns 1 right, 0 wrong. Errors: -EOPNOTSUPP it cannot be told: not TCP or
 * UDP over IP, a fragment, malformed, or an IPv6 routing header that hides the
 * final destination.
 */
int fdl_checksum_verify(const uint8_t *frame, size_t len, unsigned link_len);

/*
 * Check *off against a frame of len bytes of which the first avail lie at
 * frame, and make it canonical: hdr_len computed anew (0 without gso), gso
 * taken back where one segment holds all of the payload, unused fields zeroed.
 * What passes can be given to fdl_checksum_complete, fdl_vnet_hdr_encode and
 * fdl_segment_start, with two exceptions: SCTP with a partial checksum is for
 * fdl_checksum_complete only, and kernels refuse the header of a super-packet
 * of UDP whose checksum is not partial. On refusal *off is unchanged.
 */
enum fdl_refusal fdl_offload_check(const uint8_t *frame, size_t avail,
				   size_t len, unsigned link_len,
				   struct fdl_offload *off);

/*
 * Hash of the flow that a frame of len bytes belongs to, from its addresses,
 * its protocol and its ports; from its addresses alone for a fragment. What is
 * no IP is hashed by its link header. Both directions of a flow have the same.
 * fdl_write_packets uses it for a packet whose hash is 0. It has no key: who
 * chooses the addresses can choose the hash.
 * Returns the hash, never 0.
 */
uint32_t fdl_flow_hash(const uint8_t *frame, size_t len, unsigned link_len);

/* struct virtio_net_hdr (linux/virtio_net.h): bytes, without and with
 * num_buffers */
enum {
	FDL_VNET_HDR_LEN = 10,
	FDL_VNET_HDR_MRG_LEN = 12,
};

/* Byte order of a virtio-net header: this machine's unless the fd was told
 * otherwise (TUNSETVNETLE, TUNSETVNETBE), little in virtio 1. */
enum fdl_order {
	FDL_ORDER_NATIVE,
	FDL_ORDER_LITTLE,
	FDL_ORDER_BIG,
};

/*
 * Write *off, which fdl_offload_check has passed, as a header of size 10 or 12
 * bytes; num_buffers is 0. A plain translation.
 */
void fdl_vnet_hdr_encode(uint8_t *hdr, size_t size, enum fdl_order order,
			 const struct fdl_offload *off);

/*
 * Read a header of size bytes, 10 or more of them. Only its own fields are
 * judged; fdl_offload_check must follow, before the rest is believed. Between
 * the two, who puts a VLAN tag back that the kernel had stripped
 * (PACKET_AUXDATA) adds 4 to csum_start. On refusal *off is unchanged.
 */
enum fdl_refusal fdl_vnet_hdr_decode(const uint8_t *hdr, size_t size,
				     enum fdl_order order,
				     struct fdl_offload *off);

/* Cutting one packet. The caller's to place and to reuse; all private. */
struct fdl_cursor {
	const struct iovec *iov;
	size_t skip;
	int cnt;
};

struct fdl_segmenter {
	struct fdl_cursor at;
	uint32_t left, size, summed, seq;
	uint16_t hdr_len, l3, l4, id, csum, csum_start, csum_offset;
	uint8_t version, gso, tcp_flags, undone;
	bool complete, done;
	uint8_t hdr[FDL_HEADERS_MAX];
};

/* fdl_segment_start() */
enum {
	/* The segments' checksums stay partial, for the wire to complete. */
	FDL_SEGMENT_PARTIAL	= 1 << 0,
};

/*
 * Begin to cut a frame, given in pieces, which together with the array must
 * stay until the last segment is cut; they are not written to. *off is as
 * fdl_offload_check passes it, or is refused. Any packet may be given: one
 * that is no super-packet comes out as one segment, its checksum completed
 * unless flags say otherwise; SCTP with a partial checksum is refused.
 *
 * The segments are those of the kernel's own segmentation: IP id counting up,
 * lengths, sequence numbers, FIN and PSH on the last only, CWR on the first
 * only, the last one possibly shorter, link header and options copied. Padding
 * behind the IP packet is not part of a super-packet.
 */
enum fdl_refusal fdl_segment_start(struct fdl_segmenter *s,
				   const struct iovec *iov, int cnt,
				   unsigned link_len,
				   const struct fdl_offload *off,
				   unsigned flags);

/* Bytes of the next segment, headers included; 0: all are cut. */
size_t fdl_segment_len(const struct fdl_segmenter *s);

/*
 * Cut the next segment into buf. *off, which may be NULL, gets what is left
 * undone on it.
 * Returns its length; 0: all are cut. Errors: -EMSGSIZE size is less than
 * fdl_segment_len; nothing was cut.
 */
int fdl_segment_next(struct fdl_segmenter *s, uint8_t *buf, size_t size,
		     struct fdl_offload *off);

/*
 * The same without copying the payload: the headers are written to hdr, and
 * iov[0..max) gets them and the payload's pieces.
 * Returns the number of pieces; 0: all are cut. Errors: -EMSGSIZE max is too
 * small; nothing was cut.
 */
int fdl_segment_gather(struct fdl_segmenter *s, uint8_t hdr[FDL_HEADERS_MAX],
		       struct iovec *iov, int max, struct fdl_offload *off);

/*
 * Merging packets of a batch. Each is described by one of these, the caller's
 * to place; it and the bytes must stay until the batch is taken out. The bytes
 * are not written to.
 */
struct fdl_coalesce_packet {
	/* set by the caller */
	const struct iovec *iov;	/* the frame; headers in the first piece
					 * or it is not merged */
	int cnt;
	uint8_t link_len;
	struct fdl_offload off;		/* what is left undone on it; checked */
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
	bool trusted_, fixed_id_;
};

/* Flows that can grow at once; more take each other's place. */
#define FDL_COALESCE_FLOWS 64

/* One batch being merged; the caller's to place, all private. */
struct fdl_coalescer {
	struct fdl_coalesce_packet *first, *last;
	struct fdl_coalesce_packet *flow[FDL_COALESCE_FLOWS];
	uint32_t max_len;
	int max_pieces;
	unsigned flags;
	unsigned recent;
	bool open;
};

/* fdl_coalesce_init() */
enum {
	FDL_COALESCE_TCP	= 1 << 0,
	FDL_COALESCE_UDP	= 1 << 1,
	/* Towards a wire: IPv4 ids need not be consecutive where DF is set (RFC
	 * 6864, 4.1). */
	FDL_COALESCE_ANY_ID	= 1 << 2,
};

/*
 * Begin with an empty batch. flags say what is merged; max_len is the longest
 * super-packet, link header included (0, or more than 65535: 65535), and
 * max_pieces the most pieces of payload in one (0: 1022, which leaves two of
 * IOV_MAX for the headers).
 */
void fdl_coalesce_init(struct fdl_coalescer *c, unsigned flags,
		       uint32_t max_len, int max_pieces);

/*
 * Add a packet to the batch. It is merged with earlier ones as the kernel's GRO
 * would merge it: the same flow and headers, the next sequence number, equal
 * payload lengths but for a shorter last one, PSH and FIN ending a super-packet,
 * TTL, DSCP and ECN, DF, options and flow label the same, IPv4 ids counting up
 * or, with DF, standing still. Not merged: fragments, IPv4 options, CWR, UDP
 * without checksum, padded frames, super-packets, and packets with a wrong
 * checksum; it is verified unless off says VALID or PARTIAL. No packet
 * overtakes another of its flow.
 */
void fdl_coalesce_add(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt);

/* A packet that came out of a batch, merged or as it went in. */
struct fdl_coalesced {
	struct fdl_coalesce_packet *packets;	/* of which it is made */
	uint16_t count;		/* how many; 1: it is unchanged */
	uint16_t hdr_len;	/* bytes at hdr; 0 if unchanged */
	uint32_t len;		/* bytes in all */
	struct fdl_offload off;
	uint8_t hdr[FDL_HEADERS_MAX];
};

/*
 * Take the next packet out, in the order in which their first bytes went in.
 * What is in the batch then grows no further. Returns false when it is empty.
 */
bool fdl_coalesce_next(struct fdl_coalescer *c, struct fdl_coalesced *out);

/*
 * The pieces of *out, which must stay as long as they are used: its headers and
 * the payloads where they lie.
 * Returns how many pieces. Errors: -EMSGSIZE more than max.
 */
int fdl_coalesced_gather(const struct fdl_coalesced *out, struct iovec *iov,
			 int max);

/*
 * The same in one buffer. It may be the one in which the first packet lies, at
 * its place: then only the other payloads are moved.
 * Returns out->len. Errors: -EMSGSIZE size is less.
 */
int fdl_coalesced_copy(const struct fdl_coalesced *out, uint8_t *buf,
		       size_t size);

#ifdef __cplusplus
}
#endif

#endif
