/* SPDX-License-Identifier: Apache-2.0 */
/* fdlink host: its parts and what they share. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

struct fdl_endpoint;

enum { HOST_MAX_IP6 = 8 };

/* An address of the host. The bytes are in network order. */
struct host_address {
	uint8_t bytes[16];
	unsigned prefix;
	const char *text;	/* as the command line has it; NULL: none */
};

/* How much work is left to the link. */
enum host_offload {
	HOST_OFFLOAD_OFF,
	HOST_OFFLOAD_ON,
	HOST_OFFLOAD_TSO,	/* and cutting what TCP sends */
};

/* Returns the word that --offload has for it. */
const char *host_offload_name(enum host_offload offload);

/* What the command line asks for. */
struct host_options {
	const char *locator;
	struct host_address ip4;
	struct host_address ip6[HOST_MAX_IP6];
	unsigned n_ip6;
	struct host_address gateway4;
	struct host_address gateway6;
	uint8_t mac[6];
	bool has_mac;
	bool device_mac;	/* the device's own, as that changes */
	bool plain_ip;
	enum host_offload offload;
	bool help;		/* only that was asked for */
};

/* Read the command line. Returns STATUS_OK, or STATUS_USAGE, and standard error
 * says why. *options points into argv, which must stay. */
int host_parse(struct host_options *options, int argc, char **argv);

/* What the host says of itself, on the page and on standard output. */
struct host_status {
	const struct host_options *options;
	const struct fdl_endpoint *ep;
	const uint64_t *lwip_dropped;
	struct timespec started;	/* CLOCK_MONOTONIC */
};

void status_text(const struct host_status *status, FILE *out);
void status_json(const struct host_status *status, FILE *out);
void status_html(const struct host_status *status, FILE *out);

/* Start a service, on all of lwIP's addresses and for good. Errors: -ENOMEM. */
int echo_start(void);
int stream_start(void);			/* discard and chargen */
int http_start(const struct host_status *status);

#endif
