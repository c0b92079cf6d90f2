/* SPDX-License-Identifier: Apache-2.0 */
/* Types and constants in which the C libraries differ: glibc's, and musl's. */
#ifndef FDL_LIBC_H
#define FDL_LIBC_H

#include <stddef.h>
#include <sys/socket.h>

/* Of an argument of ioctl(2), and of sendmmsg(2) and recvmmsg(2). */
#ifdef __GLIBC__
#define IOCTL_REQUEST unsigned long
#define MMSG_FLAGS int
#else
#define IOCTL_REQUEST int
#define MMSG_FLAGS unsigned
#endif

/* How many pieces a message has: size_t in glibc, as POSIX does not want it. */
static inline size_t msg_pieces(const struct msghdr *msg)
{
	return (size_t)msg->msg_iovlen;
}

static inline void msg_set_pieces(struct msghdr *msg, size_t n)
{
	msg->msg_iovlen = (__typeof__(msg->msg_iovlen))n;
}

/* Types of control messages (asm-generic/socket.h), which musl has under the
 * name of the one that its time_t goes with. */
#ifndef SO_TIMESTAMP_OLD
#define SO_TIMESTAMP_OLD 29
#define SO_TIMESTAMPNS_OLD 35
#define SO_TIMESTAMPING_OLD 37
#define SO_TIMESTAMP_NEW 63
#define SO_TIMESTAMPNS_NEW 64
#define SO_TIMESTAMPING_NEW 65
#endif

#endif
