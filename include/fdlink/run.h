/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tunnels over UDP that let the kernel take and give many datagrams in one
 * call (UDP_SEGMENT and UDP_GRO, udp(7)): a super-packet of the inner link
 * becomes one buffer to send, and a buffer received becomes super-packets.
 * Between these two the caller encrypts and decrypts in place.
 *
 * As in offload.h, all are pure functions over the caller's bytes. Any thread,
 * one at a time per struct. Every input may come from a stranger.
 */
#ifndef FDLINK_RUN_H
#define FDLINK_RUN_H

#include <stddef.h>
#include <stdint.h>

#include <fdlink/offload.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	/* The most datagrams and the most bytes that every kernel takes in one
	 * call with UDP_SEGMENT. */
	FDL_RUN_DATAGRAMS = 64,
	FDL_RUN_BYTES = 65507,
};

/*
 * A run: datagrams that lie one after the other. All have size bytes, except
 * the last, which may have fewer; so datagram i begins i * size bytes into buf.
 * Each is head bytes of the caller's (a header, a nonce), one packet, and tail
 * bytes of the caller's (a tag). An empty run has len 0.
 */
struct fdl_run {
	/* set by the caller */
	uint8_t *buf;
	uint32_t room;		/* bytes at buf; not used on receive */
	uint16_t head;
	uint16_t tail;

	/* set by fdl_segment_run; on receive by the caller */
	uint32_t len;		/* bytes of all datagrams */
	uint16_t size;		/* what UDP_SEGMENT is to be, and what UDP_GRO
				 * says; 0 on receive: there is one datagram */
	uint16_t count;		/* how many there are; not used on receive */

	/* set by the caller on receive */
	uint8_t link_len;	/* the packets are 0: of IP; 14: of Ethernet,
				 * with or without VLAN tags */
	uint8_t csum;		/* FDL_CSUM_NONE: the packets' checksums are
				 * verified before packets are merged.
				 * FDL_CSUM_VALID: they need not be, because the
				 * peer vouches for them, and a tag that is
				 * right says that it was the peer */
};

/*
 * Cut segments into a run, behind those that it has, as long as they fit: no
 * longer than the others, and none behind a shorter one; at most
 * FDL_RUN_DATAGRAMS, FDL_RUN_BYTES and run->room. Segments of several packets
 * may share a run. The bytes of head and tail are not touched.
 *
 *	s	begun by fdl_segment_start, without FDL_SEGMENT_PARTIAL: nobody
 *		can complete a checksum that is encrypted
 *	run	to begin another, set len to 0. The last datagram may be made
 *		longer, by as much as size and room allow, if len is set too
 *
 * To send the run, pass len bytes at buf to one sendmsg(2), with UDP_SEGMENT of
 * size if count is more than 1. The kernel refuses a size with UDP_SEGMENT that
 * does not fit the path's MTU (EINVAL, EMSGSIZE).
 *
 * Returns
 *	0	all segments of s are cut. The run can take those of another
 *		packet, or be sent
 *	1	the next segment does not fit: send the run, set len to 0, and
 *		call again
 * Errors:
 *	-EMSGSIZE	the next segment does not fit into an empty run
 */
int fdl_segment_run(struct fdl_segmenter *s, struct fdl_run *run);

/* One packet of a received run. The caller provides it; all fields are
 * private. */
struct fdl_run_packet {
	struct fdl_coalesce_packet packet;
	struct iovec bytes;
};

/*
 * Add the packets of a received and decrypted run to a batch, which merges
 * those that continue each other (fdl_coalesce_add). A batch may have several
 * runs. Take out what became of them by fdl_coalesce_next and
 * fdl_coalesced_gather: pieces and a struct fdl_offload, for fdl_write, or
 * behind a header by fdl_vnet_hdr_encode for a TUN or TAP.
 *
 * Left out are
 *
 *	- datagrams that have no more than head and tail bytes
 *	- where link_len is 0, packets that are not IP, or shorter than their
 *	  header says. Of packets that are longer, as a cipher's padding makes
 *	  them, only the bytes of the IP packet are taken
 *	- where link_len is not 0, frames shorter than their link header
 *
 *	lens	the bytes that decrypting left of each packet, where fewer than
 *		the datagram has between head and tail; 0: leave it out. NULL:
 *		all are whole
 *	v	max of these, one per datagram, for this run alone. They, and
 *		the bytes at run->buf, must stay until the batch is taken out.
 *		The bytes are not written to
 *
 * Returns how many packets were added.
 * Errors:
 *	-EMSGSIZE	the run has more than max datagrams; none was added
 */
int fdl_coalesce_run(struct fdl_coalescer *c, const struct fdl_run *run,
		     const uint16_t *lens, struct fdl_run_packet *v, int max);

#ifdef __cplusplus
}
#endif

#endif
