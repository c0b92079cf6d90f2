/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak [--seconds N] [--kind NAME] [--mode NAME]: each kind of link, in each of
 * its modes, N seconds (1). FDL_SEED repeats what befell it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <fdlink/open.h>

#include "bed.h"
#include "contract.h"
#include "kinds.h"
#include "macvtap.h"
#include "netns.h"
#include "sums.h"

enum { MOST_DISTURBANCES = 5 };

struct wanted {
	const char *kind, *mode;
	long long ms;
};

void soak_wrong(struct soak *s, const char *fmt, ...)
{
	va_list ap;

	if (atomic_exchange(&s->wrong, true))
		return;
	printf("%s, %s: ", s->bed->name, fdl_mode_name(s->mode));
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("; since the last look:%s\n", s->what[0] ? s->what : " nothing");
	fflush(stdout);
}

static void make_rubbish(struct soak *s, struct rng *r)
{
	unsigned i;
	size_t k;

	for (i = 0; i < RUBBISH; i++) {
		struct rubbish *junk = &s->rubbish[i];

		junk->len = i < 16 ? i : 16 + rnd(r, i < 40 ? 2000 : 66000);
		junk->bytes = calloc(1, junk->len + 1);
		if (!junk->bytes)
			abort();
		for (k = 0; k < junk->len; k++)
			junk->bytes[k] = (uint8_t)rnd(r, 256);
		/* A copy of what goes to a group could come twice; a tag would
		 * be taken out. */
		junk->bytes[0] &= 0xfe;
		if (junk->len > 13 && junk->bytes[12] == 0x81)
			junk->bytes[12] = 0x99;
	}
}

static void note_totals(struct soak *s)
{
	struct fdl_stats st;

	fdl_get_stats(s->l.ep, &st, sizeof(st));
	s->total[0] += st.rx_packets;
	s->total[1] += stats_rx_drops(&st);
	s->total[2] += st.tx_packets;
	s->total[3] += stats_tx_drops(&st);
}

/* All counts begin anew, with another endpoint. */
static void begin_anew(struct soak *s)
{
	int err;

	note_totals(s);

	circle_hold(&s->receiver);
	circle_hold(&s->collector);
	release_hoard(s);
	bed_close(s);
	s->next_fed = s->next_sent = 0;
	s->fed = s->offered = 0;
	s->received.frames = s->collected.frames = 0;
	s->received.next = s->collected.next = 0;
	s->lost_behind = s->forgiven = 0;
	s->ended = 0;
	s->cut = false;
	err = bed_open(s);
	if (err) {
		printf("%s: %s\n", s->bed->name, strerror(-err));
		abort();
	}
	circle_go(&s->receiver);
	circle_go(&s->collector);
}

/* The device goes away: the sums are right to the end, of which it tells. */
static void lose_device(struct soak *s)
{
	const long long end = netns_now_ms() + WAIT_MS;
	const struct timespec ts = { .tv_nsec = 1000000 };
	struct sums sums;
	int away;

	circle_hold(&s->feeder);
	sums_look(s);
	s->cut = true;
	away = disturb_take_away(s);
	while (!s->ended && !s->wrong && netns_now_ms() < end)
		nanosleep(&ts, NULL);
	circle_hold(&s->sender);
	sums_take(s, &sums);
	if (s->ended != -ENODEV || !sums_right(s, &sums)) {
		soak_wrong(s, "the device is gone, and it ended: %s",
			   strerror(-s->ended));
		sums_show(s, &sums);
	}
	begin_anew(s);
	close(away);
	circle_go(&s->sender);
	circle_go(&s->feeder);
}

static void idle(void *arg)
{
	const struct timespec ts = { .tv_nsec = 1000000 };

	(void)arg;
	nanosleep(&ts, NULL);
}

static void start(struct soak *s)
{
	circle_start(&s->receiver, receive_some, s);
	circle_start(&s->sender, send_some, s);
	circle_start(&s->feeder, s->bed->feed ? feed_some : idle, s);
	circle_start(&s->collector, s->bed->collect ? collect_some : idle, s);
	circle_go(&s->receiver);
	circle_go(&s->collector);
	circle_go(&s->sender);
	circle_go(&s->feeder);
}

static void end(struct soak *s)
{
	circle_end(&s->feeder);
	circle_end(&s->sender);
	circle_end(&s->collector);
	circle_end(&s->receiver);
	release_hoard(s);
}

static void tell(const struct soak *s)
{
	printf("%s, %s: %llu received, %llu dropped; %llu sent, %llu "
	       "dropped\n",
	       s->bed->name, fdl_mode_name(s->mode),
	       (unsigned long long)s->total[0], (unsigned long long)s->total[1],
	       (unsigned long long)s->total[2],
	       (unsigned long long)s->total[3]);
	fflush(stdout);
}

/* Returns whether all was right. */
static bool run(struct soak *s, long long ms)
{
	const long long until = netns_now_ms() + ms;
	unsigned n;

	start(s);
	while (!s->wrong && netns_now_ms() < until) {
		for (n = rnd(&s->rng, MOST_DISTURBANCES) + 1; n > 0; n--)
			disturb(s);
		sums_look(s);
		if (disturb_ends(s) && !s->wrong && !rnd(&s->rng, 8))
			lose_device(s);
	}
	end(s);
	disturb_end(s);
	note_totals(s);
	tell(s);
	return !s->wrong;
}

/* Returns whether the bed can be had in this mode. */
static bool begin(struct soak *s, const struct bed *bed, enum fdl_mode mode,
		  uint64_t seed, int *err)
{
	struct rng r = { seed };
	unsigned i;

	for (i = 0; i < RUBBISH; i++)
		free(s->rubbish[i].bytes);
	memset(s, 0, sizeof(*s));
	s->bed = bed;
	s->mode = mode;
	make_rubbish(s, &r);
	s->rng.state = seed + 1;
	s->feeding.state = seed + 2;
	s->sending.state = seed + 3;
	*err = bed_open(s);
	return !*err;
}

/* In each mode that is wanted. Returns an exit status. */
static int soak(const struct bed *bed, const struct wanted *wanted,
		uint64_t seed)
{
	static struct soak s;
	enum fdl_mode mode;
	bool right = true, any = false;
	int err = 0;

	for (mode = FDL_MODE_AUTO + 1; fdl_mode_name(mode); mode++) {
		if (wanted->mode && strcmp(wanted->mode, fdl_mode_name(mode)))
			continue;
		if (!begin(&s, bed, mode, seed, &err))
			continue;
		any = true;
		right &= run(&s, wanted->ms);
		bed_close(&s);
	}
	if (!any)
		printf("%s is left out: %s\n", bed->name, strerror(-err));
	if (!right)
		return EXIT_FAILURE;
	return any ? EXIT_SUCCESS : EXIT_SKIPPED;
}

/* A kind without a bed is not soaked: say so. */
static void name_the_rest(void)
{
	const struct bed *bed;
	const char *kind;
	unsigned i, k;

	for (i = 0; i < kinds_count(); i++) {
		kind = kinds_name(i);
		for (k = 0; kind && (bed = bed_at(k)); k++)
			if (!strcmp(bed->kind, kind))
				break;
		if (kind && !bed)
			printf("%s is left out: it has no bed\n", kind);
	}
}

static struct wanted read_arguments(int argc, char *argv[])
{
	static const struct option known[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "kind", required_argument, NULL, 'k' },
		{ "mode", required_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 },
	};
	struct wanted w = { .ms = 1000 };
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0) {
		if (c == 's')
			w.ms = atoll(optarg) * 1000;
		else if (c == 'k')
			w.kind = optarg;
		else if (c == 'm')
			w.mode = optarg;
		else
			exit(2);
	}
	return w;
}

int main(int argc, char *argv[])
{
	const struct wanted w = read_arguments(argc, argv);
	const struct rng r = seeded("soak");
	const struct bed *bed;
	int status = -1, one;
	unsigned i;

	netns_enter(argv);
	macvtap_see_own();
	if (!w.kind)
		name_the_rest();
	for (i = 0; (bed = bed_at(i)); i++) {
		if (w.kind && strcmp(w.kind, bed->name) != 0)
			continue;
		one = soak(bed, &w, r.state);
		if (status < 0 || status == EXIT_SKIPPED || one == EXIT_FAILURE)
			status = one;
	}
	if (status < 0)
		printf("no bed is called %s\n", w.kind);
	return status < 0 ? 2 : status;
}
