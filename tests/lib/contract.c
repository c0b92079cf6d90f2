/* SPDX-License-Identifier: Apache-2.0 */
#include "contract.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

#include "netns.h"
#include "usage.h"

/* One row on one kind of link in one mode. */
struct trial {
	const struct expectation *row;
	const struct link_kind *kind;
	enum fdl_mode mode;
	const char *lacks;		/* why the kind cannot be made */
	struct link link;
	unsigned fds;			/* open before there was a link */
	char name[160];
};

void link_stats(struct link *l, struct fdl_stats *st)
{
	assert_in_range(fdl_get_stats(l->ep, st, sizeof(*st)), 0, 1);
}

/* Of all counters whose name begins so. */
static uint64_t sum_of(const struct fdl_stats *st, const char *prefix)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; fdl_stats_name(i); i++)
		if (!strncmp(fdl_stats_name(i), prefix, strlen(prefix)))
			sum += fdl_stats_value(st, i);
	return sum;
}

uint64_t stats_rx_drops(const struct fdl_stats *st)
{
	return sum_of(st, "rx_drop_");
}

uint64_t stats_tx_drops(const struct fdl_stats *st)
{
	return sum_of(st, "tx_drop_");
}

static void drain(struct link *l)
{
	struct fdl_packet *v[16];
	int n;

	while ((n = fdl_recv(l->q, v, 16)) > 0)
		fdl_release(v, n);
}

static void check_sums(struct link *l)
{
	struct fdl_stats st;

	if (!l->ep || l->uncounted)
		return;
	fdl_detach(l->ep);
	drain(l);
	link_stats(l, &st);
	assert_int_equal(st.rx_packets + stats_rx_drops(&st), l->rx_offered);
	assert_int_equal(st.tx_packets + stats_tx_drops(&st), l->tx_offered);
}

static int set_up(void **state)
{
	struct trial *t = *state;

	if (t->lacks)
		return 0;
	t->fds = usage_entries("/proc/self/fd");
	if (link_make(&t->link, t->kind, 0) < 0)
		return -1;
	return link_endpoint(&t->link, t->mode, &t->row->opts);
}

static void run(void **state)
{
	struct trial *t = *state;

	if (t->lacks) {
		print_message("%s: %s\n", t->kind->name, t->lacks);
		skip();
	}
	t->row->test(&t->link);
	check_sums(&t->link);
}

static int tear_down(void **state)
{
	struct trial *t = *state;

	if (t->lacks)
		return 0;
	link_free(&t->link);
	if (usage_entries("/proc/self/fd") == t->fds)
		return 0;
	print_error("fds are left open\n");
	return -1;
}

static bool fits(const struct expectation *row, const struct link_kind *kind)
{
	return (kind->traits & row->needs) == row->needs &&
	       !(kind->traits & row->not_on);
}

/* Which modes can be used, as bits; none when the kind cannot be made here. */
static unsigned usable_modes(const struct link_kind *kind, const char **lacks)
{
	struct fdl_info info;
	struct link l;
	unsigned modes = 0;
	enum fdl_mode m;
	int err;

	err = link_make(&l, kind, 0);
	if (err) {
		*lacks = strerror(-err);
		return 1 << FDL_MODE_READV;
	}
	if (kind->traits & LINK_OPENED) {
		link_free(&l);
		return 1 << FDL_MODE_ADAPTIVE;
	}
	if (kind->traits & LINK_NAMED)
		err = fdl_probe(l.locator, &info, sizeof(info), NULL, NULL);
	else
		err = fdl_probe_fd(l.fd, &info, sizeof(info), NULL, NULL);
	assert_int_equal(err, 0);
	for (m = FDL_MODE_AUTO + 1; fdl_mode_name(m); m++)
		if (!fdl_mode_refusal(&info, m))
			modes |= 1U << m;
	link_free(&l);
	return modes;
}

static size_t add_trials(struct trial *t, const struct link_kind *kind,
			 const struct expectation *table, size_t n)
{
	const char *lacks = NULL;
	const unsigned modes = usable_modes(kind, &lacks);
	size_t i, made = 0;
	enum fdl_mode m;

	for (i = 0; i < n; i++) {
		if (!fits(&table[i], kind))
			continue;
		for (m = FDL_MODE_AUTO + 1; fdl_mode_name(m); m++) {
			if (!(modes & ~table[i].not_in & 1U << m))
				continue;
			t[made].row = &table[i];
			t[made].kind = kind;
			t[made].mode = m;
			t[made].lacks = lacks;
			snprintf(t[made].name, sizeof(t->name), "%s (%s, %s)",
				 table[i].name, kind->name, fdl_mode_name(m));
			made++;
		}
	}
	return made;
}

/* Kinds times modes, rounded up. */
static size_t count_columns(void)
{
	size_t kinds = 0, modes = 0;

	while (link_kinds[kinds].name)
		kinds++;
	while (fdl_mode_name((enum fdl_mode)modes))
		modes++;
	return kinds * modes;
}

/* Those from first on, in steps. What tests nothing must not pass. */
static int run_trials(const char *group, struct trial *trials, size_t made,
		      struct CMUnitTest *tests, size_t first, size_t step)
{
	size_t n = 0, i;

	for (i = first; i < made; i += step)
		tests[n++] = (struct CMUnitTest){ trials[i].name, run, set_up,
						  tear_down, &trials[i] };
	if (n == 0)
		return 1;
	return _cmocka_run_group_tests(group, tests, n, NULL, NULL);
}

int contract_run(const char *group, char *argv[],
		 const struct expectation *table, size_t n)
{
	const size_t max = n * count_columns();
	const bool in_parts = argv[1] && argv[2];
	const size_t part = in_parts ? strtoul(argv[1], NULL, 10) : 1;
	const size_t parts = in_parts ? strtoul(argv[2], NULL, 10) : 1;
	const struct link_kind *kind;
	struct CMUnitTest *tests;
	struct trial *trials;
	size_t made = 0;
	int failed = 1;

	if (max == 0 || part == 0 || part > parts)
		return EXIT_FAILURE;
	netns_enter(argv);
	if (argv[1] && !in_parts)
		cmocka_set_test_filter(argv[1]);
	trials = calloc(max, sizeof(*trials));
	tests = calloc(max, sizeof(*tests));
	for (kind = link_kinds; trials && tests && kind->name; kind++)
		made += add_trials(trials + made, kind, table, n);
	if (trials && tests)
		failed = run_trials(group, trials, made, tests, part - 1,
				    parts);
	free(tests);
	free(trials);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void expect_packets(struct link *l, struct fdl_packet *v[], int n)
{
	int got = 0, r;

	while (got < n) {
		assert_int_equal(fdl_queue_poll(l->q, WAIT_MS) & FDL_READABLE,
				 FDL_READABLE);
		r = fdl_recv(l->q, v + got, n - got);
		assert_in_range(r, 0, n - got);
		got += r;
	}
}

void expect_frame(struct link *l, const struct fdl_packet *pkt, size_t len,
		  unsigned seq)
{
	uint8_t want[FRAME_MAX];

	frame_make(l, false, want, len, seq);
	assert_int_equal(pkt->len, len);
	assert_memory_equal(pkt->data, want, len);
}

void expect_received(struct link *l, size_t len, unsigned seq)
{
	struct fdl_packet *pkt;

	expect_packets(l, &pkt, 1);
	expect_frame(l, pkt, len, seq);
	fdl_release(&pkt, 1);
}

bool fd_readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1 && (p.revents & POLLIN);
}

void expect_quiet(struct link *l)
{
	struct fdl_packet *pkt;

	assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	assert_false(fd_readable(fdl_queue_fd(l->q), 0));
	assert_false(fd_readable(fdl_fd(l->ep), 0));
}

void expect_rest(struct link *l)
{
	const long long end = netns_now_ms() + WAIT_MS;
	struct fdl_packet *pkt;

	do {
		assert_true(netns_now_ms() < end);
		assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	} while (fdl_queue_poll(l->q, 5));
	expect_quiet(l);
}

int expect_end(struct link *l)
{
	const long long end = netns_now_ms() + WAIT_MS;
	struct fdl_packet *pkt;
	int r = 0;

	while (netns_now_ms() < end) {
		fdl_queue_poll(l->q, 100);
		r = fdl_recv(l->q, &pkt, 1);
		if (r < 0)
			return r;
		assert_int_equal(r, 0);
	}
	fail_msg("the queue does not end");
	return 0;
}

struct fdl_packet *frame_packet(struct link *l, size_t len, unsigned seq)
{
	struct fdl_packet *pkt;

	if (fdl_alloc(l->q, &pkt, 1) != 1)
		return NULL;
	assert_true(pkt->tail >= len);
	frame_make(l, true, pkt->data, len, seq);
	pkt->len = (uint32_t)len;
	pkt->tail -= (uint32_t)len;
	return pkt;
}

void expect_sent(struct link *l, struct fdl_packet *v[], int n)
{
	assert_int_equal(fdl_send(l->q, v, n), n);
	l->tx_offered += (uint64_t)n;
}
