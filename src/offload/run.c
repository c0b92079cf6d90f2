/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of datagrams: laid out by cutting, taken apart for merging. */
#include <fdlink/run.h>

#include <errno.h>
#include <stdbool.h>

#include "proto/eth.h"
#include "proto/ip4.h"
#include "proto/ip6.h"

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Whether a datagram of size bytes may be the next one of the run. */
static bool fits(const struct fdl_run *run, size_t size)
{
	const uint32_t room = min_u32(run->room, FDL_RUN_BYTES);

	if (!run->len)
		return size <= room;
	if (run->len > room || size > room - run->len)
		return false;
	return run->count < FDL_RUN_DATAGRAMS && size <= run->size &&
	       run->len == (uint32_t)run->count * run->size;
}

int fdl_segment_run(struct fdl_segmenter *s, struct fdl_run *run)
{
	size_t len, size;

	while ((len = fdl_segment_len(s))) {
		size = run->head + len + run->tail;
		if (!fits(run, size))
			return run->len ? 1 : -EMSGSIZE;
		if (!run->len) {
			run->size = (uint16_t)size;
			run->count = 0;
		}
		fdl_segment_next(s, run->buf + run->len + run->head, len, NULL);
		run->len += (uint32_t)size;
		run->count++;
	}
	return 0;
}

/* Returns the bytes of the IP packet at ip, or 0: it is none, or not whole. */
static uint32_t ip_len(const uint8_t *ip, uint32_t len)
{
	uint32_t whole = 0;

	if (len >= IP4_MIN_LEN && ip[0] >> 4 == 4) {
		whole = ip4_total_len(ip);
		if (ip4_hdr_len(ip) < IP4_MIN_LEN || ip4_hdr_len(ip) > whole)
			return 0;
	} else if (len >= IP6_LEN && ip[0] >> 4 == 6) {
		whole = IP6_LEN + ip6_payload_len(ip);
	}
	return whole <= len ? whole : 0;
}

/* Add the packet of len bytes at bytes. Returns false if it is left out. */
static bool add(struct fdl_coalescer *c, const struct fdl_run *run,
		uint8_t *bytes, uint32_t len, struct fdl_run_packet *v)
{
	struct eth_view eth = { .hdr_len = 0 };

	if (!run->link_len)
		len = ip_len(bytes, len);
	else if (!eth_parse(bytes, len, &eth))
		return false;
	if (!len)
		return false;
	v->bytes.iov_base = bytes;
	v->bytes.iov_len = len;
	v->packet = (struct fdl_coalesce_packet){
		.iov = &v->bytes,
		.cnt = 1,
		.link_len = eth.hdr_len,
		.off.csum = run->csum == FDL_CSUM_VALID ? FDL_CSUM_VALID :
							  FDL_CSUM_NONE,
	};
	fdl_coalesce_add(c, &v->packet);
	return true;
}

int fdl_coalesce_run(struct fdl_coalescer *c, const struct fdl_run *run,
		     const uint16_t *lens, struct fdl_run_packet *v, int max)
{
	const uint32_t size = run->size ? run->size : run->len;
	const uint32_t around = (uint32_t)run->head + run->tail;
	uint64_t at;
	uint32_t len;
	int i, added = 0;

	if (max < 0 || run->len > (uint64_t)max * size)
		return -EMSGSIZE;
	for (at = 0, i = 0; at < run->len; at += size, i++) {
		len = min_u32(size, run->len - (uint32_t)at);
		len = len > around ? len - around : 0;
		if (lens)
			len = min_u32(len, lens[i]);
		added += add(c, run, run->buf + at + run->head, len, &v[i]);
	}
	return added;
}
