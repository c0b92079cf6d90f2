/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wire that is not perfect: copies frames between two links, super-packets cut
 * first, and loses, doubles, delays and reorders some.
 *
 *	wire LOCATOR LOCATOR [WORD=NUMBER]...
 *
 *	drop, double, late	of 1000 frames so many are lost, come twice, or
 *				come LATE_MS later
 *	delay			milliseconds, of all frames
 *	seed			of the choice; other numbers, another choice
 *	trace			1: a line for each frame of TCP that comes in
 *
 * A line of the trace: microseconds, link it came from (0, 1), source port,
 * destination port, flags, sequence number, acknowledged, payload, bytes of the
 * IP packet, MSS option or 0.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <fdlink/open.h>

enum {
	BATCH = 64,
	POOL = 16384,
	MAX_HELD = 2 * POOL,
	LATE_MS = 3,
	IP4_LEN = 20,
	IP6_LEN = 40,
	TCP_LEN = 20,
};

struct held {
	uint64_t due;		/* microseconds */
	struct fdl_packet *pkt;
	struct fdl_queue *to;
};

struct wire {
	struct fdl_endpoint *ep[2];
	unsigned drop, twice, late, delay, trace;
	uint64_t seed;
	unsigned n_held;
	struct held held[MAX_HELD]; /* what is due first is last */
};

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* One in 1000 times permille. xorshift64* */
static bool happens(struct wire *w, unsigned permille)
{
	w->seed ^= w->seed >> 12;
	w->seed ^= w->seed << 25;
	w->seed ^= w->seed >> 27;
	return (w->seed * 0x2545f4914f6cdd1dU >> 33) % 1000 < permille;
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

static unsigned get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static unsigned find_mss(const uint8_t *tcp, unsigned len)
{
	unsigned at = 20;

	while (at + 4 <= len && tcp[at] != 2 && tcp[at]) {
		if (tcp[at] == 1)
			at++;
		else if (tcp[at + 1])
			at += tcp[at + 1];
		else
			return 0;
	}
	return at + 4 <= len && tcp[at] == 2 ? get16(tcp + at + 2) : 0;
}

static void trace(const struct fdl_packet *pkt, unsigned from)
{
	const uint8_t *ip = pkt->data + pkt->link_len;
	const bool v4 = pkt->protocol == 0x0800;
	const unsigned min_len = v4 ? IP4_LEN : IP6_LEN;
	unsigned ip_len, total, hdr_len;
	const uint8_t *tcp;

	if ((!v4 && pkt->protocol != 0x86dd) ||
	    pkt->len < pkt->link_len + min_len + TCP_LEN || ip[v4 ? 9 : 6] != 6)
		return;
	ip_len = v4 ? (ip[0] & 15U) * 4 : IP6_LEN;
	total = v4 ? get16(ip + 2) : get16(ip + 4) + IP6_LEN;
	tcp = ip + ip_len;
	hdr_len = (tcp[12] >> 4) * 4U;
	printf("%llu %u %u %u %u %u %u %u %u %u\n", (unsigned long long)now(),
	       from, get16(tcp), get16(tcp + 2), tcp[13], get32(tcp + 4),
	       get32(tcp + 8), total - ip_len - hdr_len, total,
	       find_mss(tcp, hdr_len));
}

static void hold(struct wire *w, struct fdl_packet *pkt, struct fdl_queue *to,
		 bool late)
{
	const uint64_t due = now() + (w->delay + (late ? LATE_MS : 0)) * 1000;
	unsigned i = w->n_held++;

	for (; i && w->held[i - 1].due <= due; i--)
		w->held[i] = w->held[i - 1];
	w->held[i] = (struct held){ .due = due, .pkt = pkt, .to = to };
}

static struct fdl_packet *copy(const struct fdl_packet *pkt,
			       struct fdl_queue *q)
{
	struct fdl_packet *twin;

	if (fdl_alloc(q, &twin, 1) != 1)
		return NULL;
	memcpy(twin->data, pkt->data, pkt->len);
	twin->len = pkt->len;
	twin->tail -= pkt->len;
	twin->link_len = pkt->link_len;
	twin->protocol = pkt->protocol;
	twin->off = pkt->off;
	return twin;
}

static void pass(struct wire *w, struct fdl_packet *pkt, unsigned from)
{
	struct fdl_queue *to = fdl_get_queue(w->ep[!from], 0);
	struct fdl_packet *twin = NULL;

	if (w->trace)
		trace(pkt, from);
	if (w->n_held + 2 > MAX_HELD || happens(w, w->drop)) {
		fdl_release(&pkt, 1);
		return;
	}
	if (happens(w, w->twice))
		twin = copy(pkt, to);
	hold(w, pkt, to, happens(w, w->late));
	if (twin)
		hold(w, twin, to, false);
}

static int receive(struct wire *w, unsigned from)
{
	struct fdl_packet *v[BATCH];
	int n, i;

	n = fdl_recv(fdl_get_queue(w->ep[from], 0), v, BATCH);
	for (i = 0; i < n; i++)
		pass(w, v[i], from);
	return n == -ENOBUFS ? 0 : n;
}

static void send_due(struct wire *w)
{
	struct held *h;

	while (w->n_held && w->held[w->n_held - 1].due <= now()) {
		h = &w->held[--w->n_held];
		if (fdl_send(h->to, &h->pkt, 1) != 1)
			fdl_release(&h->pkt, 1);
	}
}

static int timeout(const struct wire *w)
{
	const uint64_t t = now();

	if (!w->n_held)
		return -1;
	if (w->held[w->n_held - 1].due <= t)
		return 0;
	return (int)((w->held[w->n_held - 1].due - t + 999) / 1000);
}

static int run(struct wire *w)
{
	struct pollfd fds[] = {
		{ .fd = fdl_fd(w->ep[0]), .events = POLLIN },
		{ .fd = fdl_fd(w->ep[1]), .events = POLLIN },
	};
	int rc = 0;

	while (rc >= 0) {
		poll(fds, 2, timeout(w));
		rc = receive(w, 0);
		if (rc >= 0)
			rc = receive(w, 1);
		send_due(w);
	}
	return rc;
}

static unsigned *word(struct wire *w, const char *name, size_t len)
{
	const struct {
		const char *name;
		unsigned *value;
	} words[] = {
		{ "drop", &w->drop },	{ "double", &w->twice },
		{ "late", &w->late },	{ "delay", &w->delay },
		{ "trace", &w->trace },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strlen(words[i].name) == len &&
		    !memcmp(words[i].name, name, len))
			return words[i].value;
	}
	return NULL;
}

static void set(struct wire *w, const char *arg)
{
	const size_t len = strcspn(arg, "=");
	unsigned *value = word(w, arg, len);

	if (!strncmp(arg, "seed=", 5)) {
		w->seed += strtoull(arg + 5, NULL, 10) << 32;
	} else if (value && arg[len]) {
		*value = (unsigned)strtoul(arg + len + 1, NULL, 10);
	} else {
		fprintf(stderr, "wire: %s?\n", arg);
		exit(2);
	}
}

static void say(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	fprintf(stderr, "wire: %s\n", msg);
}

int main(int argc, char **argv)
{
	const struct fdl_options options = {
		.size = sizeof(options),
		.flags = FDL_ETHERNET,
		.pool = POOL,
		.log = say,
	};
	static struct wire w = { .seed = 88172645463325252U };
	int i;

	if (argc < 3)
		return 2;
	for (i = 3; i < argc; i++)
		set(&w, argv[i]);
	for (i = 0; i < 2; i++) {
		if (fdl_open(&w.ep[i], argv[1 + i], &options) < 0)
			return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	fprintf(stderr, "wire: up\n");
	fprintf(stderr, "wire: %s\n", strerror(-run(&w)));
	return 1;
}
