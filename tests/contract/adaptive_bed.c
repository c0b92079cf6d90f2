/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "adaptive_bed.h"
#include "cpu.h"
#include "link.h"
#include "netns.h"
#include "switches.h"

enum { FRAME = 60 };

/* Stands unless hurried: then whatever is next is due. */
static _Atomic int64_t clock_us;

int64_t __wrap_os_now_us(void);

int64_t __wrap_os_now_us(void)
{
	const int64_t step = switches.member ? 1000000 : 4000;

	return atomic_fetch_add(&clock_us, switches.hurried ? step : 0);
}

int bed_socket(const char *dev)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(dev),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

void feeder_put(struct feeder *f)
{
	uint8_t frame[FRAME] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5,
	};
	unsigned seq = f->sent;

	memcpy(frame + 14, &f->flow, sizeof(f->flow));
	memcpy(frame + 18, &seq, sizeof(seq));
	while (send(f->sock, frame, FRAME, 0) != FRAME)
		;
	f->sent = seq + 1;
}

void bed_check(struct bed *b, const struct fdl_packet *pkt)
{
	unsigned flow, seq;

	assert_int_equal(pkt->len, FRAME);
	memcpy(&flow, pkt->data + 14, sizeof(flow));
	memcpy(&seq, pkt->data + 18, sizeof(seq));
	assert_in_range(flow, 0, FLOWS - 1);
	if (!b->lossy)
		assert_int_equal(seq, b->feeder[flow].got);
	assert_in_range(seq, b->feeder[flow].got, b->feeder[flow].sent);
	b->feeder[flow].got = seq + 1;
	b->n++;
}

int bed_take_once(struct bed *b)
{
	struct fdl_packet *v[BATCH];
	int i, n = fdl_recv(b->q, v, BATCH);

	assert_in_range(n, 0, BATCH);
	for (i = 0; i < n; i++)
		bed_check(b, v[i]);
	fdl_release(v, n);
	return n;
}

int bed_take(struct bed *b)
{
	int n, total = 0;

	while ((n = bed_take_once(b)) > 0)
		total += n;
	return total;
}

bool bed_all_came(const struct bed *b)
{
	unsigned i;

	for (i = 0; i < FLOWS; i++)
		if (b->feeder[i].got != b->feeder[i].sent)
			return false;
	return true;
}

void bed_take_all(struct bed *b)
{
	while (!bed_all_came(b)) {
		assert_int_equal(fdl_queue_poll(b->q, WAIT_MS), FDL_READABLE);
		bed_take(b);
	}
}

void bed_expect_no_drops(struct bed *b)
{
	struct fdl_stats st;

	assert_int_equal(fdl_get_stats(b->ep, &st, sizeof(st)), 0);
	assert_int_equal(st.rx_packets, b->n);
	assert_int_equal(st.rx_drop_kernel, 0);
}

static void count_warnings(void *ctx, int level, const char *msg)
{
	struct bed *b = ctx;

	(void)msg;
	b->warnings += level <= FDL_LOG_WARNING;
}

void bed_make_with(struct bed *b, const char *locator, uint32_t ring_bytes)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .ring_bytes = ring_bytes,
					  .log = count_warnings,
					  .log_ctx = b };
	unsigned i;

	*b = (struct bed){ 0 };
	cpu_stay(&b->cpus);
	netns_command("ip link add fda0 type veth peer name fda1");
	netns_set_up("fda0", true);
	netns_set_up("fda1", true);
	netns_wait_running("fda0");
	netns_wait_running("fda1");
	for (i = 0; i < FLOWS; i++) {
		b->feeder[i].flow = i;
		b->feeder[i].sock = bed_socket("fda1");
	}
	switches_reset();
	assert_int_equal(fdl_open(&b->ep, locator, &opts), 0);
	assert_int_equal(fdl_get_mode(b->ep), FDL_MODE_ADAPTIVE);
	b->q = fdl_get_queue(b->ep, 0);
	switches_reset();
}

void bed_make(struct bed *b)
{
	bed_make_with(b, "packet:fda0", 0);
}

void bed_free(struct bed *b)
{
	unsigned i;

	cpu_roam(&b->cpus);
	for (i = 0; i < FLOWS; i++)
		close(b->feeder[i].sock);
	assert_int_equal(fdl_endpoint_free(b->ep), 0);
	if (netns_has("fda0"))
		netns_command("ip link del fda0");
}

void bed_put(struct bed *b, unsigned n)
{
	while (n-- > 0)
		feeder_put(&b->feeder[n % FLOWS]);
}

void bed_expect_quiet(struct bed *b)
{
	struct pollfd p = { .fd = fdl_fd(b->ep), .events = POLLIN };
	struct fdl_packet *pkt;

	assert_int_equal(fdl_recv(b->q, &pkt, 1), 0);
	if (poll(&p, 1, 0) == 0)
		return;
	assert_int_equal(fdl_recv(b->q, &pkt, 1), 0);
	assert_int_equal(poll(&p, 1, 0), 0);
}

static void deliver_batch(void *bed)
{
	bed_put(bed, BATCH);
	bed_take_all(bed);
}

void bed_begin_switch(struct bed *b)
{
	switches_begin(deliver_batch, b);
}

void bed_await_switch(struct bed *b)
{
	switches_await();
	bed_take(b);
}

void bed_enter(struct bed *b, enum phase phase)
{
	if (phase == PLAIN)
		return;
	bed_begin_switch(b);
	if (phase != TO_RING)
		bed_await_switch(b);
	if (phase == TO_PLAIN)
		bed_begin_switch(b);
	switches.delay_us = 30000;
	switches.held = false;
}

void bed_deliver(struct bed *b)
{
	int i;

	for (i = 0; i < 100; i++) {
		bed_put(b, 5);
		bed_take_all(b);
		bed_expect_quiet(b);
	}
	bed_take_all(b);
	bed_expect_no_drops(b);
}
