/* SPDX-License-Identifier: Apache-2.0 */
/* A small stack suffices for a thread that opens links and uses them. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "netns.h"
#include "sanitized.h"

enum {
	PROMISED = 64 << 10,	/* bytes, by fdlink.h */
	GIVEN = 1 << 20,
	FILL = 0xa5,
};

static const char *const locators[] = {
	"tap:stack0",
	"tap:stack0,queues=4",
	"tun:stack1,reconnect",
	"packet:veth0",
	"packet:veth0,queues=4,promisc,rollover",
	"packet:veth0,netns=/proc/self/ns/net,reconnect",
	"seqpacket:@fdlink-test-stack,listen",
	"unixgram:@fdlink-test-stack,listen",
	"stream:@fdlink-test-stack,listen,reconnect",
	"stream:127.0.0.1:5002,reconnect",
	"udp:127.0.0.1:5000,local=127.0.0.1:5001",
	"pair:stack",
	"null:",
	/* What cannot be had takes its own way. */
	"seqpacket:/nowhere/x",
	"packet:nowhere",
	"tap:nowhere,netns=nowhere",
};

static void ignore(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	(void)msg;
}

static void turn(struct fdl_endpoint *ep)
{
	static uint8_t bytes[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	const struct iovec frame = { bytes, sizeof(bytes) };
	struct fdl_packet *v[8];
	struct fdl_link link;
	unsigned i;
	int n;

	fdl_poll(ep, 20);
	for (i = 0; i < fdl_queues(ep); i++) {
		fdl_write(fdl_get_queue(ep, i), &frame, 1, NULL);
		fdl_flush(fdl_get_queue(ep, i));
		n = fdl_recv(fdl_get_queue(ep, i), v, 8);
		if (n > 0)
			fdl_release(v, n);
	}
	fdl_link_state(ep, &link, sizeof(link));
}

static void use(const char *locator)
{
	const struct fdl_options options = {
		.size = sizeof(options),
		.flags = strncmp(locator, "tun:", 4) ? FDL_ETHERNET : 0,
		.log = ignore,
	};
	struct fdl_endpoint *ep;
	struct fdl_info info;

	fdl_probe(locator, &info, sizeof(info), ignore, NULL);
	if (fdl_open(&ep, locator, &options))
		return;
	turn(ep);
	/* The news of the link are read in a turn. */
	netns_set_up("veth0", false);
	turn(ep);
	netns_set_up("veth0", true);
	turn(ep);
	fdl_endpoint_free(ep);
}

static void use_socket(int type)
{
	char locator[16];
	int sv[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, sv))
		return;
	snprintf(locator, sizeof(locator), "fd:%d", sv[0]);
	use(locator);
	close(sv[0]);
	close(sv[1]);
}

static void *use_all(void *arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof(locators) / sizeof(*locators); i++)
		use(locators[i]);
	use_socket(SOCK_SEQPACKET);
	use_socket(SOCK_DGRAM);
	use_socket(SOCK_STREAM);
	return NULL;
}

static size_t used(const uint8_t *stack)
{
	size_t at = 0;

	while (at < GIVEN && stack[at] == FILL)
		at++;
	return GIVEN - at;
}

static void as_much_as_promised_suffices(void **state)
{
	uint8_t *stack = mmap(NULL, GIVEN, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;
	pthread_t thread;

	(void)state;
	assert_ptr_not_equal(stack, MAP_FAILED);
	memset(stack, FILL, GIVEN);
	pthread_attr_init(&attr);
	assert_int_equal(pthread_attr_setstack(&attr, stack, GIVEN), 0);
	assert_int_equal(pthread_create(&thread, &attr, use_all, NULL), 0);
	pthread_join(thread, NULL);
	print_message("%zu bytes of stack were used\n", used(stack));
	assert_in_range(used(stack), 1, PROMISED);
	pthread_attr_destroy(&attr);
	munmap(stack, GIVEN);
}

int main(int argc, char *argv[])
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_much_as_promised_suffices),
	};

	(void)argc;
	if (SANITIZED) {
		puts("skipped: a sanitizer takes more stack");
		return 77;
	}
	netns_enter(argv);
	netns_set_up("lo", true);
	netns_command("ip link add veth0 type veth peer name veth1");
	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
