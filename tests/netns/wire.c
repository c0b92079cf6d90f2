/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wire that is not perfect: copies frames between two links, super-packets cut
 * first, and loses, doubles, delays and reorders some. This is what netem(8) is
 * where the kernel has it, for any link, and the same each time.
 *
 *	wire LOCATOR LOCATOR [WORD=NUMBER[,NUMBER]]...
 *
 *	drop, double, late	of 1000 frames so many are lost, come twice, or
 *				come later than they should
 *	lateness		by so many milliseconds (3)
 *	delay			milliseconds, of all frames
 *	seed			of the choice; other numbers, another choice
 *	trace			1: a line for each frame of TCP that comes in
 *
 * The first number is for what comes from the first link, the second for what
 * comes from the second; one number is for both. What becomes of the Nth frame
 * that comes from a link depends on the seed and on N, and on nothing else.
 * Frames that a link has no room for wait, and those behind them.
 *
 * A line of the trace: microseconds, link it came from (0, 1), source port,
 * destination port, flags, sequence number, acknowledged, payload, bytes of the
 * IP packet, MSS option or 0.
 *
 * SIGTERM: no more comes in, what is on its way arrives, and then it says for
 * each way what became of the frames, and ends.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <fdlink/open.h>

enum {
	BATCH = 64,
	POOL = 16384,
	MAX_HELD = 2 * POOL,	/* a power of 2 */
	RETRY_US = 500,
	IP4_LEN = 20,
	IP6_LEN = 40,
	TCP_LEN = 20,
};

struct held {
	uint64_t due;		/* microseconds */
	struct fdl_packet *pkt;
};

/* What the words say of a way. */
struct words {
	uint64_t drop, twice, late, lateness, delay, seed, trace;
};

struct way {
	struct words words;
	unsigned from;
	struct fdl_queue *in, *out;
	uint64_t dice;
	uint64_t n_in, n_lost, n_twice, n_late, n_full;
	uint64_t retry;
	unsigned first, n_held;
	struct held held[MAX_HELD]; /* a ring; what is due first is first */
};

static volatile sig_atomic_t stopped;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* xorshift64* */
static bool happens(struct way *w, uint64_t permille)
{
	w->dice ^= w->dice >> 12;
	w->dice ^= w->dice << 25;
	w->dice ^= w->dice >> 27;
	return (w->dice * 0x2545f4914f6cdd1dU >> 33) % 1000 < permille;
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

static struct held *nth(struct way *w, unsigned n)
{
	return &w->held[(w->first + n) % MAX_HELD];
}

static void hold(struct way *w, struct fdl_packet *pkt, bool late)
{
	const uint64_t ms = w->words.delay + (late ? w->words.lateness : 0);
	const uint64_t due = now() + ms * 1000;
	unsigned i = w->n_held;

	if (i == MAX_HELD) {
		w->n_full++;
		fdl_release(&pkt, 1);
		return;
	}
	for (; i && nth(w, i - 1)->due > due; i--)
		*nth(w, i) = *nth(w, i - 1);
	*nth(w, i) = (struct held){ .due = due, .pkt = pkt };
	w->n_held++;
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

/* All dice are thrown for each frame, whatever the words. */
static void pass(struct way *w, struct fdl_packet *pkt)
{
	const bool lost = happens(w, w->words.drop);
	const bool twice = happens(w, w->words.twice);
	const bool late = happens(w, w->words.late);
	struct fdl_packet *twin = NULL;

	w->n_in++;
	w->n_lost += lost;
	w->n_twice += !lost && twice;
	w->n_late += !lost && late;
	if (w->words.trace)
		trace(pkt, w->from);
	if (lost) {
		fdl_release(&pkt, 1);
		return;
	}
	if (twice)
		twin = copy(pkt, w->out);
	hold(w, pkt, late);
	if (twin)
		hold(w, twin, false);
	else if (twice)
		w->n_full++;
}

static int receive(struct way *w)
{
	struct fdl_packet *v[BATCH];
	int n, i;

	n = fdl_recv(w->in, v, BATCH);
	for (i = 0; i < n; i++)
		pass(w, v[i]);
	return n == -ENOBUFS ? 0 : n;
}

static bool is_due(struct way *w, uint64_t t)
{
	return w->n_held && nth(w, 0)->due <= t && w->retry <= t;
}

static int send_due(struct way *w)
{
	struct held *h;
	int rc;

	while (is_due(w, now())) {
		h = nth(w, 0);
		rc = fdl_send(w->out, &h->pkt, 1);
		if (rc < 0)
			return rc;
		if (!rc) {
			w->retry = now() + RETRY_US;
			break;
		}
		w->first = (w->first + 1) % MAX_HELD;
		w->n_held--;
	}
	return 0;
}

/* When there is something to do. */
static uint64_t next(struct way *w)
{
	if (!w->n_held)
		return UINT64_MAX;
	return nth(w, 0)->due > w->retry ? nth(w, 0)->due : w->retry;
}

static void wait_for_work(struct way way[2], struct pollfd fds[2],
			  const sigset_t *mask)
{
	const uint64_t a = next(&way[0]), b = next(&way[1]), t = now();
	const uint64_t at = a < b ? a : b, us = at > t ? at - t : 0;
	const struct timespec ts = { .tv_sec = (time_t)(us / 1000000),
				     .tv_nsec = (long)(us % 1000000) * 1000 };

	ppoll(fds, stopped ? 0 : 2, at == UINT64_MAX ? NULL : &ts, mask);
}

static int run(struct way way[2], struct fdl_endpoint *ep[2],
	       const sigset_t *mask)
{
	struct pollfd fds[] = {
		{ .fd = fdl_fd(ep[0]), .events = POLLIN },
		{ .fd = fdl_fd(ep[1]), .events = POLLIN },
	};
	int rc = 0, i;

	while (rc >= 0 && (!stopped || way[0].n_held || way[1].n_held)) {
		wait_for_work(way, fds, mask);
		for (i = 0; i < 2 && rc >= 0; i++) {
			if (!stopped)
				rc = receive(&way[i]);
			if (rc >= 0)
				rc = send_due(&way[i]);
		}
	}
	return rc < 0 ? rc : 0;
}

static uint64_t *find(struct words *words, const char *name, size_t len)
{
	const struct {
		const char *name;
		uint64_t *value;
	} known[] = {
		{ "drop", &words->drop },   { "double", &words->twice },
		{ "late", &words->late },   { "lateness", &words->lateness },
		{ "delay", &words->delay }, { "seed", &words->seed },
		{ "trace", &words->trace },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strlen(known[i].name) == len &&
		    !memcmp(known[i].name, name, len))
			return known[i].value;
	}
	return NULL;
}

/* Returns whether it is a word, and numbers. */
static bool set(struct way way[2], const char *arg)
{
	const size_t len = strcspn(arg, "=");
	const char *at = arg + len;
	uint64_t n = 0, *value;
	char *end;
	int i;

	for (i = 0; i < 2; i++) {
		if (*at) {
			n = strtoull(at + 1, &end, 10);
			if (end == at + 1 || (*end && (*end != ',' || i)))
				return false;
			at = end;
		}
		value = find(&way[i].words, arg, len);
		if (!value || !arg[len])
			return false;
		*value = n;
	}
	return true;
}

static void say(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	fprintf(stderr, "wire: %s\n", msg);
}

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void catch_stop(sigset_t *mask)
{
	struct sigaction sa = { .sa_handler = stop };
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, mask);
	sigaction(SIGTERM, &sa, NULL);
}

static void start(struct way way[2], struct fdl_endpoint *ep[2])
{
	unsigned i, n;

	for (i = 0; i < 2; i++) {
		way[i].from = i;
		way[i].in = fdl_get_queue(ep[i], 0);
		way[i].out = fdl_get_queue(ep[!i], 0);
		way[i].dice = (2 * way[i].words.seed + i + 1) *
			      0x9e3779b97f4a7c15U;
		/* Seeds that are much alike begin alike. */
		for (n = 0; n < 20; n++)
			happens(&way[i], 0);
	}
}

static void report(const struct way *w)
{
	fprintf(stderr,
		"wire: from %u: %llu in, %llu lost, %llu twice, "
		"%llu late, %llu without room\n",
		w->from, (unsigned long long)w->n_in,
		(unsigned long long)w->n_lost, (unsigned long long)w->n_twice,
		(unsigned long long)w->n_late, (unsigned long long)w->n_full);
}

static bool read_words(struct way way[2], int argc, char **argv)
{
	int i;

	if (argc < 3) {
		fprintf(stderr, "wire: which two links?\n");
		return false;
	}
	for (i = 3; i < argc; i++) {
		if (set(way, argv[i]))
			continue;
		fprintf(stderr, "wire: %s?\n", argv[i]);
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	const struct fdl_options options = {
		.size = sizeof(options),
		.flags = FDL_ETHERNET,
		.pool = POOL,
		.log = say,
	};
	static struct way way[2] = { { .words.lateness = 3 },
				     { .words.lateness = 3 } };
	struct fdl_endpoint *ep[2];
	sigset_t mask;
	int i, rc;

	if (!read_words(way, argc, argv))
		return 2;
	for (i = 0; i < 2; i++) {
		if (fdl_open(&ep[i], argv[1 + i], &options) < 0)
			return 1;
	}
	catch_stop(&mask);
	start(way, ep);
	setvbuf(stdout, NULL, _IOLBF, 0);
	fprintf(stderr, "wire: up\n");
	rc = run(way, ep, &mask);
	report(&way[0]);
	report(&way[1]);
	if (rc < 0)
		fprintf(stderr, "wire: %s\n", strerror(-rc));
	return rc < 0;
}
