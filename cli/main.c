/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <fdlink/fdlink.h>

#include "cli.h"
#include "sandbox.h"

static const struct command {
	const char *name;
	int (*function)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "connect", connect_main, "a wire between two links" },
#ifdef HAVE_LWIP
	{ "host", host_main, "a userspace IP host on a link" },
#endif
	{ "info", info_main, "what a link is, and what it can do" },
};

static void help(FILE *out)
{
	size_t i;

	fputs("Usage: fdlink COMMAND [ARGUMENT]...\n\nCommands:\n", out);
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(out, "  %-8s%s\n", commands[i].name, commands[i].help);
	fputs("\nOptions:\n"
	      "  -h, --help  this text; after a command, the command's\n"
	      "  --version   the version\n",
	      out);
}

/* Print the version, and on a second line what this build is without. */
static void say_version(void)
{
	const char *missing[] = {
#ifndef HAVE_LWIP
		" lwIP",
#endif
#ifndef HAVE_MICROHTTPD
		" libmicrohttpd",
#endif
		sandbox_missing(),
	};
	const char *words = "without";
	size_t i;

	printf("fdlink %s\n", fdl_version());
	for (i = 0; i < sizeof(missing) / sizeof(*missing); i++) {
		if (!*missing[i])
			continue;
		printf("%s%s", words, missing[i]);
		words = "";
	}
	if (!*words)
		putchar('\n');
}

static int run(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	size_t i;

	if (!*name) {
		help(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
		help(stdout);
		return STATUS_OK;
	}
	if (!strcmp(name, "--version")) {
		say_version();
		return STATUS_OK;
	}
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(name, commands[i].name))
			return commands[i].function(argc - 1, argv + 1);
	}
#ifndef HAVE_LWIP
	if (!strcmp(name, "host"))
		return cli_usage("this fdlink was built without lwIP, which "
				 "'host' needs: configure with -Dlwip=enabled");
#endif
	if (*name == '-')
		return cli_usage("%s is no option of 'fdlink', and a command's "
				 "come behind it: see 'fdlink --help'",
				 name);
	return cli_usage("%s is no command: see 'fdlink --help'", name);
}

/*
 * Keep the numbers 0 to 2 taken. If one of them is closed, a link opened later
 * would get that number, and with it what is printed. What is opened here can
 * neither be read nor written.
 */
static void keep_standard_fds(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
	}
}

/* Output that was lost, as on a full disk, is a failure. */
int main(int argc, char **argv)
{
	int status, lost;

	keep_standard_fds();
	status = run(argc, argv);
	lost = cli_flush();
	return status ? status : lost;
}
