/* SPDX-License-Identifier: Apache-2.0 */
#include "lwip_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <lwip/init.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>

#include <fdlink/fdlink.h>

#include "../unit/packets.h"

enum {
	TICK_MS = 250,
	TICKS = 100,			/* longer than the first timeout */
	PERIOD = 251,
};

/* From any byte of the first period on, as much as a write takes. */
static uint8_t bytes[PERIOD + WIDE];
static u32_t clock_ms;

u32_t __wrap_sys_now(void);

u32_t __wrap_sys_now(void)
{
	return clock_ms;
}

unsigned bed_ip_len(const struct bed *b)
{
	return b->version == 6 ? 40 : 20;
}

static unsigned options_len(const struct bed *b, uint8_t flags, unsigned mss)
{
	if (flags & SYN)
		return (mss ? 4U : 0) + (b->sack ? 4U : 0);
	return b->reports ? 4 + 8 * b->reports : 0;
}

static void put_options(const struct bed *b, uint8_t *to, uint8_t flags,
			unsigned mss)
{
	unsigned i;

	if (mss) {
		put16(to, 0x0204);
		put16(to + 2, mss);
		to += 4;
	}
	if (flags & SYN) {
		if (b->sack)
			put16(to + 2, 0x0402);
		return;
	}
	if (b->reports)
		put16(to + 2, 0x0500 + 2 + 8 * b->reports);
	for (i = 0; i < b->reports; i++) {
		put32(to + 4 + 8 * i, b->start + b->report[i].at);
		put32(to + 8 + 8 * i,
		      b->start + b->report[i].at + b->report[i].len);
	}
}

void bed_say(struct bed *b, uint8_t flags, uint32_t ack, unsigned mss)
{
	const struct shape s = {
		.version = b->version == 6 ? 6 : 4,
		.proto = 6,
		.tcp_opts = options_len(b, flags, mss),
		.flow = b->flow,
		.ttl = 64,
		.flags = flags,
		.seq = b->seq,
		.ack = ack,
		.partial = true,
	};
	struct fdl_offload off = shape_offload(&s, 0);
	uint8_t frame[40 + 60], *tcp = frame + bed_ip_len(b);
	size_t len = build(frame, &s);

	put16(tcp + 14, b->window);
	put_options(b, tcp + 20, flags, mss);
	assert_int_equal(fdl_checksum_complete(frame, len, 0, &off), 0);
	assert_int_equal(send(b->peer, frame, len, 0), len);
	if (flags & (SYN | FIN))
		b->seq++;
}

void bed_turn(struct bed *b)
{
	assert_true(fdl_poll(b->link.ep, 0) >= 0);
	sys_check_timeouts();
	assert_true(fdl_lwip_poll(&b->link) >= 0);
}

static void note(struct bed *b, uint32_t at, const uint8_t *payload,
		 unsigned len)
{
	assert_in_range(at + len, at + 1, b->written);
	assert_memory_equal(payload, bytes + at % PERIOD, len);
	assert_in_range(b->n, 0, MAX_CUTS - 1);
	b->cut[b->n++] = (struct cut){ at, len };
}

/* Note the next that lwIP sent. */
static bool look(struct bed *b)
{
	uint8_t frame[MTU];
	const uint8_t *tcp = frame + bed_ip_len(b);
	ssize_t len = recv(b->peer, frame, sizeof(frame), MSG_DONTWAIT);
	unsigned hdr_len, payload;
	uint32_t at;

	if (len < 0)
		return false;
	assert_in_range(len, 40, MTU);
	assert_int_equal(fdl_checksum_verify(frame, (size_t)len, 0), 1);
	assert_int_equal(get16(tcp + 2), 1000 + b->flow);
	hdr_len = bed_ip_len(b) + (tcp[12] >> 4) * 4U;
	payload = (unsigned)len - hdr_len;
	if (tcp[13] & SYN)
		b->start = get32(tcp + 4) + 1;
	at = get32(tcp + 4) - b->start;
	if (tcp[13] & FIN)
		b->end = at + payload;
	if (payload)
		note(b, at, frame + hdr_len, payload);
	return true;
}

void bed_look(struct bed *b)
{
	b->n = 0;
	bed_turn(b);
	while (look(b))
		;
}

void bed_acknowledge(struct bed *b, uint32_t at)
{
	bed_say(b, ACK, b->start + at, 0);
	bed_look(b);
}

void bed_pass(struct bed *b, unsigned ms)
{
	clock_ms += ms;
	bed_look(b);
}

void bed_late(unsigned ms)
{
	clock_ms += ms;
}

void bed_await_timeout(struct bed *b)
{
	unsigned i;

	b->n = 0;
	for (i = 0; i < TICKS && !b->n; i++) {
		clock_ms += TICK_MS;
		bed_look(b);
	}
}

void bed_expect(const struct bed *b, uint32_t at, unsigned len)
{
	unsigned i, n, left = len;

	for (i = 0; i < b->n; i++) {
		n = left < MSS ? left : MSS;
		assert_int_equal(b->cut[i].at, at);
		assert_int_equal(b->cut[i].len, n);
		at += n;
		left -= n;
	}
	assert_int_equal(left, 0);
}

void bed_write(struct bed *b, unsigned len)
{
	assert_int_equal(
		tcp_write(b->pcb, bytes + b->written % PERIOD, (u16_t)len, 0),
		ERR_OK);
	b->written += len;
	assert_int_equal(tcp_output(b->pcb), ERR_OK);
	bed_look(b);
}

static err_t taken(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct bed *b = arg;

	/* It also tells of one for which it has no room. */
	assert_int_equal(err, pcb ? ERR_OK : ERR_MEM);
	b->pcb = pcb;
	return ERR_OK;
}

static int set_up(void **state, uint32_t flags)
{
	static struct bed b;
	struct fdl_options options = {
		.size = sizeof(options),
		.mtu = MTU,
		.flags = FDL_LWIP_FLAGS | flags,
		.headroom = FDL_LWIP_HEADROOM,
		.address = { 2, [5] = 2 },
	};
	ip4_addr_t address, mask;
	ip6_addr_t address6;
	struct tcp_pcb *pcb;
	int fds[2];
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i % PERIOD);
	lwip_init();
	IP4_ADDR(&address, 10, 1, 0, 2);
	IP4_ADDR(&mask, 255, 0, 0, 0);
	assert_true(ip6addr_aton("fd02::2", &address6));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(fdl_endpoint_new(&b.link.ep, fds, 1, &options), 0);
	close(fds[0]);
	b.peer = fds[1];
	b.link.tso = 1;
	assert_non_null(netif_add(&b.netif, &address, &mask, NULL, &b.link,
				  fdl_lwip_init, netif_input));
	assert_int_equal(b.link.tso, 1);
	netif_ip6_addr_set(&b.netif, 1, &address6);
	netif_ip6_addr_set_state(&b.netif, 1, IP6_ADDR_PREFERRED);
	netif_set_default(&b.netif);
	netif_set_up(&b.netif);
	pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
	assert_int_equal(tcp_bind(pcb, IP_ANY_TYPE, 80), ERR_OK);
	pcb = tcp_listen(pcb);
	tcp_arg(pcb, &b);
	tcp_accept(pcb, taken);
	*state = &b;
	return 0;
}

int bed_set_up(void **state)
{
	return set_up(state, 0);
}

int bed_set_up_ethernet(void **state)
{
	return set_up(state, FDL_ETHERNET);
}

int bed_tear_down(void **state)
{
	struct bed *b = *state;

	netif_remove(&b->netif);
	assert_int_equal(fdl_endpoint_free(b->link.ep), 0);
	close(b->peer);
	return 0;
}

struct bed *bed_connect(void **state, unsigned window)
{
	struct bed *b = *state;

	b->flow += 7;
	b->window = window;
	b->seq = 1000;
	b->pcb = NULL;
	b->written = 0;
	b->end = 0;
	b->reports = 0;
	bed_say(b, SYN, 0, MSS);
	bed_look(b);
	bed_acknowledge(b, 0);
	assert_non_null(b->pcb);
	return b;
}

struct bed *bed_start(void **state, bool sack)
{
	struct bed *b = *state;

	b->sack = sack;
	return bed_connect(state, WIDE);
}

void bed_hang_up(struct bed *b)
{
	tcp_abort(b->pcb);
	bed_look(b);
}

unsigned bed_grow(struct bed *b, unsigned cwnd)
{
	unsigned i, total = 0;

	for (i = 0; i < 50 && b->pcb->cwnd <= cwnd; i++) {
		bed_write(b, 2 * MSS);
		total += 2 * MSS;
		bed_acknowledge(b, total);
	}
	assert_true(b->pcb->cwnd > cwnd);
	return total;
}

unsigned bed_fly(struct bed *b, unsigned segments)
{
	unsigned at = 0, i;

	for (i = 0; i < 100 && b->pcb->cwnd < segments * MSS; i++) {
		bed_write(b, 2 * MSS);
		at += 2 * MSS;
		bed_pass(b, RTT);
		bed_acknowledge(b, at);
	}
	/* Where it stays. */
	b->pcb->ssthresh = b->pcb->cwnd = (tcpwnd_size_t)(segments * MSS);
	b->pcb->bytes_acked = 0;
	bed_write(b, segments * MSS);
	bed_expect(b, at, segments * MSS);
	bed_pass(b, RTT);
	assert_int_equal(b->n, 0);
	return at;
}

void bed_take_to_end(struct bed *b, uint32_t at)
{
	unsigned i;

	while (at < b->written) {
		bed_acknowledge(b, at);
		assert_true(b->n);
		for (i = 0; i < b->n; i++) {
			assert_int_equal(b->cut[i].at, at);
			at += b->cut[i].len;
		}
	}
	bed_acknowledge(b, at);
}

uint32_t bed_end_of_last(const struct bed *b)
{
	const struct cut *last = &b->cut[b->n - 1];

	return last->at + last->len;
}
