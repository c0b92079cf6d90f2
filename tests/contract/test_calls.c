/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What another holder of the fd calls while packets move. It may take packets
 * away, and give the socket another peer; what comes is what was sent all the
 * same, nothing hangs or calls for nobody, and what cannot be sent is counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "contract.h"
#include "newer.h"

enum {
	LEN = 200,
	ROUND = 8,		/* frames before a call */
	IDLE = 16,		/* looks that may find nothing, in a row */
};

static unsigned next_seq;

/* Whether a call succeeds is none of the test's business. */
static void ignore(ssize_t result)
{
	(void)result;
}

static void feed(struct link *l)
{
	unsigned i;

	for (i = 0; i < ROUND; i++)
		link_feed(l, LEN, ++next_seq);
}

/* All that are left of them, each as it was sent. */
static void drain(struct link *l)
{
	unsigned idle = 0, seq;
	struct fdl_packet *pkt;

	while (fdl_queue_poll(l->q, QUIET_MS) > 0) {
		assert_in_range(idle, 0, IDLE);
		if (fdl_recv(l->q, &pkt, 1) < 1) {
			idle++;
			continue;
		}
		seq = frame_seq(l, pkt->data);
		assert_in_range(seq, 1, next_seq);
		expect_frame(l, pkt, LEN, seq);
		fdl_release(&pkt, 1);
		idle = 0;
	}
}

static void send_one(struct link *l)
{
	struct fdl_packet *pkt = frame_packet(l, LEN, ++next_seq);

	expect_sent(l, &pkt, 1);
	link_expect(l, LEN, next_seq);
}

static void expect_works(struct link *l)
{
	drain(l);
	link_feed(l, LEN, ++next_seq);
	expect_received(l, LEN, next_seq);
	send_one(l);
}

/* Packets that are there are taken, or looked at. */
static void it_reads(struct link *l)
{
	static uint8_t room[4096];
	struct iovec iov = { room, 1 };
	struct mmsghdr msg[2] = { { .msg_hdr = { .msg_iov = &iov,
						 .msg_iovlen = 1 } } };
	int flags;

	l->uncounted = true;
	for (flags = 0; flags < 8; flags++) {
		feed(l);
		ignore(syscall(SYS_preadv2, l->fd, &iov, 1L, -1L, -1L,
			       RWF_NOWAIT));
		recv(l->fd, room, flags & 1 ? 0 : sizeof(room),
		     MSG_DONTWAIT | (flags & 2 ? MSG_PEEK : 0) |
			     (flags & 4 ? MSG_TRUNC : 0));
		recvmmsg(l->fd, msg, 2, MSG_DONTWAIT, NULL);
		ignore(recvmsg(l->fd, &msg[0].msg_hdr,
			       MSG_ERRQUEUE | MSG_DONTWAIT));
		expect_works(l);
	}
}

/* So that it comes back from every call. */
static void it_splices(struct link *l)
{
	int end[2];

	l->uncounted = true;
	assert_int_equal(pipe2(end, O_CLOEXEC | O_NONBLOCK), 0);
	fcntl(l->fd, F_SETFL, fcntl(l->fd, F_GETFL) | O_NONBLOCK);
	feed(l);
	ignore(splice(l->fd, NULL, end[1], NULL, 4096,
		      SPLICE_F_NONBLOCK | SPLICE_F_MOVE));
	expect_works(l);
	close(end[0]);
	close(end[1]);
}

static void it_asks(struct link *l)
{
	static const int asked[] = { FIONREAD, SIOCOUTQ, SIOCATMARK };
	struct pollfd p = { .fd = l->fd, .events = POLLIN | POLLOUT };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	const int set = epoll_create1(EPOLL_CLOEXEC);
	socklen_t len = sizeof(int);
	struct timeval when;
	int i, value;

	feed(l);
	poll(&p, 1, 0);
	epoll_ctl(set, EPOLL_CTL_ADD, l->fd, &ev);
	epoll_wait(set, &ev, 1, 0);
	for (i = 0; i < (int)COUNT_OF(asked); i++)
		ioctl(l->fd, (unsigned)asked[i], &value);
	ioctl(l->fd, SIOCGSTAMP_OLD, &when);
	for (i = 0; i < SO_PEERPIDFD; i++) {
		len = sizeof(value);
		getsockopt(l->fd, SOL_SOCKET, i, &value, &len);
	}
	lseek(l->fd, 0, SEEK_SET);
	ignore(ftruncate(l->fd, 0));
	fsync(l->fd);
	expect_works(l);
	close(set);
	expect_works(l);
}

static void it_sets_flags(struct link *l)
{
	int i, value;

	for (i = 0; i < 4; i++) {
		value = i & 1;
		feed(l);
		ioctl(l->fd, FIONBIO, &value);
		ioctl(l->fd, FIOASYNC, &value);
		fcntl(l->fd, F_SETOWN, getpid());
		fcntl(l->fd, F_SETSIG, i & 2 ? SIGURG : 0);
		fcntl(l->fd, F_SETFD, 0);
		expect_works(l);
	}
}

/* Locks of the open file mean nothing to a socket, except to fdlink. */
static void it_locks(struct link *l)
{
	struct flock lock = { .l_type = F_WRLCK };

	feed(l);
	flock(l->fd, LOCK_EX | LOCK_NB);
	fcntl(l->fd, F_OFD_SETLK, &lock);
	fcntl(l->fd, F_SETLK, &lock);
	expect_works(l);
	lock.l_type = F_UNLCK;
	fcntl(l->fd, F_OFD_SETLK, &lock);
	fcntl(l->fd, F_SETLK, &lock);
	expect_works(l);
}

static void pass(int sock, int fd)
{
	union {
		struct cmsghdr hdr;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control = { .hdr = { .cmsg_len = CMSG_LEN(sizeof(int)),
			       .cmsg_level = SOL_SOCKET,
			       .cmsg_type = SCM_RIGHTS } };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.hdr), &fd, sizeof(fd));
	assert_int_equal(sendmsg(sock, &msg, 0), 1);
}

/* It is given to others, and they go. */
static void it_is_given_away(struct link *l)
{
	int end[2], copy, status;
	pid_t child;

	feed(l);
	copy = dup(l->fd);
	child = fork();
	if (child == 0) {
		close(copy);
		_exit(0);
	}
	waitpid(child, &status, 0);
	close(copy);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, end), 0);
	pass(end[0], l->fd);
	close(end[0]);
	close(end[1]);
	expect_works(l);
}

/* A connected socket takes none of these, or they change nothing. */
static void it_names(struct link *l)
{
	struct sockaddr_storage name = { 0 };
	struct sockaddr *any = (struct sockaddr *)&name;
	socklen_t len = sizeof(name);

	feed(l);
	getsockname(l->fd, any, &len);
	ignore(bind(l->fd, any, len));
	ignore(listen(l->fd, 1));
	ignore(accept4(l->fd, NULL, NULL, SOCK_NONBLOCK));
	len = sizeof(name);
	if (!getpeername(l->fd, any, &len))
		ignore(connect(l->fd, any, len));
	expect_works(l);
}

/* What is sent is lost and counted from now on, or the link ends with a reason;
 * what still comes is right. */
static void it_disconnects(struct link *l)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct fdl_packet *pkt;
	struct fdl_stats st;
	int i, n;

	l->uncounted = true;
	feed(l);
	ignore(connect(l->fd, &nobody, sizeof(nobody)));
	drain(l);
	for (i = 0; i < 4; i++) {
		pkt = frame_packet(l, LEN, ++next_seq);
		n = fdl_send(l->q, &pkt, 1);
		if (n < 1)
			fdl_release(&pkt, 1);
		else
			l->tx_offered++;
		assert_true(n == 1 || n == -ESHUTDOWN);
	}
	link_stats(l, &st);
	assert_int_equal(st.tx_packets + stats_tx_drops(&st), l->tx_offered);
	drain(l);
}

#define ROW(f)                                                            \
	{                                                                 \
		.name = #f, .test = (f), .not_on = LINK_OPENED | LINK_NAMED \
	}

static const struct expectation table[] = {
	ROW(it_reads),
	ROW(it_splices),
	ROW(it_asks),
	ROW(it_sets_flags),
	ROW(it_locks),
	ROW(it_is_given_away),
	{ .name = "it_names",
	  .test = it_names,
	  .needs = LINK_UNIX,
	  .not_on = LINK_OPENED | LINK_NAMED },
	{ .name = "it_disconnects",
	  .test = it_disconnects,
	  .needs = LINK_UNIX | LINK_NO_EOF,
	  .not_on = LINK_OPENED | LINK_NAMED },
};

int main(int argc, char *argv[])
{
	(void)argc;
	signal(SIGIO, SIG_IGN);
	signal(SIGURG, SIG_IGN);
	return contract_run("calls", argv, table, COUNT_OF(table));
}
