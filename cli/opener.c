/* SPDX-License-Identifier: Apache-2.0 */
#include "opener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fdlink/open.h>

#include "sandbox.h"

enum {
	ROOM = 512,		/* of fds: two for each of 256 queues */
	PER_MESSAGE = 253,	/* of fds: the kernel's limit (SCM_MAX_FD) */
	/* How long a wire stands still for an answer. What comes later is taken
	 * at the next question. */
	PATIENCE_MS = 100,
};

struct opener {
	int fd;
	bool asked;		/* an answer is to come */
};

/* A message with files. count: how many there are in all messages of the
 * answer, or why there are none. */
struct parcel {
	int count;
	struct iovec iov;
	struct msghdr msg;
	union {
		struct cmsghdr align;
		char text[CMSG_SPACE(PER_MESSAGE * sizeof(int))];
	} control;
};

static void parcel_begin(struct parcel *parcel, unsigned fds)
{
	memset(parcel, 0, sizeof(*parcel));
	parcel->iov.iov_base = &parcel->count;
	parcel->iov.iov_len = sizeof(parcel->count);
	parcel->msg.msg_iov = &parcel->iov;
	parcel->msg.msg_iovlen = 1;
	if (!fds)
		return;
	parcel->msg.msg_control = parcel->control.text;
	/* In the padding of CMSG_SPACE the kernel would put another one. */
	parcel->msg.msg_controllen = (socklen_t)CMSG_LEN(fds * sizeof(int));
}

static bool send_parcel(int count, const int *fds, unsigned n)
{
	struct parcel parcel;
	struct cmsghdr *head;

	parcel_begin(&parcel, n);
	parcel.count = count;
	if (n) {
		head = CMSG_FIRSTHDR(&parcel.msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = (socklen_t)CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(head), fds, n * sizeof(int));
	}
	return sendmsg(STDIN_FILENO, &parcel.msg, MSG_NOSIGNAL) >= 0;
}

static bool answer(int count, const int *fds)
{
	unsigned at = 0, n, left;

	do {
		left = count > 0 ? (unsigned)count - at : 0;
		n = left < PER_MESSAGE ? left : PER_MESSAGE;
		if (!send_parcel(count, fds + at, n))
			return false;
		at += n;
	} while (n < left);
	return true;
}

/* Until the wire has ended. */
static void serve(const char *locator, const struct fdl_options *options)
{
	int fds[ROOM], count, i;
	bool existing, more = true;

	while (more && recv(STDIN_FILENO, &existing, 1, 0) == 1) {
		count = fdl_open_fds(fds, ROOM, locator, existing, options);
		more = answer(count, fds);
		for (i = 0; i < count; i++)
			close(fds[i]);
	}
}

/* Move to the namespace that the locator names, and take its name out. Where it
 * lies is as fdl_open has it. */
static bool enter_namespace(char *locator)
{
	static const char option[] = ",netns=";
	char path[PATH_MAX], *from = strstr(locator, option), *name, *end;
	int fd, rc;

	if (!from)
		return true;
	name = from + strlen(option);
	end = name + strcspn(name, ",");
	snprintf(path, sizeof(path), "%s%.*s",
		 memchr(name, '/', (size_t)(end - name)) ? "" :
							   "/var/run/netns/",
		 (int)(end - name), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	rc = setns(fd, CLONE_NEWNET);
	close(fd);
	memmove(from, end, strlen(end) + 1);
	return rc == 0;
}

/* No file of the wire's stays open here: its peers are to see that it ends. Its
 * terminal's signals are for the wire. */
static bool separate(int fd)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	return dup2(fd, STDIN_FILENO) == STDIN_FILENO &&
	       syscall(SYS_close_range, STDOUT_FILENO, ~0U, 0) == 0;
}

static void be_opener(int fd, const char *locator,
		      const struct fdl_options *options)
{
	struct fdl_options silent = *options;
	char *own = strdup(locator);

	silent.log = NULL;
	if (own && enter_namespace(own) && separate(fd) &&
	    !sandbox_enter_opener())
		serve(own, &silent);
	_exit(0);
}

int opener_start(struct opener **started, const char *locator,
		 const struct fdl_options *options)
{
	struct opener *opener = calloc(1, sizeof(*opener));
	int ends[2], err;
	pid_t pid;

	if (!opener)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		err = -errno;
		free(opener);
		return err;
	}
	opener->fd = ends[0];
	pid = fork();
	if (pid == 0)
		be_opener(ends[1], locator, options);
	err = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (err) {
		close(ends[0]);
		free(opener);
		return err;
	}
	*started = opener;
	return 0;
}

/* Returns how many came, or -errno; *count is that of the answer. */
static int receive_parcel(const struct opener *opener, int *count, int fds[],
			  unsigned room)
{
	struct parcel parcel;
	struct cmsghdr *head;
	size_t size;
	ssize_t n;

	parcel_begin(&parcel, room < PER_MESSAGE ? room : PER_MESSAGE);
	n = recvmsg(opener->fd, &parcel.msg, MSG_CMSG_CLOEXEC);
	if (n != sizeof(parcel.count))
		return n < 0 ? -errno : -EPIPE;
	*count = parcel.count;
	head = CMSG_FIRSTHDR(&parcel.msg);
	if (!head)
		return 0;
	size = head->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(head), size);
	return (int)(size / sizeof(int));
}

static int take_answer(struct opener *opener, int fds[], unsigned room)
{
	int count = 0, n, got = 0, sent = 0;

	opener->asked = false;
	/* The kernel drops files for which there is no room: so what came does
	 * not tell how many messages there are. */
	do {
		n = receive_parcel(opener, &count, fds + got,
				   room - (unsigned)got);
		if (n < 0)
			count = n;
		else
			got += n;
		sent += PER_MESSAGE;
	} while (sent < count);
	if (got == count)
		return got;
	while (got > 0)
		close(fds[--got]);
	return count < 0 ? count : -EMFILE;
}

int opener_ask(void *ctx, bool existing, int fds[], unsigned room)
{
	struct opener *opener = ctx;
	struct pollfd p = { .fd = opener->fd, .events = POLLIN };

	if (!opener->asked &&
	    send(opener->fd, &existing, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		return -errno;
	opener->asked = true;
	if (poll(&p, 1, PATIENCE_MS) != 1)
		return -EAGAIN;
	return take_answer(opener, fds, room);
}

void opener_stop(struct opener *opener)
{
	if (!opener)
		return;
	close(opener->fd);
	free(opener);
}
