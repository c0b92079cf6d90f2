/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdlink connect: strands, what becomes of an end, and the chores beside
 * carrying packets. The first strand and the chores share a thread: a wire of
 * one queue has no other, and pays for no lock.
 */
#include "connect.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cable.h"
#include "cli.h"
#include "control.h"
#include "notify.h"
#include "output.h"
#include "signals.h"

enum {
	LOOK_MS = 1000,
	FILE_MS = 100,		/* a client waits for a file */
};

/* A strand; all except the first have a thread of their own. */
struct worker {
	struct wire *wire;
	struct strand *strand;
	pthread_t thread;
	unsigned end;		/* whose end it saw, and */
	int why;		/* why; 0: it was stopped */
};

struct wire {
	struct connect_options options;
	struct connect_report report;
	struct links links;
	unsigned n;
	struct worker *workers;
	int signals, timer;
	struct cable *cable;
	struct control *control;	/* NULL: none */
	int manager;		/* who started us: notify.h */
	int stop;		/* all threads are to end */
	int over;		/* one has ended */
	int look;		/* a timer: see patience */
	int chores;		/* an epoll set: something is to be done */
	int clients;		/* of the control socket, in the set, or -1 */
	bool up;		/* is still to be told, and */
	bool asked;		/* for a report, which nobody reads yet */
};

static uint64_t counted(void *ctx, unsigned end, enum wire_count what)
{
	const struct wire *w = ctx;
	uint64_t n = 0;
	unsigned i;

	for (i = 0; i < w->n; i++)
		n += strand_counted(w->workers[i].strand, end, what);
	return n;
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	worker->why = strand_run(worker->strand, worker->wire->stop,
				 &worker->end);
	eventfd_write(worker->wire->over, 1);
	return NULL;
}

/* Where an end has one queue, one strand is all that can be. */
static int make_strands(struct wire *w)
{
	const unsigned a = fdl_queues(w->links.ep[0]),
		       b = fdl_queues(w->links.ep[1]);
	const unsigned n = a < b ? a : b;
	int rc;

	w->workers = calloc(n, sizeof(*w->workers));
	if (!w->workers)
		return -ENOMEM;
	for (; w->n < n; w->n++) {
		w->workers[w->n].wire = w;
		rc = strand_new(&w->workers[w->n].strand, &w->options, w->cable,
				w->links.ep, w->n, n);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int watch_signals(struct wire *w)
{
	const struct itimerspec every = {
		.it_interval.tv_sec = (time_t)w->options.stats_s,
		.it_value.tv_sec = (time_t)w->options.stats_s,
	};
	sigset_t set;

	signals_of_end(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC);
	w->stop = eventfd(0, EFD_CLOEXEC);
	w->over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	w->look = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (w->signals < 0 || w->stop < 0 || w->over < 0 || w->timer < 0 ||
	    w->look < 0 || timerfd_settime(w->timer, 0, &every, NULL) < 0)
		return -errno;
	return 0;
}

static int add_chore(const struct wire *w, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(w->chores, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_chores(struct wire *w)
{
	const int fds[] = { w->signals, w->timer, w->over, w->look,
			    cable_fd(w->cable) };
	size_t i;
	int rc = 0;

	w->clients = -1;
	w->chores = epoll_create1(EPOLL_CLOEXEC);
	if (w->chores < 0)
		return -errno;
	for (i = 0; !rc && i < sizeof(fds) / sizeof(fds[0]); i++)
		rc = add_chore(w, fds[i]);
	return rc;
}

/* False: it asks the wire to end. */
static bool take_signal(struct wire *w)
{
	struct signalfd_siginfo info;

	if (read(w->signals, &info, sizeof(info)) != sizeof(info))
		return true;
	if (info.ssi_signo != SIGUSR1)
		return false;
	w->asked = true;
	return true;
}

static void print_up(struct wire *w)
{
	if (w->up)
		printf("fdlink connect: up between %s and %s\n",
		       w->options.locator[0], w->options.locator[1]);
	w->up = false;
	connect_report_flush(&w->report);
}

/* Packets, carrier, MTU and clients do not wait for who reads this. */
static void report(struct wire *w)
{
	if ((!w->up && !w->asked) || !output_has_room())
		return;
	print_up(w);
	if (w->asked)
		connect_report_all(&w->report);
	w->asked = false;
}

/* A client of the control socket that is silent for too long is found by
 * looking. Returns milliseconds. */
static int patience(const struct wire *w)
{
	if (w->control && w->clients < 0)
		return FILE_MS;
	if (w->control && control_holds(w->control))
		return 0;
	if (w->up || w->asked)
		return OUTPUT_LOOK_MS;
	return w->control ? LOOK_MS : -1;
}

static void take_tick(struct wire *w)
{
	uint64_t times;

	if (read(w->timer, &times, sizeof(times)) == sizeof(times))
		connect_report_line(&w->report);
}

/* They are in the set only while they can be served. */
static void mind_clients(struct wire *w)
{
	const int fd = w->control ? control_fd(w->control) : -1;

	if (fd == w->clients)
		return;
	if (w->clients >= 0)
		epoll_ctl(w->chores, EPOLL_CTL_DEL, w->clients, NULL);
	w->clients = fd >= 0 && !add_chore(w, fd) ? fd : -1;
}

/* Look again after so long, even if no fd calls for it; -1: do not. */
static void set_look(const struct wire *w, int ms)
{
	struct itimerspec once = { 0 };

	if (ms >= 0) {
		once.it_value.tv_sec = ms / 1000;
		/* Of 0 the kernel makes no timer. */
		once.it_value.tv_nsec = ms % 1000 * 1000000 + 1;
	}
	timerfd_settime(w->look, 0, &once, NULL);
}

/* False: a signal, or the end of a thread, ends the wire. */
static bool do_chores(struct wire *w)
{
	struct pollfd fds[] = {
		{ .fd = w->signals, .events = POLLIN },
		{ .fd = w->timer, .events = POLLIN },
		{ .fd = w->over, .events = POLLIN },
		{ .fd = cable_fd(w->cable), .events = POLLIN },
	};

	poll(fds, sizeof(fds) / sizeof(fds[0]), 0);
	if (w->control)
		control_run(w->control);
	if (fds[3].revents)
		cable_run(w->cable);
	if (fds[0].revents && !take_signal(w))
		return false;
	if (fds[1].revents)
		take_tick(w);
	report(w);
	mind_clients(w);
	set_look(w, patience(w));
	return !fds[2].revents;
}

/* Until a signal, or until a strand has ended. */
static void carry(struct wire *w)
{
	struct worker *first = &w->workers[0];

	while (!first->why && do_chores(w))
		first->why = strand_run(first->strand, w->chores, &first->end);
}

/* Returns an exit status. */
static int report_last(struct wire *w)
{
	if (!output_await_room())
		return STATUS_FAILURE;
	print_up(w);
	connect_report_all(&w->report);
	return w->report.lost ? STATUS_FAILURE : STATUS_OK;
}

static int start_workers(struct wire *w, unsigned *started)
{
	int rc;

	for (*started = 1; *started < w->n; ++*started) {
		rc = pthread_create(&w->workers[*started].thread, NULL, work,
				    &w->workers[*started]);
		if (rc)
			return -rc;
	}
	return 0;
}

/* Returns an exit status: a peer that closes has what it wanted. */
static int stop_workers(struct wire *w, unsigned started)
{
	const struct worker *worker;
	int status = STATUS_OK;
	unsigned i;

	eventfd_write(w->stop, 1);
	for (i = 0; i < started; i++) {
		worker = &w->workers[i];
		if (i > 0)
			pthread_join(worker->thread, NULL);
		strand_end(worker->strand);
		if (!worker->why || status != STATUS_OK)
			continue;
		cli_say_end(w->options.locator[worker->end], worker->why);
		if (worker->why != -ESHUTDOWN)
			status = STATUS_FAILURE;
	}
	return status;
}

static void tell_up(struct wire *w)
{
	notify(w->manager, "READY=1\nSTATUS=Carrying packets");
	w->up = !w->options.json;
	report(w);
}

/* A datagram peer that comes back under its name, and a peer that is to be
 * joined anew, take connect(2). What an fd is that was handed over is not
 * known. */
static bool may_connect(const struct wire *w, unsigned end)
{
	const char *locator = w->options.locator[end];

	return !strncmp(locator, "unixgram:", 9) ||
	       !strncmp(locator, "fd:", 3) ||
	       (strstr(locator, ",reconnect") && !w->links.opener[end]);
}

/* Returns an exit status. */
static int enter_sandbox(const struct wire *w)
{
	const struct connect_options *o = &w->options;
	const char *what;
	int rc;

	if (o->no_sandbox)
		return STATUS_OK;
	rc = sandbox_enter(&o->user, may_connect(w, 0) || may_connect(w, 1),
			   &what);
	if (!rc)
		return STATUS_OK;
	fprintf(stderr, "fdlink: %s could not be given up: %s: %s\n", what,
		strerror(-rc),
		o->user.name ? "run as root, or leave out --user" :
			       "--no-sandbox goes on without");
	return STATUS_FAILURE;
}

/* Returns an exit status. */
static int open_control(struct wire *w)
{
	const char *path = w->options.control;

	if (!path)
		return STATUS_OK;
	w->control = control_open(path, &w->report, w->cable);
	return w->control ? STATUS_OK : STATUS_FAILURE;
}

static int run(struct wire *w)
{
	unsigned started;
	int status, rc;

	rc = watch_signals(w);
	if (!rc)
		rc = cable_open(&w->cable, &w->options, w->links.ep);
	w->report.cable = w->cable;
	if (!rc)
		rc = open_chores(w);
	if (!rc)
		rc = make_strands(w);
	if (rc < 0)
		return cli_fail("the wire could not be set up", -rc);
	status = open_control(w);
	if (!status)
		status = enter_sandbox(w);
	if (status)
		return status;
	connect_report_start(&w->report);
	rc = start_workers(w, &started);
	if (rc < 0) {
		stop_workers(w, started);
		return cli_fail("no thread could be started", -rc);
	}
	tell_up(w);
	/* Told so before the signals were blocked. */
	if (!signals_stop())
		carry(w);
	notify(w->manager, "STOPPING=1");
	status = stop_workers(w, started);
	rc = report_last(w);
	return status ? status : rc;
}

static void close_wire(struct wire *w)
{
	unsigned i;

	control_close(w->control);
	for (i = 0; i < w->n; i++)
		strand_free(w->workers[i].strand);
	free(w->workers);
	cable_close(w->cable);
	connect_close(&w->links);
}

int connect_main(int argc, char **argv)
{
	struct wire w = { 0 };
	int status;

	status = connect_parse(&w.options, argc, argv);
	if (status || w.options.help)
		return status;
	w.manager = notify_open();
	signals_catch();
	status = connect_open(&w.options, &w.links);
	if (status)
		return signals_stop() ? STATUS_OK : status;
	w.report.options = &w.options;
	w.report.ep = w.links.ep;
	w.report.counted = counted;
	w.report.ctx = &w;
	status = run(&w);
	close_wire(&w);
	return status;
}
