/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that fail at will: the linker's --wrap puts these in the place
 * of the library's own (src/os.h). What is not told to fail is passed on.
 */
#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

#include <stdbool.h>

enum fault {
	FAULT_CLOSE,
	FAULT_DUP,
	FAULT_STAT_MODE,
	FAULT_GET_FLAGS,
	FAULT_SET_FLAGS,
	FAULT_IOCTL,
	FAULT_READ,
	FAULT_WRITEV,		/* write(2) too */
	FAULT_SOCKET,
	FAULT_BIND,
	FAULT_GETSOCKNAME,
	FAULT_GETSOCKOPT,
	FAULT_SETSOCKOPT,
	FAULT_RECV,
	FAULT_RECVMSG,
	FAULT_RECVMMSG,
	FAULT_SENDMSG,		/* send(2) too, and sendmmsg(2), counted by
				 * messages */
	FAULT_EPOLL_CREATE,
	FAULT_EPOLL_CTL,
	FAULT_EVENTFD,
	FAULT_TIMERFD_SET,
	FAULT_MAP,
	FAULT_MAP_FD,
	FAULTS,
	FAULT_ANY = FAULTS,	/* whichever is called */
};

/* Calls number nth (from 1) to nth + times - 1 of what return -err. */
void fault_set(enum fault what, unsigned nth, unsigned times, int err);

/* Nothing fails any more. Returns whether a call was made to fail. */
bool fault_clear(void);

/* Which call failed last. */
enum fault fault_last(void);

#endif
