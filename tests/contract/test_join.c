/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet that is on its way as a socket joins a fanout group comes once. One
 * is made to be on its way for long: the kernel runs a program over it, on
 * another CPU.
 */
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "cpu.h"
#include "flows.h"
#include "link.h"
#include "netns.h"

#define HEADER                                                 \
	{                                                      \
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x88, 0xb5 \
	}

enum {
	MTU = 65535,
	HEADER_LEN = 14,
	NUMBER_AT = 8,
	PAYLOAD = 60000,
	/* Over all of the payload, each some 40 microseconds long. More do not
	 * go into every kernel's socket. */
	WALKS = 400,
	CODE = 2 * WALKS + 2,
	BATCH = 32,
	TURNS = 3,
	RING = 1,		/* the number of the ring's socket in the group
				 * of one queue */
};

/* What packets are for. */
enum {
	LOAD,
	ON_ITS_WAY,
	BEHIND,
	NUMBERS,
};

struct sender {
	pthread_t thread;
	unsigned cpu;
	uint8_t number;
};

struct tally {
	unsigned n[NUMBERS];
};

/* From attribute to attribute of netlink's, for one that is not there. */
static struct sock_filter code[CODE];
static const struct sock_fprog long_program = { .len = CODE, .filter = code };

static struct sender sender;
/* Before how many joins from now on a packet is put on its way, -1: no more;
 * and whether by then a socket or the group has the long program. */
static int joins = -1;
static bool by_socket;
static int slow, first, slow_err;

static atomic_bool busy, joining, ring_used;
static _Atomic int64_t clock_us;

int64_t __wrap_os_now_us(void);
int __real_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);
int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);

/* Each look at it finds a load. */
int64_t __wrap_os_now_us(void)
{
	return atomic_fetch_add(&clock_us, busy ? 4000 : 0);
}

/* A long one, in one piece, or the program would not walk: in 4 bytes each,
 * attributes of type 4. */
static void *send_one(void *arg)
{
	static struct {
		struct virtio_net_hdr hdr;
		uint8_t header[HEADER_LEN];
		uint16_t payload[PAYLOAD / 2];
	} frame = { .hdr.hdr_len = HEADER_LEN + PAYLOAD, .header = HEADER };
	const int sock = flows_socket("fdqp", 0), on = 1;
	const struct sender *s = arg;
	size_t i;

	for (i = 0; i < PAYLOAD / 2; i++)
		frame.payload[i] = 4;
	frame.header[NUMBER_AT] = s->number;
	cpu_go(s->cpu);
	setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on));
	send(sock, &frame, sizeof(frame), 0);
	close(sock);
	return NULL;
}

static void start_sending(uint8_t number)
{
	sender.number = number;
	pthread_create(&sender.thread, NULL, send_one, &sender);
}

/* The kernel asks sockets in the order of their binding, the last one first.
 * What that one has is on its way to all others. */
static void put_on_its_way(void)
{
	uint8_t head[HEADER_LEN];

	if (by_socket) {
		slow = flows_socket("fdq", ETH_P_ALL);
		slow_err = setsockopt(slow, SOL_SOCKET, SO_ATTACH_FILTER,
				      &long_program, sizeof(long_program));
	}
	first = flows_socket("fdq", ETH_P_ALL);
	start_sending(ON_ITS_WAY);
	do {
		recv(first, head, sizeof(head), 0);
	} while (head[NUMBER_AT] != ON_ITS_WAY);
}

int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len)
{
	const struct sock_fprog *program = val;
	unsigned i;
	int err;

	if (level == SOL_PACKET && name == PACKET_FANOUT && joins >= 0 &&
	    joins-- == 0) {
		joining = true;
		put_on_its_way();
	}
	err = __real_os_setsockopt(fd, level, name, val, len);
	if (level != SOL_PACKET || name != PACKET_FANOUT_DATA)
		return err;
	for (i = 0; i < program->len; i++)
		ring_used |= program->filter[i].code == (BPF_RET | BPF_K) &&
			     program->filter[i].k == RING;
	return err;
}

static void take_from(struct fdl_queue *q, struct tally *t)
{
	struct fdl_packet *v[BATCH];
	uint8_t number;
	int i, n;

	while ((n = fdl_recv(q, v, BATCH)) > 0) {
		for (i = 0; i < n; i++) {
			number = v[i]->data[NUMBER_AT];
			assert_in_range(number, 0, NUMBERS - 1);
			t->n[number]++;
		}
		fdl_release(v, n);
	}
	assert_int_equal(n, 0);
}

static void take(struct fdl_endpoint *ep, struct tally *t)
{
	unsigned i;

	for (i = 0; i < fdl_queues(ep); i++)
		take_from(fdl_get_queue(ep, i), t);
}

/* What is sent on the same CPU arrives behind it. */
static void take_all(struct fdl_endpoint *ep, struct tally *t)
{
	pthread_join(sender.thread, NULL);
	start_sending(BEHIND);
	while (!t->n[BEHIND]) {
		assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_READABLE);
		take(ep, t);
	}
	pthread_join(sender.thread, NULL);
	take(ep, t);
}

static void put_load(int sock)
{
	uint8_t frame[60] = HEADER;
	unsigned i;

	frame[NUMBER_AT] = LOAD;
	for (i = 0; i < BATCH; i++)
		assert_int_equal(send(sock, frame, sizeof(frame), 0),
				 sizeof(frame));
}

static void use_ring(struct fdl_endpoint *ep, struct tally *t)
{
	const int sock = flows_socket("fdqp", 0);

	busy = true;
	while (!joining) {
		put_load(sock);
		take(ep, t);
	}
	busy = false;
	while (!ring_used) {
		take(ep, t);
		usleep(100);
	}
	close(sock);
}

static void a_ring_joins(void **state)
{
	struct fdl_endpoint *ep;
	int i;

	(void)state;
	by_socket = true;
	for (i = 0; i < TURNS; i++) {
		struct tally t = { .n = { 0 } };

		joining = false;
		ring_used = false;
		ep = flows_open("packet:fdq");
		assert_int_equal(fdl_get_mode(ep), FDL_MODE_ADAPTIVE);
		joins = 0;
		use_ring(ep, &t);
		take_all(ep, &t);
		assert_int_equal(slow_err, 0);
		assert_int_equal(t.n[ON_ITS_WAY], 1);
		assert_int_equal(fdl_endpoint_free(ep), 0);
		close(slow);
		close(first);
	}
}

/* As long as it is not open, it need not bring anything. */
static void the_last_of_a_group_joins(void **state)
{
	const struct fdl_options opts = { .fanout = FDL_FANOUT_CBPF,
					  .fanout_program = &long_program };
	struct fdl_endpoint *ep;
	int i;

	(void)state;
	by_socket = false;
	for (i = 0; i < TURNS; i++) {
		struct tally t = { .n = { 0 } };

		joins = 1;
		assert_int_equal(
			flows_open_with(&ep, "packet:fdq,queues=2", opts), 0);
		take_all(ep, &t);
		assert_in_range(t.n[ON_ITS_WAY], 0, 1);
		assert_int_equal(fdl_endpoint_free(ep), 0);
		close(first);
	}
}

static int make_link(void **state)
{
	static cpu_set_t before;

	flows_make_veth(NULL);
	netns_command("ip link set fdq mtu %d", MTU);
	netns_command("ip link set fdqp mtu %d", MTU);
	cpu_stay(&before);
	sender.cpu = (unsigned)sched_getcpu() + 1;
	*state = &before;
	return 0;
}

static int drop_link(void **state)
{
	cpu_roam(*state);
	return flows_drop_veth(NULL);
}

static void make_program(void)
{
	struct sock_filter *insn = code;
	unsigned i;

	*insn++ = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM, 1);
	for (i = 0; i < WALKS; i++) {
		*insn++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM,
						       HEADER_LEN);
		*insn++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						       (uint32_t)SKF_AD_OFF +
							       SKF_AD_NLATTR);
	}
	*insn = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_ring_joins, make_link,
						drop_link),
		cmocka_unit_test_setup_teardown(the_last_of_a_group_joins,
						make_link, drop_link),
	};

	netns_enter(argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	make_program();
	return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
