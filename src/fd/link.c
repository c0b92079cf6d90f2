/* SPDX-License-Identifier: Apache-2.0 */
#include "fd/link.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>

#include "os.h"

enum {
	ANSWER_SIZE = 16384, /* one link; those of a few KiB are large */
	GSO_IPV4_MAX_SIZE = 63, /* linux/if_link.h has it since 6.3 */
};

struct request {
	struct nlmsghdr nh;
	struct ifinfomsg ifi;
	struct rtattr attr;
	char name[IF_NAMESIZE];
};

static_assert(sizeof(struct request) == 52, "no padding inside");

/* A cursor over attributes. */
struct attrs {
	const uint8_t *at;
	size_t left;
};

struct attr {
	unsigned type;
	struct attrs data;
};

static bool next_attr(struct attrs *attrs, struct attr *attr)
{
	struct rtattr head;
	size_t whole;

	if (attrs->left < sizeof(head))
		return false;
	memcpy(&head, attrs->at, sizeof(head));
	if (head.rta_len < sizeof(head) || head.rta_len > attrs->left)
		return false;
	attr->type = head.rta_type & (unsigned)NLA_TYPE_MASK;
	attr->data.at = attrs->at + sizeof(head);
	attr->data.left = head.rta_len - sizeof(head);
	whole = NLMSG_ALIGN((size_t)head.rta_len);
	if (whole > attrs->left)
		whole = attrs->left;
	attrs->at += whole;
	attrs->left -= whole;
	return true;
}

/* Copy contents of a fixed size. A shorter attribute fills the front, and the
 * rest is 0. */
static void copy_attr(void *to, size_t size, const struct attr *attr)
{
	size_t n = attr->data.left < size ? attr->data.left : size;

	memset(to, 0, size);
	memcpy(to, attr->data.at, n);
}

static uint8_t attr_u8(const struct attr *attr)
{
	uint8_t v;

	copy_attr(&v, sizeof(v), attr);
	return v;
}

static uint32_t attr_u32(const struct attr *attr)
{
	uint32_t v;

	copy_attr(&v, sizeof(v), attr);
	return v;
}

static void parse_tun(struct link *link, struct attrs data)
{
	struct attr attr;

	while (next_attr(&data, &attr)) {
		switch (attr.type) {
		case IFLA_TUN_TYPE:
			link->tun_type = attr_u8(&attr);
			break;
		case IFLA_TUN_OWNER:
			link->owner = attr_u32(&attr);
			break;
		case IFLA_TUN_VNET_HDR:
			link->vnet_hdr = attr_u8(&attr);
			break;
		case IFLA_TUN_MULTI_QUEUE:
			link->multi_queue = attr_u8(&attr);
			break;
		case IFLA_TUN_NUM_QUEUES:
			link->queues = attr_u32(&attr);
			break;
		default:
			break;
		}
	}
}

/* In all modes except one the device below gives each its own. */
static bool is_passthru(struct attrs data)
{
	struct attr attr;

	while (next_attr(&data, &attr))
		if (attr.type == IFLA_MACVLAN_MODE)
			return attr_u32(&attr) == MACVLAN_MODE_PASSTHRU;
	return false;
}

static void parse_linkinfo(struct link *link, struct attrs info)
{
	struct attrs data = { 0 };
	char kind[16] = "";
	struct attr attr;

	while (next_attr(&info, &attr)) {
		if (attr.type == IFLA_INFO_KIND)
			copy_attr(kind, sizeof(kind) - 1, &attr);
		else if (attr.type == IFLA_INFO_DATA)
			data = attr.data;
	}
	if (!strcmp(kind, "tun"))
		parse_tun(link, data);
	link->has_node = !strcmp(kind, "macvtap") || !strcmp(kind, "ipvtap");
	if (!strncmp(kind, "macv", 4))
		link->own_only = !is_passthru(data);
	if (!strncmp(kind, "ipv", 3))
		link->own_only = true;
}

static void parse_attr(struct link *link, const struct attr *attr)
{
	struct rtnl_link_stats64 stats;

	switch (attr->type) {
	case IFLA_IFNAME:
		copy_attr(link->name, sizeof(link->name) - 1, attr);
		break;
	case IFLA_ADDRESS:
		if (attr->data.left == sizeof(link->address))
			copy_attr(link->address, sizeof(link->address), attr);
		break;
	case IFLA_MTU:
		link->mtu = attr_u32(attr);
		break;
	case GSO_IPV4_MAX_SIZE:
		link->gso_max4 = attr_u32(attr);
		break;
	case IFLA_CARRIER:
		link->carrier = link->up && attr_u8(attr);
		break;
	case IFLA_STATS64:
		copy_attr(&stats, sizeof(stats), attr);
		link->tx_dropped = stats.tx_dropped;
		link->rx_dropped = stats.rx_dropped;
		break;
	case IFLA_LINKINFO:
		parse_linkinfo(link, attr->data);
		break;
	default:
		break;
	}
}

static int parse_link(struct link *link, const uint8_t *body, size_t len)
{
	struct ifinfomsg ifi;
	struct attrs attrs;
	struct attr attr;

	if (len < sizeof(ifi))
		return -EPROTO;
	memcpy(&ifi, body, sizeof(ifi));
	memset(link, 0, sizeof(*link));
	link->ifindex = (unsigned)ifi.ifi_index;
	link->arphrd = ifi.ifi_type;
	link->flags = ifi.ifi_flags;
	link->up = ifi.ifi_flags & IFF_UP;
	link->owner = UINT32_MAX;
	attrs.at = body + sizeof(ifi);
	attrs.left = len - sizeof(ifi);
	while (next_attr(&attrs, &attr))
		parse_attr(link, &attr);
	return 0;
}

/* Parse the one answer, which is in one datagram: a link, or an error. */
static int parse_answer(struct link *link, const uint8_t *msg, size_t len)
{
	struct nlmsgerr refusal;
	struct nlmsghdr nh;

	if (len < sizeof(nh))
		return -EPROTO;
	memcpy(&nh, msg, sizeof(nh));
	if (nh.nlmsg_len < sizeof(nh) || nh.nlmsg_len > len)
		return -EPROTO;
	msg += sizeof(nh);
	len = nh.nlmsg_len - sizeof(nh);
	if (nh.nlmsg_type == RTM_NEWLINK || nh.nlmsg_type == RTM_DELLINK)
		return parse_link(link, msg, len);
	if (nh.nlmsg_type != NLMSG_ERROR || len < sizeof(refusal))
		return -EPROTO;
	memcpy(&refusal, msg, sizeof(refusal));
	return refusal.error < 0 ? refusal.error : -EPROTO;
}

int link_socket(void)
{
	return os_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static int send_request(int sock, const char *name, unsigned ifindex,
			uint32_t seq)
{
	struct request req = {
		.nh = { .nlmsg_type = RTM_GETLINK,
			.nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_seq = seq },
		.ifi = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex },
		.attr = { .rta_type = IFLA_IFNAME },
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct iovec iov = { &req, sizeof(req.nh) + sizeof(req.ifi) };
	struct msghdr msg = { .msg_name = &kernel,
			      .msg_namelen = sizeof(kernel),
			      .msg_iov = &iov,
			      .msg_iovlen = 1 };
	ssize_t n;

	/* Nothing may follow the name: the kernel would write into its log that
	 * bytes are left over. */
	if (name) {
		strncpy(req.name, name, sizeof(req.name) - 1);
		req.attr.rta_len = (unsigned short)(sizeof(req.attr) +
						    strlen(req.name) + 1);
		iov.iov_len += RTA_ALIGN((size_t)req.attr.rta_len);
	}
	req.nh.nlmsg_len = (uint32_t)iov.iov_len;
	n = os_sendmsg(sock, &msg, MSG_DONTWAIT);
	return n < 0 ? (int)n : 0;
}

static bool is_answer(const uint8_t *msg, size_t len, uint32_t seq)
{
	struct nlmsghdr nh = { 0 };

	memcpy(&nh, msg, len < sizeof(nh) ? len : sizeof(nh));
	return nh.nlmsg_seq == seq;
}

int link_get(int sock, const char *name, unsigned ifindex, struct link *link)
{
	uint8_t answer[ANSWER_SIZE];
	struct iovec iov = { answer, sizeof(answer) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	/* The answer to a request of before may still be there, and events bear
	 * the numbers of others. */
	const uint32_t seq = (uint32_t)os_now_us();
	ssize_t n;
	int err;

	err = send_request(sock, name, ifindex, seq);
	if (err)
		return err;
	/* The kernel answers inside sendmsg(2), so the answer is there already.
	 * Events before it are older than it. */
	do {
		n = os_recvmsg(sock, &msg, MSG_DONTWAIT);
	} while (n >= 0 && !is_answer(answer, (size_t)n, seq));
	if (n < 0)
		return (int)n;
	if (msg.msg_flags & MSG_TRUNC)
		return -EPROTO;
	return parse_answer(link, answer, (size_t)n);
}

/*
 * Let only messages about the device pass, so that others neither wake us nor
 * come at all. That there is no device of that number is an answer, too. The
 * filter loads in network byte order what is in host order. A bridge tells of
 * its ports in the same message types, with a family of its own.
 */
static int filter_device(int sock, unsigned ifindex)
{
	enum {
		TYPE = offsetof(struct nlmsghdr, nlmsg_type),
		BODY = sizeof(struct nlmsghdr),
		FAMILY = BODY + offsetof(struct ifinfomsg, ifi_family),
		INDEX = BODY + offsetof(struct ifinfomsg, ifi_index),
	};
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(NLMSG_ERROR), 6, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, INDEX),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(ifindex), 0, 6),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FAMILY),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNSPEC, 0, 4),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWLINK), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELLINK), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog fprog = {
		.len = sizeof(program) / sizeof(program[0]),
		.filter = program,
	};

	return os_setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &fprog,
			     sizeof(fprog));
}

/* A socket that has asked for something has a number already, and bind(2) takes
 * no other: name that one. */
static int join(int sock, uint32_t groups)
{
	struct sockaddr_nl own = { 0 };
	socklen_t len = sizeof(own);
	int err = os_getsockname(sock, (struct sockaddr *)&own, &len);

	if (err)
		return err;
	own.nl_groups = groups;
	return os_bind(sock, (const struct sockaddr *)&own, sizeof(own));
}

int link_subscribe(int sock, unsigned ifindex)
{
	const int err = filter_device(sock, ifindex);

	return err ? err : join(sock, RTMGRP_LINK);
}

int link_unsubscribe(int sock)
{
	const int unused = 0;
	const int err = join(sock, 0);

	return err ? err :
		     os_setsockopt(sock, SOL_SOCKET, SO_DETACH_FILTER, &unused,
				   sizeof(unused));
}

static bool is_departure(const uint8_t *msg, size_t len)
{
	struct nlmsghdr nh;

	if (len < sizeof(nh))
		return false;
	memcpy(&nh, msg, sizeof(nh));
	return nh.nlmsg_type == RTM_DELLINK;
}

enum link_event link_next_event(int sock, struct link *link)
{
	uint8_t msg[ANSWER_SIZE];
	ssize_t n = os_recv(sock, msg, sizeof(msg), MSG_DONTWAIT);
	int err;

	if (n < 0)
		return n == -ENOBUFS ? LINK_MISSED : LINK_NO_EVENT;
	memset(link, 0, sizeof(*link));
	err = parse_answer(link, msg, (size_t)n);
	if (is_departure(msg, (size_t)n))
		return LINK_LEFT;
	return err ? LINK_MISSED : LINK_CHANGED;
}
