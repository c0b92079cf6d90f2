/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads around the receive calls: poll, receive a batch, hand it to the
 * dispatcher. The endpoint's attach_lock guards the attachment; readers take it
 * only when they end.
 */
#include <fdlink/attach.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "os.h"
#include "wait/wake.h"

enum {
	BATCH = 64,
	THREAD_NAME_SIZE = 16,		/* the kernel's TASK_COMM_LEN */
	CALL_US = 20,			/* how long an fdl_recv may take */
};

struct reader {
	struct fdl_queue *q;
	struct attachment *attachment;
	pthread_t thread;
};

/* A packet that fdl_inject_inbound is delivering, on its caller's thread. */
struct injection {
	pthread_t thread;
	struct injection *next;
};

struct attachment {
	struct fdl_endpoint *ep;
	struct fdl_dispatcher d;
	_Atomic bool stopping;
	bool open;			/* the gate */
	bool given_up;			/* a reader is not to be had */
	bool joining;			/* somebody detaches */
	unsigned wanted;		/* readers */
	unsigned running;		/* readers not yet ended */
	unsigned started;
	struct injection *injections;
	struct reader reader[];
};

static void dispatch(const struct attachment *a, struct fdl_queue *q,
		     struct fdl_packet *v[], int n)
{
	int kept = a->d.deliver(a->d.ctx, q, v, n);

	if (kept < 0)
		kept = 0;
	if (kept < n)
		fdl_release(v + kept, n - kept);
}

/*
 * Wait until there is something to receive. fdl_wake does not end this wait,
 * for wake-ups are the caller's: a reader is told to stop by an eventfd of its
 * own. Returns what fdl_queue_poll does, without FDL_WRITABLE.
 */
static int wait_for_packets(struct reader *r)
{
	struct fdl_queue *q = r->q;
	const struct waker w = { .eventfd = q->ready.stop,
				 .leave = &r->attachment->stopping };
	int ended = atomic_load_explicit(&q->rx.ended, memory_order_relaxed);

	return ended ? ended : ready_wait(&q->ready, &w, -1);
}

/* Deliver packets until told to stop, or until the queue ends. Returns the
 * reason, as closed gets it. */
static int read_all(struct reader *r)
{
	struct attachment *a = r->attachment;
	struct fdl_packet *v[BATCH];
	int n;

	while (!atomic_load_explicit(&a->stopping, memory_order_acquire)) {
		n = fdl_recv(r->q, v, BATCH);
		if (n > 0) {
			dispatch(a, r->q, v, n);
			continue;
		}
		if (n == 0 || n == -ENOBUFS)
			n = wait_for_packets(r);
		if (n < 0)
			return n;
	}
	return 0;
}

/* Readers start together or not at all. */
static void wait_at_gate(struct attachment *a)
{
	struct fdl_endpoint *ep = a->ep;

	pthread_mutex_lock(&ep->attach_lock);
	while (!a->open)
		pthread_cond_wait(&ep->attach_changed, &ep->attach_lock);
	pthread_mutex_unlock(&ep->attach_lock);
}

static void *run(void *arg)
{
	struct reader *r = arg;
	struct attachment *a = r->attachment;
	struct fdl_endpoint *ep = a->ep;
	int reason;

	wait_at_gate(a);
	if (a->given_up)
		return NULL;
	reason = read_all(r);
	if (a->d.closed)
		a->d.closed(a->d.ctx, r->q, reason);
	pthread_mutex_lock(&ep->attach_lock);
	a->running--;
	pthread_cond_broadcast(&ep->attach_changed);
	pthread_mutex_unlock(&ep->attach_lock);
	return NULL;
}

/* Wait for a receive call that began before the turn was given. A poll ends
 * because it is told to, and fdl_recv never blocks. */
static void wait_for_call(struct fdl_queue *q)
{
	if (!turn_is_taken(&q->turn))
		return;
	wake_call(q->ep->wake);
	wake_call(q->ready.wake);
	while (turn_is_taken(&q->turn))
		os_nap(CALL_US);
}

/* From here on nobody except the readers receives. */
static void take_turns(struct attachment *a)
{
	struct fdl_endpoint *ep = a->ep;
	unsigned i;

	for (i = 0; i < ep->n_queues; i++)
		turn_give(&ep->queues[i].turn,
			  i < a->wanted ? a->reader[i].thread : (pthread_t)0);
	for (i = 0; i < ep->n_queues; i++)
		wait_for_call(&ep->queues[i]);
}

static void give_turns_back(struct fdl_endpoint *ep)
{
	unsigned i;

	for (i = 0; i < ep->n_queues; i++)
		turn_take_back(&ep->queues[i].turn);
}

static void open_gate(struct attachment *a)
{
	a->open = true;
	pthread_cond_broadcast(&a->ep->attach_changed);
}

static void join_all(struct attachment *a)
{
	unsigned i;

	for (i = 0; i < a->started; i++)
		pthread_join(a->reader[i].thread, NULL);
}

/* Have reader i run on its CPU, if it has one. */
static int pin_reader(const struct reader *r, const struct fdl_threads *threads,
		      unsigned i)
{
	cpu_set_t set;
	int cpu;

	if (threads->n_cpus == 0)
		return 0;
	cpu = threads->cpus[i % threads->n_cpus];
	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return -EINVAL;
	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	return -pthread_setaffinity_np(r->thread, sizeof(set), &set);
}

/* Failure does not matter: a thread works as well without a name. */
static void name_reader(const struct reader *r, const char *prefix, unsigned i)
{
	char number[THREAD_NAME_SIZE], name[2 * THREAD_NAME_SIZE];
	int digits = snprintf(number, sizeof(number), "-%u", i);

	snprintf(name, sizeof(name), "%.*s%s", THREAD_NAME_SIZE - 1 - digits,
		 prefix ? prefix : "fdlink", number);
	pthread_setname_np(r->thread, name);
}

/* All signals are blocked in the new thread. */
static int create_reader(struct reader *r)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&r->thread, NULL, run, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

static int start_reader(struct attachment *a, unsigned i,
			const struct fdl_threads *threads)
{
	struct reader *r = &a->reader[i];
	int err;

	r->attachment = a;
	r->q = fdl_get_queue(a->ep, i);
	err = create_reader(r);
	if (err)
		return err;
	a->started++;
	name_reader(r, threads->name, i);
	return pin_reader(r, threads, i);
}

static struct attachment *allocate(struct fdl_endpoint *ep,
				   const struct fdl_dispatcher *d)
{
	/* An injectable endpoint delivers what is injected, and nothing
	 * else. */
	const unsigned wanted = ep->injectable ? 0 : ep->n_queues;
	struct attachment *a;

	a = calloc(1, sizeof(*a) + wanted * sizeof(a->reader[0]));
	if (!a)
		return NULL;
	a->ep = ep;
	a->d = *d;
	a->wanted = wanted;
	a->running = wanted;
	return a;
}

/* Called with attach_lock held, so that the readers wait at the gate. */
static int start(struct attachment *a, const struct fdl_threads *threads)
{
	unsigned i;
	int err = 0;

	for (i = 0; !err && i < a->wanted; i++)
		err = start_reader(a, i, threads);
	if (!err) {
		a->ep->attachment = a;
		a->ep->detach = fdl_detach;
		take_turns(a);
	}
	a->given_up = err != 0;
	open_gate(a);
	return err;
}

/* A caller built against older headers has fewer fields. */
static struct fdl_threads read_threads(const struct fdl_threads *given)
{
	struct fdl_threads threads = { 0 };
	size_t size = sizeof(threads);

	if (!given)
		return threads;
	if (given->size && given->size < size)
		size = given->size;
	memcpy(&threads, given, size);
	return threads;
}

int fdl_attach(struct fdl_endpoint *ep, const struct fdl_dispatcher *d)
{
	return fdl_attach_threads(ep, d, NULL);
}

int fdl_attach_threads(struct fdl_endpoint *ep, const struct fdl_dispatcher *d,
		       const struct fdl_threads *given)
{
	const struct fdl_threads threads = read_threads(given);
	struct attachment *a;
	int err;

	if (!d || !d->deliver)
		return -EINVAL;
	a = allocate(ep, d);
	if (!a)
		return -ENOMEM;
	pthread_mutex_lock(&ep->attach_lock);
	err = ep->attachment ? -EBUSY : start(a, &threads);
	pthread_mutex_unlock(&ep->attach_lock);
	if (err) {
		join_all(a);
		free(a);
	}
	return err;
}

static bool in_callback(const struct fdl_endpoint *ep)
{
	const struct attachment *a = ep->attachment;
	const struct injection *in;
	unsigned i;

	for (in = a ? a->injections : NULL; in; in = in->next)
		if (pthread_equal(in->thread, pthread_self()))
			return true;
	for (i = 0; a && i < a->started; i++)
		if (pthread_equal(a->reader[i].thread, pthread_self()))
			return true;
	return false;
}

static void stop_readers(struct attachment *a)
{
	unsigned i;

	atomic_store_explicit(&a->stopping, true, memory_order_release);
	for (i = 0; i < a->wanted; i++)
		wake_call(a->reader[i].q->ready.stop);
	join_all(a);
}

static void wait_for_injections(struct attachment *a)
{
	struct fdl_endpoint *ep = a->ep;

	pthread_mutex_lock(&ep->attach_lock);
	while (a->injections)
		pthread_cond_wait(&ep->attach_changed, &ep->attach_lock);
	pthread_mutex_unlock(&ep->attach_lock);
}

static void stop(struct fdl_endpoint *ep, struct attachment *a)
{
	stop_readers(a);
	wait_for_injections(a);
	give_turns_back(ep);
	pthread_mutex_lock(&ep->attach_lock);
	ep->attachment = NULL;
	pthread_cond_broadcast(&ep->attach_changed);
	pthread_mutex_unlock(&ep->attach_lock);
	free(a);
}

int fdl_detach(struct fdl_endpoint *ep)
{
	struct attachment *a;

	pthread_mutex_lock(&ep->attach_lock);
	if (in_callback(ep)) {
		pthread_mutex_unlock(&ep->attach_lock);
		return -EDEADLK;
	}
	/* If another thread is detaching already, this one only waits for
	 * it. */
	while (ep->attachment && ep->attachment->joining)
		pthread_cond_wait(&ep->attach_changed, &ep->attach_lock);
	a = ep->attachment;
	if (a)
		a->joining = true;
	pthread_mutex_unlock(&ep->attach_lock);
	if (a)
		stop(ep, a);
	return 0;
}

int fdl_wait(struct fdl_endpoint *ep)
{
	int err = 0;

	pthread_mutex_lock(&ep->attach_lock);
	if (in_callback(ep))
		err = -EDEADLK;
	while (!err && ep->attachment && ep->attachment->running)
		pthread_cond_wait(&ep->attach_changed, &ep->attach_lock);
	pthread_mutex_unlock(&ep->attach_lock);
	return err;
}

/* Returns the attachment to deliver to, which stays until end_injection; NULL:
 * there is none. */
static struct attachment *begin_injection(struct fdl_endpoint *ep,
					  struct injection *in)
{
	struct attachment *a;

	pthread_mutex_lock(&ep->attach_lock);
	a = ep->attachment;
	if (a && a->joining)
		a = NULL;
	if (a) {
		in->next = a->injections;
		a->injections = in;
	}
	pthread_mutex_unlock(&ep->attach_lock);
	return a;
}

static void end_injection(struct attachment *a, const struct injection *in)
{
	struct fdl_endpoint *ep = a->ep;
	struct injection **at;

	pthread_mutex_lock(&ep->attach_lock);
	for (at = &a->injections; *at != in; at = &(*at)->next)
		;
	*at = in->next;
	pthread_cond_broadcast(&ep->attach_changed);
	pthread_mutex_unlock(&ep->attach_lock);
}

int fdl_inject_inbound(struct fdl_endpoint *ep, struct fdl_packet *pkt)
{
	struct injection in = { .thread = pthread_self() };
	struct attachment *a = begin_injection(ep, &in);

	if (!a)
		return -ENOTCONN;
	dispatch(a, &ep->queues[0], &pkt, 1);
	end_injection(a, &in);
	return 0;
}

int fdl_injectable_new(struct fdl_endpoint **ep, int fd,
		       const struct fdl_options *opts)
{
	int err = fdl_endpoint_new(ep, &fd, 1, opts);

	if (!err)
		(*ep)->injectable = true;
	return err;
}
