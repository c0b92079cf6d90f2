/* SPDX-License-Identifier: Apache-2.0 */
/* AF_PACKET sockets on an interface, one per queue, and their group. */
#include "kind/packet_open.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#include "io/steer.h"
#include "kind/fanout.h"
#include "kind/lookup.h"
#include "limit.h"
#include "os.h"

static int find_interface(int fd, const char *name, int *ifindex,
			  const struct log *log)
{
	struct ifreq ifr = { 0 };
	int err;

	strcpy(ifr.ifr_name, name);
	err = os_ioctl(fd, SIOCGIFINDEX, &ifr);
	if (!err) {
		*ifindex = ifr.ifr_ifindex;
		return 0;
	}
	log_say(log, FDL_LOG_ERR,
		err == -ENODEV ?
			"packet:%s: no such interface (%s): see 'ip link'" :
			"packet:%s: cannot look the interface up: %s",
		name, strerror(-err));
	return err;
}

static int set_options(int fd, const struct locator *loc, int ifindex,
		       const struct log *log)
{
	const struct packet_mreq all = { .mr_ifindex = ifindex,
					 .mr_type = PACKET_MR_PROMISC };
	const int on = 1;
	int err = 0;

	if (!loc->fanout.outgoing)
		err = os_setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on,
				    sizeof(on));
	if (!err && loc->promisc)
		err = os_setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all,
				    sizeof(all));
	if (err)
		log_say(log, FDL_LOG_ERR,
			"packet:%s: cannot set the socket's options%s: %s",
			loc->name, loc->promisc ? " (promisc)" : "",
			strerror(-err));
	return err;
}

/* Last: from here on packets are queued, of this interface alone. */
static int bind_to(int fd, const char *name, int ifindex, const struct log *log)
{
	const struct sockaddr_ll sll = { .sll_family = AF_PACKET,
					 .sll_protocol = htons(ETH_P_ALL),
					 .sll_ifindex = ifindex };
	int err;

	err = os_bind(fd, (const struct sockaddr *)&sll, sizeof(sll));
	if (err)
		log_say(log, FDL_LOG_ERR,
			"packet:%s: cannot bind to the interface: %s", name,
			strerror(-err));
	return err;
}

/* What a socket is to be. */
enum role {
	ALONE,
	MEMBER,		/* of a group, once it is whole */
	SPARE,		/* the same, but bound only when it is needed */
};

static int open_socket(const char *name, const struct log *log)
{
	/* Protocol 0: nothing is queued before bind says of which device. */
	int fd = os_socket(AF_PACKET, SOCK_RAW, 0);

	if (fd >= 0)
		return fd;
	log_say(log, FDL_LOG_ERR,
		fd == -EPERM || fd == -EACCES ?
			"packet:%s: not permitted to open an AF_PACKET socket (%s): "
			"run as root or with CAP_NET_RAW" :
			"packet:%s: cannot open an AF_PACKET socket: %s",
		name, strerror(-fd));
	return fd;
}

/*
 * Between bind and the last one's joining a group each socket would get every
 * packet: none gets any till then.
 */
static int mute(int fd)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog drop_all = { .len = 1, .filter = &none };

	return os_setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &drop_all,
			     sizeof(drop_all));
}

static int unmute(int fd)
{
	const int unused = 0;

	return os_setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused,
			     sizeof(unused));
}

static void check_buffer(int fd, const struct locator *loc,
			 const struct log *log)
{
	const uint32_t wanted = loc->rcvbuf ? loc->rcvbuf : SOCKET_BUFFER;
	int got = 0;
	socklen_t len = sizeof(got);

	if (os_getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len) ||
	    (uint32_t)got / 2 >= wanted)
		return;
	log_say(log, FDL_LOG_WARNING,
		"packet:%s: the receive buffer is %d bytes, not %s%u: run as "
		"root, raise net.core.rmem_max, or ask for less by rcvbuf=",
		loc->name, got / 2, loc->rcvbuf ? "rcvbuf=" : "", wanted);
}

static int set_up_socket(int fd, const struct locator *loc, enum role role,
			 const struct log *log)
{
	int err, ifindex;

	err = find_interface(fd, loc->name, &ifindex, log);
	if (!err && role != ALONE)
		err = mute(fd);
	if (!err)
		err = set_options(fd, loc, ifindex, log);
	if (!err && role != SPARE)
		err = bind_to(fd, loc->name, ifindex, log);
	return err;
}

/* Returns the socket. */
static int open_one(const struct locator *loc, enum role role,
		    const struct log *log)
{
	int err, fd = open_socket(loc->name, log);

	if (fd < 0)
		return fd;
	raise_send_buffer(fd);
	raise_receive_buffer(fd, loc->rcvbuf ? loc->rcvbuf : SOCKET_BUFFER);
	err = set_up_socket(fd, loc, role, log);
	if (!err)
		return fd;
	os_close(fd);
	return err;
}

/* Into fd[0..n), of which those that are open count in *opened, on failure
 * too. */
static int open_some(const struct locator *loc, int *fd, unsigned *opened,
		     enum role role, const struct log *log)
{
	unsigned i;

	for (i = 0; i < loc->queues; i++) {
		fd[i] = open_one(loc, role, log);
		if (fd[i] < 0)
			return fd[i];
		++*opened;
	}
	return 0;
}

/*
 * What the first ones got as a group may still be on its way to one that joined
 * after them. The kernel closes an AF_PACKET socket, any, only when no packet
 * is on its way (packet_release, net/packet/af_packet.c).
 */
static int await_packets(const char *name, const struct log *log)
{
	const int fd = open_socket(name, log);

	if (fd < 0)
		return fd;
	os_close(fd);
	return 0;
}

int packet_join(const int *fd, unsigned n, const struct fanout *fanout,
		bool muted, const char *name, const struct log *log)
{
	unsigned i;
	int err;

	err = fanout_join(fd, n, fanout, name, log);
	if (!err && muted && n > 1)
		err = await_packets(name, log);
	for (i = 0; !err && muted && i < n; i++)
		err = unmute(fd[i]);
	return err;
}

static int open_plain(const struct locator *loc, struct opened *opened,
		      const struct log *log)
{
	const bool alone = loc->queues == 1;
	int err;

	err = open_some(loc, opened->fd, &opened->n, alone ? ALONE : MEMBER,
			log);
	if (err || alone)
		return err;
	if (loc->mode == FDL_MODE_PACKET_MMAP) {
		opened->group = &loc->fanout;
		return 0;
	}
	return packet_join(opened->fd, opened->n, &loc->fanout, true, loc->name,
			   log);
}

static int make_steered_group(const struct locator *loc,
			      const struct opened *opened,
			      const struct log *log)
{
	uint8_t member[STEER_MAX_QUEUES];
	struct steer_program p;
	struct sock_fprog program = { .filter = p.code };
	const struct fanout fanout = { .how = FDL_FANOUT_CBPF,
				       .outgoing = loc->fanout.outgoing,
				       .program = &program };
	unsigned i;

	for (i = 0; i < loc->queues; i++)
		member[i] = (uint8_t)i;
	steer_make(&p, loc->queues, member);
	program.len = p.n;
	return packet_join(opened->fd, opened->n, &fanout, true, loc->name,
			   log);
}

/* Each queue's socket, in a group though it be the only one, and then as many
 * that the mode has enter it as they are needed. */
static int open_pairs(const struct locator *loc, struct opened *opened,
		      const struct log *log)
{
	unsigned spares = 0;
	int err;

	err = open_some(loc, opened->fd, &opened->n, MEMBER, log);
	if (!err)
		err = make_steered_group(loc, opened, log);
	if (err)
		return err;
	err = open_some(loc, opened->fd + opened->n, &spares, SPARE, log);
	opened->paired = !err;
	while (err && spares > 0)
		os_close(opened->fd[opened->n + --spares]);
	return err;
}

const char *packet_pair_refusal(const struct locator *loc)
{
	if (loc->queues == 1)
		return NULL;
	if (loc->queues > STEER_MAX_QUEUES)
		return "more than 128 queues need more than the 256 sockets "
		       "that the kernel takes into a group";
	if (loc->fanout.rollover)
		return "rollover would pass packets on to the socket of a "
		       "queue that is not in use: leave it out";
	if (loc->fanout.how != FDL_FANOUT_HASH &&
	    loc->fanout.how != FDL_FANOUT_AUTO)
		return "it has several queues by fanout=hash only, as a "
		       "packet's flow must tell its queue";
	return NULL;
}

static int open_adaptive(const struct locator *loc, struct opened *opened,
			 const struct log *log)
{
	const char *why = packet_pair_refusal(loc);

	if (!why)
		return open_pairs(loc, opened, log);
	log_say(log, FDL_LOG_ERR, "packet:%s: mode adaptive cannot be used: %s",
		loc->name, why);
	return -EINVAL;
}

/* What auto does without, as it then chooses another mode, it does not tell of:
 * a socket that is in a group already is opened anew. */
static int open_best(const struct locator *loc, struct opened *opened,
		     const struct log *log)
{
	const struct log silent = { NULL, NULL };

	if (!packet_pair_refusal(loc) && !open_pairs(loc, opened, &silent))
		return 0;
	opened_undo(opened);
	return open_plain(loc, opened, log);
}

static int open_sockets(const struct locator *loc, struct opened *opened,
			const struct log *log)
{
	int err;

	if (loc->mode == FDL_MODE_ADAPTIVE)
		err = open_adaptive(loc, opened, log);
	else if (loc->mode == FDL_MODE_AUTO)
		err = open_best(loc, opened, log);
	else
		err = open_plain(loc, opened, log);
	opened->no_outgoing = !loc->fanout.outgoing;
	if (err)
		opened_undo(opened);
	else
		check_buffer(opened->fd[0], loc, log);
	return err;
}

/* Without its device a socket is refused for reasons of many kinds, and without
 * a privilege before anybody looks for the device. */
static bool is_gone(const struct locator *loc)
{
	const struct log silent = { NULL, NULL };
	struct link link;

	return lookup_link(loc, &link, NULL, &silent) == -ENODEV;
}

int packet_open(const struct locator *loc, struct opened *opened,
		const struct log *log)
{
	struct limit_log held;
	int err;

	limit_begin(&held, log);
	err = open_sockets(loc, opened, &held.log);
	if (err && err != -ENODEV && is_gone(loc)) {
		limit_forget(&held);
		log_say(log, FDL_LOG_ERR,
			"packet:%s: no such interface (%s): see 'ip link'",
			loc->name, strerror(-ENODEV));
		err = -ENODEV;
	}
	limit_release(&held);
	return err;
}
