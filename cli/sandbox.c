/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#ifdef HAVE_CAP_NG
#include <cap-ng.h>
#endif
#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

const char *sandbox_missing(void)
{
	return ""
#ifndef HAVE_CAP_NG
	       " libcap-ng"
#endif
#ifndef HAVE_SECCOMP
	       " libseccomp"
#endif
		;
}

bool sandbox_find_user(struct sandbox_user *user, const char *name)
{
	const struct passwd *entry = getpwnam(name);

	if (!entry)
		return false;
	user->name = name;
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
	return true;
}

#ifdef HAVE_CAP_NG
/* Who may not change the bounding set has none to be afraid of: with
 * no_new_privs no program that is started gets any of it. */
static int drop_capabilities(const struct sandbox_user *user)
{
	const bool bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);

	capng_clear(CAPNG_SELECT_ALL);
	if (user->name) {
		if (capng_change_id((int)user->uid, (int)user->gid,
				    CAPNG_DROP_SUPP_GRP |
					    CAPNG_CLEAR_BOUNDING) < 0)
			return -EPERM;
		return 0;
	}
	if (capng_apply(bounds ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) < 0)
		return -EPERM;
	return 0;
}

/* Of those that it has. */
static int keep_device_capabilities(void)
{
	static const unsigned kept[] = { CAP_NET_ADMIN, CAP_NET_RAW };
	bool has[sizeof(kept) / sizeof(*kept)];
	const capng_type_t sets = (capng_type_t)(CAPNG_EFFECTIVE |
						 CAPNG_PERMITTED);
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		has[i] = capng_have_capability(CAPNG_PERMITTED, kept[i]);
	capng_clear(CAPNG_SELECT_CAPS);
	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		if (has[i] && capng_update(CAPNG_ADD, sets, kept[i]) < 0)
			return -EPERM;
	}
	return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}
#else
static int drop_capabilities(const struct sandbox_user *user)
{
	return user->name ? -ENOSYS : 0;
}

static int keep_device_capabilities(void)
{
	return 0;
}
#endif

#ifdef HAVE_SECCOMP
/* Of the library: to carry packets and to follow a device. Of the C library: to
 * print, to have memory, to start and end threads, and to end. */
static const int allowed[] = {
	SCMP_SYS(accept4),
	SCMP_SYS(bind),
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(close),
	SCMP_SYS(dup),
	SCMP_SYS(dup3),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(eventfd2),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getpeername),
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(ioctl),
	SCMP_SYS(lseek),
	SCMP_SYS(madvise),
	SCMP_SYS(memfd_create),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(newfstatat),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(preadv2),
	SCMP_SYS(pselect6),
	SCMP_SYS(pwritev2),
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(unlink),
	SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* To follow a link takes sockets of these families. */
static const unsigned families[] = { AF_NETLINK, AF_INET, AF_PACKET };

/* To join a peer anew takes these, and connect(2). */
static const unsigned families_of_peers[] = { AF_UNIX, AF_INET6 };

static int allow_sockets(scmp_filter_ctx filter, const unsigned *family,
			 size_t n)
{
	int rc = 0;

	for (; n > 0 && !rc; n--, family++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket),
				      1, SCMP_A0(SCMP_CMP_EQ, *family, 0));
	return rc;
}

static int allow_connecting(scmp_filter_ctx filter)
{
	int rc = allow_sockets(filter, families_of_peers,
			       sizeof(families_of_peers) /
				       sizeof(*families_of_peers));

	if (rc)
		return rc;
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(connect), 0);
}

static int allow_calls(scmp_filter_ctx filter, const int *call, size_t n)
{
	int rc = 0;

	for (; n > 0 && !rc; n--, call++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, *call, 0);
	return rc;
}

/* Memory that can be executed is somebody else's program. */
static int allow_memory(scmp_filter_ctx filter, int call)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

static int allow_wire(scmp_filter_ctx filter)
{
	int rc = allow_calls(filter, allowed,
			     sizeof(allowed) / sizeof(*allowed));

	if (!rc)
		rc = allow_memory(filter, SCMP_SYS(mmap));
	return rc ? rc : allow_memory(filter, SCMP_SYS(mprotect));
}

static int allow_wire_that_connects(scmp_filter_ctx filter)
{
	const int rc = allow_wire(filter);

	return rc ? rc : allow_connecting(filter);
}

/* To open a device and to hand it over, and to have memory for that. */
static const int allowed_to_opener[] = {
	SCMP_SYS(bind),
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(close),
	SCMP_SYS(exit_group),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(geteuid),
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt),
	SCMP_SYS(ioctl),
	SCMP_SYS(munmap),
	SCMP_SYS(newfstatat),
	SCMP_SYS(poll),
	SCMP_SYS(prlimit64),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(sendmsg),
	SCMP_SYS(setsockopt),
	SCMP_SYS(uname),
};

static int allow_opener(scmp_filter_ctx filter)
{
	int rc = allow_calls(filter, allowed_to_opener,
			     sizeof(allowed_to_opener) /
				     sizeof(*allowed_to_opener));

	/* Device files are there, and are opened in this way. */
	if (!rc)
		rc = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
			SCMP_A2(SCMP_CMP_EQ, O_RDWR | O_CLOEXEC, 0));
	/* Memory, and no file's. */
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				      SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS,
					      MAP_ANONYMOUS));
	return rc;
}

/*
 * Since Linux 5.11 the kernel remembers which calls are allowed whatever their
 * arguments are, and runs no filter for them. For older kernels: a tree in
 * place of a list, and no switching off of speculation, which costs all calls
 * much more and is of use only where a process runs a stranger's code.
 */
static int make_fast(scmp_filter_ctx filter)
{
	const int rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);

	return rc ? rc : seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
}

static int filter_calls(int (*allow)(scmp_filter_ctx filter))
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc;

	if (!filter)
		return -ENOMEM;
	rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!rc)
		rc = make_fast(filter);
	if (!rc)
		rc = allow_sockets(filter, families,
				   sizeof(families) / sizeof(*families));
	if (!rc)
		rc = allow(filter);
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

static int filter_wire(bool connects)
{
	return filter_calls(connects ? allow_wire_that_connects : allow_wire);
}

static int filter_opener(void)
{
	return filter_calls(allow_opener);
}
#else
static int filter_wire(bool connects)
{
	(void)connects;
	return 0;
}

static int filter_opener(void)
{
	return 0;
}
#endif

static int forbid_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int sandbox_enter(const struct sandbox_user *user, bool connects,
		  const char **what)
{
	int rc;

	*what = "capabilities";
	rc = drop_capabilities(user);
	if (rc < 0)
		return rc;
	*what = "no_new_privs";
	rc = forbid_privileges();
	if (rc < 0)
		return rc;
	*what = "system calls";
	return filter_wire(connects);
}

int sandbox_enter_opener(void)
{
	int rc = keep_device_capabilities();

	if (!rc)
		rc = forbid_privileges();
	return rc ? rc : filter_opener();
}
