/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has an fd of a TUN or TAP may have the device leave checksums to its
 * reader (TUNSETOFFLOAD), at any time, and no call tells. A partial checksum
 * looks like one: its field holds the sum of the pseudo-header. A whole
 * checksum is the same number once in 65536 packets; then the packet verifies.
 *
 * Every packet of such a device is looked at, so a header in its plain form,
 * without options or extensions, is not parsed: its sum alone shows that a
 * checksum is whole.
 */
#include "rx/untold.h"

#include <string.h>

#include "offload/checksum.h"
#include "proto/eth.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/tcp.h"
#include "proto/udp.h"

enum {
	PLAIN_IP4 = 0x45,	/* version and length of one without options */
	SHORTEST_IP4 = IP4_MIN_LEN + TCP_MIN_LEN,
	SHORTEST_IP6 = IP6_LEN + TCP_MIN_LEN,
};

static uint64_t add_words(uint64_t sum, const uint8_t *p, size_t n)
{
	uint32_t word;
	size_t i;

	for (i = 0; i < n; i++) {
		memcpy(&word, p + i * sizeof(word), sizeof(word));
		sum += word;
	}
	return sum;
}

static uint16_t raw16(const uint8_t *p)
{
	uint16_t number;

	memcpy(&number, p, sizeof(number));
	return number;
}

/*
 * Whether the sum of the addresses, which is given, of the rest of the
 * pseudo-header, and of the complement of the field is 0 modulo 0xffff. If the
 * checksum is partial, it is.
 */
static inline bool sums_up(uint64_t sum, unsigned proto, unsigned len,
			   const uint8_t *l4)
{
	uint8_t rest[4];

	put_be16(rest, proto);
	put_be16(rest + 2, len);
	sum += raw16(rest);
	sum += raw16(rest + 2);
	sum += (uint16_t)~raw16(l4 +
				(proto == TCP_PROTO ? TCP_CHECK : UDP_CHECK));
	return sum % 0xffff == 0;
}

static bool has_checksum(unsigned proto)
{
	return proto == TCP_PROTO || proto == UDP_PROTO;
}

static inline bool may_be_partial4(const uint8_t *ip, size_t len)
{
	unsigned total;

	if (len < SHORTEST_IP4 || ip[0] != PLAIN_IP4)
		return true;
	if (!has_checksum(ip[IP4_PROTO]))
		return false;
	total = ip4_total_len(ip);
	return total < IP4_MIN_LEN ||
	       sums_up(add_words(0, ip + IP4_SRC, 2), ip[IP4_PROTO],
		       total - IP4_MIN_LEN, ip + IP4_MIN_LEN);
}

static inline bool may_be_partial6(const uint8_t *ip, size_t len)
{
	if (len < SHORTEST_IP6 || !has_checksum(ip[IP6_NEXT]) ||
	    !ip6_payload_len(ip))
		return true;
	return sums_up(add_words(0, ip + IP6_SRC, 8), ip[IP6_NEXT],
		       ip6_payload_len(ip), ip + IP6_LEN);
}

/* Nearly no packet may be. */
static inline bool may_be_partial(const struct fdl_packet *pkt)
{
	const uint8_t *ip = pkt->data + pkt->link_len;
	const size_t len = pkt->len - pkt->link_len;

	switch (pkt->protocol) {
	case ETH_TYPE_IP4:
		return may_be_partial4(ip, len);
	case ETH_TYPE_IP6:
		return may_be_partial6(ip, len);
	default:
		return false;
	}
}

static bool looks_partial(const uint8_t *frame, const struct parsed *p)
{
	const uint16_t sum = checksum_add(checksum_pseudo(frame, p),
					  p->end - p->l4);

	return raw16(frame + p->l4 + parsed_check_offset(p)) == sum;
}

__attribute__((noinline)) static bool is_partial(const struct fdl_packet *pkt,
						 struct fdl_offload *off)
{
	struct parsed p;

	if (parse_frame(pkt->data, pkt->len, pkt->len, pkt->link_len, &p) ||
	    !looks_partial(pkt->data, &p) ||
	    fdl_checksum_verify(pkt->data, pkt->len, pkt->link_len) == 1)
		return false;
	*off = (struct fdl_offload){
		.csum = FDL_CSUM_PARTIAL,
		.csum_start = (uint16_t)p.l4,
		.csum_offset = (uint16_t)parsed_check_offset(&p),
	};
	return true;
}

bool untold_is_partial(const struct fdl_packet *pkt, struct fdl_offload *off)
{
	return may_be_partial(pkt) && is_partial(pkt, off);
}
