/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that fail or lie at will: the linker's --wrap puts these in the
 * place of the library's own (src/os.h), and of what it takes from the C
 * library: memory and threads. What is not told to fail is passed on, and
 * counted.
 */
#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault {
	FAULT_OPEN,
	FAULT_CLOSE,		/* the fd is closed all the same, as Linux
				 * does */
	FAULT_DUP,
	FAULT_DUP_TO,
	FAULT_STAT_MODE,
	FAULT_INODE,
	FAULT_SAME_FILE,
	FAULT_PATH_MODE,
	FAULT_DIRECTORY,
	FAULT_FILE,
	FAULT_LOCK,
	FAULT_GET_FLAGS,
	FAULT_SET_FLAGS,
	FAULT_LOCK_BYTE,
	FAULT_HAS_LOCK,
	FAULT_IOCTL,
	FAULT_UNLINK,
	FAULT_READ,		/* and os_readv_now */
	FAULT_WRITEV,		/* and os_write, os_writev_now */
	FAULT_SOCKET,
	FAULT_SOCKETPAIR,
	FAULT_BIND,
	FAULT_CONNECT,
	FAULT_LISTEN,
	FAULT_ACCEPT,
	FAULT_SHUTDOWN,		/* the socket is shut down all the same */
	FAULT_GETSOCKNAME,
	FAULT_GETPEERNAME,
	FAULT_GETSOCKOPT,
	FAULT_SETSOCKOPT,
	FAULT_RECV,
	FAULT_RECVMSG,
	FAULT_RECVMMSG,
	FAULT_SENDMSG,		/* send(2) too, and sendmmsg(2), counted by
				 * messages */
	FAULT_POLL,
	FAULT_EPOLL_CREATE,
	FAULT_EPOLL_CTL,
	FAULT_EPOLL_WAIT,
	FAULT_EVENTFD,
	FAULT_TIMERFD,
	FAULT_TIMERFD_SET,
	FAULT_MAP,		/* of these two the errno is always ENOMEM */
	FAULT_MALLOC,		/* and calloc, realloc, strdup */
	FAULT_MAP_FD,
	FAULT_MOVE_MAP,
	FAULT_MAP_OVER,
	FAULT_MEMORY_FILE,
	FAULT_SETNS,
	FAULT_THREAD,		/* pthread_create */
	FAULTS,
	FAULT_ANY = FAULTS,	/* whichever is called */
};

/* In the place of an errno, or with one. */
enum {
	FAULT_SHORT = 1 << 16,	/* it does less: half the bytes or messages */
	FAULT_NOTHING = 1 << 17, /* it says 0, and does nothing */
	FAULT_READY = 1 << 18,	/* os_poll: everything is ready, though it is
				 * not */
	FAULT_TAKES = 1 << 19,	/* what was to be received is taken and lost;
				 * where there is nothing, that is said */
	FAULT_ERRNO = FAULT_SHORT - 1,
};

/*
 * Which of the calls of one name: of ioctl the request, of the socket options
 * fault_option(), of os_socket the family, of os_epoll_ctl the operation, of
 * all others with an fd what it is.
 */
enum {
	ON_ANY,
	ON_TUN = 1,		/* any character device */
	ON_PACKET,
	ON_NETLINK,
	ON_SEQPACKET,
	ON_DGRAM,		/* unix */
	ON_UDP,
	ON_STREAM,
	ON_SPARSE,		/* os_map_sparse */
	ON_FILE,
	ON_OTHER,		/* an eventfd and the like */
};

static inline unsigned fault_option(int level, int name)
{
	return (unsigned)level << 16 | (unsigned)name;
}

/* Calls number nth (from 1) to nth + times - 1 of what return -err. */
void fault_set(enum fault what, unsigned nth, unsigned times, int err);

/* The same of those calls alone. */
void fault_set_on(enum fault what, unsigned on, unsigned nth, unsigned times,
		  int err);

/* Such calls fail as long as this is so, whatever else does; FAULTS: none. */
void fault_refuse(enum fault what, unsigned on, int err);

/* Nothing fails any more. Returns whether a call was made to fail. */
bool fault_clear(void);

/* Whether one has been. */
bool fault_hit(void);

/* Until it is called with false, calls neither fail nor count. */
bool fault_pause(bool pause);		/* returns how it was */

/* Which call failed last. */
enum fault fault_last(void);

const char *fault_name(enum fault what);

/* What the library holds now, and how many calls it has made. */
struct fault_usage {
	long blocks;		/* of malloc */
	long bytes;		/* mapped */
	long threads;
	unsigned long calls;
	unsigned long wrong;	/* fds closed that were not open */
};

struct fault_usage fault_usage(void);

/* Every call from here on is noted; NULL: no longer. */
struct fault_note {
	enum fault what;
	unsigned on;
};

struct fault_trace {
	size_t n;
	struct fault_note call[8192];
};

void fault_trace(struct fault_trace *trace);
size_t fault_traced(void);		/* how many were, so far */

/* Call fn before the library waits without an end. NULL: no more. */
void fault_on_wait(void (*fn)(void *arg), void *arg);

/* The library's clock goes so much further each time it is looked at, and else
 * stands; 0: it goes on from there as the real one does. */
void fault_hurry(int64_t step_us);

#endif
