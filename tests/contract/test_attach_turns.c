/* SPDX-License-Identifier: Apache-2.0 */
/* Attached beside others: who receives, who is woken, and what is watched. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach_bed.h"
#include "netns.h"

/* What is left for who waits for the fd. */
static void wake_and_close(void *ctx, struct fdl_queue *q, int reason)
{
	struct sink *s = ctx;

	fdl_wake(s->l->ep);
	sink_closed(ctx, q, reason);
}

static void a_wake_while_attached_is_the_callers(struct link *l)
{
	struct sink s;

	sink_init(&s, l);
	sink_attach(&s);
	fdl_wake(l->ep);
	sink_feed(l, 0, 3);
	sink_await(&s, 3, 0);
	assert_int_equal(fdl_detach(l->ep), 0);
	assert_int_equal(fdl_poll(l->ep, -1), 0);
	assert_int_equal(fdl_queue_poll(l->q, -1), 0);
}

static void a_wake_as_readers_end_is_the_callers(struct link *l)
{
	struct fdl_dispatcher d = { sink_deliver, wake_and_close, NULL };
	struct sink s;
	int i;

	for (i = 0; i < 10; i++) {
		sink_init(&s, l);
		d.ctx = &s;
		assert_int_equal(fdl_attach(l->ep, &d), 0);
		assert_int_equal(fdl_detach(l->ep), 0);
		sink_await(&s, 0, 1);
		assert_int_equal(fdl_poll(l->ep, -1), 0);
		assert_int_equal(fdl_queue_poll(l->q, -1), 0);
	}
}

static void no_wake_is_left_by_a_detach(struct link *l)
{
	const long long start = netns_now_ms();
	struct sink s;

	sink_init(&s, l);
	sink_attach(&s);
	assert_int_equal(fdl_detach(l->ep), 0);
	assert_int_equal(fdl_poll(l->ep, 20), 0);
	assert_int_equal(fdl_queue_poll(l->q, 20), 0);
	assert_true(netns_now_ms() - start >= 40);
}

/* Receives, till it is told that others do. What it has received is looked at
 * before the next packet, which may be a reader's, can be. */
static void *receive_till_busy(void *arg)
{
	struct sink *s = arg;
	struct fdl_packet *v[4];
	int i, n;

	do {
		pthread_mutex_lock(&s->lock);
		n = fdl_recv(s->l->q, v, 4);
		for (i = 0; i < n; i++)
			sink_look_at(s, v[i]);
		pthread_mutex_unlock(&s->lock);
		if (n > 0)
			fdl_release(v, n);
	} while (n >= 0);
	return (void *)(intptr_t)n;
}

/* Each packet goes to one of them, and none is lost between. */
static void attach_takes_the_turn_of_a_receive(struct link *l)
{
	pthread_t thread;
	struct sink s;
	void *result;
	unsigned i;

	sink_init(&s, l);
	for (i = 0; i < 50; i++) {
		assert_int_equal(
			pthread_create(&thread, NULL, receive_till_busy, &s),
			0);
		sink_feed(l, i * 8, 4);
		sink_attach(&s);
		sink_feed(l, i * 8 + 4, 4);
		sink_await(&s, i * 8 + 8, i);
		pthread_join(thread, &result);
		assert_int_equal((intptr_t)result, -EBUSY);
		assert_int_equal(fdl_detach(l->ep), 0);
	}
}

/* As a program does that confines itself: poll(2) takes no more fds than the
 * limit says, be they open already. */
static void readers_outlive_a_lowered_fd_limit(struct link *l)
{
	struct rlimit before, low;
	struct sink s;

	sink_init(&s, l);
	sink_attach(&s);
	sink_feed(l, 0, 3);
	sink_await(&s, 3, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	sink_feed(l, 3, 3);
	sink_await(&s, 6, 0);
	fdl_wake(l->ep);
	sink_feed(l, 6, 3);
	sink_await(&s, 9, 0);
	assert_int_equal(fdl_detach(l->ep), 0);
	assert_int_equal(s.reasons[0], 0);
	assert_int_equal(fdl_queue_poll(l->q, -1), 0);
	assert_int_equal(fdl_poll(l->ep, -1), 0);
	sink_feed(l, 9, 1);
	assert_int_equal(fdl_poll(l->ep, -1), FDL_READABLE);
	expect_received(l, frame_len(9), 9);
	assert_int_equal(fdl_queue_poll(l->q, QUIET_MS), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* How many fds the process's epoll sets watch. */
static unsigned watched_fds(void)
{
	char path[PATH_MAX], line[256];
	DIR *dir = opendir("/proc/self/fdinfo");
	struct dirent *e;
	unsigned n = 0;
	FILE *info;

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", e->d_name);
		info = fopen(path, "re");
		while (info && fgets(line, sizeof(line), info))
			n += !strncmp(line, "tfd:", 4);
		if (info)
			fclose(info);
	}
	closedir(dir);
	return n;
}

/* Who never asked for a pollable fd does not pay for one. */
static void an_attachment_watches_no_fds(struct link *l)
{
	int fds[2], peers[2];
	struct fdl_endpoint *ep;
	struct link multi;
	unsigned before;
	struct sink s;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, peers), 0);
	assert_int_equal(
		fdl_endpoint_new(&ep, (int[]){ fds[0], peers[0] }, 2, NULL), 0);
	multi = (struct link){ .kind = l->kind, .ep = ep };
	sink_init(&s, &multi);
	before = watched_fds();
	sink_attach(&s);
	fdl_detach(ep);
	assert_int_equal(watched_fds(), before);
	fdl_endpoint_free(ep);
	close(fds[0]);
	close(fds[1]);
	close(peers[0]);
	close(peers[1]);
}

static const struct expectation table[] = {
	{ .name = "a wake while attached is the caller's",
	  .test = a_wake_while_attached_is_the_callers },
	{ .name = "a wake as readers end is the caller's",
	  .test = a_wake_as_readers_end_is_the_callers },
	{ .name = "no wake is left by a detach",
	  .test = no_wake_is_left_by_a_detach },
	{ .name = "attach takes the turn of a receive",
	  .test = attach_takes_the_turn_of_a_receive },
	{ .name = "readers outlive a lowered fd limit",
	  .test = readers_outlive_a_lowered_fd_limit },
	{ .name = "an attachment watches no fds",
	  .needs = LINK_EOF | LINK_IP,
	  .test = an_attachment_watches_no_fds },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("attach_turns", argv, table, COUNT_OF(table));
}
