/* SPDX-License-Identifier: Apache-2.0 */
/* A packet that was merged and cut again, beside what it was before: told
 * without the library's help. */
#ifndef FDL_TEST_RECUT_H
#define FDL_TEST_RECUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the fields are that may differ. */
struct recut {
	unsigned l3, l4, check;
	int version, proto;
};

enum {
	/* Somebody vouched for the sums of before, whatever they are. */
	RECUT_TRUSTED	= 1 << 0,
	/* The ids of IPv4 are whoever's cut it, also where DF is not set. */
	RECUT_ANY_ID	= 1 << 1,
};

static inline unsigned recut_16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Words in network order, the odd byte padded (RFC 1071). */
static inline unsigned recut_sum(const uint8_t *p, size_t len, uint64_t sum)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (unsigned)p[i] << 8;
	while (sum >> 16)
		sum = (sum >> 16) + (sum & 0xffff);
	return (unsigned)sum;
}

/* Returns false if it is no TCP or UDP over IP, or a fragment. */
static inline bool recut_find(const uint8_t *f, size_t len, unsigned link_len,
			      struct recut *at)
{
	const uint8_t *ip = f + link_len;
	unsigned next;

	if (len < link_len + 20)
		return false;
	at->l3 = link_len;
	at->version = ip[0] >> 4;
	if (at->version == 4) {
		at->l4 = link_len + (ip[0] & 15U) * 4;
		at->proto = recut_16(ip + 6) & 0x3fff ? 0 : ip[9];
	} else if (at->version == 6 && len >= link_len + 40) {
		at->l4 = link_len + 40;
		for (next = ip[6]; next == 0 || next == 43 || next == 60;) {
			if (at->l4 + 8 > len)
				return false;
			next = f[at->l4];
			at->l4 += (f[at->l4 + 1] + 1U) * 8;
		}
		at->proto = (int)next;
	} else {
		return false;
	}
	at->check = at->l4 + (at->proto == 6 ? 16 : 6);
	return (at->proto == 6 || at->proto == 17) && at->check + 2 <= len;
}

static inline bool recut_sums_right(const uint8_t *f, size_t len,
				    const struct recut *at)
{
	const uint8_t *ip = f + at->l3;
	const unsigned n = (unsigned)len - at->l4;
	const unsigned pseudo = recut_sum(ip + (at->version == 4 ? 12 : 8),
					  at->version == 4 ? 8 : 32,
					  (unsigned)at->proto + n);

	if (at->version == 4 && recut_sum(ip, at->l4 - at->l3, 0) != 0xffff)
		return false;
	if (at->proto == 17 && !recut_16(f + at->check))
		return false;
	return recut_sum(f + at->l4, n, pseudo) == 0xffff;
}

static inline bool recut_may_differ(const struct recut *at, bool any_id,
				    size_t i)
{
	if (at->check && i - at->check < 2)
		return true;
	if (at->version == 6)
		return false;
	return i - (at->l3 + 10) < 2 || (any_id && i - (at->l3 + 4) < 2);
}

static inline bool recut_fills(const uint8_t *f, size_t len,
			       const struct recut *at)
{
	const unsigned n = recut_16(f + at->l3 + (at->version == 4 ? 2 : 4));

	return len - at->l3 == (at->version == 4 ? n : n + 40);
}

/* An IP header at l3 leads to a transport header at l4. */
static inline bool recut_leads(const uint8_t *f, size_t len, unsigned l3,
			       unsigned l4, struct recut *at)
{
	return recut_find(f, len, l3, at) && at->l4 == l4 &&
	       recut_fills(f, len, at);
}

/* The outer IP header, and the checksum behind it. */
static inline bool recut_find_outer(const uint8_t *f, size_t len,
				    unsigned link_len, struct recut *at)
{
	const uint8_t *ip = f + link_len;
	unsigned next;

	*at = (struct recut){ .l3 = link_len, .version = ip[0] >> 4 };
	at->l4 = link_len + (at->version == 4 ? 20 : 40);
	if (len < at->l4 + 8)
		return false;
	next = at->version == 4 ? ip[9] : ip[6];
	while (at->version == 6 && (next == 0 || next == 43 || next == 60)) {
		next = f[at->l4];
		at->l4 += (f[at->l4 + 1] + 1U) * 8;
		if (len < at->l4 + 8)
			return false;
	}
	at->proto = (int)next;
	if (next == 17 && recut_16(f + at->l4 + 6))
		at->check = at->l4 + 6;
	else if (next == 47 && f[at->l4] & 0x80)
		at->check = at->l4 + 4;
	return true;
}

static inline bool recut_outer_right(const uint8_t *f, size_t len,
				     const struct recut *at)
{
	const uint8_t *ip = f + at->l3;
	const unsigned n = (unsigned)len - at->l4;
	unsigned pseudo = 0;

	if (at->version == 4 && recut_sum(ip, at->l4 - at->l3, 0) != 0xffff)
		return false;
	if (!at->check)
		return true;
	if (at->proto == 17)
		pseudo = recut_sum(ip + (at->version == 4 ? 12 : 8),
				   at->version == 4 ? 8 : 32, 17 + n);
	return recut_sum(f + at->l4, n, pseudo) == 0xffff;
}

static inline bool recut_any_id(const uint8_t *was, const struct recut *at,
				unsigned flags)
{
	return flags & RECUT_ANY_ID || was[at->l3 + 6] & 0x40;
}

/* As recut_is_inside, the IP headers are at out and in. */
static inline bool recut_is_between(const uint8_t *was, const uint8_t *now,
				    size_t len, const struct recut *out,
				    const struct recut *in, unsigned flags)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (was[i] != now[i] &&
		    !recut_may_differ(out, recut_any_id(was, out, flags), i) &&
		    !recut_may_differ(in, recut_any_id(was, in, flags), i))
			return false;
	if (!recut_sums_right(now, len, in) ||
	    !recut_outer_right(now, len, out))
		return false;
	return flags & RECUT_TRUSTED || (recut_sums_right(was, len, in) &&
					 recut_outer_right(was, len, out));
}

/* As recut_is, in a tunnel: inner_l4 is the inner transport header. The inner
 * IP header is any that leads there, for its addresses may look like one. */
static inline bool recut_is_inside(const uint8_t *was, const uint8_t *now,
				   size_t len, unsigned link_len,
				   unsigned inner_l4, unsigned flags)
{
	struct recut out, in;
	unsigned l3;

	if (!recut_find_outer(was, len, link_len, &out))
		return false;
	for (l3 = inner_l4; l3-- > out.l4;)
		if (recut_leads(was, len, l3, inner_l4, &in) &&
		    recut_is_between(was, now, len, &out, &in, flags))
			return true;
	return false;
}

/*
 * Whether now is what was merged: all of it except the checksums, which are
 * right, and, with DF, the id of IPv4. flags: RECUT_.
 */
static inline bool recut_is(const uint8_t *was, const uint8_t *now, size_t len,
			    unsigned link_len, unsigned flags)
{
	struct recut at;
	bool any_id;
	size_t i;

	if (!recut_find(was, len, link_len, &at))
		return false;
	any_id = recut_any_id(was, &at, flags);
	for (i = 0; i < len; i++)
		if (was[i] != now[i] && !recut_may_differ(&at, any_id, i))
			return false;
	return recut_sums_right(now, len, &at) &&
	       (flags & RECUT_TRUSTED || recut_sums_right(was, len, &at));
}

#endif
