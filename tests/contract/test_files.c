/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer on a unix socket sends files along with frames (SCM_RIGHTS, unix(7)).
 * The frames come. The files do not become descriptors of this process,
 * whatever control messages the caller has asked for on the socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "contract.h"
#include "usage.h"

enum {
	LEN = 100,
	FRAMES = 50,
	FILES = 3,
};

static void send_with_files(struct link *l, unsigned seq)
{
	const int files[FILES] = { l->peer, l->peer, l->peer };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(files))];
	} note = { .header = { .cmsg_len = CMSG_LEN(sizeof(files)),
			       .cmsg_level = SOL_SOCKET,
			       .cmsg_type = SCM_RIGHTS } };
	uint8_t frame[LEN];
	struct iovec iov = { frame, sizeof(frame) };
	const struct msghdr msg = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = &note,
				    .msg_controllen = sizeof(note) };

	frame_make(l, false, frame, LEN, seq);
	memcpy(CMSG_DATA(&note.header), files, sizeof(files));
	assert_int_equal(sendmsg(l->peer, &msg, 0), LEN);
	l->rx_offered++;
}

static void ask(int fd, int option)
{
	const int on = 1;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on)),
			 0);
}

static void files_are_not_taken(struct link *l)
{
	const enum fdl_mode mode = fdl_get_mode(l->ep);
	unsigned fds, seq;

	fdl_endpoint_free(l->ep);
	ask(l->fd, SO_TIMESTAMP);
	ask(l->fd, SO_PASSCRED);
	assert_int_equal(link_endpoint(l, mode, NULL), 0);
	fds = usage_entries("/proc/self/fd");
	for (seq = 1; seq <= FRAMES; seq++) {
		send_with_files(l, seq);
		expect_received(l, LEN, seq);
	}
	assert_int_equal(usage_entries("/proc/self/fd"), fds);
}

static const struct expectation table[] = {
	{ .name = "files are not taken",
	  .test = files_are_not_taken,
	  .needs = LINK_UNIX,
	  .not_on = LINK_LOSSY | LINK_NAMED },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("files", argv, table, COUNT_OF(table));
}
