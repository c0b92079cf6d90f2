/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands, and what they share. */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct option;

/* Exit statuses. */
enum {
	STATUS_OK,
	STATUS_FAILURE,
	STATUS_USAGE,		/* the command line is wrong */
};

/* Of every --help: the kinds of links, in the order of the manual page. */
#define CLI_LOCATORS \
	"LOCATOR: tap:NAME tun:NAME packet:IFACE seqpacket:PATH unixgram:PATH\n" \
	"fd:N fd:NAME, with options as fdlink(1) lists them.\n"

/* A subcommand: argv[0] is its name. Returns the exit status. */
int connect_main(int argc, char **argv);
int host_main(int argc, char **argv);
int info_main(int argc, char **argv);

/* For fdl_options.log: the sentence, to standard error. */
void cli_log(void *ctx, int level, const char *msg);

/* Say what is wrong with the command line. Returns STATUS_USAGE. */
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * The next option's val, as getopt_long(3) has it, or -1 past the last one.
 * Each command has -h and --help, 'h'. Anything else that is wrong is said, and
 * returns '?'.
 */
int cli_option(int argc, char **argv, const struct option *options);

/* The one argument behind the options; NULL, and said: there is not one. */
const char *cli_locator(int argc, char **argv);

/*
 * Write out what was printed to standard output. Returns STATUS_FAILURE, and
 * says why, when that is lost.
 */
int cli_flush(void);

/*
 * The exit status for what the library returned, which has been logged: a
 * locator that is malformed or contradicts the options is wrong usage.
 */
int cli_status(int rc);

/* A string as JSON has it, with its quotes. */
void cli_json_string(FILE *out, const char *text);

/* The name of offload 1 << bit, as "tso4"; NULL past the last one. */
const char *cli_offload_name(unsigned bit);

/* The names of FDL_OFFLOAD_ bits (open.h), each in quotes, with commas. */
void cli_offloads(FILE *out, uint32_t bits, const char *quote,
		  const char *comma);

#endif
