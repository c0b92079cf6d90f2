/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include <stdint.h>

#include <fdlink/fdlink.h>

#include "clock.h"

static void answer(struct gate *gate, const struct fdl_packet *pkt,
		   uint32_t mtu)
{
	uint8_t text[TOO_BIG_ROOM];
	const size_t len = too_big_answer(pkt, mtu, text);
	const struct iovec iov = { text, len };

	if (!len || !too_big_afford(&gate->budget, clock_ns()))
		return;
	/* fdl_write counts the answer, whether it goes or not. */
	fdl_write(gate->from, &iov, 1, NULL);
	wire_count(gate->counts, WIRE_SIGNALS, 1);
}

/* Returns whether it goes on. */
static bool goes_on(struct gate *gate, const struct fdl_packet *pkt)
{
	const uint32_t mtu = cable_mtu(gate->cable, !gate->end);

	if (!cable_is_plugged(gate->cable)) {
		wire_count(gate->counts, WIRE_DROP_UNPLUGGED, 1);
		return false;
	}
	if (!gate->signals || !too_big(pkt, mtu))
		return true;
	wire_count(gate->counts, WIRE_DROP_TOO_LONG, 1);
	answer(gate, pkt, mtu);
	return false;
}

int gate_pass(struct gate *gate, struct fdl_packet *v[], int n)
{
	int i, left = 0;

	if (!gate->signals && cable_is_plugged(gate->cable))
		return n;
	for (i = 0; i < n; i++) {
		if (goes_on(gate, v[i]))
			v[left++] = v[i];
		else
			fdl_release(&v[i], 1);
	}
	return left;
}
