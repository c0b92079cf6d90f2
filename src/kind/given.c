/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An fd that the process has already, by its number or by the name under which
 * systemd passed it. Looking at the fd shows of which kind the link is.
 *
 * A socket from systemd may still wait for its peer. A listening socket accepts
 * a connection, and until then an unconnected socket stands in for that
 * connection. A datagram socket connects to its first sender. When the endpoint
 * is freed, the caller's socket is as it was.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "kind/kind.h"
#include "kind/life.h"
#include "kind/sender.h"
#include "kind/socket.h"
#include "os.h"

extern const struct kind kind_stream;

struct given {
	int fd;
	int domain, type, protocol;
	int listens;
};

static int take_name(struct locator *loc, char *to, const char *value,
		     const struct log *log)
{
	uint32_t fd;

	if (locator_number(value, INT_MAX, &fd)) {
		loc->fd = (int)fd;
		strcpy(to, value);
		return 0;
	}
	if (strspn(value, "0123456789") == strlen(value) ||
	    strlen(value) >= LOCATOR_NAME_SIZE) {
		log_say(log, FDL_LOG_ERR,
			"fd:%.40s is no fd: a number from 0 on, or a name "
			"of up to %d bytes",
			value, LOCATOR_NAME_SIZE - 1);
		return -EINVAL;
	}
	strcpy(to, value);
	return 0;
}

static int ask(int fd, int name, int *value)
{
	socklen_t len = sizeof(*value);

	return os_getsockopt(fd, SOL_SOCKET, name, value, &len);
}

static bool is_connected(const struct given *given)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	return os_getpeername(given->fd, (struct sockaddr *)&peer, &len) !=
	       -ENOTCONN;
}

/* Whether the fd is a socket that can have a peer and has none yet. Anything
 * else that is wrong with the fd is found when it is probed. */
static bool lacks_peer(struct given *given)
{
	if (ask(given->fd, SO_DOMAIN, &given->domain) ||
	    ask(given->fd, SO_TYPE, &given->type) ||
	    ask(given->fd, SO_PROTOCOL, &given->protocol) ||
	    ask(given->fd, SO_ACCEPTCONN, &given->listens) ||
	    given->domain == AF_PACKET)
		return false;
	return given->listens || !is_connected(given);
}

/* Nobody can send to a datagram socket without an address. */
static bool has_address(const struct given *given)
{
	struct sockaddr_storage own = { 0 };
	struct sockaddr_in v4;
	socklen_t len = sizeof(own);

	if (given->type != SOCK_DGRAM ||
	    os_getsockname(given->fd, (struct sockaddr *)&own, &len))
		return false;
	if (given->domain == AF_UNIX)
		return len > offsetof(struct sockaddr_un, sun_path);
	/* A struct sockaddr_in6 has its port in the same place. */
	memcpy(&v4, &own, sizeof(v4));
	return (given->domain == AF_INET || given->domain == AF_INET6) &&
	       v4.sin_port;
}

/* A stream that is connected already keeps no packets apart. */
static const char *way_to_peer(const struct given *given)
{
	switch (given->type) {
	case SOCK_STREAM:
		return "have it wait for its peer by listen(2)";
	case SOCK_SEQPACKET:
		return "connect(2) it to its peer first, or have it wait for "
		       "one by listen(2)";
	case SOCK_DGRAM:
		return "connect(2) it to its peer first, or have it wait for "
		       "one by bind(2)";
	default:
		return "use a seqpacket, datagram or AF_PACKET socket";
	}
}

/* Such a socket would never get a peer. */
static int refuse_lonely(const struct given *given, const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"fd %d is a%s socket that is not connected, and has nobody to "
		"send to: %s",
		given->fd,
		given->domain == AF_UNIX  ? " unix" :
		given->domain == AF_INET  ? "n IPv4" :
		given->domain == AF_INET6 ? "n IPv6" :
					    "",
		way_to_peer(given));
	return -ENOTCONN;
}

static int refuse_option(const struct locator *loc, const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"fd:%s is no socket that waits for a peer: leave out %s",
		loc->name, loc->listen ? "listen" : "reconnect");
	return -EINVAL;
}

static int say_failed(const struct given *given, int err, const struct log *log)
{
	log_say(log, FDL_LOG_ERR, "fd %d: cannot wait for its peer (%s)%s",
		given->fd, strerror(-err), refusal_advice(err));
	return err;
}

/* An accepted connection takes the place of a socket of the same family and
 * type. */
static int wait_for_connection(const struct given *given, struct opened *opened)
{
	int own, fd = os_socket(given->domain, given->type, given->protocol);

	if (fd < 0)
		return fd;
	own = os_dup(given->fd);
	if (own < 0) {
		os_close(fd);
		return own;
	}
	opened->fd[opened->n++] = fd;
	bound_keep(&opened->bound, own);
	opened->bound.lent = true;
	if (given->type == SOCK_STREAM)
		opened->sort = &kind_stream;
	return 0;
}

static int wait_for_sender(const struct given *given, struct opened *opened)
{
	const int own = os_dup(given->fd);

	if (own < 0)
		return own;
	bound_part(&opened->bound, own, BOUND_DISCONNECT);
	opened->fd[opened->n++] = given->fd;
	opened->borrowed = true;
	opened->lasts = true;
	return 0;
}

static int wait_for_peer(const struct given *given, struct opened *opened,
			 const struct log *log)
{
	int err;

	if (!given->listens && !has_address(given))
		return refuse_lonely(given, log);
	err = given->listens ? wait_for_connection(given, opened) :
			       wait_for_sender(given, opened);
	opened->unmet = true;
	return err ? say_failed(given, err, log) : 0;
}

static int open_given(const struct locator *loc, struct opened *opened,
		      const struct log *log)
{
	struct given given = { .fd = loc->fd };

	if (given.fd < 0)
		given.fd = inherited_fd(loc->name, log);
	if (given.fd < 0)
		return given.fd;
	if (lacks_peer(&given))
		return wait_for_peer(&given, opened, log);
	if (loc->listen || loc->reconnect)
		return refuse_option(loc, log);
	opened->fd[opened->n++] = given.fd;
	opened->borrowed = true;
	return 0;
}

static int meet(struct life *life, int fd)
{
	if (life->listener >= 0)
		return life_accept(life);
	life->loc.listen = true;
	return sender_meet(life, fd);
}

const struct kind kind_given = {
	.locator = "fd",
	.form = "N|NAME",
	.options = 1 << OPTION_MTU | 1 << OPTION_LISTEN | 1 << OPTION_RECONNECT,
	.take_name = take_name,
	.open = open_given,
	.meet = meet,
};
