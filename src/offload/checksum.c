/* SPDX-License-Identifier: Apache-2.0 */
#include "offload/checksum.h"

#include <errno.h>
#include <string.h>

#include "offload/sctp.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/tcp.h"
#include "proto/udp.h"

/*
 * Words of any width can be added as long as carries are brought round: the sum
 * modulo 2^16 - 1 stays the same (RFC 1071, section 2). Each 64-bit lane takes
 * halves of 32 bits, so that no carry is lost in 2^32 rounds. Vectors are an
 * extension of gcc and clang, which make them of plain words on machines that
 * have none.
 */
#define LANES uint64_t __attribute__((vector_size(16)))

static uint64_t load(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

static uint16_t fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

static uint16_t swap(uint16_t sum)
{
	return (uint16_t)(sum << 8 | sum >> 8);
}

/* Returns the sum of len bytes; len is a multiple of 64. */
static uint64_t sum_blocks(const uint8_t *p, size_t len)
{
	LANES a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
	LANES w0, w1, w2, w3;

	for (; len; len -= 64, p += 64) {
		memcpy(&w0, p, 16);
		memcpy(&w1, p + 16, 16);
		memcpy(&w2, p + 32, 16);
		memcpy(&w3, p + 48, 16);
		a += w0 & 0xffffffff;
		b += w0 >> 32;
		c += w1 & 0xffffffff;
		d += w1 >> 32;
		a += w2 & 0xffffffff;
		b += w2 >> 32;
		c += w3 & 0xffffffff;
		d += w3 >> 32;
	}
	a += b + c + d;
	return add(a[0], a[1]);
}

/* Returns the sum of fewer than 8 bytes. Headers end with these, so each length
 * that is copied is a constant. */
static uint64_t sum_last(const uint8_t *p, size_t len)
{
	uint16_t two = 0, one = 0;
	uint32_t four = 0;

	if (len & 4) {
		memcpy(&four, p, 4);
		p += 4;
	}
	if (len & 2) {
		memcpy(&two, p, 2);
		p += 2;
	}
	if (len & 1)
		memcpy(&one, p, 1);
	return (uint64_t)four + two + one;
}

uint16_t fdl_checksum_sum(const void *bytes, size_t len, uint16_t sum)
{
	const size_t blocks = len & ~(size_t)63;
	const uint8_t *p = bytes;
	uint64_t acc = sum;

	if (blocks) {
		acc += sum_blocks(p, blocks);
		p += blocks;
	}
	for (len -= blocks; len >= sizeof(acc); len -= 8, p += 8)
		acc = add(acc, load(p));
	return fold(add(acc, sum_last(p, len)));
}

uint16_t fdl_checksum_iov(const struct iovec *iov, int cnt, size_t skip,
			  size_t len, uint16_t sum)
{
	const uint8_t *p;
	bool odd = false;
	size_t n;

	for (; cnt > 0 && len; cnt--, iov++) {
		if (skip >= iov->iov_len) {
			skip -= iov->iov_len;
			continue;
		}
		p = (const uint8_t *)iov->iov_base + skip;
		n = iov->iov_len - skip;
		n = n < len ? n : len;
		skip = 0;
		len -= n;
		sum = fdl_checksum_sum(p, n, odd ? swap(sum) : sum);
		sum = odd ? swap(sum) : sum;
		odd ^= n & 1;
	}
	return sum;
}

/* Returns what a number adds to a sum, in the order of the network. */
static uint64_t word_of(uint32_t number)
{
	uint8_t bytes[4];
	uint32_t word;

	put_be32(bytes, number);
	memcpy(&word, bytes, sizeof(word));
	return word;
}

uint16_t checksum_add(uint16_t sum, uint32_t number)
{
	return fold(sum + word_of(number));
}

uint16_t checksum_sub(uint16_t sum, uint32_t number)
{
	return checksum_add(sum, ~number);
}

void fdl_checksum_update(uint8_t field[2], const void *old_bytes,
			 const void *new_bytes, size_t len)
{
	const uint16_t was = fdl_checksum_sum(old_bytes, len, 0);
	uint16_t sum, check;

	/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m') */
	memcpy(&check, field, sizeof(check));
	sum = fdl_checksum_sum(new_bytes, len, (uint16_t)~check);
	sum = fold((uint64_t)sum + (uint16_t)~was);
	check = (uint16_t)~sum;
	memcpy(field, &check, sizeof(check));
}

/* The sum of the pseudo-header, not folded. len: what it has for the length. */
static uint64_t sum_pseudo(const uint8_t *frame, const struct parsed *p,
			   uint32_t len)
{
	const uint64_t rest = word_of(p->proto) + word_of(len);
	const uint8_t *ip = frame + p->l3;
	uint32_t word[2];

	if (p->version == 6)
		return rest +
		       fdl_checksum_sum(ip + IP6_SRC, 2 * IP6_ADDR_LEN, 0);
	memcpy(word, ip + IP4_SRC, sizeof(word));
	return rest + word[0] + word[1];
}

uint16_t checksum_pseudo(const uint8_t *frame, const struct parsed *p)
{
	return fold(sum_pseudo(frame, p, 0));
}

/* Ones' complement has two forms of 0, and a sum may come out as either. */
static bool same_sum(uint64_t a, uint64_t b)
{
	return a % 0xffff == b % 0xffff;
}

static bool holds_first(const uint8_t *frame, const struct parsed *p,
			const struct fdl_offload *off)
{
	const unsigned first = p->payload - p->l4 + off->gso_size;
	uint16_t sum;

	if (off->csum != FDL_CSUM_PARTIAL || p->routed)
		return false;
	memcpy(&sum, frame + off->csum_start + off->csum_offset, sizeof(sum));
	return same_sum(sum, sum_pseudo(frame, p, first));
}

uint16_t checksum_super(const uint8_t *frame, const struct parsed *p,
			const struct fdl_offload *off)
{
	uint16_t sum;

	if (off->csum != FDL_CSUM_PARTIAL || holds_first(frame, p, off))
		return checksum_pseudo(frame, p);
	memcpy(&sum, frame + off->csum_start + off->csum_offset, sizeof(sum));
	return checksum_sub(sum, p->end - p->l4);
}

void checksum_whole(uint8_t *frame, const struct parsed *p,
		    const struct fdl_offload *off)
{
	uint16_t sum;

	if (!holds_first(frame, p, off))
		return;
	sum = fold(sum_pseudo(frame, p, p->end - p->l4));
	memcpy(frame + off->csum_start + off->csum_offset, &sum, sizeof(sum));
}

void checksum_ip4(uint8_t *ip)
{
	put_be16(ip + IP4_CHECK, 0);
	checksum_store(ip + IP4_CHECK, fdl_checksum_sum(ip, ip4_hdr_len(ip), 0),
		       false);
}

void checksum_store(uint8_t *field, uint16_t sum, bool no_zero)
{
	uint16_t check = (uint16_t)~sum;

	if (no_zero && !check)
		check = 0xffff;
	memcpy(field, &check, sizeof(check));
}

uint32_t checksum_end(const uint8_t *frame, const struct parsed *p)
{
	if (p->proto == UDP_PROTO)
		return p->l4 + udp_total_len(frame + p->l4);
	return p->end;
}

size_t checksum_partial_end(const uint8_t *frame, size_t len,
			    const struct parsed *p, unsigned csum_start)
{
	if (p->proto && p->l4 == csum_start)
		return checksum_end(frame, p);
	return p->version ? p->end : len;
}

static bool complete_sum(uint8_t *frame, size_t len, const struct parsed *p,
			 const struct fdl_offload *off)
{
	const size_t start = off->csum_start;
	const size_t field = start + off->csum_offset;
	const size_t end = checksum_partial_end(frame, len, p, off->csum_start);

	if (field + 2 > end)
		return false;
	checksum_store(frame + field,
		       fdl_checksum_sum(frame + start, end - start, 0), true);
	return true;
}

bool checksum_complete(uint8_t *frame, size_t len, const struct parsed *p,
		       struct fdl_offload *off)
{
	bool done;

	if (sctp_is_undone(p, off))
		done = sctp_complete(frame, p);
	else
		done = complete_sum(frame, len, p, off);
	if (!done)
		return false;
	off->csum = FDL_CSUM_VALID;
	off->csum_start = 0;
	off->csum_offset = 0;
	return true;
}

int fdl_checksum_complete(uint8_t *frame, size_t len, unsigned link_len,
			  struct fdl_offload *off)
{
	struct parsed p;

	if (off->csum != FDL_CSUM_PARTIAL)
		return 0;
	parse_frame(frame, len, len, link_len, &p);
	return checksum_complete(frame, len, &p, off) ? 0 : -EINVAL;
}

int fdl_checksum_verify(const uint8_t *frame, size_t len, unsigned link_len)
{
	struct parsed p;
	uint16_t sum;
	uint32_t n;

	if (parse_frame(frame, len, len, link_len, &p) || p.routed)
		return -EOPNOTSUPP;
	if (p.version == 4 &&
	    fdl_checksum_sum(frame + p.l3, p.l4 - p.l3, 0) != 0xffff)
		return 0;
	if (p.proto == UDP_PROTO && !get_be16(frame + p.l4 + UDP_CHECK))
		return p.version == 4;
	n = checksum_end(frame, &p) - p.l4;
	sum = fold(sum_pseudo(frame, &p, n));
	return fdl_checksum_sum(frame + p.l4, n, sum) == 0xffff;
}
