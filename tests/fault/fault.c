/* SPDX-License-Identifier: Apache-2.0 */
/* Which call is to fail, and what has been called. */
#include "fault.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "plan.h"

enum { MOST_REFUSED = 4 };

struct refusal {
	enum fault what;
	unsigned on;
	int err;
};

/* The wrapped functions have no argument that could carry this. The library has
 * threads of its own now and then. */
static struct {
	pthread_mutex_t lock;
	enum fault what, last;
	unsigned on, seen, nth, times;
	int err;
	unsigned refusals;
	struct refusal refused[MOST_REFUSED];
	int held;		/* for the next call to tell */
	bool hit, paused;
	struct fault_usage usage;
	struct fault_trace *trace;
	void (*wait)(void *arg);
	void *wait_arg;
	int64_t now_us, step_us, ahead_us;
} plan = { .lock = PTHREAD_MUTEX_INITIALIZER, .what = FAULTS };

static void lock(void)
{
	pthread_mutex_lock(&plan.lock);
}

static void unlock(void)
{
	pthread_mutex_unlock(&plan.lock);
}

void fault_set_on(enum fault what, unsigned on, unsigned nth, unsigned times,
		  int err)
{
	lock();
	plan.what = what;
	plan.on = on;
	plan.seen = 0;
	plan.nth = nth;
	plan.times = times;
	plan.err = err;
	plan.held = 0;
	plan.hit = plan.paused = false;
	unlock();
}

void fault_set(enum fault what, unsigned nth, unsigned times, int err)
{
	fault_set_on(what, ON_ANY, nth, times, err);
}

void fault_refuse(enum fault what, unsigned on, int err)
{
	lock();
	if (what == FAULTS)
		plan.refusals = 0;
	else if (plan.refusals < MOST_REFUSED)
		plan.refused[plan.refusals++] = (struct refusal){ what, on,
								  err };
	unlock();
}

bool fault_hit(void)
{
	bool hit;

	lock();
	hit = plan.hit;
	unlock();
	return hit;
}

bool fault_pause(bool pause)
{
	bool was;

	lock();
	was = plan.paused;
	plan.paused = pause;
	unlock();
	return was;
}

bool fault_clear(void)
{
	const bool hit = fault_hit();

	fault_set(FAULTS, 0, 0, 0);
	return hit;
}

enum fault fault_last(void)
{
	return plan.last;
}

const char *fault_name(enum fault what)
{
	static const char *const names[FAULTS] = {
		[FAULT_OPEN] = "os_open",
		[FAULT_CLOSE] = "os_close",
		[FAULT_DUP] = "os_dup",
		[FAULT_DUP_TO] = "os_dup_to",
		[FAULT_STAT_MODE] = "os_stat_mode",
		[FAULT_INODE] = "os_inode",
		[FAULT_SAME_FILE] = "os_same_file",
		[FAULT_PATH_MODE] = "os_path_mode",
		[FAULT_DIRECTORY] = "os_directory",
		[FAULT_FILE] = "os_file",
		[FAULT_LOCK] = "os_lock",
		[FAULT_GET_FLAGS] = "os_get_flags",
		[FAULT_SET_FLAGS] = "os_set_flags",
		[FAULT_LOCK_BYTE] = "os_lock_byte",
		[FAULT_HAS_LOCK] = "os_has_lock",
		[FAULT_IOCTL] = "os_ioctl",
		[FAULT_UNLINK] = "os_unlink",
		[FAULT_READ] = "os_read",
		[FAULT_WRITEV] = "os_writev",
		[FAULT_SOCKET] = "os_socket",
		[FAULT_SOCKETPAIR] = "os_socketpair",
		[FAULT_BIND] = "os_bind",
		[FAULT_CONNECT] = "os_connect",
		[FAULT_LISTEN] = "os_listen",
		[FAULT_ACCEPT] = "os_accept",
		[FAULT_SHUTDOWN] = "os_shutdown",
		[FAULT_GETSOCKNAME] = "os_getsockname",
		[FAULT_GETPEERNAME] = "os_getpeername",
		[FAULT_GETSOCKOPT] = "os_getsockopt",
		[FAULT_SETSOCKOPT] = "os_setsockopt",
		[FAULT_RECV] = "os_recv",
		[FAULT_RECVMSG] = "os_recvmsg",
		[FAULT_RECVMMSG] = "os_recvmmsg",
		[FAULT_SENDMSG] = "os_sendmsg",
		[FAULT_POLL] = "os_poll",
		[FAULT_EPOLL_CREATE] = "os_epoll_create",
		[FAULT_EPOLL_CTL] = "os_epoll_ctl",
		[FAULT_EPOLL_WAIT] = "os_epoll_wait",
		[FAULT_EVENTFD] = "os_eventfd",
		[FAULT_TIMERFD] = "os_timerfd",
		[FAULT_TIMERFD_SET] = "os_timerfd_set",
		[FAULT_MAP] = "os_map",
		[FAULT_MALLOC] = "malloc",
		[FAULT_MAP_FD] = "os_map_fd",
		[FAULT_MOVE_MAP] = "os_move_map",
		[FAULT_MAP_OVER] = "os_map_over",
		[FAULT_MEMORY_FILE] = "os_memory_file",
		[FAULT_SETNS] = "os_setns",
		[FAULT_THREAD] = "pthread_create",
	};

	return what < FAULTS ? names[what] : "any call";
}

struct fault_usage fault_usage(void)
{
	struct fault_usage usage;

	lock();
	usage = plan.usage;
	unlock();
	return usage;
}

void fault_trace(struct fault_trace *trace)
{
	lock();
	plan.trace = trace;
	if (trace)
		trace->n = 0;
	unlock();
}

size_t fault_traced(void)
{
	size_t n;

	lock();
	n = plan.trace ? plan.trace->n : 0;
	unlock();
	return n;
}

void fault_on_wait(void (*fn)(void *arg), void *arg)
{
	lock();
	plan.wait = fn;
	plan.wait_arg = arg;
	unlock();
}

void plan_wait(void)
{
	void (*fn)(void *);
	void *arg;

	lock();
	fn = plan.wait;
	arg = plan.wait_arg;
	plan.wait = NULL;
	unlock();
	if (fn)
		fn(arg);
}

void fault_hurry(int64_t step_us)
{
	lock();
	plan.step_us = step_us;
	unlock();
}

int64_t plan_clock(int64_t now_us)
{
	lock();
	if (plan.step_us)
		plan.ahead_us = plan.now_us + plan.step_us - now_us;
	now_us += plan.ahead_us;
	plan.now_us = now_us;
	unlock();
	return now_us;
}

void plan_add(long blocks, long bytes, long threads)
{
	lock();
	plan.usage.blocks += blocks;
	plan.usage.bytes += bytes;
	plan.usage.threads += threads;
	unlock();
}

static unsigned what_socket(int fd)
{
	int domain = 0, type = 0;
	socklen_t len = sizeof(int);

	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	if (domain == AF_PACKET)
		return ON_PACKET;
	if (domain == AF_NETLINK)
		return ON_NETLINK;
	if (type == SOCK_STREAM)
		return ON_STREAM;
	if (domain != AF_UNIX)
		return ON_UDP;
	return type == SOCK_DGRAM ? ON_DGRAM : ON_SEQPACKET;
}

static unsigned what_fd(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return ON_OTHER;
	if (S_ISSOCK(st.st_mode))
		return what_socket(fd);
	if (S_ISCHR(st.st_mode))
		return ON_TUN;
	return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? ON_FILE : ON_OTHER;
}

static void note(enum fault what, unsigned on)
{
	struct fault_trace *t = plan.trace;

	if (t && t->n < sizeof(t->call) / sizeof(t->call[0]))
		t->call[t->n++] = (struct fault_note){ what, on };
}

/* Under the lock. */
static int is_refused(enum fault what, unsigned on)
{
	const struct refusal *r = plan.refused;

	for (; r < plan.refused + plan.refusals; r++)
		if (r->what == what && (r->on == ON_ANY || r->on == on))
			return -r->err;
	return 0;
}

static int decide(enum fault what, unsigned on)
{
	if (plan.paused)
		return 0;
	plan.usage.calls++;
	note(what, on);
	if (plan.times == 0 || (plan.what != FAULT_ANY && plan.what != what) ||
	    (plan.on != ON_ANY && plan.on != on))
		return is_refused(what, on);
	plan.seen++;
	if (plan.seen < plan.nth || plan.seen - plan.nth >= plan.times)
		return is_refused(what, on);
	plan.hit = true;
	plan.last = what;
	return -plan.err;
}

int plan_now(enum fault what, unsigned on)
{
	int fate;

	lock();
	fate = decide(what, on);
	unlock();
	return fate;
}

int plan_now_fd(enum fault what, int fd)
{
	int fate;

	lock();
	fate = decide(what, plan.on != ON_ANY || plan.trace || plan.refusals ?
				    what_fd(fd) :
				    0);
	unlock();
	return fate;
}

int plan_held(void)
{
	int held;

	lock();
	held = plan.held;
	plan.held = 0;
	unlock();
	return held;
}

void plan_hold(int err)
{
	lock();
	plan.held = err;
	unlock();
}

void plan_closed(int result)
{
	lock();
	plan.usage.wrong += result < 0;
	unlock();
}
