/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line for each segment of TCP that an interface carries, either way, until
 * SIGTERM; super-packets cut.
 *
 *	trace INTERFACE
 *
 * A line: microseconds, 0 (it came in) or 1 (this machine sent it), source
 * port, destination port, flags, sequence number, acknowledged, payload, bytes
 * of the IP packet, MSS option or 0. What was missed is told at the end, with
 * exit status 1.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <fdlink/open.h>

enum {
	BATCH = 64,
	IP4_LEN = 20,
	IP6_LEN = 40,
	TCP_LEN = 20,
};

static struct fdl_endpoint *ep;
static volatile sig_atomic_t stopped;

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

static void trace(const struct fdl_packet *pkt)
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
	printf("%llu %d %u %u %u %u %u %u %u %u\n",
	       (unsigned long long)pkt->tstamp_ns / 1000,
	       pkt->type == FDL_OUTGOING, get16(tcp), get16(tcp + 2), tcp[13],
	       get32(tcp + 4), get32(tcp + 8), total - ip_len - hdr_len, total,
	       find_mss(tcp, hdr_len));
}

/* Returns what fdl_recv did. */
static int trace_some(struct fdl_queue *q)
{
	struct fdl_packet *v[BATCH];
	int n = fdl_recv(q, v, BATCH), i;

	for (i = 0; i < n; i++)
		trace(v[i]);
	if (n > 0)
		fdl_release(v, n);
	return n;
}

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
	fdl_wake(ep);
}

static void say(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	fprintf(stderr, "trace: %s\n", msg);
}

static bool has_missed_any(void)
{
	struct fdl_stats st;

	fdl_get_stats(ep, &st, sizeof(st));
	if (!st.rx_drop_kernel)
		return false;
	fprintf(stderr, "trace: missed %llu packets\n",
		(unsigned long long)st.rx_drop_kernel);
	return true;
}

int main(int argc, char **argv)
{
	const struct fdl_options options = { .size = sizeof(options),
					     .log = say };
	struct sigaction sa = { .sa_handler = stop };
	struct fdl_queue *q;
	char locator[128];
	bool missed;
	int r = 0;

	if (argc != 2) {
		fprintf(stderr, "trace: which interface?\n");
		return 2;
	}
	snprintf(locator, sizeof(locator),
		 "packet:%.15s,promisc,outgoing=on,rcvbuf=268435456", argv[1]);
	if (fdl_open(&ep, locator, &options) < 0)
		return 1;
	q = fdl_get_queue(ep, 0);
	sigaction(SIGTERM, &sa, NULL);
	fprintf(stderr, "trace: up\n");
	while (!stopped && r >= 0 && fdl_queue_poll(q, -1) >= 0)
		r = trace_some(q);
	/* What had come by then. */
	while (r >= 0 && fdl_queue_poll(q, 0) > 0)
		r = trace_some(q);
	missed = has_missed_any();
	fdl_endpoint_free(ep);
	return missed || r < 0;
}
