/* SPDX-License-Identifier: Apache-2.0 */
/* A link that takes everything and gives nothing. */
#include <errno.h>
#include <poll.h>
#include <sys/un.h>

#include <fdlink/offload.h>

#include "open_bed.h"

enum {
	MANY = 5000,	/* more than any buffer holds */
	LEN = 1500,
	SUPER = 60000,
};

static void open_null(struct fdl_endpoint **ep, const char *locator)
{
	assert_int_equal(open_it(ep, locator, 0, FDL_ETHERNET), 0);
	assert_int_equal(said.lines, 0);
}

static void it_takes_what_nobody_reads(void **state)
{
	struct pollfd pfd = { .events = POLLIN };
	struct fdl_stats stats;
	struct fdl_endpoint *ep;
	struct fdl_packet *pkt;
	struct fdl_queue *q;
	unsigned i;

	(void)state;
	open_null(&ep, "null:");
	q = fdl_get_queue(ep, 0);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(fdl_alloc(q, &pkt, 1), 1);
		memset(pkt->data, 0x5a, LEN);
		pkt->len = LEN;
		pkt->tail -= LEN;
		assert_int_equal(fdl_send(q, &pkt, 1), 1);
	}
	pfd.fd = fdl_fd(ep);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	assert_int_equal(fdl_recv(q, &pkt, 1), 0);
	fdl_get_stats(ep, &stats, sizeof(stats));
	assert_int_equal(stats.tx_packets, MANY);
	assert_int_equal(stats.tx_bytes, (uint64_t)MANY * LEN);
	assert_int_equal(stats.rx_packets, 0);
	fdl_endpoint_free(ep);
}

/* TCP over IPv4, of many segments. */
static void make_super(uint8_t *frame, struct fdl_offload *off)
{
	memset(frame, 0, SUPER);
	frame[0] = frame[6] = 2;
	frame[12] = 0x08;
	frame[14] = 0x45;
	frame[16] = (SUPER - 14) >> 8;
	frame[17] = (SUPER - 14) & 0xff;
	frame[22] = 64;
	frame[23] = 6;
	frame[46] = 0x50;
	*off = (struct fdl_offload){
		.csum = FDL_CSUM_PARTIAL,
		.csum_start = 34,
		.csum_offset = 16,
		.gso = FDL_GSO_TCPV4,
		.gso_size = 1448,
	};
}

static void a_super_packet_goes_whole_if_it_may(void **state)
{
	static const char *const locators[] = { "null:,offload=on",
						"null:,offload=v1", "null:" };
	static uint8_t frame[SUPER];
	const struct iovec iov = { frame, SUPER };
	struct fdl_stats stats;
	struct fdl_endpoint *ep;
	struct fdl_offload off;
	size_t i;

	(void)state;
	make_super(frame, &off);
	for (i = 0; i < sizeof(locators) / sizeof(*locators); i++) {
		open_null(&ep, locators[i]);
		assert_int_equal(fdl_write(fdl_get_queue(ep, 0), &iov, 1, &off),
				 0);
		fdl_get_stats(ep, &stats, sizeof(stats));
		assert_int_equal(stats.tx_gso, i < 2);
		assert_int_equal(stats.tx_gso_cut, i == 2);
		fdl_endpoint_free(ep);
	}
}

/* The endpoint's own socket, behind the fds that the test has. */
static socklen_t find_address(struct sockaddr_un *name)
{
	socklen_t len;
	int fd;

	for (fd = 0; fd < 256; fd++) {
		len = sizeof(*name);
		if (!getsockname(fd, (struct sockaddr *)name, &len) &&
		    name->sun_family == AF_UNIX &&
		    len > offsetof(struct sockaddr_un, sun_path))
			return len;
	}
	fail_msg("there is no such socket");
	return 0;
}

static void no_stranger_gets_a_packet_in(void **state)
{
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct fdl_endpoint *ep;
	struct fdl_packet *pkt;
	struct sockaddr_un name = { 0 };
	socklen_t len;

	(void)state;
	open_null(&ep, "null:");
	len = find_address(&name);
	/* It may be told that it went. */
	sendto(fd, "in", 2, 0, (struct sockaddr *)&name, len);
	assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 0);
	close(fd);
	fdl_endpoint_free(ep);
}

static void what_it_is_is_told(void **state)
{
	struct fdl_info info;

	(void)state;
	expect_probe("null:,offload=v1", &info);
	assert_string_equal(info.kind_name, "null");
	assert_int_equal(info.kind, FDL_KIND_DGRAM);
	assert_int_equal(info.medium, FDL_MEDIUM_AGREED);
	assert_int_equal(info.vnet_hdr_len, FDL_VNET_HDR_MRG_LEN);
	expect_refused("null:x", -EINVAL, "leave the name out");
	expect_refused("null:,listen", -EINVAL, "listen is no option of null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_takes_what_nobody_reads),
		cmocka_unit_test(a_super_packet_goes_whole_if_it_may),
		cmocka_unit_test(no_stranger_gets_a_packet_in),
		cmocka_unit_test(what_it_is_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
