/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/life.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "fd/path.h"
#include "kind/inet.h"
#include "kind/kind.h"
#include "limit.h"
#include "os.h"

/* The caller's program may be gone when it is needed: keep a copy. */
static int keep_program(struct life *life)
{
	const struct sock_fprog *given = life->loc.fanout.program;
	size_t size;

	if (!given)
		return 0;
	size = given->len * sizeof(*given->filter);
	life->program = *given;
	life->program.filter = malloc(size);
	if (!life->program.filter)
		return -ENOMEM;
	memcpy(life->program.filter, given->filter, size);
	life->loc.fanout.program = &life->program;
	return 0;
}

/* The process may change its directory (daemon(3) does). A path that then is
 * longer than an address takes stays relative. */
static int keep_path(struct life *life)
{
	const size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (!life->loc.is_path)
		return 0;
	life->path = path_absolute(life->loc.name);
	if (!life->path)
		return -ENOMEM;
	if (strlen(life->path) > max) {
		free(life->path);
		life->path = NULL;
	}
	return 0;
}

const char *life_path(const struct life *life)
{
	return life->path ? life->path : life->loc.name;
}

int life_new(struct life **out, const struct locator *loc,
	     const struct kind *kind, const struct opened *opened,
	     const struct outside *outside, const struct log *log)
{
	struct life *life = calloc(1, sizeof(*life));
	int err;

	if (!life)
		return -ENOMEM;
	life->loc = *loc;
	life->kind = kind;
	life->lasts = loc->reconnect || opened->lasts;
	life->listener = opened->bound.kept ? opened->bound.listener : -1;
	life->lent = opened->bound.lent;
	life->calling = -1;
	life->log = *log;
	life->batch = (struct batch){ .loc = &life->loc,
				      .kind = kind,
				      .log = &life->log,
				      .outside = *outside,
				      .made = opened->made };
	pthread_mutex_init(&life->lock, NULL);
	err = batch_begin(&life->batch);
	if (!err)
		err = keep_program(life);
	if (!err)
		err = keep_path(life);
	if (err) {
		life_free(life);
		return err;
	}
	*out = life;
	return 0;
}

void life_free(struct life *life)
{
	if (!life)
		return;
	if (life->calling >= 0)
		os_close(life->calling);
	batch_end(&life->batch);
	free(life->program.filter);
	free(life->path);
	pthread_mutex_destroy(&life->lock);
	free(life);
}

/* Other holders of the listener may have made it blocking. */
static bool is_awaited(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	return os_poll(&p, 1, 0) > 0;
}

int life_accept(struct life *life)
{
	int fd;

	if (life->lent && !is_awaited(life->listener))
		return -EAGAIN;
	fd = os_accept(life->listener);
	if (fd < 0 && !life->told)
		life->told = limit_warn(&life->log, fd, life->loc.name,
					"a peer waits and cannot be accepted");
	if (fd < 0)
		return fd;
	life->told = false;
	raise_buffers(fd);
	return fd;
}

static int start_call(struct life *life, int family, int type)
{
	int fd = os_socket(family, type | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fd;
	raise_buffers(fd);
	life->calling = fd;
	return 0;
}

int life_call(struct life *life, const struct sockaddr *address, socklen_t len,
	      int type)
{
	int fd, err = 0;

	if (life->calling < 0)
		err = start_call(life, address->sa_family, type);
	if (err)
		return err;
	fd = life->calling;
	err = os_connect(fd, address, len);
	if (inet_is_own_peer(fd))
		err = -ECONNREFUSED;
	if (err == -EINPROGRESS || err == -EALREADY)
		return -EINPROGRESS;
	life->calling = -1;
	if (!err)
		return fd;
	inet_leave_no_trace(fd);
	os_close(fd);
	return err == -EAGAIN ? -EBUSY : err;
}

int life_meet(struct life *life, unsigned queue, int fd,
	      struct io_group **group)
{
	*group = NULL;
	if (life->loc.kind->meet)
		return life->loc.kind->meet(life, fd);
	pthread_mutex_lock(&life->lock);
	fd = batch_take(&life->batch, queue, group);
	pthread_mutex_unlock(&life->lock);
	return fd;
}

void life_return(struct life *life, unsigned queue, int fd, int err)
{
	if (life->loc.kind->meet) {
		os_close(fd);
		return;
	}
	pthread_mutex_lock(&life->lock);
	batch_return(&life->batch, queue, fd, err);
	pthread_mutex_unlock(&life->lock);
}

/* The only peer has its place. */
static void shut_out_others(const struct life *life)
{
	if (life->listener >= 0 && !life->lasts && !life->lent)
		bound_shut(life->listener);
}

unsigned life_settle(struct life *life, unsigned queue, int fd)
{
	unsigned number;

	if (life->loc.kind->meet) {
		shut_out_others(life);
		return 0;
	}
	pthread_mutex_lock(&life->lock);
	batch_settle(&life->batch, queue, fd);
	number = life->batch.number;
	pthread_mutex_unlock(&life->lock);
	return number;
}
