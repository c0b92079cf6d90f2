/* SPDX-License-Identifier: Apache-2.0 */
/* What the wire gives up is gone, and what it needs is there. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "sandbox.h"

/* Exit statuses of a child in the sandbox. */
enum {
	CHILD_OK,
	CHILD_OTHER,		/* another result than the expected one */
	CHILD_NO_SANDBOX,
};

static void expect_child(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
}

static void enter_as(bool connects)
{
	const struct sandbox_user nobody = { 0 };
	const char *what;

	if (sandbox_enter(&nobody, connects, &what) < 0)
		_exit(CHILD_NO_SANDBOX);
}

static void enter(void)
{
	enter_as(false);
}

static void enter_opener(void)
{
	if (sandbox_enter_opener() < 0)
		_exit(CHILD_NO_SANDBOX);
}

static bool try_open(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0;
}

static bool try_create(void)
{
	return open("/tmp/fdlink-sandbox", O_WRONLY | O_CREAT, 0600) >= 0;
}

static bool try_exec(void)
{
	char *const argv[] = { NULL };

	return execve("/bin/true", argv, argv) == 0;
}

static bool try_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) >= 0;
}

static bool try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool try_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	/* That one is needed to follow a link. */
	if (fd < 0)
		_exit(CHILD_OTHER);
	return connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
}

static bool try_kill(void)
{
	return kill(getppid(), 0) == 0;
}

static bool try_write(void)
{
	return write(STDOUT_FILENO, "", 0) == 0;
}

static bool try_map_file(void)
{
	const int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);

	/* That is how device files are opened. */
	if (fd < 0)
		_exit(CHILD_OTHER);
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED;
}

static bool try_mapping_executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool try_executable_memory(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		_exit(CHILD_OTHER);
	return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static void expect_forbidden(void (*confine)(void), bool (*const tries[])(void))
{
	pid_t pid;

	for (; *tries; tries++) {
		pid = fork();
		if (!pid) {
			confine();
			errno = 0;
			_exit(!(*tries)() && errno == EPERM ? CHILD_OK :
							      CHILD_OTHER);
		}
		expect_child(pid);
	}
}

static bool (*const forbidden[])(void) = {
	try_open,
	try_create,
	try_exec,
	try_ptrace,
	try_unix_socket,
	try_connect,
	try_kill,
	try_executable_memory,
	try_mapping_executable_memory,
	NULL,
};

static void forbidden_calls_are_refused(void **state)
{
	(void)state;
	expect_forbidden(enter, forbidden);
}

static void an_opener_opens_devices_only(void **state)
{
	static bool (*const tries[])(void) = {
		try_write,
		try_map_file,
		NULL,
	};

	(void)state;
	expect_forbidden(enter_opener, forbidden);
	expect_forbidden(enter_opener, tries);
}

/* A link that may have to be joined anew. */
static void connecting_is_for_who_needs_it(void **state)
{
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		enter_as(true);
		errno = 0;
		/* The address has no name: the call itself is made. */
		_exit(!try_connect() && errno != EPERM && try_unix_socket() &&
				      !try_open() && !try_exec() ?
			      CHILD_OK :
			      CHILD_OTHER);
	}
	expect_child(pid);
}

/* A line of /proc/PID/status, its value. */
static void status_line(pid_t pid, const char *name, char *value, size_t size)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	*value = '\0';
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) != 0 ||
		    line[strlen(name)] != ':')
			continue;
		snprintf(value, size, "%s", line + strlen(name) + 2);
		value[strcspn(value, "\n")] = '\0';
	}
	fclose(file);
}

static void privileges_are_gone(void **state)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff",
					    "CapAmb" };
	char value[64], byte;
	int ready[2], done[2];
	size_t i;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(done), 0);
	pid = fork();
	if (!pid) {
		close(done[1]);
		enter();
		_exit(write(ready[1], "", 1) == 1 &&
				      read(done[0], &byte, 1) == 0 ?
			      CHILD_OK :
			      CHILD_OTHER);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	for (i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		status_line(pid, sets[i], value, sizeof(value));
		assert_string_equal(value, "0000000000000000");
	}
	status_line(pid, "NoNewPrivs", value, sizeof(value));
	assert_string_equal(value, "1");
	status_line(pid, "Seccomp", value, sizeof(value));
	assert_string_equal(value, "2");
	close(done[1]);
	expect_child(pid);
	close(ready[0]);
	close(done[0]);
}

static void users_are_found(void **state)
{
	struct sandbox_user user = { 0 };

	(void)state;
	assert_true(sandbox_find_user(&user, "root"));
	assert_int_equal(user.uid, 0);
	assert_false(sandbox_find_user(&user, "no-such-user"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forbidden_calls_are_refused),
		cmocka_unit_test(an_opener_opens_devices_only),
		cmocka_unit_test(connecting_is_for_who_needs_it),
		cmocka_unit_test(privileges_are_gone),
		cmocka_unit_test(users_are_found),
	};

	if (*sandbox_missing()) {
		printf("skipped: built without%s\n", sandbox_missing());
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
