/* SPDX-License-Identifier: Apache-2.0 */
/* How long a connection waits, by the round trips that it has seen (RFC 6298),
 * and by how late packets were (RFC 8985). */
#ifndef FDL_LWIP_PATIENCE_H
#define FDL_LWIP_PATIENCE_H

#include <stdbool.h>

#include <lwip/arch.h>
#include <lwip/def.h>

/* Milliseconds. Zeroed, nothing was seen. */
struct fdl_lwip_patience {
	u32_t srtt, rttvar;	/* in eighths and quarters; rttvar 0: none */
	u32_t min_rtt;
	u32_t timed, timed_at;	/* a byte, and when it was sent */
	u8_t timing;
	u8_t backoff;		/* timeouts in a row */
	u32_t late;		/* how late packets come; 0: none does */
	u8_t late_for;		/* so many losses more that is believed */
};

/* The byte that was timed is acknowledged. */
void fdl_lwip_patience_measure(struct fdl_lwip_patience *w, u32_t now);

/* A packet was so late, and the next ones are waited for; a peer that says so
 * without end gets no more than a round trip. */
void fdl_lwip_patience_late(struct fdl_lwip_patience *w, u32_t ms);

/* How long what is missing may still be late; how long to wait for anything
 * before the end is probed, lone: of one segment; and before it is a timeout. */
u32_t fdl_lwip_patience_hole(const struct fdl_lwip_patience *w);
u32_t fdl_lwip_patience_probe(const struct fdl_lwip_patience *w, bool lone);
u32_t fdl_lwip_patience_timeout(const struct fdl_lwip_patience *w);

#endif
