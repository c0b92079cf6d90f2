/* SPDX-License-Identifier: Apache-2.0 */
#include "bed_lives.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "netns.h"

static struct sockaddr_un unix_name(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	return un;
}

struct sockaddr_in inet_name(in_port_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

int socket_type(const struct bed *b)
{
	if (bed_is_stream(b))
		return SOCK_STREAM;
	return !strncmp(b->kind->name, "seqpacket", 9) ? SOCK_SEQPACKET :
							 SOCK_DGRAM;
}

int unix_socket(const struct bed *b, const char *path)
{
	const struct sockaddr_un un = unix_name(path);
	const int fd = socket(AF_UNIX, socket_type(b) | SOCK_CLOEXEC, 0);

	unlink(path);
	assert_int_equal(bind(fd, (const void *)&un, sizeof(un)), 0);
	return fd;
}

int connect_unix(int fd, const char *path)
{
	const struct sockaddr_un un = unix_name(path);

	return connect(fd, (const void *)&un, sizeof(un));
}

/* Of no effect except on TCP: a frame goes at once, and the port is free as
 * soon as the socket is closed. */
static void set_up_tcp(int fd)
{
	const struct linger none = { .l_onoff = 1 };
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

void meet_caller(struct bed *b)
{
	const int fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	set_up_tcp(fd);
	b->link.peer = fd;
}

/* Whoever calls must not wait: the endpoint is what would be waited for. */
static void call(struct bed *b, const void *name, socklen_t len)
{
	const int family = ((const struct sockaddr *)name)->sa_family;
	const int fd = socket(family, socket_type(b) | SOCK_CLOEXEC, 0);

	set_up_tcp(fd);
	if (family == AF_UNIX)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect(fd, name, len)) {
		close(fd);
		return;
	}
	fcntl(fd, F_SETFL, 0);
	b->link.peer = fd;
}

void meet_path(struct bed *b)
{
	const struct sockaddr_un name = unix_name(b->path);

	call(b, &name, sizeof(name));
}

void meet_port(struct bed *b)
{
	const struct sockaddr_in name = inet_name(OUR_PORT);

	call(b, &name, sizeof(name));
}

/* The endpoint's socket takes nothing from another one than its peer. */
void meet_name(struct bed *b)
{
	if (b->listener < 0)
		b->listener = unix_socket(b, b->local);
	if (connect_unix(b->listener, b->path))
		return;
	b->link.peer = b->listener;
	b->listener = -1;
}

void meet_hello(struct bed *b)
{
	if (b->listener < 0)
		b->listener = unix_socket(b, b->local);
	b->link.peer = b->listener;
	if (b->link.kind->met(&b->link))
		b->link.peer = -1;
	else
		b->listener = -1;
}

void meet_device(struct bed *b)
{
	struct link *l = &b->link;

	if (!netns_has(l->dev)) {
		netns_command("ip tuntap add dev %s mode %s", l->dev,
			      l->kind->traits & LINK_IP ? "tun" : "tap");
		netns_set_up(l->dev, true);
	}
	l->peer = link_packet_socket(l->dev);
}

void meet_veth(struct bed *b)
{
	struct link *l = &b->link;

	if (!netns_has(l->dev)) {
		netns_command("ip link add %s address 02:00:00:00:00:01 "
			      "type veth peer name %s address "
			      "02:00:00:00:00:02",
			      l->dev, l->peer_dev);
		netns_set_up(l->dev, true);
		netns_set_up(l->peer_dev, true);
	}
	l->peer = link_packet_socket(l->peer_dev);
}

void part_socket(struct bed *b)
{
	close(b->link.peer);
	b->link.peer = -1;
}

void part_device(struct bed *b)
{
	part_socket(b);
	link_delete_device(&b->link);
}

void end_name(struct bed *b)
{
	if (b->listener >= 0)
		close(b->listener);
	if (b->link.peer >= 0)
		close(b->link.peer);
	b->listener = b->link.peer = -1;
}

int open_outside(void *ctx, bool existing, int fds[], unsigned n)
{
	const struct bed *b = ctx;

	return fdl_open_fds(fds, n, b->locator, existing, NULL);
}
