/* SPDX-License-Identifier: Apache-2.0 */
#include "offload/coalesced.h"

#include <errno.h>
#include <string.h>

#include "offload/checksum.h"
#include "offload/fit.h"
#include "offload/fit_outer.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/parse.h"
#include "proto/tcp.h"
#include "proto/udp.h"

static void merge_headers(struct fdl_coalesced *out,
			  const struct fdl_coalesce_packet *head)
{
	const struct parsed p = { .l3 = head->l3_,
				  .version = head->version_,
				  .proto = head->proto_ };
	const struct outers o = fit_outers(head);
	const unsigned l4_len = head->len_ - head->l4_;
	uint8_t *ip = out->hdr + head->l3_, *tp = out->hdr + head->l4_;
	uint16_t sum;

	memcpy(out->hdr, head->hdr_, head->hdr_len_);
	if (head->version_ == 4) {
		put_be16(ip + IP4_TOTAL_LEN, head->len_ - head->l3_);
		checksum_ip4(ip);
	} else {
		put_be16(ip + IP6_PAYLOAD_LEN,
			 head->len_ - head->l3_ - IP6_LEN);
	}
	if (head->proto_ == TCP_PROTO)
		tp[TCP_FLAGS] |= fit_l4(head->last_)[TCP_FLAGS] & FIT_TCP_ENDS;
	else
		put_be16(tp + UDP_TOTAL_LEN, l4_len);
	sum = checksum_add(checksum_pseudo(out->hdr, &p), l4_len);
	memcpy(tp + parsed_check_offset(&p), &sum, sizeof(sum));
	if (head->outer_.n)
		outer_write(&o, out->hdr, head->len_, sum, 0, true);
}

static uint8_t gso_of(const struct fdl_coalesce_packet *head)
{
	if (head->proto_ == UDP_PROTO)
		return FDL_GSO_UDP;
	return head->version_ == 4 ? FDL_GSO_TCPV4 : FDL_GSO_TCPV6;
}

void coalesced_describe(struct fdl_coalesced *out,
			struct fdl_coalesce_packet *head)
{
	out->packets = head;
	out->count = head->count_;
	out->hdr_len = 0;
	out->len = head->len_;
	out->off = head->off;
	if (head->count_ == 1)
		return;
	merge_headers(out, head);
	out->hdr_len = head->hdr_len_;
	out->off = (struct fdl_offload){
		.csum = FDL_CSUM_PARTIAL,
		.gso = gso_of(head),
		.gso_size = (uint16_t)head->payload_,
		.hdr_len = head->hdr_len_,
		.ecn_tunnel_ = { 0, head->outer_.l4 },
		.csum_start = head->l4_,
		.csum_offset = head->proto_ == TCP_PROTO ? TCP_CHECK :
							   UDP_CHECK,
	};
}

/* Returns the bytes that piece i of a packet adds to what was merged: all of
 * it, or of the first piece what follows the headers. */
static struct iovec piece(const struct fdl_coalesced *out,
			  const struct fdl_coalesce_packet *pkt, int i)
{
	struct iovec v = pkt->iov[i];

	if (i == 0) {
		v.iov_base = (uint8_t *)v.iov_base + out->hdr_len;
		v.iov_len -= out->hdr_len;
	}
	return v;
}

/* A stack often cuts its segments off one buffer. Pieces that touch become one
 * again, which costs the kernel less. */
static bool extends(const struct iovec *last, const struct iovec *v)
{
	return (uint8_t *)last->iov_base + last->iov_len == v->iov_base;
}

int fdl_coalesced_gather(const struct fdl_coalesced *out, struct iovec *iov,
			 int max)
{
	const struct fdl_coalesce_packet *pkt;
	int cnt = 0, i;

	if (out->hdr_len) {
		if (max < 1)
			return -EMSGSIZE;
		iov[cnt].iov_base = (void *)(uintptr_t)out->hdr;
		iov[cnt++].iov_len = out->hdr_len;
	}
	for (pkt = out->packets; pkt; pkt = pkt->next) {
		for (i = 0; i < pkt->cnt; i++) {
			struct iovec v = piece(out, pkt, i);

			if (cnt && v.iov_len && extends(&iov[cnt - 1], &v))
				iov[cnt - 1].iov_len += v.iov_len;
			else if (v.iov_len && cnt == max)
				return -EMSGSIZE;
			else if (v.iov_len)
				iov[cnt++] = v;
		}
	}
	return cnt;
}

int fdl_coalesced_copy(const struct fdl_coalesced *out, uint8_t *buf,
		       size_t size)
{
	const struct fdl_coalesce_packet *pkt;
	uint8_t *to = buf + out->hdr_len;
	int i;

	if (size < out->len)
		return -EMSGSIZE;
	for (pkt = out->packets; pkt; pkt = pkt->next) {
		for (i = 0; i < pkt->cnt; i++) {
			const struct iovec v = piece(out, pkt, i);

			/* memmove, because the first packet may lie where it is
			 * to go */
			memmove(to, v.iov_base, v.iov_len);
			to += v.iov_len;
		}
	}
	memcpy(buf, out->hdr, out->hdr_len);
	return (int)out->len;
}
