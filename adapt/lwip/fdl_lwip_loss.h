/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a connection's data is lost, and how much may be sent: the peer's
 * reports (RFC 2018, 2883), what follows from them (RFC 6675, with the time that
 * RFC 8985 allows a late packet), and the window meanwhile (RFC 6937). A peer
 * without SACK is taken by RFC 6582.
 */
#ifndef FDL_LWIP_LOSS_H
#define FDL_LWIP_LOSS_H

#include <lwip/priv/tcp_priv.h>

#include "fdl_lwip_patience.h"
#include "fdl_lwip_sack.h"

/* lwIP has where to keep it: the other entry is fdl_lwip_loan.c's. */
#define FDL_LWIP_LOSS \
	(LWIP_TCP && LWIP_TCP_SACK_OUT && LWIP_TCP_PCB_NUM_EXT_ARGS >= 2)

enum fdl_lwip_mending {
	FDL_LWIP_WHOLE,		/* nothing is lost, as far as we know */
	FDL_LWIP_MENDING,	/* the peer told of a loss */
	FDL_LWIP_TIMED_OUT,	/* it told of nothing */
};

/* Whether the end of what was sent is probed, once for a silence. */
enum fdl_lwip_probe { PROBE_NOT, PROBE_NOW, PROBE_SENT };

/* Times are milliseconds of sys_now, sequence numbers in the host's order. */
struct fdl_lwip_loss {
	struct fdl_lwip_sack sack;
	enum fdl_lwip_mending state;
	u32_t una;		/* the first byte that the peer lacks */
	u32_t recover;		/* what was sent when the state began */
	u32_t lost;		/* before it all that the peer lacks is lost */
	u32_t again;		/* before it all that was lost is sent again */
	u32_t mark;		/* sent when the first hole was sent again */
	u32_t since_mark;	/* bytes that were delivered of what was sent
				 * later */
	u32_t delivered;	/* bytes, of which the window is not yet told */
	u32_t cwnd;		/* after the last turn */
	u8_t dups;		/* duplicate acknowledgements for una */

	/* RFC 6937, bytes */
	u32_t flight, prr_delivered, prr_out, room;

	/* What to return to if nothing was lost. */
	u32_t old_cwnd, old_ssthresh; /* 0: nothing */
	s32_t doubted;		/* bytes sent again, less those that came
				 * twice */

	struct fdl_lwip_patience wait;
	u32_t hole_at;		/* since when it is known that una is missing */
	u32_t probe_end;	/* what was sent when the end was probed */
	enum fdl_lwip_probe probed;
	u8_t probe_is_old;

	u32_t now;		/* at the beginning of this turn */
	u32_t rto_from, last;	/* when una began to be waited for, when
				 * anything was sent or heard */
};

/* NULL: none. */
struct fdl_lwip_loss *fdl_lwip_loss_find(const struct tcp_pcb *pcb);

/* Goes with the connection. NULL: no memory. */
struct fdl_lwip_loss *fdl_lwip_loss_new(struct tcp_pcb *pcb);

/* An acknowledgement, before lwIP takes it. */
void fdl_lwip_loss_note(struct tcp_pcb *pcb, const struct tcp_hdr *hdr,
			const u8_t *options, unsigned len, u16_t payload);

/* After lwIP has taken it, or when time has passed: decide what is lost. The
 * clock is read here, once for a turn. */
void fdl_lwip_loss_judge(struct fdl_lwip_loss *l, struct tcp_pcb *pcb);

/* How many bytes may leave now. */
u32_t fdl_lwip_loss_room(struct fdl_lwip_loss *l, const struct tcp_pcb *pcb,
			 u16_t unit);

/* So many bytes were sent again, so many for the first time. */
void fdl_lwip_loss_sent(struct fdl_lwip_loss *l, struct tcp_pcb *pcb,
			u32_t again, u32_t first);

/* Nothing was heard for too long: all is lost that the peer has not reported. */
void fdl_lwip_loss_time_out(struct fdl_lwip_loss *l, struct tcp_pcb *pcb);

#endif
