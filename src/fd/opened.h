/* SPDX-License-Identifier: Apache-2.0 */
/* One opener per kind of locator. */
#ifndef FDL_FD_OPENED_H
#define FDL_FD_OPENED_H

#include <sys/socket.h>

#include <fdlink/open.h>

#include "fd/link.h"
#include "fd/locator.h"
#include "log.h"

enum {
	/* Room for some thousand frames: the kernel's default holds about 90
	 * of full length. */
	SOCKET_BUFFER = 4 << 20,
};

/* What an opener made: fd[0..n), of one link. */
struct opened {
	unsigned n;
	int fd[LOCATOR_MAX_QUEUES];
	bool paired;   /* fd[n..2n) are mode adaptive's spare sockets */
	bool no_outgoing; /* as struct own_sockets (endpoint.h) */
	bool borrowed; /* the fds are not ours to close */
	char *path;    /* bound by us, malloc'd; NULL: none */
};

/*
 * Open what the locator says, in the calling thread's network namespace. On
 * failure one sentence is logged and nothing is left behind. Errors: as
 * fdl_open.
 */
int open_tun(const struct locator *loc, struct opened *opened,
	     const struct log *log);
int open_packet(const struct locator *loc, struct opened *opened,
		const struct log *log);
int open_unix(const struct locator *loc, struct opened *opened,
	      const struct log *log);
int open_fd(const struct locator *loc, struct opened *opened,
	    const struct log *log);

/* Why no spare sockets are opened for mode adaptive, as the end of a sentence;
 * NULL: they are. */
const char *packet_pair_refusal(const struct locator *loc);

/* Close and unlink what is ours. */
void opened_undo(struct opened *opened);

/*
 * Say what opening would give, changing nothing. Logs and errors: as fdl_probe.
 */
int probe_device(const struct locator *loc, struct fdl_info *info,
		 const struct log *log);
int probe_unix(const struct locator *loc, struct fdl_info *info,
	       const struct log *log);

/*
 * The fd that systemd passed under a name (sd_listen_fds(3)); the first, if
 * there are several. The environment stays as it is.
 * Errors: -ENOENT, logged.
 */
int inherited_fd(const char *name, const struct log *log);

/*
 * -EINVAL, and a sentence, when the device is no TAP (TUN) and the locator
 * wants one.
 */
int check_tun_kind(const struct locator *loc, const struct link *link,
		   const struct log *log);

/* Best effort: SOCKET_BUFFER bytes for SO_SNDBUF, so many for SO_RCVBUF. */
void raise_send_buffer(int fd);
void raise_receive_buffer(int fd, uint32_t size);

#endif
