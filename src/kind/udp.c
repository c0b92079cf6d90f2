/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connected UDP sockets: a frame in each datagram. No call tells whether the
 * peer is there. An ICMP message may say that it is not, about an earlier
 * datagram. The next datagram goes all the same, and the link works again as
 * soon as the peer does.
 */
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include <fdlink/offload.h>

#include "io/changes.h"
#include "kind/agreed.h"
#include "kind/inet.h"
#include "kind/kind.h"
#include "kind/life.h"
#include "kind/socket.h"
#include "kind/told.h"
#include "os.h"

static int take_name(struct locator *loc, char *to, const char *value,
		     const struct log *log)
{
	union inet_address unused;

	(void)loc;
	if (!inet_read(value, &unused)) {
		log_say(log, FDL_LOG_ERR,
			"%.80s is no address and port: give numbers, "
			"192.0.2.1:5000 or [2001:db8::1]:5000, as names are "
			"not looked up",
			value);
		return -EINVAL;
	}
	strcpy(to, value);
	return 0;
}

/* local is of the family AF_UNSPEC where the kernel is to choose. */
static int read_both(const struct locator *loc, union inet_address *peer,
		     union inet_address *local, const struct log *log)
{
	memset(local, 0, sizeof(*local));
	inet_read(loc->name, peer);
	if (!*loc->local)
		return 0;
	inet_read(loc->local, local);
	if (local->any.sa_family == peer->any.sa_family)
		return 0;
	log_say(log, FDL_LOG_ERR,
		"udp:%s: local=%s is of the other IP version: give two "
		"addresses of one",
		loc->name, loc->local);
	return -EINVAL;
}

static int look_up(const struct locator *loc, struct fdl_info *info,
		   const struct log *log)
{
	union inet_address peer, local;

	(void)info;
	return read_both(loc, &peer, &local, log);
}

static int bind_local(int fd, const struct locator *loc,
		      const union inet_address *local, const struct log *log)
{
	int err;

	if (local->any.sa_family == AF_UNSPEC)
		return 0;
	err = os_bind(fd, &local->any, inet_size(local));
	if (err)
		log_say(log, FDL_LOG_ERR,
			"udp:%s: cannot bind to local=%s (%s)%s", loc->name,
			loc->local, strerror(-err), inet_bind_advice(err));
	return err;
}

/* A port that the kernel chose becomes free again. */
static int connect_to(int fd, const union inet_address *peer)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	int err = os_connect(fd, &peer->any, inet_size(peer));

	if (err || !inet_is_own_peer(fd))
		return err;
	os_connect(fd, &nobody, sizeof(nobody));
	return -EADDRINUSE;
}

static const char *connect_advice(int err)
{
	if (err == -EADDRINUSE)
		return ": it is the address of this end itself: give another "
		       "port, or another one as local=";
	return inet_connect_advice(err);
}

static int connect_peer(int fd, const struct locator *loc,
			const union inet_address *peer, const struct log *log)
{
	int err = connect_to(fd, peer);

	if (err)
		log_say(log, FDL_LOG_ERR, "udp:%s: cannot connect (%s)%s",
			loc->name, strerror(-err), connect_advice(err));
	return err;
}

/* One-way links have their uses. */
static void warn_of_group(const struct locator *loc,
			  const union inet_address *peer, const struct log *log)
{
	if (inet_is_group(peer))
		log_say(log, FDL_LOG_WARNING,
			"udp:%s is a multicast group: packets go to it, and "
			"none come from it; give the address of one machine "
			"for both ways",
			loc->name);
}

static int open_udp(const struct locator *loc, struct opened *opened,
		    const struct log *log)
{
	union inet_address peer, local;
	int fd, err;

	err = read_both(loc, &peer, &local, log);
	if (err)
		return err;
	warn_of_group(loc, &peer, log);
	fd = socket_open(loc, peer.any.sa_family, SOCK_DGRAM, IPPROTO_UDP, log);
	if (fd < 0)
		return fd;
	opened->fd[opened->n++] = fd;
	err = bind_local(fd, loc, &local, log);
	/* There may be no route as yet. */
	opened->unmet = loc->reconnect;
	if (!err && !opened->unmet)
		err = connect_peer(fd, loc, &peer, log);
	if (err)
		opened_undo(opened);
	return err;
}

static int meet(struct life *life, int fd)
{
	static const struct log silent;
	union inet_address peer;
	int err;

	inet_read(life->loc.name, &peer);
	err = connect_peer(fd, &life->loc, &peer, &silent);
	return err ? err : fd;
}

/* Not the sockets of ping(8), which are datagram sockets, too. UDP-Lite has the
 * options and the errors of UDP. */
static bool owns(const struct fd_facts *facts)
{
	return facts->socket && facts->type == SOCK_DGRAM &&
	       (facts->domain == AF_INET || facts->domain == AF_INET6) &&
	       (facts->protocol == IPPROTO_UDP ||
		facts->protocol == IPPROTO_UDPLITE);
}

/* How many datagrams the socket has had no room for, ever. */
static uint32_t count_drops(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	os_getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len);
	return info[SK_MEMINFO_DROPS];
}

static int set_off(struct io *io, int name)
{
	return changes_set(io->changes, io->fd, SOL_UDP, name, 0);
}

/* With UDP_ENCAP the kernel takes datagrams for IPsec and decrypts them: frames
 * would not arrive. */
static int check(int fd, const struct log *log)
{
	socklen_t len = sizeof(int);
	int encap = 0;

	os_getsockopt(fd, SOL_UDP, UDP_ENCAP, &encap, &len);
	if (!encap)
		return told_filter(fd, log);
	log_say(log, FDL_LOG_ERR,
		"fd %d is a UDP socket with UDP_ENCAP %d, by which the kernel "
		"takes datagrams for itself: give one without",
		fd, encap);
	return -EOPNOTSUPP;
}

/*
 * Send each frame in a datagram of its own. Notes (io/notes.h) tell how to take
 * apart datagrams that UDP_GRO merged. If notes may not be read, switch UDP_GRO
 * off.
 */
static int keep_apart(struct io *io, const struct set_up *how)
{
	int err = set_off(io, UDP_CORK);

	io->notes = !how->opts->max_syscall_header_bytes;
	io->bundles = io->notes;
	if (!err)
		err = set_off(io, UDP_SEGMENT);
	return err || io->notes ? err : set_off(io, UDP_GRO);
}

static int set_up(struct io *io, const struct set_up *how)
{
	int err = agreed_set_up(io, how);

	io->error_queue = true;
	atomic_store(&io->drops_seen, count_drops(io->fd));
	return err ? err : keep_apart(io, how);
}

/* The kernel's count has 32 bits. Several threads may read it at once; a thread
 * that read an older count takes back the difference. */
static void read_drops(struct io *io, int fd, struct kernel_drops *drops)
{
	const uint32_t now = count_drops(fd);
	const uint64_t before = atomic_exchange(&io->drops_seen, now);

	drops->packets += (uint64_t)(int32_t)(now - (uint32_t)before);
}

static const char no_route[] = "a packet was dropped: no route to the peer";

/* What ICMP said of a datagram that was sent. */
static const struct verdict on_receive[] = {
	{ ECONNREFUSED, DROP, COUNTERS, 0, NULL },
	{ EHOSTUNREACH, DROP, COUNTERS, 0, NULL },
	{ ENETUNREACH, DROP, COUNTERS, 0, NULL },
	{ EHOSTDOWN, DROP, COUNTERS, 0, NULL },
	{ ENONET, DROP, COUNTERS, 0, NULL },
	{ ENOPROTOOPT, DROP, COUNTERS, 0, NULL },
	{ EOPNOTSUPP, DROP, COUNTERS, 0, NULL },
	{ EPROTO, DROP, COUNTERS, 0, NULL },
	{ EACCES, DROP, COUNTERS, 0, NULL },
	{ EMSGSIZE, DROP, COUNTERS, 0, NULL },
	{ .err = 0 },
};

/* The kernel reports such an error once, to the next call. So an error is about
 * this datagram only if the kernel reports it again. */
static const struct verdict on_send[] = {
	{ ECONNREFUSED, RETRY, TX_DROP_NO_PEER, -ECONNREFUSED,
	  verdict_no_peer },
	{ EHOSTUNREACH, RETRY, TX_DROP_LINK_DOWN, -ENETDOWN, no_route },
	{ ENETUNREACH, RETRY, TX_DROP_LINK_DOWN, -ENETDOWN, no_route },
	{ EHOSTDOWN, RETRY, TX_DROP_LINK_DOWN, -ENETDOWN, no_route },
	{ ENONET, RETRY, TX_DROP_LINK_DOWN, -ENETDOWN, no_route },
	{ ENETDOWN, RETRY, TX_DROP_LINK_DOWN, -ENETDOWN, verdict_down },
	{ ENOPROTOOPT, RETRY, TX_DROP_NO_PEER, -ECONNREFUSED, verdict_no_peer },
	{ EOPNOTSUPP, RETRY, TX_DROP_NO_PEER, -ECONNREFUSED, verdict_no_peer },
	{ EPROTO, RETRY, TX_DROP_NO_PEER, -ECONNREFUSED, verdict_no_peer },
	{ EACCES, RETRY, TX_DROP_INVALID, -EINVAL,
	  "a packet was dropped: the network does not permit it" },
	{ EMSGSIZE, RETRY, TX_DROP_TOO_LONG, -EMSGSIZE,
	  "a packet was dropped: longer than the way to the peer takes" },
	{ ENOTCONN, DROP, TX_DROP_NO_PEER, -ECONNREFUSED, verdict_no_peer },
	{ EDESTADDRREQ, DROP, TX_DROP_NO_PEER, -ECONNREFUSED, verdict_no_peer },
	{ .err = 0 },
};

static const struct io_ops *const modes[] = { &io_recvmmsg, &io_readv, NULL };

const struct kind kind_udp = {
	.name = "udp",
	.number = FDL_KIND_DGRAM,
	.locator = "udp",
	.form = "HOST:PORT",
	.options = 1 << OPTION_MTU | 1 << OPTION_RECONNECT | 1 << OPTION_LOCAL,
	.medium = FDL_MEDIUM_AGREED,
	.header = HEADER_AGREED,
	.modes = modes,
	.take_name = take_name,
	.open = open_udp,
	.meet = meet,
	.look_up = look_up,
	.owns = owns,
	.check = check,
	.set_up = set_up,
	.socket = true,
	.shuts_down = true,
	.keeps_fd = true,
	.on_receive = on_receive,
	.on_send = on_send,
	.read_drops = read_drops,
};
