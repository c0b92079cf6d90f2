/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one side merges and the other cuts is what it was: every byte, except
 * checksums, which are right, and IPv4 ids.
 *
 *	train -> fdlink merges -> [TAP]--[bridge]--[TAP without offloads]
 *	train -> fdlink merges -> [veth without offloads]===[veth]
 *	train -> [veth]===[veth, GRO] -> fdlink cuts, in each mode
 *	train -> [veth]===[veth, GRO]--[bridge]--[TAP] -> fdlink cuts
 *
 * In tunnels, what is merged for the veth goes there as super-packets of their
 * datagrams.
 *
 * recut [SECONDS [tunnels]]: for so long each (1), also inside tunnels, and a
 * hundred trains at least, however busy the machine is. The seed of a train
 * that differs is printed; FDL_SEED begins with that train.
 */
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <fdlink/fdlink.h>
#include <fdlink/open.h>

#include "../unit/packets.h"
#include "../unit/recut.h"
#include "net.h"
#include "train.h"

enum {
	BATCH = 64,
	LEAST = 100,			/* trains */
	WAIT_MS = 10000,
};

/* One of the ways at the top. */
struct way {
	const char *name;
	void (*send)(void);
	/* The next one that comes, to buf; < 0: there is none yet. */
	ssize_t (*receive)(uint8_t *buf, size_t size);
	bool ours;			/* we merge */
	bool tags;			/* it shows VLAN tags */
	unsigned flags;			/* of recut_is */
	int *fd, *capture;		/* a TAP's, else it is opened; where
					 * what we merged is read */
	const char *locator;
	enum fdl_mode mode;
};

static struct frame train[TRAIN];
static struct fdl_endpoint *ep;
static int capture, feed, tap_in, tap_out, veth_out, tap_0;
static bool tunnels;

/* What fdl_recv gave and nobody has looked at. */
static struct fdl_packet *waiting[BATCH];
static int n_waiting, next_waiting;

/* A bridge that asks netfilter takes off what is behind an IP packet. */
static void bridge_plainly(void)
{
	static const char *const asks[] = {
		"/proc/sys/net/bridge/bridge-nf-call-iptables",
		"/proc/sys/net/bridge/bridge-nf-call-ip6tables",
	};
	size_t i;

	for (i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
		if (!access(asks[i], F_OK))
			net_set(asks[i], "0");
}

static void set_up(void)
{
	net_own();
	bridge_plainly();
	net_run("ip link add p0 type veth peer name p1");
	net_run("ethtool -K p0 tx off tso off gso off "
		"tx-udp-segmentation off >/dev/null 2>&1");
	net_run("ip link set p0 up && ip link set p1 up");
	veth_out = net_packet("p1", 0);
	tap_out = net_tap("out", 0);
	tap_in = tunnels ? net_tap_tunnel("in") : net_tap("in", 1);
	net_bridge("br0", "in", "out");
	net_run("ip link add v0 type veth peer name v1");
	net_run("ethtool -K v0 tso off gso off tx-udp-segmentation off "
		">/dev/null 2>&1");
	net_run("ethtool -K v1 gro on rx-udp-gro-forwarding on >/dev/null");
	tap_0 = tunnels ? net_tap_tunnel("t0") : net_tap("t0", 1);
	net_bridge("br1", "v1", "t0");
	net_run("ip link set v0 up");
	if (tunnels)
		net_vxlan();
	net_set("/sys/class/net/v1/gro_flush_timeout", "1000000");
	net_set("/sys/class/net/v1/napi_defer_hard_irqs", "100");
	feed = net_packet("v0", 1);
}

static void say(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	printf("# %s\n", msg);
}

static void send_ours(void)
{
	struct fdl_queue *q = fdl_get_queue(ep, 0);
	struct iovec iov;
	int i, err = 0;

	for (i = 0; i < TRAIN; i++) {
		iov = (struct iovec){ train[i].bytes, train[i].len };
		err = err ? err : fdl_write(q, &iov, 1, &train[i].off);
	}
	err = err ? err : fdl_flush(q);
	if (err)
		printf("send: %s: %s\n", strerror(-err), fdl_last_error(ep));
}

static void send_theirs(void)
{
	uint8_t hdr[TRAIN][FDL_VNET_HDR_LEN];
	struct mmsghdr msg[TRAIN];
	struct iovec iov[TRAIN][2];
	int i;

	memset(msg, 0, sizeof(msg));
	for (i = 0; i < TRAIN; i++) {
		fdl_vnet_hdr_encode(hdr[i], sizeof(hdr[i]), FDL_ORDER_NATIVE,
				    &train[i].off);
		iov[i][0] = (struct iovec){ hdr[i], sizeof(hdr[i]) };
		iov[i][1] = (struct iovec){ train[i].bytes, train[i].len };
		msg[i].msg_hdr.msg_iov = iov[i];
		msg[i].msg_hdr.msg_iovlen = 2;
	}
	if (sendmmsg(feed, msg, TRAIN, 0) != TRAIN)
		perror("sendmmsg");
}

static ssize_t receive_theirs(uint8_t *buf, size_t size)
{
	struct pollfd p = { .fd = capture, .events = POLLIN };

	return poll(&p, 1, WAIT_MS) > 0 ? read(capture, buf, size) : -1;
}

static ssize_t receive_ours(uint8_t *buf, size_t size)
{
	struct fdl_packet *pkt;
	ssize_t len;

	while (next_waiting == n_waiting) {
		if (fdl_poll(ep, WAIT_MS) <= 0)
			return -1;
		n_waiting = fdl_recv(fdl_get_queue(ep, 0), waiting, BATCH);
		next_waiting = 0;
		if (n_waiting < 0)
			return n_waiting;
	}
	pkt = waiting[next_waiting++];
	len = pkt->len < size ? (ssize_t)pkt->len : -1;
	if (len > 0)
		memcpy(buf, pkt->data, pkt->len);
	fdl_release(&pkt, 1);
	return len;
}

/* Whether bytes are of the flow of f: it has the port where f has it. */
static bool same_flow(const struct frame *f, const uint8_t *bytes, size_t len)
{
	const uint8_t *ip = f->bytes + f->link_len;
	const unsigned proto = f->link_len + (ip[0] >> 4 == 4 ? 9 : 6);
	struct recut at;

	if (!f->inner_l4)
		return recut_find(bytes, len, f->link_len, &at) &&
		       recut_16(bytes + at.l4) == 1000 + f->flow;
	return len >= f->inner_l4 + 2 && bytes[proto] == f->bytes[proto] &&
	       !memcmp(bytes, f->bytes, f->link_len) &&
	       recut_16(bytes + f->inner_l4) == 1000 + f->flow;
}

/* The first of its flow that has not come; NULL: there is none. */
static struct frame *expected(const uint8_t *bytes, size_t len)
{
	int i;

	for (i = 0; i < TRAIN; i++)
		if (!train[i].came && same_flow(&train[i], bytes, len))
			return &train[i];
	return NULL;
}

static bool is_it(const struct frame *f, const uint8_t *bytes, size_t len,
		  unsigned flags)
{
	if (f->len != len)
		return false;
	if (f->off.csum)
		flags |= RECUT_TRUSTED;
	else if (!memcmp(f->bytes, bytes, len))
		return true;
	/* A datagram may also have been merged as such, whatever it carries. */
	return recut_is(f->bytes, bytes, len, f->link_len, flags) ||
	       (f->inner_l4 &&
		recut_is_inside(f->bytes, bytes, len, f->link_len, f->inner_l4,
				flags));
}

/* Whether all of a train came as it was. */
static bool one(const struct way *way)
{
	static uint8_t buf[70000];
	struct frame *f;
	ssize_t len;
	int i;

	way->send();
	for (i = 0; i < TRAIN; i++) {
		len = way->receive(buf, sizeof(buf));
		f = len > 0 ? expected(buf, (size_t)len) : NULL;
		if (f && is_it(f, buf, (size_t)len, way->flags)) {
			f->came = true;
			continue;
		}
		fprintf(stderr, "%s: %d came, and then ", way->name, i);
		if (f)
			net_show(f->bytes, f->len, buf, (size_t)len);
		else
			fprintf(stderr, "%zd bytes\n", len);
		train_show(train);
		return false;
	}
	return true;
}

#define OURS send_ours, receive_theirs, true
#define THEIRS send_theirs, receive_ours, false, true, RECUT_ANY_ID, NULL, NULL

static const struct way ways[] = {
	{ "ours, cut at a TAP", OURS, true, 0, &tap_in, &tap_out, "tap:in",
	  FDL_MODE_AUTO },
	{ "ours, cut at a veth", OURS, false, 0, NULL, &veth_out, "packet:p0",
	  FDL_MODE_AUTO },
	{ "the kernel's, readv", THEIRS, "packet:v1", FDL_MODE_READV },
	{ "the kernel's, recvmmsg", THEIRS, "packet:v1", FDL_MODE_RECVMMSG },
	{ "the kernel's, packet_mmap", THEIRS, "packet:v1",
	  FDL_MODE_PACKET_MMAP },
	{ "the kernel's, adaptive", THEIRS, "packet:v1", FDL_MODE_ADAPTIVE },
	{ "the kernel's, at a TAP", send_theirs, receive_ours, false, true,
	  RECUT_ANY_ID, &tap_0, NULL, "tap:t0", FDL_MODE_AUTO },
};

/* A TAP may still hold what was meant for others. */
static int open_way(const struct way *way, const struct fdl_options *opts)
{
	uint8_t rest[70000];

	n_waiting = next_waiting = 0;
	if (way->capture)
		capture = *way->capture;
	if (!way->fd)
		return fdl_open(&ep, way->locator, opts);
	while (read(*way->fd, rest, sizeof(rest)) > 0)
		;
	return fdl_endpoint_new(&ep, way->fd, 1, opts);
}

/* Trains for so many seconds, LEAST of them or more. Returns whether all came
 * as they were. */
static bool run(const struct way *way, uint64_t seed, time_t seconds)
{
	const struct fdl_options opts = {
		.size = sizeof(opts),
		.mode = way->mode,
		.flags = way->ours ? FDL_COALESCE : 0,
		.tx_wait_ms = WAIT_MS,
		.log = say,
	};
	const unsigned kinds = (way->tags ? TRAIN_TAGS : 0) |
			       (way->ours ? TRAIN_OVERTAKES : 0) |
			       (way->fd == &tap_0 ? TRAIN_NO_GRE_SUM : 0) |
			       (tunnels ? TRAIN_TUNNELS : 0);
	const time_t end = time(NULL) + seconds;
	struct fdl_stats st;
	unsigned trains = 0;
	bool right = true;
	struct rng r;

	if (open_way(way, &opts)) {
		printf("%s: cannot be opened\n", way->locator);
		return false;
	}
	while (right && (trains < LEAST || time(NULL) < end)) {
		r.state = seed + trains++;
		train_make(train, &r, kinds);
		right = one(way);
		if (!right)
			printf("FDL_SEED=%llu\n", (unsigned long long)r.state);
	}
	fdl_get_stats(ep, &st, sizeof(st));
	printf("%s: %u trains, %llu merged, %llu super-packets cut\n",
	       way->name, trains, (unsigned long long)st.tx_coalesced,
	       (unsigned long long)st.rx_gso_cut);
	while (next_waiting < n_waiting)
		fdl_release(&waiting[next_waiting++], 1);
	fdl_endpoint_free(ep);
	return right && (st.tx_coalesced || st.rx_gso_cut);
}

int main(int argc, char **argv)
{
	const int seconds = argc > 1 ? atoi(argv[1]) : 1;
	const size_t n = sizeof(ways) / sizeof(ways[0]);
	struct rng r = seeded("recut");
	bool right = true;
	size_t i;

	tunnels = argc > 2 && !strcmp(argv[2], "tunnels");
	set_up();
	for (i = 0; i < n; i++)
		right &= run(&ways[i], r.state, seconds);
	return right ? 0 : 1;
}
