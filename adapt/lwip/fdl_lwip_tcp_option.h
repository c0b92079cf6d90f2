/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a TCP header, wherever they lie. */
#ifndef FDL_LWIP_TCP_OPTION_H
#define FDL_LWIP_TCP_OPTION_H

#include <stddef.h>
#include <stdint.h>

/* Without TCP, lwIP has no names for them. */
enum {
	FDL_LWIP_OPT_END = 0,
	FDL_LWIP_OPT_NOP = 1,
};

/*
 * Returns the first option from *at on, all of whose bytes are there, and moves
 * *at behind it. NULL: there is none. Then *at is len, or where an END is, or
 * an option that does not fit in.
 */
static inline const uint8_t *fdl_lwip_next_option(const uint8_t *opt,
						  unsigned len, unsigned *at)
{
	const uint8_t *o;

	while (*at < len && opt[*at] == FDL_LWIP_OPT_NOP)
		++*at;
	o = opt + *at;
	if (len - *at < 2 || o[0] == FDL_LWIP_OPT_END || o[1] < 2 ||
	    o[1] > len - *at)
		return NULL;
	*at += o[1];
	return o;
}

/* Returns the first option of that kind and size, in bytes, or NULL. */
static inline const uint8_t *fdl_lwip_find_option(const uint8_t *opt,
						  unsigned len, uint8_t kind,
						  unsigned size)
{
	const uint8_t *o;
	unsigned at = 0;

	while ((o = fdl_lwip_next_option(opt, len, &at)))
		if (o[0] == kind && o[1] == size)
			break;
	return o;
}

#endif
