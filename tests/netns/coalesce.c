/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carry packets between two links, both ways, as a program does that takes
 * super-packets and tunnels, and writes what it has in pieces of a batch
 * (FDL_COALESCE), until SIGTERM; then print the counters of both.
 *
 *	coalesce LOCATOR LOCATOR
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include <fdlink/open.h>

enum { BATCH = 64, PATIENCE_MS = 1000 };

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void say(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	fprintf(stderr, "coalesce: %s\n", msg);
}

static int forward(struct fdl_queue *from, struct fdl_queue *to)
{
	struct fdl_packet *v[BATCH];
	struct iovec iov;
	int i, n;

	n = fdl_recv(from, v, BATCH);
	for (i = 0; i < n; i++) {
		iov = (struct iovec){ v[i]->data, v[i]->len };
		fdl_write(to, &iov, 1, &v[i]->off);
	}
	if (n > 0) {
		fdl_flush(to);
		fdl_release(v, n);
	}
	return n < 0 && n != -ENOBUFS ? n : 0;
}

static void print_counters(struct fdl_endpoint *ep[2])
{
	struct fdl_stats stats[2];
	const char *name;
	unsigned i;

	for (i = 0; i < 2; i++)
		fdl_get_stats(ep[i], &stats[i], sizeof(stats[i]));
	for (i = 0; (name = fdl_stats_name(i)); i++)
		printf("%-20s %" PRIu64 " %" PRIu64 "\n", name,
		       fdl_stats_value(&stats[0], i),
		       fdl_stats_value(&stats[1], i));
}

int main(int argc, char **argv)
{
	const struct sigaction on_stop = { .sa_handler = stop };
	struct fdl_options options = {
		.size = sizeof(options),
		.flags = FDL_COALESCE | FDL_RX_CSUM | FDL_RX_GSO | FDL_RX_USO |
			 FDL_RX_TUNNEL,
		.tx_wait_ms = PATIENCE_MS,
		.log = say,
	};
	struct pollfd pfd[2] = { { .events = POLLIN }, { .events = POLLIN } };
	struct fdl_endpoint *ep[2];
	int i, err = 0;

	if (argc != 3)
		return 2;
	sigaction(SIGTERM, &on_stop, NULL);
	for (i = 0; i < 2; i++) {
		if (fdl_open(&ep[i], argv[1 + i], &options) < 0)
			return 1;
		pfd[i].fd = fdl_fd(ep[i]);
	}
	printf("coalesce: up\n");
	fflush(stdout);
	while (!err && !stopped && (poll(pfd, 2, -1) >= 0 || errno == EINTR))
		for (i = 0; i < 2 && !err; i++)
			if (pfd[i].revents)
				err = forward(fdl_get_queue(ep[i], 0),
					      fdl_get_queue(ep[!i], 0));
	print_counters(ep);
	for (i = 0; i < 2; i++)
		fdl_endpoint_free(ep[i]);
	return !stopped;
}
