/* SPDX-License-Identifier: Apache-2.0 */
/* Many packets in few calls, under every limit, and what happens without
 * room. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "contract.h"
#include "netns.h"

enum { MOST = 1000, LEN = 300 };

/* Send n packets, collecting what went whenever there is no more room. */
static void send_all(struct link *l, int n, unsigned *seq)
{
	struct fdl_packet *v[MOST];
	int i, k, done = 0;

	for (i = 0; i < n; i++) {
		v[i] = frame_packet(l, LEN, *seq + (unsigned)i);
		assert_non_null(v[i]);
	}
	while (done < n) {
		k = fdl_send(l->q, v + done, n - done);
		assert_in_range(k, done ? 1 : 0, n - done);
		done += k;
		l->tx_offered += (uint64_t)k;
		while (k-- > 0)
			link_expect(l, LEN, (*seq)++);
	}
}

static void a_batch_of_any_size_goes_in_order(struct link *l)
{
	static const int sizes[] = { 1, 8, 47, 256, 257, MOST };
	unsigned seq = 0, i;

	for (i = 0; i < COUNT_OF(sizes); i++)
		send_all(l, sizes[i], &seq);
}

/* An endpoint of this limit over the same fd, and what it sends. */
static void try_limit(struct link *l, uint32_t limit)
{
	struct fdl_options o = {
		.size = sizeof(o),
		.mode = FDL_MODE_READV,
		.flags = l->kind->flags,
		.max_syscall_header_bytes = limit,
	};
	uint8_t frame[LEN];
	struct iovec iov[6] = {
		{ frame, 20 }, { NULL, 0 }, { frame + 20, 80 },
		{ frame + 100, 50 }, { frame + 150, 50 }, { frame + 200, 100 },
	};
	struct link other = *l;
	unsigned seq = 0;
	int err;

	err = fdl_endpoint_new(&other.ep, &l->fd, 1, &o);
	if (limit < 80 && l->kind->traits & LINK_OUTGOING) {
		assert_int_equal(err, -EINVAL);
		return;
	}
	assert_int_equal(err, 0);
	other.q = fdl_get_queue(other.ep, 0);
	send_all(&other, 5, &seq);
	frame_make(l, true, frame, LEN, limit);
	assert_int_equal(fdl_write(other.q, iov, 6, NULL), 0);
	link_expect(l, LEN, limit);
	fdl_endpoint_free(other.ep);
}

static void every_limit_of_headers_works_or_is_refused(struct link *l)
{
	uint32_t limit;

	/* One endpoint at a time. */
	fdl_endpoint_free(l->ep);
	l->ep = NULL;
	for (limit = 1; limit < 300; limit++)
		try_limit(l, limit);
	try_limit(l, 1024);
	try_limit(l, 65536);
}

static unsigned fill_up(struct link *l)
{
	struct fdl_packet *pkt;
	unsigned seq;

	for (seq = 0;; seq++) {
		pkt = frame_packet(l, 1000, seq);
		if (fdl_send(l->q, &pkt, 1) == 0)
			break;
	}
	fdl_release(&pkt, 1);
	l->tx_offered += seq;
	return seq;
}

static long cpu_us(void)
{
	struct rusage ru;

	getrusage(RUSAGE_THREAD, &ru);
	return (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 +
	       ru.ru_utime.tv_usec + ru.ru_stime.tv_usec;
}

static void a_wait_for_room_is_bounded_and_does_not_spin(struct link *l)
{
	uint8_t frame[1000];
	struct iovec iov = { frame, sizeof(frame) };
	struct fdl_stats st;
	long long start;
	long cpu;

	fill_up(l);
	frame_make(l, true, frame, sizeof(frame), 0);
	start = netns_now_ms();
	cpu = cpu_us();
	assert_int_equal(fdl_write(l->q, &iov, 1, NULL), -EAGAIN);
	l->tx_offered++;
	assert_in_range(netns_now_ms() - start, 195, WAIT_MS);
	assert_in_range(cpu_us() - cpu, 0, 50000);
	link_stats(l, &st);
	assert_int_equal(st.tx_drop_no_room, 1);
}

struct drain {
	struct link *l;
	unsigned n;
};

static void *drain_later(void *arg)
{
	const struct drain *d = arg;
	const struct timespec ts = { .tv_nsec = 30000000 };
	uint8_t buf[FRAME_MAX];
	unsigned i;

	nanosleep(&ts, NULL);
	for (i = 0; i < d->n; i++)
		link_collect(d->l, buf, sizeof(buf), WAIT_MS);
	return NULL;
}

static void a_wait_ends_when_there_is_room(struct link *l)
{
	struct drain d = { l, fill_up(l) };
	uint8_t frame[1000];
	struct iovec iov = { frame, sizeof(frame) };
	pthread_t thread;

	frame_make(l, true, frame, sizeof(frame), 7);
	assert_int_equal(pthread_create(&thread, NULL, drain_later, &d), 0);
	assert_int_equal(fdl_write(l->q, &iov, 1, NULL), 0);
	l->tx_offered++;
	pthread_join(thread, NULL);
	link_expect(l, sizeof(frame), 7);
}

static int bound(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const size_t n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(un.sun_path + 1, name, n);
	assert_int_equal(bind(fd, (struct sockaddr *)&un,
			      (socklen_t)(sizeof(sa_family_t) + 1 + n)),
			 0);
	return fd;
}

static void expect_hello(int fd)
{
	uint8_t buf[100];

	assert_int_equal(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), 60);
}

/* On a name of the test's own, as the link's pair has none. */
static void a_datagram_peer_may_die_and_come_back(struct link *l)
{
	struct iovec iov;
	uint8_t frame[60];
	char name[40], locator[60];
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	struct fdl_stats st;
	int peer;

	snprintf(name, sizeof(name), "fdl-test-%d", getpid());
	snprintf(locator, sizeof(locator), "unixgram:@%s", name);
	frame_make(l, true, frame, sizeof(frame), 0);
	iov = (struct iovec){ frame, sizeof(frame) };
	peer = bound(name);
	assert_int_equal(fdl_open(&ep, locator, NULL), 0);
	q = fdl_get_queue(ep, 0);
	assert_int_equal(fdl_write(q, &iov, 1, NULL), 0);
	expect_hello(peer);
	close(peer);
	assert_int_equal(fdl_write(q, &iov, 1, NULL), -ECONNREFUSED);
	assert_int_equal(fdl_write(q, &iov, 1, NULL), -ECONNREFUSED);
	peer = bound(name);
	assert_int_equal(fdl_write(q, &iov, 1, NULL), 0);
	expect_hello(peer);
	/* Unnoticed, as nothing was sent meanwhile. */
	close(peer);
	peer = bound(name);
	assert_int_equal(fdl_write(q, &iov, 1, NULL), 0);
	expect_hello(peer);
	close(peer);
	fdl_get_stats(ep, &st, sizeof(st));
	assert_int_equal(st.tx_drop_no_peer, 2);
	assert_int_equal(st.tx_packets, 3);
	fdl_endpoint_free(ep);
}

static const struct expectation table[] = {
	{ .name = "a batch of any size goes in order",
	  .opts.pool = 2 * MOST,
	  .test = a_batch_of_any_size_goes_in_order },
	{ .name = "every limit of headers works or is refused",
	  .test = every_limit_of_headers_works_or_is_refused,
	  .not_on = LINK_OPENED | LINK_NAMED },
	{ .name = "a wait for room is bounded and does not spin",
	  .test = a_wait_for_room_is_bounded_and_does_not_spin,
	  .not_on = LINK_LOSSY,
	  .needs = LINK_UNIX,
	  .opts.tx_wait_ms = 200 },
	{ .name = "a wait ends when there is room",
	  .test = a_wait_ends_when_there_is_room,
	  .not_on = LINK_LOSSY,
	  .needs = LINK_UNIX,
	  .opts.tx_wait_ms = WAIT_MS },
	{ .name = "a datagram peer may die and come back",
	  .test = a_datagram_peer_may_die_and_come_back,
	  .not_on = LINK_LOSSY,
	  .needs = LINK_NO_EOF },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("batch", argv, table, COUNT_OF(table));
}
