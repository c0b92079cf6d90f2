/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>

#include <fdlink/open.h>

/* By their bit. */
static const char *const offloads[] = {
	"csum", "tso4", "tso6", "tso-ecn", "ufo", "uso4", "uso6",
};

enum { OFFLOADS = sizeof(offloads) / sizeof(*offloads) };

static_assert(FDL_OFFLOAD_USO6 == 1 << (OFFLOADS - 1), "a name per flag");

void cli_log(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	fprintf(stderr, "fdlink: %s\n", msg);
}

int cli_usage(const char *fmt, ...)
{
	va_list ap;

	fputs("fdlink: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return STATUS_USAGE;
}

int cli_bad_option(int opt, char **argv)
{
	if (opt == ':')
		return cli_usage("%s needs a value: see 'fdlink %s --help'",
				 argv[optind - 1], argv[0]);
	return cli_usage("%s is no option of 'fdlink %s': see its --help",
			 argv[optind - 1], argv[0]);
}

int cli_status(int rc)
{
	if (rc >= 0)
		return STATUS_OK;
	return rc == -EINVAL ? STATUS_USAGE : STATUS_FAILURE;
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
