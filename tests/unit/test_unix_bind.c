/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address that a unix endpoint binds: taken over where a process that has
 * ended left its file, left alone where anybody is, given up at the end.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "open_bed.h"

enum {
	WAIT_MS = 30000,
	RIVALS = 8,
	ROUNDS = 50,
};

static char dir[] = "/tmp/fdlink-bind-XXXXXX";

static const int types[] = { SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM };

static int make_socket(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	return fd;
}

/* All paths are in the directory that is the current one. */
static int try_connect(int fd, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	return connect(fd, (struct sockaddr *)&un, sizeof(un)) ? errno : 0;
}

static int make_bound(int type, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = make_socket(type);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

/* As a crash does. */
static void leave(int type, const char *path)
{
	close(make_bound(type, path));
}

static ino_t inode(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_ino;
}

static void expect_answer(struct fdl_endpoint *ep, int peer)
{
	struct fdl_packet *pkt;

	assert_int_equal(send(peer, "hello", 5, 0), 5);
	assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_READABLE);
	assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 1);
	assert_int_equal(pkt->len, 5);
	fdl_release(&pkt, 1);
}

/* fdl_open on a thread, for it waits for a peer. */
struct waiter {
	pthread_t thread;
	const char *locator;
	struct fdl_endpoint *ep;
	int err;
};

static void *open_locator(void *arg)
{
	struct waiter *w = arg;

	w->err = open_it(&w->ep, w->locator, 0, 0);
	return NULL;
}

/* Its address is there once this has returned, and *peer connected to it. */
static struct fdl_endpoint *listen_for(int peer, const char *locator)
{
	struct waiter w = { .locator = locator };
	int i, err;

	assert_int_equal(pthread_create(&w.thread, NULL, open_locator, &w), 0);
	for (i = 0; (err = try_connect(peer, "a")) && i < WAIT_MS; i++)
		poll(NULL, 0, 1);
	assert_int_equal(err, 0);
	/* A datagram socket waits for the first word. */
	if (strstr(locator, "gram"))
		assert_int_equal(send(peer, "first", 5, 0), 5);
	pthread_join(w.thread, NULL);
	assert_int_equal(w.err, 0);
	assert_int_equal(said.lines, 0);
	return w.ep;
}

static void expect_listens(const char *locator, int type)
{
	int peer = type == SOCK_DGRAM ? make_bound(type, "p") :
					make_socket(type);
	struct fdl_endpoint *ep = listen_for(peer, locator);

	expect_answer(ep, peer);
	fdl_endpoint_free(ep);
	close(peer);
	if (type == SOCK_DGRAM)
		assert_int_equal(unlink("p"), 0);
	assert_int_equal(access("a", F_OK), -1);
}

/* Of whichever type. */
static void what_was_left_is_taken_over(void **state)
{
	struct fdl_endpoint *ep;
	struct fdl_info info;
	int peer;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		leave(types[i], "a");
		expect_probe("seqpacket:a,listen", &info);
		expect_listens("seqpacket:a,listen", SOCK_SEQPACKET);
		leave(types[i], "a");
		expect_listens("unixgram:a,listen", SOCK_DGRAM);
		leave(types[i], "a");
		peer = make_bound(SOCK_DGRAM, "p");
		assert_int_equal(open_it(&ep, "unixgram:p,local=a", 0, 0), 0);
		assert_int_equal(said.lines, 0);
		assert_int_equal(try_connect(peer, "a"), 0);
		expect_answer(ep, peer);
		fdl_endpoint_free(ep);
		assert_int_equal(access("a", F_OK), -1);
		close(peer);
		assert_int_equal(unlink("p"), 0);
	}
}

static void expect_taken(const char *words)
{
	const ino_t before = inode("a");

	expect_refused("seqpacket:a,listen", -EADDRINUSE, words);
	expect_refused("unixgram:a,listen", -EADDRINUSE, words);
	expect_refused("unixgram:p,local=a", -EADDRINUSE, words);
	assert_int_equal(inode("a"), before);
}

static void who_lives_is_left_alone(void **state)
{
	int fd, peer = make_bound(SOCK_DGRAM, "p"), stranger;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		fd = make_bound(types[i], "a");
		expect_taken("stop who listens there");
		expect_no_probe("seqpacket:a,listen", -EADDRINUSE, "is taken");
		if (types[i] == SOCK_DGRAM)
			/* It hears from nobody else now. */
			assert_int_equal(try_connect(fd, "p"), 0);
		else
			assert_int_equal(listen(fd, 1), 0);
		expect_taken("stop who listens there");
		/* Nor has it noticed anything. */
		if (types[i] != SOCK_DGRAM) {
			stranger = accept(fd, NULL, NULL);
			assert_int_equal(stranger, -1);
			assert_int_equal(errno, EAGAIN);
		}
		close(fd);
		assert_int_equal(unlink("a"), 0);
	}
	close(peer);
	assert_int_equal(unlink("p"), 0);
}

static void what_is_no_socket_is_left_alone(void **state)
{
	int peer = make_bound(SOCK_DGRAM, "p");

	(void)state;
	assert_int_equal(mkdir("a", 0700), 0);
	expect_taken("is no socket");
	expect_no_probe("unixgram:a,listen", -EADDRINUSE, "is no socket");
	assert_int_equal(rmdir("a"), 0);
	leave(SOCK_DGRAM, "left");
	assert_int_equal(symlink("left", "a"), 0);
	expect_taken("is no socket");
	assert_int_equal(access("left", F_OK), 0);
	assert_int_equal(unlink("a"), 0);
	assert_int_equal(unlink("left"), 0);
	close(peer);
	assert_int_equal(unlink("p"), 0);
}

/* The listener is not needed any more, and its address is not free. */
static void who_has_its_peer_keeps_its_address(void **state)
{
	int fds = count_fds(), peer = make_socket(SOCK_SEQPACKET);
	int late = make_socket(SOCK_SEQPACKET);
	struct fdl_endpoint *ep = listen_for(peer, "seqpacket:a,listen,wait");
	const ino_t before = inode("a");

	(void)state;
	assert_int_equal(try_connect(late, "a"), ECONNREFUSED);
	expect_refused("seqpacket:a,listen", -EADDRINUSE,
		       "stop who listens there");
	assert_int_equal(inode("a"), before);
	expect_answer(ep, peer);
	fdl_endpoint_free(ep);
	assert_int_equal(access("a", F_OK), -1);
	close(peer);
	close(late);
	assert_int_equal(count_fds(), fds);
}

static void a_successors_file_stays(void **state)
{
	int peer = make_bound(SOCK_DGRAM, "p"), other;
	struct fdl_endpoint *ep;

	(void)state;
	assert_int_equal(open_it(&ep, "unixgram:p,local=a", 0, 0), 0);
	assert_int_equal(unlink("a"), 0);
	other = make_bound(SOCK_SEQPACKET, "a");
	fdl_endpoint_free(ep);
	assert_int_equal(access("a", F_OK), 0);
	close(other);
	assert_int_equal(unlink("a"), 0);
	close(peer);

	peer = make_socket(SOCK_SEQPACKET);
	ep = listen_for(peer, "seqpacket:a,listen");
	assert_int_equal(unlink("a"), 0);
	assert_int_equal(mkdir("a", 0700), 0);
	fdl_endpoint_free(ep);
	assert_int_equal(rmdir("a"), 0);
	close(peer);
	assert_int_equal(unlink("p"), 0);
}

/* The process may be elsewhere by the end, as daemon(3) has it. */
static void a_relative_path_stays_the_same(void **state)
{
	static const char *const locators[] = {
		"seqpacket:moved,listen",
		"stream:./moved,listen",
		"unixgram:moved,listen",
		"unixgram:peer,local=moved,reconnect",
	};
	struct fdl_endpoint *ep;

	(void)state;
	assert_int_equal(mkdir("elsewhere", 0700), 0);
	for (size_t i = 0; i < sizeof(locators) / sizeof(*locators); i++) {
		assert_int_equal(fdl_open(&ep, locators[i], NULL), 0);
		assert_int_equal(access("moved", F_OK), 0);
		assert_int_equal(chdir("elsewhere"), 0);
		assert_int_equal(fdl_endpoint_free(ep), 0);
		assert_int_equal(chdir(".."), 0);
		assert_int_equal(access("moved", F_OK), -1);
	}
	assert_int_equal(rmdir("elsewhere"), 0);
}

static bool meets(struct fdl_endpoint *ep)
{
	struct fdl_link link = { 0 };
	struct fdl_packet *pkt;
	int tries = 100;

	while (!link.carrier && tries-- > 0) {
		fdl_poll(ep, WAIT_MS / 100);
		assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 0);
		assert_int_equal(fdl_link_state(ep, &link, sizeof(link)), 0);
	}
	return link.carrier;
}

static void so_does_that_of_a_peer(void **state)
{
	static const struct {
		const char *locator;
		int type;
	} links[] = {
		{ "seqpacket:later,reconnect", SOCK_SEQPACKET },
		{ "stream:later,reconnect", SOCK_STREAM },
		{ "unixgram:later,reconnect", SOCK_DGRAM },
	};
	struct fdl_endpoint *ep;
	int peer;

	(void)state;
	assert_int_equal(mkdir("elsewhere", 0700), 0);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		assert_int_equal(fdl_open(&ep, links[i].locator, NULL), 0);
		peer = make_bound(links[i].type, "later");
		assert_true(links[i].type == SOCK_DGRAM || !listen(peer, 1));
		assert_int_equal(chdir("elsewhere"), 0);
		assert_true(meets(ep));
		fdl_endpoint_free(ep);
		assert_int_equal(chdir(".."), 0);
		assert_int_equal(unlink("later"), 0);
		close(peer);
	}
	assert_int_equal(rmdir("elsewhere"), 0);
}

static void a_locked_directory_is_left_alone(void **state)
{
	int peer = make_bound(SOCK_DGRAM, "p");
	int lock = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	leave(SOCK_DGRAM, "a");
	assert_int_equal(flock(lock, LOCK_SH), 0);
	expect_refused("unixgram:p,local=a", -EADDRINUSE, "is locked");
	assert_int_equal(access("a", F_OK), 0);
	close(lock);
	close(peer);
	assert_int_equal(unlink("a"), 0);
	assert_int_equal(unlink("p"), 0);
}

static pthread_barrier_t start;

static void *open_as_rival(void *arg)
{
	struct waiter *w = arg;

	pthread_barrier_wait(&start);
	w->err = fdl_open(&w->ep, "unixgram:p,local=a", NULL);
	return NULL;
}

/* Of all who find the same file, one has it, and is whom its name leads to. */
static void one_rival_wins(void **state)
{
	struct waiter rivals[RIVALS] = { 0 };
	unsigned i, round, winners;
	int peer;

	(void)state;
	pthread_barrier_init(&start, NULL, RIVALS);
	for (round = 0; round < ROUNDS; round++) {
		leave(SOCK_DGRAM, "a");
		peer = make_bound(SOCK_DGRAM, "p");
		for (i = 0; i < RIVALS; i++)
			assert_int_equal(pthread_create(&rivals[i].thread, NULL,
							open_as_rival,
							&rivals[i]),
					 0);
		for (i = 0; i < RIVALS; i++)
			pthread_join(rivals[i].thread, NULL);
		winners = 0;
		for (i = 0; i < RIVALS; i++) {
			if (rivals[i].err) {
				assert_int_equal(rivals[i].err, -EADDRINUSE);
				continue;
			}
			winners++;
			assert_int_equal(try_connect(peer, "a"), 0);
			expect_answer(rivals[i].ep, peer);
			fdl_endpoint_free(rivals[i].ep);
		}
		assert_int_equal(winners, 1);
		assert_int_equal(access("a", F_OK), -1);
		close(peer);
		assert_int_equal(unlink("p"), 0);
	}
	pthread_barrier_destroy(&start);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_left_is_taken_over),
		cmocka_unit_test(who_lives_is_left_alone),
		cmocka_unit_test(what_is_no_socket_is_left_alone),
		cmocka_unit_test(who_has_its_peer_keeps_its_address),
		cmocka_unit_test(a_successors_file_stays),
		cmocka_unit_test(a_relative_path_stays_the_same),
		cmocka_unit_test(so_does_that_of_a_peer),
		cmocka_unit_test(a_locked_directory_is_left_alone),
		cmocka_unit_test(one_rival_wins),
	};
	int failed;

	if (!mkdtemp(dir) || chdir(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return chdir("/") || rmdir(dir) || failed;
}
