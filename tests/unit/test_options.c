/* SPDX-License-Identifier: Apache-2.0 */
/* Options: what is out of range or contradicts itself is refused in words. */
#include <errno.h>

#include "fd_common.h"
#include "options.h"

static struct said said;

static const struct fdl_options none = { .size = sizeof(none) };

static int read_options(const struct fdl_options *given,
			struct fdl_options *opts)
{
	const struct log log = { said_take, &said };

	said_forget(&said);
	return options_read(opts, given, &log);
}

static void expect_refused(const struct fdl_options *given, const char *words)
{
	struct fdl_options opts;

	assert_int_equal(read_options(given, &opts), -EINVAL);
	expect_said(&said, words);
}

static void expect_taken(const struct fdl_options *given)
{
	struct fdl_options opts;

	assert_int_equal(read_options(given, &opts), 0);
	assert_int_equal(said.lines, 0);
}

/* A field's range: the words of a value below and above, and the ends. */
#define RANGE(field, min, max)                                    \
	do {                                                      \
		struct fdl_options o = none;                      \
                                                                  \
		o.field = (max);                                  \
		expect_taken(&o);                                 \
		o.field++;                                        \
		expect_refused(&o, "option " #field "=");         \
		o.field = (min);                                  \
		expect_taken(&o);                                 \
		o.field--;                                        \
		if (o.field)                                      \
			expect_refused(&o, "option " #field "="); \
	} while (0)

static void ranges(void **state)
{
	(void)state;
	RANGE(mtu, 68, 65535);
	RANGE(batch, 1, 256);
	RANGE(pool, 2, 65536);
	RANGE(ring_bytes, 1, 1 << 30);
	RANGE(ring_timeout_ms, 1, 1000);
	RANGE(tx_wait_ms, 1, 60000);
	RANGE(headroom, 1, 4096);
}

static void expect_flags(uint32_t flags, const char *words)
{
	struct fdl_options o = none;

	o.flags = flags;
	if (words)
		expect_refused(&o, words);
	else
		expect_taken(&o);
}

static void flags_that_need_others(void **state)
{
	(void)state;
	expect_flags(1u << 31, "does not know");
	expect_flags(FDL_RX_GSO, "add FDL_RX_CSUM");
	expect_flags(FDL_RX_USO, "add FDL_RX_CSUM");
	expect_flags(FDL_GRO, "add FDL_RX_GSO");
	expect_flags(FDL_GRO | FDL_RX_CSUM, "add FDL_RX_GSO");
	expect_flags(FDL_RX_CSUM, NULL);
	expect_flags(FDL_RX_CSUM | FDL_RX_GSO, NULL);
	expect_flags(FDL_RX_CSUM | FDL_RX_USO | FDL_GRO, NULL);
	expect_flags(FDL_VNET_HDR | FDL_ETHERNET, NULL);
}

static void fanouts(void **state)
{
	struct fdl_options o = none;

	(void)state;
	o.fanout = (enum fdl_fanout)(FDL_FANOUT_CBPF + 1);
	expect_refused(&o, "enum fdl_fanout");
	o.fanout = FDL_FANOUT_CBPF;
	expect_refused(&o, "needs a fanout_program");
	o.fanout = FDL_FANOUT_ROLLOVER;
	expect_taken(&o);
	o.flags = FDL_ROLLOVER;
	expect_refused(&o, "leave FDL_ROLLOVER");
}

/* An older layout ends before log: what lies there is not a function. */
static void a_size_without_log(void **state)
{
	struct fdl_options given = none;

	(void)state;
	memset(&given.log, 0xa5, sizeof(given.log));
	memset(&given.log_ctx, 0xa5, sizeof(given.log_ctx));
	given.size = offsetof(struct fdl_options, log);
	assert_null(options_log(&given).fn);
	assert_null(options_log(&given).ctx);
	given.size = offsetof(struct fdl_options, fanout);
	assert_true(options_log(&given).fn == given.log);
}

/* Nothing is read there. */
static void an_impossible_size(void **state)
{
	const struct fdl_options given = { .size = SIZE_MAX };
	const struct log log = { NULL, NULL };
	struct fdl_options opts;

	(void)state;
	assert_int_equal(options_read(&opts, &given, &log), -EINVAL);
}

/* Fields of a later version may be there, as long as they say nothing. */
static void another_size(void **state)
{
	struct {
		struct fdl_options o;
		uint8_t later[8];
	} given = { .o = { .size = sizeof(given), .mtu = 1400 } };
	struct fdl_options opts;

	(void)state;
	assert_int_equal(read_options(&given.o, &opts), 0);
	assert_int_equal(opts.mtu, 1400);
	given.later[7] = 1;
	expect_refused(&given.o, "fields that this version");
	given.o.size = offsetof(struct fdl_options, flags);
	given.o.flags = 1u << 31;
	assert_int_equal(read_options(&given.o, &opts), 0);
	assert_int_equal(opts.mtu, 1400);
	assert_int_equal(opts.flags, 0);
	assert_int_equal(read_options(NULL, &opts), 0);
	assert_int_equal(opts.mtu, 0);
}

static int fit(struct fdl_options *opts, enum fdl_kind kind,
	       const struct fdl_info *info)
{
	const struct log log = { said_take, &said };
	struct fdl_info i = *info;

	i.kind = kind;
	said_forget(&said);
	return options_fit(opts, &i, &log);
}

static void defaults(void **state)
{
	const struct fdl_info info = { .mtu = 0 }, jumbo = { .mtu = 9000 };
	struct fdl_options o = none;

	(void)state;
	assert_int_equal(fit(&o, FDL_KIND_SEQPACKET, &info), 0);
	assert_int_equal(o.mtu, 1500);
	assert_int_equal(o.batch, 32);
	assert_int_equal(o.pool, 256);
	o = none;
	o.pool = 10;
	assert_int_equal(fit(&o, FDL_KIND_TUN, &jumbo), 0);
	assert_int_equal(o.mtu, 9000);
	assert_int_equal(o.batch, 5);
	assert_int_equal(said.lines, 0);
}

static void contradictions(void **state)
{
	const struct fdl_info plain = { .name = "tap9", .ethernet = true };
	const struct fdl_info ip = { .name = "tun9" };
	struct fdl_options o = none;

	(void)state;
	o.flags = FDL_VNET_HDR;
	assert_int_equal(fit(&o, FDL_KIND_TAP, &plain), -EINVAL);
	expect_said(&said, "open it with IFF_VNET_HDR");
	assert_int_equal(fit(&o, FDL_KIND_DGRAM, &ip), 0);
	o = none;
	o.flags = FDL_ETHERNET;
	assert_int_equal(fit(&o, FDL_KIND_TUN, &ip), -EINVAL);
	expect_said(&said, "leave FDL_ETHERNET out");
	o = none;
	o.flags = FDL_RX_OUTGOING;
	assert_int_equal(fit(&o, FDL_KIND_TAP, &plain), -EINVAL);
	expect_said(&said, "is for AF_PACKET sockets");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(flags_that_need_others),
		cmocka_unit_test(fanouts),
		cmocka_unit_test(another_size),
		cmocka_unit_test(a_size_without_log),
		cmocka_unit_test(an_impossible_size),
		cmocka_unit_test(defaults),
		cmocka_unit_test(contradictions),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
