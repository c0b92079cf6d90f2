/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where descriptors run out, whichever is the first one too many: one sentence
 * names the limit, and a number that does suffice.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "open_bed.h"

enum {
	/* What is told is for an endpoint that waits for room as well, and has
	 * every offload: so many more for each queue, and in all. */
	SPARE_EACH = 3,
	SPARE = 2,
	/* Mode adaptive is done without where they do not suffice for it. */
	PAIRED = 5,
};

static void limit_to(unsigned n)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Descriptors have the lowest free numbers: with the limit at n + used there
 * is room for n. */
static int open_with(struct fdl_endpoint **ep, const char *locator, unsigned n)
{
	struct rlimit before;
	int err;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit_to((unsigned)count_fds() + n);
	err = open_it(ep, locator, 0, 0);
	limit_to((unsigned)before.rlim_cur);
	return err;
}

static unsigned told_need(const char *locator)
{
	const char *at = strstr(said.text, "needs up to ");

	assert_non_null(at);
	assert_int_equal(strncmp(said.text, locator, strlen(locator)), 0);
	return (unsigned)strtoul(at + strlen("needs up to "), NULL, 10);
}

/* The fewest that it can be opened with and nothing said, and what was told
 * with fewer. */
static unsigned fewest(const char *locator, unsigned *told)
{
	const unsigned fds = (unsigned)count_fds();
	struct fdl_endpoint *ep = NULL;
	char words[80];
	unsigned n;
	int err;

	*told = 0;
	for (n = 0; (err = open_with(&ep, locator, n)) || said.lines; n++) {
		snprintf(words, sizeof(words),
			 "the process may have %u (RLIMIT_NOFILE)", fds + n);
		assert_int_equal(said.lines, 1);
		assert_non_null(strstr(said.text, words));
		if (!err) {
			/* Without an eye on the device: a warning. */
			fdl_endpoint_free(ep);
			continue;
		}
		assert_int_equal(err, -EMFILE);
		assert_int_equal(said.errors, 1);
		assert_int_equal(count_fds(), fds);
		assert_true(!*told || *told == told_need(locator));
		*told = told_need(locator);
	}
	fdl_endpoint_free(ep);
	return n;
}

static void expect_enough(const char *locator, unsigned queues, unsigned more)
{
	struct fdl_endpoint *ep;
	unsigned told, n = fewest(locator, &told);
	int fds = count_fds();

	assert_in_range(told, n, n + SPARE + queues * (SPARE_EACH + more));
	assert_int_equal(open_with(&ep, locator, told), 0);
	/* Not even a warning that something will go unnoticed. */
	assert_int_equal(said.lines, 0);
	assert_in_range(count_fds() - fds, 1, told);
	fdl_endpoint_free(ep);
}

static void devices(void **state)
{
	int tap = make_tun("lim0", IFF_TAP | IFF_NO_PI);

	(void)state;
	set_up("lim0", true);
	expect_enough("tap:lim1", 1, 0);
	expect_enough("tun:lim1", 1, 0);
	expect_enough("tap:lim1,queues=3", 3, 0);
	expect_enough("packet:lim0", 1, PAIRED);
	expect_enough("packet:lim0,queues=3", 3, PAIRED);
	close(tap);
}

static void sockets(void **state)
{
	char locator[32];
	int sv[2];

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	snprintf(locator, sizeof(locator), "fd:%d", sv[0]);
	expect_enough(locator, 1, 0);
	close(sv[0]);
	close(sv[1]);
}

static void turn(struct fdl_endpoint *ep)
{
	struct fdl_packet *pkt;

	assert_true(fdl_poll(ep, 1000) >= 0);
	assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 0);
}

/* The sentence comes once, and the peer's turn when there is room. */
static void a_peer_is_accepted_later(void **state)
{
	const struct sockaddr_un at = { .sun_family = AF_UNIX,
					.sun_path = "\0fdlink-test-limit" };
	struct fdl_endpoint *ep = NULL;
	struct fdl_link link = { 0 };
	struct rlimit before;
	int peer, i;

	(void)state;
	assert_int_equal(open_it(&ep, "seqpacket:@fdlink-test-limit,listen", 0,
				 FDL_ETHERNET),
			 0);
	peer = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(peer >= 0);
	assert_int_equal(connect(peer, (const void *)&at,
				 offsetof(struct sockaddr_un, sun_path) +
					 sizeof("@fdlink-test-limit") - 1),
			 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit_to((unsigned)count_fds());
	for (i = 0; i < 3; i++)
		turn(ep);
	limit_to((unsigned)before.rlim_cur);
	assert_int_equal(said.lines, 1);
	assert_int_equal(said.errors, 0);
	assert_non_null(strstr(said.text, "cannot be accepted: "));
	assert_non_null(strstr(said.text, strerror(EMFILE)));
	assert_non_null(strstr(said.text, "raise that with 'ulimit -n'"));
	while (!link.carrier) {
		turn(ep);
		assert_int_equal(fdl_link_state(ep, &link, sizeof(link)), 0);
	}
	assert_int_equal(said.lines, 1);
	fdl_endpoint_free(ep);
	close(peer);
}

static void a_look_needs_one_as_well(void **state)
{
	static const char *const locators[] = { "tap:lim2", "packet:lim2",
						"seqpacket:/tmp" };
	struct rlimit before;
	struct fdl_info info;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (size_t i = 0; i < sizeof(locators) / sizeof(*locators); i++) {
		limit_to((unsigned)count_fds());
		said_forget(&said);
		assert_int_equal(fdl_probe(locators[i], &info, sizeof(info),
					   said_take, &said),
				 -EMFILE);
		limit_to((unsigned)before.rlim_cur);
		expect_said(&said, "(RLIMIT_NOFILE): raise that");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices),
		cmocka_unit_test(sockets),
		cmocka_unit_test(a_peer_is_accepted_later),
		cmocka_unit_test(a_look_needs_one_as_well),
	};

	/* What was inherited may leave holes between the numbers. */
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	if (!have_network())
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
