/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what another holder of an fd can set on it. */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>

#include "held.h"
#include "newer.h"

enum {
	PACKET = LINK_OUTGOING,
	UDP = LINK_LOSSY,
	DEVICE = LINK_DEVICE,
	TUNTAP = LINK_TUNTAP,
	TX_STAMPS = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED |
		    SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
		    SOF_TIMESTAMPING_OPT_TSONLY,
	RX_STAMPS = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE,
};

static const struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, 0x40000) };
static const struct sock_filter none[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
static const struct sock_filter start[] = { BPF_STMT(BPF_RET | BPF_K, 40) };
static const struct sock_filter length[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
	BPF_STMT(BPF_RET | BPF_A, 0),
};

#define PROGRAM(code) \
	{                                                                    \
		sizeof(code) / sizeof(*(code)), (struct sock_filter *)(code) \
	}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
static const struct sock_fprog pass_all = PROGRAM(all);
static const struct sock_fprog pass_none = PROGRAM(none);
static const struct sock_fprog pass_start = PROGRAM(start);
static const struct sock_fprog pass_length = PROGRAM(length);
#pragma GCC diagnostic pop

static const struct timeval second = { .tv_sec = 1 };
static const struct linger lingering = { .l_onoff = 1, .l_linger = 1 };
static const int numbers[] = {
	0,	 1,	    2,	       12,
	24,	 50,	    512,       4608,
	1 << 20, TX_STAMPS, RX_STAMPS, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6
};
static const struct ifreq headed = {
	.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR,
};
static const struct ifreq headless = { .ifr_flags = IFF_TAP | IFF_NO_PI };
static const struct ifreq detached = { .ifr_flags = IFF_DETACH_QUEUE };
static const struct ifreq attached_anew[] = {
	{ .ifr_flags = IFF_DETACH_QUEUE },
	{ .ifr_flags = IFF_ATTACH_QUEUE },
};
/* A struct tun_filter with room for an address. */
static const struct {
	uint16_t flags, count;
	uint8_t address[ETH_ALEN];
} tx_all = { 0 },
  tx_ours = { .count = 1, .address = { 0x02, 0, 0, 0, 0, 0x01 } },
  tx_other = { .count = 1, .address = { 0x02, 0, 0, 0, 0, 0x77 } };
/* Sent at the time that it brings, and it brings none. */
static const struct {
	int clock;
	uint32_t flags;
} txtime = { CLOCK_MONOTONIC, 0 }, txtime_told = { CLOCK_MONOTONIC, 2 };
/* A group of its own of each kind, and what it may be told besides. */
#define GROUP(how) (77 | (how) << 16)
static const int groups[] = {
	GROUP(PACKET_FANOUT_HASH),
	GROUP(PACKET_FANOUT_LB),
	GROUP(PACKET_FANOUT_CPU),
	GROUP(PACKET_FANOUT_ROLLOVER),
	GROUP(PACKET_FANOUT_RND),
	GROUP(PACKET_FANOUT_QM),
	GROUP(PACKET_FANOUT_CBPF),
	GROUP(PACKET_FANOUT_EBPF),
	GROUP(PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_ROLLOVER),
	GROUP(PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG),
	GROUP(PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_IGNORE_OUTGOING),
	(PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_UNIQUEID) << 16,
};
static const struct ifreq on_lo = { .ifr_name = "lo" };
static const struct tpacket_req3 ring = {
	.tp_block_size = 1 << 16,
	.tp_block_nr = 4,
	.tp_frame_size = 2048,
	.tp_frame_nr = 4 * 32,
};

enum { ZERO, ONE, TWO, N12, N24, N50, N512, N4608, MIB, TX, RX, OFFLOADS };

#define INT(i) &numbers[i], sizeof(int)
#define THE(v) &(v), sizeof(v)
#define SOCKET(o) #o, 0, LINK_TUNTAP, SOL_SOCKET, o
#define OF_UNIX(o) #o, LINK_UNIX, LINK_LOSSY, SOL_SOCKET, o
#define OF_PACKET(o) #o, PACKET, 0, SOL_PACKET, o
#define OF_UDP(o) #o, UDP, 0, SOL_UDP, o
#define OF_IP(o) #o, UDP, HELD_V6, IPPROTO_IP, o
#define OF_IP6(o) #o, UDP | HELD_V6, 0, IPPROTO_IPV6, o
#define OF_TCP(o) #o, HELD_TCP, 0, IPPROTO_TCP, o
#define OF_TUN(o) #o, TUNTAP, 0, HELD_IOCTL, o
#define OF_VNET(o) #o, HELD_VNET, 0, HELD_IOCTL, o
#define FANOUT(how, i) \
	{                                                               \
		"PACKET_FANOUT, " how, PACKET, LINK_OPENED, SOL_PACKET, \
			PACKET_FANOUT, &groups[i], sizeof(int), FINE    \
	}
#define SHUT(how, outcome) \
	{                                                                     \
		"shutdown, " #how, LINK_UNIX, 0, HELD_SHUTDOWN, how, NULL, 0, \
			outcome, outcome, NULL, 0                             \
	}
#define RUN(words) words, DEVICE, 0, HELD_COMMAND, 0, words, 0
#define AT_PEER(words) words, DEVICE, TUNTAP, HELD_COMMAND, 0, words, 0
#define FEATURE(words) \
	{ RUN("ethtool -K %1$s " words), FINE }, \
	{                                               \
		AT_PEER("ethtool -K %2$s " words), FINE \
	}
#define FINE HELD_UNDERSTOOD, HELD_UNDERSTOOD, NULL, 0
#define LOSES HELD_LOSES, HELD_LOSES, NULL, 0
#define STOPS HELD_STOPS, HELD_NOT, NULL, 0
#define ENDS_MENDED(what) HELD_UNDERSTOOD, HELD_MENDED, what, 0
#define REFUSED(what) HELD_REFUSED, HELD_NOT, what, 0

const struct held_setting held_settings[] = {
	{ "nothing", 0, LINK_TUNTAP, HELD_FLAGS, 0, NULL, 0, FINE },
	{ "O_NONBLOCK set", 0, 0, HELD_FLAGS, O_NONBLOCK, NULL, 0, FINE },
	{ "O_NONBLOCK cleared", 0, 0, HELD_FLAGS_OFF, O_NONBLOCK, NULL, 0,
	  FINE },
	{ "O_ASYNC", 0, 0, HELD_FLAGS, O_ASYNC, NULL, 0, FINE },
	{ SOCKET(SO_TIMESTAMP_OLD), INT(ONE), FINE },
	{ SOCKET(SO_TIMESTAMPNS_OLD), INT(ONE), FINE },
	{ SOCKET(SO_TIMESTAMPING_OLD), INT(RX), FINE },
	{ SOCKET(SO_TIMESTAMP_NEW), INT(ONE), FINE },
	{ SOCKET(SO_TIMESTAMPNS_NEW), INT(ONE), FINE },
	{ SOCKET(SO_TIMESTAMPNS_NEW), INT(ZERO), FINE },
	{ SOCKET(SO_TIMESTAMPING_NEW), INT(RX), FINE },
	{ "SO_TIMESTAMPING of what is sent", 0, LINK_TUNTAP, SOL_SOCKET,
	  SO_TIMESTAMPING_OLD, INT(TX), FINE },
	{ SOCKET(SO_RXQ_OVFL), INT(ONE), FINE },
	{ SOCKET(SO_MARK), INT(ONE), FINE },
	{ SOCKET(SO_RCVMARK), INT(ONE), FINE },
	{ SOCKET(SO_PRIORITY), INT(TWO), FINE },
	{ SOCKET(SO_RCVPRIORITY), INT(ONE), FINE },
	{ SOCKET(SO_WIFI_STATUS), INT(ONE), FINE },
	{ SOCKET(SO_RCVLOWAT), INT(MIB), FINE },
	{ SOCKET(SO_RCVTIMEO), THE(second), FINE },
	{ SOCKET(SO_SNDTIMEO), THE(second), FINE },
	{ SOCKET(SO_LINGER), THE(lingering), FINE },
	{ SOCKET(SO_BUSY_POLL), INT(N50), FINE },
	{ SOCKET(SO_PREFER_BUSY_POLL), INT(ONE), FINE },
	{ SOCKET(SO_INCOMING_CPU), INT(ZERO), FINE },
	{ SOCKET(SO_ZEROCOPY), INT(ONE), FINE },
	{ SOCKET(SO_PEEK_OFF), INT(TWO), FINE },
	{ SOCKET(SO_KEEPALIVE), INT(ONE), FINE },
	{ SOCKET(SO_BROADCAST), INT(ONE), FINE },
	{ SOCKET(SO_REUSEADDR), INT(ONE), FINE },
	{ SOCKET(SO_NO_CHECK), INT(ONE), FINE },
	{ SOCKET(SO_DONTROUTE), INT(ONE), FINE },
	{ SOCKET(SO_TXREHASH), INT(ONE), FINE },
	{ SOCKET(SO_BUF_LOCK), INT(ONE), FINE },
	{ SOCKET(SO_MAX_PACING_RATE), INT(MIB), FINE },
	{ SOCKET(SO_LOCK_FILTER), INT(ONE), FINE },
	{ SOCKET(SO_RCVBUF), INT(N4608), LOSES },
	{ SOCKET(SO_SNDBUF), INT(N4608), FINE },
	{ SOCKET(SO_SELECT_ERR_QUEUE), INT(ONE), FINE },
	{ SOCKET(SO_BUSY_POLL_BUDGET), INT(ONE), FINE },
	{ "SO_REUSEPORT", UDP, 0, SOL_SOCKET, SO_REUSEPORT, INT(ONE), FINE },
	{ SOCKET(SO_OOBINLINE), INT(ONE), FINE },
	{ SOCKET(SO_TXTIME), THE(txtime), FINE },
	{ "SO_TXTIME, with errors told", 0, LINK_TUNTAP, SOL_SOCKET, SO_TXTIME,
	  THE(txtime_told), FINE },
	{ "SO_BINDTODEVICE", UDP, 0, SOL_SOCKET, SO_BINDTODEVICE, THE(on_lo),
	  FINE },
	SHUT(SHUT_RD, HELD_DEAF),
	SHUT(SHUT_WR, HELD_MUTE),
	SHUT(SHUT_RDWR, HELD_ENDS),
	{ "a filter that passes all", 0, LINK_TUNTAP, SOL_SOCKET,
	  SO_ATTACH_FILTER, THE(pass_all), FINE },
	{ "a filter that passes nothing", 0, LINK_TUNTAP, SOL_SOCKET,
	  SO_ATTACH_FILTER, THE(pass_none), STOPS },
	{ "a filter that cuts", LINK_UNIX, 0, SOL_SOCKET, SO_ATTACH_FILTER,
	  THE(pass_start), REFUSED("filter") },
	{ "a filter that cuts", PACKET, 0, SOL_SOCKET, SO_ATTACH_FILTER,
	  THE(pass_start), HELD_LOSES, HELD_NOT, NULL, 0 },
	{ "a filter that cannot be looked into", 0, LINK_TUNTAP, SOL_SOCKET,
	  SO_ATTACH_FILTER, THE(pass_length), FINE },
	{ OF_UNIX(SO_PASSCRED), INT(ONE), FINE },
	{ OF_UNIX(SO_PASSSEC), INT(ONE), FINE },
	{ OF_UNIX(SO_PASSPIDFD), INT(ONE), FINE },
	{ OF_UNIX(SO_PASSRIGHTS), INT(ZERO), FINE },
	{ "SO_INQ", HELD_STREAM, HELD_TCP, SOL_SOCKET, SO_INQ, INT(ONE), FINE },
	{ "PACKET_AUXDATA off", PACKET, 0, SOL_PACKET, PACKET_AUXDATA,
	  INT(ZERO), ENDS_MENDED("PACKET_AUXDATA") },
	{ OF_PACKET(PACKET_AUXDATA), INT(ONE), FINE },
	{ "PACKET_VNET_HDR off", PACKET, 0, SOL_PACKET, PACKET_VNET_HDR,
	  INT(ZERO), ENDS_MENDED("PACKET_VNET_HDR") },
	{ OF_PACKET(PACKET_VNET_HDR), INT(ONE), FINE },
	{ "PACKET_VNET_HDR_SZ 12", PACKET, 0, SOL_PACKET, PACKET_VNET_HDR_SZ,
	  INT(N12), ENDS_MENDED("PACKET_VNET_HDR") },
	{ "PACKET_VNET_HDR_SZ 24", PACKET, 0, SOL_PACKET, PACKET_VNET_HDR_SZ,
	  INT(N24), ENDS_MENDED("PACKET_VNET_HDR") },
	{ "PACKET_VNET_HDR_SZ 512", PACKET, 0, SOL_PACKET, PACKET_VNET_HDR_SZ,
	  INT(N512), HELD_NOT, HELD_MENDED, "PACKET_VNET_HDR", 0 },
	{ OF_PACKET(PACKET_ORIGDEV), INT(ONE), FINE },
	{ OF_PACKET(PACKET_LOSS), INT(ONE), FINE },
	{ OF_PACKET(PACKET_IGNORE_OUTGOING), INT(ONE), FINE },
	{ OF_PACKET(PACKET_TIMESTAMP), INT(RX), FINE },
	{ OF_PACKET(PACKET_COPY_THRESH), INT(N12), FINE },
	{ OF_PACKET(PACKET_QDISC_BYPASS), INT(ONE), FINE },
	{ OF_PACKET(PACKET_TX_HAS_OFF), INT(ONE), FINE },
	{ OF_PACKET(PACKET_RESERVE), INT(N12), FINE },
	{ OF_PACKET(PACKET_VERSION), INT(TWO), FINE },
	FANOUT("hash", 0),
	FANOUT("round robin", 1),
	FANOUT("by CPU", 2),
	FANOUT("rollover", 3),
	FANOUT("at random", 4),
	FANOUT("by queue", 5),
	FANOUT("by a program", 6),
	FANOUT("by an eBPF program", 7),
	FANOUT("which rolls over", 8),
	FANOUT("of whole datagrams", 9),
	FANOUT("without what is sent", 10),
	FANOUT("by an id of the kernel's", 11),
	{ OF_PACKET(PACKET_TX_RING), THE(ring), HELD_REFUSED, HELD_NOT,
	  "PACKET_TX_RING", 0 },
	{ OF_PACKET(PACKET_RX_RING), THE(ring), HELD_REFUSED, HELD_NOT,
	  "PACKET_RX_RING", 0 },
	{ OF_UDP(UDP_GRO), INT(ONE), FINE },
	{ OF_UDP(UDP_SEGMENT), INT(N50), HELD_UNDERSTOOD, HELD_NOT, NULL, 0 },
	{ OF_UDP(UDP_CORK), INT(ONE), HELD_UNDERSTOOD, HELD_NOT, NULL, 0 },
	{ OF_UDP(UDP_ENCAP), INT(TWO), REFUSED("UDP_ENCAP") },
	{ OF_IP(IP_PKTINFO), INT(ONE), FINE },
	{ OF_IP(IP_RECVTTL), INT(ONE), FINE },
	{ OF_IP(IP_RECVTOS), INT(ONE), FINE },
	{ OF_IP(IP_RECVOPTS), INT(ONE), FINE },
	{ OF_IP(IP_RETOPTS), INT(ONE), FINE },
	{ OF_IP(IP_RECVERR), INT(ONE), FINE },
	{ OF_IP(IP_RECVORIGDSTADDR), INT(ONE), FINE },
	{ OF_IP(IP_CHECKSUM), INT(ONE), FINE },
	{ OF_IP(IP_RECVFRAGSIZE), INT(ONE), FINE },
	{ OF_IP(IP_TOS), INT(TWO), FINE },
	{ OF_IP(IP_TTL), INT(N12), FINE },
	{ OF_IP(IP_MTU_DISCOVER), INT(TWO), FINE },
	{ OF_IP6(IPV6_RECVPKTINFO), INT(ONE), FINE },
	{ OF_IP6(IPV6_2292PKTINFO), INT(ONE), FINE },
	{ OF_IP6(IPV6_RECVHOPLIMIT), INT(ONE), FINE },
	{ OF_IP6(IPV6_RECVTCLASS), INT(ONE), FINE },
	{ OF_IP6(IPV6_RECVRTHDR), INT(ONE), FINE },
	{ OF_IP6(IPV6_RECVHOPOPTS), INT(ONE), FINE },
	{ OF_IP6(IPV6_RECVDSTOPTS), INT(ONE), FINE },
	{ OF_IP6(IPV6_RECVERR), INT(ONE), FINE },
	{ OF_IP6(IPV6_RECVPATHMTU), INT(ONE), FINE },
	{ OF_IP6(IPV6_RECVORIGDSTADDR), INT(ONE), FINE },
	{ OF_IP6(IPV6_RECVFRAGSIZE), INT(ONE), FINE },
	{ OF_IP6(IPV6_FLOWINFO), INT(ONE), FINE },
	{ OF_IP6(IPV6_AUTOFLOWLABEL), INT(ONE), FINE },
	{ OF_IP6(IPV6_TCLASS), INT(TWO), FINE },
	{ OF_IP6(IPV6_UNICAST_HOPS), INT(N12), FINE },
	{ OF_IP6(IPV6_DONTFRAG), INT(ONE), FINE },
	{ OF_IP6(IPV6_MTU_DISCOVER), INT(TWO), FINE },
	{ OF_TCP(TCP_NODELAY), INT(ZERO), FINE },
	{ OF_TCP(TCP_CORK), INT(ONE), FINE },
	{ OF_TCP(TCP_INQ), INT(ONE), FINE },
	{ OF_TCP(TCP_QUICKACK), INT(ZERO), FINE },
	{ OF_TCP(TCP_USER_TIMEOUT), INT(N4608), FINE },
	{ OF_TCP(TCP_NOTSENT_LOWAT), INT(N12), FINE },
	{ OF_TCP(TCP_MAXSEG), INT(N512), FINE },
	{ "an eBPF filter that passes all", 0, TUNTAP | HELD_STREAM, HELD_BPF,
	  0x40000, NULL, 0, FINE },
	{ "an eBPF filter that cuts", PACKET, 0, HELD_BPF, 40, NULL, 0, LOSES },
	{ OF_VNET(TUNSETVNETLE), INT(ONE), FINE },
	{ OF_VNET(TUNSETVNETBE), INT(ONE), ENDS_MENDED("virtio-net") },
	{ "TUNSETVNETHDRSZ 12", HELD_VNET, 0, HELD_IOCTL, TUNSETVNETHDRSZ,
	  INT(N12), ENDS_MENDED("virtio-net") },
	{ "TUNSETVNETHDRSZ 24", HELD_VNET, 0, HELD_IOCTL, TUNSETVNETHDRSZ,
	  INT(N24), ENDS_MENDED("virtio-net") },
	{ "TUNSETVNETHDRSZ 12", HELD_MACVTAP, 0, HELD_IOCTL, TUNSETVNETHDRSZ,
	  INT(N12), ENDS_MENDED("virtio-net") },
	{ "TUNSETIFF, with a header", HELD_MACVTAP, 0, HELD_IOCTL, TUNSETIFF,
	  THE(headed), ENDS_MENDED("virtio-net") },
	{ "TUNSETIFF, without a header", HELD_MACVTAP, 0, HELD_IOCTL, TUNSETIFF,
	  THE(headless), ENDS_MENDED("virtio-net") },
	{ "TUNSETTXFILTER, all", TUNTAP | LINK_ETHERNET, HELD_MACVTAP,
	  HELD_IOCTL, TUNSETTXFILTER, THE(tx_all), FINE },
	{ "TUNSETTXFILTER, ours", TUNTAP | LINK_ETHERNET, HELD_MACVTAP,
	  HELD_IOCTL, TUNSETTXFILTER, THE(tx_ours), FINE },
	{ "TUNSETTXFILTER, another", TUNTAP | LINK_ETHERNET, HELD_MACVTAP,
	  HELD_IOCTL, TUNSETTXFILTER, THE(tx_other), LOSES },
	{ "TUNATTACHFILTER, all", TUNTAP | LINK_ETHERNET, HELD_MACVTAP,
	  HELD_IOCTL, TUNATTACHFILTER, THE(pass_all), FINE },
	{ "TUNATTACHFILTER, none", TUNTAP | LINK_ETHERNET, HELD_MACVTAP,
	  HELD_IOCTL, TUNATTACHFILTER, THE(pass_none), LOSES },
	{ "TUNSETFILTEREBPF, all", TUNTAP, HELD_MACVTAP, HELD_TUN_BPF,
	  (int)TUNSETFILTEREBPF, INT(MIB), FINE },
	{ "TUNSETFILTEREBPF, none", TUNTAP, HELD_MACVTAP, HELD_TUN_BPF,
	  (int)TUNSETFILTEREBPF, INT(ZERO), LOSES },
	{ "TUNSETSTEERINGEBPF", TUNTAP, HELD_MACVTAP, HELD_TUN_BPF,
	  (int)TUNSETSTEERINGEBPF, INT(N12), FINE },
	{ OF_TUN(TUNSETSNDBUF), INT(N4608), FINE },
	{ OF_TUN(TUNSETLINK), INT(ZERO), FINE },
	{ OF_TUN(TUNSETPERSIST), INT(ONE), FINE },
	{ "TUNSETQUEUE, detached", HELD_QUEUE, 0, HELD_IOCTL, TUNSETQUEUE,
	  THE(detached), HELD_LOSES, HELD_NOT, NULL, 0 },
	{ "TUNSETQUEUE, detached and attached", HELD_QUEUE, 0, HELD_IOCTL,
	  TUNSETQUEUE, THE(attached_anew), HELD_UNDERSTOOD, HELD_PURGED, NULL,
	  0 },
	{ "TUNSETOFFLOAD, none", TUNTAP, 0, HELD_NUMBER, TUNSETOFFLOAD,
	  INT(ZERO), FINE },
	{ "TUNSETOFFLOAD, checksums", HELD_VNET, 0, HELD_NUMBER, TUNSETOFFLOAD,
	  INT(ONE), FINE },
	{ "TUNSETOFFLOAD, checksums", TUNTAP, HELD_VNET, HELD_NUMBER,
	  TUNSETOFFLOAD, INT(ONE), ENDS_MENDED("checksums") },
	{ "TUNSETOFFLOAD, all", HELD_VNET, 0, HELD_NUMBER, TUNSETOFFLOAD,
	  INT(OFFLOADS), FINE },
	{ "TUNSETOFFLOAD, all", TUNTAP, HELD_VNET, HELD_NUMBER, TUNSETOFFLOAD,
	  INT(OFFLOADS), ENDS_MENDED("checksums") },
	{ RUN("ip link set %1$s carrier off && ip link set %1$s carrier on"),
	  FINE },
	FEATURE("rx off"),
	FEATURE("tx off"),
	FEATURE("sg off"),
	FEATURE("tso off"),
	FEATURE("tso on"),
	FEATURE("gso off"),
	FEATURE("gro on"),
	FEATURE("gro off"),
	FEATURE("gro on rx-gro-list on"),
	FEATURE("gro on rx-udp-gro-forwarding on"),
	FEATURE("rxvlan off"),
	FEATURE("txvlan off"),
	{ RUN("ip link set %1$s mtu 300"), FINE },
	{ RUN("ip link set %1$s mtu 9000"), FINE },
	{ AT_PEER("ip link set %2$s mtu 300"), FINE },
	{ RUN("ip link set %1$s address 02:00:00:00:00:77"), FINE },
	{ RUN("ip link set %1$s promisc on"), FINE },
	{ RUN("ip link set %1$s allmulticast on"), FINE },
	{ RUN("ip link set %1$s arp off"), FINE },
	{ RUN("ip link set %1$s multicast off"), FINE },
	{ RUN("ip link set %1$s gso_max_segs 2"), FINE },
	{ RUN("ip link set %1$s gso_max_size 4096"), FINE },
	{ .name = NULL },
};
