/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip_sack.h"
#include "fdl_lwip_bytes.h"

#include <string.h>

enum {
	KIND_END = 0,
	KIND_NOP = 1,
	KIND_SACK = 5,
	BLOCK_LEN = 8,
};

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static uint32_t later(uint32_t a, uint32_t b)
{
	return before(a, b) ? b : a;
}

static uint32_t earlier(uint32_t a, uint32_t b)
{
	return before(a, b) ? a : b;
}

static unsigned read_blocks(const uint8_t *p, unsigned len,
			    struct fdl_lwip_range block[FDL_LWIP_SACK_BLOCKS])
{
	unsigned n;

	for (n = 0; n < FDL_LWIP_SACK_BLOCKS && len >= BLOCK_LEN; n++) {
		block[n].left = fdl_lwip_get32(p);
		block[n].right = fdl_lwip_get32(p + 4);
		p += BLOCK_LEN;
		len -= BLOCK_LEN;
	}
	return n;
}

unsigned fdl_lwip_sack_read(const uint8_t *options, unsigned len,
			    struct fdl_lwip_range block[FDL_LWIP_SACK_BLOCKS])
{
	unsigned at = 0;

	while (at < len && options[at] != KIND_END) {
		if (options[at] == KIND_NOP) {
			at++;
			continue;
		}
		if (len - at < 2 || options[at + 1] < 2 ||
		    options[at + 1] > len - at)
			return 0;
		if (options[at] == KIND_SACK)
			return read_blocks(options + at + 2,
					   options[at + 1] - 2U, block);
		at += options[at + 1];
	}
	return 0;
}

/* Replace the n ranges from index at on by r. */
static void replace(struct fdl_lwip_sack *s, unsigned at, unsigned n,
		    struct fdl_lwip_range r)
{
	unsigned behind = s->n - at - n;

	if (!n && s->n == FDL_LWIP_SACK_RANGES) {
		if (!behind)
			return;
		behind--;
		s->n--;
	}
	memmove(&s->range[at + 1], &s->range[at + n],
		behind * sizeof(s->range[0]));
	s->range[at] = r;
	s->n = at + 1 + behind;
}

uint32_t fdl_lwip_sack_add(struct fdl_lwip_sack *s, struct fdl_lwip_range r)
{
	const uint32_t news = r.right - r.left - fdl_lwip_sack_bytes(s, r);
	unsigned at, n;

	for (at = 0; at < s->n && before(s->range[at].right, r.left); at++)
		;
	for (n = 0; at + n < s->n; n++) {
		if (before(r.right, s->range[at + n].left))
			break;
		r.left = earlier(r.left, s->range[at + n].left);
		r.right = later(r.right, s->range[at + n].right);
	}
	replace(s, at, n, r);
	return news;
}

void fdl_lwip_sack_trim(struct fdl_lwip_sack *s, uint32_t una)
{
	unsigned gone;

	for (gone = 0; gone < s->n; gone++) {
		if (before(una, s->range[gone].right))
			break;
	}
	s->n -= gone;
	memmove(s->range, s->range + gone, s->n * sizeof(s->range[0]));
	if (s->n)
		s->range[0].left = later(s->range[0].left, una);
}

uint32_t fdl_lwip_sack_bytes(const struct fdl_lwip_sack *s,
			     struct fdl_lwip_range r)
{
	uint32_t left, right, sum = 0;
	unsigned i;

	for (i = 0; i < s->n; i++) {
		left = later(s->range[i].left, r.left);
		right = earlier(s->range[i].right, r.right);
		if (before(left, right))
			sum += right - left;
	}
	return sum;
}

bool fdl_lwip_sack_hole(const struct fdl_lwip_sack *s, struct fdl_lwip_range *r)
{
	unsigned i;

	for (i = 0; i < s->n; i++) {
		if (!before(r->left, s->range[i].right))
			continue;
		if (before(r->left, s->range[i].left)) {
			r->right = earlier(r->right, s->range[i].left);
			break;
		}
		r->left = s->range[i].right;
	}
	return before(r->left, r->right);
}

uint32_t fdl_lwip_sack_above(const struct fdl_lwip_sack *s, uint32_t bytes,
			     uint32_t una)
{
	uint32_t sum = 0;
	unsigned i;

	for (i = s->n; i--;) {
		sum += s->range[i].right - s->range[i].left;
		if (sum > bytes)
			return s->range[i].left;
	}
	return una;
}
