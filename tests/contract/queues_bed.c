/* SPDX-License-Identifier: Apache-2.0 */
#include "queues_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cpu.h"
#include "flows.h"
#include "switches.h"

enum {
	/* How many looks at the clock find a load, and one an idle link. */
	BUSY_LOOKS = 16,
};

_Thread_local unsigned reading;
static _Thread_local int64_t clock_us[QUEUES];

int64_t __wrap_os_now_us(void);

/* Stands unless hurried: then a load is due, and now and then an idle link. */
int64_t __wrap_os_now_us(void)
{
	static _Thread_local unsigned looks;

	if (switches.hurried)
		clock_us[reading] += looks++ % (BUSY_LOOKS + 1) ? 4000 :
								  1000000;
	return clock_us[reading];
}

static struct fdl_endpoint *open_adaptive(const char *locator)
{
	struct fdl_endpoint *ep;

	switches_reset();
	memset(clock_us, 0, sizeof(clock_us));
	ep = flows_open(locator);
	assert_int_equal(fdl_get_mode(ep), FDL_MODE_ADAPTIVE);
	switches_reset();
	return ep;
}

void flow_put(struct flow *f, int sock)
{
	flows_put(sock, f->port, f->sent, true);
	f->sent++;
}

void bed_check(struct bed *b, unsigned queue, const struct fdl_packet *pkt)
{
	unsigned port, seq, i;

	memcpy(&port, pkt->data + 42, sizeof(port));
	memcpy(&seq, pkt->data + 46, sizeof(seq));
	for (i = 0; i < FEEDERS * QUEUES; i++)
		if (b->flow[i].port == port)
			break;
	if (i < FEEDERS * QUEUES && b->flow[i].queue == queue &&
	    b->flow[i].got == seq) {
		b->flow[i].got = seq + 1;
		return;
	}
	if (b->wrong++ == 0)
		print_error("queue %u, flow %u: packet %u of port %u\n", queue,
			    i, seq, port);
}

static unsigned queue_of(struct bed *b, unsigned port)
{
	struct flow_tally t;

	flows_put(b->sock, port, 0, true);
	t = flows_collect(b->ep, 1);
	return (unsigned)t.queue_of[port];
}

void make_bed(struct bed *b)
{
	unsigned n[QUEUES] = { 0 }, port, queue;

	memset(b, 0, sizeof(*b));
	cpu_stay(&b->cpus);
	b->ep = open_adaptive("packet:fdq,queues=2");
	b->sock = flows_socket("fdqp", 0);
	for (port = 1; n[0] < FEEDERS || n[1] < FEEDERS; port++) {
		queue = queue_of(b, port);
		if (n[queue] == FEEDERS)
			continue;
		b->flow[queue * FEEDERS + n[queue]].port = port;
		b->flow[queue * FEEDERS + n[queue]].queue = queue;
		n[queue]++;
	}
}

void bed_expect_all(struct bed *b)
{
	struct fdl_stats st;
	unsigned i;

	assert_int_equal(b->wrong, 0);
	for (i = 0; i < FEEDERS * QUEUES; i++)
		assert_int_equal(b->flow[i].got, b->flow[i].sent);
	assert_int_equal(fdl_get_stats(b->ep, &st, sizeof(st)), 0);
	assert_int_equal(st.rx_drop_kernel, 0);
}

void free_bed(struct bed *b)
{
	cpu_roam(&b->cpus);
	close(b->sock);
	assert_int_equal(fdl_endpoint_free(b->ep), 0);
}
