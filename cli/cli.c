/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>

#include <fdlink/fdlink.h>

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
