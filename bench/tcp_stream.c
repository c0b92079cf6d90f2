/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stream TCP for some seconds in one direction and say how fast it went:
 *
 *	tcp_stream send|recv HOST PORT SECONDS
 *
 * against a discard or chargen service. Prints Gbit/s of payload; what a sender
 * still has queued at the end does not count.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024 };

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "tcp_stream: %s: %s\n", what, why);
	return -1;
}

static int connect_to(const char *host, const char *port)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct timeval limit = { .tv_sec = 5 };
	struct addrinfo *ai;
	int fd, r;

	r = getaddrinfo(host, port, &hints, &ai);
	if (r)
		return fail(host, gai_strerror(r));
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* One that paces would show its own rate; where it cannot be had, so
	 * be it. */
	if (fd >= 0)
		(void)!setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
	/* A peer that stops must not stop us. */
	if (fd >= 0 &&
	    !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) &&
	    !connect(fd, ai->ai_addr, ai->ai_addrlen)) {
		freeaddrinfo(ai);
		return fd;
	}
	fail(host, strerror(errno));
	freeaddrinfo(ai);
	if (fd >= 0)
		close(fd);
	return -1;
}

static ssize_t step(int fd, int sending, char *buf)
{
	return sending ? send(fd, buf, CHUNK, MSG_NOSIGNAL) :
			 recv(fd, buf, CHUNK, 0);
}

static int stream(int fd, int sending, double seconds)
{
	static char buf[CHUNK];
	double start = now(), end;
	uint64_t bytes = 0;
	int queued = 0;
	ssize_t n;

	do {
		n = step(fd, sending, buf);
		if (n <= 0)
			return fail(sending ? "send" : "recv",
				    n ? strerror(errno) : "the peer closed");
		bytes += (uint64_t)n;
		end = now();
	} while (end - start < seconds);

	if (sending && !ioctl(fd, SIOCOUTQ, &queued))
		bytes -= (uint64_t)queued;
	printf("%.2f\n", (double)bytes * 8 / (end - start) / 1e9);
	return 0;
}

int main(int argc, char **argv)
{
	int fd, r, sending;

	if (argc != 5) {
		fail("usage", "tcp_stream send|recv HOST PORT SECONDS");
		return 2;
	}
	sending = !strcmp(argv[1], "send");
	fd = connect_to(argv[2], argv[3]);
	if (fd < 0)
		return 1;
	r = stream(fd, sending, atof(argv[4]));
	close(fd);
	return r ? 1 : 0;
}
