/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mirror.h in an event loop of libev. Each line on the standard input, which
 * another thread reads, makes the loop say how many packets are held.
 *
 *	mirror_ev tap:tap0
 */
#include <pthread.h>
#include <unistd.h>

#include <ev.h>

#include "mirror.h"

static void on_ready(struct ev_loop *loop, ev_io *io, int events)
{
	int err = mirror_turn(io->data);

	(void)events;
	if (err < 0) {
		fprintf(stderr, "the link has ended: %s\n", strerror(-err));
		ev_break(loop, EVBREAK_ALL);
	}
}

static void on_wake(struct ev_loop *loop, ev_async *wake, int events)
{
	struct mirror *m = wake->data;

	(void)loop;
	(void)events;
	printf("%d held\n", m->n);
	fflush(stdout);
}

/* The other thread. ev_async_send is what libev lets it call. */
static void *read_lines(void *wake)
{
	char c;

	pthread_detach(pthread_self());	/* nobody waits for it */
	while (read(0, &c, 1) == 1) {
		if (c == '\n')
			ev_async_send(EV_DEFAULT_ wake);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct ev_loop *loop = ev_default_loop(0);
	struct mirror m = { 0 };
	pthread_t reader;
	ev_async wake;
	ev_io io;
	int fd;

	if (argc != 2)
		return fprintf(stderr, "usage: mirror_ev LOCATOR\n"), 2;
	fd = mirror_open(&m, argv[1]);
	if (fd < 0)
		return 1;
	/* One event tells of packets and of room: the fd becomes readable. */
	ev_io_init(&io, on_ready, fd, EV_READ);
	io.data = &m;
	ev_io_start(loop, &io);
	ev_async_init(&wake, on_wake);
	wake.data = &m;
	ev_async_start(loop, &wake);
	pthread_create(&reader, NULL, read_lines, &wake);

	ev_run(loop, 0);
	/* The fd is the endpoint's: leave it before the endpoint is freed. */
	ev_io_stop(loop, &io);
	mirror_close(&m);
	return 1;
}
