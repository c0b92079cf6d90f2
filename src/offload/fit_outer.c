/* SPDX-License-Identifier: Apache-2.0 */
#include "offload/fit_outer.h"

#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/tunnel.h"
#include "proto/udp.h"

/* What may differ in an outer header. */
static const struct gap {
	uint8_t from, to;	/* to 0: no gap */
} gaps[][2] = {
	[TUNNEL_IP4] = { { IP4_TOTAL_LEN, IP4_FRAG }, { IP4_CHECK, IP4_SRC } },
	[TUNNEL_IP6] = { { IP6_PAYLOAD_LEN, IP6_NEXT } },
	[TUNNEL_UDP] = { { UDP_TOTAL_LEN, UDP_LEN } },
	[TUNNEL_GRE] = { { GRE_CHECK, GRE_CHECK + 2 } },
};

static bool has_no_sum(const uint8_t *udp)
{
	return !get_be16(udp + UDP_CHECK);
}

static unsigned sum_offset(unsigned is)
{
	return is == TUNNEL_UDP ? UDP_CHECK : GRE_CHECK;
}

/* A header without a checksum stays so, and one with a checksum as well. */
static bool same_sums(const uint8_t *a, const uint8_t *b, unsigned is)
{
	return is != TUNNEL_UDP || has_no_sum(a) == has_no_sum(b);
}

bool fit_same_outer(const struct fdl_coalesce_packet *head,
		    const struct fdl_coalesce_packet *pkt)
{
	const uint8_t *a = head->hdr_, *b = pkt->hdr_;
	unsigned from = 0, i, k, at;

	for (i = 0; i < head->outer_.n; i++) {
		const struct gap *gap = gaps[head->outer_.is[i]];

		at = head->outer_.at[i];
		if (!same_sums(a + at, b + at, head->outer_.is[i]))
			return false;
		for (k = 0; k < 2 && gap[k].to; k++) {
			if (memcmp(a + from, b + from, at + gap[k].from - from))
				return false;
			from = at + gap[k].to;
		}
	}
	return !memcmp(a + from, b + from, head->l3_ - from);
}

static bool is_right(const uint8_t *hdr, unsigned is, size_t len)
{
	switch (is) {
	case TUNNEL_IP4:
		return ip4_total_len(hdr) == len && ip4_check_is_right(hdr);
	case TUNNEL_IP6:
		return ip6_payload_len(hdr) + IP6_LEN == len;
	case TUNNEL_UDP:
		return udp_total_len(hdr) == len;
	default:
		return true;
	}
}

bool fit_outer_is_right(const struct fdl_coalesce_packet *head,
			const struct fdl_coalesce_packet *pkt)
{
	unsigned i, at;

	for (i = 0; i < head->outer_.n; i++) {
		at = head->outer_.at[i];
		if (!is_right(pkt->hdr_ + at, head->outer_.is[i],
			      pkt->len_ - at))
			return false;
	}
	return true;
}

static bool has_sum(const struct fdl_coalesce_packet *pkt, unsigned i)
{
	return pkt->outer_.is[i] == TUNNEL_GRE ||
	       (pkt->outer_.is[i] == TUNNEL_UDP &&
		!has_no_sum(pkt->hdr_ + pkt->outer_.at[i]));
}

bool fit_outer_has_sum(const struct fdl_coalesce_packet *pkt)
{
	unsigned i;

	for (i = 0; i < pkt->outer_.n; i++)
		if (has_sum(pkt, i))
			return true;
	return false;
}

bool fit_outer_is_left(const struct fdl_coalesce_packet *pkt)
{
	unsigned i;

	for (i = 0; i < pkt->outer_.n; i++)
		if (pkt->off.csum_start == pkt->outer_.at[i])
			return has_sum(pkt, i) &&
			       pkt->off.csum_offset ==
				       sum_offset(pkt->outer_.is[i]);
	return false;
}
