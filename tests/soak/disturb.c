/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What befalls a link. The kernel loses without a count what a device is handed
 * in the moment that it goes down or comes up, so the feeder stands still then;
 * fdlink does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bed.h"
#include "netns.h"
#include "peer.h"

enum {
	LONGEST_MS = 60,
	POLICY_MS = 300,
	MTU = 1500,
};

static void wait_some(struct soak *s, uint32_t most_ms)
{
	const struct timespec ts = {
		.tv_nsec = (long)(1 + rnd(&s->rng, most_ms)) * 1000000
	};

	nanosleep(&ts, NULL);
}

static const char *device(const struct soak *s)
{
	return s->bed->device ? s->bed->device : s->l.dev;
}

static bool quietly(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A command that may fail. */
static bool quietly(const char *fmt, ...)
{
	char cmd[512] = "exec 2>/dev/null\n";
	size_t n = strlen(cmd);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd + n, sizeof(cmd) - n, fmt, ap);
	va_end(ap);
	return !system(cmd);
}

static void set_up(struct soak *s, bool up)
{
	if (!s->bed->device) {
		link_set_up(&s->l, up);
		return;
	}
	netns_set_up(s->bed->device, up);
}

static void flap(struct soak *s)
{
	soak_settle(s);
	s->cut = true;
	set_up(s, false);
	wait_some(s, LONGEST_MS);
	set_up(s, true);
	circle_go(&s->feeder);
}

/* The carrier goes. */
static void flap_peer(struct soak *s)
{
	soak_settle(s);
	s->cut = true;
	netns_set_up(s->l.peer_dev, false);
	wait_some(s, LONGEST_MS);
	netns_set_up(s->l.peer_dev, true);
	netns_wait_running(s->l.peer_dev);
	netns_wait_running(s->l.dev);
	circle_go(&s->feeder);
}

/* Older kernels rename only what is down. */
static void rename_device(struct soak *s)
{
	const bool away = s->l.dev[2] == 't';
	char name[sizeof(s->l.dev)];

	snprintf(name, sizeof(name), away ? "fdr0" : "fdt0");
	if (!quietly("ip link set %s name %s", s->l.dev, name)) {
		soak_settle(s);
		s->cut = true;
		link_set_up(&s->l, false);
		netns_command("ip link set %s name %s", s->l.dev, name);
		memcpy(s->l.dev, name, sizeof(name));
		link_set_up(&s->l, true);
		circle_go(&s->feeder);
	}
	memcpy(s->l.dev, name, sizeof(name));
}

static int here(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* A namespace beside this one: a file of it. */
static int elsewhere(int home)
{
	int fd = -1;

	if (!unshare(CLONE_NEWNET)) {
		fd = here();
		netns_ipv6_off();
	}
	if (fd < 0 || setns(home, CLONE_NEWNET))
		abort();
	return fd;
}

static void enter(int netns)
{
	if (setns(netns, CLONE_NEWNET))
		abort();
}

/* From the namespace that this thread is in. Another lets the thread back. */
static void carry(struct soak *s, int to, int back)
{
	netns_command("ip link set %s netns /proc/%d/fd/%d", s->l.dev,
		      (int)getpid(), to);
	enter(to);
	netns_set_up(s->l.dev, true);
	netns_wait_running(s->l.dev);
	enter(back);
	peer_reopen(s, to);
}

/* To another network namespace, and back. */
static void move(struct soak *s)
{
	const int home = here(), away = elsewhere(home);

	soak_settle(s);
	circle_hold(&s->collector);
	s->cut = true;
	carry(s, away, home);
	circle_go(&s->collector);
	circle_go(&s->feeder);
	wait_some(s, LONGEST_MS);
	soak_settle(s);
	circle_hold(&s->collector);
	enter(away);
	carry(s, home, away);
	enter(home);
	circle_go(&s->collector);
	circle_go(&s->feeder);
	close(away);
	close(home);
}

/* Whose fd does not stay with it: that is its end. */
int disturb_take_away(struct soak *s)
{
	const int home = here(), away = elsewhere(home);

	netns_command("ip link set %s netns /proc/%d/fd/%d", s->l.dev,
		      (int)getpid(), away);
	close(home);
	return away;
}

/* What a device does not take, because another below it has less, stays. */
static void set_mtu(const char *dev, unsigned mtu)
{
	quietly("ip link set %s mtu %u", dev, mtu);
}

/* Also one that is shorter than frames under way, and one at one end only. */
static void change_mtu(struct soak *s)
{
	static const unsigned sizes[] = { 576, 1000, 1280, 1499, 4000 };
	const unsigned mtu = sizes[rnd(&s->rng, 5)];
	const bool veth = s->bed->feed == feed_veth;
	const unsigned ends = veth ? 1 + rnd(&s->rng, 3) : 1;

	s->cut = true;
	if (ends & 1)
		set_mtu(s->l.dev, mtu);
	if (ends & 2)
		set_mtu(s->l.peer_dev, mtu);
	wait_some(s, 2 * LONGEST_MS);
	if (ends & 1)
		set_mtu(s->l.dev, MTU);
	if (ends & 2)
		set_mtu(s->l.peer_dev, MTU);
}

/* Nobody reads, here or there. */
static void fill(struct soak *s)
{
	struct circle *reader = rnd(&s->rng, 2) ? &s->receiver : &s->collector;

	circle_hold(reader);
	s->at_full_speed = true;
	wait_some(s, 2 * LONGEST_MS);
	s->at_full_speed = false;
	circle_go(reader);
}

static void hurry(struct soak *s)
{
	s->at_full_speed = true;
	wait_some(s, 4 * LONGEST_MS);
	s->at_full_speed = false;
}

static void hoard(struct soak *s)
{
	s->hoarding = true;
	wait_some(s, 2 * LONGEST_MS);
	s->hoarding = false;
}

static void litter(struct soak *s)
{
	s->with_rubbish = true;
	wait_some(s, 2 * LONGEST_MS);
	s->with_rubbish = false;
}

/* A rule lets no long frame out of the device. */
static void forbid(struct soak *s)
{
	static bool told;

	if (!quietly("nft -f - <<'END'\n"
		     "table netdev soak {\n"
		     "chain out {\n"
		     "type filter hook egress device \"%s\" priority 0;\n"
		     "meta length > 1200 drop\n"
		     "}\n}\nEND\n",
		     s->l.dev)) {
		if (!told)
			printf("policy drops are left out: no nft(8), or no "
			       "egress hook in this kernel\n");
		told = true;
		return;
	}
	wait_some(s, POLICY_MS);
	netns_command("nft delete table netdev soak");
}

/* Frames of more than 1200 bytes find no way into the sockets. */
static void forbid_in(struct soak *s)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1200, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = { 4, code };
	const int fd[] = { s->l.fd, s->l.peer };
	int i;

	for (i = 0; i < 2; i++)
		if (setsockopt(fd[i], SOL_SOCKET, SO_ATTACH_FILTER, &program,
			       sizeof(program)))
			abort();
	wait_some(s, LONGEST_MS);
	for (i = 0; i < 2; i++)
		setsockopt(fd[i], SOL_SOCKET, SO_DETACH_FILTER, &i, sizeof(i));
}

/* Its queue is short, and full at once. */
static void narrow(struct soak *s)
{
	s->cut = true;
	if (!quietly("tc qdisc replace dev %s root pfifo limit 3", s->l.dev))
		return;
	s->at_full_speed = true;
	wait_some(s, LONGEST_MS);
	s->at_full_speed = false;
	quietly("tc qdisc del dev %s root", s->l.dev);
}

static bool has_device(const struct soak *s)
{
	return device(s)[0];
}

static bool is_a_device(const struct soak *s)
{
	return s->l.kind->traits & LINK_DEVICE;
}

static bool is_tuntap(const struct soak *s)
{
	return s->l.kind->traits & LINK_TUNTAP;
}

bool disturb_ends(const struct soak *s)
{
	return s->l.kind->traits & LINK_OUTGOING;
}

static bool is_on_veth(const struct soak *s)
{
	return s->l.kind->traits & LINK_OUTGOING;
}

static bool is_udp(const struct soak *s)
{
	return s->l.kind->traits & LINK_LOSSY;
}

static bool is_any(const struct soak *s)
{
	return s->bed->feed;
}

static const struct {
	const char *name;
	bool (*can)(const struct soak *s);
	void (*happen)(struct soak *s);
} disturbances[] = {
	{ "flap", has_device, flap },
	{ "carrier", is_on_veth, flap_peer },
	{ "rename", is_a_device, rename_device },
	{ "move", is_tuntap, move },
	{ "mtu", is_a_device, change_mtu },
	{ "fill", is_any, fill },
	{ "hurry", is_any, hurry },
	{ "hoard", is_any, hoard },
	{ "rubbish", is_any, litter },
	{ "policy", is_on_veth, forbid },
	{ "filter", is_udp, forbid_in },
	{ "narrow", is_on_veth, narrow },
};

void disturb(struct soak *s)
{
	const unsigned n = sizeof(disturbances) / sizeof(disturbances[0]);
	const unsigned i = rnd(&s->rng, n);
	const size_t len = strlen(s->what);

	if (!disturbances[i].can(s))
		return;
	snprintf(s->what + len, sizeof(s->what) - len, " %s",
		 disturbances[i].name);
	disturbances[i].happen(s);
}

void disturb_end(struct soak *s)
{
	if (s->l.dev[0] && s->l.dev[2] == 'r')
		rename_device(s);
}
