/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

#include <fdlink/open.h>

/* Indexed by the number of the bit. */
static const char *const offloads[] = {
	"csum", "tso4", "tso6",	  "tso-ecn",	 "ufo",
	"uso4", "uso6", "tunnel", "tunnel-csum",
};

enum { OFFLOADS = sizeof(offloads) / sizeof(*offloads) };

static_assert(FDL_OFFLOAD_TUNNEL_CSUM == 1 << (OFFLOADS - 1),
	      "a name per flag");

static void vsay(const char *fmt, va_list ap)
{
	fputs("fdlink: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void cli_say(const char *fmt, ...)
{
	struct pollfd err = { .fd = STDERR_FILENO, .events = POLLOUT };
	va_list ap;

	/* A closed one is no reason to wait. */
	if (poll(&err, 1, 0) != 1)
		return;
	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

void cli_log(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	cli_say("%s", msg);
}

int cli_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
	return STATUS_USAGE;
}

/* Nothing, or the next option. A number below 0 is left to those who know the
 * range. */
static bool is_no_value(const char *text)
{
	return !*text || (*text == '-' && !isdigit((unsigned char)text[1]));
}

int cli_option(int argc, char **argv, const struct option *options)
{
	const char *word;
	int opt, which = 0;
	bool apart;

	opterr = 0;
	/* getopt_long() would take "-address" for letters, of which a message
	 * could not say the word that is wrong. */
	opt = getopt_long_only(argc, argv, ":h", options, &which);
	if (opt == -1 || opt == 'h')
		return opt;
	apart = optarg && optarg == argv[optind - 1];
	word = argv[optind - 1 - apart];
	if (opt == '?' && optopt)
		cli_usage("%s: that option takes no value: see 'fdlink %s "
			  "--help'",
			  word, argv[0]);
	else if (opt == '?')
		cli_usage("%s is no option of 'fdlink %s': see its --help",
			  word, argv[0]);
	else if (opt == ':' || (optarg && is_no_value(optarg)))
		cli_usage("%s needs a value: see 'fdlink %s --help'", word,
			  argv[0]);
	else if (word[1] != '-')
		cli_usage("%s is no option of 'fdlink %s': write --%s", word,
			  argv[0], options[which].name);
	else
		return opt;
	return '?';
}

const char *cli_locator(int argc, char **argv)
{
	const int n = argc - optind;

	if (n == 1)
		return argv[optind];
	if (n > 1)
		cli_usage("%s takes one LOCATOR, and %s is one more: see "
			  "'fdlink %s --help'",
			  argv[0], argv[optind + 1], argv[0]);
	else
		cli_usage("%s needs a LOCATOR, such as tap:tap0: see 'fdlink "
			  "%s --help'",
			  argv[0], argv[0]);
	return NULL;
}

int cli_flush(void)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return STATUS_OK;
	fprintf(stderr,
		"fdlink: standard output is lost (%s): send it to where it can "
		"be written\n",
		errno ? strerror(errno) : "an earlier write failed");
	/* Drop what could not be written: it must not come out later. */
	__fpurge(stdout);
	clearerr(stdout);
	return STATUS_FAILURE;
}

int cli_status(int rc)
{
	if (rc >= 0)
		return STATUS_OK;
	return rc == -EINVAL ? STATUS_USAGE : STATUS_FAILURE;
}

void cli_say_end(const char *locator, int rc)
{
	const char *why = strerror(-rc);

	if (rc == -ENODEV)
		why = "the device is gone";
	if (rc == -ESHUTDOWN)
		why = "the peer closed";
	if (rc == -EPROTO)
		why = "the peer announced a frame that is longer than any: "
		      "let it send each frame behind its length, as QEMU's "
		      "-netdev stream does";
	cli_say("%s has ended: %s", locator, why);
}

const char *cli_way_out(int err)
{
	switch (err) {
	case EMFILE:
		return ": raise the limit of open files (ulimit -n)";
	case ENFILE:
		return ": the system has too many open files: raise "
		       "fs.file-max";
	case EAGAIN:
		return ": raise the limit of threads (ulimit -u), or give the "
		       "links fewer queues";
	case ENOMEM:
		return ": free some memory, or raise the limit of this process";
	case ENOSPC:
	case EDQUOT:
		return ": free some space in its file system";
	default:
		return "";
	}
}

int cli_fail(const char *what, int err)
{
	fprintf(stderr, "fdlink: %s: %s%s\n", what, strerror(err),
		cli_way_out(err));
	return STATUS_FAILURE;
}

void cli_json_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(out, "\\u%04x", (unsigned char)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

const char *cli_offload_name(unsigned bit)
{
	return bit < OFFLOADS ? offloads[bit] : NULL;
}

void cli_offloads(FILE *out, uint32_t bits, const char *quote,
		  const char *comma)
{
	const char *between = "";
	size_t i;

	for (i = 0; i < OFFLOADS; i++) {
		if (!(bits & 1U << i))
			continue;
		fprintf(out, "%s%s%s%s", between, quote, offloads[i], quote);
		between = comma;
	}
}
