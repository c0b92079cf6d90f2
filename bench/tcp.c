/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's side of the TCP measurements, on the second CPU:
 *
 *	tcp in|out STREAMS HOST SECONDS PID...	to its port 9, from its port 19
 *	tcp ping HOST SECONDS PID		one byte there and back, port 7
 *	tcp connect HOST SECONDS PID		connect, one byte echoed, reset
 *	tcp serve				those ports, on the first CPU
 *
 * PID is the process of the stack at HOST, whose CPU time is looked at over the
 * same window; of several processes it is their sum, and 0 is none. Prints one
 * line of JSON.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum {
	SEND_CHUNK = 128 << 10,
	RECV_CHUNK = 256 << 10,
	MAX_STREAMS = 64,
	MAX_PINGS = 1 << 20,
};

struct stream {
	int fd;
	bool sending;
	volatile uint64_t bytes;
};

static uint8_t chunk[SEND_CHUNK];

/* Hosts differ in their default; the root of a namespace may choose. */
static void set_cubic(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
}

static int dial(const char *host, const char *port)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	const struct timeval limit = { .tv_sec = 3 };
	struct addrinfo *ai;
	const int on = 1;
	int fd;

	if (getaddrinfo(host, port, &hints, &ai))
		bench_die(host, EINVAL);
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		bench_die("socket", errno);
	/* A stack that stops must not stop us. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	set_cubic(fd);
	if (connect(fd, ai->ai_addr, ai->ai_addrlen))
		bench_die(host, errno);
	freeaddrinfo(ai);
	return fd;
}

static void *run_stream(void *arg)
{
	struct stream *s = arg;
	uint8_t *buf = s->sending ? chunk : malloc(RECV_CHUNK);
	ssize_t n;

	if (!buf)
		bench_die("malloc", ENOMEM);
	for (;;) {
		if (s->sending)
			n = send(s->fd, buf, SEND_CHUNK, MSG_NOSIGNAL);
		else
			n = recv(s->fd, buf, RECV_CHUNK, 0);
		if (n <= 0)
			bench_die(s->sending ? "send" : "recv",
				  n ? errno : EPIPE);
		s->bytes += (uint64_t)n;
	}
}

/* Payload that the other side has acknowledged, or that came from it. */
static uint64_t total(const struct stream *s, unsigned n)
{
	uint64_t bytes = 0;
	int queued;
	unsigned i;

	for (i = 0; i < n; i++) {
		bytes += s[i].bytes;
		if (s[i].sending && !ioctl(s[i].fd, SIOCOUTQ, &queued))
			bytes -= (uint64_t)queued;
	}
	return bytes;
}

/* The CPU time of all of them so far. */
static uint64_t cpu_of(char *const pids[])
{
	clockid_t clock;
	uint64_t ns = 0;

	for (; *pids; pids++) {
		if (!strcmp(*pids, "0"))
			continue;
		if (clock_getcpuclockid(atoi(*pids), &clock))
			bench_die("clock_getcpuclockid", ESRCH);
		ns += bench_ns(clock);
	}
	return ns;
}

static void start_streams(struct stream *s, unsigned n, const char *host,
			  bool sending)
{
	pthread_t thread;
	unsigned i;

	for (i = 0; i < n; i++) {
		s[i].fd = dial(host, sending ? "9" : "19");
		s[i].sending = sending;
		if (pthread_create(&thread, NULL, run_stream, s + i))
			bench_die("pthread_create", EAGAIN);
	}
}

static void measure_streams(bool sending, unsigned n, const char *host,
			    double seconds, char *const pids[])
{
	static struct stream s[MAX_STREAMS];
	uint64_t t, cpu, bytes;
	double s_cpu, s_all;

	if (!n || n > MAX_STREAMS)
		bench_die("streams", EINVAL);
	start_streams(s, n, host, sending);
	usleep((useconds_t)(seconds * 0.4e6));
	t = bench_ns(CLOCK_MONOTONIC);
	cpu = cpu_of(pids);
	bytes = total(s, n);
	usleep((useconds_t)(seconds * 1e6));
	bytes = total(s, n) - bytes;
	s_cpu = (double)(cpu_of(pids) - cpu) / 1e9;
	s_all = (double)(bench_ns(CLOCK_MONOTONIC) - t) / 1e9;
	printf("{\"gbit\": %.4f, \"cpu_per_gb\": %.5f, \"busy\": %.4f}\n",
	       (double)bytes * 8 / 1e9 / s_all,
	       bytes ? s_cpu / ((double)bytes / 1e9) : 0, s_cpu / s_all);
}

static bool ping(int fd)
{
	char byte = 'x';

	return send(fd, &byte, 1, MSG_NOSIGNAL) == 1 &&
	       recv(fd, &byte, 1, 0) == 1;
}

static int by_value(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void measure_pings(const char *host, double seconds, char *const pids[])
{
	const int fd = dial(host, "7");
	static uint32_t ns[MAX_PINGS];
	uint64_t t, cpu, end;
	unsigned i, n, p50, p99;

	for (i = 0; i < 200; i++) {
		if (!ping(fd))
			bench_die("ping", errno);
	}
	cpu = cpu_of(pids);
	t = bench_ns(CLOCK_MONOTONIC);
	end = t + (uint64_t)(seconds * 1e9);
	for (n = 0; t < end && n < MAX_PINGS; n++) {
		if (!ping(fd))
			bench_die("ping", errno);
		ns[n] = (uint32_t)(bench_ns(CLOCK_MONOTONIC) - t);
		t += ns[n];
	}
	cpu = cpu_of(pids) - cpu;
	qsort(ns, n, sizeof(*ns), by_value);
	p50 = n / 2;
	p99 = n - 1 - n / 100;
	printf("{\"p50_us\": %.2f, \"p99_us\": %.2f, \"cpu_us\": %.3f}\n",
	       ns[p50] / 1e3, ns[p99] / 1e3, (double)cpu / 1e3 / n);
}

static void connect_once(const char *host)
{
	const struct linger reset = { .l_onoff = 1 };
	const int fd = dial(host, "7");

	if (!ping(fd))
		bench_die("echo", errno);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
}

static void measure_connects(const char *host, double seconds,
			     char *const pids[])
{
	uint64_t t, cpu, now, n;

	for (n = 0; n < 50; n++)
		connect_once(host);
	cpu = cpu_of(pids);
	t = bench_ns(CLOCK_MONOTONIC);
	now = t;
	for (n = 0; (double)(now - t) < seconds * 1e9; n++) {
		connect_once(host);
		now = bench_ns(CLOCK_MONOTONIC);
	}
	printf("{\"per_second\": %.1f, \"cpu_us\": %.3f}\n",
	       (double)n * 1e9 / (double)(now - t),
	       (double)(cpu_of(pids) - cpu) / 1e3 / (double)n);
}

static void *echo(void *arg)
{
	const int fd = (int)(intptr_t)arg;
	char buf[4096];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0 &&
	       send(fd, buf, (size_t)n, MSG_NOSIGNAL) == n)
		;
	close(fd);
	return NULL;
}

static void *discard(void *arg)
{
	const int fd = (int)(intptr_t)arg;
	void *buf = malloc(RECV_CHUNK);

	while (buf && recv(fd, buf, RECV_CHUNK, 0) > 0)
		;
	free(buf);
	close(fd);
	return NULL;
}

static void *chargen(void *arg)
{
	const int fd = (int)(intptr_t)arg;

	while (send(fd, chunk, SEND_CHUNK, MSG_NOSIGNAL) > 0)
		;
	close(fd);
	return NULL;
}

struct service {
	uint16_t port;
	void *(*serve)(void *fd);
	int fd;
};

static void *accept_all(void *arg)
{
	const struct service *s = arg;
	const int on = 1;
	pthread_t thread;
	int fd;

	for (;;) {
		fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (pthread_create(&thread, NULL, s->serve,
				   (void *)(intptr_t)fd))
			bench_die("pthread_create", EAGAIN);
		pthread_detach(thread);
	}
}

static void listen_on(struct service *s)
{
	struct sockaddr_in6 addr = {
		.sin6_family = AF_INET6,
		.sin6_port = __builtin_bswap16(s->port),
	};
	pthread_t thread;

	s->fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	set_cubic(s->fd);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(s->fd, 256) || pthread_create(&thread, NULL, accept_all, s))
		bench_die("serve", errno);
}

static _Noreturn void serve(void)
{
	static struct service services[] = {
		{ .port = 7, .serve = echo },
		{ .port = 9, .serve = discard },
		{ .port = 19, .serve = chargen },
	};
	size_t i;

	bench_pin(0);
	for (i = 0; i < sizeof(services) / sizeof(*services); i++)
		listen_on(&services[i]);
	puts("up");
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "serve"))
		serve();
	bench_pin(1);
	if (argc > 5 && !strcmp(what, "in"))
		measure_streams(true, (unsigned)atoi(argv[2]), argv[3],
				atof(argv[4]), argv + 5);
	else if (argc > 5 && !strcmp(what, "out"))
		measure_streams(false, (unsigned)atoi(argv[2]), argv[3],
				atof(argv[4]), argv + 5);
	else if (argc > 4 && !strcmp(what, "ping"))
		measure_pings(argv[2], atof(argv[3]), argv + 4);
	else if (argc > 4 && !strcmp(what, "connect"))
		measure_connects(argv[2], atof(argv[3]), argv + 4);
	else
		bench_die("usage", EINVAL);
	return 0;
}
