/* SPDX-License-Identifier: Apache-2.0 */
/* Two endpoints of one process. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fdlink/offload.h>

#include "open_bed.h"

enum {
	WAIT_MS = 30000,
	LEN = 60,
	MANY = 40,
	OPENERS = 8,
};

static struct fdl_endpoint *open_end(const char *locator)
{
	struct fdl_endpoint *ep = NULL;

	assert_int_equal(open_it(&ep, locator, 0, FDL_ETHERNET), 0);
	assert_int_equal(said.lines, 0);
	return ep;
}

static void make_frame(uint8_t *frame, unsigned seq)
{
	memset(frame, (int)seq, LEN);
	frame[0] = frame[6] = 2;
	frame[12] = 0x88;
	frame[13] = 0xb5;
}

static void send_frame(struct fdl_endpoint *ep, unsigned seq)
{
	uint8_t frame[LEN];
	const struct iovec iov = { frame, LEN };

	make_frame(frame, seq);
	assert_int_equal(fdl_write(fdl_get_queue(ep, 0), &iov, 1, NULL), 0);
}

static void expect_frame(struct fdl_endpoint *ep, unsigned seq)
{
	struct fdl_packet *pkt;
	uint8_t frame[LEN];

	make_frame(frame, seq);
	assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_READABLE);
	assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 1);
	assert_int_equal(pkt->len, LEN);
	assert_memory_equal(pkt->data, frame, LEN);
	fdl_release(&pkt, 1);
}

static void expect_end(struct fdl_endpoint *ep)
{
	struct fdl_packet *pkt;

	assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_READABLE);
	assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), -ESHUTDOWN);
}

static void the_two_ends_talk(void **state)
{
	struct fdl_endpoint *a = open_end("pair:x"), *b;
	struct fdl_info info;
	unsigned i;

	(void)state;
	for (i = 0; i < MANY; i++)
		send_frame(a, i);
	b = open_end("pair:x");
	fdl_get_info(b, &info, sizeof(info));
	assert_string_equal(info.kind_name, "seqpacket");
	for (i = 0; i < MANY; i++) {
		expect_frame(b, i);
		send_frame(b, i + 100);
	}
	for (i = 0; i < MANY; i++)
		expect_frame(a, i + 100);
	fdl_endpoint_free(a);
	fdl_endpoint_free(b);
}

/* Whoever goes first, and what was on its way arrives before. */
static void each_end_sees_that_the_other_is_freed(void **state)
{
	struct fdl_endpoint *ends[2];
	int first;

	(void)state;
	for (first = 0; first < 2; first++) {
		ends[0] = open_end("pair:x");
		ends[1] = open_end("pair:x");
		send_frame(ends[first], 7);
		fdl_endpoint_free(ends[first]);
		expect_frame(ends[!first], 7);
		expect_end(ends[!first]);
		fdl_endpoint_free(ends[!first]);
	}
}

static void a_third_is_refused(void **state)
{
	struct fdl_endpoint *a = open_end("pair:x"), *b = open_end("pair:x"),
			    *other = open_end("pair:y");

	(void)state;
	expect_refused("pair:x", -EBUSY, "has two ends already");
	fdl_endpoint_free(b);
	/* The first one's other end has been. */
	expect_refused("pair:x", -EBUSY, "has two ends already");
	fdl_endpoint_free(a);
	a = open_end("pair:x");
	b = open_end("pair:x");
	send_frame(a, 1);
	expect_frame(b, 1);
	fdl_endpoint_free(a);
	/* The second one is left of that pair: this is another. */
	a = open_end("pair:x");
	expect_end(b);
	fdl_endpoint_free(b);
	b = open_end("pair:x");
	send_frame(b, 2);
	expect_frame(a, 2);
	fdl_endpoint_free(a);
	fdl_endpoint_free(b);
	fdl_endpoint_free(other);
}

/* Its address can be read by all who look at /proc/net/unix. */
static void no_stranger_gets_a_packet_in(void **state)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct fdl_endpoint *a = open_end("pair:x"), *b;
	struct fdl_packet *pkt;
	const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM, SOCK_STREAM };
	int i, fd, len;

	(void)state;
	len = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1,
		       "fdlink pair %d x", (int)getpid());
	for (i = 0; i < 3; i++) {
		fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);
		assert_int_equal(
			connect(fd, (struct sockaddr *)&name,
				(socklen_t)(offsetof(struct sockaddr_un,
						     sun_path) +
					    1 + (size_t)len)),
			-1);
		/* It is there, though. */
		assert_true(errno == EPROTOTYPE || errno == ECONNREFUSED);
		close(fd);
	}
	assert_int_equal(fdl_recv(fdl_get_queue(a, 0), &pkt, 1), 0);
	b = open_end("pair:x");
	send_frame(a, 3);
	expect_frame(b, 3);
	fdl_endpoint_free(a);
	fdl_endpoint_free(b);
}

/* Both processes have a pair of that name. */
static void another_process_has_its_own(void **state)
{
	struct fdl_endpoint *a = open_end("pair:x"), *b;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		b = open_end("pair:x");
		send_frame(b, 1);
		expect_frame(open_end("pair:x"), 1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	b = open_end("pair:x");
	send_frame(b, 2);
	expect_frame(a, 2);
	fdl_endpoint_free(a);
	fdl_endpoint_free(b);
}

static void *open_any(void *arg)
{
	const struct fdl_options options = { .size = sizeof(options),
					     .flags = FDL_ETHERNET };
	struct fdl_endpoint **ep = arg;

	if (fdl_open(ep, "pair:x", &options))
		*ep = NULL;
	return NULL;
}

/* Any threads may open them, and two of them get an end. */
static void two_of_many_threads_get_an_end(void **state)
{
	struct fdl_endpoint *eps[OPENERS] = { NULL }, *ends[2] = { NULL };
	pthread_t threads[OPENERS];
	int round, i, n;

	(void)state;
	for (round = 0; round < 20; round++) {
		for (i = 0; i < OPENERS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL,
							open_any, &eps[i]),
					 0);
		for (i = 0; i < OPENERS; i++)
			pthread_join(threads[i], NULL);
		for (i = n = 0; i < OPENERS; i++)
			if (eps[i] && n < 2)
				ends[n++] = eps[i];
			else
				assert_null(eps[i]);
		assert_int_equal(n, 2);
		send_frame(ends[0], 1);
		expect_frame(ends[1], 1);
		fdl_endpoint_free(ends[0]);
		fdl_endpoint_free(ends[1]);
	}
}

static void its_locator_says_what_is_wrong(void **state)
{
	struct fdl_info info;

	(void)state;
	expect_probe("pair:x,offload=v1", &info);
	assert_string_equal(info.kind_name, "seqpacket");
	assert_int_equal(info.kind, FDL_KIND_SEQPACKET);
	assert_int_equal(info.vnet_hdr_len, FDL_VNET_HDR_MRG_LEN);
	expect_refused("pair:x,listen", -EINVAL, "listen is no option of pair");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_two_ends_talk),
		cmocka_unit_test(each_end_sees_that_the_other_is_freed),
		cmocka_unit_test(a_third_is_refused),
		cmocka_unit_test(no_stranger_gets_a_packet_in),
		cmocka_unit_test(another_process_has_its_own),
		cmocka_unit_test(two_of_many_threads_get_an_end),
		cmocka_unit_test(its_locator_says_what_is_wrong),
	};
	const int fds = count_fds();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	return failed || count_fds() != fds;
}
