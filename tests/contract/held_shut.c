/* SPDX-License-Identifier: Apache-2.0 */
/* One way of a link is shut, or both. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "contract.h"
#include "held.h"

void held_expect_deaf(struct link *l)
{
	assert_int_equal(expect_end(l), -ESHUTDOWN);
	assert_int_equal(fdl_queue_poll(l->q, 0), -ESHUTDOWN);
	assert_false(fd_readable(fdl_queue_fd(l->q), 0));
}

void held_expect_mute(struct link *l)
{
	struct fdl_packet *pkt = frame_packet(l, FRAME_MIN, 1);
	const bool loses = l->kind->traits & LINK_LOSSY;
	struct fdl_stats before, now;

	link_stats(l, &before);
	if (loses) {
		expect_sent(l, &pkt, 1);
	} else {
		assert_int_equal(fdl_send(l->q, &pkt, 1), -ESHUTDOWN);
		fdl_release(&pkt, 1);
	}
	link_stats(l, &now);
	assert_int_equal(now.tx_packets, before.tx_packets);
	assert_int_equal(stats_tx_drops(&now) - stats_tx_drops(&before), loses);
}
