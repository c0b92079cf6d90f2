/* SPDX-License-Identifier: Apache-2.0 */
#include "io/load.h"

#include "os.h"

enum {
	/*
	 * The ring pays above some ten thousand packets per second, but there
	 * each packet waits for its block. So go up under load only, and come
	 * down early.
	 */
	BUSY_PPS = 64000,
	IDLE_PPS = 32000,
	/* So many packets make a load: more than a burst, and more than what
	 * gathers while the reader was kept from running. */
	BUSY_PACKETS = 256,
	BUSY_US = 4000,
	BUSY_TIMES = 3,
	/* Idle for so long: more than the pause between two bursts of one
	 * load. */
	IDLE_US = 200000,
	/* The ring has to hold the packets of a grace period, with about so
	 * many bytes before each. */
	GRACE_US = 16000,
	FRAME_COST = 128,
};

void load_start(struct load *load)
{
	load->packets = 0;
	load->bytes = 0;
	load->since = os_now_us();
}

bool load_is_high(struct load *load, const struct io_frame f[], int got,
		  const struct fdl_options *opts)
{
	int64_t us;
	bool busy;
	int i;

	for (i = 0; i < got; i++) {
		load->bytes += f[i].wire_len + FRAME_COST + opts->headroom;
		load->lens |= f[i].wire_len;
	}
	load->packets += (unsigned)got;
	if (load->packets < BUSY_PACKETS)
		return false;
	us = os_now_us() - load->since;
	if (us < BUSY_US)
		return false;
	busy = !load_is_big(load) &&
	       load->packets * 1000000 / (uint64_t)us >= BUSY_PPS &&
	       load->bytes * GRACE_US / (uint64_t)us <= opts->ring_bytes;
	load_start(load);
	load->busy = busy ? load->busy + 1 : 0;
	return load->busy >= BUSY_TIMES;
}

bool load_is_low(struct load *load)
{
	int64_t us = os_now_us() - load->since;
	bool idle;

	if (us < IDLE_US)
		return false;
	idle = load->packets * 1000000 / (uint64_t)us < IDLE_PPS;
	load_start(load);
	return idle;
}
