/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mirror.h in an event loop of libuv. Each line on the standard input, which
 * another thread reads, makes the loop say how many packets are held.
 *
 *	mirror_uv tap:tap0
 */
#include <pthread.h>
#include <unistd.h>

#include <uv.h>

#include "mirror.h"

static void on_ready(uv_poll_t *poll, int status, int events)
{
	int err = mirror_turn(poll->data);

	(void)status;
	(void)events;
	if (err < 0) {
		fprintf(stderr, "the link has ended: %s\n", strerror(-err));
		uv_stop(poll->loop);
	}
}

static void on_wake(uv_async_t *wake)
{
	struct mirror *m = wake->data;

	printf("%d held\n", m->n);
	fflush(stdout);
}

/* The other thread. uv_async_send is what libuv lets it call. */
static void read_lines(void *wake)
{
	char c;

	pthread_detach(pthread_self());	/* nobody waits for it */
	while (read(0, &c, 1) == 1) {
		if (c == '\n')
			uv_async_send(wake);
	}
}

int main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	struct mirror m = { 0 };
	uv_thread_t reader;
	uv_async_t wake;
	uv_poll_t poll;
	int fd;

	if (argc != 2)
		return fprintf(stderr, "usage: mirror_uv LOCATOR\n"), 2;
	fd = mirror_open(&m, argv[1]);
	if (fd < 0)
		return 1;
	/* One event tells of packets and of room: the fd becomes readable. */
	uv_poll_init(loop, &poll, fd);
	uv_poll_start(&poll, UV_READABLE, on_ready);
	poll.data = &m;
	uv_async_init(loop, &wake, on_wake);
	wake.data = &m;
	uv_thread_create(&reader, read_lines, &wake);

	uv_run(loop, UV_RUN_DEFAULT);
	/* The fd is the endpoint's: leave it before the endpoint is freed. */
	uv_poll_stop(&poll);
	mirror_close(&m);
	return 1;
}
