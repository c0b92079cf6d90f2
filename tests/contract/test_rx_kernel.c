/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own TCP and UDP as the source, over every kind of device that
 * delivers super-packets and partial checksums: for each stack the bytes are
 * those sent, in order, and every checksum is right.
 *
 *	kernel's socket -> DEV -> fd -> endpoint		TAP, TUN
 *	kernel's socket -> DEV -> peer -> AF_PACKET -> endpoint	veth
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fdlink/open.h>

#include "kernel_flow.h"
#include "message.h"
#include "netns.h"

#define DEV "fdk0"

enum {
	/* linux/if_tun.h has them since 6.2 */
	USO4 = 0x20,
	USO6 = 0x40,
	OFFLOADS = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
	SENT = 60033,
	MTU = 1500,
};

struct device {
	const char *name;
	short tun_flags; /* 0: a veth */
	int hdr_len;	 /* TUNSETVNETHDRSZ */
};

static const struct device devices[] = {
	{ "tap, header of 10", IFF_TAP, 10 },
	{ "tap, header of 12", IFF_TAP, 12 },
	{ "tun, header of 10", IFF_TUN, 10 },
	{ "tun, header of 12", IFF_TUN, 12 },
	{ "veth", 0, 0 },
};

static const struct stack {
	const char *name;
	uint32_t flags;
} stacks[] = {
	{ "takes nothing", 0 },
	{ "takes checksums", FDL_RX_CSUM },
	{ "takes TCP", FDL_RX_CSUM | FDL_RX_GSO },
	{ "takes UDP", FDL_RX_CSUM | FDL_RX_USO },
	{ "takes all", RX_ALL },
	{ "merges all", RX_ALL | FDL_GRO },
};

/* A device in one mode, and what the kernel is to send. */
struct trial {
	const struct device *device;
	const struct stack *stack;
	enum fdl_mode mode;
	bool cuts; /* the kernel, before the device */
	char name[96];

	int fd;
	bool uso; /* the kernel can */
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
};

static uint8_t sent[SENT];
static struct message message;

static int open_packet(void)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
	};
	const int room = 8 << 20;
	int fd;

	netns_command("ip link add " DEV " type veth peer name fdk1");
	netns_set_up("fdk1", true);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	addr.sll_ifindex = (int)if_nametoindex("fdk1");
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static int open_tun(const struct device *device)
{
	struct ifreq ifr = { .ifr_name = DEV };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	ifr.ifr_flags = (short)(device->tun_flags | IFF_NO_PI | IFF_VNET_HDR);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	assert_int_equal(ioctl(fd, TUNSETVNETHDRSZ, &device->hdr_len), 0);
	return fd;
}

static void add_addresses(bool ethernet)
{
	netns_set_up(DEV, true);
	netns_wait_running(DEV);
	netns_command("echo 0 > /proc/sys/net/ipv6/conf/" DEV "/disable_ipv6");
	netns_command("ip addr add 10.9.0.1/24 dev " DEV);
	netns_command("ip addr add fd09::1/64 dev " DEV " nodad");
	netns_command("ip route add 10.9.0.2 dev " DEV " initcwnd 100");
	netns_command("ip route add fd09::2 dev " DEV " initcwnd 100");
	if (!ethernet)
		return;
	netns_command(
		"ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev " DEV);
	netns_command("ip neigh add fd09::2 lladdr 02:00:00:00:00:02 dev " DEV);
}

static void set_offloads(struct trial *t)
{
	int r;

	t->uso = true;
	if (!t->device->tun_flags) {
		netns_command("ethtool -K " DEV " tso %s tx-udp-segmentation %s"
			      " > /dev/null",
			      t->cuts ? "off" : "on", t->cuts ? "off" : "on");
		return;
	}
	if (t->cuts) {
		r = ioctl(t->fd, TUNSETOFFLOAD, TUN_F_CSUM);
	} else {
		r = ioctl(t->fd, TUNSETOFFLOAD, OFFLOADS | USO4 | USO6);
		t->uso = r == 0;
		if (!t->uso)
			r = ioctl(t->fd, TUNSETOFFLOAD, OFFLOADS);
	}
	assert_int_equal(r, 0);
}

static int set_up(void **state)
{
	struct trial *t = *state;
	const struct fdl_options opts = {
		.size = sizeof(opts),
		.flags = t->stack->flags,
		.mode = t->mode,
	};
	int err;

	t->fd = t->device->tun_flags ? open_tun(t->device) : open_packet();
	add_addresses(t->device->tun_flags != IFF_TUN);
	set_offloads(t);
	if (t->mode == FDL_MODE_ADAPTIVE) /* on a device of its own */
		err = fdl_open(&t->ep, "packet:fdk1", &opts);
	else
		err = fdl_endpoint_new(&t->ep, &t->fd, 1, &opts);
	assert_int_equal(err, 0);
	t->q = fdl_get_queue(t->ep, 0);
	return 0;
}

static int tear_down(void **state)
{
	struct trial *t = *state;

	fdl_endpoint_free(t->ep);
	close(t->fd);
	if (netns_has(DEV))
		netns_command("ip link del " DEV);
	return 0;
}

/* The shape of a packet, as far as the test looks; false: of no flow of ours */
static bool find_shape(const struct fdl_packet *pkt, const struct flow *f,
		       struct shape *s)
{
	const uint8_t *ip = pkt->data + pkt->link_len;
	unsigned l4;

	*s = (struct shape){ .link_len = pkt->link_len,
			     .version = ip[0] >> 4,
			     .proto = f->proto };
	if (pkt->len < pkt->link_len + 48u || s->version != f->version ||
	    pkt->protocol != (f->version == 4 ? 0x0800 : 0x86dd))
		return false;
	if (s->version == 4)
		s->ip_opts = (ip[0] & 15u) * 4 - 20;
	if (ip[s->version == 4 ? 9 : 6] != f->proto)
		return false;
	l4 = pkt->link_len + shape_l3_len(s);
	if (get16(pkt->data + l4) != f->port)
		return false;
	if (s->proto == IPPROTO_TCP)
		s->tcp_opts = (pkt->data[l4 + 12] >> 4) * 4u - 20;
	return true;
}

static bool takes_super(const struct trial *t, const struct flow *f)
{
	return t->stack->flags &
	       (f->proto == IPPROTO_TCP ? FDL_RX_GSO : FDL_RX_USO);
}

static void expect_super(const struct trial *t, struct flow *f,
			 const struct fdl_packet *pkt, const struct shape *s)
{
	struct shape partial = *s;
	struct fdl_offload want;

	partial.partial = true;
	want = shape_offload(&partial, pkt->off.gso_size);
	assert_true(takes_super(t, f));
	assert_int_equal(pkt->off.gso, want.gso);
	assert_int_equal(pkt->off.hdr_len, want.hdr_len);
	assert_int_equal(pkt->off.csum, FDL_CSUM_PARTIAL);
	if (f->proto == IPPROTO_UDP)
		assert_int_equal(pkt->off.gso_size, DATAGRAM);
	assert_in_range(shape_hdr_len(s) + pkt->off.gso_size, 1200,
			MTU + pkt->link_len);
	f->supers++;
}

static void check_packet(const struct trial *t, struct flow *f,
			 const struct fdl_packet *pkt)
{
	const bool partial = pkt->off.csum == FDL_CSUM_PARTIAL;
	unsigned hdr_len, len;
	struct shape s;

	if (!find_shape(pkt, f, &s))
		return;
	assert_int_equal(pkt->link_len, f->link_len);
	if (f->link_len > 14)
		assert_memory_equal(pkt->data, message.frame, f->link_len);
	expect_lengths(pkt, &s);
	hdr_len = shape_hdr_len(&s);
	len = pkt->len - hdr_len;
	if (pkt->off.gso)
		expect_super(t, f, pkt, &s);
	else
		assert_true(pkt->len <= MTU + (unsigned)pkt->link_len);
	if (partial)
		assert_true(t->stack->flags & FDL_RX_CSUM);
	if (partial)
		expect_checksum(pkt, &s, true);
	else
		assert_true(checksums_right(pkt->data, pkt->len, &s));
	if (f->proto == IPPROTO_TCP)
		assert_int_equal(
			get32(pkt->data + pkt->link_len + shape_l3_len(&s) + 4),
			(uint32_t)(FIRST_SEQ + f->got));
	assert_true(f->got + len <= SENT);
	assert_memory_equal(pkt->data + hdr_len, sent + f->got, len);
	f->got += len;
}

static void receive_all(const struct trial *t, struct flow *f)
{
	struct fdl_packet *v[64];
	int n, i;

	while (f->got < SENT) {
		assert_int_equal(fdl_queue_poll(t->q, WAIT_MS), FDL_READABLE);
		n = fdl_recv(t->q, v, 64);
		assert_true(n >= 0);
		for (i = 0; i < n; i++)
			check_packet(t, f, v[i]);
		fdl_release(v, n);
	}
}

static void check_counters(const struct trial *t, const struct flow *f,
			   const struct fdl_stats *was)
{
	const bool super = !f->cut && (f->proto == IPPROTO_TCP || t->uso);
	const bool merges = t->stack->flags & FDL_GRO;
	struct fdl_stats st;

	assert_in_range(fdl_get_stats(t->ep, &st, sizeof(st)), 0, 1);
	assert_int_equal(st.rx_drop_vnet_hdr, 0);
	assert_int_equal(st.rx_drop_malformed, 0);
	assert_int_equal(st.rx_drop_truncated, 0);
	assert_int_equal(st.rx_gso > was->rx_gso, super);
	assert_int_equal(st.rx_gso_cut > was->rx_gso_cut,
			 super && !takes_super(t, f));
	assert_int_equal(st.rx_gro_merged > was->rx_gro_merged,
			 !super && merges);
	assert_int_equal(f->supers > 0, super ? takes_super(t, f) : merges);
}

static void arrive(const struct trial *t, int version, int proto)
{
	struct flow f = {
		.version = version,
		.proto = proto,
		.link_len = t->device->tun_flags == IFF_TUN ? 0 : 14,
		.cut = t->cuts,
	};
	struct fdl_stats was;

	assert_in_range(fdl_get_stats(t->ep, &was, sizeof(was)), 0, 1);
	kernel_flow_send(&f, sent, SENT);
	receive_all(t, &f);
	check_counters(t, &f, &was);
}

static void all_flows_arrive(void **state)
{
	const struct trial *t = *state;

	arrive(t, 4, IPPROTO_TCP);
	arrive(t, 6, IPPROTO_TCP);
	arrive(t, 4, IPPROTO_UDP);
	arrive(t, 6, IPPROTO_UDP);
}

static int open_source(void)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = 0,
		.sll_ifindex = (int)if_nametoindex(DEV),
	};
	const int on = 1, room = 1 << 20;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
		setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)),
		0);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void arrive_tagged(const struct trial *t, struct shape *s, int fd)
{
	struct flow f = {
		.version = s->version,
		.proto = s->proto,
		.link_len = s->link_len,
		.cut = t->cuts,
		.port = (uint16_t)(1000 + s->flow),
	};
	struct fdl_stats was;

	assert_in_range(fdl_get_stats(t->ep, &was, sizeof(was)), 0, 1);
	s->payload = SENT;
	s->seq = FIRST_SEQ;
	make_message(&message, s, DATAGRAM);
	memcpy(message.frame + shape_hdr_len(s), sent, SENT);
	message.hdr.hdr_len = (uint16_t)shape_hdr_len(s);
	assert_int_equal(send(fd, &message, HDR_LEN + message.len, 0),
			 HDR_LEN + message.len);
	receive_all(t, &f);
	/* Not every device that can offload can do it behind two tags. */
	if (s->link_len < 22)
		check_counters(t, &f, &was);
}

/* An AF_PACKET socket gets the first tag beside the frame, a TAP in it. */
static void tagged_flows_arrive(void **state)
{
	static const struct link_kind ethernet = { .traits = LINK_ETHERNET };
	const struct link link = { .kind = &ethernet };
	const struct trial *t = *state;
	struct shape shapes[MAX_SHAPES];
	const int fd = open_source();
	unsigned n = all_shapes(&link, shapes), i;

	for (i = 0; i < n; i++)
		if (!shapes[i].ip_opts)
			arrive_tagged(t, &shapes[i], fd);
	close(fd);
}

static size_t add_trials(struct trial *t, const struct device *device,
			 enum fdl_mode mode)
{
	size_t i, made = 0;
	int cuts;

	if (device->tun_flags && mode != FDL_MODE_READV)
		return 0; /* no socket */
	for (i = 0; i < COUNT_OF(stacks); i++) {
		for (cuts = 0; cuts < 2; cuts++) {
			t[made].device = device;
			t[made].stack = &stacks[i];
			t[made].mode = mode;
			t[made].cuts = cuts;
			snprintf(t[made].name, sizeof(t->name),
				 "%s, %s, a stack that %s%s", device->name,
				 fdl_mode_name(mode), stacks[i].name,
				 cuts ? ", segments" : "");
			made++;
		}
	}
	return made;
}

int main(int argc, char *argv[])
{
	static struct trial trials[COUNT_OF(devices) * COUNT_OF(stacks) * 16];
	static struct CMUnitTest tests[2 * COUNT_OF(trials)];
	size_t made = 0, n = 0, i;
	enum fdl_mode m;
	bool no_tun;

	netns_enter(argv);
	no_tun = netns_lacks_tun();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	for (i = 0; i < SENT; i++)
		sent[i] = (uint8_t)(i * 7 + i / 251);
	for (i = 0; i < COUNT_OF(devices); i++)
		for (m = FDL_MODE_AUTO + 1;
		     fdl_mode_name(m) && !(no_tun && devices[i].tun_flags); m++)
			made += add_trials(trials + made, &devices[i], m);
	for (i = 0; i < made; i++) {
		tests[n++] = (struct CMUnitTest){ trials[i].name,
						  all_flows_arrive, set_up,
						  tear_down, &trials[i] };
		if (trials[i].device->tun_flags == IFF_TUN)
			continue;
		tests[n++] = (struct CMUnitTest){ trials[i].name,
						  tagged_flows_arrive, set_up,
						  tear_down, &trials[i] };
	}
	return _cmocka_run_group_tests("rx_kernel", tests, n, NULL, NULL) ?
		       EXIT_FAILURE :
		       EXIT_SUCCESS;
}
