/* SPDX-License-Identifier: Apache-2.0 */
/* fdlink connect: a wire between two links. */
#ifndef CONNECT_H
#define CONNECT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <fdlink/fdlink.h>

#include "impair.h"
#include "sandbox.h"
#include "wire_counts.h"

/* The ends of the wire, and the way that starts at each. */
enum {
	CONNECT_ENDS = 2,
	/* The largest MTU of an endpoint. The loopback device has more. */
	CONNECT_MTU = 65535,
};

/* The command line, understood. */
struct connect_options {
	const char *locator[CONNECT_ENDS];
	struct impair_options impair[CONNECT_ENDS]; /* of the way from there */
	uint64_t seed;
	unsigned stats_s;	/* seconds between two lines; 0: none */
	bool json;
	bool plain_ip;
	bool no_sandbox;
	bool mtu_signal;	/* tell senders of packets that are too long */
	const char *control;	/* path of the control socket; NULL: none */
	struct sandbox_user user;
	bool help;		/* only that was asked for */
};

/*
 * Errors: STATUS_USAGE, and standard error says why. argv must stay.
 */
int connect_parse(struct connect_options *options, int argc, char **argv);

/* True: some packets are lost, late or more than one. */
bool connect_impairs(const struct connect_options *options);

struct opener;

/* Both ends, and who opens their devices anew; NULL: nobody has to. */
struct links {
	struct fdl_endpoint *ep[CONNECT_ENDS];
	struct opener *opener[CONNECT_ENDS];
	const char *named[CONNECT_ENDS]; /* locators, once both are open: what
					  * their log says is of them */
};

/*
 * Open both ends for a wire: of one medium, in promiscuous mode, with the
 * offloads that the other end may carry. Says what does not fit. Before the
 * process has threads: it may start processes. *links is all zeros.
 * Returns an exit status; with another than STATUS_OK nothing stays open.
 */
int connect_open(const struct connect_options *options, struct links *links);
void connect_close(struct links *links);

struct cable;

/* What the wire says of itself. */
struct connect_report {
	const struct connect_options *options;
	struct fdl_endpoint *const *ep;
	const struct cable *cable;
	/* What became of packets on the way from an end, over all queues. */
	uint64_t (*counted)(void *ctx, unsigned end, enum wire_count what);
	void *ctx;
	struct timespec started;	/* CLOCK_MONOTONIC */
	/* What the last line told. */
	struct fdl_stats told[CONNECT_ENDS];
	uint64_t told_dropped[CONNECT_ENDS]; /* on the wire itself */
	struct timespec told_at;
	bool in_place;			/* lines overwrite each other */
	size_t line_len;		/* of the one that is there */
	bool lost;			/* something that was printed */
};

void connect_report_start(struct connect_report *report);

/* Write out what was printed. What is lost is said, and is no reason to end. */
void connect_report_flush(struct connect_report *report);

/* One line of what passed since the last one, unless printing has failed. */
void connect_report_line(struct connect_report *report);

/* Every counter of both ends, on standard output. */
void connect_report_all(struct connect_report *report);

/* The same as a JSON object, and as OpenMetrics (openmetrics.io). */
void connect_report_json(struct connect_report *report, FILE *out);
void connect_report_metrics(struct connect_report *report, FILE *out);

/* The devices of both ends, as a JSON object. */
void connect_report_links(struct connect_report *report, FILE *out);

/* One thread's part of the wire: strand.c. */
struct strand;

/*
 * Make a strand of the queues whose number modulo n is i. options, cable and
 * ep[] must stay.
 * Returns 0. Errors: -ENOMEM, -EMFILE, -ENFILE, and those of fdl_queue_fd.
 */
int strand_new(struct strand **strand, const struct connect_options *options,
	       const struct cable *cable,
	       struct fdl_endpoint *const ep[CONNECT_ENDS], unsigned i,
	       unsigned n);
void strand_free(struct strand *strand);

/*
 * Carry packets until an end has ended, or call is readable, which may be -1:
 * what of it is read is the caller's. Returns 0: call is readable, and the
 * strand may run again; else what fdl_recv or fdl_send returned, and *end is
 * whose.
 */
int strand_run(struct strand *strand, int call, unsigned *end);

/* It will not run again: what is on the wire is counted as held. */
void strand_end(struct strand *strand);

/* What became of packets on the way from an end. Any thread: the counter may be
 * a few packets old. */
uint64_t strand_counted(const struct strand *strand, unsigned end,
			enum wire_count what);

#endif
