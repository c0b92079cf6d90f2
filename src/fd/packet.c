/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

#include "fd/open.h"
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
	int got = 0;
	socklen_t len = sizeof(got);

	if (!loc->rcvbuf ||
	    os_getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len) ||
	    (uint32_t)got / 2 >= loc->rcvbuf)
		return;
	log_say(log, FDL_LOG_WARNING,
		"packet:%s: the receive buffer is %d bytes, not rcvbuf=%u: run "
		"as root, or raise net.core.rmem_max",
		loc->name, got / 2, loc->rcvbuf);
}

static int set_up_socket(int fd, const struct locator *loc, bool muted,
			 const struct log *log)
{
	int err, ifindex;

	err = find_interface(fd, loc->name, &ifindex, log);
	if (!err && muted)
		err = mute(fd);
	if (!err)
		err = set_options(fd, loc, ifindex, log);
	if (!err)
		err = bind_to(fd, loc->name, ifindex, log);
	return err;
}

/* Returns the socket. */
static int open_member(const struct locator *loc, bool muted,
		       const struct log *log)
{
	int err, fd = open_socket(loc->name, log);

	if (fd < 0)
		return fd;
	raise_send_buffer(fd);
	raise_receive_buffer(fd, loc->rcvbuf ? loc->rcvbuf : SOCKET_BUFFER);
	err = set_up_socket(fd, loc, muted, log);
	if (!err)
		return fd;
	os_close(fd);
	return err;
}

static int open_sockets(const struct locator *loc, struct opened *opened,
			const struct log *log)
{
	unsigned i;
	int fd;

	for (i = 0; i < loc->queues; i++) {
		fd = open_member(loc, loc->queues > 1, log);
		if (fd < 0)
			return fd;
		opened->fd[opened->n++] = fd;
	}
	return 0;
}

/*
 * The second socket of mode adaptive, in a group of its own with the first: of
 * the two, which the kernel numbers as they were opened, the first is used until
 * the mode says otherwise.
 */
static int open_second(const struct locator *loc, struct opened *opened,
		       const struct log *log)
{
	struct sock_filter first = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = { .len = 1, .filter = &first };
	const struct fanout pair = { .how = FDL_FANOUT_CBPF,
				     .outgoing = loc->fanout.outgoing,
				     .program = &program };
	int err, fd = open_member(loc, true, log);

	if (fd < 0)
		return fd;
	opened->fd[1] = fd;
	err = fanout_join(opened->fd, 2, &pair, loc->name, log);
	if (!err)
		err = unmute(fd);
	if (err)
		os_close(fd);
	opened->pair = !err;
	return err;
}

/* What auto does without, as it then chooses another mode, it does not ask for
 * twice. */
static int make_pair(const struct locator *loc, struct opened *opened,
		     const struct log *log)
{
	const struct log silent = { NULL, NULL };

	if (loc->mode == FDL_MODE_ADAPTIVE)
		return open_second(loc, opened, log);
	if (loc->mode == FDL_MODE_AUTO)
		open_second(loc, opened, &silent);
	return 0;
}

static int make_group(const struct locator *loc, const struct opened *opened,
		      const struct log *log)
{
	unsigned i;
	int err;

	err = fanout_join(opened->fd, opened->n, &loc->fanout, loc->name, log);
	for (i = 0; !err && i < opened->n; i++)
		err = unmute(opened->fd[i]);
	return err;
}

int open_packet(const struct locator *loc, struct opened *opened,
		const struct log *log)
{
	int err = open_sockets(loc, opened, log);

	if (!err)
		err = opened->n > 1 ? make_group(loc, opened, log) :
				      make_pair(loc, opened, log);
	if (err)
		opened_undo(opened);
	else
		check_buffer(opened->fd[0], loc, log);
	return err;
}
