/* SPDX-License-Identifier: Apache-2.0 */
/* How long a connection waits. That depends on the round trips that it has
 * measured (RFC 6298), and on how late packets were (RFC 8985). */
#ifndef FDL_LWIP_PATIENCE_H
#define FDL_LWIP_PATIENCE_H

#include <stdbool.h>

#include <lwip/arch.h>
#include <lwip/def.h>

/* Times are milliseconds. All zero: nothing was measured. */
struct fdl_lwip_patience {
	u32_t srtt, rttvar;	/* in eighths and quarters; rttvar 0: none */
	u32_t min_rtt;
	u32_t timed, timed_at;	/* a byte, and when it was sent */
	u8_t timing;
	u8_t backoff;		/* timeouts in a row */
	u32_t late;		/* how late packets come; 0: none does */
	u8_t late_for;		/* losses until late is forgotten */
};

/* The byte that was timed is acknowledged. */
void fdl_lwip_patience_measure(struct fdl_lwip_patience *w, u32_t now);

/* A packet was so late. The next ones are waited for as long, but no longer
 * than a round trip, whatever the peer says. */
void fdl_lwip_patience_late(struct fdl_lwip_patience *w, u32_t ms);

/*
 * Return how long to wait
 * - before a missing packet is not late any more, but lost;
 * - before the end of what was sent is probed; lone: it is one segment;
 * - before it is a timeout.
 */
u32_t fdl_lwip_patience_hole(const struct fdl_lwip_patience *w);
u32_t fdl_lwip_patience_probe(const struct fdl_lwip_patience *w, bool lone);
u32_t fdl_lwip_patience_timeout(const struct fdl_lwip_patience *w);

#endif
