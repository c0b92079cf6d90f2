/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What another holder of an endpoint's fd has set on it before there was an
 * endpoint, or sets while packets move: every socket option, on every kind of
 * link, in every mode. What comes is what was sent, both ways, or is counted; a
 * setting that cannot be lived with is refused by name; and nothing calls a
 * reader for nothing.
 *
 *	held [PATTERN | N M]	what matches; the Nth of M parts
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "contract.h"
#include "held.h"
#include "macvtap.h"
#include "netns.h"

enum {
	ROUND = 8,		/* frames */
	TAG_LEN = 4,
	MOST = FRAME_MAX + TAG_LEN,
	SHORT = 200,		/* all that any setting lets through */
};

struct trial {
	const struct held_setting *setting;
	const struct link_kind *kind;
	enum fdl_mode mode;
	bool running;
	char name[96];
};

static char said[512];
static struct link held;

static void say(void *ctx, int level, const char *msg)
{
	(void)ctx;
	if (level > FDL_LOG_WARNING)
		return;
	print_message("%s\n", msg);
	snprintf(said, sizeof(said), "%s", msg);
}

static int open_endpoint(struct link *l, const struct trial *t)
{
	const struct fdl_options opts = { .flags = t->setting->flags,
					  .log = say };

	said[0] = '\0';
	return link_endpoint(l, t->mode, &opts);
}

/* Every second one is tagged, where there are tags. */
static size_t make(const struct link *l, uint8_t frame[MOST], unsigned seq)
{
	const size_t len = SHORT + seq % 7;

	frame_make(l, false, frame, len, seq);
	if (!(l->kind->traits & LINK_ETHERNET) || seq % 2)
		return len;
	memmove(frame + 12 + TAG_LEN, frame + 12, len - 12);
	memcpy(frame + 12, "\x81\x00\xa0\x07", TAG_LEN);
	return len + TAG_LEN;
}

static unsigned feed(struct link *l, unsigned from, unsigned n)
{
	uint8_t frame[MOST];
	unsigned seq;

	for (seq = from; seq < from + n; seq++)
		held_feed(l, frame, make(l, frame, seq));
	return seq;
}

/* By TCP it takes a while, and the kernel tells when. */
static void await_arrival(const struct link *l)
{
	int left;

	do
		assert_int_equal(ioctl(l->peer, SIOCOUTQ, &left), 0);
	while (left);
}

static uint64_t dropped(struct link *l)
{
	struct fdl_stats st;

	link_stats(l, &st);
	return stats_rx_drops(&st);
}

/* Which of frames from..to it is, byte for byte. */
static unsigned find(const struct link *l, const struct fdl_packet *pkt,
		     unsigned from, unsigned to)
{
	uint8_t frame[MOST];
	unsigned seq;

	for (seq = from; seq < to; seq++)
		if (make(l, frame, seq) == pkt->len &&
		    !memcmp(frame, pkt->data, pkt->len))
			return seq;
	fail_msg("a packet of %u bytes is none that was sent", pkt->len);
	return to;
}

/* All of them come, in order, or are counted. Returns how many came. */
static unsigned expect(struct link *l, unsigned from, unsigned to,
		       uint64_t before)
{
	const long long end = netns_now_ms() + WAIT_MS;
	unsigned next = from, came = 0;
	struct fdl_packet *pkt;
	int n;

	while (came + dropped(l) - before < to - from) {
		assert_true(netns_now_ms() < end);
		fdl_queue_poll(l->q, 10);
		n = fdl_recv(l->q, &pkt, 1);
		assert_in_range(n, 0, 1);
		if (n == 0)
			continue;
		next = find(l, pkt, next, to) + 1;
		fdl_release(&pkt, 1);
		came++;
	}
	return came;
}

static void expect_all(struct link *l, unsigned from, unsigned to)
{
	const uint64_t before = dropped(l);

	assert_int_equal(expect(l, from, to, before), to - from);
}

static bool is_segment(const struct link *l, const struct fdl_packet *pkt)
{
	uint8_t want[FRAME_MAX];
	unsigned i;

	for (i = 0; i < HELD_SEGMENTS; i++)
		if (held_segment(l, false, i, want) == pkt->len &&
		    !memcmp(want, pkt->data, pkt->len))
			return true;
	return false;
}

/* It may take a while until it is noticed; what comes is right even so. */
static void settle(struct link *l)
{
	const uint64_t before = dropped(l);
	struct fdl_packet *pkt;
	unsigned came = 0;

	held_feed_segments(l);
	held_feed_super(l);
	while (came + dropped(l) - before < HELD_SEGMENTS + 1 ||
	       fdl_queue_poll(l->q, QUIET_MS)) {
		fdl_queue_poll(l->q, 10);
		if (fdl_recv(l->q, &pkt, 1) < 1)
			continue;
		assert_true(is_segment(l, pkt));
		fdl_release(&pkt, 1);
		came++;
	}
}

static void expect_at_peer(struct link *l, unsigned seq)
{
	uint8_t got[FRAME_MAX], want[FRAME_MAX];

	frame_make(l, true, want, SHORT, seq);
	assert_int_equal(held_collect(l, got, sizeof(got)), SHORT);
	assert_memory_equal(got, want, SHORT);
}

static void send_some(struct link *l)
{
	struct fdl_packet *pkt;
	unsigned seq;

	for (seq = 1; seq <= 3; seq++) {
		pkt = frame_packet(l, SHORT, seq);
		expect_sent(l, &pkt, 1);
		expect_at_peer(l, seq);
	}
}

/* The next one of those that leave their checksums to the device. */
static void expect_segments(struct link *l)
{
	uint8_t want[FRAME_MAX];
	struct fdl_packet *pkt;
	unsigned i;
	size_t len;

	for (i = 0; i < HELD_SEGMENTS; i++) {
		len = held_segment(l, false, i, want);
		expect_packets(l, &pkt, 1);
		assert_int_equal(pkt->len, len);
		assert_memory_equal(pkt->data, want, len);
		fdl_release(&pkt, 1);
	}
}

/* So far nothing is lost, from now on nothing will be. */
static void expect_right(struct link *l, unsigned from)
{
	expect_all(l, from, feed(l, from, ROUND));
	if (l->kind->traits & LINK_DEVICE) {
		held_feed_super(l);
		expect_segments(l);
		held_feed_segments(l);
		expect_segments(l);
	}
	send_some(l);
	expect_rest(l);
}

/* What is refused to others while the link is in use changes nothing. */
static void set(const struct trial *t, const struct link *l)
{
	const int fd = l->fd >= 0 ? l->fd : held_fd_of(l);

	if (held_set(l, fd, t->setting) >= 0 || errno == EBUSY)
		return;
	print_message("%s: %s\n", t->setting->name, strerror(errno));
	skip();
}

static bool shuts(enum held_outcome outcome)
{
	return outcome == HELD_DEAF || outcome == HELD_MUTE ||
	       outcome == HELD_ENDS;
}

/* Of both ways, or of one. */
static void expect_shut(struct link *l, enum held_outcome outcome)
{
	if (outcome != HELD_MUTE)
		held_expect_deaf(l);
	else
		expect_all(l, 0, feed(l, 0, ROUND));
	if (outcome == HELD_DEAF)
		send_some(l);
	else
		held_expect_mute(l);
}

static void was_set_before(struct link *l, const struct trial *t)
{
	const enum held_outcome outcome = t->setting->before;
	int err;

	set(t, l);
	err = open_endpoint(l, t);
	if (outcome == HELD_REFUSED) {
		assert_true(err < 0);
		assert_non_null(strstr(said, t->setting->named));
		return;
	}
	assert_int_equal(err, 0);
	if (outcome == HELD_STOPS) {
		feed(l, 1, ROUND);
		expect_rest(l);
	} else if (outcome == HELD_LOSES) {
		expect(l, 1, feed(l, 1, ROUND), 0);
		send_some(l);
		expect_rest(l);
	} else if (shuts(outcome)) {
		expect_shut(l, outcome);
	} else {
		expect_right(l, 1);
	}
}

static void is_set_while_running(struct link *l, const struct trial *t)
{
	const enum held_outcome outcome = t->setting->running;
	uint64_t before;
	unsigned to;

	assert_int_equal(open_endpoint(l, t), 0);
	expect_right(l, 1);
	to = feed(l, ROUND + 1, ROUND);
	if (l->kind->traits & HELD_TCP)
		await_arrival(l);
	before = dropped(l);
	set(t, l);
	if (outcome == HELD_PURGED) {
		expect_rest(l);
		expect_right(l, to);
		return;
	}
	if (shuts(outcome)) {
		expect_all(l, ROUND + 1, to);
		expect_shut(l, outcome);
		return;
	}
	to = feed(l, to, ROUND);
	if (outcome == HELD_STOPS) {
		expect_rest(l);
		return;
	}
	if (outcome == HELD_UNDERSTOOD)
		expect_all(l, ROUND + 1, to);
	else
		expect(l, ROUND + 1, to, before);
	if (outcome == HELD_MENDED && l->kind->traits & LINK_DEVICE)
		settle(l);
	if (outcome == HELD_MENDED && dropped(l) > before)
		assert_non_null(strstr(said, t->setting->named));
	if (outcome == HELD_LOSES)
		send_some(l);
	else
		expect_right(l, to);
	expect_rest(l);
}

/* What is sent beside the peer's socket is none of the endpoint's. */
static void hear_others_only(const struct link *l)
{
	const int on = 1;

	assert_int_equal(setsockopt(l->peer, SOL_PACKET, PACKET_IGNORE_OUTGOING,
				    &on, sizeof(on)),
			 0);
}

static void run(void **state)
{
	const struct trial *t = *state;

	if (link_make(&held, t->kind, 0)) {
		print_message("%s cannot be made here\n", t->kind->name);
		skip();
	}
	if (*held.dev)
		hear_others_only(&held);
	if (t->running)
		is_set_while_running(&held, t);
	else
		was_set_before(&held, t);
}

static int tear_down(void **state)
{
	(void)state;
	link_free(&held);
	return 0;
}

static bool has_mode(const struct link_kind *kind, enum fdl_mode mode)
{
	if (kind->traits & LINK_OPENED)
		return mode == FDL_MODE_ADAPTIVE;
	if (kind->traits & LINK_OUTGOING)
		return mode != FDL_MODE_ADAPTIVE;
	return mode == FDL_MODE_READV ||
	       (mode == FDL_MODE_RECVMMSG && kind->traits & LINK_UNIX &&
		!(kind->traits & HELD_STREAM));
}

static size_t add(struct trial *t, const struct held_setting *s,
		  const struct link_kind *kind, enum fdl_mode mode)
{
	size_t n = 0;
	int running;

	for (running = 0; running <= 1; running++) {
		if ((running ? s->running : s->before) == HELD_NOT ||
		    (!running &&
		     kind->traits & (LINK_OPENED | LINK_NAMED | HELD_STREAM)))
			continue;
		t[n] = (struct trial){ s, kind, mode, running, "" };
		snprintf(t[n].name, sizeof(t->name), "%s (%s, %s)%s", s->name,
			 kind->name, fdl_mode_name(mode),
			 running ? ", running" : "");
		n++;
	}
	return n;
}

static size_t add_kind(struct trial *t, const struct link_kind *kind)
{
	const struct held_setting *s;
	enum fdl_mode m;
	size_t n = 0;

	for (m = FDL_MODE_AUTO + 1; fdl_mode_name(m); m++)
		for (s = held_settings; has_mode(kind, m) && s->name; s++)
			if ((kind->traits & s->needs) == s->needs &&
			    !(kind->traits & s->not_on))
				n += add(t + n, s, kind, m);
	return n;
}

int main(int argc, char *argv[])
{
	static struct trial trials[4096];
	static struct CMUnitTest tests[COUNT_OF(trials)];
	const struct link_kind *kind;
	const size_t part = argc > 2 ? (size_t)atoi(argv[1]) : 1;
	const size_t parts = argc > 2 ? (size_t)atoi(argv[2]) : 1;
	size_t n = 0, k = 0, i;

	netns_enter(argv);
	macvtap_see_own();
	signal(SIGIO, SIG_IGN);		/* O_ASYNC */
	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	for (kind = link_kinds; kind->name; kind++)
		n += add_kind(trials + n, kind);
	for (kind = held_kinds; kind->name; kind++)
		n += add_kind(trials + n, kind);
	assert(n < COUNT_OF(trials));
	for (i = part - 1; i < n; i += parts)
		tests[k++] = (struct CMUnitTest){ trials[i].name, run, NULL,
						  tear_down, &trials[i] };
	if (k == 0)	/* what tests nothing must not pass */
		return EXIT_FAILURE;
	return _cmocka_run_group_tests("held", tests, k, NULL, NULL) ?
		       EXIT_FAILURE :
		       EXIT_SUCCESS;
}
