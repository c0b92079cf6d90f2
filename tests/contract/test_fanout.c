/* SPDX-License-Identifier: Apache-2.0 */
/* Fanout groups of AF_PACKET sockets: the library's own and the caller's. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "cpu.h"
#include "flows.h"
#include "netns.h"

static void flows_spread_over_a_group(void **state)
{
	static const char *const modes[] = {
		"",
		",fanout=hash",
		",fanout=hash,rollover",
	};
	struct fdl_endpoint *ep;
	char locator[64];
	struct flow_tally t;
	size_t i;
	int sock;

	(void)state;
	sock = flows_socket("fdqp", 0);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		snprintf(locator, sizeof(locator), "packet:fdq,queues=4%s",
			 modes[i]);
		ep = flows_open(locator);
		assert_int_equal(fdl_queues(ep), 4);
		flows_put_all(sock, true);
		t = flows_collect(ep, FLOWS * ROUNDS);
		flows_expect_spread(&t, 4);
		fdl_endpoint_free(ep);
	}
	close(sock);
}

/* These may tear flows apart, but bring every packet once. */
static void every_fanout_brings_each_packet_once(void **state)
{
	static const char *const modes[] = {
		"lb",		"cpu",		"rollover",
		"rnd",		"qm",		"lb,rollover",
		"cpu,rollover", "rnd,rollover", "qm,rollover",
	};
	struct fdl_endpoint *ep;
	char locator[64];
	struct flow_tally t;
	unsigned k;
	size_t i;
	int sock;

	(void)state;
	sock = flows_socket("fdqp", 0);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		snprintf(locator, sizeof(locator),
			 "packet:fdq,queues=3,fanout=%s", modes[i]);
		ep = flows_open(locator);
		flows_put_all(sock, true);
		t = flows_collect(ep, FLOWS * ROUNDS);
		for (k = 0; k < FLOWS; k++)
			assert_int_equal(t.next[k], ROUNDS);
		if (i == 0)
			for (k = 0; k < 3; k++)
				assert_in_range(t.per_queue[k], 170, 171);
		fdl_endpoint_free(ep);
	}
	close(sock);
}

/* By the UDP source port, which is the flow's number. */
static void a_program_chooses_the_queue(void **state)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_fprog program = { .len = 2, .filter = code };
	const struct fdl_options opts = { .fanout = FDL_FANOUT_CBPF,
					  .fanout_program = &program };
	struct fdl_endpoint *ep;
	struct flow_tally t;
	int sock, i;

	(void)state;
	sock = flows_socket("fdqp", 0);
	assert_int_equal(flows_open_with(&ep, "packet:fdq,queues=3", opts), 0);
	flows_put_all(sock, true);
	t = flows_collect(ep, FLOWS * ROUNDS);
	for (i = 0; i < FLOWS; i++)
		assert_int_equal(t.queue_of[i], i % 3);
	assert_false(t.reordered);
	close(sock);
	fdl_endpoint_free(ep);
}

/* The kernel numbers the sockets of a group anew when the link was down. */
static void expect_chosen_queues(struct fdl_endpoint *ep, int sock)
{
	struct fdl_packet *pkt;
	struct flow_tally t;
	int round, i;

	for (round = 0; round < 2; round++) {
		flows_put_all(sock, true);
		t = flows_collect(ep, FLOWS * ROUNDS);
		for (i = 0; i < FLOWS; i++)
			assert_int_equal(t.queue_of[i], i % 3);
		netns_set_up("fdq", false);
		netns_set_up("fdq", true);
		netns_wait_running("fdq");
		netns_wait_running("fdqp");
		while (fdl_poll(ep, 0) > 0)
			for (i = 0; i < 3; i++)
				assert_int_equal(
					fdl_recv(fdl_get_queue(ep, (unsigned)i),
						 &pkt, 1),
					0);
	}
}

static const struct sock_filter by_port[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
	BPF_STMT(BPF_RET | BPF_A, 0),
};

static void a_program_chooses_the_queue_in_every_mode(void **state)
{
	static const enum fdl_mode modes[] = {
		FDL_MODE_READV,
		FDL_MODE_RECVMMSG,
		FDL_MODE_PACKET_MMAP,
	};
	const struct sock_fprog program = {
		2, (struct sock_filter *)(uintptr_t)by_port
	};
	struct fdl_options opts = { .size = sizeof(opts),
				    .fanout = FDL_FANOUT_CBPF,
				    .fanout_program = &program };
	const int sock = flows_socket("fdqp", 0);
	struct fdl_endpoint *ep;
	int fds[3], k;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		opts.mode = modes[i];
		assert_int_equal(
			flows_open_with(&ep, "packet:fdq,queues=3", opts), 0);
		expect_chosen_queues(ep, sock);
		fdl_endpoint_free(ep);
		for (k = 0; k < 3; k++)
			fds[k] = flows_socket("fdq", ETH_P_ALL);
		assert_int_equal(fdl_endpoint_new(&ep, fds, 3, &opts), 0);
		expect_chosen_queues(ep, sock);
		fdl_endpoint_free(ep);
		for (k = 0; k < 3; k++)
			close(fds[k]);
	}
	close(sock);
}

/* A veth's frames come on the CPU that sends them, with its transmit queue. */
static void a_ring_changes_no_choice_of_the_kernel(void **state)
{
	static const char *const modes[] = { "cpu", "qm", "rollover" };
	struct fdl_options opts = { .mode = FDL_MODE_PACKET_MMAP };
	const int sock = flows_socket("fdqp", 0);
	struct fdl_endpoint *ep;
	struct flow_tally t;
	char locator[64];
	cpu_set_t all;
	unsigned due;
	size_t i;

	(void)state;
	cpu_stay(&all);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		snprintf(locator, sizeof(locator),
			 "packet:fdq,queues=3,fanout=%s", modes[i]);
		assert_int_equal(flows_open_with(&ep, locator, opts), 0);
		due = i == 0 ? (unsigned)sched_getcpu() % 3 : 0;
		flows_put_all(sock, true);
		t = flows_collect(ep, FLOWS * ROUNDS);
		assert_int_equal(t.per_queue[due], FLOWS * ROUNDS);
		fdl_endpoint_free(ep);
	}
	cpu_roam(&all);
	close(sock);
}

/* The opening itself brings nothing twice, either. */
static void a_group_is_whole_before_the_first_packet(void **state)
{
	struct fdl_endpoint *ep;
	struct flow_tally t = { 0 };
	unsigned seq, i;
	int sock;

	(void)state;
	sock = flows_socket("fdqp", 0);
	for (i = 0; i < 10; i++) {
		ep = flows_open("packet:fdq,queues=8");
		memset(&t, 0, sizeof(t));
		for (seq = 0; seq < 4; seq++)
			flows_put(sock, i, seq, true);
		t = flows_collect(ep, 4);
		assert_int_equal(t.next[i], 4);
		fdl_endpoint_free(ep);
	}
	close(sock);
}

static void outgoing_over(unsigned queues)
{
	const int other = flows_socket("fdq", 0);
	const int peer = flows_socket("fdqp", 0);
	struct fdl_endpoint *ep;
	struct fdl_stats st;
	char locator[64];
	struct flow_tally t;

	snprintf(locator, sizeof(locator), "packet:fdq,queues=%u", queues);
	ep = flows_open(locator);
	flows_put(other, 1, 0, true);
	flows_put(peer, 2, 0, true);
	t = flows_collect(ep, 1);
	assert_int_equal(t.outgoing, 0);
	fdl_get_stats(ep, &st, sizeof(st));
	assert_int_equal(st.rx_drop_outgoing, 0);
	fdl_endpoint_free(ep);

	snprintf(locator, sizeof(locator), "packet:fdq,queues=%u,outgoing=on",
		 queues);
	ep = flows_open(locator);
	flows_put(other, 1, 0, true);
	flows_put(peer, 2, 0, true);
	t = flows_collect(ep, 2);
	assert_int_equal(t.outgoing, 1);
	fdl_endpoint_free(ep);
	close(peer);
	close(other);
}

static void outgoing_frames_are_for_who_asks(void **state)
{
	(void)state;
	outgoing_over(1);
	outgoing_over(3);
}

static int group_of(int fd)
{
	socklen_t len = sizeof(int);
	int group = -1;

	assert_int_equal(
		getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &group, &len), 0);
	return group;
}

static int over_fds(struct fdl_endpoint **ep, const int *fds, unsigned n,
		    enum fdl_fanout fanout)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .log = flows_say,
					  .fanout = fanout };

	flows_said[0] = '\0';
	return fdl_endpoint_new(ep, fds, n, &opts);
}

static void the_callers_sockets_are_grouped_on_request(void **state)
{
	const int peer = flows_socket("fdqp", 0);
	struct fdl_endpoint *ep;
	struct flow_tally t;
	int fds[2];

	(void)state;
	fds[0] = flows_socket("fdq", ETH_P_ALL);
	fds[1] = flows_socket("fdq", ETH_P_ALL);
	assert_int_equal(over_fds(&ep, fds, 2, FDL_FANOUT_AUTO), 0);
	flows_put(peer, 1, 0, true);
	t = flows_collect(ep, 2);
	assert_int_equal(t.per_queue[0], 1);
	fdl_endpoint_free(ep);
	assert_int_equal(group_of(fds[0]), 0);

	assert_int_equal(over_fds(&ep, fds, 1, FDL_FANOUT_HASH), 0);
	fdl_endpoint_free(ep);
	assert_int_equal(group_of(fds[0]), 0);

	assert_int_equal(over_fds(&ep, fds, 2, FDL_FANOUT_LB), 0);
	flows_put(peer, 1, 0, true);
	flows_put(peer, 1, 1, true);
	t = flows_collect(ep, 2);
	assert_int_equal(t.per_queue[0], 1);
	assert_int_equal(t.per_queue[1], 1);
	fdl_endpoint_free(ep);
	assert_int_equal(group_of(fds[0]) >> 16 & 0xff, PACKET_FANOUT_LB);
	assert_int_equal(group_of(fds[0]), group_of(fds[1]));

	assert_int_equal(over_fds(&ep, fds, 2, FDL_FANOUT_LB), -EALREADY);
	assert_non_null(strstr(flows_said, "in a fanout group already"));
	assert_int_equal(over_fds(&ep, fds, 2, FDL_FANOUT_AUTO), 0);
	fdl_endpoint_free(ep);
	close(fds[0]);
	close(fds[1]);
	close(peer);
}

static void expect_refused(const char *locator, struct fdl_options opts,
			   const char *words)
{
	struct fdl_endpoint *ep = NULL;
	int err = flows_open_with(&ep, locator, opts);

	/* A user may have no TAPs. */
	if (err == -EACCES) {
		print_message("lacks: %s\n", flows_said);
		return;
	}
	assert_int_equal(err, -EINVAL);
	if (!strstr(flows_said, words))
		print_error("said: %s\n", flows_said);
	assert_non_null(strstr(flows_said, words));
	assert_null(ep);
}

static void contradictions_are_refused(void **state)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = { .len = 1, .filter = &code };
	const struct fdl_options outgoing = { .flags = FDL_RX_OUTGOING };
	const struct fdl_options hash = { .fanout = FDL_FANOUT_HASH };
	const struct fdl_options rollover = { .flags = FDL_ROLLOVER };
	struct fdl_options o = { 0 };

	(void)state;
	expect_refused("packet:fdq,queues=2,outgoing=off", outgoing,
		       "contradict");
	expect_refused("packet:fdq,queues=2,fanout=lb", hash, "contradict");
	expect_refused("packet:fdq,queues=2,fanout=rollover,rollover", o,
		       "contradict");
	expect_refused("packet:fdq,queues=2,fanout=rollover", rollover,
		       "contradict");
	expect_refused("tap:fdt,queues=2", outgoing, "AF_PACKET");
	expect_refused("tap:fdt,queues=2", hash, "AF_PACKET");
	expect_refused("tap:fdt,queues=2", rollover, "group");
	o.fanout = FDL_FANOUT_CBPF;
	expect_refused("packet:fdq,queues=2", o, "needs a fanout_program");
	o.fanout = FDL_FANOUT_LB;
	o.fanout_program = &program;
	expect_refused("packet:fdq,queues=2", o, "no use for");
	o.fanout = (enum fdl_fanout)99;
	expect_refused("packet:fdq,queues=2", o, "none of enum fdl_fanout");
	assert_false(netns_has("fdt"));
}

int main(int argc, char *argv[])
{
	static const struct CMUnitTest fanout[] = {
		OVER_VETH(flows_spread_over_a_group),
		OVER_VETH(every_fanout_brings_each_packet_once),
		OVER_VETH(a_program_chooses_the_queue),
		OVER_VETH(a_group_is_whole_before_the_first_packet),
		OVER_VETH(outgoing_frames_are_for_who_asks),
		OVER_VETH(the_callers_sockets_are_grouped_on_request),
		OVER_VETH(a_program_chooses_the_queue_in_every_mode),
		OVER_VETH(a_ring_changes_no_choice_of_the_kernel),
		OVER_VETH(contradictions_are_refused),
	};

	(void)argc;
	netns_enter(argv);
	if (argv[1])
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(fanout, NULL, NULL);
}
