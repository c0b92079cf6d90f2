/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip_patience.h"

/* Milliseconds */
enum {
	FIRST_TIMEOUT = 1000,
	MIN_TIMEOUT = 200,	/* beyond a round trip, as every stack has it */
	MAX_TIMEOUT = 120 * 1000,
	MIN_PROBE = 10,
	/* Longer than a peer with one segment delays its acknowledgement. */
	LONE_PROBE = 200,
	MIN_PATIENCE = 2,
	/* How late packets may be, if a round trip is shorter. */
	MAX_LATE = 10,
};

enum {
	/* After so many losses a late packet is forgotten: RFC 8985. */
	LATE_FOR = 16,
};

static u32_t round_trip(const struct fdl_lwip_patience *w)
{
	return w->srtt >> 3;
}

void fdl_lwip_patience_measure(struct fdl_lwip_patience *w, u32_t now)
{
	const u32_t rtt = now - w->timed_at;
	s32_t err;

	w->timing = 0;
	if (!w->rttvar) {
		w->min_rtt = rtt;
		w->srtt = rtt << 3;
		w->rttvar = LWIP_MAX(rtt << 1, 1U);
		return;
	}
	w->min_rtt = LWIP_MIN(w->min_rtt, rtt);
	err = (s32_t)(rtt - (w->srtt >> 3));
	w->srtt += (u32_t)err;
	if (err < 0)
		err = -err;
	w->rttvar += (u32_t)(err - (s32_t)(w->rttvar >> 2));
	w->rttvar = LWIP_MAX(w->rttvar, 1U);
}

void fdl_lwip_patience_late(struct fdl_lwip_patience *w, u32_t ms)
{
	const u32_t most = LWIP_MAX((u32_t)MAX_LATE, round_trip(w));

	w->late = LWIP_MIN(LWIP_MAX(ms, 1U), most);
	w->late_for = LATE_FOR;
}

u32_t fdl_lwip_patience_hole(const struct fdl_lwip_patience *w)
{
	return w->late ? w->late : w->min_rtt / 4 + MIN_PATIENCE;
}

u32_t fdl_lwip_patience_probe(const struct fdl_lwip_patience *w, bool lone)
{
	const u32_t ms = LWIP_MAX(2 * round_trip(w), (u32_t)MIN_PROBE);

	return lone ? ms + LONE_PROBE : ms;
}

u32_t fdl_lwip_patience_timeout(const struct fdl_lwip_patience *w)
{
	u32_t ms = FIRST_TIMEOUT;

	if (w->rttvar)
		ms = round_trip(w) + LWIP_MAX((u32_t)MIN_TIMEOUT, w->rttvar);
	ms = LWIP_MIN(ms, (u32_t)MAX_TIMEOUT);
	return LWIP_MIN(ms << LWIP_MIN(w->backoff, 10), (u32_t)MAX_TIMEOUT);
}
