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
	"LOCATOR: tap:NAME tun:NAME macvtap:IFACE packet:IFACE\n" \
	"seqpacket:PATH stream:PATH stream:HOST:PORT unixgram:PATH\n" \
	"udp:HOST:PORT null: pair:NAME fd:N fd:NAME, with options as\n" \
	"fdlink(1) lists them.\n"

/* A subcommand: argv[0] is its name. Returns the exit status. */
int connect_main(int argc, char **argv);
int host_main(int argc, char **argv);
int info_main(int argc, char **argv);

/* Print a sentence on standard error, without waiting for who reads there: if
 * that is full, the sentence is lost. For what is said while a link carries,
 * and at its end. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* For fdl_options.log: the same. */
void cli_log(void *ctx, int level, const char *msg);

/* Say what is wrong with the command line. Returns STATUS_USAGE. */
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Returns the val of the next option, as getopt_long(3) does, or -1 past the
 * last one. -h and --help of each command are 'h'. For a word that is wrong it
 * says so on standard error and returns '?'.
 */
int cli_option(int argc, char **argv, const struct option *options);

/* Returns the one argument behind the options, or NULL and says on standard
 * error that there is none, or more than one. */
const char *cli_locator(int argc, char **argv);

/*
 * Write out what was printed to standard output. Returns STATUS_FAILURE, and
 * says why, when that is lost.
 */
int cli_flush(void);

/*
 * Returns the exit status for what the library returned; the library has logged
 * why. A locator that is malformed or contradicts the options is wrong usage.
 */
int cli_status(int rc);

/* Say why a link has ended: rc is what fdl_recv or fdl_send returned. */
void cli_say_end(const char *locator, int rc);

/* What to do about an errno that a lack of something gave, as the end of a
 * message: ": do this". "": nothing is known to help. */
const char *cli_way_out(int err);

/* Say that something failed with an errno, and the way out. Returns
 * STATUS_FAILURE. */
int cli_fail(const char *what, int err);

/* Print a string as JSON has it, with its quotes. */
void cli_json_string(FILE *out, const char *text);

/* The name of offload 1 << bit, as "tso4"; NULL past the last one. */
const char *cli_offload_name(unsigned bit);

/* Print the names of FDL_OFFLOAD_ bits (open.h), each between quotes, with
 * commas between them. */
void cli_offloads(FILE *out, uint32_t bits, const char *quote,
		  const char *comma);

#endif
