/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carry all packets from one link to another, both ways, each with what is left
 * undone on it, until SIGTERM; then print the counters. Frames get VLAN tags on
 * the way to the second link, the last one outermost, and lose them on the way
 * back.
 *
 *	relay LOCATOR on|off LOCATOR on|off [TAG]...
 *
 * on: super-packets and partial checksums are taken from that link as they
 * come, and segments merged; off: only complete packets are.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

enum { PATIENCE_MS = 1000, ADDRESSES = 12, TAG_LEN = 4, MAX_TAGS = 2 };

/* One of the two ways. */
struct way {
	struct fdl_endpoint *to;
	uint16_t tag[MAX_TAGS];
	int n_tags;
	bool push;
};

static void say(void *ctx, int level, const char *msg)
{
	(void)level;
	fprintf(stderr, "relay: %s: %s\n", (const char *)ctx, msg);
}

static struct fdl_endpoint *open_end(char *locator, const char *offload)
{
	struct fdl_options options = {
		.size = sizeof(options),
		.flags = FDL_ETHERNET,
		.tx_wait_ms = PATIENCE_MS,
		.log = say,
		.log_ctx = locator,
	};
	struct fdl_endpoint *ep;

	if (!strcmp(offload, "on"))
		options.flags |= FDL_RX_CSUM | FDL_RX_GSO | FDL_RX_USO |
				 FDL_GRO;
	if (fdl_open(&ep, locator, &options))
		exit(EXIT_FAILURE);
	return ep;
}

static void push_tag(struct fdl_packet *pkt, uint16_t tag)
{
	const uint8_t bytes[TAG_LEN] = { 0x81, 0, (uint8_t)(tag >> 8),
					 (uint8_t)tag };
	uint8_t *frame = fdl_packet_push(pkt, TAG_LEN);

	memmove(frame, frame + TAG_LEN, ADDRESSES);
	memcpy(frame + ADDRESSES, bytes, TAG_LEN);
}

/* False: the frame has another tag, or none. */
static bool pull_tag(struct fdl_packet *pkt, uint16_t tag)
{
	const uint8_t bytes[TAG_LEN] = { 0x81, 0, (uint8_t)(tag >> 8),
					 (uint8_t)tag };

	if (memcmp(pkt->data + ADDRESSES, bytes, TAG_LEN) != 0)
		return false;
	memmove(pkt->data + TAG_LEN, pkt->data, ADDRESSES);
	fdl_packet_pull(pkt, TAG_LEN);
	return true;
}

static bool change_tags(const struct way *way, struct fdl_packet *pkt)
{
	int i;

	for (i = 0; way->push && i < way->n_tags; i++)
		push_tag(pkt, way->tag[i]);
	for (i = way->n_tags; !way->push && i-- > 0;)
		if (!pull_tag(pkt, way->tag[i]))
			return false;
	return true;
}

/* What has not its tags is left to be released. */
static int carry(void *ctx, struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	const struct way *way = ctx;
	struct fdl_packet *pkt;
	int i, k, good = 0;

	(void)q;
	for (i = 0; i < n; i++) {
		if (!change_tags(way, v[i]))
			continue;
		pkt = v[good];
		v[good++] = v[i];
		v[i] = pkt;
	}
	k = good ? fdl_write_packets(way->to, v, good) : 0;
	return k < 0 ? 0 : k;
}

static void closed(void *ctx, struct fdl_queue *q, int reason)
{
	(void)ctx;
	(void)q;
	/* A chain of relays ends from either end. */
	if (reason)
		kill(getpid(), SIGTERM);
}

static void attach(struct fdl_endpoint *from, struct way *way)
{
	const struct fdl_dispatcher d = { carry, closed, way };

	if (fdl_attach(from, &d))
		exit(EXIT_FAILURE);
}

static void print_counters(const char *locator, const struct fdl_endpoint *ep)
{
	struct fdl_stats stats;
	const char *name;
	uint64_t value;
	unsigned i;

	fdl_get_stats(ep, &stats, sizeof(stats));
	printf("relay: %s\n", locator);
	for (i = 0; (name = fdl_stats_name(i)); i++) {
		value = fdl_stats_value(&stats, i);
		printf("%-20s %" PRIu64 "\n", name, value);
	}
}

int main(int argc, char **argv)
{
	struct way there = { .push = true }, back;
	struct fdl_endpoint *a, *b;
	sigset_t stop;
	int i, sig;

	if (argc < 5 || argc > 5 + MAX_TAGS) {
		fputs("usage: relay LOCATOR on|off LOCATOR on|off [TAG]...\n",
		      stderr);
		return 2;
	}
	for (i = 5; i < argc; i++)
		there.tag[there.n_tags++] = (uint16_t)atoi(argv[i]);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	a = open_end(argv[1], argv[2]);
	b = open_end(argv[3], argv[4]);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	there.to = b;
	back = there;
	back.to = a;
	back.push = false;
	attach(a, &there);
	attach(b, &back);
	puts("relay: up");
	fflush(stdout);
	sigwait(&stop, &sig);
	fdl_detach(a);
	fdl_detach(b);
	print_counters(argv[1], a);
	print_counters(argv[3], b);
	fdl_endpoint_free(a);
	fdl_endpoint_free(b);
	return EXIT_SUCCESS;
}
