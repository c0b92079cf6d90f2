/* SPDX-License-Identifier: Apache-2.0 */
#include "sums.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bed.h"
#include "contract.h"
#include "netns.h"

void sums_take(struct soak *s, struct sums *sums)
{
	fdl_get_stats(s->l.ep, &sums->st, sizeof(sums->st));
	sums->rx = sums->st.rx_packets + stats_rx_drops(&sums->st) +
		   (s->bed->ahead ? s->bed->ahead(s) : 0);
	sums->tx = sums->st.tx_packets + stats_tx_drops(&sums->st);
	sums->far = s->collected.frames +
		    (s->bed->behind ? s->bed->behind(s) : 0);
}

/* What was lost as the device went down is lost, or still comes. */
static bool far_is_right(const struct soak *s, const struct sums *sums)
{
	const uint64_t sent = sums->st.tx_packets;

	if (!s->bed->collect)
		return true;
	return sums->far <= sent && (s->cut || sent - sums->far <= s->forgiven);
}

bool sums_right(const struct soak *s, const struct sums *sums)
{
	return sums->rx == s->fed && sums->tx == s->offered &&
	       s->received.frames == sums->st.rx_packets &&
	       far_is_right(s, sums);
}

void sums_show(const struct soak *s, const struct sums *sums)
{
	const char *name;
	unsigned i;

	printf("fed %llu, found %llu, delivered %llu; offered %llu, found "
	       "%llu; sent %llu, found at the peer %llu\n",
	       (unsigned long long)s->fed, (unsigned long long)sums->rx,
	       (unsigned long long)s->received.frames,
	       (unsigned long long)s->offered, (unsigned long long)sums->tx,
	       (unsigned long long)sums->st.tx_packets,
	       (unsigned long long)sums->far);
	for (i = 0; (name = fdl_stats_name(i)); i++)
		if (fdl_stats_value(&sums->st, i))
			printf("\t%s %llu\n", name,
			       (unsigned long long)fdl_stats_value(&sums->st,
								   i));
	fflush(stdout);
}

static bool wait_for_sums(struct soak *s, struct sums *sums,
			  bool (*right)(const struct soak *s,
					const struct sums *sums))
{
	const long long end = netns_now_ms() + WAIT_MS;
	const struct timespec ts = { .tv_nsec = 1000000 };

	sums_take(s, sums);
	while (!right(s, sums) && !s->ended && !s->wrong) {
		if (netns_now_ms() > end)
			return false;
		nanosleep(&ts, NULL);
		sums_take(s, sums);
	}
	return right(s, sums);
}

static bool all_is_received(const struct soak *s, const struct sums *sums)
{
	return sums->rx == s->fed;
}

static void judge(struct soak *s, bool right, const struct sums *sums)
{
	if (s->ended)
		soak_wrong(s, "the queue ended: %s", strerror(-s->ended));
	else if (!right)
		soak_wrong(s, "the sums are wrong");
	if (s->wrong)
		sums_show(s, sums);
}

void soak_settle(struct soak *s)
{
	struct sums sums;

	circle_hold(&s->feeder);
	if (!wait_for_sums(s, &sums, all_is_received))
		judge(s, false, &sums);
}

/* The collector finds all that there is by now. */
static void collect_rest(struct soak *s)
{
	static uint8_t buf[FRAME_MOST];
	ssize_t n;

	circle_hold(&s->collector);
	while (s->bed->collect &&
	       (n = s->bed->collect(s, buf, sizeof(buf))) >= 0)
		soak_arrived(s, false, buf, (size_t)n);
	circle_go(&s->collector);
}

/* Nothing more is offered: everything must turn up. */
void sums_look(struct soak *s)
{
	struct sums sums;
	bool right;

	circle_hold(&s->feeder);
	circle_hold(&s->sender);
	right = wait_for_sums(s, &sums, sums_right);
	if (s->cut && right) {
		collect_rest(s);
		sums_take(s, &sums);
		right = sums_right(s, &sums);
	}
	judge(s, right, &sums);
	s->forgiven = sums.st.tx_packets - sums.far;
	s->cut = false;
	s->what[0] = '\0';
	circle_go(&s->sender);
	circle_go(&s->feeder);
}
