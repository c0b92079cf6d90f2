/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a caller has set on his AF_PACKET socket, or sets while fdlink receives
 * from it: each option that changes what the socket hands out. The frames come
 * as they were sent all the same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/fdlink.h>
#include <fdlink/open.h>

#include "contract.h"
#include "flows.h"
#include "message.h"
#include "netns.h"
#include "newer.h"

enum {
	LEN = 100,
	TYPE = 0x88b5,
	TAG_TYPE = 0x8100,
	TAG = 0xa007,
	AT_TAG = 12,		/* in the frame */
	TAG_LEN = 4,
	START = 40,		/* what a filter lets pass of a frame */
	STAMPING = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE,
	EVERYTHING = -1,	/* a level: all that can be set at any time */
};

struct setting {
	const char *name;
	int level, option, value;
	bool at_start;		/* it cannot be set later */
};

static const struct setting settings[] = {
	{ "nothing", 0, 0, 0, false },
	{ "SO_TIMESTAMP_OLD", SOL_SOCKET, SO_TIMESTAMP_OLD, 1, false },
	{ "SO_TIMESTAMPNS_OLD", SOL_SOCKET, SO_TIMESTAMPNS_OLD, 1, false },
	{ "SO_TIMESTAMPING_OLD", SOL_SOCKET, SO_TIMESTAMPING_OLD, STAMPING,
	  false },
	{ "SO_TIMESTAMP_NEW", SOL_SOCKET, SO_TIMESTAMP_NEW, 1, false },
	{ "SO_TIMESTAMPNS_NEW", SOL_SOCKET, SO_TIMESTAMPNS_NEW, 1, false },
	{ "SO_TIMESTAMPING_NEW", SOL_SOCKET, SO_TIMESTAMPING_NEW, STAMPING,
	  false },
	{ "SO_RXQ_OVFL", SOL_SOCKET, SO_RXQ_OVFL, 1, false },
	{ "SO_RCVMARK", SOL_SOCKET, SO_RCVMARK, 1, false },
	{ "SO_RCVPRIORITY", SOL_SOCKET, SO_RCVPRIORITY, 1, false },
	{ "SO_WIFI_STATUS", SOL_SOCKET, SO_WIFI_STATUS, 1, false },
	{ "SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, 1 << 20, false },
	{ "PACKET_ORIGDEV", SOL_PACKET, PACKET_ORIGDEV, 1, false },
	{ "PACKET_AUXDATA", SOL_PACKET, PACKET_AUXDATA, 1, false },
	{ "PACKET_TIMESTAMP", SOL_PACKET, PACKET_TIMESTAMP,
	  SOF_TIMESTAMPING_RAW_HARDWARE, false },
	{ "PACKET_COPY_THRESH", SOL_PACKET, PACKET_COPY_THRESH, 10, false },
	{ "PACKET_RESERVE", SOL_PACKET, PACKET_RESERVE, 3, true },
	{ "PACKET_VNET_HDR", SOL_PACKET, PACKET_VNET_HDR, 1, true },
	{ "PACKET_VNET_HDR_SZ", SOL_PACKET, PACKET_VNET_HDR_SZ, 12, true },
	{ "everything", EVERYTHING, 0, 0, false },
};

static const enum fdl_mode modes[] = { FDL_MODE_READV, FDL_MODE_RECVMMSG,
				       FDL_MODE_PACKET_MMAP };

struct trial {
	const struct setting *setting;
	enum fdl_mode mode;
	bool later;
	char name[64];
};

struct bed {
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	int fd, peer;
	unsigned sent;		/* frames, of whose number each tells */
};

static _Atomic bool cut_notes;

ssize_t __real_os_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t __wrap_os_recvmsg(int fd, struct msghdr *msg, int flags);
int __real_os_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags);
int __wrap_os_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags);

/* As of a kernel that has more to tell than there is room for. */
static void cut(struct msghdr *msg)
{
	if (!cut_notes)
		return;
	msg->msg_controllen = 0;
	msg->msg_flags |= MSG_CTRUNC;
}

ssize_t __wrap_os_recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t r = __real_os_recvmsg(fd, msg, flags);

	if (r > 0)
		cut(msg);
	return r;
}

int __wrap_os_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
	int i, r = __real_os_recvmmsg(fd, msg, n, flags);

	for (i = 0; i < r; i++)
		cut(&msg[i].msg_hdr);
	return r;
}

static int apply_one(int fd, const struct setting *s)
{
	return setsockopt(fd, s->level, s->option, &s->value, sizeof(s->value));
}

static int apply(int fd, const struct setting *s)
{
	size_t i;

	if (s->level == EVERYTHING)
		for (i = 0; i < COUNT_OF(settings); i++)
			if (settings[i].option && !settings[i].at_start)
				apply_one(fd, &settings[i]);
	return s->option ? apply_one(fd, s) : 0;
}

static void close_bed(struct bed *b)
{
	fdl_endpoint_free(b->ep);
	close(b->fd);
	close(b->peer);
}

/* What this kernel lacks cannot be tried. */
static void set(struct bed *b, const struct setting *s)
{
	if (!apply(b->fd, s))
		return;
	print_message("%s: %s\n", s->name, strerror(errno));
	close_bed(b);
	skip();
}

static void open_endpoint(struct bed *b, enum fdl_mode mode)
{
	const struct fdl_options opts = { .size = sizeof(opts), .mode = mode };

	assert_int_equal(fdl_endpoint_new(&b->ep, &b->fd, 1, &opts), 0);
	b->q = fdl_get_queue(b->ep, 0);
}

static void open_bed(struct bed *b, const struct trial *t)
{
	*b = (struct bed){ .fd = flows_socket("fdq", ETH_P_ALL),
			   .peer = flows_socket("fdqp", 0) };
	if (!t->later)
		set(b, t->setting);
	open_endpoint(b, t->mode);
	if (t->later)
		set(b, t->setting);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Returns its length. */
static size_t make(uint8_t frame[LEN + TAG_LEN], unsigned number, bool tagged)
{
	const unsigned at = AT_TAG + (tagged ? TAG_LEN : 0);

	memset(frame, (int)number, LEN + TAG_LEN);
	memset(frame, 0xff, 6);
	frame[6] = 2;
	if (tagged) {
		frame[AT_TAG] = TAG_TYPE >> 8;
		frame[AT_TAG + 1] = TAG_TYPE & 0xff;
		frame[AT_TAG + 2] = TAG >> 8;
		frame[AT_TAG + 3] = TAG & 0xff;
	}
	frame[at] = TYPE >> 8;
	frame[at + 1] = TYPE & 0xff;
	return LEN + (tagged ? TAG_LEN : 0);
}

static void feed(struct bed *b, bool tagged)
{
	uint8_t frame[LEN + TAG_LEN];
	const size_t len = make(frame, ++b->sent, tagged);

	assert_int_equal(send(b->peer, frame, len, 0), (ssize_t)len);
}

/* The next packet of ours: the kernel says something of itself at times. */
static struct fdl_packet *receive(const struct bed *b)
{
	struct fdl_packet *pkt = NULL;
	int n;

	do {
		fdl_release(&pkt, pkt ? 1 : 0);
		pkt = NULL;
		n = fdl_recv(b->q, &pkt, 1);
		assert_in_range(n, 0, 1);
		if (n == 0)
			assert_int_equal(fdl_queue_poll(b->q, WAIT_MS),
					 FDL_READABLE);
	} while (!pkt || pkt->protocol != TYPE);
	return pkt;
}

static void expect(const struct bed *b, unsigned number, bool tagged)
{
	uint8_t frame[LEN + TAG_LEN];
	const size_t len = make(frame, number, tagged);
	struct fdl_packet *pkt = receive(b);

	assert_int_equal(pkt->len, len);
	assert_memory_equal(pkt->data, frame, len);
	assert_int_equal(pkt->link_len, 14 + (tagged ? TAG_LEN : 0));
	assert_int_equal(pkt->off.csum, FDL_CSUM_NONE);
	fdl_release(&pkt, 1);
}

static uint64_t time_of_next(struct bed *b, bool tagged)
{
	struct fdl_packet *pkt;
	uint64_t time;

	feed(b, tagged);
	pkt = receive(b);
	time = pkt->tstamp_ns;
	fdl_release(&pkt, 1);
	return time;
}

/* By SO_TIMESTAMPING the kernel begins to tell some time later. */
static void expect_time(struct bed *b, bool tagged)
{
	const uint64_t from = now_ns();
	const long long until = netns_now_ms() + WAIT_MS;
	uint64_t time;

	do
		time = time_of_next(b, tagged);
	while (time == 0 && netns_now_ms() < until);
	assert_in_range(time, from, now_ns());
}

static void frames_come_as_they_were_sent(void **state)
{
	struct bed b;

	open_bed(&b, *state);
	feed(&b, true);
	feed(&b, false);
	feed(&b, true);
	expect(&b, 1, true);
	expect(&b, 2, false);
	expect(&b, 3, true);
	expect_time(&b, true);
	close_bed(&b);
}

static uint64_t truncated(const struct bed *b)
{
	struct fdl_stats st;

	assert_int_equal(fdl_get_stats(b->ep, &st, sizeof(st)), 0);
	return st.rx_drop_truncated;
}

static void filter(const struct bed *b, unsigned bytes)
{
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, bytes);
	const struct sock_fprog program = { 1, &pass };

	assert_int_equal(setsockopt(b->fd, SOL_SOCKET, SO_ATTACH_FILTER,
				    &program, sizeof(program)),
			 0);
}

/* Shorter than its headers, and whole but for its end. */
static void what_a_filter_cuts_is_counted(void **state)
{
	struct bed b;
	uint64_t lost;

	open_bed(&b, *state);
	lost = truncated(&b);
	filter(&b, START);
	feed(&b, false);
	feed(&b, true);
	filter(&b, LEN - 1);
	feed(&b, false);
	filter(&b, LEN);
	feed(&b, false);
	expect(&b, 4, false);
	assert_in_range(truncated(&b) - lost, 3, 3 + b.sent);
	close_bed(&b);
}

/* All its headers pass, and nothing of what does not is made up. */
static void a_super_packet_that_a_filter_cuts_is_counted(void **state)
{
	const struct shape tcp = { .link_len = 14,
				   .version = 4,
				   .proto = 6,
				   .payload = 3 * MSS,
				   .partial = true };
	struct setting header = { "", SOL_PACKET, PACKET_VNET_HDR, 1, false };
	struct message m;
	struct bed b;
	uint64_t lost;

	open_bed(&b, *state);
	lost = truncated(&b);
	filter(&b, LEN);
	apply_one(b.peer, &header);
	make_message(&m, &tcp, MSS);
	assert_int_equal(send(b.peer, &m, HDR_LEN + m.len, 0), HDR_LEN + m.len);
	header.value = 0;
	apply_one(b.peer, &header);
	feed(&b, false);
	expect(&b, 1, false);
	assert_in_range(truncated(&b) - lost, 1, 1 + b.sent);
	close_bed(&b);
}

/* No tag may be what is missing. */
static void what_has_lost_its_notes_is_counted(void **state)
{
	const struct trial *t = *state;
	struct bed b;

	if (t->mode == FDL_MODE_PACKET_MMAP)
		return;		/* no system call brings them */
	open_bed(&b, t);
	cut_notes = true;
	feed(&b, true);
	while (truncated(&b) == 0)
		assert_int_equal(
			fdl_recv(b.q, &(struct fdl_packet *){ NULL }, 1), 0);
	cut_notes = false;
	feed(&b, true);
	expect(&b, 2, true);
	close_bed(&b);
}

/* While it has no ring yet. */
static void adaptive_tells_the_time_too(void **state)
{
	struct bed b = { .peer = flows_socket("fdqp", 0) };

	(void)state;
	assert_int_equal(fdl_open(&b.ep, "packet:fdq", NULL), 0);
	assert_int_equal(fdl_get_mode(b.ep), FDL_MODE_ADAPTIVE);
	b.q = fdl_get_queue(b.ep, 0);
	assert_true(time_of_next(&b, false) > 0);
	assert_true(time_of_next(&b, true) > 0);
	fdl_endpoint_free(b.ep);
	close(b.peer);
}

static size_t add(struct CMUnitTest *test, struct trial *t,
		  const struct setting *s, enum fdl_mode mode, bool later)
{
	*t = (struct trial){ s, mode, later, "" };
	snprintf(t->name, sizeof(t->name), "%s, %s%s", s->name,
		 fdl_mode_name(mode), later ? ", later" : "");
	*test = (struct CMUnitTest){ t->name, frames_come_as_they_were_sent,
				     flows_make_veth, flows_drop_veth, t };
	return 1;
}

static size_t add_others(struct CMUnitTest *test, struct trial *t,
			 enum fdl_mode mode)
{
	*t = (struct trial){ &settings[0], mode, false, "" };
	snprintf(t->name, sizeof(t->name), "cut, %s", fdl_mode_name(mode));
	test[0] = (struct CMUnitTest){ t->name, what_a_filter_cuts_is_counted,
				       flows_make_veth, flows_drop_veth, t };
	test[1] = (struct CMUnitTest){ t->name,
				       what_has_lost_its_notes_is_counted,
				       flows_make_veth, flows_drop_veth, t };
	test[2] = (struct CMUnitTest){
		t->name, a_super_packet_that_a_filter_cuts_is_counted,
		flows_make_veth, flows_drop_veth, t
	};
	return 3;
}

int main(int argc, char *argv[])
{
	static struct trial
		trials[2 * (COUNT_OF(settings) + 2) * COUNT_OF(modes)];
	static struct CMUnitTest tests[COUNT_OF(trials)];
	size_t n = 0, i, m;

	netns_enter(argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	for (m = 0; m < COUNT_OF(modes); m++) {
		for (i = 0; i < COUNT_OF(settings); i++) {
			n += add(tests + n, trials + n, &settings[i], modes[m],
				 false);
			if (!settings[i].at_start)
				n += add(tests + n, trials + n, &settings[i],
					 modes[m], true);
		}
		n += add_others(tests + n, trials + n, modes[m]);
	}
	tests[n++] = (struct CMUnitTest)OVER_VETH(adaptive_tells_the_time_too);
	return _cmocka_run_group_tests("settings", tests, n, NULL, NULL) ?
		       EXIT_FAILURE :
		       EXIT_SUCCESS;
}
