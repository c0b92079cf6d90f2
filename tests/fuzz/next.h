/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a packet the next one of its flow. */
#ifndef FDL_FUZZ_NEXT_H
#define FDL_FUZZ_NEXT_H

#include "offload/checksum.h"
#include "proto/ip4.h"
#include "proto/parse.h"
#include "proto/tcp.h"

static inline void count_id(uint8_t *ip, int version)
{
	if (version != 4)
		return;
	put_be16(ip + IP4_ID, get_be16(ip + IP4_ID) + 1u);
	checksum_ip4(ip);
}

static inline void make_next(uint8_t *frame, const struct parsed *p)
{
	uint8_t *seq = frame + p->l4 + TCP_SEQ;

	count_id(frame + p->l3, p->version);
	if (p->proto == TCP_PROTO)
		put_be32(seq, get_be32(seq) + p->end - p->payload);
}

#endif
