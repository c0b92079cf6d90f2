/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_flow.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "link.h"
#include "netns.h"

enum {
	SOL_UDP_ = 17,
	UDP_SEGMENT_ = 103, /* linux/udp.h */
};

static socklen_t peer_address(const struct flow *f,
			      struct sockaddr_storage *addr)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)addr;

	memset(addr, 0, sizeof(*addr));
	if (f->version == 4) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(9);
		inet_pton(AF_INET, "10.9.0.2", &in4->sin_addr);
		return sizeof(*in4);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(9);
	inet_pton(AF_INET6, "fd09::2", &in6->sin6_addr);
	return sizeof(*in6);
}

static void set_tcp(int fd, int name, const void *value, size_t len)
{
	assert_int_equal(
		setsockopt(fd, IPPROTO_TCP, name, value, (socklen_t)len), 0);
}

static void set_tcp_int(int fd, int name, int value)
{
	set_tcp(fd, name, &value, sizeof(value));
}

/* Connected without a handshake: nobody answers here. */
static void connect_tcp(int fd, const struct sockaddr_storage *to,
			socklen_t len)
{
	const struct tcp_repair_opt scale = { 3, 7 | 7 << 16 };
	const struct tcp_repair_window window = {
		.snd_wl1 = 1,
		.snd_wnd = 1 << 20,
		.max_window = 1 << 20,
		.rcv_wnd = 65535,
		.rcv_wup = 1,
	};

	set_tcp_int(fd, TCP_MAXSEG, TCP_MSS);
	set_tcp_int(fd, TCP_REPAIR, TCP_REPAIR_ON);
	set_tcp_int(fd, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
	set_tcp_int(fd, TCP_QUEUE_SEQ, (int)FIRST_SEQ);
	set_tcp_int(fd, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE);
	set_tcp_int(fd, TCP_QUEUE_SEQ, 1);
	assert_int_equal(connect(fd, (const struct sockaddr *)to, len), 0);
	set_tcp(fd, TCP_REPAIR_OPTIONS, &scale, sizeof(scale));
	set_tcp(fd, TCP_REPAIR_WINDOW, &window, sizeof(window));
	set_tcp_int(fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
}

static void note_port(int fd, struct flow *f)
{
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	uint16_t port;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
	memcpy(&port, (const uint8_t *)&own + 2, 2);
	f->port = ntohs(port);
}

/* TCP sends again what nobody acknowledges, after a second, and a busy machine
 * has not received all by then: the socket must not live so long. */
static void close_silently(int fd)
{
	const long long end = netns_now_ms() + WAIT_MS;
	int unsent = 1;

	while (unsent && netns_now_ms() < end) {
		assert_int_equal(ioctl(fd, SIOCOUTQNSD, &unsent), 0);
		if (unsent)
			poll(NULL, 0, 1);
	}
	assert_int_equal(unsent, 0);
	set_tcp_int(fd, TCP_REPAIR, TCP_REPAIR_ON);
	close(fd);
}

void kernel_flow_send(struct flow *f, const uint8_t *bytes, size_t n)
{
	const int size = DATAGRAM, room = 1 << 20;
	const bool tcp = f->proto == IPPROTO_TCP;
	struct sockaddr_storage to;
	socklen_t len = peer_address(f, &to);
	int fd;

	fd = socket(to.ss_family,
		    (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (tcp) {
		connect_tcp(fd, &to, len);
	} else {
		assert_int_equal(connect(fd, (struct sockaddr *)&to, len), 0);
		assert_int_equal(setsockopt(fd, SOL_UDP_, UDP_SEGMENT_, &size,
					    sizeof(size)),
				 0);
	}
	note_port(fd, f);
	assert_int_equal(send(fd, bytes, n, MSG_DONTWAIT), n);
	if (tcp)
		close_silently(fd);
	else
		close(fd);
}
