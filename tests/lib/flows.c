/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "cpu.h"
#include "link.h"
#include "netns.h"

enum {
	HEADERS = 14 + 20 + 8,
	FRAME = 60,
};

char flows_said[256];

void flows_say(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	snprintf(flows_said, sizeof(flows_said), "%s", msg);
}

int flows_open_with(struct fdl_endpoint **ep, const char *locator,
		    struct fdl_options opts)
{
	opts.size = sizeof(opts);
	opts.log = flows_say;
	flows_said[0] = '\0';
	return fdl_open(ep, locator, &opts);
}

struct fdl_endpoint *flows_open(const char *locator)
{
	struct fdl_endpoint *ep = NULL;
	int err = flows_open_with(&ep, locator, (struct fdl_options){ 0 });

	/* A user may have no TAPs, and not as many descriptors as it takes. */
	if (err == -EACCES || err == -EMFILE) {
		print_message("lacks: %s\n", flows_said);
		skip();
	}
	assert_int_equal(err, 0);
	return ep;
}

int flows_socket(const char *dev, unsigned short protocol)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)if_nametoindex(dev),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

void flows_put(int sock, unsigned flow, unsigned seq, bool ethernet)
{
	/* Ethernet; IPv4 of 46 bytes; UDP from port 0 to 9, 26 bytes. */
	static const uint8_t headers[HEADERS] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00,
		0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0,
		2, 1, 192, 0, 2, 2, 0, 0, 0, 9, 0, 26, 0, 0,
	};
	uint8_t frame[FRAME] = { 0 };
	size_t from = ethernet ? 0 : 14;

	memcpy(frame, headers, sizeof(headers));
	frame[34] = (uint8_t)(flow >> 8);
	frame[35] = (uint8_t)flow;
	memcpy(frame + HEADERS, &flow, sizeof(flow));
	memcpy(frame + HEADERS + 4, &seq, sizeof(seq));
	assert_int_equal(send(sock, frame + from, FRAME - from, 0),
			 FRAME - from);
}

void flows_put_all(int sock, bool ethernet)
{
	unsigned flow, seq;
	cpu_set_t before;

	cpu_stay(&before);
	for (seq = 0; seq < ROUNDS; seq++)
		for (flow = 0; flow < FLOWS; flow++)
			flows_put(sock, flow, seq, ethernet);
	cpu_roam(&before);
}

void flows_note(struct flow_tally *t, unsigned queue,
		const struct fdl_packet *pkt)
{
	const uint8_t *id = pkt->data + pkt->link_len + 28;
	unsigned flow, seq;

	assert_true(pkt->len >= pkt->link_len + 36U);
	memcpy(&flow, id, sizeof(flow));
	memcpy(&seq, id + 4, sizeof(seq));
	assert_in_range(flow, 0, FLOWS - 1);
	if (seq != t->next[flow])
		t->reordered = true;
	if (seq == 0)
		t->queue_of[flow] = (int)queue;
	else if (t->queue_of[flow] != (int)queue)
		t->queue_of[flow] = -1;
	t->next[flow]++;
	t->per_queue[queue]++;
	t->outgoing += pkt->type == FDL_OUTGOING;
	t->n++;
}

static void drain(struct fdl_endpoint *ep, struct flow_tally *t)
{
	struct fdl_packet *v[16];
	unsigned i;
	int n, k;

	for (i = 0; i < fdl_queues(ep); i++) {
		while ((n = fdl_recv(fdl_get_queue(ep, i), v, 16)) > 0) {
			for (k = 0; k < n; k++)
				flows_note(t, i, v[k]);
			fdl_release(v, n);
		}
		assert_int_equal(n, 0);
	}
}

struct flow_tally flows_collect(struct fdl_endpoint *ep, unsigned want)
{
	struct flow_tally t = { 0 };

	while (fdl_poll(ep, t.n < want ? WAIT_MS : QUIET_MS) > 0)
		drain(ep, &t);
	assert_int_equal(t.n, want);
	return t;
}

void flows_expect_spread(const struct flow_tally *t, unsigned queues)
{
	unsigned i;

	assert_false(t->reordered);
	for (i = 0; i < FLOWS; i++)
		assert_true(t->queue_of[i] >= 0);
	for (i = 0; i < queues; i++)
		assert_true(t->per_queue[i] > 0);
}

int flows_make_veth(void **state)
{
	(void)state;
	netns_command("ip link add fdq type veth peer name fdqp");
	netns_set_up("fdq", true);
	netns_set_up("fdqp", true);
	netns_wait_running("fdq");
	netns_wait_running("fdqp");
	return 0;
}

int flows_drop_veth(void **state)
{
	(void)state;
	if (netns_has("fdq"))
		netns_command("ip link del fdq");
	return 0;
}
