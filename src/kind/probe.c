/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all fds can be asked, so that a kind can tell its own; what the rest are
 * is said in words.
 */
#include "kind/probe.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "kind/table.h"
#include "limit.h"
#include "os.h"

static int get_int(int fd, int level, int name, int *value)
{
	socklen_t len = sizeof(*value);

	return os_getsockopt(fd, level, name, value, &len);
}

/* With its article, for some that are given by mistake. */
static const char *family_name(int domain, int type)
{
	static const struct {
		int domain;
		int type;	/* 0: any */
		const char *name;
	} families[] = {
		{ AF_INET, SOCK_DGRAM, "a non-UDP IPv4" },
		{ AF_INET6, SOCK_DGRAM, "a non-UDP IPv6" },
		{ AF_INET, 0, "a raw IPv4" },
		{ AF_INET6, 0, "a raw IPv6" },
		{ AF_NETLINK, 0, "a netlink" },
		{ AF_CAN, 0, "a CAN" },
		{ AF_ALG, 0, "an AF_ALG" },
		{ AF_XDP, 0, "an AF_XDP" },
	};
	size_t i;

	for (i = 0; i < sizeof(families) / sizeof(*families); i++)
		if (families[i].domain == domain &&
		    (!families[i].type || families[i].type == type))
			return families[i].name;
	return NULL;
}

static void say_family(int fd, int domain, int type, const struct log *log)
{
	const char *name = family_name(domain, type);

	if (name)
		log_say(log, FDL_LOG_ERR,
			"fd %d is %s socket, which carries no link: use a "
			"seqpacket, datagram or AF_PACKET raw socket",
			fd, name);
	else
		log_say(log, FDL_LOG_ERR,
			"fd %d is a socket of family %d and type %d, which "
			"carries no link: use a seqpacket, datagram or "
			"AF_PACKET raw socket",
			fd, domain, type);
}

static int refuse_socket(int fd, int domain, int type, const struct log *log)
{
	if (type == SOCK_STREAM)
		log_say(log, FDL_LOG_ERR,
			"fd %d is a stream socket, which keeps no packet "
			"boundaries: use a seqpacket or datagram socket",
			fd);
	else if (domain == AF_PACKET)
		log_say(log, FDL_LOG_ERR,
			"fd %d is an AF_PACKET socket of type SOCK_DGRAM, "
			"which hides the link header: use SOCK_RAW",
			fd);
	else
		say_family(fd, domain, type, log);
	return -EPROTOTYPE;
}

static int look_at_socket(struct fd_facts *facts, bool *listening,
			  const struct log *log)
{
	int accepts = 0, err;

	facts->socket = true;
	err = get_int(facts->fd, SOL_SOCKET, SO_DOMAIN, &facts->domain);
	if (!err)
		err = get_int(facts->fd, SOL_SOCKET, SO_TYPE, &facts->type);
	if (!err)
		err = get_int(facts->fd, SOL_SOCKET, SO_PROTOCOL,
			      &facts->protocol);
	if (!err)
		err = get_int(facts->fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts);
	if (err)
		log_say(log, FDL_LOG_ERR, "fd %d: cannot ask the socket: %s",
			facts->fd, strerror(-err));
	*listening = accepts;
	return err;
}

static int probe_socket(struct fd_facts *facts, const struct kind **kind,
			const struct log *log)
{
	bool listening;
	int err = look_at_socket(facts, &listening, log);

	if (err)
		return err;
	*kind = kind_owning(facts);
	if (!*kind)
		return refuse_socket(facts->fd, facts->domain, facts->type,
				     log);
	if (!listening)
		return 0;
	log_say(log, FDL_LOG_ERR,
		"fd %d is a listening socket: accept(2) a connection and use "
		"that, or open it by its locator, fd:%d",
		facts->fd, facts->fd);
	return -EPROTOTYPE;
}

static int say_detached(int fd, const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"fd %d is a TUN/TAP fd without a device, which was "
		"deleted or never attached: attach one by TUNSETIFF",
		fd);
	return -ENODEV;
}

static int probe_chardev(struct fd_facts *facts, const struct kind **kind,
			 const struct log *log)
{
	int err = os_ioctl(facts->fd, TUNGETIFF, &facts->tun);

	if (err == -EBADFD || err == -ENOLINK)
		return say_detached(facts->fd, log);
	if (err == -EACCES || err == -EPERM) {
		log_say(log, FDL_LOG_ERR,
			"fd %d: not permitted to ask whether it is a TUN or "
			"TAP (%s): see what confines this process",
			facts->fd, strerror(-err));
		return err;
	}
	*kind = err < 0 ? NULL : kind_owning(facts);
	if (*kind)
		return 0;
	log_say(log, FDL_LOG_ERR,
		"fd %d is a character device, but no TUN or TAP: "
		"open /dev/net/tun for one",
		facts->fd);
	return -EPROTOTYPE;
}

static const char *file_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFIFO:
		return "pipe";
	case S_IFDIR:
		return "directory";
	case S_IFBLK:
		return "block device";
	case S_IFREG:
		return "file";
	default:
		/* An eventfd, a timerfd, an epoll set ... */
		return "kernel object, such as an eventfd,";
	}
}

static int refuse_file(int fd, mode_t mode, const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"fd %d is a %s which carries no packets: use a TUN, a TAP, or "
		"a seqpacket, datagram or AF_PACKET socket",
		fd, file_name(mode));
	return -EPROTOTYPE;
}

static int find_kind(struct fd_facts *facts, const struct kind **kind,
		     const struct log *log)
{
	mode_t mode;
	int err = os_stat_mode(facts->fd, &mode);

	if (err) {
		log_say(log, FDL_LOG_ERR,
			err == -EBADF ?
				"fd %d is not open: give one that is (%s)" :
				"fd %d cannot be looked at: %s",
			facts->fd, strerror(-err));
		return err;
	}
	if (S_ISSOCK(mode))
		return probe_socket(facts, kind, log);
	if (S_ISCHR(mode))
		return probe_chardev(facts, kind, log);
	return refuse_file(facts->fd, mode, log);
}

void info_begin(struct fdl_info *info, const struct kind *kind)
{
	memset(info, 0, sizeof(*info));
	info->kind = kind->number;
	info->kind_name = kind->name;
	info->medium = kind->medium;
	info->ethernet = kind->medium == FDL_MEDIUM_ETHERNET;
	info->queues = 1;
}

int probe_fd(int fd, const struct kind **kind, struct fdl_info *info,
	     const struct log *log)
{
	struct fd_facts facts = { .fd = fd };
	int err = find_kind(&facts, kind, log);

	memset(info, 0, sizeof(*info));
	if (err)
		return err;
	info_begin(info, *kind);
	return (*kind)->probe ? (*kind)->probe(&facts, info, log) : 0;
}

int fdl_probe_fd(int fd, struct fdl_info *info, size_t size,
		 void (*log)(void *ctx, int level, const char *msg), void *ctx)
{
	const struct log to = { log, ctx };
	const struct kind *kind;
	struct limit_log limit;
	struct fdl_info found;
	char name[16];
	int err;

	snprintf(name, sizeof(name), "fd %d", fd);
	limit_begin(&limit, &to);
	err = probe_fd(fd, &kind, &found, &limit.log);
	limit_end(&limit, err, name, 0);
	if (!err)
		info_give(info, size, &found);
	return err;
}

void info_give(struct fdl_info *info, size_t size, const struct fdl_info *found)
{
	size_t n = size < sizeof(*found) ? size : sizeof(*found);

	memset(info, 0, size);
	memcpy(info, found, n);
}
