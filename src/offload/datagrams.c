/* SPDX-License-Identifier: Apache-2.0 */
#include "offload/datagrams.h"

#include "offload/outer.h"
#include "proto/bytes.h"
#include "proto/tunnel.h"
#include "proto/udp.h"

enum {
	/* Among the outer headers of a segmenter. */
	OUTER_IP = 0,
	OUTER_UDP = 1,
	UP_TO_UDP = 2,
};

unsigned datagrams_version(const struct fdl_segmenter *s)
{
	if (s->outers < UP_TO_UDP || s->outer_is[OUTER_UDP] != TUNNEL_UDP ||
	    !get_be16(s->hdr + s->outer_at[OUTER_UDP] + UDP_CHECK))
		return 0;
	return s->outer_is[OUTER_IP] == TUNNEL_IP4 ? 4 : 6;
}

void datagrams_begin(struct fdl_segmenter *s)
{
	s->complete = true;
	s->undone = FDL_CSUM_VALID;
}

/* Make the headers of the first datagram, which has size bytes behind the UDP
 * header, those of a super-packet of len bytes. */
static void describe(const struct fdl_segmenter *s, uint8_t *hdr, size_t len,
		     size_t size, struct fdl_offload *off)
{
	const struct outers udp = {
		.is = s->outer_is,
		.at = s->outer_at,
		.n = UP_TO_UDP,
	};
	const uint8_t at = s->outer_at[OUTER_UDP];

	outer_write(&udp, hdr, (unsigned)len, 0, 0, true);
	*off = (struct fdl_offload){
		.csum = FDL_CSUM_PARTIAL,
		.gso = FDL_GSO_UDP,
		.gso_size = (uint16_t)size,
		.hdr_len = at + UDP_LEN,
		.csum_start = at,
		.csum_offset = UDP_CHECK,
	};
}

int datagrams_gather(struct fdl_segmenter *s, const struct datagrams *d,
		     struct fdl_offload *off, unsigned *n)
{
	const size_t around = s->outer_at[OUTER_UDP] + UDP_LEN;
	const size_t size = fdl_segment_len(s) - around;
	size_t len = around, next = size;
	int cnt = 0, r;

	for (*n = 0; *n < d->most; ++*n) {
		if (*n && (!s->left || len + next > d->longest))
			break;
		r = fdl_segment_gather(s, d->hdr[*n], d->iov + cnt,
				       d->max - cnt, off);
		if (r <= 0 && !*n)
			return r;
		if (r <= 0)
			break;
		if (*n) {
			d->iov[cnt].iov_base = d->hdr[*n] + around;
			d->iov[cnt].iov_len -= around;
		}
		cnt += r;
		len += next;
		next = fdl_segment_len(s) - around;
	}
	if (*n > 1)
		describe(s, d->hdr[0], len, size, off);
	return cnt;
}
