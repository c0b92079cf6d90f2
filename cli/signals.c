/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include <stddef.h>
#include <unistd.h>

#include <fdlink/fdlink.h>

#include "cli.h"

/* For the handler, which is told of nothing else. */
static struct {
	struct fdl_endpoint *volatile ep; /* NULL: not open yet */
	volatile sig_atomic_t stop;
	volatile sig_atomic_t report;
} asked;

static void on_signal(int signal)
{
	if (signal == SIGUSR1)
		asked.report = 1;
	else
		asked.stop = 1;
	/* Without a link to wake, a wait that starts just now is ended by the
	 * next signal. */
	if (asked.ep)
		fdl_wake(asked.ep);
	else
		alarm(1);
}

static void handle(int signal, void (*handler)(int signal))
{
	const struct sigaction action = { .sa_handler = handler };

	sigaction(signal, &action, NULL);
}

/* Who has it ignored wants to go on without the terminal (nohup(1)). */
static bool hangup_is_ignored(void)
{
	struct sigaction now;

	return !sigaction(SIGHUP, NULL, &now) && now.sa_handler == SIG_IGN;
}

void signals_catch(void)
{
	handle(SIGINT, on_signal);
	handle(SIGTERM, on_signal);
	if (!hangup_is_ignored())
		handle(SIGHUP, on_signal);
	handle(SIGALRM, on_signal);
	handle(SIGUSR1, SIG_IGN);
	handle(SIGPIPE, SIG_IGN);
}

void signals_wake(struct fdl_endpoint *ep)
{
	asked.ep = ep;
	handle(SIGUSR1, on_signal);
}

void signals_ignore(void)
{
	handle(SIGINT, SIG_IGN);
	handle(SIGTERM, SIG_IGN);
	handle(SIGHUP, SIG_IGN);
	handle(SIGALRM, SIG_IGN);
	handle(SIGUSR1, SIG_IGN);
}

bool signals_stop(void)
{
	return asked.stop;
}

bool signals_report(void)
{
	const bool report = asked.report;

	asked.report = 0;
	return report;
}

void signals_of_end(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	if (!hangup_is_ignored())
		sigaddset(set, SIGHUP);
}

void signals_log(void *ctx, int level, const char *msg)
{
	if (!asked.stop)
		cli_log(ctx, level, msg);
}
